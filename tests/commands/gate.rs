//! The gate between two versions of a model.

use std::path::{Path, PathBuf};

use modelpulse::flow::Event;
use serde_json::{Value, json};

use crate::{log, modelpulse};

/// A log whose held-out accuracy and loss go through these values, beside others that do not count.
fn version(dir: &Path, name: &str, accuracy: &[f64], loss: &[f64]) -> PathBuf {
    let dir = dir.join(name);
    let series = [
        ("eval", "epoch_accuracy", accuracy),
        ("eval", "epoch_loss", loss),
        ("train", "epoch_loss", &[9.0][..]),
        ("batch", "batch_loss", &[9.0][..]),
        ("eval", "epoch_learning_rate", &[0.1][..]),
    ];
    let mut events = Vec::new();
    for (run, tag, values) in series {
        for (step, &value) in values.iter().enumerate() {
            events.push(Event::new(run, tag, step, step as f64, value));
        }
    }
    log(&dir, &events);
    dir
}

fn gate(baseline: &Path, candidate: &Path, more: &[&str], code: i32) -> (String, String) {
    let mut arguments = vec![
        "gate",
        "--baseline",
        baseline.to_str().unwrap(),
        "--candidate",
        candidate.to_str().unwrap(),
    ];
    arguments.extend(more);
    modelpulse(arguments, code)
}

#[test]
fn a_candidate_passes_within_the_tolerances_alone() {
    let dir = tempfile::tempdir().unwrap();
    let main = version(dir.path(), "main", &[0.5, 0.92, 0.9], &[1.0, 0.4, 0.5]);
    let better = version(dir.path(), "better", &[0.6, 0.93, 0.93], &[1.0, 0.3, 0.3]);
    let worse = version(dir.path(), "worse", &[0.5, 0.91, 0.85], &[1.0, 0.4, 0.44]);

    let (out, err) = gate(&main, &main, &[], 0);
    assert!(
        err.contains("passed: none of 4 values is worse"),
        "{out}{err}"
    );
    assert_eq!(out.lines().count(), 5, "{out}");
    let (out, _) = gate(&main, &better, &[], 0);
    assert_eq!(out.matches("better").count(), 4, "{out}");

    let (out, err) = gate(&main, &worse, &[], 1);
    assert!(
        err.contains("failed: 2 of 4 values are worse"),
        "{out}{err}"
    );
    // 0.9 to 0.85, and 0.92 to 0.91 at best.
    gate(&main, &worse, &["--tol", "0.05"], 0);
    gate(&main, &worse, &["--tol", "0.049"], 1);
    gate(&main, &worse, &["--rtol", "0.06"], 0);
    gate(&main, &worse, &["--tol", "*loss=1"], 1);
    gate(&main, &worse, &["--tol", "0", "--tol", "*accuracy=0.05"], 0);
    gate(&main, &worse, &["--tol", "*accuracy=0.05", "--tol", "0"], 1);
    let only = ["--tol", "0.02", "--value"];
    gate(&main, &worse, &[&only[..], &["best"]].concat(), 0);
    gate(&main, &worse, &[&only[..], &["final"]].concat(), 1);
    // The other way round.
    gate(
        &main,
        &better,
        &["--metric", "eval/epoch_accuracy", "--down", "*accuracy"],
        1,
    );
    gate(&main, &worse, &["--metric", "eval/epoch_loss"], 0);
}

#[test]
fn scripts_and_pull_requests_read_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let main = version(dir.path(), "main", &[0.5, 0.75], &[1.0, 0.5]);
    let broken = version(dir.path(), "broken", &[0.5, 0.75], &[1.0, f64::NAN]);
    let (out, _) = gate(&main, &broken, &["--json", "--value", "final"], 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(
        report["metrics"],
        json!([
            { "metric": "eval/epoch_accuracy", "value": "final", "direction": "up", "baseline": 0.75,
              "candidate": 0.75, "allowed": 0.0, "verdict": "same" },
            { "metric": "eval/epoch_loss", "value": "final", "direction": "down", "baseline": 0.5,
              "candidate": "NaN", "allowed": 0.0, "verdict": "worse" },
        ])
    );
    let (out, _) = gate(&main, &broken, &["--markdown", "--value", "final"], 1);
    assert!(
        out.starts_with("**modelpulse gate failed: 1 of 2 values are worse**\n\n"),
        "{out}"
    );
    assert!(
        out.contains("| `eval/epoch_loss` | final | 0.5 | NaN | NaN | 0 | less | **worse** |"),
        "{out}"
    );
}

#[test]
fn what_is_missing_fails_and_what_cannot_be_compared_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let main = version(dir.path(), "main", &[0.5, 0.75], &[1.0, 0.5]);
    let silent = version(dir.path(), "silent", &[0.8], &[]);
    let (out, _) = gate(&main, &silent, &[], 1);
    assert_eq!(out.matches("missing").count(), 2, "{out}");

    let none = version(dir.path(), "none", &[], &[]);
    for (baseline, candidate, more, said) in [
        (&main, &none, &[][..], "has none of the metrics"),
        (
            &main,
            &main,
            &["--metric", "nothing"][..],
            "no such metrics",
        ),
        (
            &main,
            &main,
            &["--metric", "*rate"],
            "does not tell whether",
        ),
        (
            &main,
            &main,
            &["--up", "*", "--down", "*"],
            "both --up and --down",
        ),
        (&main, &main, &["--tol", "-1"], "not a number from 0 on"),
        (&main, &dir.path().join("nowhere"), &[], "nowhere"),
    ] {
        let (_, err) = gate(baseline, candidate, more, 2);
        assert!(err.contains(said), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}
