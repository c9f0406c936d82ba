//! Overfitting: the held-out loss rises while the training loss falls.

use super::{Detector, Observation, number, set_place};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State};

/// Finds that the held-out loss has been 20 % above its lowest for 3 epochs in a row, while the training
/// loss was below what it was then. What it lost again must also be worth telling: 5 % of what was learned. Or that it
/// has not fallen by 1 % for 9 epochs, while the model does far better on the training data: by 15 points of accuracy and
/// half the loss; without an accuracy, by a quarter of what was learned.
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
    /// The loss that the training began with.
    start: f64,
    /// The lowest held-out loss, the training loss beside it, and where they were.
    best: f64,
    train_then: f64,
    best_place: Place,
    /// Epochs in a row that were worse.
    worse: usize,
    /// The lowest held-out loss that counted as a fall, and the epochs since.
    fell: f64,
    since: usize,
    found: bool,
}

impl Default for Overfit {
    fn default() -> Self {
        Self {
            patience: 3,
            rise: 0.2,
            start: f64::NAN,
            best: f64::INFINITY,
            train_then: f64::INFINITY,
            best_place: Place::Epoch(0),
            worse: 0,
            fell: f64::INFINITY,
            since: 0,
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

    fn needs(&self, _: usize) -> Needs {
        match self.start.is_nan() {
            true => Needs::LOSS,
            false => Needs::NOTHING,
        }
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let (place, train, eval) = match *seen {
            Observation::Batch { loss, .. } => {
                if self.start.is_nan() {
                    self.start = loss;
                }
                return None;
            }
            Observation::Epoch { place, train, eval } => (place, train, eval),
            _ => return None,
        };
        let accuracies = train.get("accuracy").zip(eval.get("accuracy"));
        let (train, eval) = (*train.get("loss")?, *eval.get("loss")?);
        if !train.is_finite() || !eval.is_finite() {
            return None;
        }
        // The larger; a NaN is none.
        self.start = self.start.max(eval);
        self.since += 1;
        if self.fell.is_infinite() || eval < self.fell - 0.01 * self.fell.abs() {
            (self.fell, self.since) = (eval, 0);
        }
        let apart = match accuracies {
            Some((train_part, eval_part)) => {
                train_part - eval_part > 0.15 && eval - train > 0.5 * eval.abs()
            }
            None => eval - train > 0.25 * (self.start - train),
        };
        if apart && self.since >= 3 * self.patience && !self.found {
            self.found = true;
            return Some(self.apart(place, (train, eval), accuracies));
        }
        if eval < self.best {
            (self.best, self.train_then, self.best_place) = (eval, train, place);
            self.worse = 0;
            // A gap that stays is not closed by a little.
            self.found &= apart;
            return None;
        }
        let least = (self.rise * self.best.abs()).max(0.05 * (self.start - self.best));
        let risen = eval > self.best + least;
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
            best_place,
            ..
        } = self;
        let sentence = format!(
            "the held-out loss rose from {} at {best_place} to {}, while the training loss fell from {} to {}",
            figure(*best),
            figure(eval),
            figure(*train_then),
            figure(train)
        );
        let finding = Finding::new(FindingKind::Overfitting, place, sentence)
            .evidence(
                format!("held-out loss, {best_place}, its lowest"),
                figure(*best),
            )
            .evidence(format!("held-out loss, {place}"), figure(eval))
            .evidence(format!("training loss, {best_place}"), figure(*train_then))
            .evidence(format!("training loss, {place}"), figure(train));
        Some(finding.advice(&[
            &format!("keep the weights of {best_place}: EarlyStop restores them"),
            "more data, or data augmentation",
            "weight decay, dropout, or a smaller model",
        ]))
    }

    fn holds(&self) -> bool {
        self.found
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("start", self.start);
        state.set("best", self.best);
        state.set("train_then", self.train_then);
        set_place(&mut state, "best_place", self.best_place);
        state.set("worse", self.worse as f64);
        state.set("fell", self.fell);
        state.set("since", self.since as f64);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.best = number(state, "best")?;
        self.train_then = number(state, "train_then")?;
        self.start = number(state, "start")?;
        self.best_place = super::place(state, "best_place")?;
        self.worse = number(state, "worse")? as usize;
        self.fell = number(state, "fell")?;
        self.since = number(state, "since")? as usize;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

impl Overfit {
    fn apart(
        &self,
        place: Place,
        (train, eval): (f64, f64),
        accuracies: Option<(&f64, &f64)>,
    ) -> Finding {
        let percent = |part: f64| figure(100.0 * part);
        let sentence = match accuracies {
            Some((train, eval)) => format!(
                "the model gets {} % of the training data right, but {} % of the held-out data, and the held-out loss falls no more",
                percent(*train),
                percent(*eval)
            ),
            None => format!(
                "the loss is {} on the training data, but {} on the held-out data, where it falls no more",
                figure(train),
                figure(eval)
            ),
        };
        let mut finding = Finding::new(FindingKind::Overfitting, place, sentence)
            .evidence(format!("training loss, {place}"), figure(train))
            .evidence(format!("held-out loss, {place}"), figure(eval));
        if let Some((train, eval)) = accuracies {
            finding = finding
                .evidence(format!("training accuracy, {place}"), figure(*train))
                .evidence(format!("held-out accuracy, {place}"), figure(*eval));
        }
        finding.advice(&[
            "more data, or data augmentation",
            "weight decay, dropout, or a smaller model",
            "are both splits drawn from the same data?",
        ])
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
    fn a_gap_that_stays_is_found_though_the_held_out_loss_does_not_rise() {
        let train: Vec<f64> = (0..40).map(|epoch| 2.0 * 0.7_f64.powi(epoch)).collect();
        let eval: Vec<f64> = train.iter().map(|loss| 0.8 + loss / 2.0).collect();
        let found = epochs(Overfit::default(), &train, &eval);
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("falls no more"), "{}", found[0]);
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
