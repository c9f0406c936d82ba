//! Offline replay: an old log goes through the sinks of a live run.
//!
//! A replay shows a sink the instants that a live one saw, in the same order.

#[cfg(feature = "export")]
mod aggregate;
mod copy;
#[cfg(feature = "export")]
mod diff;
mod edit;
#[cfg(feature = "export")]
mod names;
mod pace;
mod smooth;
#[cfg(feature = "export")]
mod sorted;

use std::path::Path;

#[cfg(feature = "export")]
pub use aggregate::{Aggregate, Aggregator, Align};
pub use copy::{Copied, LogCopy};
#[cfg(feature = "export")]
pub use diff::{Differ, Differences, RunDifference, SeriesDifference, Side, Tolerance};
pub use edit::{Edit, Edited, Shift};
pub use pace::Paced;
pub use smooth::Smoothing;
#[cfg(feature = "cli")]
pub(crate) use sorted::Sorted;
#[cfg(feature = "export")]
pub(crate) use {
    names::Names,
    sorted::{Point, Sorter},
};

use crate::flow::{Event, Sink, SinkError, Source};
use crate::log::{LogReader, Problem};

/// What a replay went through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// Events shown to the sink.
    pub events: u64,
    /// What of the log could not be read.
    pub problems: Vec<Problem>,
}

/// Shows `sink` every event of the log directory `dir`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, health::{Alerts, RuleSet}, replay::replay};
/// let session = Session::create(dir.path())?;
/// session.run("eval").scalar("accuracy", 0, 0.5);
/// session.finish()?;
/// let mut changes = 0;
/// let rules = RuleSet::new(vec!["eval/accuracy < 0.9".parse()?])?;
/// let mut alerts = Alerts::new(rules, |_| changes += 1);
/// assert_eq!(replay(dir.path(), &mut alerts)?.events, 1);
/// drop(alerts);
/// assert_eq!(changes, 1);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// Where the directory cannot be read or has no event files, or where the sink fails. Damage in a
/// file is no error.
pub fn replay(dir: impl AsRef<Path>, sink: &mut dyn Sink) -> Result<Replayed, SinkError> {
    let mut log = LogReader::open(dir)?;
    let mut counted = Counted { sink, events: 0 };
    log.drain_into(&mut counted)?;
    Ok(Replayed {
        events: counted.events,
        problems: log.problems().to_vec(),
    })
}

struct Counted<'a> {
    sink: &'a mut dyn Sink,
    events: u64,
}

impl Sink for Counted<'_> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.events += instant.len() as u64;
        self.sink.accept(instant)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.sink.finish()
    }
}
