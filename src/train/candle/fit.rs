//! The training loop itself.
//!
//! A hook that needs a batch's loss or activations has them pulled for that batch alone.

use std::path::Path;

use candle_core::Tensor;

use super::checkpoint::Checkpoint;
use super::fitted::{Fitted, Recorded};
use super::loss::{loss, pull};
use super::tally::Tally;
use super::trainer::Loss;
use super::{Clip, EpochOutcome, FitReport, LabelledTensors, Pass, ResumableOptimizer, TrainError};
use crate::train::{Batch, HookError, Loop, Needs, Outcome, Split, Task};

/// Items of an evaluation batch; no result depends on it but the order of a sum.
const EVAL_BATCH: usize = 256;

/// A fit or an evaluation: its settings, and the model as a function.
pub(super) struct Run<F> {
    pub(super) task: Task,
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) accumulate: usize,
    pub(super) shuffle: bool,
    pub(super) clip: Option<Clip>,
    pub(super) loss: Option<Box<Loss>>,
    pub(super) forward: F,
}

impl<F: FnMut(&Tensor, &Pass) -> candle_core::Result<Tensor>> Run<F> {
    /// Trains until the last epoch ended or the loop is to stop; the hooks' end is left to [`end`](Self::end).
    pub(super) fn fit<O: ResumableOptimizer>(
        &mut self,
        hooks: &mut Loop,
        model: &mut Fitted<'_, O>,
        train: &LabelledTensors,
        eval: &LabelledTensors,
        resume: Option<&Path>,
    ) -> Result<FitReport, TrainError> {
        let mut report = FitReport::default();
        hooks.start(model, self.epochs, train.len().div_ceil(self.batch_size));
        if let Some(path) = resume {
            self.resume(hooks, model, train, path)
                .map_err(|source| TrainError::Resume {
                    path: path.to_owned(),
                    source,
                })?;
            if model.epochs.len() >= self.epochs {
                report.predictions = self.evaluate(&mut Loop::new(), model, eval)?.predictions;
            }
            self.look_at_loss(hooks, model, &mut report);
        }
        while hooks.epoch_start(model) {
            let train_outcome = self.epoch(hooks, model, train)?;
            if hooks.aborted().is_some() {
                break;
            }
            let eval_outcome = self.evaluate(hooks, model, eval)?;
            model.epochs.push(EpochOutcome {
                train: train_outcome.metrics.clone(),
                eval: eval_outcome.metrics.clone(),
                learning_rate: model.optimizer.learning_rate(),
            });
            self.look_at_loss(hooks, model, &mut report);
            hooks.epoch_end(model, &train_outcome, &eval_outcome);
            model.update.clear();
            report.predictions = eval_outcome.predictions;
        }
        Ok(report)
    }

    /// Stops where the training loss of the last epoch is not finite.
    fn look_at_loss<O>(&self, hooks: &mut Loop, model: &Fitted<'_, O>, report: &mut FitReport) {
        let loss = model.epochs.last().and_then(|last| last.train.get("loss"));
        if let Some(loss) = loss.filter(|loss| !loss.is_finite()) {
            report.diverged = true;
            let epoch = model.epochs.len() - 1;
            hooks.stop(format!(
                "diverged: the training loss became {loss} in epoch {epoch}"
            ));
        }
    }

    /// Ends the hooks' loop.
    pub(super) fn end<O: ResumableOptimizer>(
        &mut self,
        hooks: Loop,
        model: &mut Fitted<'_, O>,
        mut report: FitReport,
    ) -> Result<FitReport, TrainError> {
        let ended = hooks.end(model)?;
        report.epochs = std::mem::take(&mut model.epochs);
        report.steps = ended.steps;
        report.stopped = ended.stopped;
        report.hook_failures = ended.hook_failures;
        report.hook_time = ended.hook_time;
        report.time = ended.time;
        Ok(report)
    }

    /// Everything is again as the checkpoint kept it.
    fn resume<O: ResumableOptimizer>(
        &mut self,
        hooks: &mut Loop,
        model: &mut Fitted<'_, O>,
        train: &LabelledTensors,
        path: &Path,
    ) -> Result<(), HookError> {
        let checkpoint = Checkpoint::read(path)?;
        let progress = model.load(&checkpoint)?;
        hooks.resume(model, path, &progress)?;
        if hooks.batch() > 0 {
            let mut tally = Tally::new(self.task, train.device())?;
            tally.restore(&checkpoint.part("tally"), train.device())?;
            model.tally = Some(tally);
        }
        Ok(())
    }

    /// The training batches of one epoch, or those that are left of it.
    fn epoch<O: ResumableOptimizer>(
        &mut self,
        hooks: &mut Loop,
        model: &mut Fitted<'_, O>,
        train: &LabelledTensors,
    ) -> Result<Outcome, TrainError> {
        let order = match self.shuffle {
            true => train.order(model.seed, hooks.epoch()),
            false => (0..train.len() as u32).collect(),
        };
        if model.tally.is_none() {
            model.tally = Some(Tally::new(self.task, train.device())?);
        }
        let count = order.len().div_ceil(self.batch_size);
        for number in hooks.batch()..count {
            let items = |batch: usize| {
                let start = batch * self.batch_size;
                &order[start..(start + self.batch_size).min(order.len())]
            };
            // The batches of this update.
            let first = number - number % self.accumulate;
            let last = (first + self.accumulate).min(count) - 1;
            let all: usize = (first..=last).map(|batch| items(batch).len()).sum();
            let batch = items(number);
            let share = batch.len() as f64 / all as f64;
            if number == first {
                model.update.clear();
            }
            self.step(hooks, model, train, batch, share, number == last)?;
            if !hooks.batch_end(model) {
                break;
            }
            // Gradients take as much room as the model; only the epoch's last ones are looked at again.
            if number == last && number + 1 < count {
                model.update.clear();
            }
        }
        match model.tally.take() {
            Some(tally) => tally.outcome(train, order),
            None => Ok(Outcome::default()),
        }
    }

    /// One batch: through the model, back, and in the last batch of an update the optimizer's step.
    fn step<O: ResumableOptimizer>(
        &mut self,
        hooks: &mut Loop,
        model: &mut Fitted<'_, O>,
        train: &LabelledTensors,
        batch: &[u32],
        share: f64,
        last: bool,
    ) -> Result<(), TrainError> {
        let (inputs, targets) = train.select(batch)?;
        let needs = hooks.batch_start(model, Batch::of(batch));
        let pass = Pass::recording(Split::Train, needs.has(Needs::ACTIVATIONS));
        let (outputs, loss) = self.forward(&inputs, &targets, &pass)?;
        model.record(pass.into_recorded());
        if let Some(tally) = &mut model.tally {
            tally.add(&outputs, &loss)?;
        }
        drop(outputs);
        let value = value(&loss, needs)?;
        let skips = |model: &mut Fitted<'_, O>| model.update.skip();
        if !hooks.after_loss(model, value) {
            skips(model);
        }
        if model.update.is_skipped() {
            return Ok(());
        }
        model.update.add(model.parameters, &loss, share)?;
        drop(loss);
        if !hooks.after_backward(model) {
            skips(model);
        }
        if !last || model.update.is_skipped() {
            return Ok(());
        }
        if let Some(clip) = self.clip {
            model.update.clip(clip, model.parameters)?;
        }
        if hooks.before_step(model) {
            if let Some(store) = model.update.store() {
                model.optimizer.step(store)?;
            }
            hooks.after_step(model);
        }
        Ok(())
    }

    /// The held-out split through the model.
    pub(super) fn evaluate<M: Recorded>(
        &mut self,
        hooks: &mut Loop,
        model: &mut M,
        eval: &LabelledTensors,
    ) -> Result<Outcome, TrainError> {
        let mut tally = Tally::new(self.task, eval.device())?;
        let needs = hooks.eval_start(model, eval.len().div_ceil(EVAL_BATCH));
        for start in (0..eval.len()).step_by(EVAL_BATCH) {
            let items = EVAL_BATCH.min(eval.len() - start);
            let (inputs, targets) = eval.slice(start, items)?;
            let pass = Pass::recording(Split::Eval, needs.has(Needs::ACTIVATIONS));
            let (outputs, loss) = self.forward(&inputs, &targets, &pass)?;
            model.record(pass.into_recorded());
            tally.add(&outputs, &loss)?;
            let value = value(&loss, needs)?;
            hooks.eval_batch(model, items, value);
        }
        let outcome = tally.outcome(eval, (0..eval.len() as u32).collect())?;
        hooks.eval_end(&outcome);
        Ok(outcome)
    }

    /// The outputs, one row an item, and their mean loss.
    fn forward(
        &mut self,
        inputs: &Tensor,
        targets: &Tensor,
        pass: &Pass,
    ) -> Result<(Tensor, Tensor), TrainError> {
        let outputs = (self.forward)(inputs, pass)?;
        let (items, width) = (targets.dim(0)?, self.task.outputs());
        let fits = outputs.dims() == [items, width] || (width == 1 && outputs.dims() == [items]);
        if !fits || (self.task.classes().is_some() && width > 1 && outputs.rank() != 2) {
            return Err(TrainError::Output {
                got: outputs.dims().to_vec(),
                items,
                outputs: width,
            });
        }
        let loss = match &mut self.loss {
            Some(loss) => loss(&outputs, targets)?,
            None => loss(self.task, &outputs, targets)?,
        };
        Ok((outputs, loss))
    }
}

fn value(loss: &Tensor, needs: Needs) -> Result<Option<f64>, TrainError> {
    if needs.has(Needs::LOSS) {
        Ok(Some(pull(loss)?))
    } else {
        Ok(None)
    }
}
