//! Logs side by side, and statistics of several.

use std::path::{Path, PathBuf};

use modelpulse::flow::Event;
use serde_json::{Value, json};

use crate::{cases, events, log, modelpulse};

/// A log of one run with a falling loss, whose values are moved by `apart` from a step on.
fn curve(dir: &Path, name: &str, from: i64, apart: f64) -> PathBuf {
    let dir = dir.join(name);
    let event = |step: i64| {
        let apart = if step >= from { apart } else { 0.0 };
        Event::new(
            "train",
            "loss",
            step,
            step as f64,
            1.0 / (step + 1) as f64 + apart,
        )
    };
    log(&dir, &(0..10).map(event).collect::<Vec<_>>());
    dir
}

#[test]
fn any_log_equals_itself() {
    for case in cases() {
        if modelpulse::log::LogReader::open(&case).is_err() || events(&case).is_empty() {
            continue;
        }
        let arguments = ["diff".as_ref(), case.as_os_str(), case.as_os_str()];
        let (out, _) = modelpulse(arguments, 0);
        assert_eq!(out, "", "{}", case.display());
    }
}

#[test]
fn where_two_runs_part_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        curve(dir.path(), "a", 99, 0.0),
        curve(dir.path(), "b", 6, 0.25),
    );
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let (out, err) = modelpulse(["diff", a, b], 1);
    assert!(
        out.contains("tag=loss: 4 of 10 values apart by up to 0.25"),
        "{out}"
    );
    assert!(out.contains("run train parts at step 6: loss"), "{out}");
    assert!(err.contains("1 series differ"), "{err}");
    modelpulse(["diff", a, b, "--tol", "0.26"], 0);
    modelpulse(["diff", a, b, "--steps", "..5"], 0);
    let (out, _) = modelpulse(["diff", a, b, "--json"], 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        report["runs"],
        json!([{ "run": "train", "first_step": 6, "tags": ["loss"] }])
    );
    // One log holds both.
    let both = dir.path().to_str().unwrap();
    let renamed = [
        "diff",
        both,
        both,
        "--run",
        "a/*",
        "--rename-run",
        "a/*=b/*",
        "--json",
    ];
    let (out, _) = modelpulse(renamed, 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["series"][0]["apart"], 4, "{out}");

    let (out, _) = modelpulse(["diff", a, both], 1);
    assert!(
        out.contains(&format!("only in {a}: run=train tag=loss (10 values)")),
        "{out}"
    );
    let (_, err) = modelpulse(["diff", a, "/nowhere"], 2);
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn statistics_of_seeds_are_a_table_or_a_log() {
    let dir = tempfile::tempdir().unwrap();
    for (name, apart) in [("seed-1", 0.0), ("seed-2", 0.5), ("seed-3", 1.0)] {
        curve(&dir.path().join("runs"), name, 0, apart);
    }
    let runs = dir.path().join("runs");
    let path = runs.to_str().unwrap();
    let (out, err) = modelpulse(["aggregate", path, "--json", "--quantiles", "0.5"], 0);
    assert!(err.contains("10 rows of 3 replicates"), "{err}");
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    let expected = json!({
        "run": "train", "tag": "loss", "step": 0, "wall_time": 0.0, "count": 3, "mean": 1.5, "std": 0.5,
        "min": 1.0, "max": 2.0, "q0.5": 1.5,
    });
    assert_eq!(first, expected);

    // Each directory by itself gives the same.
    let seeds = ["seed-1", "seed-2", "seed-3"].map(|name| runs.join(name));
    let seeds = seeds.iter().map(|path| path.to_str().unwrap());
    let arguments = ["aggregate", "--json", "--quantiles", "0.5"]
        .into_iter()
        .chain(seeds);
    assert_eq!(modelpulse(arguments, 0).0, out);

    let to = dir.path().join("mean");
    modelpulse(["aggregate", path, "--to", to.to_str().unwrap()], 0);
    let shown = events(&to.join("train/mean"));
    assert_eq!(shown.len(), 10);
    let names = modelpulse::log::LogReader::run_names(&to).unwrap();
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let expected = ["max", "mean", "min", "q0.25", "q0.5", "q0.75", "std"];
    assert_eq!(names, expected.map(|name| format!("train/{name}")));
}
