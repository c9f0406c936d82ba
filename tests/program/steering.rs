//! The flags that steer a training, and what is found in one.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{script, train};

/// The points of a series of the run `a`, as TensorBoard reads them.
fn series(logdir: &Path, run: &str, tag: &str) -> Vec<(u64, f64)> {
    let shown = script("read_log.py", [logdir.as_os_str(), tag.as_ref()]);
    let points = shown["fast"][format!("a/{run}")][tag].as_array();
    let points = points.unwrap_or_else(|| panic!("no {run}/{tag}"));
    let point = |point: &Value| (point[0].as_u64().unwrap(), point[1].as_f64().unwrap());
    points.iter().map(point).collect()
}

#[test]
fn the_schedule_moves_the_rate_and_more_is_logged_on_demand() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = [
        "--name=a",
        "--epochs=3",
        "--schedule=cosine",
        "--warm-up=35",
        "--clip-norm=0.5",
        "--also=gradient-norms,projector,pr-curves,timing,resources",
        "--json",
    ];
    let report = train(dir.path(), &arguments).ended(0).json();
    assert_eq!(report["findings"], json!([]));
    let rates = series(dir.path(), "batch", "batch_learning_rate");
    // 1437 images in batches of 32: 135 steps, of which 100 follow the cosine.
    assert_eq!(rates.len(), 135);
    for (step, rate) in [
        (0, 0.0),
        (7, 0.0006),
        (35, 0.003),
        (85, 0.0015),
        (134, 7.4e-7),
    ] {
        let (at, ours) = rates[step];
        assert_eq!(at, step as u64);
        assert!((ours - rate).abs() < 1e-8, "{step}: {ours} {rate}");
    }
    assert_eq!(series(dir.path(), "batch", "gradient_norm").len(), 14);
    assert_eq!(series(dir.path(), "batch", "time/step_ms/forward").len(), 7);
    assert!(series(dir.path(), "batch", "resource/memory_bytes")[0].1 > 1e6);
    let settings = std::fs::read_to_string(dir.path().join("a/eval/projector_config.pbtxt"));
    // The held-out images are where the hidden layer puts them.
    assert!(settings.unwrap().contains("layer0"));
}

#[test]
fn a_training_stops_early_and_the_log_ends_there() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = [
        "--name=a",
        "--epochs=200",
        "--learning-rate=0.02",
        "--early-stop=3",
        "--restore-best",
        "--json",
    ];
    let report = train(dir.path(), &arguments).ended(0).json();
    let stopped = report["stopped"].as_str().unwrap();
    assert!(stopped.starts_with("early stop: eval/epoch_loss has not been better for 3 epochs"));
    let losses = series(dir.path(), "eval", "epoch_loss");
    let best = losses.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
    assert_eq!(losses.len() as u64, best + 1 + 3);
}

#[test]
fn a_nan_is_a_finding_and_a_skipped_one_lets_the_training_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--name=a", "--learning-rate=1e30", "--json"];
    let report = train(dir.path(), &arguments).ended(1).json();
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["kind"], &finding["run"]),
        (&json!("not_finite"), &json!("batch"))
    );
    assert!(
        finding["sentence"].as_str().unwrap().contains("layer0."),
        "{finding}"
    );

    let ran = train(dir.path(), &["--name=b", "--learning-rate=1e30"]).ended(1);
    assert!(ran.out.contains("found: not_finite at step "), "{ran:#?}");
    assert!(ran.err.starts_with("diverged: "), "{ran:#?}");
}

#[test]
fn flags_that_make_no_sense_are_refused_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&["--clip-norm=0"][..], "must be a positive number"),
        (&["--clip-norm=1", "--clip-value=1"], "cannot be used with"),
        (
            &["--schedule=cosinus"],
            "[possible values: constant, step, exponential, cosine, one-cycle, plateau]",
        ),
        (&["--restore-best"], "--early-stop"),
    ] {
        let ran = train(dir.path(), arguments).ended(2);
        assert!(ran.err.contains(said), "{ran:#?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
