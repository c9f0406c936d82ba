//! Dead units: they get no gradient from any input, so they learn nothing any more.

use std::collections::BTreeMap;

use super::{Detector, Gradient, Observation, every};
use crate::health::finding::{Finding, FindingKind, Place, figure};
use crate::train::{HookError, Needs, State, Values};

/// Finds layers of which a fifth of the units or more got no gradient at all in each of the last 20 looks: ReLU
/// units that are 0 for every input. It looks at every 10th batch. Or, where that was counted, layers of which as many
/// were 0 for every held-out item in 3 epochs in a row.
///
/// A unit is a row of a weight, as candle and PyTorch lay them out. Rows that are looked up rather than
/// computed, as an embedding's are, rest in most batches; leave such parameters out by [`except`](Self::except).
/// Those whose name has `emb` in it are left out already.
///
/// ```
/// use modelpulse::health::DeadUnits;
/// let few = DeadUnits::default().every(1).looks(100).share(0.05).except("lookup");
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct DeadUnits {
    every: usize,
    looks: usize,
    share: f64,
    except: Vec<String>,
    /// In how many looks in a row each unit was idle, by parameter; and whether that was found.
    idle: BTreeMap<String, (Vec<u32>, bool)>,
    /// In how many epochs in a row a layer had so many dead units.
    silent: BTreeMap<String, usize>,
}

impl Default for DeadUnits {
    fn default() -> Self {
        Self {
            every: 10,
            looks: 20,
            share: 0.2,
            except: vec!["emb".to_owned()],
            idle: BTreeMap::new(),
            silent: BTreeMap::new(),
        }
    }
}

impl DeadUnits {
    /// Looks at every `batches`-th batch.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// In how many looks in a row a unit must have been idle to be dead.
    pub fn looks(mut self, looks: u32) -> Self {
        self.looks = looks.max(1) as usize;
        self
    }

    /// Which part of a layer's units must be dead.
    pub fn share(mut self, part: f64) -> Self {
        self.share = part;
        self
    }

    /// Leaves out parameters whose name contains `part`.
    pub fn except(mut self, part: impl Into<String>) -> Self {
        self.except.push(part.into());
        self
    }
}

impl Detector for DeadUnits {
    fn name(&self) -> &'static str {
        FindingKind::DeadUnits.name()
    }

    fn needs(&self, step: usize) -> Needs {
        every(self.every, step, Needs::GRADIENTS)
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let (step, gradients) = match *seen {
            Observation::Gradients { step, gradients } => (step, gradients),
            Observation::DeadShare {
                place,
                layer,
                share,
            } => return self.share_of(place, layer, share),
            _ => return None,
        };
        // Where nothing has a gradient, no unit in particular is dead.
        if gradients.iter().all(|gradient| gradient.norm == 0.0) {
            return None;
        }
        let mut worst: Option<(&str, usize, usize)> = None;
        for Gradient { name, idle, .. } in gradients {
            if idle.is_empty() || self.except.iter().any(|part| name.contains(&part[..])) {
                continue;
            }
            let (counts, found) = self.idle.entry(name.clone()).or_default();
            counts.resize(idle.len(), 0);
            for (count, &idle) in counts.iter_mut().zip(idle) {
                *count = if idle { count.saturating_add(1) } else { 0 };
            }
            let dead = |count: &&u32| **count as usize >= self.looks;
            let dead = counts.iter().filter(dead).count();
            if *found || (dead as f64) < self.share * idle.len() as f64 || dead == 0 {
                continue;
            }
            *found = true;
            if worst.is_none_or(|(_, most, _)| dead > most) {
                worst = Some((name, dead, idle.len()));
            }
        }
        let (name, dead, units) = worst?;
        let looks = self.looks;
        let sentence = format!(
            "{dead} of the {units} units of {name} got no gradient in any of the last {looks} batches looked at: they answer none of these inputs"
        );
        let finding = Finding::new(FindingKind::DeadUnits, Place::Step(step), sentence)
            .evidence(
                format!("units of {name} without a gradient"),
                format!("{dead} of {units}"),
            )
            .evidence("share", figure(dead as f64 / units as f64))
            .evidence(format!("batches looked at, every {}th", self.every), looks);
        Some(finding.advice(ADVICE))
    }

    fn state(&self) -> State {
        let mut state = super::counts_state(&self.silent, 0);
        for (name, (counts, found)) in &self.idle {
            let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
            let mut layer = State::new();
            layer.insert("idle", &[counts.len()], Values::F64(&counts));
            layer.set("found", f64::from(*found));
            state.nest(&format!("gradient.{name}"), layer);
        }
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let layers = state.iter().filter_map(|(name, _, counts)| {
            let name = name.strip_prefix("gradient.")?.strip_suffix(".idle")?;
            let counts = counts.iter().map(|count| count as u32).collect();
            let found = state.number(&format!("gradient.{name}.found")) == Some(1.0);
            Some((name.to_owned(), (counts, found)))
        });
        self.idle = layers.collect();
        (self.silent, _) = super::load_counts(state)?;
        Ok(())
    }
}

const ADVICE: &[&str] = &[
    "a smaller learning rate, or a warm-up: one large step can kill a ReLU for good",
    "leaky ReLU or GELU, which always pass some gradient",
    "first weights and biases that are not too far below 0, and inputs around 0",
];

/// Epochs in a row.
const EPOCHS: usize = 3;

impl DeadUnits {
    fn share_of(&mut self, place: Place, layer: &str, share: f64) -> Option<Finding> {
        if self.except.iter().any(|part| layer.contains(&part[..]))
            || share.is_nan()
            || share < self.share
        {
            self.silent.remove(layer);
            return None;
        }
        let epochs = self.silent.entry(layer.to_owned()).or_default();
        *epochs += 1;
        if *epochs != EPOCHS {
            return None;
        }
        let sentence = format!(
            "{} % of the units of {layer} are 0 for every held-out item: they answer none of these inputs",
            figure(100.0 * share)
        );
        let finding = Finding::new(FindingKind::DeadUnits, place, sentence)
            .evidence(format!("dead units of {layer}, {place}"), figure(share))
            .evidence(format!("{} in a row", place.unit(EPOCHS)), EPOCHS);
        Some(finding.advice(ADVICE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer `w` whose unit `unit` is alive in the look `look` if `alive` says so, for 100 looks.
    fn looks(alive: impl Fn(usize, usize) -> bool) -> Vec<Finding> {
        let mut detector = DeadUnits::default();
        let found = (0..100).filter_map(|look| {
            let mut next = DeadUnits::default();
            next.load_state(&detector.state()).unwrap();
            detector = next;
            let values: Vec<f32> = (0..10)
                .flat_map(|unit| [0.0, if alive(unit, look) { 1e-9 } else { 0.0 }])
                .collect();
            let gradients = [
                Gradient::of("embedding", &[2, 1], Values::F32(&[0.0, 1.0])),
                Gradient::of("w", &[10, 2], Values::F32(&values)),
            ];
            detector.observe(&Observation::Gradients {
                step: look * 10,
                gradients: &gradients,
            })
        });
        found.collect()
    }

    #[test]
    fn units_that_never_learn_are_found_once() {
        let found = looks(|unit, look| unit > 2 || look < 7);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Place::Step(260));
        assert!(
            found[0].sentence.starts_with("3 of the 10 units of w "),
            "{}",
            found[0]
        );
    }

    #[test]
    fn one_dead_unit_of_ten_is_well_and_so_are_units_that_rest() {
        assert!(looks(|unit, _| unit > 0).is_empty());
        assert!(looks(|unit, look| (look + unit) % 15 == 0).is_empty());
        assert_eq!(looks(|_, _| false).len(), 1);
    }
}
