//! The machine that a measurement was made on.
//!
//! A number without its machine says nothing; nor does one from a machine that was busy otherwise.

use std::fmt;
use std::fs;

use serde_json::{Value, json};

/// The processor, and how busy it was when the measurement began.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    /// The mean number of running threads in the last minute; `None` where the system does not say.
    load: Option<f64>,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
            let line = info.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        let load = fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|load| load.split(' ').next()?.parse().ok());
        Self {
            cpu: cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "cpu": self.cpu, "cores": self.cores, "load": self.load })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} cores", self.cpu, self.cores)?;
        if let Some(load) = self.load {
            write!(f, ", load {load} before the start")?;
        }
        Ok(())
    }
}
