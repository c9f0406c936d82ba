//! Model-quality metrics as streaming accumulators: plain numbers in, plain numbers out.
//!
//! Every accumulator keeps the counts, exact sums or scores that its answers need, never a running average. So merging
//! two of them gives the answers of the joined data, and neither the order of batches nor their sharding changes a bit of
//! any answer.
//!
//! An accumulator has three steps, which are the trait [`Accumulator`]: `update` takes a batch, `merge` takes another
//! accumulator that was made alike, and `compute` answers from what was taken so far and changes nothing.
//!
//! | of | batch | all metrics | parts |
//! |---|---|---|---|
//! | two classes | [`BinaryBatch`] | [`BinaryMetrics`] | [`Ranking`], [`BoundedRanking`], [`Calibration`] |
//! | many classes | [`MulticlassBatch`] | [`MulticlassMetrics`] | [`ConfusionMatrix`] of a [`LabelBatch`] |
//! | labels that exclude no other | [`MultilabelBatch`] | [`MultilabelMetrics`] | |
//! | numbers | [`RegressionBatch`] | [`RegressionMetrics`] | |
//!
//! Two kinds of "no answer" are kept apart. Bad input (a label out of range, a NaN score) is a [`MetricError`]: the batch
//! is refused as a whole and leaves the accumulator as it was. A metric that good input does not define is an
//! [`Undefined`] that says why: it is never replaced by a number behind the caller's back, save in the macro and weighted
//! averages, which follow scikit-learn and say so.

mod agreement;
mod areas;
mod batch;
mod binary;
mod bootstrap;
mod bounded;
mod calibration;
mod class_scores;
#[cfg(feature = "stats")]
mod compare;
mod confusion;
mod correlation;
mod error;
mod exact;
mod median;
mod moments;
mod multiclass;
mod multilabel;
pub(crate) mod radix;
pub(crate) mod random;
mod ranking;
mod ranks;
mod regression;
mod report;
mod rows;
#[cfg(feature = "stats")]
pub(crate) mod significance;
#[cfg(feature = "drift")]
pub(crate) mod spread;
mod steps;
mod window;

pub use agreement::KappaWeights;
pub(crate) use areas::macro_roc_auc;
pub use batch::{
    Batch, BinaryBatch, LabelBatch, MulticlassBatch, MultilabelBatch, OwnedBinary, OwnedLabels,
    OwnedMulticlass, OwnedMultilabel, OwnedRegression, RegressionBatch,
};
pub use binary::{BinaryMetrics, BinaryReport};
pub use bootstrap::{Bootstrap, Interval, PairedDifference};
pub use bounded::BoundedRanking;
pub use calibration::{Bin, Calibration, Edges, Reliability};
pub use class_scores::{Average, ClassScore, ClassScores, Normalise};
#[cfg(feature = "stats")]
pub use compare::{DeLong, McNemar, wilson_interval};
pub use confusion::ConfusionMatrix;
pub use error::{Answer, MetricError, Undefined};
pub use exact::ExactSum;
pub use multiclass::{MulticlassMetrics, MulticlassReport, MulticlassScores};
pub use multilabel::{MultilabelMetrics, MultilabelReport};
pub use ranking::Ranking;
pub use ranks::Memory;
pub use regression::{RegressionMetrics, RegressionReport};
pub use steps::{Point, Step, Steps};
pub use window::{Decayed, Sliding, Tumbling};

/// What takes batches and answers from all of them.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, BinaryMetrics};
///
/// let mut metrics = BinaryMetrics::new();
/// metrics.update(BinaryBatch::new(&[false, true], &[0.2, 0.9]))?;
/// let mut other = metrics.fresh();
/// other.update(BinaryBatch::new(&[true], &[0.4]))?;
/// metrics.merge(&other)?;
/// assert_eq!(metrics.samples(), 3);
/// assert_eq!(metrics.compute().accuracy, Ok(2.0 / 3.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
pub trait Accumulator: Clone + Send + Sync {
    /// The columns of a batch, owned.
    type Owned;
    /// What it takes.
    type Batch<'a>: Batch<'a, Owned = Self::Owned>;
    /// What it answers.
    type Answer;

    /// Whether a batch could be taken; [`update`](Self::update) asks this first.
    ///
    /// # Errors
    ///
    /// The [`MetricError`] with which it would be refused.
    fn check(&self, batch: Self::Batch<'_>) -> Result<(), MetricError>;

    /// Takes a batch, or refuses it as a whole.
    ///
    /// # Errors
    ///
    /// A [`MetricError`]; nothing was taken then.
    fn update(&mut self, batch: Self::Batch<'_>) -> Result<(), MetricError>;

    /// Takes all that another accumulator has taken.
    ///
    /// # Errors
    ///
    /// [`MetricError::SettingsDiffer`] if the other was made differently, [`MetricError::TooManySamples`] if a count
    /// would overflow; nothing was taken then.
    fn merge(&mut self, other: &Self) -> Result<(), MetricError>;

    /// Answers from what was taken so far.
    fn compute(&self) -> Self::Answer;

    /// An accumulator with the same settings that has taken nothing.
    #[must_use]
    fn fresh(&self) -> Self;

    /// The number of samples taken, whatever they weigh.
    fn samples(&self) -> u64;
}
