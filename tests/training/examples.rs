//! The examples of hooks run: our trainer, a candle loop, a loop of no framework, and one of another framework.

use std::path::Path;
use std::process::Command;

use crate::built::example;
use crate::read::{Log, read};

const FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
const FEATURES: &str = "candle,datasets,figures,progress";

/// Runs an example in a directory of its own; what it said, and what TensorBoard reads of its log.
fn run(name: &str, arguments: &[&str]) -> (String, Log) {
    let dir = tempfile::tempdir().unwrap();
    let program = example(name, FEATURES);
    let ran = Command::new(&program)
        .args(arguments)
        .current_dir(dir.path())
        .output();
    let ran = ran.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let err = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{name}: {err}");
    let log = read(&dir.path().join("runs").join(name));
    (String::from_utf8(ran.stdout).unwrap(), log)
}

fn steps(count: u64) -> Vec<u64> {
    (0..count).collect()
}

/// The last value of a series, which has this many.
#[track_caller]
fn last(log: &Log, run: &str, tag: &str, count: u64) -> f64 {
    let (at, values) = log.scalars(run, tag);
    assert_eq!(at, steps(count), "{run}/{tag}");
    values[values.len() - 1]
}

#[test]
fn the_network_on_clothes_learns() {
    assert!(
        Path::new(FASHION_MNIST).exists(),
        "no {FASHION_MNIST}: tests/run installs it"
    );
    let (said, log) = run("fashion_mnist", &[FASHION_MNIST, "2", "1000"]);
    let accuracy = last(&log, "eval", "epoch_accuracy", 2);
    assert!(accuracy > 0.5, "{accuracy}");
    assert!(
        said.ends_with(&format!("held-out accuracy {accuracy:.3}\n")),
        "{said}"
    );
    // 1000 images in batches of 32.
    assert!(last(&log, "batch", "batch_loss", 2 * 32) < 2.0);
    let (at, counts) = log.series("train", "gradients/conv1.weight", "histograms");
    assert_eq!((at, &counts[1]), (steps(2), &200.0.into()));
    assert_eq!(log.series("eval", "confusion_matrix", "images").0, steps(2));
}

#[test]
fn the_candle_loop_calls_hooks() {
    let (said, log) = run("candle_loop", &[]);
    assert!(said.contains("450 steps"), "{said}");
    assert!(last(&log, "eval", "epoch_accuracy", 10) > 0.9);
    assert!(last(&log, "batch", "batch_loss", 450) < 0.5);
    // The cosine has come down, in what the optimizer was given.
    assert!(last(&log, "train", "epoch_learning_rate", 10) < 1e-5);
    assert_eq!(log.scalars("batch", "gradient_norm").0.len(), 45);
    let (at, counts) = log.series("train", "gradients/hidden.weight", "histograms");
    assert_eq!((at, &counts[9]), (steps(10), &2048.0.into()));
    // Four parameters and two layers.
    assert_eq!(log.0["graphs"]["."], 6);
}

#[test]
fn the_loop_of_no_framework_learns_a_line() {
    let (said, log) = run("any_loop", &[]);
    assert!(said.starts_with("y = 1.98 x + 1.02"), "{said}");
    assert!(last(&log, "eval", "epoch_loss", 50) < 0.01);
    // 80 points in batches of 16.
    assert_eq!(log.scalars("batch", "batch_loss").0, steps(50 * 5));
}

#[test]
fn the_clusters_of_another_framework_are_seen_by_the_same_hooks() {
    let (said, log) = run("linfa_clusters", &[]);
    assert!(
        said.contains("steps; early stop: eval/epoch_loss"),
        "{said}"
    );
    let (at, losses) = log.scalars("eval", "epoch_loss");
    assert!(losses[0] > losses[losses.len() - 1], "{losses:?}");
    // 1437 images in batches of 100: so many were counted in all epochs.
    let epochs = at.len() as u64;
    assert_eq!(log.scalars("batch", "batch_loss").0, steps(epochs * 14));
    let (at, counts) = log.series("train", "weights/centroids", "histograms");
    assert_eq!((at, &counts[0]), (steps(epochs), &640.0.into()));
    // Ten images of 8 × 8 pixels, drawn by the example's own hook.
    let (at, sizes) = log.series("train", "centroids", "images");
    assert_eq!(
        (at, &sizes[0]),
        (steps(epochs), &serde_json::json!([82, 22]))
    );
    // There is no such thing, so nobody logs one.
    assert_eq!(log.tags("train", "epoch_learning_rate"), [""; 0]);
}
