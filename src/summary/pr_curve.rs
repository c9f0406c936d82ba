//! Precision–recall curves of a binary classifier, at thresholds spread evenly over 0 to 1.
//!
//! Stored as an `f32` tensor `[6, n]`: true positives, false positives, true negatives, false
//! negatives, precision and recall at each threshold, ascending (TensorBoard,
//! `plugins/pr_curve/summary.py`, whose numbers these are). Counts above 2²⁴ are rounded.

mod error;
mod score;

use prost::Message;

pub use error::PrCurveError;
pub use score::Score;

use super::{Tensor, Value, WrongKind};
use crate::proto::PrCurvePluginData;
use error::{amounts, check_thresholds, same_length};

/// A precision–recall curve.
///
/// A score counts as positive at a threshold that it reaches, so the first threshold, 0, takes all.
///
/// ```
/// use modelpulse::summary::PrCurve;
/// let scores = [0.1, 0.4, 0.35, 0.8];
/// let labels = [false, false, true, true];
/// let curve = PrCurve::with_thresholds(&scores, &labels, 5)?;
/// assert_eq!(curve.true_positives(), [2.0, 2.0, 1.0, 1.0, 0.0]);
/// assert_eq!(curve.false_positives(), [2.0, 1.0, 0.0, 0.0, 0.0]);
/// assert_eq!(curve.precision()[2], 1.0);
/// assert_eq!(curve.recall()[2], 0.5);
/// # Ok::<(), modelpulse::summary::PrCurveError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PrCurve {
    rows: [Vec<f32>; ROWS],
    description: String,
}

/// Counts, or sums of weights, at each threshold: thresholds ascend evenly from 0 to 1.
///
/// ```
/// use modelpulse::summary::{PrCounts, PrCurve};
/// let curve = PrCurve::from_counts(&PrCounts {
///     true_positives: vec![5.0, 4.0, 1.0],
///     false_positives: vec![3.0, 1.0, 0.0],
///     true_negatives: vec![0.0, 2.0, 3.0],
///     false_negatives: vec![0.0, 1.0, 4.0],
/// })?;
/// assert_eq!(curve.recall(), [1.0, 0.8, 0.2]);
/// # Ok::<(), modelpulse::summary::PrCurveError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrCounts {
    /// Positives that the threshold lets through.
    pub true_positives: Vec<f64>,
    /// Negatives that the threshold lets through.
    pub false_positives: Vec<f64>,
    /// Negatives below the threshold.
    pub true_negatives: Vec<f64>,
    /// Positives below the threshold.
    pub false_negatives: Vec<f64>,
}

impl PrCurve {
    /// As many thresholds as TensorBoard's own writer makes.
    pub const THRESHOLDS: usize = 201;

    /// The curve of `scores` from 0 to 1, at [`THRESHOLDS`](Self::THRESHOLDS) thresholds.
    ///
    /// # Errors
    /// [`PrCurveError::Score`] for a score that is NaN or out of range, [`PrCurveError::Lengths`]
    /// unless there is a label for each, [`PrCurveError::Empty`] for none.
    pub fn of<S: Score>(scores: &[S], labels: &[bool]) -> Result<Self, PrCurveError> {
        Self::with_thresholds(scores, labels, Self::THRESHOLDS)
    }

    /// As [`of`](Self::of), at `thresholds` thresholds, at least two.
    ///
    /// # Errors
    /// As [`of`](Self::of), and [`PrCurveError::Thresholds`].
    pub fn with_thresholds<S: Score>(
        scores: &[S],
        labels: &[bool],
        thresholds: usize,
    ) -> Result<Self, PrCurveError> {
        Self::count(scores, labels, None, thresholds)
    }

    /// As [`with_thresholds`](Self::with_thresholds); each score counts as much as its weight says.
    ///
    /// # Errors
    /// As [`with_thresholds`](Self::with_thresholds), [`PrCurveError::Lengths`] unless there is a
    /// weight for each, [`PrCurveError::Amount`] for one that is negative or not finite.
    pub fn weighted<S: Score>(
        scores: &[S],
        labels: &[bool],
        weights: &[f64],
        thresholds: usize,
    ) -> Result<Self, PrCurveError> {
        Self::count(scores, labels, Some(weights), thresholds)
    }

    /// The curve of ready-made counts, one a threshold.
    ///
    /// # Errors
    /// [`PrCurveError::Lengths`], [`PrCurveError::Thresholds`] for fewer than two,
    /// [`PrCurveError::Amount`] for a count that is negative or not finite.
    pub fn from_counts(counts: &PrCounts) -> Result<Self, PrCurveError> {
        let lists = [
            ("true positives", &counts.true_positives),
            ("false positives", &counts.false_positives),
            ("true negatives", &counts.true_negatives),
            ("false negatives", &counts.false_negatives),
        ];
        let (first, thresholds) = (lists[0].0, lists[0].1.len());
        for (name, list) in lists {
            same_length((first, thresholds), (name, list.len()))?;
            amounts(name, list)?;
        }
        check_thresholds(thresholds)?;
        let positive = |counts: &[f64], others: &[f64]| -> Vec<f32> {
            let share = |(count, other): (&f64, &f64)| count / (count + other).max(MINIMUM_COUNT);
            counts
                .iter()
                .zip(others)
                .map(share)
                .map(|share| share as f32)
                .collect()
        };
        let [tp, fp, tn, false_negatives] = lists.map(|(_, list)| list);
        let narrow = |list: &[f64]| list.iter().map(|&count| count as f32).collect();
        let rows = [
            narrow(tp),
            narrow(fp),
            narrow(tn),
            narrow(false_negatives),
            positive(tp, fp),
            positive(tp, false_negatives),
        ];
        let description = String::new();
        Ok(Self { rows, description })
    }

    /// Describes the series, in Markdown.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    /// How many thresholds there are; number `i` of them is `i / (thresholds - 1)`.
    pub fn thresholds(&self) -> usize {
        self.rows[0].len()
    }

    /// Positives that each threshold lets through.
    pub fn true_positives(&self) -> &[f32] {
        &self.rows[0]
    }

    /// Negatives that each threshold lets through.
    pub fn false_positives(&self) -> &[f32] {
        &self.rows[1]
    }

    /// Negatives below each threshold.
    pub fn true_negatives(&self) -> &[f32] {
        &self.rows[2]
    }

    /// Positives below each threshold.
    pub fn false_negatives(&self) -> &[f32] {
        &self.rows[3]
    }

    /// The share of positives among what each threshold lets through; 0 where that is nothing.
    pub fn precision(&self) -> &[f32] {
        &self.rows[4]
    }

    /// The share of the positives that each threshold lets through; 0 where there are none.
    pub fn recall(&self) -> &[f32] {
        &self.rows[5]
    }

    fn count<S: Score>(
        scores: &[S],
        labels: &[bool],
        weights: Option<&[f64]>,
        thresholds: usize,
    ) -> Result<Self, PrCurveError> {
        check_thresholds(thresholds)?;
        if scores.is_empty() {
            return Err(PrCurveError::Empty);
        }
        same_length(("scores", scores.len()), ("labels", labels.len()))?;
        if let Some(weights) = weights {
            same_length(("scores", scores.len()), ("weights", weights.len()))?;
            amounts("weights", weights)?;
        }
        // Scores between two thresholds, by label; then the sums from each threshold upwards.
        let mut sums = [vec![0.0; thresholds], vec![0.0; thresholds]];
        for (index, (score, &label)) in scores.iter().zip(labels).enumerate() {
            let weight = weights.and_then(|weights| weights.get(index));
            let bucket = score.bucket(thresholds - 1);
            let bucket = bucket.and_then(|bucket| sums[usize::from(label)].get_mut(bucket));
            *bucket.ok_or(PrCurveError::Score {
                index,
                score: score.widen(),
            })? += weight.copied().unwrap_or(1.0);
        }
        for sums in &mut sums {
            let mut above = 0.0;
            for sum in sums.iter_mut().rev() {
                above += *sum;
                *sum = above;
            }
        }
        let below = |sums: &[f64]| sums.iter().map(|sum| sums[0] - sum).collect();
        let [negatives, positives] = sums;
        Self::from_counts(&PrCounts {
            true_negatives: below(&negatives),
            false_negatives: below(&positives),
            true_positives: positives,
            false_positives: negatives,
        })
    }
}

const ROWS: usize = 6;
/// What TensorBoard's writer divides by at least.
const MINIMUM_COUNT: f64 = 1e-7;

impl From<PrCurve> for Value {
    fn from(PrCurve { rows, description }: PrCurve) -> Self {
        let content = PrCurvePluginData {
            version: 0,
            num_thresholds: rows[0].len() as u32,
        };
        let shape = [ROWS, rows[0].len()];
        // The rows are of one length.
        let tensor = Tensor::new("pr_curves", &shape, &rows.concat()).unwrap_or_default();
        tensor
            .content(content.encode_to_vec())
            .description(description)
            .into()
    }
}

impl TryFrom<&Value> for PrCurve {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let read = || {
            let tensor = value
                .tensor()
                .filter(|tensor| tensor.plugin() == "pr_curves")?;
            let [ROWS, thresholds] = tensor.shape().ok()?[..] else {
                return None;
            };
            let numbers = tensor.as_f64s().ok()?;
            if thresholds == 0 {
                return None;
            }
            let row = |row: &[f64]| row.iter().map(|&number| number as f32).collect();
            let rows: Vec<_> = numbers.chunks_exact(thresholds).map(row).collect();
            Some(Self {
                rows: rows.try_into().ok()?,
                description: tensor.metadata.summary_description.clone(),
            })
        };
        read().ok_or_else(|| WrongKind::new("a precision-recall curve", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f32; 6] = [0.1, 0.4, 0.35, 0.8, 1.0, 0.0];
    const LABELS: [bool; 6] = [false, false, true, true, true, false];

    // Expected numbers of this module: `tensorboard.plugins.pr_curve.summary.pb` of TensorBoard 2.21
    // with numpy 2.4, rounded to f32 as it writes them.

    #[test]
    fn the_numbers_are_those_of_tensorboards_own_writer() {
        let curve = PrCurve::with_thresholds(&SCORES, &LABELS, 5).unwrap();
        let expected = [
            [3.0, 3.0, 2.0, 2.0, 1.0],
            [3.0, 1.0, 0.0, 0.0, 0.0],
            [0.0, 2.0, 3.0, 3.0, 3.0],
            [0.0, 0.0, 1.0, 1.0, 2.0],
            [0.5, 0.75, 1.0, 1.0, 1.0],
            [1.0, 1.0, 0.666_666_7, 0.666_666_7, 0.333_333_34],
        ];
        assert_eq!(curve.rows.each_ref().map(|row| &row[..]), expected);
    }

    #[test]
    fn weights_count_as_those_of_tensorboards_own_writer() {
        let weights = [0.5, 2.0, 1.0, 0.0, 1.5, 3.0];
        let curve = PrCurve::weighted(&SCORES, &LABELS, &weights, 3).unwrap();
        let expected = [
            [2.5, 1.5, 1.5],
            [5.5, 0.0, 0.0],
            [0.0, 5.5, 5.5],
            [0.0, 1.0, 1.0],
            [0.3125, 1.0, 1.0],
            [1.0, 0.6, 0.6],
        ];
        assert_eq!(curve.rows.each_ref().map(|row| &row[..]), expected);
    }

    #[test]
    fn a_thousand_scores_agree_with_tensorboards_own_writer() {
        let mut state = 12345_u64;
        let mut draw = || {
            state = (state * 1_103_515_245 + 12345) & 0x7fff_ffff;
            state
        };
        let scores: Vec<f32> = (0..1000)
            .map(|_| (draw() >> 8) as f32 / 8_388_608.0)
            .collect();
        let labels: Vec<bool> = (0..1000).map(|_| draw() >> 16 & 1 == 1).collect();
        let curve = PrCurve::of(&scores, &labels).unwrap();
        let at = |index: usize| curve.rows.each_ref().map(|row| row[index]);
        assert_eq!(at(0), [486.0, 514.0, 0.0, 0.0, 0.486, 1.0]);
        assert_eq!(
            at(77),
            [300.0, 312.0, 202.0, 186.0, 0.490_196_08, 0.617_283_94]
        );
        assert_eq!(at(200), [0.0, 0.0, 514.0, 486.0, 0.0, 0.0]);
        let sum: f64 = curve
            .rows
            .iter()
            .flatten()
            .map(|&number| f64::from(number))
            .sum();
        assert!((sum - 201_199.774_964_339_1).abs() < 1e-6, "{sum}");
        // A score is compared at its own precision: at 201 thresholds 0.145 reaches number 29 as an
        // f32, and 28 as an f64.
        let reached = |curve: PrCurve| curve.rows[0].iter().filter(|&&count| count > 0.0).count();
        assert_eq!(reached(PrCurve::of(&[0.145_f32], &[true]).unwrap()), 30);
        assert_eq!(reached(PrCurve::of(&[0.145_f64], &[true]).unwrap()), 29);
    }

    #[test]
    fn what_is_no_curve_is_said() {
        let said = |result: Result<PrCurve, PrCurveError>| result.unwrap_err().to_string();
        for score in [f32::NAN, -0.1, 1.000_001, f32::INFINITY] {
            let error = PrCurve::of(&[0.5, score], &[true, false]).unwrap_err();
            assert!(
                matches!(error, PrCurveError::Score { index: 1, .. }),
                "{error}"
            );
        }
        assert_eq!(
            said(PrCurve::of(&[0.5], &[])),
            "scores has 1 values, labels has 0"
        );
        assert_eq!(PrCurve::of::<f64>(&[], &[]), Err(PrCurveError::Empty));
        for thresholds in [0, 1, usize::MAX] {
            let error = PrCurve::with_thresholds(&[0.5], &[true], thresholds);
            assert_eq!(error, Err(PrCurveError::Thresholds { thresholds }));
        }
        let error = said(PrCurve::weighted(&[0.5], &[true], &[-1.0], 3));
        assert_eq!(error, "weights 0 is -1, not a finite number of at least 0");
        let counts = PrCounts {
            true_positives: vec![1.0; 3],
            ..PrCounts::default()
        };
        assert_eq!(
            said(PrCurve::from_counts(&counts)),
            "true positives has 3 values, false positives has 0"
        );
    }

    #[test]
    fn the_wire_form_comes_back() {
        let curve = PrCurve::of(&SCORES, &LABELS).unwrap().description("d");
        let value = Value::from(curve.clone());
        assert_eq!(PrCurve::try_from(&value), Ok(curve));
        assert!(PrCurve::try_from(&Value::Scalar(1.0)).is_err());
        let flat = Tensor::new("pr_curves", &[6, 0], &[] as &[f32]).unwrap();
        assert!(PrCurve::try_from(&Value::from(flat)).is_err());
    }
}
