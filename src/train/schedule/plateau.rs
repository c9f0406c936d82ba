//! Reduce on plateau: the rate falls where a metric no longer gets better.
//!
//! As PyTorch's `ReduceLROnPlateau`, step for step; NaN is never better.

use crate::train::{HookError, Mode, Monitor, State};

/// Multiplies the rate by 0.1 when the monitored metric has not been better for more than 10 epochs in a row.
///
/// ```
/// use modelpulse::train::{ReduceOnPlateau, Schedule};
/// let plateau = ReduceOnPlateau::new(0.1).factor(0.5).patience(1);
/// let mut schedule = Schedule::reduce_on_plateau(plateau);
/// for loss in [1.0, 0.9, 0.95, 0.91] {
///     schedule.observe(loss);
/// }
/// assert_eq!(schedule.rate(4, 400), 0.05);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct ReduceOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    threshold: f64,
    relative: bool,
    cooldown: usize,
    least: f64,
    memory: Memory,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Memory {
    rate: f64,
    best: f64,
    bad_epochs: usize,
    cooling: usize,
}

/// A reduction smaller than this is not made, as in PyTorch.
const SMALLEST_REDUCTION: f64 = 1e-8;

impl ReduceOnPlateau {
    /// Begins at `rate`, and monitors the loss of the held-out split.
    pub fn new(rate: f64) -> Self {
        Self {
            monitor: Monitor::default(),
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            relative: true,
            cooldown: 0,
            least: 0.0,
            memory: Memory {
                rate,
                best: Mode::Min.worst(),
                bad_epochs: 0,
                cooling: 0,
            },
        }
    }

    /// What is monitored; a metric other than the held-out loss.
    pub fn monitor(mut self, monitor: Monitor) -> Self {
        self.memory.best = monitor.mode().worst();
        self.monitor = monitor;
        self
    }

    /// What the rate is multiplied by.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How many epochs in a row may be no better before the rate falls.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Better is better than the best by more than this part of the best.
    pub fn relative_threshold(mut self, part: f64) -> Self {
        (self.threshold, self.relative) = (part, true);
        self
    }

    /// Better is better than the best by more than this.
    pub fn absolute_threshold(mut self, by: f64) -> Self {
        (self.threshold, self.relative) = (by, false);
        self
    }

    /// How many epochs after a reduction are not counted.
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The rate does not fall below this.
    pub fn least(mut self, rate: f64) -> Self {
        self.least = rate;
        self
    }

    pub(super) fn monitored(&self) -> &Monitor {
        &self.monitor
    }

    pub(super) fn rate(&self) -> f64 {
        self.memory.rate
    }

    fn improves(&self, value: f64) -> bool {
        let (best, mode) = (self.memory.best, self.monitor.mode());
        match (self.relative, mode) {
            (false, _) => mode.improves(value, best, self.threshold),
            // Not best - |best| · threshold: PyTorch takes the sign of the best as it is.
            (true, Mode::Min) => value < best * (1.0 - self.threshold),
            (true, Mode::Max) => value > best * (1.0 + self.threshold),
        }
    }

    pub(super) fn observe(&mut self, value: f64) {
        let improves = self.improves(value);
        let memory = &mut self.memory;
        if improves {
            (memory.best, memory.bad_epochs) = (value, 0);
        } else {
            memory.bad_epochs += 1;
        }
        if memory.cooling > 0 {
            (memory.cooling, memory.bad_epochs) = (memory.cooling - 1, 0);
        }
        if memory.bad_epochs > self.patience {
            let reduced = (memory.rate * self.factor).max(self.least);
            if memory.rate - reduced > SMALLEST_REDUCTION {
                memory.rate = reduced;
            }
            (memory.cooling, memory.bad_epochs) = (self.cooldown, 0);
        }
    }

    pub(super) fn state(&self) -> State {
        let Memory {
            rate,
            best,
            bad_epochs,
            cooling,
        } = self.memory;
        let mut state = State::new();
        state.set("rate", rate);
        state.set("best", best);
        state.set("bad_epochs", bad_epochs as f64);
        state.set("cooling", cooling as f64);
        state
    }

    pub(super) fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let number = |name| {
            let number = state.number(name);
            number.ok_or("the state is of another kind of schedule")
        };
        self.memory = Memory {
            rate: number("rate")?,
            best: number("best")?,
            bad_epochs: number("bad_epochs")? as usize,
            cooling: number("cooling")? as usize,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::train::{Hook, ReduceOnPlateau, Schedule};

    #[test]
    fn a_restored_plateau_goes_on_as_if_it_had_never_stopped() {
        let new = || {
            let plateau = ReduceOnPlateau::new(0.3)
                .factor(0.7)
                .patience(1)
                .cooldown(1);
            Schedule::reduce_on_plateau(plateau)
        };
        let losses = [
            1.0,
            0.8,
            0.81,
            f64::NAN,
            0.9,
            0.7,
            0.71,
            0.72,
            0.73,
            0.7,
            0.7,
        ];
        for stop in 0..losses.len() {
            let (mut whole, mut first, mut second) = (new(), new(), new());
            losses[..stop].iter().for_each(|&loss| first.observe(loss));
            second.load_state(&first.state()).unwrap();
            losses[stop..].iter().for_each(|&loss| second.observe(loss));
            losses.iter().for_each(|&loss| whole.observe(loss));
            assert_eq!(whole, second);
            assert!(whole.rate(0, 0) < 0.3);
        }
    }

    #[test]
    fn a_state_of_another_schedule_is_refused() {
        let mut schedule = Schedule::reduce_on_plateau(ReduceOnPlateau::new(1.0));
        let before = schedule.clone();
        let error = schedule
            .load_state(&Schedule::constant(1.0).state())
            .unwrap_err();
        assert!(error.to_string().contains("another kind"));
        assert_eq!(schedule, before);
    }
}
