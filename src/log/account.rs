//! What a writer counts, and whom it tells of the first failure.
//!
//! Any thread adds; nothing here waits.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Error, Report};

/// Says a line to whoever runs the program.
pub(super) struct Voice(pub(super) Box<dyn Fn(&str) + Send + Sync>);

impl Default for Voice {
    /// Standard error.
    fn default() -> Self {
        Self(Box::new(|line| eprintln!("modelpulse: {line}")))
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Voice")
    }
}

#[derive(Debug, Default)]
pub(super) struct Account {
    written: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    healed: AtomicU64,
    first: Mutex<Option<Error>>,
    /// What the last failure was.
    last: Mutex<String>,
    voice: Voice,
}

impl Account {
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            ..Self::default()
        }
    }

    /// Counts a failure and the values that it cost; says the first one.
    #[cold]
    pub(super) fn fail(&self, error: Error, dropped: u64) {
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        let is_first = self.failures.fetch_add(1, Ordering::Relaxed) == 0;
        if is_first || !matches!(error, Error::Overflow) {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
        }
        let line = is_first.then(|| format!("{error}; logging goes on as far as it can"));
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        // Behind the lock: whoever listens may log, and fail again.
        if let Some(line) = line {
            self.say(&line);
        }
    }

    /// What so many failures kept from the disk is there now.
    pub(super) fn heal(&self, failures: u64) {
        self.healed.fetch_add(failures, Ordering::Relaxed);
    }

    /// What is wrong, unless nothing was lost and all is written now.
    pub(super) fn problem(&self) -> Option<String> {
        let Report {
            dropped,
            failures,
            healed,
            ..
        } = self.report();
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (dropped > 0 || failures > healed).then(|| last().clone())
    }

    /// A listener that panics costs the log nothing.
    pub(super) fn say(&self, line: &str) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.voice.0)(line)));
    }

    pub(super) fn wrote(&self, values: u64, bytes: usize) {
        self.written.fetch_add(values, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn report(&self) -> Report {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Report {
            written: read(&self.written),
            dropped: read(&self.dropped),
            bytes: read(&self.bytes),
            failures: read(&self.failures),
            healed: read(&self.healed),
        }
    }

    pub(super) fn take_first(&self) -> Option<Error> {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
