//! The points of a training batch.
//!
//! Nothing is allocated here, and the clock is read only where a hook needs something of the step. The points are a part
//! of the loop that calls them, for what they do on the way there and back is as much as what hooks cost.

use std::cell::OnceCell;

use super::clock::Phase;
use super::shown::{Activations, Gradients};
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
    #[inline(always)]
    pub fn batch_start<'a>(
        &mut self,
        trainee: &mut dyn Trainee,
        batch: impl Into<Batch<'a>>,
    ) -> Needs {
        let Batch { items, indices } = batch.into();
        self.clock.lap(Phase::Data);
        self.items = items;
        self.loss = None;
        self.learning_rate = trainee.learning_rate();
        let start = BatchStart {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            batch: self.batch,
            items,
            indices,
            learning_rate: self.learning_rate,
            asks: &self.asks,
        };
        point!(self, batch_start, start);
        self.settle_rate(trainee);
        self.needs
    }

    /// The mean loss of the batch was taken; it may be left out where no hook [needs](Self::needs) it.
    /// `false` where a hook has the step skipped: then no gradients are needed.
    #[inline(always)]
    pub fn after_loss(&mut self, trainee: &mut dyn Trainee, loss: Option<f64>) -> bool {
        self.clock.lap(Phase::Forward);
        self.loss = loss;
        let after = AfterLoss {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            batch: self.batch,
            items: self.items,
            loss,
            activations: &Activations::of(trainee, self.needs),
            asks: &self.asks,
        };
        point!(self, after_loss, after);
        self.goes_on()
    }

    /// The gradients are there. `false` where a hook has the step skipped.
    #[inline(always)]
    pub fn after_backward(&mut self, trainee: &mut dyn Trainee) -> bool {
        self.clock.lap(Phase::Backward);
        let shown = &Gradients::of(trainee, self.needs);
        let after = AfterBackward {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            batch: self.batch,
            loss: self.loss,
            parameters: &shown.parameters,
            gradients: shown,
            asks: &self.asks,
        };
        point!(self, after_backward, after);
        self.goes_on()
    }

    /// The optimizer is about to move the parameters, by gradients that are clipped if they are to be.
    /// `false` where a hook has the step skipped.
    #[inline(always)]
    pub fn before_step(&mut self, trainee: &mut dyn Trainee) -> bool {
        self.clock.lap(Phase::Optimizer);
        self.learning_rate = trainee.learning_rate();
        let shown = &Gradients::of(trainee, self.needs);
        let before = BeforeStep {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            update: self.updates,
            loss: self.loss,
            learning_rate: self.learning_rate,
            parameters: &shown.parameters,
            gradients: shown,
            asks: &self.asks,
        };
        point!(self, before_step, before);
        self.settle_rate(trainee);
        self.goes_on()
    }

    /// The optimizer moved the parameters.
    #[inline(always)]
    pub fn after_step(&mut self, trainee: &mut dyn Trainee) {
        self.clock.lap(Phase::Optimizer);
        let shown = &Gradients::of(trainee, self.needs);
        let after = AfterStep {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            update: self.updates,
            learning_rate: self.learning_rate,
            parameters: &shown.parameters,
            gradients: shown,
        };
        point!(self, after_step, after);
        self.updates += 1;
    }

    /// The batch ended. `false` where the loop is to stop.
    #[inline(always)]
    pub fn batch_end(&mut self, trainee: &mut dyn Trainee) -> bool {
        self.clock.lap(Phase::Between);
        let phases = self.take_phases();
        let shown = &Gradients::of(trainee, self.needs);
        let end = BatchEnd {
            epoch: self.hooks.at.epoch,
            step: self.hooks.at.step,
            batch: self.batch,
            items: self.items,
            loss: self.loss,
            learning_rate: self.learning_rate,
            skipped: self.asks.skip.get().map(String::as_str),
            phases: phases.as_ref(),
            parameters: &shown.parameters,
            gradients: shown,
            asks: &self.asks,
        };
        point!(self, batch_end, end, self.asks.caller);
        if self.asks.skip.get().is_some() {
            self.asks.skip = OnceCell::new();
        }
        self.hooks.at.step += 1;
        self.batch += 1;
        self.settle(trainee);
        self.ask_needs();
        self.hooks.stop.is_none()
    }

    /// What hooks need of the coming step; the clock runs if they need anything.
    #[inline]
    pub(super) fn ask_needs(&mut self) {
        let step = self.hooks.at.step;
        self.needs = self.hooks.needs(|hook| hook.needs(step));
        if self.needs == Needs::NOTHING {
            // What hooks did since the last batch belongs to no step then.
            self.clock.stop();
        } else {
            self.clock.start();
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
        if !self.clock.runs() {
            return None;
        }
        let mut phases = self.clock.take();
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
        self.asks.skip.get().is_none()
    }

    /// Sets the learning rate that hooks asked for.
    #[inline]
    pub(super) fn settle_rate(&mut self, trainee: &mut dyn Trainee) {
        if let Some(rate) = self.asks.learning_rate.get() {
            self.asks.learning_rate.set(None);
            trainee.set_learning_rate(rate);
            self.learning_rate = trainee.learning_rate();
        }
    }
}
