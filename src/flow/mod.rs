//! Events on their way from a source to sinks; nothing else moves through the house.
//!
//! Live, a session is the source; in a replay, the reader of a log is. A sink cannot tell them
//! apart: it receives each event as the log stores it, one instant at a time.

mod by_time;
mod only;
mod pattern;
mod tee;

pub(crate) use by_time::ByTime;
pub use only::Only;
pub use pattern::SeriesPattern;
pub use tee::Tee;
pub(crate) use tee::panic_message;

use crate::summary::Value;
use crate::types::{RunName, Step, Tag};

/// One value of one series.
///
/// ```
/// use modelpulse::flow::Event;
/// let event = Event::new("eval", "epoch_accuracy", 3, 1.7e9, 0.97);
/// assert_eq!(event.path(), "eval/epoch_accuracy");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The run, relative to the log directory.
    pub run: RunName,
    /// The series.
    pub tag: Tag,
    /// The position on the run's axis.
    pub step: Step,
    /// Seconds since the Unix epoch, as the log has it: a foreign log may hold anything.
    pub wall_time: f64,
    /// The value as the log stores it.
    pub value: Value,
}

impl Event {
    /// An event.
    pub fn new(
        run: impl Into<RunName>,
        tag: impl Into<Tag>,
        step: impl Into<Step>,
        wall_time: f64,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            run: run.into(),
            tag: tag.into(),
            step: step.into(),
            wall_time,
            value: value.into(),
        }
    }

    /// The series' full path, `run/tag`.
    pub fn path(&self) -> String {
        self.run.path_of(self.tag.as_str())
    }
}

/// Why a sink failed.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Takes events.
///
/// ```
/// use modelpulse::flow::{Event, Sink, SinkError};
/// struct Count(usize);
/// impl Sink for Count {
///     fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
///         self.0 += instant.len();
///         Ok(())
///     }
/// }
/// ```
pub trait Sink: Send {
    /// Takes one instant: all events of one wall time, ordered by run. Only what sinks
    /// [say of it](Self::feedback) comes behind it, with the same wall time.
    ///
    /// Live, this is called from the thread that writes the log, never from the training loop; what
    /// it does for long delays the log.
    ///
    /// # Errors
    /// Whatever the sink fails with. It is counted, and the first is kept; the events go on.
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError>;

    /// What the sink has to say of the instant that it took last. A session asks behind each
    /// [`accept`](Self::accept), logs it with the instant's wall time, and shows it to all sinks as one more
    /// instant; a replay does not ask, for the log has it.
    fn feedback(&mut self) -> Vec<Event> {
        Vec::new()
    }

    /// No more events come.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Gives events.
pub trait Source {
    /// The next instant: all events of one wall time, ordered by run; `None` at the end.
    ///
    /// # Errors
    /// Whatever keeps the source from going on. Damage that it can pass over is no error.
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError>;

    /// Sends all that is left to `sink`, and finishes it.
    ///
    /// # Errors
    /// The first failure of the source or of the sink.
    fn drain_into(&mut self, sink: &mut dyn Sink) -> Result<(), SinkError> {
        while let Some(instant) = self.next_instant()? {
            sink.accept(&instant)?;
        }
        sink.finish()
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        (**self).next_instant()
    }
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        (**self).next_instant()
    }
}
