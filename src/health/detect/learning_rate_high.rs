//! A learning rate that is too high: the first steps make the model worse, or the loss leaps about and falls no more.

use std::collections::VecDeque;

use super::{Detector, Observation, number, numbers};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State, Values};

/// Among so many first batches a rise is looked for.
const EARLY: usize = 20;
/// Over so many batches the loss is averaged.
const WINDOW: usize = 20;
/// After so many batches it should have come down again.
const GIVEN: usize = 100;
/// Over so many epochs it leaps about.
const EPOCHS: usize = 8;

/// Finds that the loss of 3 batches in a row among the first 20 was 1.5 times that of the very first and that it has
/// not come down again since; or that it rose by 5 % and more in 3 of 8 epochs, in which it was never lower than before.
///
/// ```
/// use modelpulse::health::{Detector, LearningRateHigh};
/// assert_eq!(LearningRateHigh::default().name(), "learning_rate_high");
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRateHigh {
    first: f64,
    batches: usize,
    /// Batches in a row that were above the first.
    above: usize,
    /// The highest early loss, and its step.
    peak: f64,
    peak_step: usize,
    rose: bool,
    recent: VecDeque<f64>,
    /// The training loss of each epoch.
    epochs: Vec<f64>,
    found: bool,
}

impl Default for LearningRateHigh {
    fn default() -> Self {
        Self {
            first: f64::NAN,
            batches: 0,
            above: 0,
            peak: f64::NEG_INFINITY,
            peak_step: 0,
            rose: false,
            recent: VecDeque::new(),
            epochs: Vec::new(),
            found: false,
        }
    }
}

impl LearningRateHigh {
    fn batch(&mut self, step: usize, loss: f64) -> Option<Finding> {
        self.batches += 1;
        if self.batches == 1 {
            self.first = loss;
            return None;
        }
        if self.batches <= EARLY + 1 {
            if loss > self.peak {
                (self.peak, self.peak_step) = (loss, step);
            }
            let above = loss > self.first + 0.5 * self.first.abs();
            self.above = if above { self.above + 1 } else { 0 };
            self.rose |= self.above >= 3;
        }
        if self.rose && !loss.is_finite() {
            return Some(self.early(Place::Step(step), loss));
        }
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(loss);
        (self.batches >= GIVEN && self.is_high(self.mean(), 0.5))
            .then(|| self.early(Place::Step(step), self.mean()))
    }

    fn epoch(&mut self, place: Place, loss: f64) -> Option<Finding> {
        self.epochs.push(loss);
        if self.epochs.len() >= 3 && self.is_high(loss, 0.25) {
            return Some(self.early(place, loss));
        }
        self.leaps().then(|| self.leaping(place))
    }

    fn mean(&self) -> f64 {
        self.recent.iter().sum::<f64>() / self.recent.len() as f64
    }

    /// Whether the first steps made it worse, and `loss` is still above this part of the first.
    fn is_high(&self, loss: f64, part: f64) -> bool {
        self.rose && loss > part * self.first.abs()
    }

    /// Whether the loss of the last epochs went up and down without a gain.
    fn leaps(&self) -> bool {
        let Some((before, last)) = self
            .epochs
            .len()
            .checked_sub(EPOCHS)
            .map(|at| self.epochs.split_at(at))
        else {
            return false;
        };
        let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
        let start = self.epochs[0];
        let rises = last.windows(2).filter(|pair| pair[1] > 1.05 * pair[0]);
        let stands_high = least(last) > 0.25 * start && least(last) > 0.95 * least(before);
        stands_high && rises.count() >= 3
    }

    fn early(&self, place: Place, loss: f64) -> Finding {
        let sentence = format!(
            "the first steps made the model worse: the loss rose from {} to {} by step {}, and is {} at {place}; the learning rate is too high",
            figure(self.first),
            figure(self.peak),
            self.peak_step,
            figure(loss),
        );
        Finding::new(FindingKind::LearningRateHigh, place, sentence)
            .evidence("loss of the first batch", figure(self.first))
            .evidence(
                format!("loss of step {}", self.peak_step),
                figure(self.peak),
            )
            .evidence(format!("loss at {place}"), figure(loss))
            .advice(ADVICE)
    }

    fn leaping(&self, place: Place) -> Finding {
        let last = &self.epochs[self.epochs.len() - EPOCHS..];
        let fold = |start, of: fn(f64, f64) -> f64| last.iter().copied().fold(start, of);
        let (least, most) = (
            fold(f64::INFINITY, f64::min),
            fold(f64::NEG_INFINITY, f64::max),
        );
        let sentence = format!(
            "the training loss goes up and down between {} and {} and falls no more; the learning rate is too high",
            figure(least),
            figure(most)
        );
        Finding::new(FindingKind::LearningRateHigh, place, sentence)
            .evidence("the first training loss", figure(self.epochs[0]))
            .evidence(format!("the least of the last {EPOCHS}"), figure(least))
            .evidence(format!("the highest of the last {EPOCHS}"), figure(most))
            .advice(ADVICE)
    }
}

const ADVICE: &[&str] = &[
    "a learning rate 10 times lower; then up again by 3 as long as the loss falls from the first step on",
    "a warm-up over the first few hundred steps",
    "clip the gradients by norm",
];

impl Detector for LearningRateHigh {
    fn name(&self) -> &'static str {
        FindingKind::LearningRateHigh.name()
    }

    fn needs(&self, _: usize) -> Needs {
        Needs::LOSS
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let found = match *seen {
            Observation::Batch { step, loss } => self.batch(step, loss),
            Observation::Epoch { place, train, .. } => {
                let loss = *train.get("loss")?;
                loss.is_finite().then(|| self.epoch(place, loss)).flatten()
            }
            _ => None,
        };
        if self.found {
            return None;
        }
        self.found = found.is_some();
        found
    }

    fn holds(&self) -> bool {
        let mean = self.mean();
        let last = self.epochs.last().copied().unwrap_or(mean);
        self.leaps() || mean.is_nan() || !mean.is_finite() || self.is_high(mean.min(last), 0.25)
    }

    fn state(&self) -> State {
        let recent: Vec<f64> = self.recent.iter().copied().collect();
        let mut state = State::new();
        state.insert("recent", &[recent.len()], Values::F64(&recent));
        state.insert("epochs", &[self.epochs.len()], Values::F64(&self.epochs));
        for (name, value) in [
            ("first", self.first),
            ("batches", self.batches as f64),
            ("above", self.above as f64),
            ("peak", self.peak),
            ("peak_step", self.peak_step as f64),
            ("rose", f64::from(self.rose)),
            ("found", f64::from(self.found)),
        ] {
            state.set(name, value);
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.recent = numbers(state, "recent")?.into();
        self.epochs = numbers(state, "epochs")?;
        self.first = number(state, "first")?;
        self.batches = number(state, "batches")? as usize;
        self.above = number(state, "above")? as usize;
        self.peak = number(state, "peak")?;
        self.peak_step = number(state, "peak_step")? as usize;
        self.rose = number(state, "rose")? != 0.0;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::testing::{batches, epochs, resumed};

    #[test]
    fn a_loss_that_leaps_up_first_and_stays_is_found() {
        let mut losses = vec![2.3, 20.0, 9.0, 5.0];
        losses.extend([2.4; 200]);
        let found = batches(LearningRateHigh::default(), &losses);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].sentence.contains("from 2.3 to 20 by step 1"),
            "{}",
            found[0]
        );
        // One that comes down again was only a start.
        losses.truncate(4);
        losses.extend((0..200).map(|step| 2.4 * 0.95_f64.powi(step)));
        assert!(batches(LearningRateHigh::default(), &losses).is_empty());
    }

    #[test]
    fn a_loss_that_goes_up_and_down_is_found_and_a_little_noise_is_not() {
        let leaping = [3.4, 1.7, 1.9, 1.7, 1.9, 1.7, 2.1, 1.8, 2.0, 1.75];
        assert_eq!(
            epochs(LearningRateHigh::default(), &leaping, &leaping).len(),
            1
        );
        resumed(LearningRateHigh::default(), &leaping, &leaping);
        let trembling = [3.4, 1.8, 1.81, 1.79, 1.8, 1.78, 1.8, 1.79, 1.8, 1.78];
        assert!(epochs(LearningRateHigh::default(), &trembling, &trembling).is_empty());
    }
}
