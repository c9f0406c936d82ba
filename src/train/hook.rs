//! Hooks: what observes and steers a training loop, whatever framework runs it.
//!
//! A hook says what it needs before each step, so that nothing is copied from a device that nobody
//! reads; numbers stay `f64`, tensors are visited by name.

use std::collections::BTreeMap;
use std::time::Duration;

/// Why a hook failed.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// What becomes of the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Control {
    /// It goes on.
    Continue,
    /// It stops at the end of this epoch or batch, for this reason.
    Stop(String),
}

/// What a hook wants to see of a step.
///
/// ```
/// use modelpulse::train::Needs;
/// assert!((Needs::LOSS | Needs::NOTHING).has(Needs::LOSS));
/// assert!(!Needs::NOTHING.has(Needs::LOSS));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs(u8);

impl Needs {
    /// Only to be called.
    pub const NOTHING: Self = Self(0);
    /// The loss of the batch; on a GPU this waits for the device.
    pub const LOSS: Self = Self(1);

    /// Whether all of `other` is wanted.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Needs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// What the model learns from.
    Train,
    /// What it is judged by.
    Eval,
}

impl Split {
    /// The name of the split's run.
    pub fn run(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
        }
    }
}

/// Takes the name, the shape and the values, row by row, of a tensor.
pub type TensorVisitor<'a> = dyn FnMut(&str, &[usize], &[f32]) + 'a;

/// Named tensors of a model, of whatever framework.
pub trait Tensors {
    /// Calls `visit` with each tensor, ordered by name.
    ///
    /// # Errors
    /// Whatever the framework fails with while it copies the values.
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError>;
}

/// No tensors: for a loop that has none to show.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTensors;

impl Tensors for NoTensors {
    fn visit(&self, _: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        Ok(())
    }
}

/// What a classifier said of each item of a split, and what was right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predictions {
    classes: usize,
    labels: Vec<usize>,
    scores: Vec<f32>,
    indices: Vec<usize>,
}

impl Predictions {
    /// `labels` holds the right class of each item, `scores` one row of `classes` probabilities for
    /// each, `indices` which item of the split it is. `None` unless the lengths fit together.
    pub fn new(
        classes: usize,
        labels: Vec<usize>,
        scores: Vec<f32>,
        indices: Vec<usize>,
    ) -> Option<Self> {
        let fits = classes > 0
            && scores.len() == labels.len().checked_mul(classes)?
            && indices.len() == labels.len();
        fits.then_some(Self {
            classes,
            labels,
            scores,
            indices,
        })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Index in the split, right class and probabilities of each item.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        let rows = self.scores.chunks_exact(self.classes);
        self.indices
            .iter()
            .zip(&self.labels)
            .zip(rows)
            .map(|((&index, &label), scores)| (index, label, scores))
    }
}

/// The class with the highest score; the first of several; NaN never wins, except where all are NaN.
pub(crate) fn argmax(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] || (scores[best].is_nan() && !score.is_nan()) {
            best = class;
        }
    }
    best
}

/// The fit begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct FitStart {
    /// How many epochs are planned.
    pub epochs: usize,
    /// Training batches an epoch.
    pub batches: usize,
}

/// An epoch begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct EpochStart {
    /// Counted from 0.
    pub epoch: usize,
}

/// A training batch went through the model and the optimizer.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchEnd {
    /// Counted from 0.
    pub epoch: usize,
    /// Counted from 0 over all epochs.
    pub step: usize,
    /// How many items it had.
    pub items: usize,
    /// The mean loss, if a hook [needs](Hook::needs) it.
    pub loss: Option<f64>,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
}

/// What a split came to in an epoch.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Metrics by name: `loss`, `accuracy` …
    pub metrics: BTreeMap<String, f64>,
    /// What the classifier said of each item.
    pub predictions: Predictions,
    /// How long it took.
    pub time: Duration,
}

/// An epoch ended, evaluation included.
#[non_exhaustive]
pub struct EpochEnd<'a> {
    /// Counted from 0.
    pub epoch: usize,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    /// The training split; its predictions were made while the model learned.
    pub train: &'a Outcome,
    /// The held-out split.
    pub eval: &'a Outcome,
    /// The model's parameters as they are now.
    pub parameters: &'a dyn Tensors,
    /// The gradients of the epoch's last batch.
    pub gradients: &'a dyn Tensors,
}

impl EpochEnd<'_> {
    /// A split's outcome.
    pub fn outcome(&self, split: Split) -> &Outcome {
        match split {
            Split::Train => self.train,
            Split::Eval => self.eval,
        }
    }
}

impl std::fmt::Debug for EpochEnd<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EpochEnd")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// The fit ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct FitEnd<'a> {
    /// How many epochs ended.
    pub epochs: usize,
    /// Why it stopped before its last epoch, if it did.
    pub stopped: Option<&'a str>,
}

/// Observes and steers a training loop. Every method does nothing by default.
///
/// ```
/// use modelpulse::train::{Control, EpochEnd, Hook, HookError};
/// struct StopAt(f64);
/// impl Hook for StopAt {
///     fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
///         let accuracy = end.eval.metrics.get("accuracy").copied().unwrap_or(0.0);
///         Ok(if accuracy > self.0 { Control::Stop("good enough".into()) } else { Control::Continue })
///     }
/// }
/// ```
pub trait Hook: Send {
    /// What this hook wants to see of the global step `step`.
    fn needs(&self, step: usize) -> Needs {
        let _ = step;
        Needs::NOTHING
    }

    /// The fit begins.
    ///
    /// # Errors
    /// Whatever the hook fails with.
    fn fit_start(&mut self, start: &FitStart) -> Result<Control, HookError> {
        let _ = start;
        Ok(Control::Continue)
    }

    /// An epoch begins.
    ///
    /// # Errors
    /// Whatever the hook fails with.
    fn epoch_start(&mut self, start: &EpochStart) -> Result<Control, HookError> {
        let _ = start;
        Ok(Control::Continue)
    }

    /// A training batch ended.
    ///
    /// # Errors
    /// Whatever the hook fails with.
    fn batch_end(&mut self, end: &BatchEnd) -> Result<Control, HookError> {
        let _ = end;
        Ok(Control::Continue)
    }

    /// An epoch ended, evaluation included.
    ///
    /// # Errors
    /// Whatever the hook fails with.
    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        let _ = end;
        Ok(Control::Continue)
    }

    /// The fit ended.
    ///
    /// # Errors
    /// Whatever the hook fails with.
    fn fit_end(&mut self, end: &FitEnd<'_>) -> Result<(), HookError> {
        let _ = end;
        Ok(())
    }
}
