//! The writers under one face, each used as its documentation says.
//!
//! Ours waits where its buffer is full, so that nothing is dropped while it is compared, and its
//! `finish` does not wait for the disk, as that of no other does; [`Synced`] has the default.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, ensure};
use modelpulse::log::{Overflow, RunWriter, Series, Writer};
use modelpulse::summary::Histogram;
use tensorboard_rs::summary_writer::SummaryWriter;
use tfrecord::protobuf::summary;
use tfrecord::{EventMeta, EventWriter, EventWriterConfig, Summary};

use crate::clock;
use crate::limit::Limit;
use crate::report;

/// Series that every work logs to.
pub(crate) const SERIES: usize = 10;

/// The tags of the series.
pub(crate) fn tags() -> Vec<String> {
    (0..SERIES)
        .map(|index| format!("train/loss_{index}"))
        .collect()
}

/// A writer of scalars.
pub(crate) trait Scalars: Sized {
    const NAME: &'static str;

    /// A writer of a log in the directory `dir`, which exists.
    fn create(dir: &Path) -> anyhow::Result<Self>;

    /// Logs one scalar.
    fn scalar(&mut self, series: usize, step: i64, value: f32);

    /// Logs the scalars of one step, one a series, in one event where the writer can.
    fn step(&mut self, step: i64, values: &[f32; SERIES]) {
        for (series, &value) in values.iter().enumerate() {
            self.scalar(series, step, value);
        }
    }

    /// Has what was logged handed to the operating system.
    fn flush(&mut self) {}

    /// Ends the log; all of it is handed to the operating system when this returns.
    fn finish(self) -> anyhow::Result<()>;
}

/// A writer of histograms.
pub(crate) trait Histograms: Scalars {
    /// Logs a histogram of `values`.
    fn histogram(&mut self, step: i64, values: &[f32]);
}

/// Ours.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) writer: Writer,
    pub(crate) run: RunWriter,
    series: Vec<Series>,
}

impl Ours {
    fn new(dir: &Path, sync: bool) -> anyhow::Result<Self> {
        let writer = Writer::builder(dir)
            .overflow(Overflow::Wait)
            .sync(sync)
            .start()?;
        let run = writer.run(".");
        let series = tags().iter().map(|tag| run.series(tag)).collect();
        Ok(Self {
            writer,
            run,
            series,
        })
    }
}

impl Scalars for Ours {
    const NAME: &'static str = report::OURS;

    fn create(dir: &Path) -> anyhow::Result<Self> {
        Self::new(dir, false)
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        self.series[series].scalar(step, f64::from(value));
    }

    #[inline]
    fn step(&mut self, step: i64, values: &[f32; SERIES]) {
        let mut guard = self.run.step(step);
        for (series, &value) in self.series.iter().zip(values) {
            guard.scalar(series, f64::from(value));
        }
    }

    fn flush(&mut self) {
        self.writer.flush();
    }

    fn finish(self) -> anyhow::Result<()> {
        let report = self.writer.finish()?;
        ensure!(
            report.dropped == 0,
            "{} values were dropped",
            report.dropped
        );
        Ok(())
    }
}

impl Histograms for Ours {
    fn histogram(&mut self, step: i64, values: &[f32]) {
        self.run.log("w", step, Histogram::of(values));
    }
}

/// Ours, whose `finish` waits until the disk has everything.
#[derive(Debug)]
pub(crate) struct Synced(Ours);

impl Scalars for Synced {
    const NAME: &'static str = "modelpulse, on the disk";

    fn create(dir: &Path) -> anyhow::Result<Self> {
        Ours::new(dir, true).map(Self)
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        self.0.scalar(series, step, value);
    }

    #[inline]
    fn step(&mut self, step: i64, values: &[f32; SERIES]) {
        self.0.step(step, values);
    }

    fn finish(self) -> anyhow::Result<()> {
        self.0.finish()
    }
}

/// tensorboard-rs: a channel without bound, and a thread that writes each record as it comes.
pub(crate) struct TensorboardRs {
    writer: SummaryWriter,
    tags: Vec<String>,
    /// What [`Histograms`] sorts into, as the crate leaves that to its user.
    limits: Vec<f64>,
}

impl Scalars for TensorboardRs {
    const NAME: &'static str = report::PEER;

    fn create(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            writer: SummaryWriter::new(dir),
            tags: tags(),
            limits: exponential_limits(),
        })
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        self.writer
            .add_scalar(&self.tags[series], value, step as usize);
    }

    fn flush(&mut self) {
        self.writer.flush();
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush();
        Ok(())
    }
}

impl Histograms for TensorboardRs {
    fn histogram(&mut self, step: i64, values: &[f32]) {
        let mut counts = vec![0.0; self.limits.len()];
        let (mut min, mut max, mut sum, mut squares) = (f64::MAX, f64::MIN, 0.0, 0.0);
        for value in values.iter().map(|&value| f64::from(value)) {
            let bucket = self.limits.partition_point(|&limit| limit < value);
            counts[bucket.min(self.limits.len() - 1)] += 1.0;
            (min, max) = (value.min(min), value.max(max));
            (sum, squares) = (sum + value, squares + value * value);
        }
        let first = counts.iter().position(|&count| count > 0.0).unwrap_or(0);
        let end = counts
            .iter()
            .rposition(|&count| count > 0.0)
            .map_or(0, |last| last + 1);
        let (limits, counts) = (&self.limits[first..end], &counts[first..end]);
        let items = values.len() as f64;
        self.writer.add_histogram_raw(
            "w",
            min,
            max,
            items,
            sum,
            squares,
            limits,
            counts,
            step as usize,
        );
    }
}

/// TensorFlow's first generation: limits that grow by a tenth, of both signs.
fn exponential_limits() -> Vec<f64> {
    let positive: Vec<f64> = std::iter::successors(Some(1e-12), |limit| Some(limit * 1.1))
        .take_while(|&limit| limit < 1e20)
        .collect();
    let negative = positive.iter().rev().map(|limit| -limit);
    negative
        .chain([0.0])
        .chain(positive.iter().copied())
        .collect()
}

/// tfrecord: as configured by default, it flushes each record.
#[derive(Debug)]
pub(crate) struct Tfrecord {
    writer: EventWriter<BufWriter<File>>,
    tags: Vec<String>,
    failure: Option<tfrecord::Error>,
}

impl Tfrecord {
    #[inline]
    fn keep_failure(&mut self, written: tfrecord::Result<()>) {
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }
}

impl Scalars for Tfrecord {
    const NAME: &'static str = "tfrecord 0.15";

    fn create(dir: &Path) -> anyhow::Result<Self> {
        let prefix = dir.join("run").to_string_lossy().into_owned();
        Ok(Self {
            writer: EventWriter::from_prefix(prefix, "", EventWriterConfig::default())?,
            tags: tags(),
            failure: None,
        })
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        let written = self.writer.write_scalar(&self.tags[series], step, value);
        self.keep_failure(written);
    }

    fn step(&mut self, step: i64, values: &[f32; SERIES]) {
        let value = |(tag, &value): (&String, &f32)| summary::Value {
            tag: tag.clone(),
            value: Some(summary::value::Value::SimpleValue(value)),
            ..summary::Value::default()
        };
        let value = self.tags.iter().zip(values).map(value).collect();
        let event = EventMeta::with_step(step).build_with_summary(Summary { value });
        let written = self.writer.write_event(event);
        self.keep_failure(written);
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.writer.flush()?;
        self.failure.map_or(Ok(()), Err).context("tfrecord")
    }
}

impl Histograms for Tfrecord {
    fn histogram(&mut self, step: i64, values: &[f32]) {
        let written = self.writer.write_histogram("w", step, values);
        self.keep_failure(written);
    }
}

impl Scalars for Limit {
    const NAME: &'static str = report::LIMIT;

    fn create(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self::create(dir, &tags())?)
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        Self::scalar(self, series, step, value);
    }

    #[inline]
    fn step(&mut self, step: i64, values: &[f32; SERIES]) {
        Self::step(self, step, values);
    }

    fn flush(&mut self) {
        self.write();
    }

    fn finish(self) -> anyhow::Result<()> {
        Ok(Self::finish(self)?)
    }
}

impl Histograms for Limit {
    fn histogram(&mut self, step: i64, values: &[f32]) {
        Self::histogram(self, step, values);
    }
}

/// Does nothing: what a timed call costs by itself.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Scalars for Nothing {
    const NAME: &'static str = "empty timed call";

    fn create(_: &Path) -> anyhow::Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        std::hint::black_box((series, step, value));
    }

    fn finish(self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Reads the wall clock, as every writer must, and nothing else.
#[derive(Debug)]
pub(crate) struct Clock;

impl Scalars for Clock {
    const NAME: &'static str = "wall clock alone";

    fn create(_: &Path) -> anyhow::Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn scalar(&mut self, series: usize, step: i64, value: f32) {
        std::hint::black_box((series, step, value, clock::wall_time()));
    }

    fn finish(self) -> anyhow::Result<()> {
        Ok(())
    }
}
