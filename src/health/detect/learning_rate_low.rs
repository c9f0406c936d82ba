//! A learning rate that is too low: the training loss falls, steadily, but hardly.

use super::{Detector, Observation, numbers};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, State, Values};

/// Finds, from the 5th epoch on, that the training loss has hardly moved from where it began (by 1 %), or that it is
/// above 70 % of that and still falls as steadily as at first.
///
/// ```
/// use modelpulse::health::LearningRateLow;
/// let patient = LearningRateLow::default().patience(20);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRateLow {
    patience: usize,
    /// The training loss of each epoch.
    losses: Vec<f64>,
    accurate: bool,
    found: bool,
}

impl Default for LearningRateLow {
    fn default() -> Self {
        Self {
            patience: 5,
            losses: Vec::new(),
            accurate: false,
            found: false,
        }
    }
}

impl LearningRateLow {
    /// After how many epochs it is looked for.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(3);
        self
    }

    /// What is the matter, in words, if something is.
    fn symptom(&self) -> Option<&'static str> {
        let (&first, &last) = (self.losses.first()?, self.losses.last()?);
        if self.losses.len() < self.patience || self.accurate {
            return None;
        }
        let middle = self.losses[(self.losses.len() - 1) / 2];
        let largest = self.losses.iter().copied().fold(first, f64::max);
        let least = self.losses.iter().copied().fold(first, f64::min);
        let pairs = || self.losses.windows(2);
        let rises = pairs().filter(|pair| pair[1] > pair[0]).count();
        let falls_steadily = rises * 4 <= pairs().count();
        if largest - least <= 0.01 * first.abs() {
            return Some("has hardly moved");
        }
        let far = last > first - 0.3 * first.abs();
        let as_at_first = first - middle <= 1.5 * (middle - last);
        (far && falls_steadily && as_at_first).then_some("falls steadily, but slowly")
    }
}

impl Detector for LearningRateLow {
    fn name(&self) -> &'static str {
        FindingKind::LearningRateLow.name()
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Epoch { place, train, .. } = seen else {
            return None;
        };
        let loss = *train.get("loss")?;
        if !loss.is_finite() {
            return None;
        }
        self.losses.push(loss);
        self.accurate = train.get("accuracy").is_some_and(|&part| part >= 0.9);
        let symptom = self.symptom();
        if self.found || symptom.is_none() {
            self.found &= symptom.is_some();
            return None;
        }
        self.found = true;
        Some(self.finding(place, symptom?))
    }

    fn holds(&self) -> bool {
        self.symptom().is_some()
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.insert("losses", &[self.losses.len()], Values::F64(&self.losses));
        state.set("accurate", f64::from(self.accurate));
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.losses = numbers(state, "losses")?;
        self.accurate = super::number(state, "accurate")? != 0.0;
        self.found = super::number(state, "found")? != 0.0;
        Ok(())
    }
}

impl LearningRateLow {
    fn finding(&self, place: Place, symptom: &str) -> Finding {
        let epochs = self.losses.len();
        let (first, last) = (self.losses[0], self.losses[epochs - 1]);
        let sentence = format!(
            "the training loss {symptom}: from {} to {} in {epochs} {}; the learning rate is too low",
            figure(first),
            figure(last),
            place.unit(epochs),
        );
        Finding::new(FindingKind::LearningRateLow, place, sentence)
            .evidence("the first training loss", figure(first))
            .evidence(format!("the training loss at {place}"), figure(last))
            .evidence(
                "it fell by",
                format!("{} %", figure(100.0 * (first - last) / first.abs())),
            )
            .advice(&[
                "a learning rate 10 times as high, and again until the loss rises: then a third of that",
                "a shorter warm-up, or a schedule that begins higher",
                "if the rate is usual for such models: are the parameters given to the optimizer, and do gradients reach them?",
            ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::testing::{epochs, resumed};

    #[test]
    fn a_loss_that_crawls_or_stands_where_it_began_is_found() {
        for losses in [
            (0..20)
                .map(|n| 2.4 - 0.01 * f64::from(n))
                .collect::<Vec<_>>(),
            (0..20).map(|n| 2.4 - 1e-4 * f64::from(n)).collect(),
            (0..20)
                .map(|n| 2.4 - 0.05 * f64::from(n % 2) * 0.1)
                .collect(),
        ] {
            let found = epochs(LearningRateLow::default(), &losses, &losses);
            assert_eq!(found.len(), 1, "{losses:?}");
            assert_eq!(found[0].place, Place::Epoch(4));
            resumed(LearningRateLow::default(), &losses, &losses);
        }
    }

    #[test]
    fn a_loss_that_falls_well_or_flattens_or_trembles_is_not() {
        for losses in [
            (0..20).map(|n| 2.4 * 0.8_f64.powi(n)).collect::<Vec<_>>(),
            (0..20).map(|n| 1.9 + 0.5 * 0.5_f64.powi(n)).collect(),
            (0..20).map(|n| 2.4 + 0.1 * f64::from(n * 7 % 3)).collect(),
        ] {
            let found = epochs(LearningRateLow::default(), &losses, &losses);
            assert!(found.is_empty(), "{found:?}");
        }
    }
}
