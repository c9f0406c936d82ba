//! Early stop: the fit ends where a metric no longer gets better.
//!
//! As Keras's `EarlyStopping`: NaN is never better, and what is better than the best by no more than the least
//! gain counts as no better.

use crate::train::{CheckpointLoaded, Control, EpochEnd, FitEnd, Hook, HookError, Monitor, State};

/// Stops when a metric, the held-out loss if nothing else is said, has not been better for 5 epochs in a row.
///
/// ```
/// use modelpulse::train::{Mode, Monitor, Split, callbacks::EarlyStop};
/// let accuracy = Monitor::new(Split::Eval, "accuracy", Mode::Max);
/// let hook = EarlyStop::new(accuracy).patience(10).min_delta(0.001).restore_best();
/// ```
#[must_use]
#[derive(Debug)]
pub struct EarlyStop {
    monitor: Monitor,
    patience: usize,
    min_delta: f64,
    restores: bool,
    best: f64,
    best_epoch: usize,
    /// Epochs in a row that were no better.
    waited: usize,
    /// The parameters at the end of the best epoch, where they are to come back.
    parameters: Option<State>,
}

impl Default for EarlyStop {
    fn default() -> Self {
        Self::new(Monitor::default())
    }
}

impl EarlyStop {
    /// Judges by `monitor`.
    pub fn new(monitor: Monitor) -> Self {
        Self {
            best: monitor.mode().worst(),
            monitor,
            patience: 5,
            min_delta: 0.0,
            restores: false,
            best_epoch: 0,
            waited: 0,
            parameters: None,
        }
    }

    /// How many epochs in a row may be no better, at least one.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(1);
        self
    }

    /// By how much the metric must be better.
    pub fn min_delta(mut self, least: f64) -> Self {
        self.min_delta = least.abs();
        self
    }

    /// At the end of the fit, early or not, the parameters become those of the best epoch. Until then a copy
    /// of them is kept, also in checkpoints.
    pub fn restore_best(mut self) -> Self {
        self.restores = true;
        self
    }
}

impl EarlyStop {
    fn verdict(&self) -> Control {
        if self.waited < self.patience {
            return Control::Continue;
        }
        let Self {
            monitor,
            best,
            best_epoch,
            waited,
            ..
        } = self;
        Control::Stop(format!(
            "early stop: {monitor} has not been better for {waited} epochs; its best was {best} in epoch {best_epoch}"
        ))
    }
}

impl Hook for EarlyStop {
    fn state(&self) -> State {
        let mut state = State::new();
        state.set("best", self.best);
        state.set("best_epoch", self.best_epoch as f64);
        state.set("waited", self.waited as f64);
        if let Some(parameters) = &self.parameters {
            state.nest("parameters", parameters.clone());
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let number = |name| state.number(name).ok_or("the state is not an early stop's");
        self.best = number("best")?;
        self.best_epoch = number("best_epoch")? as usize;
        self.waited = number("waited")? as usize;
        self.parameters = Some(state.under("parameters")).filter(|state| !state.is_empty());
        Ok(())
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let Some(value) = self.monitor.read(at) else {
            return Err(super::no_metric(&self.monitor, at).into());
        };
        if self
            .monitor
            .mode()
            .improves(value, self.best, self.min_delta)
        {
            (self.best, self.best_epoch, self.waited) = (value, at.epoch, 0);
            if self.restores {
                self.parameters = Some(State::of(at.parameters)?);
            }
            return Ok(Control::Continue);
        }
        self.waited += 1;
        Ok(self.verdict())
    }

    /// A fit that was killed behind its last epoch has no other.
    fn checkpoint_loaded(&mut self, _: &CheckpointLoaded<'_>) -> Result<Control, HookError> {
        Ok(self.verdict())
    }

    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        if let Some(best) = self.parameters.take()
            && at.epochs > self.best_epoch + 1
        {
            at.restore(best);
        }
        Ok(())
    }
}
