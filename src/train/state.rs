//! State by name: what a checkpoint keeps of a model, an optimizer or a hook.
//!
//! All of it is tensors; a number is one without dimensions, in double precision.

use std::collections::BTreeMap;

use super::{HookError, TensorVisitor, Tensors, Values};

/// Named numbers and tensors.
///
/// ```
/// use modelpulse::train::{State, Values};
/// let mut state = State::new();
/// state.set("best", 0.25);
/// state.insert("momentum.weight", &[2], Values::F32(&[0.5, -0.5]));
/// assert_eq!(state.number("best"), Some(0.25));
/// assert_eq!(state.get("momentum.weight"), Some((&[2][..], Values::F32(&[0.5, -0.5]))));
///
/// let mut all = State::new();
/// all.nest("optimizer", state.clone());
/// assert_eq!(all.number("optimizer.best"), Some(0.25));
/// assert_eq!(all.under("optimizer"), state);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    tensors: BTreeMap<String, (Vec<usize>, Kept)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kept {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl State {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of all of `tensors`.
    ///
    /// # Errors
    /// As [`Tensors::visit`].
    pub fn of(tensors: &dyn Tensors) -> Result<Self, HookError> {
        let mut state = Self::new();
        tensors.visit(&mut |name, shape, values| state.insert(name, shape, values))?;
        Ok(state)
    }

    /// Keeps a number; a count is exact below 2^53.
    pub fn set(&mut self, name: &str, number: f64) {
        self.insert(name, &[], Values::F64(&[number]));
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            ([], values) => values.iter().next(),
            _ => None,
        }
    }

    /// Keeps a tensor; its values are row by row.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Values<'_>) {
        let kept = match values {
            Values::F32(values) => Kept::F32(values.to_vec()),
            Values::F64(values) => Kept::F64(values.to_vec()),
        };
        self.tensors.insert(name.to_owned(), (shape.to_vec(), kept));
    }

    /// Shape and values of the tensor of this name.
    pub fn get(&self, name: &str) -> Option<(&[usize], Values<'_>)> {
        self.tensors.get(name).map(shown)
    }

    /// Name, shape and values of each tensor, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize], Values<'_>)> {
        self.tensors.iter().map(|(name, tensor)| {
            let (shape, values) = shown(tensor);
            (name.as_str(), shape, values)
        })
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Keeps all of `other`, each as `prefix.name`.
    pub fn nest(&mut self, prefix: &str, other: Self) {
        let named = other.tensors.into_iter();
        self.tensors
            .extend(named.map(|(name, tensor)| (format!("{prefix}.{name}"), tensor)));
    }

    /// What is kept as `prefix.name`, by the rest of its name.
    pub fn under(&self, prefix: &str) -> Self {
        let rest = |name: &str| Some(name.strip_prefix(prefix)?.strip_prefix('.')?.to_owned());
        let tensors = self.tensors.iter();
        Self {
            tensors: tensors
                .filter_map(|(name, tensor)| Some((rest(name)?, tensor.clone())))
                .collect(),
        }
    }
}

fn shown((shape, kept): &(Vec<usize>, Kept)) -> (&[usize], Values<'_>) {
    let values = match kept {
        Kept::F32(values) => Values::F32(values),
        Kept::F64(values) => Values::F64(values),
    };
    (shape, values)
}

impl Tensors for State {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.iter()
            .for_each(|(name, shape, values)| visit(name, shape, values));
        Ok(())
    }
}
