//! Diverging: the training loss rises, and what was learned is lost.

use std::collections::VecDeque;

use super::{Detector, Observation, number, numbers};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State, Values};

/// Finds that the mean loss of 20 batches is more than twice its lowest, and that more than half of what
/// had been learned by then is lost.
///
/// ```
/// use modelpulse::health::Diverging;
/// let smooth = Diverging::default().window(100);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Diverging {
    window: usize,
    losses: VecDeque<f64>,
    /// Of the first whole window.
    first: f64,
    /// Of the window with the lowest mean, which ended at this step.
    best: f64,
    best_step: usize,
    found: bool,
}

impl Default for Diverging {
    fn default() -> Self {
        Self {
            window: 20,
            losses: VecDeque::new(),
            first: f64::NAN,
            best: f64::INFINITY,
            best_step: 0,
            found: false,
        }
    }
}

impl Diverging {
    /// Over how many batches the loss is averaged.
    pub fn window(mut self, batches: usize) -> Self {
        self.window = batches.max(1);
        self
    }
}

impl Detector for Diverging {
    fn name(&self) -> &'static str {
        FindingKind::Diverging.name()
    }

    fn needs(&self, _: usize) -> Needs {
        Needs::LOSS
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Batch { step, loss } = seen else {
            return None;
        };
        if self.losses.len() == self.window {
            self.losses.pop_front();
        }
        self.losses.push_back(loss);
        let mean = self.losses.iter().sum::<f64>() / self.window as f64;
        // A loss that is no number is another finding.
        if self.losses.len() < self.window || !mean.is_finite() {
            return None;
        }
        if self.first.is_nan() {
            self.first = mean;
        }
        if mean < self.best {
            (self.best, self.best_step, self.found) = (mean, step, false);
        }
        let (window, best, best_step) = (self.window, self.best, self.best_step);
        let learned = self.first - best;
        if self.found || mean <= best + best.abs().max(learned / 2.0) {
            return None;
        }
        self.found = true;
        let sentence = format!(
            "the training loss rose from {} to {}: means of {window} batches, {} steps apart",
            figure(best),
            figure(mean),
            step.saturating_sub(best_step)
        );
        let finding = Finding::new(FindingKind::Diverging, Place::Step(step), sentence)
            .evidence(
                format!("mean loss of the first {window} batches"),
                figure(self.first),
            )
            .evidence(
                format!("mean loss up to step {best_step}, its lowest"),
                figure(best),
            )
            .evidence(format!("mean loss up to step {step}"), figure(mean));
        Some(finding.advice(&[
            "a smaller learning rate, or a warm-up",
            "clip the gradients by norm",
            "go back to a checkpoint from before the rise, and look at the data that came then",
        ]))
    }

    fn holds(&self) -> bool {
        self.found
    }

    fn state(&self) -> State {
        let losses: Vec<f64> = self.losses.iter().copied().collect();
        let mut state = State::new();
        state.insert("losses", &[losses.len()], Values::F64(&losses));
        state.set("first", self.first);
        state.set("best", self.best);
        state.set("best_step", self.best_step as f64);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.losses = numbers(state, "losses")?.into();
        self.first = number(state, "first")?;
        self.best = number(state, "best")?;
        self.best_step = number(state, "best_step")? as usize;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::testing::batches;

    fn noise(step: usize) -> f64 {
        ((step * 37) % 11) as f64 / 11.0 - 0.5
    }

    #[test]
    fn a_loss_that_rises_is_found_and_noise_is_not() {
        let learning = |step: usize| 2.0 * 0.98_f64.powi(step as i32);
        let noisy = |step: usize| (learning(step) + 0.05) * (1.0 + 1.5 * noise(step));
        let good: Vec<f64> = (0..600).map(noisy).collect();
        assert!(batches(Diverging::default(), &good).is_empty());

        let mut bad = good[..200].to_vec();
        bad.extend((0..100).map(|step| 0.05 * 1.08_f64.powi(step)));
        let found = batches(Diverging::default(), &bad);
        assert_eq!(found.len(), 1);
        assert!(
            matches!(found[0].place, Place::Step(230..270)),
            "{}",
            found[0]
        );
    }

    #[test]
    fn a_loss_that_rises_from_the_start_is_found() {
        let losses: Vec<f64> = (0..100).map(|step| 2.3 * 1.05_f64.powi(step)).collect();
        assert_eq!(batches(Diverging::default(), &losses).len(), 1);
    }
}
