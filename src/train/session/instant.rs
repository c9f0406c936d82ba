//! Values of any runs that belong together.
//!
//! They share one wall time, and reach the sinks as one instant.

use super::Session;
use crate::flow::SinkError;
use crate::log::Payload;
use crate::summary::{Histogram, Sample, Value};
use crate::train::Values;
use crate::types::Step;

/// Values of any runs that share one wall time; see [`Session::instant`].
#[derive(Debug)]
pub struct Instant<'a> {
    pub(in crate::train) session: &'a Session,
    entries: Vec<(u32, Step, Payload)>,
    flush: bool,
}

impl<'a> Instant<'a> {
    pub(super) fn of(session: &'a Session) -> Self {
        Self {
            session,
            entries: Vec::new(),
            flush: false,
        }
    }
}

impl Instant<'_> {
    /// Has these values, and all before them, written soon; sinks see them only when that is done.
    pub fn flush(&mut self) {
        self.flush = true;
    }

    /// Adds a number, stored at single precision.
    pub fn scalar(&mut self, run: &str, tag: &str, step: impl Into<Step>, value: f64) {
        self.log(run, tag, step, value);
    }

    /// Adds a value of any kind.
    pub fn log(&mut self, run: &str, tag: &str, step: impl Into<Step>, value: impl Into<Value>) {
        self.add(run, tag, step.into(), Payload::Value(value.into()));
    }

    /// Adds a histogram; see [`Run::histogram`](super::Run::histogram).
    pub fn histogram<T: Sample + Send + 'static>(
        &mut self,
        run: &str,
        tag: &str,
        step: impl Into<Step>,
        values: &[T],
    ) {
        let step = step.into();
        if !values.iter().all(|value| value.to_f64().is_finite()) {
            for (kind, count) in Histogram::of(values).nonfinite_counts() {
                self.scalar(run, &format!("{tag}/{kind}"), step, count as f64);
            }
        }
        let (size, values) = (size_of_val(values), self.session.timed(|| values.to_vec()));
        let count = Box::new(move || Ok(Histogram::of(&values).into()));
        self.add(run, tag, step, Payload::Render(size, count));
    }

    /// Adds a histogram of a tensor's values; see [`Run::histogram`](super::Run::histogram).
    pub fn tensor(&mut self, run: &str, tag: &str, step: impl Into<Step>, values: Values<'_>) {
        match values {
            Values::F32(values) => self.histogram(run, tag, step, values),
            Values::F64(values) => self.histogram(run, tag, step, values),
        }
    }

    /// Adds what `make` returns; see [`Run::log_with`](super::Run::log_with).
    pub fn log_with(
        &mut self,
        run: &str,
        tag: &str,
        step: impl Into<Step>,
        make: impl FnOnce() -> Result<Value, SinkError> + Send + 'static,
    ) {
        /// What a picture that is not drawn yet counts as.
        const SIZE: usize = 64 << 10;
        self.add(run, tag, step.into(), Payload::Render(SIZE, Box::new(make)));
    }

    pub(in crate::train) fn add(&mut self, run: &str, tag: &str, step: Step, payload: Payload) {
        let series = self.session.inner.writer.run(run).series(tag);
        match series.id() {
            Some(id) => self.entries.push((id, step, payload)),
            // Refused: the series counts it.
            None => series.scalar(step, f64::NAN),
        }
    }
}

impl Drop for Instant<'_> {
    fn drop(&mut self) {
        if !self.entries.is_empty() {
            let entries = std::mem::take(&mut self.entries);
            let Self { session, flush, .. } = *self;
            session.timed(|| session.inner.sequencer().instant(entries, flush));
        }
    }
}
