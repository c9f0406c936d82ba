//! The Python peers, where there is a Python that has them.
//!
//! Writers are slower by two orders of magnitude, so they log few scalars, and their time is scaled up.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::contest::{Contender, Sample};

/// How many scalars a Python writer really logs.
const SCALARS: usize = 20_000;
const SCRIPT: &str = include_str!("python.py");

/// The Python writers that are there, for `scalars` scalars; and why others are not.
pub(crate) fn contenders(scalars: usize) -> (Vec<Contender<'static>>, Vec<String>) {
    let python = python();
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for module in ["tensorboardX", "tensorboard"] {
        match run(SCRIPT, &python, &[module]) {
            Ok(version) => {
                let (python, scale) = (python.clone(), scalars as f64 / SCALARS as f64);
                let time = move || -> anyhow::Result<Sample> {
                    let dir = tempfile::tempdir()?;
                    let count = SCALARS.to_string();
                    let printed = run(SCRIPT, &python, &[module, path(dir.path())?, &count])?;
                    let seconds: f64 = printed.parse().context("the script prints seconds")?;
                    Ok(Sample::of(seconds * scale))
                };
                found.push(Contender::new(format!("{module} {version} (Python)"), time));
            }
            Err(_) => notes.push(format!(
                "{module} is not measured: {} does not have it; MODELPULSE_PYTHON names another Python",
                python.display()
            )),
        }
    }
    if !found.is_empty() {
        notes.push(format!(
            "Python writers log {SCALARS} scalars; their time is scaled up"
        ));
    }
    (found, notes)
}

/// The Python that was asked for, or that of the virtual environment next to this program.
pub(crate) fn python() -> PathBuf {
    let beside = || {
        let program = std::env::current_exe().ok()?;
        Some(program.parent()?.parent()?.join("venv/bin/python"))
    };
    std::env::var_os("MODELPULSE_PYTHON")
        .map(PathBuf::from)
        .or_else(beside)
        .unwrap_or_else(|| PathBuf::from("target/venv/bin/python"))
}

/// What a script prints.
pub(crate) fn run(script: &str, python: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(python)
        .args(["-c", script])
        .args(arguments)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

pub(crate) fn path(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .context("the temporary directory's path is not text")
}
