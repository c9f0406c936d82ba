//! The training loop of a classifier.
//!
//! Sums and outputs stay on the device, detached from the graph, and are pulled once an epoch; a
//! hook that needs a batch's loss has it pulled for that batch alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor};
use candle_nn::{Optimizer, loss::cross_entropy, ops::softmax};

use super::{Gradients, LabelledTensors, Parameters};
use crate::train::classification::classification_metrics;
use crate::train::{
    BatchEnd, Control, EpochEnd, EpochStart, FitEnd, FitStart, Hook, HookError, Needs, Outcome,
    Predictions, Split,
};

/// Why a fit could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
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
    /// What hooks failed with; a hook that fails is not called again.
    pub hook_failures: Vec<String>,
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
    hooks: Vec<Box<dyn Hook>>,
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
            "Trainer of {classes} classes: {epochs} epochs, batches of {batch_size}, seed {seed}, {} hooks",
            hooks.len()
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
            hooks: Vec::new(),
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
        self.hooks.push(Box::new(hook));
        self
    }

    /// Trains: `forward` turns inputs into logits of shape `[items, classes]`; the split says whether it
    /// is to behave as in training. The loss is the cross-entropy.
    ///
    /// A training loss that is not finite ends the fit after its epoch, as diverged.
    ///
    /// # Errors
    /// [`TrainError`]; a failing hook is not one.
    pub fn fit<O: Optimizer>(
        self,
        parameters: &Parameters,
        mut forward: impl FnMut(&Tensor, Split) -> candle_core::Result<Tensor>,
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
            hooks,
        } = self;
        let mut hooks = Hooks::new(hooks);
        let mut report = FitReport::default();
        let began = Instant::now();
        hooks.call(|hook| {
            hook.fit_start(&FitStart {
                epochs,
                batches: train.len().div_ceil(batch_size),
            })
        });
        for epoch in 0..epochs {
            hooks.call(|hook| hook.epoch_start(&EpochStart { epoch }));
            let since = Instant::now();
            let order = train.order(seed, epoch);
            let mut tally = Tally::new(train, classes)?;
            let mut gradients: Option<GradStore> = None;
            for batch in order.chunks(batch_size) {
                let (inputs, targets) = train.select(batch)?;
                let logits = forward(&inputs, Split::Train)?;
                let loss = tally.add(&logits, &targets)?;
                let store = loss.backward()?;
                optimizer.step(&store)?;
                let step = report.steps;
                report.steps += 1;
                let loss = if hooks.needs(step).has(Needs::LOSS) {
                    Some(pull(&loss)?)
                } else {
                    None
                };
                let (items, learning_rate) = (batch.len(), optimizer.learning_rate());
                hooks.call(|hook| {
                    hook.batch_end(&BatchEnd {
                        epoch,
                        step,
                        items,
                        loss,
                        learning_rate,
                    })
                });
                gradients = Some(store);
                if hooks.stop.is_some() {
                    break;
                }
            }
            let train_outcome = tally.outcome(train, order, since)?;

            let since = Instant::now();
            let mut tally = Tally::new(eval, classes)?;
            for start in (0..eval.len()).step_by(EVAL_BATCH) {
                let (inputs, targets) = eval.slice(start, EVAL_BATCH.min(eval.len() - start))?;
                tally.add(&forward(&inputs, Split::Eval)?, &targets)?;
            }
            let eval_outcome = tally.outcome(eval, (0..eval.len() as u32).collect(), since)?;

            let learning_rate = optimizer.learning_rate();
            let end = EpochEnd {
                epoch,
                learning_rate,
                train: &train_outcome,
                eval: &eval_outcome,
                parameters,
                gradients: &Gradients::new(parameters, gradients.as_ref()),
            };
            hooks.call(|hook| hook.epoch_end(&end));
            let loss = train_outcome
                .metrics
                .get("loss")
                .copied()
                .unwrap_or(f64::NAN);
            report.predictions = eval_outcome.predictions;
            report.epochs.push(EpochOutcome {
                train: train_outcome.metrics,
                eval: eval_outcome.metrics,
                learning_rate,
            });
            if !loss.is_finite() {
                report.diverged = true;
                hooks.stop = Some(format!(
                    "diverged: the training loss became {loss} in epoch {epoch}"
                ));
            }
            if hooks.stop.is_some() {
                break;
            }
        }
        report.stopped = hooks.stop.take();
        let end = FitEnd {
            epochs: report.epochs.len(),
            stopped: report.stopped.as_deref(),
        };
        hooks.call(|hook| hook.fit_end(&end).map(|()| Control::Continue));
        report.hook_failures = hooks.failures;
        report.hook_time = hooks.time;
        report.time = began.elapsed();
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

fn pull(scalar: &Tensor) -> candle_core::Result<f64> {
    scalar.to_dtype(DType::F64)?.to_scalar()
}

/// What a split has come to so far, on the device.
struct Tally {
    classes: usize,
    loss_sum: Tensor,
    outputs: Vec<Tensor>,
}

impl Tally {
    fn new(data: &LabelledTensors, classes: usize) -> candle_core::Result<Self> {
        Ok(Self {
            classes,
            loss_sum: Tensor::zeros((), DType::F64, data.device())?,
            outputs: Vec::new(),
        })
    }

    /// Adds a batch, and returns its mean loss, still in the graph.
    fn add(&mut self, logits: &Tensor, targets: &Tensor) -> Result<Tensor, TrainError> {
        let (items, classes) = (targets.dim(0)?, self.classes);
        if logits.dims() != [items, classes] {
            return Err(TrainError::Output {
                got: logits.dims().to_vec(),
                items,
                classes,
            });
        }
        let loss = cross_entropy(logits, targets)?;
        let weighted = loss
            .detach()
            .to_dtype(DType::F64)?
            .affine(items as f64, 0.0)?;
        self.loss_sum = (&self.loss_sum + weighted)?;
        self.outputs.push(logits.detach());
        Ok(loss)
    }

    /// Pulls it all; `indices` are those of the items that were added, in that order, and maybe more.
    fn outcome(
        self,
        data: &LabelledTensors,
        mut indices: Vec<u32>,
        since: Instant,
    ) -> Result<Outcome, TrainError> {
        let logits = Tensor::cat(&self.outputs, 0)?;
        indices.truncate(logits.dim(0)?);
        let scores = softmax(&logits.to_dtype(DType::F32)?, 1)?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let labels = indices
            .iter()
            .map(|&index| data.labels()[index as usize] as usize)
            .collect();
        let loss = pull(&self.loss_sum)? / indices.len() as f64;
        let time = since.elapsed();
        let indices = indices.into_iter().map(|index| index as usize).collect();
        // The lengths fit: one row of scores an item was checked at each batch.
        let predictions =
            Predictions::new(self.classes, labels, scores, indices).unwrap_or_default();
        let mut metrics = classification_metrics(&predictions);
        metrics.insert("loss".to_owned(), loss);
        Ok(Outcome {
            metrics,
            predictions,
            time,
        })
    }
}

/// The hooks that are still called, and what came of them.
struct Hooks {
    alive: Vec<Box<dyn Hook>>,
    stop: Option<String>,
    failures: Vec<String>,
    time: Duration,
}

impl Hooks {
    fn new(alive: Vec<Box<dyn Hook>>) -> Self {
        Self {
            alive,
            stop: None,
            failures: Vec::new(),
            time: Duration::ZERO,
        }
    }

    fn needs(&self, step: usize) -> Needs {
        self.alive
            .iter()
            .fold(Needs::NOTHING, |needs, hook| needs | hook.needs(step))
    }

    /// Calls each hook; one that fails is dropped.
    fn call(&mut self, mut call: impl FnMut(&mut dyn Hook) -> Result<Control, HookError>) {
        let since = Instant::now();
        let Self {
            alive,
            stop,
            failures,
            ..
        } = self;
        alive.retain_mut(|hook| match call(hook.as_mut()) {
            Ok(Control::Continue) => true,
            Ok(Control::Stop(reason)) => {
                stop.get_or_insert(reason);
                true
            }
            Err(error) => {
                failures.push(error.to_string());
                false
            }
        });
        self.time += since.elapsed();
    }
}
