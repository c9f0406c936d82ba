//! The learning rate, as a schedule moves it.
//!
//! It is the rate of the step that was taken, after every hook had its say.

use crate::train::{BatchEnd, Control, Hook, HookError, Session};

/// Logs the optimizer's learning rate of each batch as `batch_learning_rate`, to the run `batch`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::train::callbacks::LearningRate::new(&session).every(10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct LearningRate {
    session: Session,
    every: usize,
}

impl LearningRate {
    /// Logs to `session`, every batch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 1,
        }
    }

    /// Logs every `batches`-th batch, at least every one.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }
}

impl Hook for LearningRate {
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if at.step.is_multiple_of(self.every) {
            let run = self.session.run("batch");
            run.scalar("batch_learning_rate", at.step, at.learning_rate);
        }
        Ok(Control::Continue)
    }
}
