//! Detectors of concept drift over an old log.

use std::path::Path;

use modelpulse::flow::Event;
use serde_json::Value;

use crate::{log, modelpulse};

/// A loss that rises by 1 at step 60.
fn logged(dir: &Path) {
    let event = |step: u32| {
        let loss = f64::from(step % 3) / 10.0 + f64::from(u8::from(step >= 60));
        Event::new("eval", "loss", step, f64::from(step), loss)
    };
    log(dir, &(0..100).map(event).collect::<Vec<_>>());
}

const RULES: &str = r#"
[[detector]]
name = "rise"
kind = "page_hinkley"
series = "eval/loss"
settings = { threshold = 5 }

[[rule]]
name = "Drift"
condition = "rise/loss/drift_signal >= 2"
by = "step"
"#;

#[test]
fn a_drift_is_found_where_it_is_and_a_rule_can_name_it() {
    let dir = tempfile::tempdir().unwrap();
    let (logdir, rules) = (dir.path().join("log"), dir.path().join("rules.toml"));
    logged(&logdir);
    std::fs::write(&rules, RULES).unwrap();
    let (logdir, rules) = (logdir.to_str().unwrap(), rules.to_str().unwrap());
    let detect = "page_hinkley,threshold=5:loss";
    let (out, err) = modelpulse(["replay", logdir, "--detect", detect], 1);
    assert_eq!(
        out,
        "drift: page_hinkley  run=eval tag=loss step=65 wall_time=65.000000 value=1.2 values=66\n"
    );
    assert!(err.contains("100 events read, drifts: 1"), "{err}");

    let (out, err) = modelpulse(["replay", logdir, "--rules", rules, "--json"], 1);
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(err.contains("alerts fired: 1"), "{err}");
    assert_eq!(
        (
            &lines[0]["detector"],
            &lines[0]["signal"],
            &lines[0]["step"]
        ),
        (&"rise".into(), &"drift".into(), &65.into())
    );
    let alerts: Vec<_> = lines[1..]
        .iter()
        .map(|line| (&line["state"], &line["step"], &line["tag"], &line["file"]))
        .collect();
    let tag = Value::from("health/drift/rise/loss/drift_signal");
    assert_eq!(
        alerts,
        [
            (&"firing".into(), &65.into(), &tag, &Value::Null),
            (&"resolved".into(), &66.into(), &tag, &Value::Null),
        ]
    );
    let picture = dir.path().join("drift.svg");
    let plot = ["--plot", picture.to_str().unwrap(), "--table"];
    let (table, _) = modelpulse(
        [&["replay", logdir, "--rules", rules], &plot[..]].concat(),
        1,
    );
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..2], ["Drift", "firing"]);
    assert!(
        std::fs::read_to_string(&picture)
            .unwrap()
            .contains("drift_signal")
    );

    let quiet = ["replay", logdir, "--detect", "adwin,delta=0.000001:loss"];
    assert_eq!(modelpulse(quiet, 0).0, "");
    let (out, _) = modelpulse(["rules", "check", rules], 0);
    assert!(out.ends_with(": 1 rules, 1 detectors, 0 tests\n"), "{out}");
}

#[test]
fn what_cannot_be_watched_is_said_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    logged(&logdir);
    let logdir = logdir.to_str().unwrap();
    for (detect, said) in [
        (
            "adwin:accuracy",
            "no series of the log is named by detector 'adwin:accuracy'",
        ),
        ("edwin:loss", "no detector is called 'edwin'"),
        (
            "adwin,delta=7:loss",
            "delta of adwin must be between 0 and 1, not 7",
        ),
    ] {
        let (_, err) = modelpulse(["replay", logdir, "--detect", detect], 2);
        assert!(err.contains(said), "{err}");
    }
    let twice = ["--detect", "adwin:loss", "--detect", "adwin,delta=0.1:loss"];
    let (_, err) = modelpulse([&["replay", logdir], &twice[..]].concat(), 2);
    assert!(
        err.contains("two detectors 'adwin' watch the series loss"),
        "{err}"
    );
}
