//! Data that is not shuffled: the loss goes through the same ups and downs in each epoch.

use super::{Detector, Observation, number, numbers};
use crate::health::finding::{Finding, FindingKind, figure};
use crate::train::{HookError, Needs, State, Values};

/// Of an epoch so many batches are looked at, from its start on.
const MOST: usize = 4096;
/// An epoch of fewer batches says nothing.
const LEAST: usize = 8;

/// Finds that in 3 epochs in a row the loss rose and fell from batch to batch as in the epoch before: that the
/// changes have a correlation of 0.5 or more, and that this is no chance.
///
/// Batches of random items are as easy or hard as it happens; only a fixed order makes them alike.
///
/// ```
/// use modelpulse::health::Unshuffled;
/// let strict = Unshuffled::default().patience(2);
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Unshuffled {
    patience: usize,
    /// The losses of the epoch before, and of this one.
    before: Vec<f64>,
    now: Vec<f64>,
    alike: usize,
    /// The sum of their correlations.
    sum: f64,
    found: bool,
}

impl Default for Unshuffled {
    fn default() -> Self {
        Self {
            patience: 3,
            before: Vec::new(),
            now: Vec::new(),
            alike: 0,
            sum: 0.0,
            found: false,
        }
    }
}

impl Unshuffled {
    /// How many epochs in a row, each like the one before, make a finding.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs.max(1);
        self
    }
}

/// The correlation of the changes from batch to batch; the trend of an epoch is not in them.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let changes =
        |losses: &[f64]| -> Vec<f64> { losses.windows(2).map(|pair| pair[1] - pair[0]).collect() };
    let (a, b) = (changes(a), changes(b));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let size = dot(&a, &a).sqrt() * dot(&b, &b).sqrt();
    (size > 0.0 && size.is_finite()).then(|| dot(&a, &b) / size)
}

impl Detector for Unshuffled {
    fn name(&self) -> &'static str {
        FindingKind::Unshuffled.name()
    }

    fn needs(&self, _: usize) -> Needs {
        Needs::LOSS
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding> {
        let place = match *seen {
            Observation::Batch { loss, .. } => {
                if self.now.len() < MOST {
                    self.now.push(loss);
                }
                return None;
            }
            Observation::Epoch { place, .. } => place,
            _ => return None,
        };
        let now = std::mem::take(&mut self.now);
        let before = std::mem::replace(&mut self.before, now);
        let now = &self.before;
        // A run that was resumed within an epoch, or whose batches are logged now and then, has no pairs.
        let pairs = before.len() == now.len() && now.len() >= LEAST;
        let alike = pairs.then(|| correlation(&before, now)).flatten();
        // Neighbours share a loss, so that of pure noise the correlation's deviation is about 1.2 / √n.
        let chance = 4.0 * 1.2 / (now.len() as f64).sqrt();
        match alike {
            Some(alike) if alike >= chance.clamp(0.5, 0.9) => {
                self.alike += 1;
                self.sum += alike;
            }
            _ => (self.alike, self.sum) = (0, 0.0),
        }
        if self.found || self.alike < self.patience {
            return None;
        }
        self.found = true;
        let mean = self.sum / self.alike as f64;
        let (epochs, batches) = (self.alike + 1, now.len());
        let sentence = "the loss goes through the same ups and downs in each epoch: the training data is not shuffled, or in one order for all epochs".to_owned();
        let least = now.iter().copied().fold(f64::INFINITY, f64::min);
        let most = now.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(
            Finding::new(FindingKind::Unshuffled, place, sentence)
                .evidence(
                    format!("correlation of the changes of {batches} batches with those of the epoch before, {epochs} epochs"),
                    figure(mean),
                )
                .evidence("what it would be by chance, at most", figure(chance.min(1.0)))
                .evidence(
                    format!("lowest and highest loss within the epoch, {place}"),
                    format!("{} and {}", figure(least), figure(most)),
                )
                .advice(&[
                    "shuffle the training data anew in each epoch: `shuffle=True` of a data loader; a shuffle buffer that is larger than the longest stretch of one class",
                    "if it is shuffled, give each epoch a seed of its own",
                ]),
        )
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.insert("before", &[self.before.len()], Values::F64(&self.before));
        state.insert("now", &[self.now.len()], Values::F64(&self.now));
        state.set("alike", self.alike as f64);
        state.set("sum", self.sum);
        state.set("found", f64::from(self.found));
        state
    }

    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        self.before = numbers(state, "before")?;
        self.now = numbers(state, "now")?;
        self.alike = number(state, "alike")? as usize;
        self.sum = number(state, "sum")?;
        self.found = number(state, "found")? != 0.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::health::Place;

    /// What is found in ten epochs of losses that fall, each as `noise` makes it.
    fn found(batches: usize, noise: impl Fn(usize, usize) -> f64) -> Vec<Finding> {
        let mut detector = Unshuffled::default();
        let mut found = Vec::new();
        let none = BTreeMap::new();
        for epoch in 0..10 {
            for batch in 0..batches {
                let step = epoch * batches + batch;
                let loss = 2.0 * 0.99_f64.powi(step as i32) * (1.0 + 0.3 * noise(epoch, batch));
                detector.observe(&Observation::Batch { step, loss });
            }
            let mut next = Unshuffled::default();
            next.load_state(&detector.state()).unwrap();
            detector = next;
            found.extend(detector.observe(&Observation::Epoch {
                place: Place::Epoch(epoch),
                train: &none,
                eval: &none,
            }));
        }
        found
    }

    /// Numbers in -0.5..0.5 that look random.
    fn random(seed: usize) -> f64 {
        let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    }

    #[test]
    fn one_order_in_all_epochs_is_found_whatever_it_is() {
        let classes = found(45, |_, batch| if batch % 9 == 0 { 1.0 } else { 0.0 });
        assert_eq!(classes.len(), 1);
        assert_eq!(classes[0].place, Place::Epoch(3));
        assert_eq!(found(45, |_, batch| random(batch)).len(), 1);
    }

    #[test]
    fn orders_by_chance_are_well() {
        for batches in [8, 20, 45, 300] {
            for seed in 0..30 {
                let found = found(batches, |epoch, batch| {
                    random(seed * 100_000 + epoch * 1000 + batch)
                });
                assert!(found.is_empty(), "{batches} {seed}: {found:?}");
            }
        }
        assert!(found(5, |_, batch| random(batch)).is_empty());
    }
}
