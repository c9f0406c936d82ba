//! Exploding gradients: they are far too large from the start, or become so.

use std::collections::VecDeque;

use super::{Detector, Observation, every, number, numbers};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State, Values};

/// So many norms are remembered.
const MEMORY: usize = 200;

/// Finds that the norm of all gradients together is 100 times its median, in each of the last 2 looks, or that it is
/// above 1,000 in all of the first 5, and above 100 times the loss, or that of a classifier, whose loss begins at the
/// logarithm of the number of its classes. It looks at every 10th batch.
///
/// ```
/// use modelpulse::health::ExplodingGradients;
/// let often = ExplodingGradients::default().every(1).factor(1e3);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct ExplodingGradients {
    every: usize,
    factor: f64,
    norms: VecDeque<f64>,
    looks: usize,
    /// Looks in a row that were too large.
    large: usize,
    /// How many of the first five were far too large, and the last of them.
    huge: usize,
    first: (usize, f64),
    loss: f64,
    found: bool,
}

impl Default for ExplodingGradients {
    fn default() -> Self {
        Self {
            every: 10,
            factor: 100.0,
            norms: VecDeque::new(),
            looks: 0,
            large: 0,
            huge: 0,
            first: (0, f64::NAN),
            loss: f64::NAN,
            found: false,
        }
    }
}

/// So many looks show how large gradients are from the start.
const FIRST: usize = 5;

impl ExplodingGradients {
    /// Looks at every `batches`-th batch.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// How many times its median the norm must be.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    fn median(&self) -> f64 {
        let mut sorted: Vec<f64> = self.norms.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn look(&mut self, step: usize, norm: f64) -> Option<Finding> {
        // What is no number is another finding.
        if norm.is_nan() {
            return None;
        }
        self.looks += 1;
        if self.looks <= FIRST {
            self.huge += usize::from(norm > 1e3);
            self.first = (step, norm);
            if self.huge == FIRST && norm > 100.0 * self.loss.abs() {
                return Some(self.huge_first());
            }
        }
        let median = self.median();
        let large = self.norms.len() >= FIRST && median > 0.0 && norm > self.factor * median;
        self.large = if large { self.large + 1 } else { 0 };
        if !large {
            if self.norms.len() == MEMORY {
                self.norms.pop_front();
            }
            self.norms.push_back(norm);
        }
        (self.large == 2).then(|| {
            let sentence = format!(
                "the norm of the gradients rose to {}, {} times its median",
                figure(norm),
                figure(norm / median)
            );
            self.finding(step, norm, sentence)
                .evidence("its median up to then", figure(median))
        })
    }

    fn huge_first(&self) -> Finding {
        let (step, norm) = self.first;
        let sentence = format!(
            "the gradients are far too large from the start: their norm is {}",
            figure(norm)
        );
        self.finding(step, norm, sentence)
    }

    fn finding(&self, step: usize, norm: f64, sentence: String) -> Finding {
        let place = Place::Step(step);
        let mut finding = Finding::new(FindingKind::ExplodingGradients, place, sentence)
            .evidence("norm of the gradients", figure(norm));
        if self.loss.is_finite() {
            finding = finding.evidence("the loss then", figure(self.loss));
        }
        finding.advice(&[
            "clip the gradients by norm: at 1, or at their usual norm",
            "first weights that are not too large: Kaiming's for ReLU, Xavier's for tanh; inputs and targets scaled to about 1",
            "normalisation between the layers, or residual connections; fewer steps back in time for recurrent layers",
            "a smaller learning rate, or a warm-up",
        ])
    }
}

impl Detector for ExplodingGradients {
    fn name(&self) -> &'static str {
        FindingKind::ExplodingGradients.name()
    }

    fn needs(&self, step: usize) -> Needs {
        every(self.every, step, Needs::GRADIENTS | Needs::LOSS)
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let found = match *seen {
            Observation::Batch { loss, .. } => {
                self.loss = loss;
                None
            }
            Observation::Gradients { step, gradients } => {
                let squares = gradients
                    .iter()
                    .map(|gradient| gradient.norm * gradient.norm);
                self.look(step, squares.sum::<f64>().sqrt())
            }
            Observation::Epoch { train, .. } => {
                let classifies = train.contains_key("accuracy");
                (self.huge == FIRST && classifies).then(|| self.huge_first())
            }
            _ => None,
        };
        if self.found {
            return None;
        }
        self.found = found.is_some();
        found
    }

    fn state(&self) -> State {
        let norms: Vec<f64> = self.norms.iter().copied().collect();
        let mut state = State::new();
        state.insert("norms", &[norms.len()], Values::F64(&norms));
        for (name, value) in [
            ("looks", self.looks as f64),
            ("large", self.large as f64),
            ("huge", self.huge as f64),
            ("step", self.first.0 as f64),
            ("norm", self.first.1),
            ("loss", self.loss),
            ("found", f64::from(self.found)),
        ] {
            state.set(name, value);
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.norms = numbers(state, "norms")?.into();
        self.looks = number(state, "looks")? as usize;
        self.large = number(state, "large")? as usize;
        self.huge = number(state, "huge")? as usize;
        self.first = (number(state, "step")? as usize, number(state, "norm")?);
        self.loss = number(state, "loss")?;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::detect::Gradient;

    fn looks(norms: impl IntoIterator<Item = f64>) -> Vec<Finding> {
        let mut detector = ExplodingGradients::default();
        let found = norms.into_iter().enumerate().filter_map(|(look, norm)| {
            let mut next = ExplodingGradients::default();
            next.load_state(&detector.state()).unwrap();
            detector = next;
            let gradients = [Gradient::of_norm("all", norm)];
            detector.observe(&Observation::Batch {
                step: look * 10,
                loss: 1.0,
            });
            detector.observe(&Observation::Gradients {
                step: look * 10,
                gradients: &gradients,
            })
        });
        found.collect()
    }

    #[test]
    fn norms_that_explode_or_are_huge_huge_first_are_found_once() {
        let found = looks((0..40).map(|look| if look < 20 { 1.0 } else { 1e4 }));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place::Step(210));
        assert!(
            found[0].sentence.ends_with("10000 times its median"),
            "{}",
            found[0]
        );
        let found = looks((0..40).map(|_| 1e6));
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("from the start"), "{}", found[0]);
        assert_eq!(
            looks((0..10).map(|look| if look < 6 { 1.0 } else { f64::INFINITY })).len(),
            1
        );
    }

    #[test]
    fn one_large_norm_and_norms_that_fall_are_well() {
        assert!(looks((0..40).map(|look| if look == 20 { 1e6 } else { 1.0 })).is_empty());
        assert!(looks((0..40).map(|look| 500.0 * 0.7_f64.powi(look))).is_empty());
        assert!(looks((0..40).map(|_| f64::NAN)).is_empty());
    }
}
