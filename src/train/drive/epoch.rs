//! The points of an epoch and of an evaluation.

use super::clock::Phase;
use super::shown::{Activations, Gradients, Parameters};
use super::{Loop, point};
use crate::train::{EpochEnd, EpochStart, EvalBatch, EvalEnd, EvalStart, Needs, Outcome, Trainee};

impl Loop {
    /// What hooks need of the evaluation and the end of the epoch that runs or comes.
    pub fn epoch_needs(&self) -> Needs {
        self.epoch_needs
    }

    /// The next epoch begins; `false` where there is none, or the loop is to stop. Behind a checkpoint of
    /// an epoch that had begun, that one goes on, without another call of its start.
    pub fn epoch_start(&mut self, trainee: &mut dyn Trainee) -> bool {
        if self.hooks.stop.is_some() || self.hooks.at.epoch >= self.epochs {
            return false;
        }
        if !self.running {
            self.running = true;
            self.clock.start();
            let start = EpochStart {
                epoch: self.hooks.at.epoch,
                step: self.hooks.at.step,
                learning_rate: trainee.learning_rate(),
                asks: &self.asks,
            };
            point!(self, epoch_start, start);
            self.settle_rate(trainee);
        }
        self.ask_epoch_needs();
        self.ask_needs();
        true
    }

    /// An evaluation of so many batches begins, in an epoch or alone. Returns what hooks need of it.
    pub fn eval_start(&mut self, trainee: &mut dyn Trainee, batches: usize) -> Needs {
        if !self.running {
            self.ask_epoch_needs();
        }
        self.began.get_or_insert_with(std::time::Instant::now);
        (self.eval_batch, self.eval_first) = (0, 0);
        self.clock.start();
        let start = EvalStart {
            epoch: self.hooks.at.epoch,
            batches,
            parameters: &Parameters::of(trainee, Needs::PARAMETERS),
        };
        point!(self, eval_start, start);
        self.epoch_needs
    }

    /// So many items more of the held-out split went through the model; the mean loss may be left out
    /// where no hook needs it.
    pub fn eval_batch(&mut self, trainee: &mut dyn Trainee, items: usize, loss: Option<f64>) {
        self.clock.start();
        let end = EvalBatch {
            epoch: self.hooks.at.epoch,
            batch: self.eval_batch,
            first: self.eval_first,
            items,
            loss,
            activations: &Activations::of(trainee, self.epoch_needs),
        };
        point!(self, eval_batch, end);
        self.eval_batch += 1;
        self.eval_first += items;
    }

    /// The evaluation ended, and came to this.
    pub fn eval_end(&mut self, eval: &Outcome) {
        self.clock.start();
        let end = EvalEnd {
            epoch: self.hooks.at.epoch,
            alone: !self.running,
            eval,
        };
        point!(self, eval_end, end);
    }

    /// The epoch ended; the splits came to this.
    pub fn epoch_end(&mut self, trainee: &mut dyn Trainee, train: &Outcome, eval: &Outcome) {
        self.clock.start();
        let gradients = Gradients::of(trainee, self.epoch_needs);
        let end = EpochEnd {
            epoch: self.hooks.at.epoch,
            steps: self.hooks.at.step,
            learning_rate: trainee.learning_rate(),
            train,
            eval,
            parameters: &Parameters::of(trainee, Needs::PARAMETERS),
            gradients: &gradients,
            asks: &self.asks,
        };
        point!(self, epoch_end, end, self.asks.caller);
        self.hooks.at.epoch += 1;
        self.batch = 0;
        self.running = false;
        self.settle(trainee);
    }

    fn ask_epoch_needs(&mut self) {
        let epoch = self.hooks.at.epoch;
        self.epoch_needs = self.hooks.needs(|hook| hook.epoch_needs(epoch));
    }
}
