//! A log directory as a sink: events are written as they are given.
//!
//! The same events give the same bytes: neither clock, host nor process is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message;

use super::record_file::{RecordFile, check_unused};
use super::{Error, encode};
use crate::flow::{Event, Sink, SinkError};
use crate::proto::{self, event::What};
use crate::types::{RunName, Step};

/// Writes events to a new log directory, each with the wall time that it has.
///
/// Beside the [`Writer`](super::Writer), which is for a loop that runs: no thread, no clock, no START. The scalars of
/// one run, step and instant are one event.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{flow::{Event, Sink, Source}, log::{LogReader, LogSink}};
/// let event = Event::new("train", "loss", 3, 1.7e9, 0.25);
/// let mut sink = LogSink::create(dir.path().join("copy"))?;
/// sink.accept(&[event.clone()])?;
/// sink.finish()?;
/// let mut log = LogReader::open(dir.path().join("copy"))?;
/// assert_eq!(log.next_instant()?, Some(vec![event]));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct LogSink {
    dir: PathBuf,
    runs: BTreeMap<RunName, RecordFile>,
}

impl LogSink {
    /// A sink that makes the log directory `dir` with the first event.
    ///
    /// # Errors
    /// [`Error::InUse`] where it has event files already, [`Error::Read`] where that cannot be seen.
    pub fn create(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref().to_owned();
        check_unused(&dir)?;
        Ok(Self {
            dir,
            runs: BTreeMap::new(),
        })
    }

    /// Hands all to the operating system.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.runs.values_mut().try_for_each(RecordFile::flush)
    }

    fn write(
        &mut self,
        run: &RunName,
        wall_time: f64,
        step: Step,
        what: What,
    ) -> Result<(), Error> {
        let file = match self.runs.get_mut(run) {
            Some(file) => file,
            None => {
                if !run.is_path() {
                    return Err(Error::RunName {
                        name: run.to_string(),
                    });
                }
                // Seconds as TensorBoard reads them from a name; 0 for a time that is none.
                let seconds = wall_time as u64;
                let name = format!("events.out.tfevents.{seconds:010}.modelpulse");
                let mut file = RecordFile::new(run.dir_in(&self.dir).join(name));
                let version = What::FileVersion("brain.Event:2".to_owned());
                file.append(&message(wall_time, Step::ZERO, version))?;
                self.runs.entry(run.clone()).or_insert(file)
            }
        };
        file.append(&message(wall_time, step, what))
    }
}

fn message(wall_time: f64, step: Step, what: What) -> Vec<u8> {
    let event = proto::Event {
        wall_time,
        step: step.as_i64(),
        what: Some(what),
        ..proto::Event::default()
    };
    event.encode_to_vec()
}

impl Sink for LogSink {
    fn accept(&mut self, mut instant: &[Event]) -> Result<(), SinkError> {
        while let Some(first) = instant.first() {
            let at = |event: &Event| (event.step, event.wall_time.to_bits());
            if let Some(field) = first.value.own_field(first.tag.as_str()) {
                self.write(&first.run, first.wall_time, first.step, field)?;
                instant = &instant[1..];
                continue;
            }
            let together = instant.iter().take_while(|event| {
                event.run == first.run
                    && at(event) == at(first)
                    && event.value.own_field(event.tag.as_str()).is_none()
            });
            let value: Vec<_> = together
                .map(|event| encode::wire(event.tag.as_str(), &event.value))
                .collect();
            let count = value.len();
            let what = What::Summary(proto::Summary { value });
            self.write(&first.run, first.wall_time, first.step, what)?;
            instant = &instant[count..];
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        let runs = std::mem::take(&mut self.runs);
        runs.into_values().try_for_each(RecordFile::finish)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Source;
    use crate::log::LogReader;
    use crate::summary::{Graph, Histogram, Scalar, Text, Value};

    #[test]
    fn what_was_given_is_read_and_written_alike_again() {
        let graph = Graph::of_parameters([("w", [2, 3])]).unwrap();
        let values: [Value; 7] = [
            1.5.into(),
            f32::NAN.into(),
            f32::NEG_INFINITY.into(),
            Scalar::new(2.0).description("d").into(),
            Text::new("ü").into(),
            Histogram::of(&[1.0, 2.0]).into(),
            graph.into(),
        ];
        let instant = |time: f64| -> Vec<Event> {
            let values = values.iter().enumerate();
            let event = |(index, value): (usize, &Value)| {
                let tag = value
                    .fixed_tag()
                    .map_or(format!("tag/{index}"), str::to_owned);
                Event::new("a/b", tag, index as i64 / 3 - 1, time, value.clone())
            };
            values.map(event).collect()
        };
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let mut sink = LogSink::create(dir.path().join(name)).unwrap();
            for time in [0.0, 1.7e9, -1.0] {
                sink.accept(&instant(time)).unwrap();
            }
            sink.finish().unwrap();
        };
        write("one");
        write("two");
        let mut log = LogReader::open(dir.path().join("one")).unwrap();
        for time in [0.0, 1.7e9, -1.0] {
            let read = log.next_instant().unwrap().unwrap();
            // NaN equals nothing, so what is shown is compared.
            assert_eq!(format!("{read:?}"), format!("{:?}", instant(time)));
        }
        let bytes = |name: &str| {
            let path = dir
                .path()
                .join(name)
                .join("a/b/events.out.tfevents.0000000000.modelpulse");
            std::fs::read(path).unwrap()
        };
        assert_eq!(bytes("one"), bytes("two"));
    }

    #[test]
    fn a_log_that_is_there_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/x.tfevents"), "").unwrap();
        let error = LogSink::create(dir.path()).unwrap_err();
        assert!(matches!(error, Error::InUse { .. }), "{error}");
        assert!(LogSink::create(dir.path().join("new")).is_ok());
    }

    #[test]
    fn a_run_stays_in_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = LogSink::create(dir.path().join("log")).unwrap();
        for run in ["..", "a/../../b", "/tmp/x", "a.tfevents.b"] {
            let error = sink.accept(&[Event::new(run, "t", 0, 0.0, 1.0)]);
            assert!(error.is_err(), "{run}");
        }
        assert!(!dir.path().join("log").exists());
    }
}
