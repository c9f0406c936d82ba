//! Overfitting: the held-out loss rises while the training loss falls.

use super::{Detector, Observation, number};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, State};

/// Finds that the held-out loss has been 20 % above its lowest for 3 epochs in a row, while the training
/// loss was below what it was then.
///
/// ```
/// use modelpulse::health::Overfit;
/// let strict = Overfit::default().patience(1).rise(0.02);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Overfit {
    patience: usize,
    rise: f64,
    /// The lowest held-out loss, the training loss beside it, and their epoch.
    best: f64,
    train_then: f64,
    best_epoch: usize,
    /// Epochs in a row that were worse.
    worse: usize,
    found: bool,
}

impl Default for Overfit {
    fn default() -> Self {
        Self {
            patience: 3,
            rise: 0.2,
            best: f64::INFINITY,
            train_then: f64::INFINITY,
            best_epoch: 0,
            worse: 0,
            found: false,
        }
    }
}

impl Overfit {
    /// How many epochs in a row make a finding.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(1);
        self
    }

    /// By which part of the lowest loss the held-out loss must have risen.
    pub fn rise(mut self, part: f64) -> Self {
        self.rise = part;
        self
    }
}

impl Detector for Overfit {
    fn name(&self) -> &'static str {
        FindingKind::Overfitting.name()
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Epoch { epoch, train, eval } = seen else {
            return None;
        };
        let (train, eval) = (*train.get("loss")?, *eval.get("loss")?);
        if !train.is_finite() || !eval.is_finite() {
            return None;
        }
        if eval < self.best {
            (self.best, self.train_then, self.best_epoch) = (eval, train, epoch);
            (self.worse, self.found) = (0, false);
            return None;
        }
        let risen = eval > self.best + self.rise * self.best.abs();
        self.worse = if risen && train < self.train_then {
            self.worse + 1
        } else {
            0
        };
        if self.found || self.worse < self.patience {
            return None;
        }
        self.found = true;
        let Self {
            best,
            train_then,
            best_epoch,
            ..
        } = self;
        let sentence = format!(
            "the held-out loss rose from {} at epoch {best_epoch} to {}, while the training loss fell from {} to {}",
            figure(*best),
            figure(eval),
            figure(*train_then),
            figure(train)
        );
        let finding = Finding::new(FindingKind::Overfitting, Place::Epoch(epoch), sentence)
            .evidence(
                format!("eval/epoch_loss, epoch {best_epoch}, its lowest"),
                figure(*best),
            )
            .evidence(format!("eval/epoch_loss, epoch {epoch}"), figure(eval))
            .evidence(
                format!("train/epoch_loss, epoch {best_epoch}"),
                figure(*train_then),
            )
            .evidence(format!("train/epoch_loss, epoch {epoch}"), figure(train));
        Some(finding.advice(&[
            &format!("keep the weights of epoch {best_epoch}: EarlyStop restores them"),
            "more data, or data augmentation",
            "weight decay, dropout, or a smaller model",
        ]))
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("best", self.best);
        state.set("train_then", self.train_then);
        state.set("best_epoch", self.best_epoch as f64);
        state.set("worse", self.worse as f64);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.best = number(state, "best")?;
        self.train_then = number(state, "train_then")?;
        self.best_epoch = number(state, "best_epoch")? as usize;
        self.worse = number(state, "worse")? as usize;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::testing::{epochs, resumed};

    #[test]
    fn a_gap_that_opens_is_found_where_it_has_lasted() {
        let train: Vec<f64> = (0..20).map(|epoch| 0.85_f64.powi(epoch)).collect();
        let eval: Vec<f64> = (0..20)
            .map(|epoch| 0.5 + 0.01 * f64::from(epoch - 8).powi(2))
            .collect();
        let found = epochs(Overfit::default(), &train, &eval);
        assert_eq!(found.len(), 1);
        // Above 0.6 from epoch 12 on.
        assert_eq!(found[0].place, Place::Epoch(14));
        assert!(
            found[0].sentence.contains("from 0.5 at epoch 8 to 0.86"),
            "{}",
            found[0]
        );
        resumed(Overfit::default(), &train, &eval);
    }

    #[test]
    fn noise_and_a_training_loss_that_rises_too_are_no_overfitting() {
        let train: Vec<f64> = (0..40).map(|epoch| 0.9_f64.powi(epoch)).collect();
        let noisy: Vec<f64> = (0..40)
            .map(|epoch| 0.3 + 0.9_f64.powi(epoch) + [0.0, 0.05, 0.02][epoch as usize % 3])
            .collect();
        assert!(epochs(Overfit::default(), &train, &noisy).is_empty());
        let rising: Vec<f64> = (0..40).map(|epoch| 1.1_f64.powi(epoch)).collect();
        assert!(epochs(Overfit::default(), &rising, &rising).is_empty());
    }
}
