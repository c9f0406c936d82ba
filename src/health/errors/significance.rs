//! How likely it is that a slice errs so much more than the rest by chance.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::ln_gamma;

/// Samples, the sum of their errors, and the sum of the errors' squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) n: u64,
    pub(super) sum: f64,
    pub(super) squares: f64,
}

impl Moments {
    #[inline]
    pub(super) fn add(&mut self, error: f64) {
        self.n += 1;
        self.sum += error;
        self.squares += error * error;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }

    /// The unbiased variance.
    fn variance(&self) -> f64 {
        let mean = self.mean();
        ((self.squares - self.n as f64 * mean * mean) / (self.n as f64 - 1.0)).max(0.0)
    }

    /// Whether every error is 0 or 1, as far as the sums tell: only then are they and their squares alike.
    fn are_counts(&self) -> bool {
        self.sum == self.squares && self.sum.fract() == 0.0
    }
}

/// The probability that a slice drawn at random errs at least as much, `slice` being part of `all`.
///
/// Errors that are 0 or 1: [Fisher's exact test][1], one-sided. Other errors: [Welch's test][2], one-sided. 1 where the
/// slice is all there is, or nothing varies.
///
/// [1]: https://en.wikipedia.org/wiki/Fisher%27s_exact_test
/// [2]: https://en.wikipedia.org/wiki/Welch%27s_t-test
pub(super) fn p_value(slice: &Moments, all: &Moments, counts: bool) -> f64 {
    let rest = Moments {
        n: all.n - slice.n,
        sum: all.sum - slice.sum,
        squares: all.squares - slice.squares,
    };
    if slice.n == 0 || rest.n == 0 {
        return 1.0;
    }
    if counts {
        return at_least(slice.sum as u64, slice.n, all.sum as u64, all.n);
    }
    if slice.n < 2 || rest.n < 2 {
        return 1.0;
    }
    let (a, b) = (
        slice.variance() / slice.n as f64,
        rest.variance() / rest.n as f64,
    );
    // Sums of squares: never negative, and NaN in no case.
    if a + b <= 0.0 {
        return 1.0;
    }
    let t = (slice.mean() - rest.mean()) / (a + b).sqrt();
    let freedom =
        (a + b) * (a + b) / (a * a / (slice.n as f64 - 1.0) + b * b / (rest.n as f64 - 1.0));
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |distribution| distribution.sf(t))
}

/// Whether the errors are all 0 or 1.
pub(super) fn are_counts(all: &Moments) -> bool {
    all.are_counts()
}

/// The probability that of `draws` of `total`, `marked` of which are marked, at least `hits` are: the upper tail of the
/// hypergeometric distribution.
fn at_least(hits: u64, draws: u64, marked: u64, total: u64) -> f64 {
    let most = draws.min(marked);
    let least = (draws + marked).saturating_sub(total);
    if hits <= least {
        return 1.0;
    }
    if hits > most {
        return 0.0;
    }
    let of = |n: u64, k: u64| {
        ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
    };
    let at = |k: u64| (of(marked, k) + of(total - marked, draws - k) - of(total, draws)).exp();
    // P(k + 1) / P(k)
    let ratio = |k: u64| {
        let (k, draws, marked, total) = (k as f64, draws as f64, marked as f64, total as f64);
        (marked - k) * (draws - k) / ((k + 1.0) * (total - marked - draws + k + 1.0))
    };
    // From `hits` away from the mode, where terms only fall; the lower tail is the complement.
    let mode = ((draws + 1) as f64 * (marked + 1) as f64 / (total + 2) as f64) as u64;
    let mut sum = 0.0;
    if hits > mode {
        let mut term = at(hits);
        for k in hits..=most {
            sum += term;
            if term <= sum * 1e-17 {
                break;
            }
            term *= ratio(k);
        }
        sum.min(1.0)
    } else {
        let mut term = at(hits - 1);
        for k in (least..hits).rev() {
            sum += term;
            if term <= sum * 1e-17 || k == least {
                break;
            }
            term /= ratio(k - 1);
        }
        (1.0 - sum).clamp(0.0, 1.0)
    }
}

/// [Benjamini and Hochberg's][1] adjusted p-values: the share of false alarms among all slices that are at least as
/// significant.
///
/// [1]: https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
pub(super) fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (behind, &at) in order.iter().enumerate() {
        let rank = p_values.len() - behind;
        least = least.min(p_values[at] * p_values.len() as f64 / rank as f64);
        adjusted[at] = least;
    }
    adjusted
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
            close(at_least(hits, draws, marked, total), expected);
        }
    }

    #[test]
    fn the_ends_of_the_distribution_are_certain() {
        assert_eq!(at_least(0, 5, 3, 10), 1.0);
        assert_eq!(at_least(4, 5, 3, 10), 0.0);
        assert_eq!(at_least(2, 9, 3, 10), 1.0);
    }

    // Expected values: SciPy 1.17.1, `ttest_ind(..., equal_var=False, alternative="greater")`.
    #[test]
    fn scipy_welch_agrees() {
        let moments = |errors: &[f64]| {
            let mut moments = Moments::default();
            errors.iter().for_each(|&error| moments.add(error));
            moments
        };
        let (slice, rest) = (
            [0.9, 1.4, 0.7, 2.2, 1.1],
            [0.3, 0.8, 0.5, 0.1, 0.9, 0.4, 0.6],
        );
        let all = moments(&[&slice[..], &rest].concat());
        close(p_value(&moments(&slice), &all, false), 0.021643138632053246);
    }

    // Expected values: SciPy 1.17.1, `false_discovery_control`.
    #[test]
    fn scipy_false_discovery_control_agrees() {
        let got = adjusted(&[0.01, 0.2, 0.03, 0.04]);
        for (got, expected) in got.into_iter().zip([0.04, 0.2, 0.04 / 0.75, 0.04 / 0.75]) {
            close(got, expected);
        }
    }
}
