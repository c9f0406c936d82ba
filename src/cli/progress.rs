//! How far a long command is: a line on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::flow::{Event, SinkError, Source};

/// Counts on standard error; hidden where that is no terminal.
#[derive(Debug, Clone)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Counts what `verb` is done to.
    pub(super) fn new(verb: &'static str) -> Self {
        let template = "{spinner} {msg} {human_pos} values  {per_sec}  {elapsed}";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
            .with_message(verb);
        // Drawn by a thread of its own, so that a count costs next to nothing.
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Where the output itself goes to the terminal, it shows how far the command is.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// One that is hidden if the output goes to a terminal.
    pub(super) fn beside_output(verb: &'static str) -> Self {
        use std::io::IsTerminal;
        if std::io::stdout().is_terminal() {
            Self::hidden()
        } else {
            Self::new(verb)
        }
    }

    pub(super) fn set(&self, values: u64) {
        self.0.set_position(values);
    }

    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// A source that shows how many events it gave.
#[derive(Debug)]
pub(super) struct Shown<S> {
    source: S,
    progress: Progress,
    events: u64,
}

impl<S> Shown<S> {
    pub(super) fn new(source: S, progress: Progress) -> Self {
        Self {
            source,
            progress,
            events: 0,
        }
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn into_source(self) -> S {
        self.progress.end();
        self.source
    }
}

impl<S: Source> Source for Shown<S> {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        let instant = self.source.next_instant()?;
        let count = instant.as_ref().map_or(0, Vec::len) as u64;
        self.events += count;
        self.progress.set(self.events);
        Ok(instant)
    }
}
