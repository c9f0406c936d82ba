//! Why there is no number: bad input, or a metric that good input does not define.

/// Why an accumulator refused a batch; it is as it was before.
///
/// Samples are counted from 0 over all that the accumulator has taken.
///
/// ```
/// use modelpulse::metrics::{ConfusionMatrix, MetricError};
///
/// let mut matrix = ConfusionMatrix::new(10);
/// let error = matrix.add(10, 3).unwrap_err();
/// assert!(matches!(error, MetricError::LabelOutOfRange { sample: 0, label: 10, classes: 10 }));
/// assert_eq!(
///     error.to_string(),
///     "sample 0 has label 10, which is out of range: there are 10 classes, counted from 0"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The columns of a batch are not equally long.
    #[error("the batch has {expected} labels but {got} {column}: give one a label")]
    Lengths {
        /// What there is more or less of.
        column: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The true label is not one of the classes: the data and the model disagree on the number of classes.
    #[error(
        "sample {sample} has label {label}, which is out of range: there are {classes} classes, counted from 0"
    )]
    LabelOutOfRange {
        /// The sample.
        sample: u64,
        /// The label that was given.
        label: usize,
        /// The number of classes of the accumulator.
        classes: usize,
    },
    /// The predicted class is not one of the classes.
    #[error(
        "sample {sample} has prediction {prediction}, which is out of range: there are {classes} classes, counted from 0"
    )]
    PredictionOutOfRange {
        /// The sample.
        sample: u64,
        /// The prediction that was given.
        prediction: usize,
        /// The number of classes of the accumulator.
        classes: usize,
    },
    /// Two accumulators that were made differently cannot be merged.
    #[error("cannot merge accumulators of different {what}: make both with the same")]
    SettingsDiffer {
        /// In what they differ.
        what: &'static str,
    },
    /// A table of counts is not square.
    #[error("row {row} of the confusion matrix has {got} counts, expected {expected}: one a class")]
    RowLength {
        /// The row, counted from 0.
        row: usize,
        /// The counts that it should have: the number of rows.
        expected: usize,
        /// The counts that it has.
        got: usize,
    },
    /// A score is NaN, so it has no rank: the model's output is broken, not merely wrong.
    #[error(
        "the score of class {class} of sample {sample} is NaN and has no rank: check the model's output"
    )]
    NanScore {
        /// The sample.
        sample: u64,
        /// The class whose score it is; 1 (the positive class) for a binary metric.
        class: usize,
    },
    /// A score is not in 0..=1, which an accumulator of bounded memory needs.
    #[error(
        "a score of sample {sample} is not in 0..=1, as bounded memory needs: give probabilities"
    )]
    ScoreOutsideUnit {
        /// The sample.
        sample: u64,
    },
    /// A truth or a prediction of a regression is NaN or infinite.
    #[error("the {column} of sample {sample} is not finite: check the data and the model's output")]
    NotFinite {
        /// The sample.
        sample: u64,
        /// Which of the two.
        column: &'static str,
    },
    /// A weight is negative, NaN or infinite.
    #[error("the weight of sample {sample} is not a finite number of at least 0")]
    Weight {
        /// The sample.
        sample: u64,
    },
    /// The number of samples would pass the 2⁶⁴ - 1 that a count can hold.
    #[error("the number of samples would pass 2^64 - 1: start a new accumulator")]
    TooManySamples,
}

/// Why good input does not define a metric.
///
/// What stands in scikit-learn for it (0 with a warning, NaN, an exception) differs by metric; here it is always
/// this, and `unwrap_or(0.0)` is the caller's own decision.
///
/// ```
/// use modelpulse::metrics::{ConfusionMatrix, Undefined};
///
/// let matrix = ConfusionMatrix::from_rows(&[[3, 0], [2, 0]])?;
/// assert_eq!(matrix.precision(1), Err(Undefined::NeverPredicted));
/// assert_eq!(Undefined::NeverPredicted.to_string(), "the class was never predicted");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// No sample was taken, or only such of weight 0.
    #[error("no samples")]
    NoSamples,
    /// No sample is of the class.
    #[error("no sample is of the class")]
    NoPositives,
    /// All samples are of the class.
    #[error("every sample is of the class")]
    NoNegatives,
    /// All samples are of one class.
    #[error("every sample is of one class")]
    OneClass,
    /// The class was never predicted.
    #[error("the class was never predicted")]
    NeverPredicted,
    /// The class occurs neither as a label nor as a prediction.
    #[error("the class occurs neither as a label nor as a prediction")]
    NeverSeen,
    /// Labels or predictions, or both, are all of one class.
    #[error("labels or predictions are all of one class")]
    Constant,
    /// Some scores are not probabilities: outside 0..=1, or far from a sum of 1 over the classes.
    #[error("scores are not probabilities")]
    NotProbabilities,
    /// All true values are equal.
    #[error("all true values are equal")]
    ConstantTruth,
    /// Fewer than two samples.
    #[error("fewer than two samples")]
    TooFewSamples,
    /// A truth or a prediction is outside of what the formula takes.
    #[error("a value is outside the domain of the formula")]
    OutOfDomain,
    /// A sum is beyond the range of `f64`.
    #[error("values too large for an f64")]
    Overflow,
    /// What the metric needs is not kept in bounded memory.
    #[error("not kept in bounded memory")]
    NotKept,
}

/// A metric, or why there is none.
pub type Answer = Result<f64, Undefined>;
