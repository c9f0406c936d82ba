//! The doctor on logs of all writers.

use std::path::Path;
use std::process::Command;

use modelpulse::flow::Event;
use serde_json::Value;

use crate::{cases, log, modelpulse};

#[test]
fn any_log_is_looked_at_without_a_panic() {
    let mut codes = [0; 3];
    for case in cases() {
        for more in [&[][..], &["--json"]] {
            let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
                .arg("doctor")
                .arg(&case)
                .args(more)
                .output()
                .unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code().unwrap_or(-1);
            assert!((0..3).contains(&code), "{}: {code} {err}", case.display());
            let errors = err.lines().filter(|line| line.starts_with("error: "));
            assert_eq!(
                errors.count(),
                usize::from(code == 2),
                "{}: {err}",
                case.display()
            );
            codes[code as usize] += 1;
        }
    }
    println!("{codes:?} logs with the codes 0, 1 and 2");
    assert!(codes[0] > 0);
}

/// The series of a model that overfits, one (run, tag, steps an epoch, values) each.
type Names = [(&'static str, &'static str); 4];

fn overfit(dir: &Path, [train, eval, train_accuracy, eval_accuracy]: Names, steps: i64) {
    let mut events = Vec::new();
    for epoch in 0..30_i64 {
        let far = epoch as f64 / 30.0;
        for ((run, tag), value) in [
            (train, 2.3 * 0.8_f64.powi(epoch as i32)),
            (eval, 0.6 + 1.7 * 0.6_f64.powi(epoch as i32) + far),
            (train_accuracy, 0.5 + far / 2.0),
            (eval_accuracy, 0.5 + far / 5.0),
        ] {
            let step = (epoch + 1) * steps;
            events.push(Event::new(run, tag, step, step as f64, value));
        }
    }
    events.sort_by(|a, b| a.wall_time.total_cmp(&b.wall_time));
    log(dir, &events);
}

#[test]
fn a_training_is_known_by_the_names_of_any_writer() {
    let dir = tempfile::tempdir().unwrap();
    for (writer, names, steps) in [
        (
            "keras",
            [
                ("train", "epoch_loss"),
                ("validation", "epoch_loss"),
                ("train", "epoch_accuracy"),
                ("validation", "epoch_accuracy"),
            ],
            1,
        ),
        (
            "lightning",
            [
                ("version_0", "train_loss_epoch"),
                ("version_0", "val_loss"),
                ("version_0", "train_acc"),
                ("version_0", "val_acc"),
            ],
            300,
        ),
        (
            "pytorch",
            [
                (".", "Loss/train"),
                (".", "Loss/test"),
                (".", "Accuracy/train"),
                (".", "Accuracy/test"),
            ],
            1,
        ),
        (
            "add_scalars",
            [
                ("Loss_train", "Loss"),
                ("Loss_valid", "Loss"),
                ("Acc_train", "Acc"),
                ("Acc_valid", "Acc"),
            ],
            1,
        ),
        (
            "transformers",
            [
                (".", "train/loss"),
                (".", "eval/loss"),
                (".", "train/other"),
                (".", "eval/accuracy"),
            ],
            500,
        ),
    ] {
        let logdir = dir.path().join(writer);
        overfit(&logdir, names, steps);
        let (out, _) = modelpulse(
            ["doctor".as_ref(), logdir.as_os_str(), "--json".as_ref()],
            1,
        );
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            report["trainings"].as_array().unwrap().len(),
            1,
            "{writer}: {out}"
        );
        let findings = &report["trainings"][0]["findings"];
        assert_eq!(findings[0]["kind"], "overfitting", "{writer}: {out}");
        assert_eq!(findings.as_array().unwrap().len(), 1, "{writer}: {out}");
        // Steps that count epochs are called so.
        let axis = if steps == 1 { "epoch" } else { "step" };
        assert_eq!(findings[0]["axis"], axis, "{writer}: {out}");
        let (out, _) = modelpulse(["doctor".as_ref(), logdir.as_os_str()], 1);
        assert!(
            out.contains("OVERFITTING (warning)") && out.contains("what to try:"),
            "{out}"
        );
    }
    // All at once, one training a writer.
    let (out, _) = modelpulse(
        ["doctor".as_ref(), dir.path().as_os_str(), "--json".as_ref()],
        1,
    );
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["trainings"].as_array().unwrap().len(), 5, "{out}");
}

#[test]
fn a_log_without_a_training_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path(), &[Event::new("x", "temperature", 0, 0.0, 20.0)]);
    for dir in [dir.path(), Path::new("/nowhere")] {
        let (_, err) = modelpulse(["doctor".as_ref(), dir.as_os_str()], 2);
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}
