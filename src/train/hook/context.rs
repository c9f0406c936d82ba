//! What a hook is told at each point of a loop, and what it may ask for there.
//!
//! Epochs, batches, steps and updates are counted from 0. A step is one batch, an update one step of the
//! optimizer: several batches, where gradients are accumulated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::needs::Asks;
use super::{Needs, Split};
use crate::train::{Phases, Predictions, State, Tensors};

/// The fit begins; where it resumes, [`CheckpointLoaded`] follows.
#[derive(Debug)]
#[non_exhaustive]
pub struct FitStart<'a> {
    /// How many epochs are planned.
    pub epochs: usize,
    /// Training batches an epoch.
    pub batches: usize,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    /// The model's parameters as they are before the first step.
    pub parameters: &'a dyn Tensors,
}

/// An epoch begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct EpochStart<'a> {
    /// Which.
    pub epoch: usize,
    /// The global step of its first batch.
    pub step: usize,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    pub(in crate::train) asks: &'a Asks,
}

/// A training batch begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchStart<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Counted within the epoch.
    pub batch: usize,
    /// How many items it has.
    pub items: usize,
    /// Which items of the training split they are; empty where the loop does not say.
    pub indices: &'a [u32],
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    pub(in crate::train) asks: &'a Asks,
}

/// The model was called and the loss taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct AfterLoss<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Counted within the epoch.
    pub batch: usize,
    /// How many items the batch has.
    pub items: usize,
    /// The mean loss, if a hook needs [`Needs::LOSS`].
    pub loss: Option<f64>,
    /// What the layers came to, if a hook needs [`Needs::ACTIVATIONS`]: one row an item.
    pub activations: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
}

/// The gradients are there, as the loss gave them: not clipped yet. Where they are accumulated, they are
/// what the update's batches have come to so far.
#[derive(Debug)]
#[non_exhaustive]
pub struct AfterBackward<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Counted within the epoch.
    pub batch: usize,
    /// The mean loss, if a hook needs [`Needs::LOSS`].
    pub loss: Option<f64>,
    /// The model's parameters, if a hook needs [`Needs::PARAMETERS`].
    pub parameters: &'a dyn Tensors,
    /// The gradients, if a hook needs [`Needs::GRADIENTS`].
    pub gradients: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
}

/// The optimizer is about to move the parameters.
#[derive(Debug)]
#[non_exhaustive]
pub struct BeforeStep<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Steps of the optimizer before this one.
    pub update: usize,
    /// The mean loss of the batch, if a hook needs [`Needs::LOSS`].
    pub loss: Option<f64>,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    /// The model's parameters, if a hook needs [`Needs::PARAMETERS`].
    pub parameters: &'a dyn Tensors,
    /// The gradients as the optimizer will see them, if a hook needs [`Needs::GRADIENTS`].
    pub gradients: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
}

/// The optimizer moved the parameters.
#[derive(Debug)]
#[non_exhaustive]
pub struct AfterStep<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Steps of the optimizer before this one.
    pub update: usize,
    /// The learning rate of this step.
    pub learning_rate: f64,
    /// The model's parameters, if a hook needs [`Needs::PARAMETERS`].
    pub parameters: &'a dyn Tensors,
    /// The gradients that moved them, if a hook needs [`Needs::GRADIENTS`].
    pub gradients: &'a dyn Tensors,
}

/// A training batch ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchEnd<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted over all epochs.
    pub step: usize,
    /// Counted within the epoch.
    pub batch: usize,
    /// How many items it had.
    pub items: usize,
    /// The mean loss, if a hook needs [`Needs::LOSS`].
    pub loss: Option<f64>,
    /// The learning rate of this step.
    pub learning_rate: f64,
    /// Why the optimizer's step was skipped, if it was.
    pub skipped: Option<&'a str>,
    /// How long the phases took, if a hook needs [`Needs::TIME`].
    pub phases: Option<&'a Phases>,
    /// The model's parameters, if a hook needs [`Needs::PARAMETERS`].
    pub parameters: &'a dyn Tensors,
    /// The gradients, if a hook needs [`Needs::GRADIENTS`].
    pub gradients: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
}

/// An evaluation begins.
#[derive(Debug)]
#[non_exhaustive]
pub struct EvalStart<'a> {
    /// After the batches of which epoch; 0 for an evaluation alone.
    pub epoch: usize,
    /// Batches of the held-out split.
    pub batches: usize,
    /// The model's parameters.
    pub parameters: &'a dyn Tensors,
}

/// An evaluation batch went through the model.
#[derive(Debug)]
#[non_exhaustive]
pub struct EvalBatch<'a> {
    /// Of which epoch.
    pub epoch: usize,
    /// Counted within the evaluation.
    pub batch: usize,
    /// The first of its items in the held-out split.
    pub first: usize,
    /// How many items it had.
    pub items: usize,
    /// The mean loss, if a hook needs [`Needs::LOSS`] of the evaluation.
    pub loss: Option<f64>,
    /// What the layers came to, if a hook needs [`Needs::ACTIVATIONS`] of the evaluation: one row an item.
    pub activations: &'a dyn Tensors,
}

/// An evaluation ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct EvalEnd<'a> {
    /// Of which epoch; 0 for an evaluation alone.
    pub epoch: usize,
    /// Whether it was an evaluation alone: no [`EpochEnd`] follows that has its outcome too.
    pub alone: bool,
    /// What it came to.
    pub eval: &'a Outcome,
}

/// What a split came to in an epoch.
///
/// ```
/// use modelpulse::train::{Means, Outcome};
/// let mut means = Means::default();
/// means.add(32, [("loss", 0.5)]);
/// assert_eq!(Outcome::from(&means).metrics["loss"], 0.5);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Metrics by name: `loss`, `accuracy` …
    pub metrics: BTreeMap<String, f64>,
    /// What the model said of each item.
    pub predictions: Predictions,
    /// How many items went through the model.
    pub items: usize,
    /// How long it took.
    pub time: Duration,
}

impl From<&crate::train::Means> for Outcome {
    fn from(means: &crate::train::Means) -> Self {
        Self {
            metrics: means
                .iter()
                .map(|(name, mean)| (name.to_owned(), mean))
                .collect(),
            items: means.items(),
            ..Self::default()
        }
    }
}

/// An epoch ended, evaluation included.
#[derive(Debug)]
#[non_exhaustive]
pub struct EpochEnd<'a> {
    /// Which.
    pub epoch: usize,
    /// How many steps there were so far.
    pub steps: usize,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
    /// The training split; its predictions were made while the model learned.
    pub train: &'a Outcome,
    /// The held-out split.
    pub eval: &'a Outcome,
    /// The model's parameters as they are now.
    pub parameters: &'a dyn Tensors,
    /// The gradients of the epoch's last batch, if a hook needs [`Needs::GRADIENTS`] of the epoch's end.
    pub gradients: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
}

/// A checkpoint is on the disk.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckpointSaved<'a> {
    /// Its file.
    pub path: &'a Path,
    /// How many epochs had ended.
    pub epochs: usize,
    /// How many steps there were.
    pub steps: usize,
    /// Its size.
    pub bytes: u64,
    /// How long it took.
    pub time: Duration,
}

/// The loop goes on from a checkpoint; parameters, optimizer and hooks are as they were when it was saved.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckpointLoaded<'a> {
    /// Its file.
    pub path: &'a Path,
    /// How many epochs had ended: the number of the epoch that comes.
    pub epochs: usize,
    /// How many steps there were: the number of the step that comes.
    pub steps: usize,
}

/// The loop cannot go on. No other call follows.
#[derive(Debug)]
#[non_exhaustive]
pub struct Exception<'a> {
    /// In which epoch.
    pub epoch: usize,
    /// How many steps had begun.
    pub steps: usize,
    /// Why.
    pub message: &'a str,
}

/// The fit ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct FitEnd<'a> {
    /// How many epochs ended.
    pub epochs: usize,
    /// How many steps there were.
    pub steps: usize,
    /// Why it stopped before its last epoch, if it did.
    pub stopped: Option<&'a str>,
    /// The model's parameters.
    pub parameters: &'a dyn Tensors,
    pub(in crate::train) asks: &'a Asks,
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

/// The point in time at which the optimizer's learning rate can still be set for the coming step.
macro_rules! sets_learning_rate {
    ($($context:ident),*) => {$(
        impl $context<'_> {
            /// Asks for a learning rate, from the coming step on. The last of several holds.
            pub fn set_learning_rate(&self, rate: f64) {
                self.asks.learning_rate.set(Some(rate));
            }
        }
    )*};
}

sets_learning_rate!(EpochStart, BatchStart, BeforeStep);

macro_rules! skips {
    ($($context:ident),*) => {$(
        impl $context<'_> {
            /// Asks that this batch does not move the parameters, for this reason. Where gradients are
            /// accumulated, those of the update's other batches are dropped too.
            pub fn skip_step(&self, reason: impl Into<String>) {
                self.asks.skip(reason);
            }
        }
    )*};
}

skips!(AfterLoss, AfterBackward, BeforeStep);

macro_rules! saves {
    ($($context:ident),*) => {$(
        impl $context<'_> {
            /// Asks for a checkpoint at `path`, saved when all hooks have been called at this point.
            /// [`CheckpointSaved`] follows.
            pub fn save(&self, path: impl Into<PathBuf>) {
                self.asks.save(path);
            }
        }
    )*};
}

saves!(BatchEnd, EpochEnd);

macro_rules! restores {
    ($($context:ident),*) => {$(
        impl $context<'_> {
            /// Asks that the parameters become `parameters`, when all hooks have been called at this
            /// point; such as a copy of the best ones, made by [`State::of`].
            pub fn restore(&self, parameters: State) {
                self.asks.restore(parameters);
            }
        }
    )*};
}

restores!(EpochEnd, FitEnd);

/// Says what is missing where a hook reads what none had asked for.
pub(in crate::train) fn not_asked_for(needs: Needs) -> String {
    format!("these tensors are shown only to a hook whose needs have {needs:?}")
}
