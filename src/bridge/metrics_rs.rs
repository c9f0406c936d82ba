//! The `metrics` facade: its counters, gauges and histograms become series, sampled at an interval.
//!
//! Every value of a histogram is in exactly one sample; the last sample is written when the sampler is
//! dropped.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::atomics::AtomicU64;
use metrics::{Counter, Gauge, Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::registry::Registry;

use super::samples::{Samples, Values};
use super::{MetricsSampler, Target};
use crate::types::Step;

/// A recorder of the `metrics` facade, which a [`MetricsSampler`] writes to a run.
///
/// - A counter and a gauge are a scalar: what they stand at.
/// - A histogram is a histogram of the values since the last sample, and the scalar `…/count`, how many they
///   were; NaN and infinite ones are counted as `…/nan`, `…/+inf`, `…/-inf`. Of more than 1,048,576 values
///   between two samples the histogram shows the first; the count is of all.
/// - The step is the number of the sample.
/// - Labels are part of the tag, sorted: `requests/method=GET,status=200`.
/// - Unit and description, where they are known before the first sample, describe the series.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, bridge::MetricsRecorder};
///
/// let session = Session::create(dir.path())?;
/// let sampler = MetricsRecorder::builder((&session, "serve")).install()?;
/// metrics::describe_counter!("requests", "answered requests");
/// metrics::counter!("requests", "status" => "200").increment(1);
/// metrics::gauge!("queue").set(3);
/// metrics::histogram!("latency_ms").record(1.5);
/// // The last sample is written, then the session's end.
/// drop(sampler);
/// let report = session.finish()?;
/// assert_eq!(report.written, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MetricsRecorder {
    shared: Arc<Shared>,
}

/// What the facade and the sampler share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: Registry<Key, Samples>,
    /// What is known of a name, in the words that describe a series.
    descriptions: Mutex<HashMap<KeyName, String>>,
}

/// The settings of a [`MetricsRecorder`].
#[must_use]
#[derive(Debug)]
pub struct MetricsBuilder {
    target: Target,
    interval: Duration,
    first_step: Step,
}

/// Why metrics cannot be logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There can be one global recorder.
    #[error("the metrics facade has a global recorder already")]
    Taken,
    /// No thread could be started.
    #[error("cannot start the thread that samples metrics: {0}")]
    Thread(#[source] io::Error),
}

impl MetricsRecorder {
    /// The settings of a recorder that is sampled into `run`: a
    /// [`RunWriter`](crate::log::RunWriter), or a session and the name of a run.
    pub fn builder(run: impl Into<Target>) -> MetricsBuilder {
        MetricsBuilder {
            target: run.into(),
            interval: Duration::from_secs(10),
            first_step: Step::ZERO,
        }
    }
}

impl MetricsBuilder {
    /// The time from one sample to the next, at least 1 ms. Default: 10 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The number of the first sample, in a log that goes on. Default: 0.
    pub fn first_step(mut self, step: impl Into<Step>) -> Self {
        self.first_step = step.into();
        self
    }

    /// Makes this the recorder of the whole process, and starts to sample.
    ///
    /// # Errors
    /// [`InstallError::Taken`] where there is a recorder already, [`InstallError::Thread`] where no thread can
    /// be started.
    pub fn install(self) -> Result<MetricsSampler, InstallError> {
        let (recorder, sampler) = self.start()?;
        metrics::set_global_recorder(recorder).map_err(|_| InstallError::Taken)?;
        Ok(sampler)
    }

    /// Starts to sample a recorder that is not the process's: to stand behind others, or for a part of the
    /// program, by [`metrics::with_local_recorder`].
    ///
    /// # Errors
    /// [`InstallError::Thread`] where no thread can be started.
    pub fn start(self) -> Result<(MetricsRecorder, MetricsSampler), InstallError> {
        let shared = Arc::new(Shared {
            registry: Registry::new(Samples),
            descriptions: Mutex::default(),
        });
        let interval = self.interval.max(Duration::from_millis(1));
        let sampler = MetricsSampler::start(shared.clone(), self.target, self.first_step, interval);
        let sampler = sampler.map_err(InstallError::Thread)?;
        Ok((MetricsRecorder { shared }, sampler))
    }
}

impl Shared {
    /// By name.
    pub(super) fn descriptions(&self) -> MutexGuard<'_, HashMap<KeyName, String>> {
        self.descriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, key: KeyName, unit: Option<Unit>, description: &str) {
        let unit = unit.map(|unit| unit.as_str().replace('_', " "));
        let words = match unit {
            Some(unit) if description.is_empty() => unit,
            Some(unit) => format!("{description} ({unit})"),
            None => description.to_owned(),
        };
        self.descriptions().insert(key, words);
    }
}

impl metrics::Recorder for MetricsRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.shared.describe(key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.shared.describe(key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.shared.describe(key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let make = |counter: &Arc<AtomicU64>| Counter::from_arc(counter.clone());
        self.shared.registry.get_or_create_counter(key, make)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let make = |gauge: &Arc<AtomicU64>| Gauge::from_arc(gauge.clone());
        self.shared.registry.get_or_create_gauge(key, make)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        let make = |values: &Arc<Values>| metrics::Histogram::from_arc(values.clone());
        self.shared.registry.get_or_create_histogram(key, make)
    }
}

#[cfg(test)]
mod tests {
    use metrics::{
        counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    };

    use super::super::tests::events;
    use super::*;
    use crate::flow::Event;
    use crate::summary::{Histogram, Value};
    use crate::{Session, log::Writer};

    /// Far beyond the end of a test: only what it asks for is sampled.
    const NEVER: Duration = Duration::from_secs(1_000_000);

    fn number(event: &Event) -> (&str, i64, f32) {
        let value = event.value.scalar().unwrap_or(f32::NAN);
        (event.tag.as_str(), event.step.as_i64(), value)
    }

    #[test]
    fn what_the_facade_was_told_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::create(dir.path()).unwrap();
        let builder = MetricsRecorder::builder(writer.run("serve")).interval(NEVER);
        let (recorder, sampler) = builder.start().unwrap();
        metrics::with_local_recorder(&recorder, || {
            counter!("requests", "status" => "200", "method" => "GET").increment(3);
            gauge!("queue").set(-1.5);
            sampler.sample_now();
            counter!("requests", "method" => "GET", "status" => "200").increment(4);
            gauge!("queue").decrement(0.5);
            gauge!("loss").set(f64::NAN);
            histogram!("latency").record(1.0);
            histogram!("latency").record(3.0);
            histogram!("latency").record(f64::INFINITY);
        });
        sampler.finish();
        writer.finish().unwrap();
        let mut events = events(dir.path());
        events.sort_by(|a, b| (a.step, &a.tag).cmp(&(b.step, &b.tag)));
        let numbers: Vec<_> = events.iter().map(number).collect();
        let requests = "requests/method=GET,status=200";
        let expected = [
            ("queue", 0, -1.5),
            (requests, 0, 3.0),
            ("latency", 1, f32::NAN),
            ("latency/+inf", 1, 1.0),
            ("latency/count", 1, 3.0),
            ("loss", 1, f32::NAN),
            ("queue", 1, -2.0),
            (requests, 1, 7.0),
        ];
        assert_eq!(format!("{numbers:?}"), format!("{expected:?}"));
        let latency = Histogram::try_from(&events[2].value).unwrap();
        assert_eq!(latency, Histogram::of(&[1.0, 3.0]));
    }

    #[test]
    fn each_value_is_in_one_sample() {
        let dir = tempfile::tempdir().unwrap();
        let session = Session::create(dir.path()).unwrap();
        let builder = MetricsRecorder::builder((&session, "serve")).first_step(100);
        let (recorder, sampler) = builder.interval(Duration::ZERO).start().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let record = || (0..50_000).for_each(|value| histogram!("x").record(value));
                let recorder = &recorder;
                scope.spawn(move || metrics::with_local_recorder(recorder, record));
            }
        });
        sampler.sample_now();
        drop(sampler);
        session.finish().unwrap();
        let events = events(dir.path());
        let shown = |event: &Event| Some(Histogram::try_from(&event.value).ok()?.count());
        assert_eq!(events.iter().filter_map(shown).sum::<u64>(), 100_000);
        let counts = events
            .iter()
            .filter(|event| event.tag.as_str() == "x/count");
        let counts: Vec<_> = counts.map(number).collect();
        assert_eq!(
            counts.iter().map(|(.., count)| count).sum::<f32>(),
            100_000.0
        );
        assert_eq!(counts.last().map(|(.., count)| *count), Some(0.0));
        let steps = counts.iter().map(|(_, step, _)| *step);
        assert!(steps.clone().is_sorted_by(|a, b| a + 1 == *b) && steps.min() >= Some(100));
    }

    #[test]
    fn a_series_is_described_once() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::create(dir.path()).unwrap();
        let builder = MetricsRecorder::builder(writer.run(".")).interval(NEVER);
        let (recorder, sampler) = builder.start().unwrap();
        metrics::with_local_recorder(&recorder, || {
            describe_counter!("sent", Unit::CountPerSecond, "all that left");
            describe_gauge!("held", Unit::Bytes, "");
            describe_histogram!("late", "how late");
            counter!("sent").increment(1);
            gauge!("held").set(2);
            gauge!("plain").set(3);
            histogram!("late").record(4);
            sampler.sample_now();
            histogram!("late").record(5);
        });
        drop(sampler);
        writer.finish().unwrap();
        let description = |event: &Event| match &event.value {
            Value::Tensor(tensor) => tensor.metadata.summary_description.clone(),
            Value::Scalar(_) => String::new(),
        };
        let mut described: Vec<_> = events(dir.path())
            .iter()
            .map(|event| {
                (
                    event.step.as_i64(),
                    event.tag.to_string(),
                    description(event),
                )
            })
            .filter(|(.., description)| !description.is_empty())
            .collect();
        described.sort();
        // The reader knows a histogram's metadata from its first value on.
        let expected = [
            (0, "held", "bytes"),
            (0, "late", "how late"),
            (0, "sent", "all that left (count per second)"),
            (1, "late", "how late"),
        ];
        let expected = expected.map(|(step, tag, text)| (step, tag.to_owned(), text.to_owned()));
        assert_eq!(described, expected);
    }

    #[test]
    fn there_is_one_global_recorder() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::create(dir.path()).unwrap();
        let install = || {
            MetricsRecorder::builder(writer.run("."))
                .interval(NEVER)
                .install()
        };
        let sampler = install().unwrap();
        let refused = install().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the metrics facade has a global recorder already"
        );
        counter!("global").increment(5);
        drop(sampler);
        writer.finish().unwrap();
        let events = events(dir.path());
        assert_eq!(
            events.iter().map(number).collect::<Vec<_>>(),
            [("global", 0, 5.0)]
        );
    }
}
