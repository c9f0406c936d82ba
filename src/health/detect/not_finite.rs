//! A loss or gradient that is no number: since when, and what came before.

use super::{Detector, Observation};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State};

/// Finds the first loss or gradient that is NaN or infinite. Where a training runs, [`NanGuard`](crate::health::NanGuard)
/// says more: which parameters are concerned.
///
/// ```
/// use modelpulse::health::{Detector, NotFinite, Observation};
/// let mut detector = NotFinite::default();
/// assert!(detector.observe(&Observation::Batch { step: 0, loss: 2.5 }).is_none());
/// let found = detector.observe(&Observation::Batch { step: 1, loss: f64::NAN }).unwrap();
/// assert_eq!(found.sentence, "the training loss became NaN at step 1; at step 0 it was 2.5");
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NotFinite {
    /// The last training loss that was a number, and where.
    last: Option<(Place, f64)>,
    found: bool,
}

impl Detector for NotFinite {
    fn name(&self) -> &'static str {
        FindingKind::NotFinite.name()
    }

    fn needs(&self, _: usize) -> Needs {
        Needs::LOSS
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let (place, what, value) = match *seen {
            Observation::Batch { step, loss } => {
                (Place::Step(step), "the training loss".to_owned(), loss)
            }
            Observation::Epoch { place, train, eval } => {
                let bad = [("the training loss", train), ("the held-out loss", eval)];
                let bad = bad.iter().find_map(|(what, split)| {
                    let loss = *split.get("loss")?;
                    (!loss.is_finite()).then_some((*what, loss))
                });
                let (what, loss) = bad?;
                (place, what.to_owned(), loss)
            }
            Observation::Gradients { step, gradients } => {
                let bad = gradients
                    .iter()
                    .find(|gradient| !gradient.norm.is_finite())?;
                let what = format!("the norm of the gradient of {}", bad.name);
                (Place::Step(step), what, bad.norm)
            }
            _ => return None,
        };
        if value.is_finite() {
            self.last = Some((place, value));
            return None;
        }
        if std::mem::replace(&mut self.found, true) {
            return None;
        }
        let before = match self.last {
            Some((place, loss)) => format!("; at {place} it was {}", figure(loss)),
            None => String::new(),
        };
        let before = if what == "the training loss" {
            before
        } else {
            String::new()
        };
        let sentence = format!("{what} became {value} at {place}{before}");
        let mut finding = Finding::new(FindingKind::NotFinite, place, sentence)
            .evidence(format!("{what}, {place}"), value);
        if let Some((place, loss)) = self.last {
            finding = finding.evidence(format!("the training loss, {place}"), figure(loss));
        }
        Some(finding.advice(&[
            "if the loss rose before: a smaller learning rate, a warm-up, gradients clipped by norm",
            "if it came out of the blue: look at the data of that batch, and at the loss for a logarithm of 0, a division by 0, an exponential of a large number",
            "in half precision: a loss scale, or bfloat16",
        ]))
    }

    fn state(&self) -> State {
        let mut state = State::new();
        if let Some((place, loss)) = self.last {
            super::set_place(&mut state, "place", place);
            state.set("loss", loss);
        }
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.found = super::number(state, "found")? != 0.0;
        self.last = match state.number("loss") {
            Some(loss) => Some((super::place(state, "place")?, loss)),
            None => None,
        };
        Ok(())
    }
}
