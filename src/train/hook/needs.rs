//! What hooks ask of a loop: what they want to see, and what they want done.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;

use crate::train::State;

/// What becomes of the loop.
///
/// ```
/// use modelpulse::train::Control;
/// let stop = Control::Stop("accurate enough".into());
/// assert_eq!(Control::Continue.and(stop.clone()), stop);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Control {
    /// It goes on.
    Continue,
    /// It stops at the end of this batch, or of this epoch where none runs, for this reason. The epoch
    /// is still evaluated and ended.
    Stop(String),
}

impl Control {
    /// Both: stops if one of them does, for the first reason.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::Continue => other,
            Self::Stop(_) => self,
        }
    }
}

/// What a hook wants to see.
///
/// ```
/// use modelpulse::train::Needs;
/// let needs = Needs::LOSS | Needs::GRADIENTS;
/// assert!(needs.has(Needs::LOSS));
/// assert!(!needs.has(Needs::LOSS | Needs::PARAMETERS));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs(u8);

impl Needs {
    /// Only to be called.
    pub const NOTHING: Self = Self(0);
    /// The loss of the batch; on a GPU this waits for the device.
    pub const LOSS: Self = Self(1);
    /// The model's parameters.
    pub const PARAMETERS: Self = Self(1 << 1);
    /// The gradients.
    pub const GRADIENTS: Self = Self(1 << 2);
    /// What the model's layers came to on the batch, as far as the model records it.
    pub const ACTIVATIONS: Self = Self(1 << 3);
    /// How long the phases of the step took.
    pub const TIME: Self = Self(1 << 4);

    /// Whether all of `other` is wanted.
    #[inline]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Needs {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What hooks asked to be done when all of them have been called.
#[derive(Debug, Default)]
pub(in crate::train) struct Asks {
    /// Which hook is being called, where it may ask for a checkpoint or for parameters.
    pub(in crate::train) caller: Cell<usize>,
    pub(in crate::train) learning_rate: Cell<Option<f64>>,
    pub(in crate::train) skip: OnceCell<String>,
    pub(in crate::train) save: RefCell<Vec<(usize, PathBuf)>>,
    pub(in crate::train) restore: RefCell<Option<(usize, State)>>,
}

impl Asks {
    pub(super) fn skip(&self, reason: impl Into<String>) {
        self.skip.get_or_init(|| reason.into());
    }

    pub(super) fn save(&self, path: impl Into<PathBuf>) {
        let asked = (self.caller.get(), path.into());
        self.save.borrow_mut().push(asked);
    }

    pub(super) fn restore(&self, parameters: State) {
        *self.restore.borrow_mut() = Some((self.caller.get(), parameters));
    }
}
