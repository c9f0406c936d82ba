//! `modelpulse log` from outside: what goes in as JSON lines is in the log, for us and for TensorBoard.
//!
//! `tests/run` installs what the foreign readers need.
#![cfg(feature = "cli")]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use modelpulse::flow::{Event, Source};
use modelpulse::log::LogReader;
use modelpulse::summary::{Histogram, Image, Text};
use serde_json::{Value, json};

fn start(logdir: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(["log", "--logdir"])
        .arg(logdir)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Gives the program its whole input; what it said, and its exit code.
#[track_caller]
fn log(logdir: &Path, arguments: &[&str], input: impl AsRef<[u8]>, code: i32) -> (String, String) {
    let mut child = start(logdir, arguments);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.as_ref().to_owned();
    // The program may end before it read all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let [out, err] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(status.code(), Some(code), "{err}");
    (out, err)
}

fn read(logdir: &Path) -> Vec<Vec<Event>> {
    let mut reader = LogReader::open(logdir).unwrap();
    let instants = std::iter::from_fn(|| reader.next_instant().unwrap()).collect();
    assert_eq!(reader.problems(), []);
    instants
}

/// Path, step and number of each scalar; a number as text, so that NaN is itself.
fn scalars(logdir: &Path) -> Vec<(String, i64, String)> {
    let events = read(logdir).into_iter().flatten();
    events
        .filter_map(|event| {
            let value = event.value.scalar()?.to_string();
            Some((event.path(), event.step.as_i64(), value))
        })
        .collect()
}

fn scalar(path: &str, step: i64, value: f32) -> (String, i64, String) {
    (path.to_owned(), step, value.to_string())
}

fn python() -> PathBuf {
    std::env::var_os("MODELPULSE_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python"),
        PathBuf::from,
    )
}

/// What a Python program prints, as JSON.
#[track_caller]
fn run_python(arguments: &[&std::ffi::OsStr]) -> Value {
    let output = Command::new(python()).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        let python = python();
        panic!("no Python at {}: {error}; use tests/run", python.display())
    });
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The scalars that both of TensorBoard's loaders show.
fn shown(logdir: &Path, tags: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_log.py");
    let mut arguments = vec![script.as_os_str(), logdir.as_os_str()];
    arguments.extend(tags.iter().map(std::ffi::OsStr::new));
    run_python(&arguments)
}

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
fn every_kind_is_shown_by_tensorboard() {
    let dir = tempfile::tempdir().unwrap();
    let png = dir.path().join("sample.png");
    let image = Image::rgb(3, 2, &[9; 18]).unwrap();
    std::fs::write(&png, image.png()).unwrap();
    let logdir = dir.path().join("runs");
    let lines = [
        json!({"hparams": {"lr": 0.1, "opt": "sgd", "nesterov": true}, "metrics": ["eval/acc"]}),
        json!({"step": 1, "eval/acc": 0.75}),
        json!({"step": 1, "tag": "note", "text": "*so* it is"}),
        json!({"step": 1, "tag": "w", "histogram": [1, 2, 4, "NaN", "NaN", "Infinity"]}),
        json!({"step": 1, "tag": "b", "buckets": [[0, 1, 12], [1, 3, 5]]}),
        json!({"step": 1, "tag": "nested", "histogram": {"buckets": [[0, 1, 12]]}}),
        json!({"step": 1, "tag": "img", "image": png}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let (out, err) = log(&logdir, &["--name", "all", "--json"], lines, 0);
    assert_eq!(err, "");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["run"], json!(logdir.join("all")));
    assert_eq!(report["lines"], json!({"logged": 7, "skipped": 0}));
    assert_eq!(report["log"]["written"], 11);

    let events: BTreeMap<String, Event> = read(&logdir)
        .into_iter()
        .flatten()
        .map(|event| (event.tag.to_string(), event))
        .collect();
    let text = Text::try_from(&events["note"].value).unwrap();
    assert_eq!(text, Text::new("*so* it is"));
    let histogram = |tag: &str| Histogram::try_from(&events[tag].value).unwrap();
    assert_eq!(histogram("w"), Histogram::of(&[1, 2, 4]));
    let buckets = vec![[0.0, 1.0, 12.0], [1.0, 3.0, 5.0]];
    assert_eq!(histogram("b"), Histogram::from_buckets(buckets));
    assert_eq!(histogram("nested").count(), 12);
    assert_eq!(Image::try_from(&events["img"].value).unwrap(), image);
    assert_eq!(events["w/nan"].value.scalar(), Some(2.0));
    assert_eq!(events["w/+inf"].value.scalar(), Some(1.0));

    let script = r#"
import json, sys
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.plugins.hparams import metadata
found = plugin_event_multiplexer.EventMultiplexer()
found.AddRunsFromDirectory(sys.argv[1]).Reload()
plugins = ["scalars", "text", "histograms", "images"]
tags = {p: sorted(found.PluginRunToTagToContent(p)["all"]) for p in plugins}
strings = lambda tag: [s.decode("latin1") for s in found.Tensors("all", tag)[0].tensor_proto.string_val]
hparams = found.PluginRunToTagToContent("hparams")["all"]
start = metadata.parse_session_start_info_plugin_data(hparams["_hparams_/session_start_info"])
experiment = metadata.parse_experiment_plugin_data(hparams["_hparams_/experiment"])
print(json.dumps({
    "tags": tags, "text": strings("note"), "size": strings("img")[:2],
    "hparams": {k: v.WhichOneof("kind") for k, v in start.hparams.items()},
    "metrics": [[m.name.group, m.name.tag] for m in experiment.metric_infos],
    "end": "_hparams_/session_end_info" in hparams,
}))
"#;
    let arguments = ["-c".as_ref(), script.as_ref(), logdir.as_os_str()];
    assert_eq!(
        run_python(&arguments),
        json!({
            "tags": {
                "scalars": ["eval/acc", "w/+inf", "w/nan"],
                "text": ["note"],
                "histograms": ["b", "nested", "w"],
                "images": ["img"],
            },
            "text": ["*so* it is"],
            "size": ["3", "2"],
            "hparams": {"lr": "number_value", "opt": "string_value", "nesterov": "bool_value"},
            "metrics": [["", "eval/acc"]],
            "end": true,
        })
    );
}

#[test]
fn both_loaders_show_split_runs_and_a_resumed_one() {
    let dir = tempfile::tempdir().unwrap();
    let line = |step: i64, loss: f64| {
        format!("{{\"step\":{step},\"train/loss\":{loss},\"eval/loss\":{step},\"own\":1}}\n")
    };
    let first: String = (0..10).map(|step| line(step, 0.5)).collect();
    let again: String = (6..8).map(|step| line(step, 0.25)).collect();
    let split = ["--name", "x", "--split-runs"];
    log(dir.path(), &split, first, 0);
    let (_, err) = log(dir.path(), &split, "{\"a\": 1}", 2);
    assert!(err.contains("exists already"), "{err}");
    let go_on = ["--name", "x", "--split-runs", "--resume"];
    log(dir.path(), &go_on, again, 0);
    // Behind the last step.
    log(dir.path(), &go_on, "{\"train/loss\": 0.125}", 0);
    let points = |value: &dyn Fn(i64) -> f64, steps: std::ops::Range<i64>| {
        json!(
            steps
                .map(|step| json!([step, value(step)]))
                .collect::<Vec<_>>()
        )
    };
    let train = |step| match step {
        ..6 => 0.5,
        6..8 => 0.25,
        _ => 0.125,
    };
    let shown = shown(dir.path(), &["loss", "own"]);
    for loader in ["fast", "slow"] {
        let run = &shown[loader];
        // The first session's steps 8 and 9 are void, but still in its files: the next one is 10.
        let mut expected = points(&train, 0..8);
        expected.as_array_mut().unwrap().push(json!([10, 0.125]));
        assert_eq!(run["x/train"]["loss"], expected, "{loader}");
        assert_eq!(
            run["x/eval"]["loss"],
            points(&|step| step as f64, 0..8),
            "{loader}"
        );
        assert_eq!(run["x"]["own"], points(&|_| 1.0, 0..8), "{loader}");
    }
}

#[test]
fn a_bad_line_is_reported_and_skipped() {
    let (deep, long) = ("[".repeat(200), "x".repeat(2000));
    let deep = format!("{{\"step\": 1, \"a\": {deep}");
    let long = format!("{{\"step\": 1, \"{long}\": 1}}");
    let cases: Vec<(&[u8], &str)> = vec![
        (b"epoch 3: loss 0.1", "not JSON: expected value (column 1)"),
        (
            b"{\"step\": 1, \"a\": 1",
            "not JSON: EOF while parsing an object (column 18)",
        ),
        (
            b"{\"a\": 1} {\"a\": 2}",
            "not JSON: trailing characters (column 10)",
        ),
        (b"{\"a\": 1e400}", "not JSON: number out of range"),
        (deep.as_bytes(), "not JSON: recursion limit exceeded"),
        (b"{\"\xff\": 1}", "not UTF-8 text from byte 3 on"),
        (
            b"[1, 2]",
            "not an object: write {\"step\": 1, \"train/loss\": 0.3}",
        ),
        (b"{}", "nothing to log"),
        (b"{\"step\": 1}", "nothing to log"),
        (
            b"{\"step\": 1.5, \"a\": 1}",
            "'step' is 1.5, not a whole number",
        ),
        (
            b"{\"step\": \"1\", \"a\": 1}",
            "'step' is \"1\", not a whole number",
        ),
        (
            b"{\"step\": 9223372036854775808, \"a\": 1}",
            "'step' is 9223372036854775808",
        ),
        (
            b"{\"step\": NaN, \"a\": 1}",
            "'step' is \"NaN\", not a whole number",
        ),
        (
            b"{\"wall_time\": Infinity, \"a\": 1}",
            "'wall_time' is \"Infinity\", not a finite",
        ),
        (
            b"{\"a\": null}",
            "'a' is null, not a number: leave it out, or write NaN",
        ),
        (b"{\"a\": true}", "'a' is true, not a number"),
        (b"{\"a\": [1]}", "'a' is an array, not a number"),
        (b"{\"a\": {\"b\": 1}}", "'a' is an object, not a number"),
        (
            b"{\"good\": 1, \"a\": \"x\"}",
            "'a' is text, not a number: log text as {\"tag\": \"a\", \"text\": ",
        ),
        (b"{\"\": 1}", "'tag' has an empty name"),
        (
            long.as_bytes(),
            "'tag' has a name of 2000 bytes; 1024 are allowed",
        ),
        (b"{\"run\": 1, \"a\": 1}", "'run' is a number, not a name"),
        (
            b"{\"run\": \"../up\", \"a\": 1}",
            "'../up' cannot name a run",
        ),
        (b"{\"run\": \"/etc\", \"a\": 1}", "'/etc' cannot name a run"),
        (
            b"{\"run\": \"my.tfevents\", \"a\": 1}",
            "'my.tfevents' cannot name a run",
        ),
        (
            b"{\"tag\": \"w\"}",
            "'w' has none of value, text, histogram, buckets, image",
        ),
        (
            b"{\"tag\": \"w\", \"text\": \"x\", \"a\": 1}",
            "'a' does not go with 'text'",
        ),
        (
            b"{\"tag\": \"w\", \"text\": 1}",
            "'text' is a number, not text",
        ),
        (
            b"{\"tag\": \"w\", \"value\": []}",
            "'value' is an array, not a number",
        ),
        (
            b"{\"tag\": \"w\", \"histogram\": 1}",
            "'histogram' is a number, not an array",
        ),
        (
            b"{\"tag\": \"w\", \"histogram\": [null]}",
            "'histogram' holds null",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2]]}",
            "'buckets' is not [[left, right, count]",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[2, 1, 1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2, 1], [0, 1, 1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"buckets\": [[1, 2, -1]]}",
            "'buckets' is not",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"no.png\"}",
            "image no.png: No such file",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"/dev/zero\"}",
            "image /dev/zero: not a file",
        ),
        (
            b"{\"tag\": \"w\", \"image\": \"/etc/passwd\"}",
            "image /etc/passwd: no PNG",
        ),
        (b"{\"hparams\": [1]}", "'hparams' is not an object"),
        (
            b"{\"hparams\": {\"a\": null}}",
            "'a' is null: a hyperparameter is",
        ),
        (
            b"{\"hparams\": {}, \"metrics\": [1]}",
            "'metrics' is a number, not a name",
        ),
        (
            b"{\"hparams\": {}, \"a\": 1}",
            "'a' does not go with 'hparams'",
        ),
        (b"{\"hparams\": {}, \"step\": 1}", "'step' beside 'hparams'"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut input: Vec<u8> = Vec::new();
    for (line, _) in &cases {
        input.extend(*line);
        input.push(b'\n');
    }
    input.extend(b"{\"step\": 7, \"a\": 1}\r\n");
    let (_, err) = log(dir.path(), &["--name", "x"], &input, 0);
    let said: Vec<&str> = err.lines().collect();
    assert_eq!(said.len(), cases.len() + 2, "{err}");
    for (number, ((line, reason), said)) in cases.iter().zip(&said[1..]).enumerate() {
        assert!(
            said.starts_with(&format!("warning: line {}: {reason}", number + 1))
                && said.ends_with("; skipped"),
            "{}: {said}",
            String::from_utf8_lossy(line)
        );
        let (_, err) = log(dir.path(), &["--strict", "--quiet", "--name", "y"], line, 2);
        assert!(
            err.starts_with(&format!("error: line 1: {reason}")) && err.lines().count() == 1,
            "{err}"
        );
    }
    assert!(said[cases.len() + 1].ends_with(&format!("; {} lines skipped", cases.len())));
    assert_eq!(scalars(dir.path()), [scalar("x/a", 7, 1.0)]);
    assert!(!dir.path().join("y").exists(), "nothing was logged there");
}

#[test]
fn input_without_a_good_line_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (input, said) in [
        ("", "error: nothing came on standard input\n"),
        ("\n \n", "error: nothing came on standard input\n"),
        (
            "x\ny\n",
            "warning: line 1: not JSON: expected value (column 1); skipped\n\
             warning: line 2: not JSON: expected value (column 1); skipped\n\
             error: no line could be logged; 2 skipped\n",
        ),
    ] {
        let (_, err) = log(dir.path(), &["--name", "x", "--quiet"], input, 2);
        assert_eq!(err, said);
    }
    let noise: String = (0..5000).map(|_| "noise\n").collect();
    let (_, err) = log(dir.path(), &["--quiet"], noise, 2);
    assert_eq!(err.lines().count(), 102, "a flood is counted, not printed");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn strict_keeps_what_came_before_the_bad_line() {
    let dir = tempfile::tempdir().unwrap();
    let lines = "{\"a\": 1}\n\n{\"a\": \n{\"a\": 3}\n";
    let (_, err) = log(dir.path(), &["--strict", "--name", "x"], lines, 2);
    let last = err.lines().last().unwrap();
    assert_eq!(
        last,
        "error: line 3: not JSON: EOF while parsing a value (column 6)"
    );
    assert_eq!(scalars(dir.path()), [scalar("x/a", 0, 1.0)]);
}

#[test]
fn a_signal_has_everything_written_that_was_read() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        let dir = tempfile::tempdir().unwrap();
        let slow = ["--name", "x", "--flush-interval", "1000", "--json"];
        let mut child = start(dir.path(), &slow);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"{\"hparams\": {\"lr\": 1}}\n").unwrap();
        for step in 0..1000 {
            writeln!(stdin, "{{\"step\": {step}, \"a\": {step}}}").unwrap();
        }
        // More than the pipe and the program's buffer hold: all before it was read when this is written.
        stdin.write_all(&vec![b'\n'; 2 << 20]).unwrap();
        let kill = Command::new("kill")
            .args([format!("-{name}"), child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        assert_eq!(output.status.signal(), Some(number));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["lines"]["logged"], 1001);
        let expected: Vec<_> = (0..1000)
            .map(|step| scalar("x/a", step, step as f32))
            .collect();
        assert_eq!(scalars(dir.path()), expected);
        let ended = |event: &Event| event.tag.as_str() == "_hparams_/session_end_info";
        assert!(read(dir.path()).iter().flatten().any(ended));
    }
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
fn a_name_can_be_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (
            &["--name", "my.tfevents"][..],
            "must not contain 'tfevents'",
        ),
        (
            &["--resume"],
            "required arguments were not provided: --name <NAME>",
        ),
        (
            &["--flush-interval", "0"],
            "must be a positive number of seconds",
        ),
        (
            &["--flush-interval", "nan"],
            "must be a positive number of seconds",
        ),
        (&["--flush-interval", "1e300"], "too long"),
        (&["--logdir", "/dev/null"], "cannot"),
    ] {
        let (_, err) = log(dir.path(), arguments, "{\"a\": 1}", 2);
        assert!(err.contains(said) && err.lines().count() == 1, "{err}");
    }
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
