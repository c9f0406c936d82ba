//! What the lines say is in the log.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{log, python, read, scalar, scalars, start};

#[test]
fn what_the_lines_say_is_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let lines = br#"{"step": 1, "train/loss": 0.3, "eval/acc": 0.9}
{"train/loss": 0.25}
{"step": 10, "loss": NaN, "up": Infinity, "down": -Infinity, "text": "NaN"}

{"loss": 1e300, "run": "eval/deep"}
{"loss": 5, "run": "eval/deep"}
{"step": -3.0, "tag": "loss", "value": "Infinity"}
{"loss": 7}"#;
    let (out, err) = log(dir.path(), &[], lines, 0);
    let run = dir.path().join("log-001");
    let said = format!(
        "logging to {0}\n11 values from 7 lines logged to {0}\n",
        run.display()
    );
    assert_eq!((out.as_str(), err), ("", said));
    let instants = read(dir.path());
    assert_eq!(
        instants.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 1, 4, 1, 1, 1, 1],
        "a line is one event"
    );
    assert_eq!(
        scalars(&run),
        [
            scalar("train/loss", 1, 0.3),
            scalar("eval/acc", 1, 0.9),
            scalar("train/loss", 2, 0.25),
            scalar("loss", 10, f32::NAN),
            scalar("up", 10, f32::INFINITY),
            scalar("down", 10, f32::NEG_INFINITY),
            scalar("text", 10, f32::NAN),
            scalar("eval/deep/loss", 0, f32::INFINITY),
            scalar("eval/deep/loss", 1, 5.0),
            scalar("loss", -3, f32::INFINITY),
            scalar("loss", -2, 7.0),
        ]
    );
    let (_, err) = log(dir.path(), &["--quiet"], "{\"a\": 1}", 0);
    assert_eq!(err, "");
    assert_eq!(
        scalars(&dir.path().join("log-002")),
        [scalar("a", 0, 1.0)],
        "the next free number"
    );
}

#[test]
fn a_wall_time_is_kept_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let times = [1.7e9 + 0.123_456, 1.6e9, -1.0, 0.1];
    let line = |(step, time): (usize, &f64)| {
        format!("{{\"step\":{step},\"wall_time\":{time},\"a\":1,\"b\":2}}\n")
    };
    let lines: String = times.iter().enumerate().map(line).collect();
    log(dir.path(), &["--name", "x"], lines, 0);
    let read: Vec<f64> = read(dir.path())
        .iter()
        .map(|instant| {
            assert_eq!(instant.len(), 2);
            instant[0].wall_time
        })
        .collect();
    assert_eq!(read, times);
}

#[test]
fn more_than_the_buffers_hold_is_all_there() {
    let dir = tempfile::tempdir().unwrap();
    let line = |step| format!("{{\"step\":{step},\"a\":{step},\"run\":\"r\"}}\n");
    let lines: String = (0..200_000).map(line).collect();
    let (out, _) = log(dir.path(), &["--json"], lines, 0);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["log"]["written"], 200_000);
    assert_eq!(report["log"]["dropped"], 0);
    let read = scalars(dir.path());
    let steps = read.iter().map(|(_, step, _)| *step);
    assert!(steps.eq(0..200_000));
}

#[test]
fn the_example_loop_in_python_is_logged() {
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pipe.py");
    let mut child = start(dir.path(), &["--name", "pipe", "--strict"]);
    let status = Command::new(python())
        .arg(script)
        .stdout(child.stdin.take().unwrap())
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    let read = scalars(dir.path());
    let losses: Vec<f32> = read
        .iter()
        .filter(|(path, ..)| path == "pipe/eval/loss")
        .map(|(.., loss)| loss.parse().unwrap())
        .collect();
    assert_eq!(losses.len(), 200);
    assert!(losses[199] < losses[0] / 10.0, "{losses:?}");
}
