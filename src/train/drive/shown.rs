//! What a trainee shows to hooks: only what one of them asked for.

use crate::train::hook::not_asked_for;
use crate::train::{HookError, Needs, TensorVisitor, Tensors, Trainee};

/// A trainee's parameters. The other kinds are made of this one, so that a point of the loop that shows several writes
/// down once whose they are.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    trainee: &'a dyn Trainee,
    needs: Needs,
}

/// A trainee's gradients, and its parameters.
#[derive(Clone, Copy)]
pub(super) struct Gradients<'a> {
    pub(super) parameters: Parameters<'a>,
}

/// A trainee's activations.
#[derive(Clone, Copy)]
pub(super) struct Activations<'a>(Parameters<'a>);

impl<'a> Parameters<'a> {
    /// As far as `needs` has them.
    #[inline]
    pub(super) fn of(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        Self { trainee, needs }
    }

    /// The trainee, if the tensors of this kind were asked for.
    fn asked_for(&self, kind: Needs) -> Result<&'a dyn Trainee, HookError> {
        if self.needs.has(kind) {
            Ok(self.trainee)
        } else {
            Err(not_asked_for(kind).into())
        }
    }
}

impl<'a> Gradients<'a> {
    /// As far as `needs` has them.
    #[inline]
    pub(super) fn of(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        let parameters = Parameters::of(trainee, needs);
        Self { parameters }
    }
}

impl<'a> Activations<'a> {
    /// As far as `needs` has them.
    #[inline]
    pub(super) fn of(trainee: &'a dyn Trainee, needs: Needs) -> Self {
        Self(Parameters::of(trainee, needs))
    }
}

impl Tensors for Parameters<'_> {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.asked_for(Needs::PARAMETERS)?.parameters(visit)
    }
}

impl Tensors for Gradients<'_> {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        let trainee = self.parameters.asked_for(Needs::GRADIENTS)?;
        trainee.gradients(visit)
    }
}

impl Tensors for Activations<'_> {
    fn visit(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.0.asked_for(Needs::ACTIVATIONS)?.activations(visit)
    }
}
