//! A log directory: its writer and its reader.
//!
//! What was flushed is never lost: a file is only appended to while its writer lives, a failed or a
//! resumed writer goes on in a new file, and a reader passes over what is damaged and says where.

mod account;
mod builder;
mod charts;
mod encode;
mod error;
mod file;
mod kinds;
mod name;
mod projector;
mod reader;
mod record_file;
mod records;
#[cfg(feature = "candle")]
mod replace;
mod resume;
mod ring;
mod run;
mod sequencer;
mod series;
mod shared;
#[cfg(feature = "signals")]
mod signal;
mod sink;
mod stamp;
mod worker;
mod writer;

pub use builder::{Overflow, WriterBuilder};
pub use error::{Error, Failed, Report};
pub(crate) use projector::copy_projector;
pub use projector::{Embedding, EmbeddingError, Projector, ProjectorError};
pub use reader::{
    Changes, FileSummary, Follower, Inspection, Log, LogFile, LogPoint, LogPoints, LogReader,
    LogRun, LogSeries, LogValues, ParseRestartError, Place, Problem, ProblemKind, PurgedReader,
    Repaired, Restart, RunSummary, SeriesSummary, repair, total_bytes,
};
pub use resume::last_steps;
pub use run::{RunWriter, StepGuard};
pub use series::Series;
pub use sink::LogSink;
pub use worker::HEARTBEAT;
pub use writer::Writer;

pub(crate) use record_file::{RecordFile, check_unused};
pub(crate) use records::{LogRecord, RunRecords};
#[cfg(feature = "candle")]
pub(crate) use replace::replace;
pub(crate) use resume::take_back;
pub(crate) use sequencer::Sequencer;
#[cfg(feature = "signals")]
pub(crate) use signal::before_end;
pub(crate) use worker::Payload;
