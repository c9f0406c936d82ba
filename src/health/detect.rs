//! Detectors: what looks for one kind of finding in the numbers of a training.
//!
//! They take plain numbers in the order in which they came about, live or out of a log, and know neither
//! hooks nor clocks.

use std::collections::BTreeMap;

mod dead_units;
mod diverging;
mod overfit;
mod plateau;
#[cfg(test)]
mod testing;
mod vanishing;

pub use dead_units::DeadUnits;
pub use diverging::Diverging;
pub use overfit::Overfit;
pub use plateau::Plateau;
pub use vanishing::VanishingGradients;

use super::Finding;
use crate::train::{HookError, Needs, State, Values};

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
    /// An epoch: the metrics of both splits.
    Epoch {
        /// Counted from 0.
        epoch: usize,
        /// Of the training split, `loss` among them.
        train: &'a BTreeMap<String, f64>,
        /// Of the held-out split; empty without one.
        eval: &'a BTreeMap<String, f64>,
    },
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

    /// What it has noted, for a checkpoint.
    fn state(&self) -> State;

    /// Takes back what a checkpoint kept.
    ///
    /// # Errors
    /// Where the state is not one of this detector's.
    fn load_state(&mut self, state: &State) -> Result<(), HookError>;
}

/// All detectors, with their default settings.
pub fn detectors() -> Vec<Box<dyn Detector>> {
    vec![
        Box::new(Diverging::default()),
        Box::new(Plateau::default()),
        Box::new(Overfit::default()),
        Box::new(VanishingGradients::default()),
        Box::new(DeadUnits::default()),
    ]
}

/// The number of this name in a detector's state.
fn number(state: &State, name: &str) -> Result<f64, HookError> {
    let number = state.number(name);
    Ok(number.ok_or_else(|| format!("the state has no number '{name}'"))?)
}
