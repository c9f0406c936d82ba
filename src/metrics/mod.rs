//! Model-quality metrics as streaming accumulators: plain numbers in, plain numbers out.
//!
//! Every accumulator keeps the counts (or scores) that its answer needs, never a running average, so merging two
//! of them gives the answer of the joined data, and the order of updates never changes a result.
//!
//! An accumulator has three steps: `update` takes one sample, `merge` takes another accumulator of the same shape,
//! and asking (`accuracy`, `compute`, ...) computes from what was taken so far. Asking never changes the state.
//!
//! Two kinds of "no answer" are kept apart. Bad input (a label out of range, a NaN score) is a [`MetricError`] and
//! leaves the accumulator as it was. A metric that is mathematically undefined on good input (0/0) is [`None`]:
//! it is never replaced by a number behind the caller's back, save in the macro averages, which follow scikit-learn
//! and say so.

mod auc;
mod confusion;
mod one_vs_rest;

pub use auc::RocAuc;
pub use confusion::ConfusionMatrix;
pub use one_vs_rest::OneVsRestAuc;

/// Why an accumulator refused its input; the accumulator is unchanged.
///
/// ```
/// use modelpulse::metrics::{ConfusionMatrix, MetricError};
///
/// let mut matrix = ConfusionMatrix::new(10);
/// let error = matrix.update(10, 3).unwrap_err();
/// assert!(matches!(error, MetricError::LabelOutOfRange { label: 10, classes: 10 }));
/// assert_eq!(error.to_string(), "label 10 is out of range: there are 10 classes, counted from 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The true label is not one of the classes: the data and the model disagree on the number of classes.
    #[error("label {label} is out of range: there are {classes} classes, counted from 0")]
    LabelOutOfRange {
        /// The label that was given.
        label: usize,
        /// The number of classes of the accumulator.
        classes: usize,
    },
    /// The predicted class is not one of the classes.
    #[error("prediction {prediction} is out of range: there are {classes} classes, counted from 0")]
    PredictionOutOfRange {
        /// The prediction that was given.
        prediction: usize,
        /// The number of classes of the accumulator.
        classes: usize,
    },
    /// Two accumulators of different shape cannot be merged.
    #[error(
        "cannot merge an accumulator of {theirs} classes into one of {ours}: make both with the same number"
    )]
    ClassesDiffer {
        /// The number of classes of the accumulator that was to take the other.
        ours: usize,
        /// The number of classes of the other.
        theirs: usize,
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
    /// A sample brought more or fewer scores than there are classes.
    #[error("sample {sample} has {got} scores, expected {expected}: one a class")]
    ScoreCount {
        /// The sample, counted from 0 over what this accumulator has taken.
        sample: usize,
        /// The number of classes of the accumulator.
        expected: usize,
        /// The number of scores given.
        got: usize,
    },
    /// A score is NaN, so it has no rank: the model's output is broken, not merely wrong.
    #[error(
        "the score of class {class} of sample {sample} is NaN and has no rank: check the model's output"
    )]
    NanScore {
        /// The sample, counted from 0 over what this accumulator has taken.
        sample: usize,
        /// The class whose score it is; 1 (the positive class) for a binary metric.
        class: usize,
    },
    /// The number of samples would pass the 2⁶⁴ - 1 that a count can hold.
    #[error("the number of samples would pass 2^64 - 1: start a new accumulator")]
    TooManySamples,
}
