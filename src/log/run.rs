//! A run of a log, and the scalars of one of its steps.
//!
//! A step's scalars are one event, of one wall time.

use std::cell::Cell;
use std::sync::Arc;

use super::Series;
use super::ring::MAX_STEP;
use super::shared::Inner;
use super::stamp::Stamp;
use super::worker::Item;
use crate::summary::{Histogram, Sample, Value};
use crate::types::Step;

/// Logs to one run.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::Writer, summary::Histogram};
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("train");
/// run.scalar("loss", 0, 0.7);
/// run.log("weights", 0, Histogram::of(&[0.1, 0.2]));
/// assert_eq!(writer.finish()?.written, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RunWriter {
    pub(super) inner: Arc<Inner>,
    pub(super) id: Option<u32>,
}

impl RunWriter {
    pub(crate) fn id(&self) -> Option<u32> {
        self.id
    }

    /// The series `tag`: look it up once, log to it often.
    pub fn series(&self, tag: impl AsRef<str>) -> Series {
        let shared = &self.inner.shared;
        let id = self.id.and_then(|run| {
            let id = shared
                .registry
                .series(run, tag.as_ref(), shared.config.max_series);
            id.map_err(|error| shared.account.fail(error, 0)).ok()
        });
        Series {
            inner: self.inner.clone(),
            id,
            run: self.id,
        }
    }

    /// The run goes on from `step`: what an earlier session logged there or later is void. Say it
    /// before the first value; [`last_steps`](super::last_steps) tells where a log stopped.
    pub fn resume_at(&self, step: impl Into<Step>) {
        if let Some(run) = self.id {
            let step = step.into();
            let resume = Item::Resume { run, step };
            self.inner
                .with_producer(0, |producer, shared| producer.item(resume, shared));
        }
    }

    /// Logs a number, stored at single precision.
    pub fn scalar(&self, tag: impl AsRef<str>, step: impl Into<Step>, value: f64) {
        self.series(tag).scalar(step, value);
    }

    /// Logs a histogram of `values`, and next to it, where there are such values, how many are NaN or
    /// infinite: `tag/nan`, `tag/+inf`, `tag/-inf`.
    pub fn histogram<T: Sample>(&self, tag: impl AsRef<str>, step: impl Into<Step>, values: &[T]) {
        let (step, histogram) = (step.into(), Histogram::of(values));
        for (kind, count) in histogram.nonfinite_counts() {
            self.scalar(format!("{}/{kind}", tag.as_ref()), step, count as f64);
        }
        self.log(tag, step, histogram);
    }

    /// Logs a value of any kind.
    pub fn log(&self, tag: impl AsRef<str>, step: impl Into<Step>, value: impl Into<Value>) {
        self.series(tag).log(step, value);
    }

    /// Logs a value of any kind as of `wall_time`, in seconds since the Unix epoch. One that is not
    /// finite is refused: it would end the file for a reader.
    pub fn log_at(
        &self,
        tag: impl AsRef<str>,
        step: impl Into<Step>,
        wall_time: f64,
        value: impl Into<Value>,
    ) {
        self.inner.value(
            self.series(tag).id,
            step.into(),
            Some(wall_time),
            value.into(),
        );
    }

    /// Gathers the scalars of one step; they are logged as one event when the guard is dropped.
    pub fn step(&self, step: impl Into<Step>) -> StepGuard<'_> {
        let values = SCRATCH.try_with(Cell::take).unwrap_or_default();
        StepGuard {
            run: self,
            step: step.into(),
            stamp: Stamp::now(),
            values,
        }
    }
}

/// The scalars of one step; see [`RunWriter::step`].
#[derive(Debug)]
pub struct StepGuard<'a> {
    run: &'a RunWriter,
    step: Step,
    stamp: Stamp,
    values: Vec<(u32, f32)>,
}

impl StepGuard<'_> {
    /// Adds a number, stored at single precision. A series of another run gets an event of its own.
    #[inline]
    pub fn scalar(&mut self, series: &Series, value: f64) -> &mut Self {
        let here = series.run == self.run.id && Arc::ptr_eq(&series.inner, &self.run.inner);
        match series.id {
            Some(id) if here => self.values.push((id, value as f32)),
            _ => series.scalar(self.step, value),
        }
        self
    }
}

impl Drop for StepGuard<'_> {
    fn drop(&mut self) {
        let Self {
            run,
            step,
            stamp,
            values,
        } = self;
        for values in values.chunks(MAX_STEP) {
            run.inner
                .with_producer(values.len() as u64, |producer, shared| {
                    producer.step(*stamp, step.as_i64(), values, shared)
                });
        }
        values.clear();
        let _ = SCRATCH.try_with(|scratch| scratch.set(std::mem::take(values)));
    }
}

thread_local! {
    /// A step guard's list, kept so that a step allocates nothing.
    static SCRATCH: Cell<Vec<(u32, f32)>> = const { Cell::new(Vec::new()) };
}
