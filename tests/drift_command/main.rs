//! `modelpulse drift` and `modelpulse profile` on tables as other tools write them.
//!
//! `tests/run` installs the foreign tools.
#![cfg(feature = "cli")]

#[path = "../kinds/browser.rs"]
mod browser;
mod command;
mod page;
mod refused;
#[path = "../report_pages/mod.rs"]
mod report_pages;
mod splits;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn python(script: &str, arguments: &[&Path]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = || root.join("target/venv/bin/python");
    let python = std::env::var_os("MODELPULSE_PYTHON").map_or_else(own, PathBuf::from);
    let script = root.join("tests").join(script);
    let output = Command::new(python).arg(script).args(arguments).output();
    let output = output.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with the tables of the script.
fn tables() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    python("drift_command/tables.py", &[dir.path()]);
    dir
}

/// What the program says, and its exit code.
fn modelpulse(dir: &Path, line: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(line.split(' '))
        .current_dir(dir)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap();
    let [out, err] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code().unwrap(), out, err)
}

/// What `modelpulse drift --json` says, and its exit code.
#[track_caller]
fn drift(dir: &Path, reference: &str, current: &str, more: &str) -> (i32, Value) {
    let line = format!("drift --reference {reference} --current {current} --json --quiet{more}");
    let (code, out, err) = modelpulse(dir, &line);
    assert_eq!(err, "", "{line}");
    (code, serde_json::from_str(&out).unwrap())
}

#[track_caller]
fn column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let columns = report["columns"].as_array().unwrap();
    let found = columns.iter().find(|column| column["column"] == name);
    found.unwrap_or_else(|| panic!("no column {name}"))
}
