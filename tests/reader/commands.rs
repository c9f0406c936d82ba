//! `inspect`, `tail` and `repair`, as their users call them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use modelpulse::log::Writer;
use modelpulse::summary::Text;
use serde_json::Value;

fn modelpulse(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(args)
        .output()
        .unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = modelpulse(args);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A log of one run, with a restart, a NaN and a text.
fn log(dir: &Path) {
    let writer = Writer::create(dir).unwrap();
    let run = writer.run("train");
    (0..50_i64).for_each(|step| run.scalar("loss", step, 1.0 / (step + 1) as f64));
    run.scalar("loss", 50, f64::NAN);
    run.log("note", 50, Text::new("resumed from here"));
    writer.finish().unwrap();
    let writer = Writer::create(dir).unwrap();
    let run = writer.run("train");
    run.resume_at(40);
    (40..60_i64).for_each(|step| run.scalar("loss", step, 0.5));
    writer.finish().unwrap();
}

#[test]
fn inspect_shows_runs_policies_and_files() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let logdir = text(dir.path());
    let count = |policy: &str| {
        let found = json(&["inspect", logdir, "--json", "--restart", policy]);
        found["runs"]["train"]["tags"]["loss"]["count"].clone()
    };
    assert_eq!(count("keep-all"), 71);
    for policy in ["tensorboard", "data-server", "purge"] {
        assert_eq!(count(policy), 60, "{policy}");
    }
    let found = json(&["inspect", logdir, "--json", "--restart", "keep-all"]);
    let loss = &found["runs"]["train"]["tags"]["loss"];
    assert_eq!((&loss["nonfinite"], &loss["max"]), (&1.into(), &1.0.into()));
    assert_eq!(
        (&loss["first_step"], &loss["last_step"]),
        (&0.into(), &59.into())
    );
    // With and without all points, it is one object.
    let mut pointed = json(&[
        "inspect",
        logdir,
        "--json",
        "--points",
        "--restart",
        "keep-all",
    ]);
    for tag in ["loss", "note"] {
        let series = &mut pointed["runs"]["train"]["tags"][tag];
        let points = series.as_object_mut().unwrap().remove("points").unwrap();
        assert_eq!(series["count"], points.as_array().unwrap().len());
    }
    assert_eq!(pointed, found);

    let shown = String::from_utf8(modelpulse(&["inspect", logdir]).stdout).unwrap();
    for part in ["train", "loss", "scalars", "0–59", "note", "█", "tfevents"] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
}

#[test]
fn inspect_of_what_is_no_log_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        vec!["inspect", text(dir.path())],
        vec!["inspect", "/nowhere"],
        vec!["inspect", text(dir.path()), "--restart", "sometimes"],
        vec!["repair", text(dir.path()), "--to", text(dir.path())],
    ] {
        let output = modelpulse(&args);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{args:?}: {complaint}");
    }
}

#[test]
fn a_repaired_log_has_all_whole_records_and_no_damage() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/given");
    let mut recovered = 0;
    for case in [
        "bitflip",
        "compressed",
        "discovery",
        "empty",
        "hostile_length",
        "hostile_other",
        "multifile",
        "tags",
        "tail",
        "truncated",
        "tf1_v1",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (corpus.join(case), dir.path().join("clean"));
        let said = json(&["repair", text(&from), "--to", text(&to), "--json"]);
        let points = |logdir: &Path| {
            let args = [
                "inspect",
                text(logdir),
                "--json",
                "--points",
                "--restart",
                "keep-all",
            ];
            json(&args)
        };
        let (old, new) = (points(&from), points(&to));
        for (path, file) in new["files"].as_object().unwrap() {
            assert_eq!(
                file["problems"].as_array().unwrap().len(),
                0,
                "{case} {path}"
            );
            recovered += said["files"][path]["recovered"].as_u64().unwrap();
            // Byte for byte, a whole file is the same file.
            let clean = old["files"][path]["problems"]
                .as_array()
                .unwrap()
                .is_empty();
            if clean && case != "compressed" {
                let [old, new] = [&from, &to].map(|dir| fs::read(dir.join(path)).unwrap());
                assert!(old == new, "{case} {path}");
            }
        }
        for (run, old) in old["runs"].as_object().unwrap() {
            for (tag, old) in old["tags"].as_object().unwrap() {
                let new = &new["runs"][run]["tags"][tag];
                let lies = old["points"][0][2]["error"].is_string();
                if lies {
                    assert!(new.is_null(), "{case} {run} {tag}");
                } else {
                    assert_eq!(new["points"], old["points"], "{case} {run} {tag}");
                }
            }
        }
        let again = modelpulse(&["repair", text(&from), "--to", text(&to)]);
        assert_eq!(again.status.code(), Some(2), "a log is not written over");
    }
    assert!(recovered > 50, "{recovered}");
    let inside = corpus.join("tail/inside");
    let output = modelpulse(&["repair", text(&corpus.join("tail")), "--to", text(&inside)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!inside.exists());
}

#[test]
fn tail_shows_the_last_values_and_then_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let logdir = text(dir.path());
    let output = modelpulse(&["tail", logdir, "-n", "3", "--idle", "0", "--tag", "lo*"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.lines().count(), 3);
    assert!(shown.lines().last().unwrap().contains("step=59"), "{shown}");

    // A directory that is not there yet, and comes below another name.
    let later = dir.path().join("later/log");
    let mut tail = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(["tail", text(&later), "--json", "--idle", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut warned = String::new();
    BufReader::new(tail.stderr.take().unwrap())
        .read_line(&mut warned)
        .unwrap();
    assert!(warned.starts_with("waiting for"), "{warned}");
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let writer = Writer::create(&later).unwrap();
    for step in 0..20_i64 {
        let run = ["a", "b/c"][(step % 2) as usize];
        writer.run(run).scalar("loss", step, 0.5);
        writer.flush();
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((&line["run"], &line["step"]), (&run.into(), &step.into()));
        assert_eq!(line["value"], 0.5);
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
}
