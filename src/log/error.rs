//! What can go wrong with a log, and the account that a writer gives at its end.
//!
//! A logging call never fails: its failure is counted here, and the first one is kept.

use std::io;
use std::path::PathBuf;

use crate::flow::SinkError;

/// What went wrong with a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No file could be made; nothing can be logged there.
    #[error("cannot make an event file in {}: {source}", path.display())]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed; the writer goes on in a new file when it can.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A log directory without an event file in or below it.
    #[error("no event files (named *tfevents*) in or below {}", path.display())]
    NoEvents {
        /// The log directory.
        path: PathBuf,
    },
    /// A log was to be written where one is.
    #[error("{} has event files already: name a new directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A run's name must be a relative path, and must not contain `tfevents`, by which readers know files.
    #[error("'{name}' cannot name a run: use a relative path without '..' and without 'tfevents'")]
    RunName {
        /// The name.
        name: String,
    },
    /// The writer could not keep up with the loop; the value was dropped.
    #[error(
        "the log's buffer stayed full for longer than a logging call may wait; the value was dropped"
    )]
    Overflow,
    /// The value came after the writer's end.
    #[error("a value was logged after the log was finished")]
    Finished,
    /// A run's axis took more series than [`max_series`](super::WriterBuilder::max_series) allows.
    #[error(
        "'{path}' would be series number {limit} and more of this log; is a number part of its name?"
    )]
    TooManySeries {
        /// The series' run and tag.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A wall time that is not finite.
    #[error("the wall time of '{path}' is not finite; the value was dropped")]
    WallTime {
        /// The series' run and tag.
        path: String,
    },
    /// A picture could not be drawn.
    #[error("cannot draw '{path}': {source}")]
    Render {
        /// The series' run and tag.
        path: String,
        /// Why.
        source: SinkError,
    },
    /// A sink failed.
    #[error("a sink failed: {0}")]
    Sink(#[source] SinkError),
    /// The thread that writes the log could not be started, or is gone.
    #[error("the thread that writes the log is not there: {0}")]
    Worker(#[source] io::Error),
}

/// What a writer wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Values handed to the operating system.
    pub written: u64,
    /// Values that were logged and are not in the log.
    pub dropped: u64,
    /// Bytes handed to the operating system.
    pub bytes: u64,
    /// Failures of any kind.
    pub failures: u64,
    /// How many of those kept values from the disk that are there by now.
    pub healed: u64,
}

/// Something went wrong while logging: the first failure, and the account.
#[derive(Debug, thiserror::Error)]
#[error("{first} ({} failures; {} values written, {} dropped)", report.failures, report.written, report.dropped)]
pub struct Failed {
    /// The first failure.
    #[source]
    pub first: Error,
    /// What was written all the same.
    pub report: Report,
}
