//! `modelpulse log` from outside: what goes in as JSON lines is in the log, for us and for TensorBoard.
//!
//! `tests/run` installs what the foreign readers need.
#![cfg(feature = "cli")]

mod bad_input;
mod content;
mod kinds;
mod kinds_shown;
mod shown;
mod signals;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use modelpulse::flow::{Event, Source};
use modelpulse::log::LogReader;
use serde_json::Value;

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
