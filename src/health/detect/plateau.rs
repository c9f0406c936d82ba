//! Plateau: the training loss falls no more.

use super::{Detector, Observation, number, set_place};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, State};

/// Finds that the training loss has not fallen by 1 % for 10 epochs, though it stands above a tenth of the first one, and
/// the accuracy on the training data, where it is known, below 95 %. A loss that crawls down is another finding:
/// [`LearningRateLow`](crate::health::LearningRateLow).
///
/// ```
/// use modelpulse::health::Plateau;
/// let strict = Plateau::default().patience(5).least(0.001);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    patience: usize,
    least: f64,
    /// The first loss, and the largest.
    first: f64,
    largest: f64,
    /// The lowest loss that counted as a fall, and where it was.
    best: f64,
    best_place: Place,
    /// How many epochs came since, and in how many of them the loss rose.
    since: usize,
    rises: usize,
    last: f64,
    found: bool,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            patience: 10,
            least: 0.01,
            first: f64::NAN,
            largest: f64::NEG_INFINITY,
            best: f64::INFINITY,
            best_place: Place::Epoch(0),
            since: 0,
            rises: 0,
            last: f64::NAN,
            found: false,
        }
    }
}

impl Plateau {
    /// How many epochs without a fall make a plateau.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(1);
        self
    }

    /// The least part of the loss that counts as a fall.
    pub fn least(mut self, part: f64) -> Self {
        self.least = part;
        self
    }
}

impl Detector for Plateau {
    fn name(&self) -> &'static str {
        FindingKind::Plateau.name()
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Epoch { place, train, .. } = seen else {
            return None;
        };
        let loss = *train.get("loss")?;
        // A loss that is no number is another finding.
        if !loss.is_finite() {
            return None;
        }
        let before = std::mem::replace(&mut self.last, loss);
        self.largest = self.largest.max(loss);
        if self.best.is_infinite() || loss < self.best - self.least * self.best.abs() {
            if self.best.is_infinite() {
                self.first = loss;
            }
            (self.best, self.best_place, self.found) = (loss, place, false);
            (self.since, self.rises) = (0, 0);
            return None;
        }
        self.since += 1;
        self.rises += usize::from(loss >= before);
        let epochs = self.since;
        let low = loss <= 0.1 * self.first.abs();
        let accurate = train.get("accuracy").is_some_and(|&part| part >= 0.95);
        // What crawls, or never moved at all, has too small steps.
        let crawls = (self.rises * 5 < epochs && loss > 0.7 * self.first.abs())
            || self.largest - self.best <= self.least * self.first.abs();
        if self.found || epochs < self.patience || low || accurate || crawls {
            self.found &= !low && !accurate;
            return None;
        }
        self.found = true;
        let (since, least) = (self.best_place, figure(100.0 * self.least));
        let sentence = format!(
            "the training loss has not fallen by {least} % since {since}, {epochs} {} ago",
            place.unit(epochs)
        );
        let finding = Finding::new(FindingKind::Plateau, place, sentence)
            .evidence(format!("training loss, {since}"), figure(self.best))
            .evidence(format!("training loss, {place}"), figure(loss));
        Some(finding.advice(&[
            "lower the learning rate: reduce on plateau, or a schedule that falls; a higher one, if it has fallen to next to nothing",
            "a larger model, better inputs, less regularisation: it may not be able to do better",
            "if the model is good enough, stop here: EarlyStop does that",
        ]))
    }

    fn holds(&self) -> bool {
        self.found
    }

    fn state(&self) -> State {
        let mut state = State::new();
        for (name, value) in [
            ("first", self.first),
            ("largest", self.largest),
            ("best", self.best),
            ("since", self.since as f64),
            ("rises", self.rises as f64),
            ("last", self.last),
            ("found", f64::from(self.found)),
        ] {
            state.set(name, value);
        }
        set_place(&mut state, "best_place", self.best_place);
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.first = number(state, "first")?;
        self.largest = number(state, "largest")?;
        self.best = number(state, "best")?;
        self.best_place = super::place(state, "best_place")?;
        self.since = number(state, "since")? as usize;
        self.rises = number(state, "rises")? as usize;
        self.last = number(state, "last")?;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::testing::{epochs, resumed};

    #[test]
    fn a_loss_that_stands_is_found_once_until_it_falls_again() {
        let mut losses: Vec<f64> = (0..10).map(|epoch| 0.8_f64.powi(epoch)).collect();
        losses.extend([0.134; 25]);
        let found = epochs(Plateau::default(), &losses, &losses);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place::Epoch(19));
        losses.extend([0.11; 15]);
        assert_eq!(epochs(Plateau::default(), &losses, &losses).len(), 2);
        resumed(Plateau::default(), &losses, &losses);
    }

    #[test]
    fn a_loss_that_falls_slowly_is_no_plateau() {
        let losses: Vec<f64> = (0..100).map(|epoch| 0.995_f64.powi(epoch)).collect();
        assert!(epochs(Plateau::default(), &losses, &losses).is_empty());
        // It learned what there is to learn.
        let losses: Vec<f64> = (0..100).map(|epoch| 0.5_f64.powi(epoch.min(4))).collect();
        assert!(epochs(Plateau::default(), &losses, &losses).is_empty());
        let broken = [f64::NAN; 30];
        assert!(epochs(Plateau::default(), &broken, &broken).is_empty());
    }
}
