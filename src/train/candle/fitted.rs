//! A candle model and its optimizer, as hooks see them and as checkpoints keep them.

use std::path::Path;

use candle_core::Tensor;

use super::checkpoint::{self, Checkpoint};
use super::gradients::Update;
use super::report::{self, EpochOutcome};
use super::tally::Tally;
use super::tensors::show;
use super::{Gradients, Parameters, ResumableOptimizer};
use crate::train::{HookError, State, TensorVisitor, Tensors, Trainee};

/// What a fit trains, and how far it has come.
pub(super) struct Fitted<'a, O> {
    pub(super) parameters: &'a Parameters,
    pub(super) optimizer: &'a mut O,
    pub(super) seed: u64,
    pub(super) update: Update,
    pub(super) activations: Vec<(String, Tensor)>,
    /// Of the training batches of the epoch that runs.
    pub(super) tally: Option<Tally>,
    pub(super) epochs: Vec<EpochOutcome>,
}

impl<O: ResumableOptimizer> Fitted<'_, O> {
    /// Takes back what a checkpoint kept, and returns what it kept of the loop.
    pub(super) fn load(&mut self, checkpoint: &Checkpoint) -> Result<State, HookError> {
        let progress = checkpoint.state("loop")?;
        self.parameters.load(&checkpoint.model())?;
        self.optimizer.restore(&checkpoint.part("optimizer"))?;
        let count = progress.number("epochs").unwrap_or(0.0) as usize;
        self.epochs = report::kept(&checkpoint.state("epochs")?, count);
        self.update.restore(
            self.parameters,
            checkpoint.part("gradients"),
            &checkpoint.part("update"),
        )?;
        Ok(progress)
    }
}

impl<O: ResumableOptimizer> Trainee for Fitted<'_, O> {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.parameters.visit(visit)
    }

    fn gradients(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        Gradients::new(self.parameters, self.update.store()).visit(visit)
    }

    fn activations(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        show_all(&self.activations, visit)
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    fn restore(&mut self, parameters: &State) -> Result<(), HookError> {
        Ok(self.parameters.restore(parameters)?)
    }

    fn save(&self, path: &Path, progress: &State) -> Result<u64, HookError> {
        let mut parts = vec![
            ("loop", checkpoint::named(progress)?),
            ("optimizer", self.optimizer.state()?),
            ("epochs", checkpoint::named(&report::keep(&self.epochs))?),
        ];
        let within_epoch = progress
            .number("batches")
            .is_some_and(|batches| batches > 0.0);
        if within_epoch {
            if let Some(tally) = &self.tally {
                parts.push(("tally", tally.state()?));
            }
            parts.push(("gradients", self.update.gradients(self.parameters)));
            parts.push(("update", self.update.state()?));
        }
        let number = |name: &str| progress.number(name).unwrap_or(f64::NAN).to_string();
        let mut metadata = vec![
            ("seed", self.seed.to_string()),
            ("epochs", number("epochs")),
            ("steps", number("steps")),
        ];
        let metrics = self.epochs.last().map(|epoch| &epoch.eval);
        let metrics: Vec<(String, String)> = metrics
            .into_iter()
            .flatten()
            .map(|(name, value)| (format!("eval.{name}"), value.to_string()))
            .collect();
        metadata.extend(
            metrics
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        checkpoint::write(path, self.parameters.tensors(), parts, &metadata)
    }
}

/// A model that is only evaluated.
pub(super) struct Evaluated<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) activations: Vec<(String, Tensor)>,
}

impl Trainee for Evaluated<'_> {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.parameters.visit(visit)
    }

    fn activations(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        show_all(&self.activations, visit)
    }
}

/// A model whose activations an evaluation records.
pub(super) trait Recorded: Trainee {
    fn record(&mut self, activations: Vec<(String, Tensor)>);
}

impl<O: ResumableOptimizer> Recorded for Fitted<'_, O> {
    fn record(&mut self, activations: Vec<(String, Tensor)>) {
        self.activations = activations;
    }
}

impl Recorded for Evaluated<'_> {
    fn record(&mut self, activations: Vec<(String, Tensor)>) {
        self.activations = activations;
    }
}

fn show_all(tensors: &[(String, Tensor)], visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
    for (name, tensor) in tensors {
        show(name, tensor, visit)?;
    }
    Ok(())
}
