//! Scalars of each batch and each epoch.
//!
//! Epochs go to the runs `train` and `eval`, batches to `batch`, under Keras's names.

use crate::train::{BatchEnd, Control, EpochEnd, Hook, HookError, Needs, Session, Split};

/// Logs `batch_loss` of each batch, and of each epoch every metric as `epoch_…`, the learning rate,
/// and under `time/` the seconds and samples per second of both splits.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::train::{Hook, Needs, callbacks::Scalars};
/// let session = modelpulse::Session::create(dir.path())?;
/// let scalars = Scalars::new(&session).every(10);
/// assert!(scalars.needs(20).has(Needs::LOSS));
/// assert!(!scalars.needs(21).has(Needs::LOSS));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Scalars {
    session: Session,
    every: usize,
}

impl Scalars {
    /// Logs to `session`, every batch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 1,
        }
    }

    /// Logs every `batches`-th batch; 0 logs none.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches;
        self
    }
}

impl Hook for Scalars {
    fn needs(&self, step: usize) -> Needs {
        if self.every > 0 && step.is_multiple_of(self.every) {
            Needs::LOSS
        } else {
            Needs::NOTHING
        }
    }

    fn batch_end(&mut self, end: &BatchEnd<'_>) -> Result<Control, HookError> {
        if let Some(loss) = end.loss
            && self.needs(end.step).has(Needs::LOSS)
        {
            self.session
                .run("batch")
                .scalar("batch_loss", end.step, loss);
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        let mut instant = self.session.instant();
        for split in [Split::Train, Split::Eval] {
            let (run, outcome) = (split.run(), end.outcome(split));
            if outcome.items == 0 && outcome.metrics.is_empty() {
                continue;
            }
            for (name, value) in &outcome.metrics {
                instant.scalar(run, &format!("epoch_{name}"), end.epoch, *value);
            }
            // None, where there is no such thing.
            if !end.learning_rate.is_nan() {
                instant.scalar(run, "epoch_learning_rate", end.epoch, end.learning_rate);
            }
            let seconds = outcome.time.as_secs_f64();
            // A loop of one's own may not take the time.
            if seconds > 0.0 {
                instant.scalar(run, "time/epoch_seconds", end.epoch, seconds);
                let rate = outcome.items as f64 / seconds;
                instant.scalar(run, "time/samples_per_second", end.epoch, rate);
            }
        }
        instant.flush();
        Ok(Control::Continue)
    }
}
