//! Label noise: the model does worse on what it learns from than on what it has not seen.

use super::{Detector, Observation, number};
use crate::health::finding::{Finding, FindingKind, figure};
use crate::train::{HookError, State};

/// Finds that in 3 epochs in a row the accuracy on the training data was 5 points below that on the held-out data,
/// both before and behind it; where there is no accuracy, that the loss was half as large again.
///
/// The training numbers of an epoch are those of a model that is at least as good as the one before it, so what is
/// worse there than in the evaluation before is the data's fault: wrong labels, or what is done to it and the model in
/// training alone.
///
/// ```
/// use modelpulse::health::LabelNoise;
/// let strict = LabelNoise::default().patience(2).points(0.02);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct LabelNoise {
    patience: usize,
    points: f64,
    /// The held-out accuracy and loss of the evaluation before; NaN where there was none.
    accuracy: f64,
    loss: f64,
    /// The first held-out loss.
    first: f64,
    /// Epochs in a row.
    worse: usize,
    found: bool,
}

impl Default for LabelNoise {
    fn default() -> Self {
        Self {
            patience: 3,
            points: 0.05,
            accuracy: f64::NAN,
            loss: f64::NAN,
            first: f64::NAN,
            worse: 0,
            found: false,
        }
    }
}

impl LabelNoise {
    /// How many epochs in a row make a finding.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(1);
        self
    }

    /// By how much the accuracy must be lower, as a part of 1.
    pub fn points(mut self, part: f64) -> Self {
        self.points = part;
        self
    }
}

impl Detector for LabelNoise {
    fn name(&self) -> &'static str {
        FindingKind::LabelNoise.name()
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Epoch { place, train, eval } = seen else {
            return None;
        };
        let of = |metrics: &std::collections::BTreeMap<String, f64>, name: &str| {
            metrics.get(name).copied().unwrap_or(f64::NAN)
        };
        let [train_accuracy, accuracy] = [train, eval].map(|split| of(split, "accuracy"));
        let [train_loss, loss] = [train, eval].map(|split| of(split, "loss"));
        let (accuracy_before, loss_before) = (self.accuracy, self.loss);
        (self.accuracy, self.loss) = (accuracy, loss);
        if self.first.is_nan() {
            self.first = loss;
        }
        // A model that knows nothing is right now and then, on the one split more than on the other.
        let learned = accuracy >= 0.5 || (accuracy.is_nan() && loss < 0.8 * self.first);
        let by_accuracy = !(train_accuracy.is_nan() || accuracy.is_nan());
        let worse = if by_accuracy {
            // A NaN before makes it false, as there was no evaluation then.
            train_accuracy < accuracy.min(accuracy_before) - self.points
                && !accuracy_before.is_nan()
        } else {
            train_loss > 1.5 * loss.max(loss_before) && loss > 0.0 && loss_before > 0.0
        };
        self.worse = if worse && learned { self.worse + 1 } else { 0 };
        if self.found || self.worse < self.patience {
            return None;
        }
        self.found = true;
        let percent = |part: f64| figure(100.0 * part);
        let sentence = if by_accuracy {
            format!(
                "the model gets {} % of the training data right, but {} % of the held-out data: labels of the training data are wrong",
                percent(train_accuracy),
                percent(accuracy)
            )
        } else {
            format!(
                "the loss on the training data is {}, on the held-out data {}: labels of the training data are wrong",
                figure(train_loss),
                figure(loss)
            )
        };
        let mut finding = Finding::new(FindingKind::LabelNoise, place, sentence);
        for (what, value) in [
            ("training accuracy", train_accuracy),
            ("held-out accuracy", accuracy),
            ("held-out accuracy before", accuracy_before),
            ("training loss", train_loss),
            ("held-out loss", loss),
        ] {
            if !value.is_nan() {
                finding = finding.evidence(format!("{what}, {place}"), figure(value));
            }
        }
        Some(finding.advice(&[
            "look at the training items with the largest loss: `modelpulse evaluate` ranks labels that are probably wrong",
            "if dropout or augmentation is strong, this may be their doing: compare without them",
            "a loss that forgives some wrong labels: label smoothing, or a robust one; stop early, before they are learned by heart",
        ]))
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("accuracy", self.accuracy);
        state.set("loss", self.loss);
        state.set("first", self.first);
        state.set("worse", self.worse as f64);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.accuracy = number(state, "accuracy")?;
        self.loss = number(state, "loss")?;
        self.first = number(state, "first")?;
        self.worse = number(state, "worse")? as usize;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Place;
    use crate::health::detect::testing::{epochs, resumed};

    #[test]
    fn a_model_that_does_better_on_what_it_has_not_seen_is_found() {
        let eval: Vec<f64> = (0..20).map(|epoch| 0.3 + 0.8_f64.powi(epoch)).collect();
        let train: Vec<f64> = eval.iter().map(|loss| loss + 0.6).collect();
        let found = epochs(LabelNoise::default(), &train, &eval);
        assert_eq!(found.len(), 1);
        resumed(LabelNoise::default(), &train, &eval);
        let mut detector = LabelNoise::default();
        let found = (0..9).filter_map(|epoch| {
            let [train, eval] = [0.7, 0.9].map(|part| [("accuracy".to_owned(), part)].into());
            detector.observe(&Observation::Epoch {
                place: Place::Epoch(epoch),
                train: &train,
                eval: &eval,
            })
        });
        let found: Vec<Finding> = found.collect();
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .sentence
                .starts_with("the model gets 70 % of the training"),
            "{}",
            found[0]
        );
        assert_eq!(found[0].place, Place::Epoch(3));
    }

    #[test]
    fn a_mean_that_lags_behind_a_model_that_learns_fast_is_well() {
        // Each epoch's mean lies between the evaluations around it.
        let eval: Vec<f64> = (0..20).map(|epoch| 0.4_f64.powi(epoch)).collect();
        let train: Vec<f64> = eval.iter().map(|loss| 2.0 * loss).collect();
        assert!(epochs(LabelNoise::default(), &train, &eval).is_empty());
    }
}
