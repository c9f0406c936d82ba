//! What is trained, as hooks see it: the adapter between a framework and any hook.
//!
//! Whatever it does not show, hooks do without.

use std::path::Path;

use super::{HookError, State, TensorVisitor};

/// What is trained: parameters, gradients, and the optimizer's learning rate. Every method shows or does
/// nothing by default; implement what the framework has.
///
/// ```
/// use modelpulse::train::{HookError, State, TensorVisitor, Trainee};
/// /// y = slope · x
/// struct Line { slope: f64, gradient: f64, rate: f64 }
/// impl Trainee for Line {
///     fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
///         visit("slope", &[], [self.slope][..].into());
///         Ok(())
///     }
///     fn gradients(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
///         visit("slope", &[], [self.gradient][..].into());
///         Ok(())
///     }
///     fn learning_rate(&self) -> f64 {
///         self.rate
///     }
///     fn set_learning_rate(&mut self, rate: f64) {
///         self.rate = rate;
///     }
///     fn restore(&mut self, parameters: &State) -> Result<(), HookError> {
///         self.slope = parameters.number("slope").ok_or("no slope")?;
///         Ok(())
///     }
/// }
/// ```
pub trait Trainee {
    /// Calls `visit` with each parameter, ordered by name.
    ///
    /// # Errors
    /// Whatever the framework fails with while it reads the values.
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        let _ = visit;
        Ok(())
    }

    /// Calls `visit` with the gradient of each parameter that has one, ordered by name.
    ///
    /// # Errors
    /// As [`parameters`](Self::parameters).
    fn gradients(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        let _ = visit;
        Ok(())
    }

    /// Calls `visit` with what each layer came to on the last batch, one row an item, in the order of the layers.
    ///
    /// # Errors
    /// As [`parameters`](Self::parameters).
    fn activations(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        let _ = visit;
        Ok(())
    }

    /// The optimizer's learning rate; NaN where there is none.
    fn learning_rate(&self) -> f64 {
        f64::NAN
    }

    /// Sets the optimizer's learning rate, from the next step on.
    fn set_learning_rate(&mut self, rate: f64) {
        let _ = rate;
    }

    /// Gives the parameters these values, by name.
    ///
    /// # Errors
    /// Where a name or shape is not one of the model's, or the framework fails.
    fn restore(&mut self, parameters: &State) -> Result<(), HookError> {
        let _ = parameters;
        Err("this loop cannot restore parameters".into())
    }

    /// Saves parameters, optimizer and `progress`, what the loop and its hooks have come to, to the file
    /// `path`, and returns the file's size. It must replace an older file at once or not at all.
    ///
    /// # Errors
    /// Where the file cannot be written.
    fn save(&self, path: &Path, progress: &State) -> Result<u64, HookError> {
        let _ = (path, progress);
        Err("this loop cannot save checkpoints".into())
    }
}

/// Nothing to show: for a loop that only counts and times.
impl Trainee for () {}
