//! The settings of a fit: what is learned, how long, in which order, watched by which hooks.
//!
//! They are checked before anything is trained.

use std::path::PathBuf;

use candle_core::Tensor;

use super::fit::Run;
use super::fitted::{Evaluated, Fitted};
use super::gradients::Update;
use super::{Clip, FitReport, LabelledTensors, Parameters, Pass, ResumableOptimizer, TrainError};
use crate::train::{Hook, Loop, OnError, Outcome, Session, Split, Task};

/// Trains a model and calls hooks.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{Optimizer, ParamsAdamW};
/// use modelpulse::train::candle::{AdamW, LabelledTensors, Mlp, Parameters, Trainer};
///
/// let parameters = Parameters::seeded(1);
/// let model = Mlp::new(&[2, 8, 2], parameters.builder(DType::F32, &Device::Cpu))?;
/// let corners = Tensor::new(&[[0_f32, 0.], [0., 1.], [1., 0.], [1., 1.]], &Device::Cpu)?;
/// let xor = LabelledTensors::new(corners, vec![0, 1, 1, 0])?;
/// let mut optimizer = AdamW::of(&parameters, ParamsAdamW { lr: 0.05, ..Default::default() })?;
///
/// let report = Trainer::new(2)
///     .epochs(100)
///     .fit(&parameters, |inputs, _| model.forward(inputs), &mut optimizer, &xor, &xor)?;
/// assert_eq!(report.epochs[99].eval["accuracy"], 1.0);
/// # Ok::<(), modelpulse::train::candle::TrainError>(())
/// ```
#[must_use]
pub struct Trainer {
    task: Task,
    epochs: usize,
    batch_size: usize,
    accumulate: usize,
    shuffle: bool,
    seed: u64,
    clip: Option<Clip>,
    loss: Option<Box<Loss>>,
    resume: Option<PathBuf>,
    hooks: Loop,
}

/// Takes outputs and targets of a batch, and returns the mean loss.
pub(super) type Loss = dyn FnMut(&Tensor, &Tensor) -> candle_core::Result<Tensor>;

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("Trainer");
        fields
            .field("task", &self.task)
            .field("epochs", &self.epochs)
            .field("batch_size", &self.batch_size)
            .field("accumulate", &self.accumulate)
            .field("shuffle", &self.shuffle)
            .field("seed", &self.seed)
            .field("clip", &self.clip)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

impl Trainer {
    /// A trainer for a [`Task`], or for so many classes: 10 epochs, batches of 32, seed 42.
    pub fn new(task: impl Into<Task>) -> Self {
        Self {
            task: task.into(),
            epochs: 10,
            batch_size: 32,
            accumulate: 1,
            shuffle: true,
            seed: 42,
            clip: None,
            loss: None,
            resume: None,
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

    /// Takes a step of the optimizer only every so many batches, with the mean gradient of their items: as
    /// with batches so many times as large, in the memory of one. The last update of an epoch has what is left.
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.accumulate = batches;
        self
    }

    /// Whether the data comes in another order in each epoch. Default: it does.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Decides the order of the data.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Clips the gradients of each update. Default: they are not.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clip = Some(clip);
        self
    }

    /// Another loss than the task's: it takes the outputs and the targets of a batch, as the model and the data
    /// have them, and returns the mean over its items, a tensor without dimensions.
    pub fn loss(
        mut self,
        loss: impl FnMut(&Tensor, &Tensor) -> candle_core::Result<Tensor> + 'static,
    ) -> Self {
        self.loss = Some(Box::new(loss));
        self
    }

    /// Goes on from a checkpoint that a hook had saved, of the same model and with the same settings: what
    /// comes then is, bit by bit, what would have come if the fit had not ended.
    pub fn resume(mut self, checkpoint: impl Into<PathBuf>) -> Self {
        self.resume = Some(checkpoint.into());
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

    /// Trains: `forward` turns inputs into the task's outputs, one row an item; the pass says whether it is to
    /// behave as in training, and takes what its layers come to. Classifiers give logits.
    ///
    /// A training loss that is not finite ends the fit after its epoch, as diverged.
    ///
    /// # Errors
    /// [`TrainError`]; a failing hook is none, but for [`OnError::Abort`].
    pub fn fit<O: ResumableOptimizer>(
        self,
        parameters: &Parameters,
        forward: impl FnMut(&Tensor, &Pass) -> candle_core::Result<Tensor>,
        optimizer: &mut O,
        train: &LabelledTensors,
        eval: &LabelledTensors,
    ) -> Result<FitReport, TrainError> {
        self.check(&[(Split::Train, train), (Split::Eval, eval)])?;
        let mut model = Fitted {
            parameters,
            optimizer,
            seed: self.seed,
            update: Update::default(),
            activations: Vec::new(),
            tally: None,
            epochs: Vec::new(),
        };
        let resume = self.resume.clone();
        let (mut run, mut hooks) = self.split(forward);
        match run.fit(&mut hooks, &mut model, train, eval, resume.as_deref()) {
            Ok(report) => run.end(hooks, &mut model, report),
            Err(error) => {
                hooks.fail(&error.to_string());
                Err(error)
            }
        }
    }

    /// Judges a model by `eval`, without training it; hooks are called for this evaluation alone.
    ///
    /// ```
    /// # use candle_core::{DType, Device, Module, Tensor};
    /// # use modelpulse::train::candle::{LabelledTensors, Mlp, Parameters, Trainer};
    /// # let parameters = Parameters::seeded(1);
    /// # let model = Mlp::new(&[2, 8, 2], parameters.builder(DType::F32, &Device::Cpu))?;
    /// # let corners = Tensor::new(&[[0_f32, 0.], [0., 1.], [1., 0.], [1., 1.]], &Device::Cpu)?;
    /// # let xor = LabelledTensors::new(corners, vec![0, 1, 1, 0])?;
    /// let outcome = Trainer::new(2).evaluate(&parameters, |inputs, _| model.forward(inputs), &xor)?;
    /// assert_eq!((outcome.items, outcome.predictions.len()), (4, 4));
    /// assert!(outcome.metrics.contains_key("accuracy"));
    /// # Ok::<(), modelpulse::train::candle::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn evaluate(
        self,
        parameters: &Parameters,
        forward: impl FnMut(&Tensor, &Pass) -> candle_core::Result<Tensor>,
        eval: &LabelledTensors,
    ) -> Result<Outcome, TrainError> {
        self.check(&[(Split::Eval, eval)])?;
        let mut model = Evaluated {
            parameters,
            activations: Vec::new(),
        };
        let (mut run, mut hooks) = self.split(forward);
        match run.evaluate(&mut hooks, &mut model, eval) {
            Ok(outcome) => {
                hooks.finish()?;
                Ok(outcome)
            }
            Err(error) => {
                hooks.fail(&error.to_string());
                Err(error)
            }
        }
    }

    fn split<F>(self, forward: F) -> (Run<F>, Loop) {
        let run = Run {
            task: self.task,
            epochs: self.epochs,
            batch_size: self.batch_size,
            accumulate: self.accumulate,
            shuffle: self.shuffle,
            clip: self.clip,
            loss: self.loss,
            forward,
        };
        (run, self.hooks)
    }

    fn check(&self, splits: &[(Split, &LabelledTensors)]) -> Result<(), TrainError> {
        for (setting, value) in [
            ("epochs", self.epochs),
            ("batch size", self.batch_size),
            ("accumulated batches", self.accumulate),
            ("outputs", self.task.outputs()),
        ] {
            if value == 0 {
                return Err(TrainError::Setting { setting });
            }
        }
        let mut splits = splits.iter();
        splits.try_for_each(|(split, data)| data.check(self.task, *split))
    }
}
