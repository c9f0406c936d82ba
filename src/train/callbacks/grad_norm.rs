//! The norms of the gradients.
//!
//! Of the gradients as the loss gave them, before they are clipped.

use crate::train::{AfterBackward, Control, Hook, HookError, Needs, Session};

/// Logs, every 10th batch, the Euclidean norm of all gradients together as `gradient_norm`, and of each as
/// `gradient_norm/…`, to the run `batch`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::{Hook, Needs, callbacks::GradNorm};
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = GradNorm::new(&session).every(50).global_only();
/// assert_eq!([49, 50].map(|step| hook.needs(step)), [Needs::NOTHING, Needs::GRADIENTS]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct GradNorm {
    session: Session,
    every: usize,
    each: bool,
}

impl GradNorm {
    /// Logs to `session`, every 10th batch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 10,
            each: true,
        }
    }

    /// Logs every `batches`-th batch, at least every one.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// Logs the norm of all gradients together alone.
    pub fn global_only(mut self) -> Self {
        self.each = false;
        self
    }
}

impl Hook for GradNorm {
    fn needs(&self, step: usize) -> Needs {
        super::every(self.every, step, Needs::GRADIENTS)
    }

    fn after_backward(&mut self, at: &AfterBackward<'_>) -> Result<Control, HookError> {
        if at.step.is_multiple_of(self.every) {
            let mut instant = self.session.instant();
            let mut squares = 0.0;
            at.gradients.visit(&mut |name, _, values| {
                let norm = values.norm();
                squares += norm * norm;
                if self.each {
                    instant.scalar("batch", &format!("gradient_norm/{name}"), at.step, norm);
                }
            })?;
            instant.scalar("batch", "gradient_norm", at.step, squares.sqrt());
        }
        Ok(Control::Continue)
    }
}
