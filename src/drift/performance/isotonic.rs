//! Isotonic regression: the rising curve that is nearest to labels over scores.

use super::super::Undefined;
use crate::metrics::random::SplitMix;

/// A calibration that makes scores probabilities, whatever they were, as long as higher ones are likelier.
///
/// Between knots it is linear, beyond them constant, as in scikit-learn.
///
/// ```
/// use modelpulse::drift::performance::Isotonic;
///
/// let curve = Isotonic::fit(&[false, true, false, true], &[0.1, 0.2, 0.3, 0.4])?;
/// assert_eq!(curve.knots(), [(0.1, 0.0), (0.2, 0.5), (0.3, 0.5), (0.4, 1.0)]);
/// assert_eq!((curve.at(0.0), curve.at(0.25)), (0.0, 0.5));
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    knots: Vec<(f64, f64)>,
}

impl Isotonic {
    /// Fits the curve: pools adjacent violators (R. E. Barlow et al., 1972).
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] without rows, or if there are more of one column than of the other;
    /// [`Undefined::Infinite`] for a score that is not finite.
    pub fn fit(labels: &[bool], scores: &[f64]) -> Result<Self, Undefined> {
        if labels.is_empty() || labels.len() != scores.len() {
            return Err(Undefined::TooFew);
        }
        if !scores.iter().all(|score| score.is_finite()) {
            return Err(Undefined::Infinite);
        }
        let mut rows: Vec<(f64, bool)> =
            scores.iter().copied().zip(labels.iter().copied()).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Each score with its mean label and its rows.
        let mut scores: Vec<f64> = Vec::new();
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        let mut at = 0;
        while at < rows.len() {
            let score = rows[at].0;
            let end = at + rows[at..].partition_point(|row| row.0 <= score);
            let hits = rows[at..end].iter().filter(|row| row.1).count() as f64;
            scores.push(score);
            let (mut hits, mut all, mut kinds) = (hits, (end - at) as f64, 1);
            // What is before and not lower is one with it.
            while let Some(&(others, count, of)) = blocks.last()
                && others * all >= hits * count
            {
                (hits, all, kinds) = (hits + others, all + count, kinds + of);
                blocks.pop();
            }
            blocks.push((hits, all, kinds));
            at = end;
        }
        let mut knots = Vec::new();
        let mut first = 0;
        for (hits, all, kinds) in blocks {
            let value = hits / all;
            knots.push((scores[first], value));
            if kinds > 1 {
                knots.push((scores[first + kinds - 1], value));
            }
            first += kinds;
        }
        Ok(Self { knots })
    }

    /// The scores at which the curve bends, and its values there.
    #[must_use]
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }

    /// The probability of a score; NaN of NaN.
    #[must_use]
    pub fn at(&self, score: f64) -> f64 {
        let next = self.knots.partition_point(|knot| knot.0 <= score);
        match (
            next.checked_sub(1).map(|at| self.knots[at]),
            self.knots.get(next),
        ) {
            _ if score.is_nan() => f64::NAN,
            (Some((_, value)), None) => value,
            (None, Some(&(_, value))) => value,
            (Some((left, low)), Some(&(right, high))) => {
                (high - low) / (right - left) * (score - left) + low
            }
            (None, None) => f64::NAN,
        }
    }

    /// Whether calibrated scores are better probabilities than the scores themselves, of rows that the calibration has
    /// not seen: over ten splits, each of which holds a tenth of either label back.
    pub(super) fn helps(labels: &[bool], scores: &[f64]) -> bool {
        let mut random = SplitMix::new(42);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            let mut held = vec![false; labels.len()];
            for side in [false, true] {
                let mut rows: Vec<usize> =
                    (0..labels.len()).filter(|&at| labels[at] == side).collect();
                let tenth = rows.len().div_ceil(10);
                for at in 0..tenth {
                    let other = at + random.below(rows.len() - at);
                    rows.swap(at, other);
                    held[rows[at]] = true;
                }
            }
            let part = |of: bool| -> (Vec<bool>, Vec<f64>) {
                (0..labels.len())
                    .filter(|&at| held[at] == of)
                    .map(|at| (labels[at], scores[at]))
                    .unzip()
            };
            let (train_labels, train_scores) = part(false);
            let Ok(curve) = Self::fit(&train_labels, &train_scores) else {
                return false;
            };
            let (test_labels, test_scores) = part(true);
            for (label, score) in test_labels.into_iter().zip(test_scores) {
                before.push((score, label));
                after.push((curve.at(score), label));
            }
        }
        calibration_error(before) > calibration_error(after)
    }
}

/// The expected calibration error over ten bins of as many rows.
fn calibration_error(mut rows: Vec<(f64, bool)>) -> f64 {
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = rows.len();
    let size = (all / 10).max(1);
    let bins = rows.chunks(size).map(|bin| {
        let scores: f64 = bin.iter().map(|row| row.0).sum();
        let hits = bin.iter().filter(|row| row.1).count() as f64;
        (scores - hits).abs() / all as f64
    });
    bins.sum()
}
