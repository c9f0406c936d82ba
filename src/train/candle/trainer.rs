//! The training loop of a classifier.
//!
//! Sums and outputs stay on the device, detached from the graph, and are pulled once an epoch; a
//! hook that needs a batch's loss has it pulled for that batch alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::fitted::Fitted;
use super::tally::{Tally, pull};
use super::{LabelledTensors, Parameters, Pass, ResumableOptimizer};
use crate::train::{Batch, Hook, HookFailure, Loop, Needs, OnError, Predictions, Session, Split};

/// Why a fit could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A hook failed, and that was to [end](crate::train::OnError::Abort) the fit.
    #[error(transparent)]
    Hook(#[from] HookFailure),
    /// candle failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// A setting that cannot be: 0 epochs, batches of 0 items.
    #[error("{setting} must be at least 1")]
    Setting {
        /// Which.
        setting: &'static str,
    },
    /// A split without items.
    #[error("the {} split has no items", split.run())]
    Empty {
        /// Which split.
        split: Split,
    },
    /// A label that the model has no class for.
    #[error("item {item} of the {} split has label {label}; the model has {classes} classes, counted from 0", split.run())]
    Label {
        /// Which split.
        split: Split,
        /// Which item, counted from 0.
        item: usize,
        /// Its label.
        label: u32,
        /// The model's classes.
        classes: usize,
    },
    /// The model's output does not have one row an item and one column a class.
    #[error("the model's output has shape {got:?}, expected [{items}, {classes}]")]
    Output {
        /// The output's shape.
        got: Vec<usize>,
        /// Items of the batch.
        items: usize,
        /// Classes.
        classes: usize,
    },
}

/// What a fit came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FitReport {
    /// Each epoch that ended.
    pub epochs: Vec<EpochOutcome>,
    /// What the model said of the held-out split after the last epoch.
    pub predictions: Predictions,
    /// Training steps, over all epochs.
    pub steps: usize,
    /// Why it stopped before its last epoch, if it did.
    pub stopped: Option<String>,
    /// Whether it stopped because the training loss was not finite.
    pub diverged: bool,
    /// What hooks failed with.
    pub hook_failures: Vec<HookFailure>,
    /// How long it took.
    pub time: Duration,
    /// How much of that was spent in hooks.
    pub hook_time: Duration,
}

/// The metrics of both splits after one epoch.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EpochOutcome {
    /// Of the training split, while the model learned.
    pub train: BTreeMap<String, f64>,
    /// Of the held-out split, at the epoch's end.
    pub eval: BTreeMap<String, f64>,
    /// The optimizer's learning rate.
    pub learning_rate: f64,
}

/// Trains a classifier and calls hooks.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{AdamW, Optimizer, ParamsAdamW};
/// use modelpulse::train::candle::{LabelledTensors, Mlp, Parameters, Trainer};
///
/// let parameters = Parameters::seeded(1);
/// let model = Mlp::new(&[2, 8, 2], parameters.builder(DType::F32, &Device::Cpu))?;
/// let corners = Tensor::new(&[[0_f32, 0.], [0., 1.], [1., 0.], [1., 1.]], &Device::Cpu)?;
/// let xor = LabelledTensors::new(corners, vec![0, 1, 1, 0])?;
/// let mut optimizer = AdamW::new(parameters.vars(), ParamsAdamW { lr: 0.05, ..Default::default() })?;
///
/// let report = Trainer::new(2)
///     .epochs(100)
///     .fit(&parameters, |inputs, _| model.forward(inputs), &mut optimizer, &xor, &xor)?;
/// assert_eq!(report.epochs[99].eval["accuracy"], 1.0);
/// # Ok::<(), modelpulse::train::candle::TrainError>(())
/// ```
#[must_use]
pub struct Trainer {
    classes: usize,
    epochs: usize,
    batch_size: usize,
    seed: u64,
    hooks: Loop,
}

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            classes,
            epochs,
            batch_size,
            seed,
            hooks,
        } = self;
        write!(
            f,
            "Trainer of {classes} classes: {epochs} epochs, batches of {batch_size}, seed {seed}, {hooks:?}"
        )
    }
}

impl Trainer {
    /// A trainer of a classifier that tells `classes` classes apart: 10 epochs, batches of 32, seed 42.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            epochs: 10,
            batch_size: 32,
            seed: 42,
            hooks: Loop::new(),
        }
    }

    /// How often the model sees each training item.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Items a training step.
    pub fn batch_size(mut self, items: usize) -> Self {
        self.batch_size = items;
        self
    }

    /// Decides the order of the data.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a hook; hooks are called in the order in which they were added.
    pub fn hook(mut self, hook: impl Hook + 'static) -> Self {
        self.hooks = self.hooks.hook(hook);
        self
    }

    /// What becomes of hooks that fail. Default: [`OnError::Disable`].
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.hooks = self.hooks.on_error(on_error);
        self
    }

    /// The session that the hooks log to; see [`Loop::session`].
    pub fn session(mut self, session: &Session) -> Self {
        self.hooks = self.hooks.session(session);
        self
    }

    /// Trains: `forward` turns inputs into logits of shape `[items, classes]`; the pass says whether it
    /// is to behave as in training, and takes what its layers come to. The loss is the cross-entropy.
    ///
    /// A training loss that is not finite ends the fit after its epoch, as diverged.
    ///
    /// # Errors
    /// [`TrainError`]; a failing hook is not one.
    pub fn fit<O: ResumableOptimizer>(
        self,
        parameters: &Parameters,
        mut forward: impl FnMut(&Tensor, &Pass) -> candle_core::Result<Tensor>,
        optimizer: &mut O,
        train: &LabelledTensors,
        eval: &LabelledTensors,
    ) -> Result<FitReport, TrainError> {
        self.check(train, eval)?;
        let Self {
            classes,
            epochs,
            batch_size,
            seed,
            mut hooks,
        } = self;
        let mut report = FitReport::default();
        let mut model = Fitted {
            parameters,
            optimizer,
            gradients: None,
            activations: Vec::new(),
        };
        hooks.start(&mut model, epochs, train.len().div_ceil(batch_size));
        while hooks.epoch_start(&mut model) {
            let since = Instant::now();
            let epoch = hooks.epoch();
            let order = train.order(seed, epoch);
            let mut tally = Tally::new(train, classes)?;
            for batch in order.chunks(batch_size) {
                let (inputs, targets) = train.select(batch)?;
                let needs = hooks.batch_start(&mut model, Batch::of(batch));
                let pass = Pass::recording(Split::Train, needs.has(Needs::ACTIVATIONS));
                let logits = forward(&inputs, &pass)?;
                model.activations = pass.into_recorded();
                let loss = tally.add(&logits, &targets)?;
                let value = if needs.has(Needs::LOSS) {
                    Some(pull(&loss)?)
                } else {
                    None
                };
                if hooks.after_loss(&mut model, value) {
                    model.gradients = Some(loss.backward()?);
                    if hooks.after_backward(&mut model) && hooks.before_step(&mut model) {
                        if let Some(store) = &model.gradients {
                            model.optimizer.step(store)?;
                        }
                        hooks.after_step(&mut model);
                    }
                }
                if !hooks.batch_end(&mut model) {
                    break;
                }
            }
            let train_outcome = tally.outcome(train, order, since)?;

            let since = Instant::now();
            let mut tally = Tally::new(eval, classes)?;
            let needs = hooks.eval_start(&mut model, eval.len().div_ceil(EVAL_BATCH));
            for start in (0..eval.len()).step_by(EVAL_BATCH) {
                let items = EVAL_BATCH.min(eval.len() - start);
                let (inputs, targets) = eval.slice(start, items)?;
                let pass = Pass::recording(Split::Eval, needs.has(Needs::ACTIVATIONS));
                let logits = forward(&inputs, &pass)?;
                model.activations = pass.into_recorded();
                let loss = tally.add(&logits, &targets)?;
                let value = if needs.has(Needs::LOSS) {
                    Some(pull(&loss)?)
                } else {
                    None
                };
                hooks.eval_batch(&mut model, items, value);
            }
            let eval_outcome = tally.outcome(eval, (0..eval.len() as u32).collect(), since)?;
            hooks.eval_end(&eval_outcome);

            hooks.epoch_end(&mut model, &train_outcome, &eval_outcome);
            let loss = train_outcome
                .metrics
                .get("loss")
                .copied()
                .unwrap_or(f64::NAN);
            report.predictions = eval_outcome.predictions;
            report.epochs.push(EpochOutcome {
                train: train_outcome.metrics,
                eval: eval_outcome.metrics,
                learning_rate: model.optimizer.learning_rate(),
            });
            if !loss.is_finite() {
                report.diverged = true;
                hooks.stop(format!(
                    "diverged: the training loss became {loss} in epoch {epoch}"
                ));
            }
        }
        let ended = hooks.end(&mut model)?;
        report.steps = ended.steps;
        report.stopped = ended.stopped;
        report.hook_failures = ended.hook_failures;
        report.hook_time = ended.hook_time;
        report.time = ended.time;
        Ok(report)
    }

    fn check(&self, train: &LabelledTensors, eval: &LabelledTensors) -> Result<(), TrainError> {
        for (setting, value) in [
            ("epochs", self.epochs),
            ("batch size", self.batch_size),
            ("classes", self.classes),
        ] {
            if value == 0 {
                return Err(TrainError::Setting { setting });
            }
        }
        for (split, data) in [(Split::Train, train), (Split::Eval, eval)] {
            if data.is_empty() {
                return Err(TrainError::Empty { split });
            }
            let classes = self.classes;
            let outside = data
                .labels()
                .iter()
                .position(|&label| label as usize >= classes);
            if let Some(item) = outside {
                return Err(TrainError::Label {
                    split,
                    item,
                    label: data.labels()[item],
                    classes,
                });
            }
        }
        Ok(())
    }
}

/// Items of an evaluation batch; no result depends on it but the order of a sum.
const EVAL_BATCH: usize = 256;
