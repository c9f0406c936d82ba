//! The directories of runs in a log directory, as the program's commands make and find them.
//!
//! A new run never goes where something is already: its directory is made, not found.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Makes the run's directory: the one that was asked for, or the next number behind `prefix` that is free.
pub(super) fn claim(logdir: &Path, name: Option<&str>, prefix: &str) -> anyhow::Result<PathBuf> {
    let made = || format!("cannot make a run in {}", logdir.display());
    let mut number = 1;
    loop {
        let dir = logdir.join(name.map_or_else(|| format!("{prefix}-{number:03}"), str::to_owned));
        if name.is_some_and(|name| name.contains("tfevents")) {
            anyhow::bail!(
                "a run's name must not contain 'tfevents': TensorBoard takes what does for an event file"
            );
        }
        if let Some(parent) = dir.parent() {
            std::fs::create_dir_all(parent).with_context(made)?;
        }
        match std::fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => match name {
                Some(name) => anyhow::bail!(
                    "{} exists already; choose another --name than '{name}'",
                    dir.display()
                ),
                None => number += 1,
            },
            Err(error) => return Err(error).with_context(made),
        }
    }
}
