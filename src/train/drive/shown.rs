//! What a trainee shows to hooks: only what one of them asked for.

use crate::train::hook::not_asked_for;
use crate::train::{HookError, Needs, TensorVisitor, Tensors, Trainee};

/// One kind of a trainee's tensors.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    trainee: &'a dyn Trainee,
    /// [`Needs::PARAMETERS`], [`Needs::GRADIENTS`] or [`Needs::ACTIVATIONS`].
    kind: Needs,
    needs: Needs,
}

impl<'a> Shown<'a> {
    #[inline]
    fn of(trainee: &'a dyn Trainee, kind: Needs, needs: Needs) -> Self {
        Self {
            trainee,
            kind,
            needs,
        }
    }

    #[inline]
    pub(super) fn parameters(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        Self::of(trainee, Needs::PARAMETERS, needs)
    }

    #[inline]
    pub(super) fn gradients(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        Self::of(trainee, Needs::GRADIENTS, needs)
    }

    #[inline]
    pub(super) fn activations(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        Self::of(trainee, Needs::ACTIVATIONS, needs)
    }
}

impl Tensors for Shown<'_> {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        if !self.needs.has(self.kind) {
            return Err(not_asked_for(self.kind).into());
        }
        match self.kind {
            Needs::PARAMETERS => self.trainee.parameters(visit),
            Needs::GRADIENTS => self.trainee.gradients(visit),
            _ => self.trainee.activations(visit),
        }
    }
}
