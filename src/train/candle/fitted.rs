//! A candle model and its optimizer, as hooks see them.

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use super::tensors::show;
use super::{Gradients, Parameters, ResumableOptimizer};
use crate::train::{HookError, State, TensorVisitor, Tensors, Trainee};

/// What a fit trains.
pub(super) struct Fitted<'a, O> {
    pub(super) parameters: &'a Parameters,
    pub(super) optimizer: &'a mut O,
    pub(super) gradients: Option<GradStore>,
    pub(super) activations: Vec<(String, Tensor)>,
}

impl<O: ResumableOptimizer> Trainee for Fitted<'_, O> {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.parameters.visit(visit)
    }

    fn gradients(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        Gradients::new(self.parameters, self.gradients.as_ref()).visit(visit)
    }

    fn activations(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        for (name, tensor) in &self.activations {
            show(name, tensor, visit)?;
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }

    fn restore(&mut self, parameters: &State) -> Result<(), HookError> {
        Ok(self.parameters.restore(parameters)?)
    }
}
