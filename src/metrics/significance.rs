//! How likely it is that chance alone brings something about.

use statrs::function::factorial::ln_binomial;

/// The [hypergeometric distribution][1]: how many of `draws` of `total`, `marked` of which are marked, are marked.
///
/// [1]: https://en.wikipedia.org/wiki/Hypergeometric_distribution
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hypergeometric {
    draws: u64,
    marked: u64,
    total: u64,
    least: u64,
    most: u64,
}

impl Hypergeometric {
    /// Neither `draws` nor `marked` are more than `total`.
    pub(crate) fn new(draws: u64, marked: u64, total: u64) -> Self {
        Self {
            draws,
            marked,
            total,
            least: (draws + marked).saturating_sub(total),
            most: draws.min(marked),
        }
    }

    /// The probability of `hits` or more.
    pub(crate) fn at_least(&self, hits: u64) -> f64 {
        if hits <= self.least {
            1.0
        } else if hits > self.mode() {
            self.above(hits).min(1.0)
        } else {
            (1.0 - self.below(hits)).clamp(0.0, 1.0)
        }
    }

    /// The probability of all that is not likelier than `hits`, but for rounding.
    #[cfg(feature = "drift")]
    pub(crate) fn as_unlikely_as(&self, hits: u64) -> f64 {
        let limit = self.ln_at(hits) + 1e-7;
        let behind_mode = self.mode() + 1;
        let low = edge(self.least, behind_mode, |k| self.ln_at(k) > limit);
        let high = edge(behind_mode, self.most + 1, |k| self.ln_at(k) <= limit);
        (self.below(low) + self.above(high)).min(1.0)
    }

    /// What is likeliest.
    fn mode(&self) -> u64 {
        let [draws, marked, total] = [self.draws, self.marked, self.total].map(u128::from);
        let mode = (draws + 1) * (marked + 1) / (total + 2);
        u64::try_from(mode).map_or(self.most, |mode| mode.clamp(self.least, self.most))
    }

    /// The logarithm of the probability of `k`.
    fn ln_at(&self, k: u64) -> f64 {
        ln_binomial(self.marked, k) + ln_binomial(self.total - self.marked, self.draws - k)
            - ln_binomial(self.total, self.draws)
    }

    /// By what the probability of `k` is multiplied to have that of `k` + 1.
    fn ratio(&self, k: u64) -> f64 {
        let [k, draws, marked, total] =
            [k, self.draws, self.marked, self.total].map(|count| count as f64);
        (marked - k) * (draws - k) / ((k + 1.0) * (total - marked - draws + k + 1.0))
    }

    /// The probability of `from` or more, behind the mode.
    fn above(&self, from: u64) -> f64 {
        if from > self.most {
            return 0.0;
        }
        let ratios = (from..self.most).map(|k| self.ratio(k));
        falling(self.ln_at(from).exp(), ratios)
    }

    /// The probability of less than `to`, which is no more than one behind the mode.
    fn below(&self, to: u64) -> f64 {
        if to <= self.least {
            return 0.0;
        }
        let ratios = (self.least..to - 1).rev().map(|k| 1.0 / self.ratio(k));
        falling(self.ln_at(to - 1).exp(), ratios)
    }
}

/// The sum of probabilities that fall, as far as they are something beside it: the first, and by what each is multiplied
/// to have the next.
fn falling(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (first, first);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term <= 1e-17 * sum {
            break;
        }
    }
    sum
}

/// The first of `from..to` of which `holds` is true, as of all behind it; `to` where there is none.
#[cfg(feature = "drift")]
fn edge(mut from: u64, mut to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// Of each p-value of several tests, the least level at which it would be among the discoveries: the share of false ones
/// among all that are at least as significant (Y. [Benjamini and Y. Hochberg][1], 1995).
///
/// [1]: https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
pub(crate) fn discovery_levels(p_values: &mut [&mut f64]) {
    p_values.sort_by(|a, b| a.total_cmp(b));
    let all = p_values.len() as f64;
    let mut least = 1.0_f64;
    for (at, p_value) in p_values.iter_mut().enumerate().rev() {
        least = least.min(**p_value * all / (at + 1) as f64);
        **p_value = least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!(
            (got - expected).abs() <= 1e-9 * expected.abs(),
            "{got} is not {expected}"
        );
    }

    // Expected values: SciPy 1.17.1, `fisher_exact(..., alternative="greater")`.
    #[test]
    fn scipy_fisher_exact_agrees() {
        for (hits, draws, marked, total, expected) in [
            (18, 35, 149, 1200, 1.3119800950932694e-8),
            (28, 122, 149, 1200, 0.00043700839999224805),
            (43, 389, 149, 1200, 0.8613840178995885),
            (1, 3, 2, 6, 0.8),
            (2100, 20_000, 100_000, 1_000_000, 0.009253412215918232),
        ] {
            close(
                Hypergeometric::new(draws, marked, total).at_least(hits),
                expected,
            );
        }
    }

    #[test]
    fn the_ends_of_the_distribution_are_certain() {
        let five = Hypergeometric::new(5, 3, 10);
        assert_eq!((five.at_least(0), five.at_least(4)), (1.0, 0.0));
        assert_eq!(Hypergeometric::new(9, 3, 10).at_least(2), 1.0);
        // Nothing is drawn, and all.
        assert_eq!(Hypergeometric::new(0, 3, 10).at_least(1), 0.0);
        assert_eq!(Hypergeometric::new(10, 3, 10).at_least(3), 1.0);
    }

    // Expected values: SciPy 1.17.1, `false_discovery_control`.
    #[test]
    fn scipy_false_discovery_control_agrees() {
        let mut p_values = [0.01, 0.2, 0.03, 0.04];
        discovery_levels(&mut p_values.each_mut());
        for (got, expected) in p_values
            .into_iter()
            .zip([0.04, 0.2, 0.04 / 0.75, 0.04 / 0.75])
        {
            close(got, expected);
        }
    }
}
