//! A class that the model never recognises, while it does the others: it is missing from the training data.

use std::collections::BTreeMap;

use super::{ClassRecall, Detector, Observation};
use crate::health::finding::{Finding, FindingKind, figure, list};
use crate::train::{HookError, State};

/// Finds classes of which in 3 evaluations in a row no held-out item was recognised, while of the others half were or more; and those are twice as many.
///
/// ```
/// use modelpulse::health::MissingClass;
/// let patient = MissingClass::default().patience(10);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct MissingClass {
    patience: usize,
    /// Evaluations in a row without a recognised item, by class.
    missed: BTreeMap<String, usize>,
    /// How many classes the last finding had.
    found: usize,
}

impl Default for MissingClass {
    fn default() -> Self {
        Self {
            patience: 3,
            missed: BTreeMap::new(),
            found: 0,
        }
    }
}

impl MissingClass {
    /// How many evaluations in a row make a finding.
    pub fn patience(mut self, evaluations: usize) -> Self {
        self.patience = evaluations.max(1);
        self
    }
}

impl Detector for MissingClass {
    fn name(&self) -> &'static str {
        FindingKind::MissingClass.name()
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let &Observation::Classes { place, classes } = seen else {
            return None;
        };
        let known = || classes.iter().filter(|class| class.recall.is_finite());
        let (mut sum, mut recognised) = (0.0, 0_u32);
        for ClassRecall { recall, .. } in known().filter(|class| class.recall > 0.0) {
            sum += recall;
            recognised += 1;
        }
        let mean = sum / f64::from(recognised);
        // A model that says one thing of everything is another matter.
        let most = 3 * recognised as usize >= 2 * known().count();
        for ClassRecall { name, recall, .. } in known() {
            if *recall == 0.0 && mean >= 0.5 && most {
                *self.missed.entry(name.clone()).or_default() += 1;
            } else {
                self.missed.remove(name);
            }
        }
        let missing: Vec<&ClassRecall> = known()
            .filter(|class| self.missed.get(&class.name) >= Some(&self.patience))
            .collect();
        if missing.len() <= self.found {
            return None;
        }
        self.found = missing.len();
        let names: Vec<&str> = missing.iter().map(|class| &class.name[..]).collect();
        let sentence = format!(
            "class {} is never recognised, while {} % of the others are: it is missing from the training data, or nearly so",
            list(&names),
            figure(100.0 * mean)
        );
        let mut finding = Finding::new(FindingKind::MissingClass, place, sentence);
        for class in &missing {
            let of = match class.items {
                Some(items) => format!("0 of {items} items"),
                None => "0".to_owned(),
            };
            finding = finding.evidence(format!("recall of class {}, {place}", class.name), of);
        }
        finding = finding
            .evidence(
                format!("mean recall of the other {recognised} classes"),
                figure(mean),
            )
            .evidence("evaluations in a row", self.patience);
        Some(finding.advice(&[
            "count the classes of the training data; look at how it was split, filtered and read",
            "split it so that each class is in each part (stratified)",
            "if there is little of the class: more of it, or a weight in the loss",
        ]))
    }

    fn holds(&self) -> bool {
        self.missed.values().any(|&count| count >= self.patience)
    }

    fn state(&self) -> State {
        super::counts_state(&self.missed, self.found)
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        (self.missed, self.found) = super::load_counts(state)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Place;

    fn evaluations(recalls: &[[f64; 3]]) -> Vec<Finding> {
        let mut detector = MissingClass::default();
        let found = recalls.iter().enumerate().filter_map(|(epoch, recalls)| {
            let mut next = MissingClass::default();
            next.load_state(&detector.state()).unwrap();
            detector = next;
            let class = |(class, &recall): (usize, &f64)| ClassRecall {
                name: class.to_string(),
                recall,
                items: Some(30),
            };
            let classes: Vec<ClassRecall> = recalls.iter().enumerate().map(class).collect();
            let place = Place::Epoch(epoch);
            detector.observe(&Observation::Classes {
                place,
                classes: &classes,
            })
        });
        found.collect()
    }

    #[test]
    fn a_class_that_stays_unknown_is_named_once() {
        let found = evaluations(&[[0.9, 0.0, 0.8]; 10]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].sentence.starts_with("class 1 is never"),
            "{}",
            found[0]
        );
        assert_eq!(found[0].place, Place::Epoch(2));
    }

    #[test]
    fn a_class_that_is_learned_late_or_a_model_that_knows_nothing_is_not() {
        assert!(
            evaluations(&[[0.9, 0.0, 0.8], [0.9, 0.0, 0.8], [0.9, 0.1, 0.8]].repeat(4)).is_empty()
        );
        assert!(evaluations(&[[0.3, 0.0, 0.2]; 10]).is_empty());
        assert!(evaluations(&[[1.0, 0.0, 0.0]; 10]).is_empty());
        assert!(evaluations(&[[0.9, f64::NAN, 0.8]; 10]).is_empty());
    }
}
