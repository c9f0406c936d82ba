//! The file that a run is resumed by: written before its first step, and again at its end.
//!
//! While a training holds it, no other process can: a run has one writer.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::settings::Settings;
use crate::datasets::Dataset;
use crate::log::replace;

const NAME: &str = "run.json";
/// So long a process that was killed may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a run's file says.
#[derive(Debug)]
pub(in crate::cli) struct RunFile {
    pub(super) settings: Settings,
    /// The program's arguments, as a shell would read them.
    command: String,
    data: String,
    crc32: String,
    finished: bool,
}

/// What the model of a run was trained on, and what it looks like.
#[derive(Debug)]
pub(in crate::cli) struct Trained {
    /// Where the data were; `None` for the embedded digits.
    pub(in crate::cli) data: Option<PathBuf>,
    pub(in crate::cli) hidden: Vec<usize>,
    pub(in crate::cli) seed: u64,
    /// Of the data.
    pub(in crate::cli) name: String,
    pub(in crate::cli) crc32: String,
}

/// Held as long as the run is trained; the lock ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Held {
    path: PathBuf,
    run: RunFile,
    _lock: File,
}

impl RunFile {
    pub(super) fn new(settings: Settings, command: String, data: &Dataset) -> Self {
        Self {
            settings,
            command,
            data: data.name().to_owned(),
            crc32: crc32(data),
            finished: false,
        }
    }

    /// Reads the file of the run in `dir`, which somebody wants to `resume`, or to do something else with.
    pub(super) fn read(dir: &Path, to: &str) -> anyhow::Result<Self> {
        let path = dir.join(NAME);
        let told = || format!("cannot {to} {}: {}", dir.display(), path.display());
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "cannot {to} {}: there is no {}; it is no run of 'modelpulse train', or was killed before its first step",
                dir.display(),
                path.display()
            ),
            text => text.with_context(told)?,
        };
        let json: Value = serde_json::from_str(&text).with_context(told)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            settings: Settings::from_json(&json["settings"]).with_context(told)?,
            command: text(&json["command"]),
            data: text(&json["data"]["name"]),
            crc32: text(&json["data"]["crc32"]),
            finished: json["finished"] == json!(true),
        })
    }

    /// What the run was trained on and how, for who uses its model.
    pub(in crate::cli) fn trained(dir: &Path) -> anyhow::Result<Trained> {
        let run = Self::read(dir, "monitor")?;
        Ok(Trained {
            data: run.settings.data,
            hidden: run.settings.hidden,
            seed: run.settings.seed,
            name: run.data,
            crc32: run.crc32,
        })
    }

    /// Refuses to go on where there is nothing left to do, or with other data.
    pub(super) fn check(&self, dir: &Path, data: &Dataset) -> anyhow::Result<()> {
        if self.finished {
            bail!("{} has finished: there is nothing to resume", dir.display());
        }
        let now = crc32(data);
        if now != self.crc32 {
            bail!(
                "cannot resume {}: it was trained on {} with CRC-32 {}, the data that are there now have {now}",
                dir.display(),
                self.data,
                self.crc32
            );
        }
        Ok(())
    }

    /// Writes it to the new run in `dir`.
    pub(super) fn create(self, dir: &Path) -> anyhow::Result<Held> {
        self.write(&dir.join(NAME))?;
        self.hold(dir)
    }

    /// Takes the run in `dir`, if no other process has it.
    pub(super) fn hold(self, dir: &Path) -> anyhow::Result<Held> {
        let path = dir.join(NAME);
        let lock = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let since = Instant::now();
        loop {
            match lock.try_lock() {
                Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(PATIENCE / 20);
                }
                Err(TryLockError::WouldBlock) => {
                    bail!("{} is being trained by another process", dir.display())
                }
                // A file system without locks: the writer of the log looks out for a second one too.
                Ok(()) | Err(TryLockError::Error(_)) => break,
            }
        }
        let (run, _lock) = (self, lock);
        Ok(Held { path, run, _lock })
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let json = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "command": self.command,
            "settings": self.settings.to_json()?,
            "data": { "name": self.data, "crc32": self.crc32 },
            "finished": self.finished,
        });
        let text = format!("{json:#}\n");
        replace(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Held {
    /// The program's arguments when the run began.
    pub(super) fn command(&self) -> &str {
        &self.run.command
    }

    /// The run is at its end.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.run.finished = true;
        self.run.write(&self.path)
    }
}

fn crc32(data: &Dataset) -> String {
    format!("{:08x}", data.crc32())
}
