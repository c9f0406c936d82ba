//! Two model versions on the same samples: is one better, or is it chance?
//!
//! A test needs no distribution but the one that it states. For any other metric there is
//! [`Bootstrap::paired`](super::Bootstrap::paired).

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};
use statrs::function::erf::erfc;

use super::batch::{check_length, check_scores};
use super::{MetricError, Undefined};

/// McNemar's test: whether two classifiers are right equally often (Q. McNemar, 1947, doi 10.1007/BF02295996).
///
/// Only samples on which one of them is right and the other is not say anything.
///
/// ```
/// use modelpulse::metrics::McNemar;
///
/// let test = McNemar::of(&[0, 1, 1, 2], &[0, 0, 1, 1], &[0, 1, 1, 2])?;
/// assert_eq!((test.only_baseline, test.only_candidate), (0, 2));
/// assert!((test.p_value() - 0.5).abs() < 1e-12);
/// assert!(McNemar { only_baseline: 5, only_candidate: 21 }.p_value() < 0.01);
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct McNemar {
    /// Samples on which only the baseline is right.
    pub only_baseline: u64,
    /// Samples on which only the candidate is right.
    pub only_candidate: u64,
}

impl McNemar {
    /// Counts from true labels and both predictions.
    ///
    /// # Errors
    ///
    /// [`MetricError::Lengths`].
    pub fn of(
        labels: &[usize],
        baseline: &[usize],
        candidate: &[usize],
    ) -> Result<Self, MetricError> {
        check_length("predictions of the baseline", labels.len(), baseline.len())?;
        check_length(
            "predictions of the candidate",
            labels.len(),
            candidate.len(),
        )?;
        let mut counts = Self {
            only_baseline: 0,
            only_candidate: 0,
        };
        for ((label, baseline), candidate) in labels.iter().zip(baseline).zip(candidate) {
            counts.only_baseline += u64::from(baseline == label && candidate != label);
            counts.only_candidate += u64::from(baseline != label && candidate == label);
        }
        Ok(counts)
    }

    /// The exact two-sided p-value: both counts are of a fair coin. 1 where the two are never right apart.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let (b, c) = (self.only_baseline, self.only_candidate);
        match Binomial::new(0.5, b.saturating_add(c)) {
            Ok(coin) if b + c > 0 => (2.0 * coin.cdf(b.min(c))).min(1.0),
            _ => 1.0,
        }
    }

    /// The test statistic with continuity correction (A. L. Edwards, 1948), χ² of one degree of freedom.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] where the two are never right apart.
    pub fn chi_squared(&self) -> Result<f64, Undefined> {
        let (b, c) = (self.only_baseline as f64, self.only_candidate as f64);
        if b + c == 0.0 {
            return Err(Undefined::NoSamples);
        }
        let off = ((b - c).abs() - 1.0).max(0.0);
        Ok(off * off / (b + c))
    }
}

/// DeLong's test: whether two models have the same area under the ROC curve (E. R. DeLong et al., 1988,
/// doi 10.2307/2531595), in O(n log n) (X. Sun and W. Xu, 2014, doi 10.1109/LSP.2014.2337313).
///
/// ```
/// use modelpulse::metrics::DeLong;
///
/// let labels = [false, false, true, true, false, true];
/// let baseline = [0.1, 0.4, 0.35, 0.8, 0.6, 0.5];
/// let candidate = [0.1, 0.3, 0.5, 0.8, 0.4, 0.9];
/// let test = DeLong::of(&labels, &baseline, &candidate)?.unwrap();
/// assert_eq!((test.baseline, test.candidate), (2.0 / 3.0, 1.0));
/// assert!(test.p_value() > 0.05, "six samples say little");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DeLong {
    /// The area under the ROC curve of the baseline.
    pub baseline: f64,
    /// The area under the ROC curve of the candidate.
    pub candidate: f64,
    /// The standard error of the baseline's area.
    pub baseline_error: f64,
    /// The standard error of the candidate's area.
    pub candidate_error: f64,
    /// The standard error of the difference.
    pub difference_error: f64,
}

impl DeLong {
    /// Compares the scores of two models for the same samples.
    ///
    /// The answer is undefined, as [`Undefined::TooFewSamples`], with fewer than two samples of either label.
    ///
    /// # Errors
    ///
    /// [`MetricError::Lengths`] or [`MetricError::NanScore`].
    pub fn of(
        labels: &[bool],
        baseline: &[f64],
        candidate: &[f64],
    ) -> Result<Result<Self, Undefined>, MetricError> {
        check_length("scores of the baseline", labels.len(), baseline.len())?;
        check_length("scores of the candidate", labels.len(), candidate.len())?;
        check_scores(baseline, 1, 1, 0)?;
        check_scores(candidate, 1, 1, 0)?;
        let positives = labels.iter().filter(|&&label| label).count();
        if positives < 2 || labels.len() - positives < 2 {
            return Ok(Err(Undefined::TooFewSamples));
        }
        let (a, b) = (Places::of(labels, baseline), Places::of(labels, candidate));
        let variance = |a: &Places, b: &Places| {
            covariance(&a.positives, &b.positives) / a.positives.len() as f64
                + covariance(&a.negatives, &b.negatives) / a.negatives.len() as f64
        };
        let (of_a, of_b, both) = (variance(&a, &a), variance(&b, &b), variance(&a, &b));
        Ok(Ok(Self {
            baseline: mean(&a.positives),
            candidate: mean(&b.positives),
            baseline_error: of_a.max(0.0).sqrt(),
            candidate_error: of_b.max(0.0).sqrt(),
            difference_error: (of_a + of_b - 2.0 * both).max(0.0).sqrt(),
        }))
    }

    /// By how much the candidate's area is larger.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.candidate - self.baseline
    }

    /// The difference over its standard error; 0 where both are 0.
    #[must_use]
    pub fn z(&self) -> f64 {
        match self.difference() {
            0.0 => 0.0,
            difference => difference / self.difference_error,
        }
    }

    /// The two-sided p-value of the areas being the same.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        erfc(self.z().abs() / std::f64::consts::SQRT_2)
    }

    /// The interval of the difference at a level as 0.95, normal.
    #[must_use]
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let reach = quantile(level) * self.difference_error;
        (self.difference() - reach, self.difference() + reach)
    }

    /// The interval of the candidate's area at a level as 0.95, normal, kept within 0..=1.
    #[must_use]
    pub fn candidate_interval(&self, level: f64) -> (f64, f64) {
        let reach = quantile(level) * self.candidate_error;
        let (low, high) = (self.candidate - reach, self.candidate + reach);
        (low.max(0.0), high.min(1.0))
    }
}

/// For each sample the share of those of the other label that it ranks rightly against, ties counting one half.
struct Places {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Places {
    fn of(labels: &[bool], scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&i, &j| (scores[i] + 0.0).total_cmp(&(scores[j] + 0.0)));
        let positives = labels.iter().filter(|&&label| label).count();
        let negatives = labels.len() - positives;
        let mut places = vec![0.0; scores.len()];
        let (mut positives_below, mut negatives_below) = (0, 0);
        for ties in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
            let own = ties.iter().filter(|&&i| labels[i]).count();
            let others = ties.len() - own;
            for &i in ties {
                places[i] = if labels[i] {
                    (negatives_below as f64 + others as f64 / 2.0) / negatives as f64
                } else {
                    ((positives - positives_below) as f64 - own as f64 / 2.0) / positives as f64
                };
            }
            positives_below += own;
            negatives_below += others;
        }
        let side = |positive: bool| {
            let places = places.iter().zip(labels);
            places
                .filter(|it| *it.1 == positive)
                .map(|it| *it.0)
                .collect()
        };
        Self {
            positives: side(true),
            negatives: side(false),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    products.sum::<f64>() / (a.len() - 1) as f64
}

/// How many standard errors an interval reaches to either side.
fn quantile(level: f64) -> f64 {
    let tail = (1.0 - level.clamp(0.0, 1.0)) / 2.0;
    match Normal::standard() {
        normal if tail > 0.0 => -normal.inverse_cdf(tail),
        _ => f64::INFINITY,
    }
}

/// The interval of a share, such as accuracy, at a level as 0.95 (E. B. Wilson, 1927,
/// doi 10.1080/01621459.1927.10502953): closed form, and good for few samples and for shares near 0 and 1.
///
/// # Errors
///
/// [`Undefined::NoSamples`], or [`Undefined::OutOfDomain`] for more hits than samples.
///
/// ```
/// use modelpulse::metrics::wilson_interval;
/// let (low, high) = wilson_interval(9, 10, 0.95).unwrap();
/// assert!((low - 0.5958499732047615).abs() < 1e-12 && (high - 0.9821237869049271).abs() < 1e-12);
/// ```
pub fn wilson_interval(hits: u64, samples: u64, level: f64) -> Result<(f64, f64), Undefined> {
    if samples == 0 {
        return Err(Undefined::NoSamples);
    }
    if hits > samples {
        return Err(Undefined::OutOfDomain);
    }
    let (n, z) = (samples as f64, quantile(level));
    if z.is_infinite() {
        return Ok((0.0, 1.0));
    }
    let share = hits as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Ok((
        ((middle - reach) / scale).max(0.0),
        ((middle + reach) / scale).min(1.0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;

    // Expected values: scipy 1.17.1, `binomtest(b, b + c).pvalue` and `chi2.sf`.
    #[test]
    fn scipy_mcnemar() {
        for (b, c, expected) in [
            (5, 21, 0.002493917942047119),
            (0, 3, 0.25),
            (10, 10, 1.0),
            (400, 500, 0.0009564441369189373),
        ] {
            let test = McNemar {
                only_baseline: b,
                only_candidate: c,
            };
            let got = test.p_value();
            assert!((got / expected - 1.0).abs() < 1e-9, "{b} {c}: {got}");
        }
        let test = McNemar {
            only_baseline: 5,
            only_candidate: 21,
        };
        assert_eq!(test.chi_squared(), Ok(225.0 / 26.0));
        let none = McNemar {
            only_baseline: 0,
            only_candidate: 0,
        };
        assert_eq!(
            (none.p_value(), none.chi_squared()),
            (1.0, Err(Undefined::NoSamples))
        );
    }

    /// DeLong's definition: every pair of a positive and a negative.
    fn by_pairs(positives: &[f64], negatives: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let wins = |p: f64, n: f64| f64::from(p > n) + f64::from(p == n) / 2.0;
        let mean_over = |of: &dyn Fn(f64) -> f64, over: &[f64]| -> f64 {
            over.iter().map(|&it| of(it)).sum::<f64>() / over.len() as f64
        };
        let v10 = positives
            .iter()
            .map(|&p| mean_over(&|n| wins(p, n), negatives));
        let v01 = negatives
            .iter()
            .map(|&n| mean_over(&|p| wins(p, n), positives));
        (v10.collect(), v01.collect())
    }

    #[test]
    fn delong_is_its_definition_over_all_pairs() {
        let mut random = SplitMix::new(9);
        let labels: Vec<bool> = (0..80).map(|_| random.below(3) == 0).collect();
        let mut scores = || -> Vec<f64> {
            let noise = |&label: &bool| (random.below(9) as f64 + f64::from(label) * 2.0) / 10.0;
            labels.iter().map(noise).collect()
        };
        let (a, b) = (scores(), scores());
        let test = DeLong::of(&labels, &a, &b).unwrap().unwrap();
        let side = |scores: &[f64], positive| -> Vec<f64> {
            let pairs = scores.iter().zip(&labels).filter(|it| *it.1 == positive);
            pairs.map(|it| *it.0).collect()
        };
        let (a10, a01) = by_pairs(&side(&a, true), &side(&a, false));
        let (b10, b01) = by_pairs(&side(&b, true), &side(&b, false));
        let difference =
            |a: &[f64], b: &[f64]| -> Vec<f64> { b.iter().zip(a).map(|(b, a)| b - a).collect() };
        let (d10, d01) = (difference(&a10, &b10), difference(&a01, &b01));
        let variance =
            covariance(&d10, &d10) / d10.len() as f64 + covariance(&d01, &d01) / d01.len() as f64;
        assert!((test.baseline - mean(&a10)).abs() < 1e-14);
        assert!((test.difference_error - variance.sqrt()).abs() < 1e-14);
        // Expected value: 2 (1 - Φ(|z|)).
        let p = 2.0 * Normal::standard().sf(test.z().abs());
        assert!((test.p_value() / p - 1.0).abs() < 1e-9);
        let (low, high) = test.interval(0.95);
        assert!((high - low - 2.0 * 1.959963984540054 * test.difference_error).abs() < 1e-12);
    }

    #[test]
    fn the_same_scores_do_not_differ() {
        let labels = [true, false, true, false];
        let scores = [0.5, 0.5, 0.9, 0.1];
        let test = DeLong::of(&labels, &scores, &scores).unwrap().unwrap();
        assert_eq!((test.z(), test.p_value()), (0.0, 1.0));
        let few = DeLong::of(&[true, false], &[0.1, 0.2], &[0.1, 0.2]).unwrap();
        assert_eq!(few, Err(Undefined::TooFewSamples));
    }
}
