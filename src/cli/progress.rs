//! How far a long command is: a line on a terminal, nothing elsewhere.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::warn_of;
use crate::flow::{Event, SinkError, Source};
use crate::log::{Error, LogReader, Problem, PurgedReader, total_bytes};
use crate::replay::Edited;
use crate::types::RunName;

/// Counts the bytes of logs on standard error; hidden where that is no terminal.
#[derive(Debug, Clone)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Counts what `verb` is done to: the runs of `logdirs` that `takes` takes.
    ///
    /// # Errors
    /// As [`total_bytes`].
    pub(super) fn new<P: AsRef<Path>>(
        verb: &'static str,
        logdirs: impl IntoIterator<Item = P>,
        takes: impl Fn(&RunName) -> bool,
    ) -> Result<Self, Error> {
        let mut bytes = 0;
        for dir in logdirs {
            bytes += total_bytes(dir, &takes)?;
        }
        let template =
            "{msg} {bar:30} {percent}% of {binary_total_bytes}  {binary_bytes_per_sec}  {eta}";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(bytes)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(verb);
        // Drawn by a thread of its own, so that a count costs next to nothing.
        bar.enable_steady_tick(Duration::from_millis(200));
        Ok(Self(bar))
    }

    /// Where the output itself goes to the terminal, it shows how far the command is.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Hidden if the output goes to a terminal.
    pub(super) fn beside_output(self) -> Self {
        use std::io::IsTerminal;
        if std::io::stdout().is_terminal() {
            self.end();
            return Self::hidden();
        }
        self
    }

    /// So many bytes more were read.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// A source that knows how many bytes it has read.
pub(super) trait Measured: Source {
    fn bytes_read(&self) -> u64;
}

impl Measured for LogReader {
    fn bytes_read(&self) -> u64 {
        Self::bytes_read(self)
    }
}

impl Measured for PurgedReader {
    fn bytes_read(&self) -> u64 {
        Self::bytes_read(self)
    }
}

impl<S: Measured> Measured for Edited<S> {
    fn bytes_read(&self) -> u64 {
        self.source().bytes_read()
    }
}

/// A source that shows how far it is.
#[derive(Debug)]
pub(super) struct Shown<S> {
    source: S,
    progress: Progress,
    events: u64,
    /// At how many events the next look is due, and the bytes at the last one.
    next: u64,
    told: u64,
}

/// Events from one look to the next.
const LOOK: u64 = 1000;

impl<S> Shown<S> {
    pub(super) fn new(source: S, progress: Progress) -> Self {
        Self {
            source,
            progress,
            events: 0,
            next: LOOK,
            told: 0,
        }
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Says what of the source could not be read.
    pub(super) fn warn(&self, problems: impl FnOnce(&S) -> &[Problem]) {
        self.progress.0.suspend(|| warn_of(problems(&self.source)));
    }
}

impl<S: Measured> Source for Shown<S> {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        let instant = self.source.next_instant()?;
        self.events += instant.as_ref().map_or(0, Vec::len) as u64;
        if self.events >= self.next || instant.is_none() {
            self.next = self.events + LOOK;
            let read = self.source.bytes_read();
            self.progress.add(read - self.told);
            self.told = read;
        }
        Ok(instant)
    }
}
