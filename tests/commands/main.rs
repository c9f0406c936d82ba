//! The commands that take a log elsewhere, from outside, and judged by foreign readers.
//!
//! `tests/run` installs what those need.
#![cfg(feature = "cli")]

mod compared;
mod copies;
mod detected;
mod doctor;
mod gate;
mod pictures;
mod power;
mod resumed;
mod tables;
mod timeline;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use modelpulse::flow::{Event, Sink, Source};
use modelpulse::log::{LogReader, LogSink};

/// Runs `modelpulse ARGUMENTS`; what it printed and what it said, if it ended with this code.
#[track_caller]
fn modelpulse<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    code: i32,
) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let [out, err] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// What a script of `tests/commands` prints, given this input.
#[track_caller]
fn script(name: &str, arguments: &[&OsStr], input: &str) -> serde_json::Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("MODELPULSE_PYTHON")
        .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    let mut child = Command::new(&python)
        .arg(root.join("tests/commands").join(name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("no Python at {}: {error}; use tests/run", python.display())
        });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The corpus of logs, `MODELPULSE_CORPUS` or the copy here.
fn corpus() -> PathBuf {
    std::env::var_os("MODELPULSE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"),
        PathBuf::from,
    )
}

/// The log directories of the corpus, one a case.
fn cases() -> Vec<PathBuf> {
    let mut cases = Vec::new();
    for group in std::fs::read_dir(corpus()).expect("the corpus") {
        let group = group.unwrap().path();
        if group.is_dir() {
            let entries = std::fs::read_dir(group).unwrap();
            cases.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    cases.sort();
    assert!(cases.len() > 20, "{cases:?}");
    cases
}

/// All events of a log, as they are shown: NaN equals nothing.
fn events(dir: &Path) -> Vec<String> {
    let mut log = LogReader::open(dir).unwrap();
    let instants = std::iter::from_fn(|| log.next_instant().unwrap());
    instants
        .flatten()
        .map(|event| format!("{event:?}"))
        .collect()
}

/// A log of these events.
fn log(dir: &Path, events: &[Event]) {
    let mut sink = LogSink::create(dir).unwrap();
    for event in events {
        sink.accept(std::slice::from_ref(event)).unwrap();
    }
    sink.finish().unwrap();
}
