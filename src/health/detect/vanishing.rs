//! Vanishing gradients: some parameters get next to none, while others do.

use std::collections::BTreeMap;

use super::{Detector, Gradient, Observation, every};
use crate::health::finding::{Finding, FindingKind, Place, figure, list};
use crate::train::{HookError, Needs, State};

/// Finds parameters whose gradient had less than a 100,000th of the largest one's norm, in each of the last 5
/// looks. It looks at every 20th batch.
///
/// ```
/// use modelpulse::health::VanishingGradients;
/// let rare = VanishingGradients::default().every(500).patience(3).ratio(1e-7);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct VanishingGradients {
    every: usize,
    patience: usize,
    ratio: f64,
    /// In how many looks in a row the gradient was too small, by parameter.
    small: BTreeMap<String, usize>,
    /// How many parameters the last finding had.
    found: usize,
}

impl Default for VanishingGradients {
    fn default() -> Self {
        Self {
            every: 20,
            patience: 5,
            ratio: 1e-5,
            small: BTreeMap::new(),
            found: 0,
        }
    }
}

impl VanishingGradients {
    /// Looks at every `batches`-th batch.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// How many looks in a row make a finding.
    pub fn patience(mut self, looks: usize) -> Self {
        self.patience = looks.max(1);
        self
    }

    /// How much smaller than the largest gradient one must be.
    pub fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }
}

impl Detector for VanishingGradients {
    fn name(&self) -> &'static str {
        FindingKind::VanishingGradients.name()
    }

    fn needs(&self, step: usize) -> Needs {
        every(self.every, step, Needs::GRADIENTS)
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Gradients { step, gradients } = seen else {
            return None;
        };
        let order = |a: &&Gradient, b: &&Gradient| a.norm.total_cmp(&b.norm);
        let largest = gradients.iter().max_by(order)?;
        // Nothing can be compared with a gradient that is no number, or with none.
        if !largest.norm.is_finite() || largest.norm == 0.0 {
            return None;
        }
        for Gradient { name, norm, .. } in gradients {
            if *norm >= self.ratio * largest.norm {
                self.small.remove(name);
            } else if let Some(looks) = self.small.get_mut(name) {
                *looks += 1;
            } else {
                self.small.insert(name.clone(), 1);
            }
        }
        let long = |gradient: &&Gradient| self.small.get(&gradient.name) >= Some(&self.patience);
        let mut vanished: Vec<&Gradient> = gradients.iter().filter(long).collect();
        if vanished.len() <= self.found {
            return None;
        }
        self.found = vanished.len();
        vanished.sort_by(order);
        let names: Vec<&str> = vanished.iter().map(|gradient| &gradient.name[..]).collect();
        let least = vanished[0];
        let sentence = format!(
            "{} of {} parameters get next to no gradient: {}",
            vanished.len(),
            gradients.len(),
            list(&names)
        );
        let place = Place::Step(step);
        let finding = Finding::new(FindingKind::VanishingGradients, place, sentence)
            .evidence(
                format!("norm of the gradient of {}, the least", least.name),
                figure(least.norm),
            )
            .evidence(
                format!("norm of the gradient of {}, the largest", largest.name),
                figure(largest.norm),
            )
            .evidence(
                format!("looks in a row below {} of it", figure(self.ratio)),
                self.patience,
            );
        Some(finding.advice(&[
            "ReLU or GELU in place of sigmoid or tanh",
            "residual connections, or normalisation between the layers",
            "first weights as large as the activation wants them: Kaiming's for ReLU",
            "fewer layers",
        ]))
    }

    fn state(&self) -> State {
        super::counts_state(&self.small, self.found)
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        (self.small, self.found) = super::load_counts(state)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(
        detector: &mut VanishingGradients,
        step: usize,
        norms: &[(&str, f64)],
    ) -> Option<Finding> {
        let gradients: Vec<Gradient> = norms
            .iter()
            .map(|&(name, norm)| Gradient {
                name: name.to_owned(),
                norm,
                idle: Vec::new(),
            })
            .collect();
        let gradients = &gradients[..];
        detector.observe(&Observation::Gradients { step, gradients })
    }

    #[test]
    fn a_gradient_that_stays_small_is_named_once() {
        let mut detector = VanishingGradients::default();
        let norms = [("first", 1e-9), ("last", 1.0), ("middle", 1e-3)];
        let found: Vec<Finding> = (0..20)
            .filter_map(|step| {
                // Taken up again from its state between any two looks.
                let mut next = VanishingGradients::default();
                next.load_state(&detector.state()).unwrap();
                detector = next;
                look(&mut detector, step, &norms)
            })
            .collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place::Step(4));
        assert!(
            found[0]
                .sentence
                .ends_with("1 of 3 parameters get next to no gradient: first")
        );
        // Another one joins it.
        let more = [("first", 1e-9), ("last", 1.0), ("middle", 1e-7)];
        let found: Vec<Finding> = (20..40)
            .filter_map(|step| look(&mut detector, step, &more))
            .collect();
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_gradient_that_is_small_now_and_then_is_well() {
        let mut detector = VanishingGradients::default();
        for step in 0..100 {
            let norm = if step % 5 == 0 { 1e-3 } else { 1e-9 };
            assert!(look(&mut detector, step, &[("a", norm), ("b", 1.0)]).is_none());
        }
        for norm in [f64::NAN, f64::INFINITY, 0.0] {
            assert!(look(&mut detector, 0, &[("a", 0.0), ("b", norm)]).is_none());
        }
    }
}
