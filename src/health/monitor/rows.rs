//! What goes into a model and what comes out of it, as plain numbers: any model, of any framework or none.
//!
//! The lengths fit together, or there are no rows.

use crate::train::Task;

/// Why a model, or a source of data, failed.
pub type MonitorError = Box<dyn std::error::Error + Send + Sync>;

/// Inputs of a model: rows of the same number of features.
///
/// ```
/// use modelpulse::health::Rows;
/// let rows = Rows::new(&[1.0, 2.0, 3.0, 4.0], 2).unwrap();
/// assert_eq!((rows.len(), rows.width()), (2, 2));
/// assert!(rows.iter().eq([[1.0, 2.0], [3.0, 4.0]]));
/// assert!(Rows::new(&[1.0, 2.0, 3.0], 2).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width` features, one behind the other. `None` unless the last one is whole.
    pub fn new(values: &'a [f32], width: usize) -> Option<Self> {
        (width > 0 && values.len().is_multiple_of(width)).then_some(Self { values, width })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of features of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All features, one row behind the other.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The features of each row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The rows in groups of at most so many.
    pub(super) fn batches(self, rows: usize) -> impl Iterator<Item = Self> {
        let Self { values, width } = self;
        let batches = values.chunks(rows * width);
        batches.map(move |values| Self { values, width })
    }
}

/// Rows and what is right for each: what a model is judged by.
///
/// ```
/// use modelpulse::health::LabelledRows;
/// let xor = LabelledRows::classes(vec![0., 0., 0., 1., 1., 0., 1., 1.], 2, vec![0, 1, 1, 0]).unwrap();
/// assert_eq!(xor.rows().len(), 4);
/// assert!(LabelledRows::numbers(vec![1.0, 2.0], 1, vec![0.5]).is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledRows {
    values: Vec<f32>,
    width: usize,
    pub(super) targets: Targets,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Targets {
    Classes(Vec<usize>),
    Numbers(Vec<f32>),
}

impl LabelledRows {
    /// Rows of `width` features, and the class of each, counted from 0. `None` unless the lengths fit together.
    pub fn classes(values: Vec<f32>, width: usize, labels: Vec<usize>) -> Option<Self> {
        let fits = Rows::new(&values, width)?.len() == labels.len();
        let targets = Targets::Classes(labels);
        fits.then_some(Self {
            values,
            width,
            targets,
        })
    }

    /// Rows of `width` features, and the numbers that are right for them: of each row as many as the task has
    /// outputs; for several labels 0 or 1 each. `None` unless the lengths fit together.
    pub fn numbers(values: Vec<f32>, width: usize, targets: Vec<f32>) -> Option<Self> {
        let rows = Rows::new(&values, width)?.len();
        let fits = match rows {
            0 => targets.is_empty(),
            rows => !targets.is_empty() && targets.len().is_multiple_of(rows),
        };
        let targets = Targets::Numbers(targets);
        fits.then_some(Self {
            values,
            width,
            targets,
        })
    }

    /// The inputs.
    pub fn rows(&self) -> Rows<'_> {
        Rows {
            values: &self.values,
            width: self.width,
        }
    }
}

/// What a model may return: its numbers, or why there are none.
pub trait IntoOutputs {
    /// The numbers, one row behind the other.
    ///
    /// # Errors
    /// What the model failed with.
    fn into_outputs(self) -> Result<Vec<f32>, MonitorError>;
}

impl IntoOutputs for Vec<f32> {
    fn into_outputs(self) -> Result<Vec<f32>, MonitorError> {
        Ok(self)
    }
}

impl<E: Into<MonitorError>> IntoOutputs for Result<Vec<f32>, E> {
    fn into_outputs(self) -> Result<Vec<f32>, MonitorError> {
        self.map_err(Into::into)
    }
}

/// What a model said of rows.
///
/// ```
/// use modelpulse::health::Predictions;
/// let said = Predictions::new(vec![0.2, 0.8, 0.9, 0.1], 2);
/// assert!(said.iter().eq([[0.2, 0.8], [0.9, 0.1]]));
/// assert_eq!(said.class(0), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    outputs: Vec<f32>,
    width: usize,
}

impl Predictions {
    /// Of `width` numbers a row.
    pub fn new(outputs: Vec<f32>, width: usize) -> Self {
        let width = width.max(1);
        Self { outputs, width }
    }

    /// What a model returned for so many rows.
    pub(super) fn of(task: Task, rows: usize, outputs: Vec<f32>) -> Result<Self, MonitorError> {
        let expected = match task {
            // A probability, or one of either class.
            Task::Binary => vec![1, 2],
            // A probability a class, or the class.
            Task::Multiclass { classes } => vec![classes, 1],
            task => vec![task.outputs()],
        };
        let width = expected.iter().copied();
        match width
            .into_iter()
            .find(|width| rows * width == outputs.len())
        {
            Some(width) => Ok(Self::new(outputs, width)),
            None => Err(format!(
                "the model returned {} numbers for {rows} rows, expected {} for each",
                outputs.len(),
                expected
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(" or ")
            )
            .into()),
        }
    }

    /// How many numbers there are for each row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The numbers for each row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.outputs.chunks_exact(self.width)
    }

    /// The class with the highest score of a row, of several scores; of one score, it says whether that is at least
    /// a half. `None` where there is no such row, or a NaN in it.
    pub fn class(&self, row: usize) -> Option<usize> {
        let scores = self.iter().nth(row)?;
        if scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        match scores {
            [score] => Some(usize::from(*score >= 0.5)),
            scores => {
                let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                scores.iter().position(|score| *score == highest)
            }
        }
    }

    /// How many rows have a NaN.
    pub(super) fn nans(&self) -> usize {
        let broken = |row: &&[f32]| row.iter().any(|value| value.is_nan());
        self.iter().filter(broken).count()
    }

    pub(super) fn outputs(&self) -> impl Iterator<Item = f64> {
        self.outputs.iter().copied().map(f64::from)
    }
}
