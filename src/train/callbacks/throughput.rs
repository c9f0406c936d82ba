//! How fast the training goes, and when it will be done.
//!
//! Speed is that of training batches alone; the time that is left counts evaluations too.

use std::time::Instant;

use crate::train::{
    BatchEnd, BatchStart, Control, EpochEnd, EpochStart, FitStart, Hook, HookError, Session,
};

/// Logs, every 50 batches and at least once an epoch, `time/samples_per_second`, `time/steps_per_second` and the
/// seconds that are left, `time/eta_seconds`, to the run `batch`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::train::callbacks::Throughput::new(&session).every(10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Throughput {
    session: Session,
    every: usize,
    /// Since when the batches below were counted.
    since: Instant,
    batches: usize,
    items: usize,
    /// When the last batch ended.
    last: Instant,
    /// When the first batch of this process began, and its step.
    began: Option<(Instant, usize)>,
    planned: usize,
}

impl Throughput {
    /// Logs to `session`, every 50 batches.
    pub fn new(session: &Session) -> Self {
        let now = Instant::now();
        Self {
            session: session.clone(),
            every: 50,
            since: now,
            batches: 0,
            items: 0,
            last: now,
            began: None,
            planned: 0,
        }
    }

    /// Logs over `batches` batches each.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }

    /// Logs what was counted up to the batch `step`, which ended last.
    fn log(&mut self, step: usize) {
        let seconds = (self.last - self.since).as_secs_f64();
        let mut instant = self.session.instant();
        let mut log = |tag: &str, value: f64| instant.scalar("batch", tag, step, value);
        log("time/samples_per_second", self.items as f64 / seconds);
        log("time/steps_per_second", self.batches as f64 / seconds);
        if let Some((began, first)) = self.began {
            let done = step + 1;
            let a_step = (self.last - began).as_secs_f64() / done.saturating_sub(first) as f64;
            let left = self.planned.saturating_sub(done);
            log("time/eta_seconds", a_step * left as f64);
        }
        (self.since, self.batches, self.items) = (self.last, 0, 0);
    }
}

impl Hook for Throughput {
    fn fit_start(&mut self, at: &FitStart<'_>) -> Result<Control, HookError> {
        self.planned = at.epochs * at.batches;
        self.began = None;
        Ok(Control::Continue)
    }

    fn epoch_start(&mut self, _: &EpochStart<'_>) -> Result<Control, HookError> {
        (self.since, self.batches, self.items) = (Instant::now(), 0, 0);
        Ok(Control::Continue)
    }

    fn batch_start(&mut self, at: &BatchStart<'_>) -> Result<Control, HookError> {
        if self.began.is_none() {
            self.began = Some((Instant::now(), at.step));
        }
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        self.last = Instant::now();
        self.batches += 1;
        self.items += at.items;
        if self.batches == self.every {
            self.log(at.step);
        }
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        if self.batches > 0 && at.steps > 0 {
            self.log(at.steps - 1);
        }
        Ok(Control::Continue)
    }
}
