//! The sampler: what the `metrics` facade stands at, written to a run at an interval.
//!
//! One thread, and whoever asks for a sample; samples are numbered in the order in which they are taken.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use metrics::Key;

use super::Target;
use super::metrics_rs::Shared;
use super::samples::Since;
use crate::summary::{Histogram, Scalar, Value};
use crate::types::Step;

/// Writes samples of a [`MetricsRecorder`](super::MetricsRecorder) to its run, until it is dropped; then the last one.
///
/// Keep it as long as metrics are to be logged, and drop it before the session or writer is finished.
#[must_use = "metrics are sampled only while this is kept"]
#[derive(Debug)]
pub struct MetricsSampler {
    sampling: Arc<Sampling>,
    /// Dropped to end the thread.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Sampling {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    target: Target,
    next: Step,
    /// Tags whose description is in the log.
    described: HashSet<String>,
}

impl MetricsSampler {
    pub(super) fn start(
        shared: Arc<Shared>,
        target: Target,
        first_step: Step,
        interval: Duration,
    ) -> io::Result<Self> {
        let state = State {
            target,
            next: first_step,
            described: HashSet::new(),
        };
        let sampling = Arc::new(Sampling {
            shared,
            state: Mutex::new(state),
        });
        let (stop, stopped) = mpsc::channel();
        let sampled = sampling.clone();
        let sample = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                sampled.sample();
            }
        };
        let thread = std::thread::Builder::new()
            .name("modelpulse-metrics".to_owned())
            .spawn(sample)?;
        Ok(Self {
            sampling,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Takes a sample now, beside those of the interval.
    pub fn sample_now(&self) {
        self.sampling.sample();
    }

    /// Takes the last sample, as dropping does.
    pub fn finish(self) {}
}

impl Drop for MetricsSampler {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there lost a sample, not more.
            let _ = thread.join();
        }
        self.sampling.sample();
    }
}

impl Sampling {
    fn sample(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = self.shared.values(&mut state.described);
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        let step = state.next;
        state.next = step.as_i64().saturating_add(1).into();
        state.target.log(step, values);
    }
}

impl Shared {
    /// Tags and values of a sample. The first value of a tag carries what describes the series.
    fn values(&self, described: &mut HashSet<String>) -> Vec<(String, Value)> {
        let mut values: Vec<(String, Value)> = Vec::new();
        let mut add = |key: &Key, value: Value| {
            let (tag, descriptions) = (tag(key), self.descriptions());
            let description = descriptions.get(key.name());
            let value = match description.filter(|_| described.insert(tag.clone())) {
                Some(description) => with_description(value, description),
                None => value,
            };
            values.push((tag, value));
        };
        for (key, counter) in self.registry.get_counter_handles() {
            add(&key, (counter.load(Ordering::Relaxed) as f64).into());
        }
        for (key, gauge) in self.registry.get_gauge_handles() {
            add(&key, f64::from_bits(gauge.load(Ordering::Relaxed)).into());
        }
        let mut counts: Vec<(String, Value)> = Vec::new();
        for (key, since) in self.registry.get_histogram_handles() {
            let Since { values, count } = since.take();
            let mut add_count = |kind, count| {
                counts.push((format!("{}/{kind}", tag(&key)), (count as f64).into()));
            };
            add_count("count", count);
            if count > 0 {
                let histogram = Histogram::of(&values);
                let counts = histogram.nonfinite_counts();
                counts.for_each(|(kind, count)| add_count(kind, count));
                add(&key, histogram.into());
            }
        }
        values.append(&mut counts);
        values
    }
}

fn with_description(value: Value, description: &str) -> Value {
    match value {
        Value::Scalar(value) => Scalar::new(value.into()).description(description).into(),
        Value::Tensor(tensor) => {
            let mut tensor = Arc::unwrap_or_clone(tensor);
            tensor.metadata.summary_description = description.to_owned();
            tensor.into()
        }
    }
}

/// The name, and its labels sorted.
fn tag(key: &Key) -> String {
    let mut labels: Vec<_> = key.labels().collect();
    labels.sort_by_key(|label| (label.key(), label.value()));
    let mut tag = key.name().to_owned();
    for (number, label) in labels.iter().enumerate() {
        let before = if number == 0 { "/" } else { "," };
        tag.extend([before, label.key(), "=", label.value()]);
    }
    tag
}
