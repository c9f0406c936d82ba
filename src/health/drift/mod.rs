//! Drift in the stream: detectors and references that watch a session while it logs, and an old log in a replay.
//!
//! What they say is events of the same log, told from events alone: a replay says what the live run said.

mod data;
mod detectors;
#[cfg(feature = "rules")]
mod entry;
mod kind;
mod performance;
mod replayed;
mod session;
mod watched;
mod wrong;

pub use data::{Chunking, DataDrift, DataDriftBuilder, JudgedChunk};
pub use detectors::{DETECTORS, Detected, Detectors};
#[cfg(feature = "rules")]
pub(in crate::health) use entry::Entry;
pub use kind::DetectorKind;
pub use performance::Performance;
pub use replayed::WithDetectors;
pub use watched::{ParseWatchedError, Watched};
pub use wrong::WRONG;
