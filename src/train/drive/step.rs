//! The points of a training batch.
//!
//! Nothing is allocated here, and the clock is read only where a hook needs something of the step.

use super::shown::Shown;
use super::{Batch, Loop, point};
use crate::train::{
    AfterBackward, AfterLoss, AfterStep, BatchEnd, BatchStart, BeforeStep, Needs, Phases, Trainee,
};

impl Loop {
    /// What hooks need of the step that runs or comes.
    #[inline]
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// A training batch begins: how many items it has, or a [`Batch`]. Returns what hooks need of it.
    #[inline]
    pub fn batch_start<'a>(
        &mut self,
        trainee: &mut dyn Trainee,
        batch: impl Into<Batch<'a>>,
    ) -> Needs {
        let Batch { items, indices } = batch.into();
        if let Some(lap) = self.lap() {
            self.phases.data = lap;
        }
        self.items = items;
        self.loss = None;
        let start = BatchStart {
            epoch: self.epoch,
            step: self.steps,
            batch: self.batch,
            items,
            indices,
            learning_rate: trainee.learning_rate(),
            asks: &self.asks,
        };
        point!(self, batch_start, start);
        self.settle_rate(trainee);
        self.needs
    }

    /// The mean loss of the batch was taken; it may be left out where no hook [needs](Self::needs) it.
    /// `false` where a hook has the step skipped: then no gradients are needed.
    #[inline]
    pub fn after_loss(&mut self, trainee: &mut dyn Trainee, loss: Option<f64>) -> bool {
        if let Some(lap) = self.lap() {
            self.phases.forward = lap;
        }
        self.loss = loss;
        let after = AfterLoss {
            epoch: self.epoch,
            step: self.steps,
            batch: self.batch,
            items: self.items,
            loss,
            activations: &Shown::activations(trainee, self.needs),
            asks: &self.asks,
        };
        point!(self, after_loss, after);
        self.goes_on()
    }

    /// The gradients are there. `false` where a hook has the step skipped.
    #[inline]
    pub fn after_backward(&mut self, trainee: &mut dyn Trainee) -> bool {
        if let Some(lap) = self.lap() {
            self.phases.backward = lap;
        }
        let after = AfterBackward {
            epoch: self.epoch,
            step: self.steps,
            batch: self.batch,
            loss: self.loss,
            parameters: &Shown::parameters(trainee, self.needs),
            gradients: &Shown::gradients(trainee, self.needs),
            asks: &self.asks,
        };
        point!(self, after_backward, after);
        self.goes_on()
    }

    /// The optimizer is about to move the parameters, by gradients that are clipped if they are to be.
    /// `false` where a hook has the step skipped.
    #[inline]
    pub fn before_step(&mut self, trainee: &mut dyn Trainee) -> bool {
        if let Some(lap) = self.lap() {
            self.phases.optimizer += lap;
        }
        let before = BeforeStep {
            epoch: self.epoch,
            step: self.steps,
            update: self.updates,
            loss: self.loss,
            learning_rate: trainee.learning_rate(),
            parameters: &Shown::parameters(trainee, self.needs),
            gradients: &Shown::gradients(trainee, self.needs),
            asks: &self.asks,
        };
        point!(self, before_step, before);
        self.settle_rate(trainee);
        self.goes_on()
    }

    /// The optimizer moved the parameters.
    #[inline]
    pub fn after_step(&mut self, trainee: &mut dyn Trainee) {
        if let Some(lap) = self.lap() {
            self.phases.optimizer += lap;
        }
        let after = AfterStep {
            epoch: self.epoch,
            step: self.steps,
            update: self.updates,
            learning_rate: trainee.learning_rate(),
            parameters: &Shown::parameters(trainee, self.needs),
            gradients: &Shown::gradients(trainee, self.needs),
        };
        point!(self, after_step, after);
        self.updates += 1;
    }

    /// The batch ended. `false` where the loop is to stop.
    #[inline]
    pub fn batch_end(&mut self, trainee: &mut dyn Trainee) -> bool {
        self.lap();
        let phases = self.take_phases();
        let skipped = self.asks.skip.take();
        let end = BatchEnd {
            epoch: self.epoch,
            step: self.steps,
            batch: self.batch,
            items: self.items,
            loss: self.loss,
            learning_rate: trainee.learning_rate(),
            skipped: skipped.as_deref(),
            phases: phases.as_ref(),
            parameters: &Shown::parameters(trainee, self.needs),
            gradients: &Shown::gradients(trainee, self.needs),
            asks: &self.asks,
        };
        point!(self, batch_end, end);
        self.steps += 1;
        self.batch += 1;
        self.settle(trainee);
        self.ask_needs();
        self.hooks.stop.is_none()
    }

    /// What hooks need of the coming step; the clock runs if they need anything.
    #[inline]
    pub(super) fn ask_needs(&mut self) {
        let (place, step) = (self.place(), self.steps);
        self.needs = self.hooks.needs(place, |hook| hook.needs(step));
        if self.needs == Needs::NOTHING {
            // What hooks did since the last batch belongs to no step then.
            if self.mark.take().is_some() {
                self.phases = Phases::default();
            }
        } else {
            self.clock();
        }
        let time = self.needs.has(Needs::TIME);
        if time != self.log_clock
            && let Some(session) = &self.hooks.session
        {
            self.log_clock = time;
            self.logged = session.spent();
            session.clock(time);
        }
    }

    /// The phases since the last batch's end, if a hook needs them.
    #[inline]
    fn take_phases(&mut self) -> Option<Phases> {
        // A step that nobody times leaves no mark.
        self.mark?;
        let mut phases = std::mem::take(&mut self.phases);
        if !self.needs.has(Needs::TIME) {
            return None;
        }
        if let Some(session) = &self.hooks.session {
            let logged = session.spent();
            phases.logging = logged - self.logged;
            self.logged = logged;
        }
        Some(phases)
    }

    /// Whether no hook has the step skipped.
    #[inline]
    fn goes_on(&self) -> bool {
        self.asks.skip.borrow().is_none()
    }

    /// Sets the learning rate that hooks asked for.
    #[inline]
    pub(super) fn settle_rate(&mut self, trainee: &mut dyn Trainee) {
        if let Some(rate) = self.asks.learning_rate.take() {
            trainee.set_learning_rate(rate);
        }
    }
}
