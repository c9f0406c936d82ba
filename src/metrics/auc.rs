//! The area under the ROC curve of a binary classifier, exact.
//!
//! All scores are kept and none is NaN, so the answer is a count of ordered pairs in whole numbers: it does not
//! depend on the order of updates or merges, not even in its last bit.
//!
//! ROC AUC is the probability that a random positive scores above a random negative, ties counting one half: the
//! Mann-Whitney U statistic with midranks over the number of pairs (J. A. Hanley and B. J. McNeil, "The meaning and use
//! of the area under a receiver operating characteristic (ROC) curve", Radiology 143, 1982,
//! doi 10.1148/radiology.143.1.7063747).
//! Checked against `roc_auc_score` of scikit-learn 1.9.1.

use super::MetricError;

/// ROC AUC of a binary classifier from (score, is positive) pairs.
///
/// The higher the score, the more positive. Any monotone scale will do (probability, logit): only the order counts.
/// Infinite scores have a rank and are taken (scikit-learn refuses them); NaN has none and is refused.
///
/// Memory is 8 bytes a sample; [`compute`](Self::compute) sorts a copy.
///
/// ```
/// use modelpulse::metrics::RocAuc;
///
/// let mut auc = RocAuc::new();
/// for (score, positive) in [(0.1, false), (0.4, false), (0.35, true), (0.8, true)] {
///     auc.update(score, positive)?;
/// }
/// assert_eq!(auc.compute(), Some(0.75));
/// assert!(auc.update(f64::NAN, true).is_err());
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RocAuc {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl RocAuc {
    /// An accumulator that has taken nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the score of one sample.
    ///
    /// # Errors
    ///
    /// [`MetricError::NanScore`]; the sample is not taken then.
    pub fn update(&mut self, score: f64, positive: bool) -> Result<(), MetricError> {
        if score.is_nan() {
            return Err(MetricError::NanScore {
                sample: self.len(),
                class: 1,
            });
        }
        if positive {
            self.positives.push(score);
        } else {
            self.negatives.push(score);
        }
        Ok(())
    }

    /// Takes all samples of another accumulator.
    pub fn merge(&mut self, other: &Self) {
        self.positives.extend_from_slice(&other.positives);
        self.negatives.extend_from_slice(&other.negatives);
    }

    /// The number of samples taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.positives.len() + self.negatives.len()
    }

    /// Whether no sample was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The area, in 0..=1; `None` unless there is a positive and a negative sample.
    #[must_use]
    pub fn compute(&self) -> Option<f64> {
        area(self.positives.clone(), self.negatives.clone())
    }
}

/// The Mann-Whitney statistic over the number of pairs; no score may be NaN.
///
/// Counting in half pairs, every positive adds 2 for each negative below it and 1 for each that ties.
pub(super) fn area(mut positives: Vec<f64>, mut negatives: Vec<f64>) -> Option<f64> {
    if positives.is_empty() || negatives.is_empty() {
        return None;
    }
    // Comparison by `<` and `<=`, where -0.0 equals 0.0, agrees with this order: it only refines it.
    positives.sort_unstable_by(f64::total_cmp);
    negatives.sort_unstable_by(f64::total_cmp);
    let (mut below, mut not_above) = (0, 0);
    let mut half_pairs = 0u128;
    for positive in &positives {
        below += count_while(&negatives, below, |negative| negative < positive);
        not_above += count_while(&negatives, not_above, |negative| negative <= positive);
        half_pairs += (below + not_above) as u128;
    }
    let pairs = positives.len() as u128 * negatives.len() as u128;
    Some(half_pairs as f64 / 2.0 / pairs as f64)
}

fn count_while(sorted: &[f64], from: usize, keep: impl Fn(&f64) -> bool) -> usize {
    sorted
        .iter()
        .skip(from)
        .take_while(|score| keep(score))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(samples: &[(f64, bool)]) -> RocAuc {
        let mut auc = RocAuc::new();
        for &(score, positive) in samples {
            auc.update(score, positive).unwrap();
        }
        auc
    }

    // Expected values of the tests named `sklearn_*`: scikit-learn 1.9.1, `roc_auc_score`.

    #[test]
    fn sklearn_scores_with_ties() {
        let samples = [
            (0.5, true),
            (0.5, false),
            (0.5, true),
            (0.25, false),
            (0.75, true),
            (0.25, true),
            (0.75, false),
            (0.9, true),
            (0.1, false),
            (0.5, false),
        ];
        assert_eq!(binary(&samples).compute(), Some(0.68));
    }

    #[test]
    fn sklearn_perfect_inverse_and_constant_scores() {
        let perfect = [(0.1, false), (0.2, false), (0.8, true), (0.9, true)];
        assert_eq!(binary(&perfect).compute(), Some(1.0));
        let inverse = [(0.9, false), (0.8, false), (0.2, true), (0.1, true)];
        assert_eq!(binary(&inverse).compute(), Some(0.0));
        let constant = [(0.5, true), (0.5, false), (0.5, true)];
        assert_eq!(binary(&constant).compute(), Some(0.5));
    }

    #[test]
    fn sklearn_scores_that_differ_by_a_denormal() {
        let samples = [
            (1e-300, false),
            (1.0 - f64::EPSILON / 2.0, true),
            (5e-324, false),
            (1e-17, true),
        ];
        assert_eq!(binary(&samples).compute(), Some(1.0));
    }

    #[test]
    fn brute_force_over_all_pairs_agrees() {
        // 97 samples on 13 levels, so that ties abound.
        let samples: Vec<(f64, bool)> = (0..97u32)
            .map(|i| (f64::from(i * i % 13), i * 7 % 5 < 2))
            .collect();
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (p, _) in samples.iter().filter(|s| s.1) {
            for (n, _) in samples.iter().filter(|s| !s.1) {
                pairs += 1.0;
                wins += if p > n {
                    1.0
                } else if p == n {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert_eq!(binary(&samples).compute(), Some(wins / pairs));
    }

    #[test]
    fn order_and_sharding_do_not_change_a_bit() {
        let samples: Vec<(f64, bool)> = (0..200u32)
            .map(|i| (f64::from(i * 37 % 101).sqrt(), i * i % 3 == 0))
            .collect();
        let forward = binary(&samples).compute();
        let mut backward = samples.clone();
        backward.reverse();
        assert_eq!(binary(&backward).compute(), forward);
        let mut merged = binary(&samples[150..]);
        merged.merge(&binary(&samples[..150]));
        assert_eq!(merged.compute(), forward);
        assert_eq!(merged.len(), 200);
    }

    #[test]
    fn one_kind_of_sample_leaves_the_area_undefined() {
        assert_eq!(RocAuc::new().compute(), None);
        assert_eq!(binary(&[(0.2, true), (0.9, true)]).compute(), None);
        assert_eq!(binary(&[(0.2, false)]).compute(), None);
    }

    #[test]
    fn negative_zero_ties_with_zero() {
        assert_eq!(binary(&[(-0.0, true), (0.0, false)]).compute(), Some(0.5));
        assert_eq!(binary(&[(0.0, true), (-0.0, false)]).compute(), Some(0.5));
    }

    #[test]
    fn infinite_scores_are_ranked() {
        let samples = [
            (f64::NEG_INFINITY, false),
            (f64::INFINITY, false),
            (f64::INFINITY, true),
        ];
        assert_eq!(binary(&samples).compute(), Some(0.75));
    }

    #[test]
    fn bad_input_is_refused_and_changes_nothing() {
        let mut auc = binary(&[(0.1, false)]);
        assert_eq!(
            auc.update(f64::NAN, false),
            Err(MetricError::NanScore {
                sample: 1,
                class: 1
            })
        );
        assert_eq!(auc.len(), 1);
    }
}
