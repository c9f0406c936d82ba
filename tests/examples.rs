//! The examples of the kinds of summary run, and their logs hold what they show; those of training are run by
//! `tests/training`.
#![cfg(all(feature = "figures", feature = "media"))]

mod built;

use std::collections::BTreeMap;
use std::process::Command;

use modelpulse::flow::{Event, Source};
use modelpulse::log::{LogReader, Projector};
use modelpulse::summary::{
    Animation, AudioClips, Graph, HParams, Image, Layout, PrCurve, RunStats, Text,
};

/// Runs an example in a directory of its own; its values by run and tag, each series in order.
fn run(name: &str) -> (tempfile::TempDir, BTreeMap<String, Vec<Event>>) {
    let dir = tempfile::tempdir().unwrap();
    let program = built::example(&format!("kinds_{name}"), "figures,media");
    let output = Command::new(&program).current_dir(dir.path()).output();
    let output = output
        .unwrap_or_else(|error| panic!("{}: {error}; cargo build --examples", program.display()));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{name}: {err}");
    let mut series: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut reader = LogReader::open(dir.path().join(format!("runs/kinds_{name}"))).unwrap();
    while let Some(instant) = reader.next_instant().unwrap() {
        for event in instant {
            series.entry(event.path()).or_default().push(event);
        }
    }
    assert_eq!(reader.problems(), []);
    let count: usize = series.values().map(Vec::len).sum();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, format!("{count} values in runs/kinds_{name}\n"));
    (dir, series)
}

fn last<'a, T: TryFrom<&'a modelpulse::summary::Value, Error: std::fmt::Debug>>(
    series: &'a BTreeMap<String, Vec<Event>>,
    path: &str,
) -> T {
    T::try_from(&series[path].last().unwrap().value).unwrap()
}

#[test]
fn numbers() {
    let (_dir, series) = run("numbers");
    for path in [
        "loss",
        "accuracy/train",
        "accuracy/eval",
        "temperature/min",
        "weights",
    ] {
        assert_eq!(series[&format!("train/{path}")].len(), 50, "{path}");
    }
    let layout: Layout = last(&series, &format!("train/{}", Layout::TAG));
    let sections: Vec<&str> = layout.sections().map(|(title, _)| title).collect();
    assert_eq!(sections, ["sensor", "accuracy"]);
    assert_eq!(series["train/latency"][0].value.plugin(), "latencies");
}

#[test]
fn pictures() {
    let (_dir, series) = run("pictures");
    let size = |tag: &str| {
        let image: Image = last(&series, &format!("eval/{tag}"));
        (image.width(), image.height())
    };
    assert_eq!(size("gradient"), (32, 32));
    assert_eq!(size("batch"), (4 * 66 + 2, 2 * 66 + 2));
    assert_eq!(size("detections"), (448, 448));
    assert_eq!(size("swing"), (320, 200));
    let orbit: Animation = last(&series, "eval/orbit");
    assert_eq!((orbit.width(), orbit.height()), (64, 64));
}

#[test]
fn sound() {
    let (_dir, series) = run("sound");
    let voices: AudioClips = last(&series, "synth/voices");
    assert_eq!(voices.as_slice().len(), 3);
    let chord: AudioClips = last(&series, "synth/chord");
    assert_eq!(chord.as_slice()[0].wav().len(), 44 + 2 * 2 * 32_000);
}

#[test]
fn text() {
    let (_dir, series) = run("text");
    let layers: Text = last(&series, "notes/layers");
    assert!(layers.markdown().ends_with("| fc3 | 64 → 10 | 650 |\n"));
}

#[test]
fn curves() {
    let (_dir, series) = run("curves");
    assert_eq!(series.len(), 4);
    assert!(series.values().all(|events| events.len() == 4));
    let pr: PrCurve = last(&series, "eval/pr");
    assert_eq!(pr.recall()[0], 1.0);
}

#[test]
fn spaces() {
    let (dir, series) = run("spaces");
    let parts: Vec<&str> = series.keys().map(String::as_str).collect();
    assert_eq!(
        parts,
        [
            "model/torus_COLOR",
            "model/torus_FACE",
            "model/torus_VERTEX"
        ]
    );
    let projector = Projector::new(dir.path().join("runs/kinds_spaces/model"));
    assert_eq!(
        projector.config().unwrap().embeddings[0].tensor_shape,
        [150, 8]
    );
}

#[test]
fn graphs() {
    let (_dir, series) = run("graphs");
    let operations: Graph = last(&series, &format!("operations/{}", Graph::TAG));
    assert_eq!(operations.nodes().len(), 8);
    let stats: RunStats = last(&series, "operations/batch 100");
    assert_eq!(stats.devices()[0].node_stats.len(), 3);
    let parameters: Graph = last(&series, &format!("parameters/{}", Graph::TAG));
    assert_eq!(parameters.nodes().len(), 6);
}

#[test]
fn experiments() {
    let (_dir, series) = run("experiments");
    assert_eq!(series.len(), 1 + 6 * 3);
    let experiment: HParams = last(&series, "_hparams_/experiment");
    assert_eq!(experiment.metrics().count(), 1);
}
