//! Bridges: what a program reports to the facades `metrics` and `tracing` is logged to a run.
//!
//! A call through a facade never fails, and waits no longer than a logging call may.

#[cfg(feature = "tracing")]
mod fields;
#[cfg(feature = "metrics-rs")]
mod metrics_rs;
#[cfg(feature = "tracing")]
mod places;
#[cfg(feature = "metrics-rs")]
mod sampler;
#[cfg(feature = "metrics-rs")]
mod samples;
#[cfg(all(test, feature = "tracing"))]
mod statements;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics-rs")]
pub use metrics_rs::{InstallError, MetricsBuilder, MetricsRecorder};
#[cfg(feature = "metrics-rs")]
pub use sampler::MetricsSampler;
#[cfg(feature = "tracing")]
pub use tracing::TracingLayer;

use crate::Session;
use crate::log::RunWriter;
use crate::summary::Value;
use crate::types::Step;

/// Where a bridge leads: one run, of a [`Writer`](crate::log::Writer) or of a [`Session`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, bridge::Target, log::Writer};
/// let writer = Writer::create(dir.path().join("a"))?;
/// let target = Target::from(writer.run("metrics"));
/// let session = Session::create(dir.path().join("b"))?;
/// let target = Target::from((&session, "metrics"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Target(To);

#[derive(Debug, Clone)]
enum To {
    Writer(RunWriter),
    Session(Session, String),
}

impl From<RunWriter> for Target {
    fn from(run: RunWriter) -> Self {
        Self(To::Writer(run))
    }
}

/// A run of a session.
impl From<(&Session, &str)> for Target {
    fn from((session, run): (&Session, &str)) -> Self {
        Self(To::Session(session.clone(), run.to_owned()))
    }
}

impl Target {
    /// Logs values of one step. In a session they are one instant; elsewhere the scalars are one event.
    fn log<T: AsRef<str>>(&self, step: Step, values: impl IntoIterator<Item = (T, Value)>) {
        match &self.0 {
            To::Writer(run) => {
                let mut guard = run.step(step);
                for (tag, value) in values {
                    match value {
                        Value::Scalar(value) => drop(guard.scalar(&run.series(tag), value.into())),
                        value => run.log(tag, step, value),
                    }
                }
            }
            To::Session(session, run) => {
                let mut instant = session.instant();
                for (tag, value) in values {
                    instant.log(run, tag.as_ref(), step, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Event;
    use crate::log::{LogReader, Writer};
    use crate::summary::Text;

    /// All events of a log, one instant behind the other.
    pub(super) fn events(dir: &std::path::Path) -> Vec<Event> {
        let mut log = LogReader::open(dir).unwrap();
        let events = std::iter::from_fn(|| log.instant().unwrap());
        events.flatten().collect()
    }

    #[test]
    fn writer_and_session_take_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        let (writer, session) = (Writer::create(&a).unwrap(), Session::create(&b).unwrap());
        for target in [Target::from(writer.run("x")), (&session, "x").into()] {
            let text = Value::from(Text::new("so"));
            let values = [("a", 0.5.into()), ("note", text), ("b", f32::NAN.into())];
            target.log(3.into(), values);
        }
        writer.finish().unwrap();
        session.finish().unwrap();
        let read = |dir| {
            let mut events = events(dir);
            events.sort_by(|a, b| a.tag.cmp(&b.tag));
            events.iter_mut().for_each(|event| event.wall_time = 0.0);
            format!("{events:?}")
        };
        assert_eq!(read(&a), read(&b));
        assert_eq!(events(&a).len(), 3);
    }
}
