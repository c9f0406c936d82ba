//! What accumulators take: columns of equally many samples, borrowed.
//!
//! A batch is only a view; what is in it is checked by the accumulator that takes it, as a whole and before anything
//! of it is counted.

use super::MetricError;

/// Columns of samples that can be cut, weighed and drawn from.
///
/// ```
/// use modelpulse::metrics::{Batch, LabelBatch};
///
/// let batch = LabelBatch::new(&[0, 1, 1], &[0, 1, 0]);
/// assert_eq!(batch.len(), 3);
/// assert_eq!(batch.slice(1, 3).labels, &[1, 1]);
/// ```
pub trait Batch<'a>: Copy + Send + Sync {
    /// The columns of a batch, owned.
    type Owned;

    /// The number of samples: of labels, whatever the other columns have.
    fn len(&self) -> usize;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The weights, if samples do not all weigh 1.
    fn weights(&self) -> Option<&'a [f64]>;

    /// The same samples with these weights, each finite and at least 0.
    #[must_use]
    fn weighted(self, weights: &'a [f64]) -> Self;

    /// The samples from `start` up to `end`; columns that are too short give what they have.
    #[must_use]
    fn slice(&self, start: usize, end: usize) -> Self;

    /// Copies of the samples with these numbers, in this order; a number may repeat.
    ///
    /// # Panics
    ///
    /// If there is no such sample.
    fn draw(&self, samples: &[usize]) -> Self::Owned;

    /// A view of owned columns.
    fn of(owned: &'a Self::Owned) -> Self;
}

/// A batch, its columns, and what is common to all kinds of them.
macro_rules! batch {
    (
        $(#[$doc:meta])*
        $name:ident, $owned:ident:
        $($(#[$of:meta])* $column:ident: [$kind:ty],)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name<'a> {
            $($(#[$of])* pub $column: &'a [$kind],)+
            /// One weight a sample; `None` where each weighs 1.
            pub weights: Option<&'a [f64]>,
        }

        #[doc = concat!("The columns of a [`", stringify!($name), "`], owned.")]
        #[derive(Debug, Clone, Default)]
        pub struct $owned {
            $($column: Vec<$kind>,)+
            weights: Option<Vec<f64>>,
        }

        impl<'a> $name<'a> {
            /// Samples that each weigh 1.
            #[must_use]
            pub fn new($($column: &'a [$kind]),+) -> Self {
                Self { $($column,)+ weights: None }
            }
        }

        impl<'a> Batch<'a> for $name<'a> {
            type Owned = $owned;

            fn len(&self) -> usize {
                self.rows()
            }

            fn weights(&self) -> Option<&'a [f64]> {
                self.weights
            }

            fn weighted(self, weights: &'a [f64]) -> Self {
                Self { weights: Some(weights), ..self }
            }

            fn slice(&self, start: usize, end: usize) -> Self {
                let rows = self.rows();
                Self {
                    $($column: cut(self.$column, rows, start, end),)+
                    weights: self.weights.map(|weights| cut(weights, rows, start, end)),
                }
            }

            fn draw(&self, samples: &[usize]) -> $owned {
                let rows = self.rows();
                $owned {
                    $($column: draw(self.$column, rows, samples),)+
                    weights: self.weights.map(|weights| draw(weights, rows, samples)),
                }
            }

            fn of(owned: &'a $owned) -> Self {
                Self {
                    $($column: &owned.$column,)+
                    weights: owned.weights.as_deref(),
                }
            }
        }
    };
}

batch! {
    /// True labels and predicted classes, each counted from 0.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, ConfusionMatrix, LabelBatch};
    /// let mut matrix = ConfusionMatrix::new(2);
    /// matrix.update(LabelBatch::new(&[0, 1, 1], &[0, 1, 0]))?;
    /// assert_eq!(matrix.recall(1), Ok(0.5));
    /// # Ok::<(), modelpulse::metrics::MetricError>(())
    /// ```
    LabelBatch, OwnedLabels:
    /// The true classes.
    labels: [usize],
    /// The predicted classes.
    predictions: [usize],
}

batch! {
    /// Whether samples are positive, and how positive a model says that they are.
    ///
    /// ```
    /// use modelpulse::metrics::{Batch, BinaryBatch};
    /// let batch = BinaryBatch::new(&[false, true], &[0.2, 0.7]).weighted(&[1.0, 2.5]);
    /// assert_eq!(batch.weights(), Some(&[1.0, 2.5][..]));
    /// ```
    BinaryBatch, OwnedBinary:
    /// Whether each sample is positive.
    labels: [bool],
    /// The score of the positive class; mostly its probability.
    scores: [f64],
}

batch! {
    /// True labels, and one score for each class.
    ///
    /// ```
    /// use modelpulse::metrics::{Batch, MulticlassBatch};
    /// let batch = MulticlassBatch::new(&[2, 0], &[0.1, 0.2, 0.7, 0.5, 0.3, 0.2]);
    /// assert_eq!(batch.slice(1, 2).scores, &[0.5, 0.3, 0.2]);
    /// ```
    MulticlassBatch, OwnedMulticlass:
    /// The true classes, counted from 0.
    labels: [usize],
    /// Samples × classes, one row a sample; mostly probabilities.
    scores: [f64],
}

batch! {
    /// True values and predicted ones.
    ///
    /// ```
    /// use modelpulse::metrics::{Batch, RegressionBatch};
    /// assert_eq!(RegressionBatch::new(&[1.0, 2.0], &[1.5, 2.0]).len(), 2);
    /// ```
    RegressionBatch, OwnedRegression:
    /// The true values.
    truths: [f64],
    /// The predicted values.
    predictions: [f64],
}

/// Which of some labels samples have, any number of them at once, and how sure a model is of each.
///
/// ```
/// use modelpulse::metrics::{Batch, MultilabelBatch};
/// let batch = MultilabelBatch::new(2, &[true, false, true, true], &[0.9, 0.4, 0.6, 0.8]);
/// assert_eq!(batch.len(), 2);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MultilabelBatch<'a> {
    /// The number of labels.
    pub width: usize,
    /// Samples × labels, one row a sample: whether the sample has the label.
    pub labels: &'a [bool],
    /// Samples × labels, one row a sample; mostly probabilities.
    pub scores: &'a [f64],
    /// One weight a sample; `None` where each weighs 1.
    pub weights: Option<&'a [f64]>,
}

/// The columns of a [`MultilabelBatch`], owned.
#[derive(Debug, Clone, Default)]
pub struct OwnedMultilabel {
    width: usize,
    labels: Vec<bool>,
    scores: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl<'a> MultilabelBatch<'a> {
    /// Samples that each weigh 1, over `width` labels.
    #[must_use]
    pub fn new(width: usize, labels: &'a [bool], scores: &'a [f64]) -> Self {
        Self {
            width,
            labels,
            scores,
            weights: None,
        }
    }
}

impl<'a> Batch<'a> for MultilabelBatch<'a> {
    type Owned = OwnedMultilabel;

    fn len(&self) -> usize {
        self.labels.len().div_ceil(self.width.max(1))
    }

    fn weights(&self) -> Option<&'a [f64]> {
        self.weights
    }

    fn weighted(self, weights: &'a [f64]) -> Self {
        Self {
            weights: Some(weights),
            ..self
        }
    }

    fn slice(&self, start: usize, end: usize) -> Self {
        let rows = self.len();
        Self {
            width: self.width,
            labels: cut(self.labels, rows, start, end),
            scores: cut(self.scores, rows, start, end),
            weights: self.weights.map(|weights| cut(weights, rows, start, end)),
        }
    }

    fn draw(&self, samples: &[usize]) -> OwnedMultilabel {
        let rows = self.len();
        OwnedMultilabel {
            width: self.width,
            labels: draw(self.labels, rows, samples),
            scores: draw(self.scores, rows, samples),
            weights: self.weights.map(|weights| draw(weights, rows, samples)),
        }
    }

    fn of(owned: &'a OwnedMultilabel) -> Self {
        Self {
            width: owned.width,
            labels: &owned.labels,
            scores: &owned.scores,
            weights: owned.weights.as_deref(),
        }
    }
}

impl LabelBatch<'_> {
    fn rows(&self) -> usize {
        self.labels.len()
    }
}

impl BinaryBatch<'_> {
    fn rows(&self) -> usize {
        self.labels.len()
    }
}

impl MulticlassBatch<'_> {
    fn rows(&self) -> usize {
        self.labels.len()
    }
}

impl RegressionBatch<'_> {
    fn rows(&self) -> usize {
        self.truths.len()
    }
}

/// Samples `start..end` of a column of `rows` samples, each of equally many cells.
fn cut<T>(column: &[T], rows: usize, start: usize, end: usize) -> &[T] {
    let width = column.len() / rows.max(1);
    let (start, end) = (start * width, (end * width).min(column.len()));
    column.get(start..end).unwrap_or(&[])
}

fn draw<T: Copy>(column: &[T], rows: usize, samples: &[usize]) -> Vec<T> {
    let width = column.len() / rows.max(1);
    if width == 1 {
        return samples.iter().map(|&sample| column[sample]).collect();
    }
    let mut drawn = Vec::with_capacity(samples.len() * width);
    for &sample in samples {
        drawn.extend_from_slice(&column[sample * width..(sample + 1) * width]);
    }
    drawn
}

/// That a column has as many cells as it should.
pub(super) fn check_length(
    column: &'static str,
    expected: usize,
    got: usize,
) -> Result<(), MetricError> {
    if expected == got {
        return Ok(());
    }
    Err(MetricError::Lengths {
        column,
        expected,
        got,
    })
}

/// That there is one weight a sample, finite and at least 0; `taken` samples came before.
pub(super) fn check_weights(
    weights: Option<&[f64]>,
    samples: usize,
    taken: u64,
) -> Result<(), MetricError> {
    let Some(weights) = weights else {
        return Ok(());
    };
    check_length("weights", samples, weights.len())?;
    match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        Some(at) => Err(MetricError::Weight {
            sample: taken + at as u64,
        }),
        None => Ok(()),
    }
}

/// That no score is NaN; `width` of them are a sample's.
pub(super) fn check_scores(
    scores: &[f64],
    width: usize,
    first_class: usize,
    taken: u64,
) -> Result<(), MetricError> {
    match scores.iter().position(|score| score.is_nan()) {
        Some(at) => Err(MetricError::NanScore {
            sample: taken + (at / width) as u64,
            class: first_class + at % width,
        }),
        None => Ok(()),
    }
}
