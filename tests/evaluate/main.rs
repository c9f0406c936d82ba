//! Tables of predictions as other tools write them, and what `modelpulse evaluate` makes of them.
//!
//! `tests/run` installs the foreign tools.
#![cfg(feature = "cli")]

mod bad_input;
mod bad_table;
#[path = "../kinds/browser.rs"]
mod browser;
mod command;
mod page;
mod reference;
#[path = "../report_pages/mod.rs"]
mod report_pages;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs one of this test's scripts on a directory.
#[track_caller]
fn python(script: &str, dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = || root.join("target/venv/bin/python");
    let python = std::env::var_os("MODELPULSE_PYTHON").map_or_else(own, PathBuf::from);
    let script = root.join("tests/evaluate").join(script);
    let output = Command::new(python).arg(script).arg(dir).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What `modelpulse evaluate` says, and its exit code.
fn evaluate(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .arg("evaluate")
        .args(arguments)
        .current_dir(dir)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap();
    let [out, err] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
    (status.code(), out, err)
}

/// What `modelpulse evaluate --json` says, which must succeed.
#[track_caller]
fn measured(dir: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = evaluate(dir, &[arguments, &["--json", "--quiet"]].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""));
    serde_json::from_str(&out).unwrap()
}
