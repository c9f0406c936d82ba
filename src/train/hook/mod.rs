//! Hooks: what observes and steers a training loop, whatever framework runs it.
//!
//! A hook says what it needs before each step, so that nothing is copied from a device that nobody
//! reads; numbers stay `f64`, tensors are visited by name.

mod combine;
mod context;
mod needs;

pub(super) use context::not_asked_for;
pub use context::{
    AfterBackward, AfterLoss, AfterStep, BatchEnd, BatchStart, BeforeStep, CheckpointLoaded,
    CheckpointSaved, EpochEnd, EpochStart, EvalBatch, EvalEnd, EvalStart, Exception, FitEnd,
    FitStart, Outcome,
};
pub(super) use needs::Asks;
pub use needs::{Control, Needs};

use super::State;

/// Why a hook failed.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Split {
    /// What the model learns from.
    Train,
    /// What it is judged by.
    Eval,
}

impl Split {
    /// The name of the split's run.
    pub fn run(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
        }
    }
}

/// Observes and steers a training loop. Every method does nothing by default.
///
/// The calls of a fit, in order; `[…]` repeats, `(…)` may be left out:
///
/// ```text
/// fit_start (checkpoint_loaded)
/// [ epoch_start
///   [ batch_start after_loss (after_backward) (before_step after_step) batch_end (checkpoint_saved) ]
///   (eval_start [ eval_batch ] eval_end)
///   epoch_end (checkpoint_saved) ]
/// fit_end
/// ```
///
/// A loop that cannot go on ends in [`exception`](Self::exception) instead. `before_step` and `after_step`
/// are left out of a batch that only accumulates gradients; a step that is skipped has no `after_step`,
/// and if it is skipped after the loss, no `after_backward` either.
///
/// ```
/// use modelpulse::train::{Control, EpochEnd, Hook, HookError};
/// struct StopAt(f64);
/// impl Hook for StopAt {
///     fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
///         let accuracy = at.eval.metrics.get("accuracy").copied().unwrap_or(0.0);
///         Ok(if accuracy > self.0 { Control::Stop("good enough".into()) } else { Control::Continue })
///     }
/// }
/// ```
pub trait Hook: Send {
    /// What it is called where it fails, and in a checkpoint: the type's name.
    fn name(&self) -> &str {
        let path = std::any::type_name::<Self>();
        let plain = path.split('<').next().unwrap_or(path);
        plain.rsplit("::").next().unwrap_or(plain)
    }

    /// What this hook wants to see of the global step `step`.
    #[inline]
    fn needs(&self, step: usize) -> Needs {
        let _ = step;
        Needs::NOTHING
    }

    /// What this hook wants to see of the evaluation of this epoch, and of its end.
    fn epoch_needs(&self, epoch: usize) -> Needs {
        let _ = epoch;
        Needs::NOTHING
    }

    /// What a checkpoint is to keep of this hook, so that a resumed fit goes on as if it had not ended.
    fn state(&self) -> State {
        State::new()
    }

    /// Takes back what a checkpoint kept; called before [`checkpoint_loaded`](Self::checkpoint_loaded).
    ///
    /// # Errors
    /// Where the state is not one of this hook's.
    fn load_state(&mut self, state: &State) -> Result<(), HookError> {
        let _ = state;
        Ok(())
    }

    /// The fit begins.
    ///
    /// # Errors
    /// Whatever the hook fails with; so for the others.
    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// An epoch begins.
    fn epoch_start(&mut self, at: &EpochStart<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// A training batch begins.
    #[inline]
    fn batch_start(&mut self, at: &BatchStart<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The loss of the batch was taken.
    #[inline]
    fn after_loss(&mut self, at: &AfterLoss<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The gradients of the batch are there.
    #[inline]
    fn after_backward(&mut self, at: &AfterBackward<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The optimizer is about to move the parameters.
    #[inline]
    fn before_step(&mut self, at: &BeforeStep<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The optimizer moved the parameters.
    #[inline]
    fn after_step(&mut self, at: &AfterStep<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// A training batch ended.
    #[inline]
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// An evaluation begins.
    fn eval_start(&mut self, at: &EvalStart<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// An evaluation batch went through the model.
    fn eval_batch(&mut self, at: &EvalBatch<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// An evaluation ended.
    fn eval_end(&mut self, at: &EvalEnd<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// An epoch ended, evaluation included.
    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// A checkpoint is on the disk. What is logged here, a fit resumed from it does not log again.
    fn checkpoint_saved(&mut self, at: &CheckpointSaved<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The loop goes on from a checkpoint. A hook that logs to runs of its own has them
    /// [resume](crate::train::Run::resume_at) here.
    fn checkpoint_loaded(&mut self, at: &CheckpointLoaded<'_>) -> Result<Control, HookError> {
        let _ = at;
        Ok(Control::Continue)
    }

    /// The loop cannot go on: the model or the framework failed or panicked.
    fn exception(&mut self, at: &Exception<'_>) -> Result<(), HookError> {
        let _ = at;
        Ok(())
    }

    /// The fit ended.
    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        let _ = at;
        Ok(())
    }
}
