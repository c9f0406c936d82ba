//! The logs that are read: written before any clock starts, and so in the page cache.
//!
//! Each event holds one value, as the common writers write them.

use std::path::Path;

use anyhow::anyhow;
use modelpulse::flow::{Event, Sink};
use modelpulse::log::LogSink;
use modelpulse::summary::{Image, Value};

use crate::noise::Noise;

/// The tags of a training run.
const TAGS: [&str; 10] = [
    "train/loss",
    "train/acc",
    "train/lr",
    "train/grad_norm",
    "val/loss",
    "val/acc",
    "perf/steps_per_sec",
    "perf/mem_mb",
    "opt/beta",
    "opt/weight_norm",
];

/// One run of `scalars` scalars in ten series.
pub(super) fn one_file(dir: &Path, scalars: usize) -> anyhow::Result<()> {
    let mut noise = Noise::new(3);
    let events = (0..scalars).map(|number| {
        let (tag, step) = (TAGS[number % TAGS.len()], (number / TAGS.len()) as i64);
        let time = 1.7e9 + number as f64 * 0.01;
        Event::new(".", tag, step, time, noise.normal())
    });
    write(dir, events)
}

/// So many runs, each of 20 series of 1,000 steps.
pub(super) fn many_runs(dir: &Path, runs: usize) -> anyhow::Result<()> {
    let tags: Vec<String> = (0..20)
        .map(|tag| format!("group{}/metric_{tag:02}", tag / 5))
        .collect();
    let mut noise = Noise::new(4);
    let events = (0..runs).flat_map(|run| {
        let (name, tags) = (format!("run_{run:03}"), &tags);
        let points = (0..1000_i64).flat_map(move |step| tags.iter().map(move |tag| (step, tag)));
        let values: Vec<f32> = (0..20_000).map(|_| noise.normal()).collect();
        points.zip(values).map(move |((step, tag), value)| {
            Event::new(&*name, &**tag, step, 1.7e9 + step as f64, value)
        })
    });
    write(dir, events)
}

/// One run of so many images of about 50 KB, in 20 series.
pub(super) fn images(dir: &Path, images: usize) -> anyhow::Result<()> {
    let (width, height) = (128, 130);
    let mut noise = Noise::new(5);
    let events = (0..images).map(|number| {
        // Noise does not become smaller.
        let pixels: Vec<u8> = (0..width * height * 3)
            .map(|_| noise.next() as u8)
            .collect();
        let image = Image::rgb(width, height, &pixels)?;
        let (tag, step) = (format!("img/{:02}", number % 20), (number / 20) as i64);
        Ok(Event::new(
            ".",
            tag,
            step,
            1.7e9 + number as f64,
            Value::from(image),
        ))
    });
    let events: Vec<Event> = events.collect::<anyhow::Result<_>>()?;
    write(dir, events)
}

fn write(dir: &Path, events: impl IntoIterator<Item = Event>) -> anyhow::Result<()> {
    let mut sink = LogSink::create(dir)?;
    for event in events {
        sink.accept(&[event]).map_err(|error| anyhow!(error))?;
    }
    sink.finish().map_err(|error| anyhow!(error))
}
