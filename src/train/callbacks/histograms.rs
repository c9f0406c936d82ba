//! Histograms of weights and gradients.
//!
//! The loop only copies the values; they are counted by the thread that writes the log.

use crate::train::{Control, EpochEnd, Hook, HookError, Needs, Session, Split};

/// Logs, every epoch, a histogram of each parameter as `weights/…` and of its gradient in the epoch's
/// last batch as `gradients/…`, to the run `train`. NaN and infinite values get counts of their own.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::train::callbacks::Histograms::new(&session).every(5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Histograms {
    session: Session,
    every: usize,
}

impl Histograms {
    /// Logs to `session`, every epoch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 1,
        }
    }

    /// Logs every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs.max(1);
        self
    }
}

impl Hook for Histograms {
    fn epoch_needs(&self, epoch: usize) -> Needs {
        if epoch.is_multiple_of(self.every) {
            Needs::GRADIENTS
        } else {
            Needs::NOTHING
        }
    }

    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        if end.epoch.is_multiple_of(self.every) {
            let mut instant = self.session.instant();
            for (kind, tensors) in [("weights", end.parameters), ("gradients", end.gradients)] {
                tensors.visit(&mut |name, _, values| {
                    instant.tensor(
                        Split::Train.run(),
                        &format!("{kind}/{name}"),
                        end.epoch,
                        values,
                    );
                })?;
            }
        }
        Ok(Control::Continue)
    }
}
