//! Detectors: what looks for one kind of finding in the numbers of a training.
//!
//! They take plain numbers in the order in which they came about, live or out of a log, and know neither
//! hooks nor clocks.

use std::collections::BTreeMap;

mod dead_units;
mod diverging;
mod exploding;
mod label_noise;
mod learning_rate_high;
mod learning_rate_low;
mod missing_class;
mod not_finite;
mod overfit;
mod plateau;
#[cfg(test)]
mod testing;
mod unshuffled;
mod vanishing;

pub use dead_units::DeadUnits;
pub use diverging::Diverging;
pub use exploding::ExplodingGradients;
pub use label_noise::LabelNoise;
pub use learning_rate_high::LearningRateHigh;
pub use learning_rate_low::LearningRateLow;
pub use missing_class::MissingClass;
pub use not_finite::NotFinite;
pub use overfit::Overfit;
pub use plateau::Plateau;
pub use unshuffled::Unshuffled;
pub use vanishing::VanishingGradients;

use super::{Finding, Place};
use crate::train::{HookError, Needs, Predictions, State, Values, argmax};

/// What there is to see at one point of a training.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// A training batch: its global step and mean loss.
    Batch {
        /// Counted from 0.
        step: usize,
        /// The mean loss.
        loss: f64,
    },
    /// The gradients of a training batch, before they are clipped.
    Gradients {
        /// Counted from 0.
        step: usize,
        /// One a parameter.
        gradients: &'a [Gradient],
    },
    /// An epoch, or what lies between two evaluations: the metrics of both splits.
    Epoch {
        /// Which.
        place: Place,
        /// Of the training split, `loss` among them.
        train: &'a BTreeMap<String, f64>,
        /// Of the held-out split; empty without one.
        eval: &'a BTreeMap<String, f64>,
    },
    /// How many of each class's held-out items a classifier recognised.
    Classes {
        /// At the end of which epoch.
        place: Place,
        /// One a class that has items.
        classes: &'a [ClassRecall],
    },
    /// A layer's units that are 0 for every held-out item.
    DeadShare {
        /// At the end of which epoch.
        place: Place,
        /// The layer.
        layer: &'a str,
        /// Which part of its units.
        share: f64,
    },
}

/// How much of a class was recognised.
///
/// ```
/// use modelpulse::health::ClassRecall;
/// use modelpulse::train::Predictions;
/// let said = Predictions::new(2, vec![0, 0, 1], vec![0.9, 0.1, 0.8, 0.2, 0.6, 0.4], vec![0, 1, 2]).unwrap();
/// let recalls = ClassRecall::of(&said);
/// assert_eq!((recalls[0].recall, recalls[1].recall, recalls[1].items), (1.0, 0.0, Some(1)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassRecall {
    /// The class, by its name or its number.
    pub name: String,
    /// The part of its items that was taken for it.
    pub recall: f64,
    /// How many items it has, where that is known.
    pub items: Option<usize>,
}

impl ClassRecall {
    /// Of each class that has items; none where the predictions are no classifier's.
    pub fn of(predictions: &Predictions) -> Vec<Self> {
        let mut counts = vec![(0_usize, 0_usize); predictions.classes()];
        for (_, label, scores) in predictions.iter() {
            if let Some((items, right)) = counts.get_mut(label) {
                *items += 1;
                *right += usize::from(argmax(scores) == label);
            }
        }
        let counts = counts.into_iter().enumerate();
        let counts = counts.filter(|(_, (items, _))| *items > 0);
        counts
            .map(|(class, (items, right))| Self {
                name: class.to_string(),
                recall: right as f64 / items as f64,
                items: Some(items),
            })
            .collect()
    }
}

/// What detectors want to know of a parameter's gradient.
///
/// ```
/// use modelpulse::{health::Gradient, train::Values};
/// let gradient = Gradient::of("weight", &[2, 2], Values::F32(&[3.0, 4.0, 0.0, 0.0]));
/// assert_eq!(gradient.norm, 5.0);
/// assert_eq!(gradient.idle, [false, true]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// The parameter.
    pub name: String,
    /// The Euclidean norm.
    pub norm: f64,
    /// Which units got none: rows of a matrix or kernel whose numbers are all 0. Empty where that is not known,
    /// and for a vector, whose numbers are the units' own.
    pub idle: Vec<bool>,
}

impl Gradient {
    /// The gradient `values` of a parameter of this shape, whose first dimension counts units.
    pub fn of(name: &str, shape: &[usize], values: Values<'_>) -> Self {
        let norm = values.norm();
        let idle = match *shape {
            [units, _, ..] if units > 0 => {
                let width = (values.len() / units).max(1);
                match values {
                    Values::F32(values) => idle_rows(values, width),
                    Values::F64(values) => idle_rows(values, width),
                }
            }
            _ => Vec::new(),
        };
        let name = name.to_owned();
        Self { name, norm, idle }
    }

    /// A gradient of which nothing but the norm is known.
    pub fn of_norm(name: &str, norm: f64) -> Self {
        let name = name.to_owned();
        let idle = Vec::new();
        Self { name, norm, idle }
    }
}

fn idle_rows<T: PartialEq + Default>(values: &[T], width: usize) -> Vec<bool> {
    let zero = T::default();
    let rows = values.chunks_exact(width);
    rows.map(|row| row.iter().all(|value| *value == zero))
        .collect()
}

/// Looks for one kind of finding.
///
/// Each says what it found once; [`observe`](Self::observe) it in the order of the training.
pub trait Detector: Send {
    /// The name of its state: that of the kind of finding.
    fn name(&self) -> &'static str;

    /// What it wants to see of the global step `step`: [`Needs::LOSS`] for [`Observation::Batch`],
    /// [`Needs::GRADIENTS`] for [`Observation::Gradients`].
    fn needs(&self, step: usize) -> Needs {
        let _ = step;
        Needs::NOTHING
    }

    /// Takes note, and says what it finds.
    fn observe(&mut self, seen: &Observation<'_>) -> Option<Finding>;

    /// Whether what it found last still stands: a loss that stood may fall again.
    fn holds(&self) -> bool {
        true
    }

    /// What it has noted, for a checkpoint.
    fn state(&self) -> State;

    /// Takes back what a checkpoint kept.
    ///
    /// # Errors
    /// Where the state is not one of this detector's.
    fn load_state(&mut self, state: &State) -> Result<(), HookError>;
}

/// All detectors, with their default settings. [`NotFinite`] is none of them: a training has a
/// [`NanGuard`](super::NanGuard).
pub fn detectors() -> Vec<Box<dyn Detector>> {
    vec![
        Box::new(Diverging::default()),
        Box::new(LearningRateHigh::default()),
        Box::new(LearningRateLow::default()),
        Box::new(Plateau::default()),
        Box::new(Overfit::default()),
        Box::new(LabelNoise::default()),
        Box::new(MissingClass::default()),
        Box::new(Unshuffled::default()),
        Box::new(ExplodingGradients::default()),
        Box::new(VanishingGradients::default()),
        Box::new(DeadUnits::default()),
    ]
}

/// What is needed of a step that is a multiple of `every`.
fn every(every: usize, step: usize, needs: Needs) -> Needs {
    match step.is_multiple_of(every) {
        true => needs,
        false => Needs::NOTHING,
    }
}

/// The number of this name in a detector's state.
fn number(state: &State, name: &str) -> Result<f64, HookError> {
    let number = state.number(name);
    Ok(number.ok_or_else(|| format!("the state has no number '{name}'"))?)
}

/// The numbers of this name.
fn numbers(state: &State, name: &str) -> Result<Vec<f64>, HookError> {
    let numbers = state.get(name);
    let (_, numbers) = numbers.ok_or_else(|| format!("the state has no numbers '{name}'"))?;
    Ok(numbers.iter().collect())
}

/// Keeps a place.
fn set_place(state: &mut State, name: &str, place: Place) {
    let (on_epochs, number) = match place {
        Place::Epoch(number) => (true, number),
        Place::Step(number) => (false, number),
    };
    state.set(name, number as f64);
    state.set(&format!("{name}_is_epoch"), f64::from(on_epochs));
}

/// The place of this name.
fn place(state: &State, name: &str) -> Result<Place, HookError> {
    let at = number(state, name)? as usize;
    Ok(match number(state, &format!("{name}_is_epoch"))? {
        0.0 => Place::Step(at),
        _ => Place::Epoch(at),
    })
}

/// Counts by name, and how many of them were found.
type Counts = (BTreeMap<String, usize>, usize);

fn counts_state(counts: &BTreeMap<String, usize>, found: usize) -> State {
    let mut named = State::new();
    for (name, count) in counts {
        named.set(name, *count as f64);
    }
    let mut state = State::new();
    state.set("found", found as f64);
    state.nest("counts", named);
    state
}

fn load_counts(state: &State) -> Result<Counts, HookError> {
    let found = number(state, "found")? as usize;
    let named = state.under("counts");
    let count = |name: &str| Some((name.to_owned(), named.number(name)? as usize));
    let counts = named.iter().filter_map(|(name, ..)| count(name)).collect();
    Ok((counts, found))
}
