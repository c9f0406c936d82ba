//! Plateau: the training loss falls no more.

use super::{Detector, Observation, number};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, State};

/// Finds that the training loss has not fallen by 1 % for 10 epochs.
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
    /// The lowest loss that counted as a fall, and its epoch.
    best: f64,
    best_epoch: usize,
    found: bool,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            patience: 10,
            least: 0.01,
            best: f64::INFINITY,
            best_epoch: 0,
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
        let &Observation::Epoch { epoch, train, .. } = seen else {
            return None;
        };
        let loss = *train.get("loss")?;
        // A loss that is no number is another finding.
        if !loss.is_finite() {
            return None;
        }
        if self.best.is_infinite() || loss < self.best - self.least * self.best.abs() {
            (self.best, self.best_epoch, self.found) = (loss, epoch, false);
            return None;
        }
        let epochs = epoch.saturating_sub(self.best_epoch);
        if self.found || epochs < self.patience {
            return None;
        }
        self.found = true;
        let (since, least) = (self.best_epoch, figure(100.0 * self.least));
        let sentence = format!(
            "the training loss has not fallen by {least} % since epoch {since}, {epochs} epochs ago"
        );
        let finding = Finding::new(FindingKind::Plateau, Place::Epoch(epoch), sentence)
            .evidence(
                format!("train/epoch_loss, epoch {since}"),
                figure(self.best),
            )
            .evidence(format!("train/epoch_loss, epoch {epoch}"), figure(loss));
        Some(finding.advice(&[
            "if the model is good enough, stop here: EarlyStop does that",
            "lower the learning rate: reduce on plateau, or a schedule that falls",
            "if the loss stands high, a higher rate, a larger model or better inputs",
        ]))
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("best", self.best);
        state.set("best_epoch", self.best_epoch as f64);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.best = number(state, "best")?;
        self.best_epoch = number(state, "best_epoch")? as usize;
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
        losses.extend([0.1; 15]);
        assert_eq!(epochs(Plateau::default(), &losses, &losses).len(), 2);
        resumed(Plateau::default(), &losses, &losses);
    }

    #[test]
    fn a_loss_that_falls_slowly_is_no_plateau() {
        let losses: Vec<f64> = (0..100).map(|epoch| 0.995_f64.powi(epoch)).collect();
        assert!(epochs(Plateau::default(), &losses, &losses).is_empty());
        let broken = [f64::NAN; 30];
        assert!(epochs(Plateau::default(), &broken, &broken).is_empty());
    }
}
