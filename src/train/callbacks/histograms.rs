//! Histograms of weights and gradients.
//!
//! The loop only copies the values; they are counted by the thread that writes the log.

use crate::train::{BatchEnd, Control, EpochEnd, Hook, HookError, Needs, Session, Split, Tensors};

/// Logs, every epoch, a histogram of each parameter as `weights/…` and of its gradient in the epoch's
/// last batch as `gradients/…`, to the run `train`; with [`every_batches`](Self::every_batches) to the run
/// `batch`. NaN and infinite values get counts of their own.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::callbacks::Histograms;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = Histograms::new(&session).every(5);
/// let kernels = Histograms::new(&session)
///     .every_batches(100)
///     .only(|name| name.ends_with(".weight"))
///     .gradients(false);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Histograms {
    session: Session,
    every: usize,
    /// Whether that counts batches, and not epochs.
    by_batch: bool,
    weights: bool,
    gradients: bool,
    wanted: Box<dyn Fn(&str) -> bool + Send>,
}

impl Histograms {
    /// Logs to `session`, every epoch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 1,
            by_batch: false,
            weights: true,
            gradients: true,
            wanted: Box::new(|_| true),
        }
    }

    /// Logs every `epochs`-th epoch, at least every one.
    pub fn every(mut self, epochs: usize) -> Self {
        (self.every, self.by_batch) = (epochs.max(1), false);
        self
    }

    /// Logs every `batches`-th batch, at least every one, in place of every epoch.
    pub fn every_batches(mut self, batches: usize) -> Self {
        (self.every, self.by_batch) = (batches.max(1), true);
        self
    }

    /// Logs only parameters whose name is `wanted`.
    pub fn only(mut self, wanted: impl Fn(&str) -> bool + Send + 'static) -> Self {
        self.wanted = Box::new(wanted);
        self
    }

    /// Whether it logs weights.
    pub fn weights(mut self, wanted: bool) -> Self {
        self.weights = wanted;
        self
    }

    /// Whether it logs gradients.
    pub fn gradients(mut self, wanted: bool) -> Self {
        self.gradients = wanted;
        self
    }

    fn due(&self, by_batch: bool, number: usize) -> bool {
        self.by_batch == by_batch && number.is_multiple_of(self.every)
    }

    fn needs_if(&self, due: bool) -> Needs {
        let mut needs = Needs::NOTHING;
        if due && self.weights {
            needs = needs | Needs::PARAMETERS;
        }
        if due && self.gradients {
            needs = needs | Needs::GRADIENTS;
        }
        needs
    }

    fn log(
        &self,
        run: &str,
        step: usize,
        parameters: &dyn Tensors,
        gradients: &dyn Tensors,
    ) -> Result<(), HookError> {
        let mut instant = self.session.instant();
        for (wanted, kind, tensors) in [
            (self.weights, "weights", parameters),
            (self.gradients, "gradients", gradients),
        ] {
            if wanted {
                tensors.visit(&mut |name, _, values| {
                    if (self.wanted)(name) {
                        instant.tensor(run, &format!("{kind}/{name}"), step, values);
                    }
                })?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Histograms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Histograms")
            .field("every", &self.every)
            .field("by_batch", &self.by_batch)
            .finish_non_exhaustive()
    }
}

impl Hook for Histograms {
    fn needs(&self, step: usize) -> Needs {
        self.needs_if(self.due(true, step))
    }

    fn epoch_needs(&self, epoch: usize) -> Needs {
        self.needs_if(self.due(false, epoch))
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if self.due(true, at.step) {
            self.log("batch", at.step, at.parameters, at.gradients)?;
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if self.due(false, at.epoch) {
            self.log(Split::Train.run(), at.epoch, at.parameters, at.gradients)?;
        }
        Ok(Control::Continue)
    }
}
