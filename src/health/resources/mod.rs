//! What the process uses of the machine, and the machine itself: CPU, memory, disks, network, GPUs.
//!
//! As meters for a scrape (`Registry::process`, `Registry::machine`), as numbers for a log ([`Usage`]), and as a hook of a
//! training, which also says when it starves ([`Resources`]).

mod gpus;
mod load;
mod machine;
mod process;
mod shown;
mod system;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::gpus::Gpus;
use self::load::{Load, Starved};
use self::machine::Machine;
use self::process::Process;
use super::Finding;
use super::finding::Findings;
use crate::train::{
    BatchEnd, Control, EpochEnd, FitEnd, FitStart, Hook, HookError, Needs, Session,
};

/// Reads what this process uses, and what the machine has.
///
/// ```
/// use modelpulse::health::Usage;
/// let mut usage = Usage::new();
/// let numbers = usage.read();
/// let memory = numbers.iter().find(|(name, _)| name == "memory_bytes").unwrap();
/// assert!(memory.1 > 1e5);
/// ```
#[derive(Debug)]
pub struct Usage {
    process: Process,
    machine: Machine,
    gpus: Gpus,
    dir: PathBuf,
    read: Instant,
    counted: Counted,
    /// Of the process, since the reading before: the share of one core that it had.
    cpu_percent: f64,
}

/// What only rises.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    disk_read: f64,
    disk_written: f64,
    faults: f64,
    network: [f64; 2],
    /// Seconds of all CPUs, and those in which they had nothing to do.
    cpu: [f64; 2],
}

/// Each is a number of the process or of the machine, by its name.
type Numbers = Vec<(String, f64)>;

impl Default for Usage {
    fn default() -> Self {
        Self::new()
    }
}

impl Usage {
    /// Begins: what is used from here on is what the first reading tells of.
    pub fn new() -> Self {
        let mut usage = Self {
            process: Process::this(),
            machine: Machine::new(),
            gpus: Gpus::new(),
            dir: PathBuf::from("."),
            read: Instant::now(),
            counted: Counted::default(),
            cpu_percent: 0.0,
        };
        usage.read();
        usage
    }

    /// Tells how much is free where this directory lies; where the process works, if nothing is said.
    #[must_use]
    pub fn disk_of(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Name and value of each number, as far as the system tells it.
    ///
    /// Of the process: `cpu_percent` since the last reading, where 100 is one core; `memory_bytes`, as much as is in
    /// physical memory, and `swap_bytes`; `threads`, `open_files`; since the last reading,
    /// `disk_read_bytes_per_second`, `disk_written_bytes_per_second`, and `major_faults_per_second`, how often it waited
    /// for a page to come from the disk.
    ///
    /// Of the machine, as `machine/…`: `cpu_percent`, where 100 is all cores; `memory_available_bytes`, `swap_used_bytes`,
    /// `disk_available_bytes`, `network_received_bytes_per_second`, `network_sent_bytes_per_second`.
    ///
    /// Of each GPU, as `gpu0/…`: `utilization_percent`, `memory_bytes`, `temperature_celsius`, `power_watts`.
    pub fn read(&mut self) -> Numbers {
        let seconds = self.read.elapsed().as_secs_f64();
        self.read = Instant::now();
        let before = self.counted;
        let mut numbers = Numbers::new();
        let mut tell = |name: &str, value: Option<f64>| {
            numbers.extend(value.map(|value| (name.to_owned(), value)));
        };
        if let Some(process) = self.process.look() {
            let disk = process.disk_usage();
            self.counted.disk_read = disk.total_read_bytes as f64;
            self.counted.disk_written = disk.total_written_bytes as f64;
            self.cpu_percent = f64::from(process.cpu_usage());
            tell("cpu_percent", Some(self.cpu_percent));
            tell("memory_bytes", Some(process.memory() as f64));
            tell("threads", system::threads());
            tell("open_files", process.open_files().map(|files| files as f64));
        }
        tell("swap_bytes", system::swapped());
        let machine = self.machine.look();
        let [_, available, swap, swap_free] = machine.memory();
        self.counted.network = machine.network();
        let cpus = system::cpus();
        let faults = system::major_faults();
        self.counted.faults = faults.unwrap_or(0.0);
        // Waiting for a disk is having nothing to do.
        let idle = cpus.iter().map(|(_, modes)| modes[3] + modes[4]).sum();
        self.counted.cpu = [cpus.iter().flat_map(|(_, modes)| modes).sum(), idle];
        let now = self.counted;
        let rate =
            |now: f64, before: f64| (seconds > 0.0).then(|| (now - before).max(0.0) / seconds);
        tell(
            "disk_read_bytes_per_second",
            rate(now.disk_read, before.disk_read),
        );
        tell(
            "disk_written_bytes_per_second",
            rate(now.disk_written, before.disk_written),
        );
        tell(
            "major_faults_per_second",
            faults.and_then(|faults| rate(faults, before.faults)),
        );
        let [all, idle] = [0, 1].map(|at| now.cpu[at] - before.cpu[at]);
        tell(
            "machine/cpu_percent",
            (all > 0.0).then(|| 100.0 * (1.0 - idle / all)),
        );
        tell("machine/memory_available_bytes", Some(available));
        tell("machine/swap_used_bytes", Some(swap - swap_free));
        tell(
            "machine/disk_available_bytes",
            self.machine.available(&self.dir),
        );
        for (at, name) in ["received", "sent"].into_iter().enumerate() {
            let name = format!("machine/network_{name}_bytes_per_second");
            tell(&name, rate(now.network[at], before.network[at]));
        }
        for (index, told) in self.gpus.look() {
            let names = [
                "utilization_percent",
                "memory_bytes",
                "temperature_celsius",
                "power_watts",
            ];
            for (name, value) in names.into_iter().zip(told) {
                tell(&format!("gpu{index}/{name}"), value);
            }
        }
        numbers
    }
}

/// Logs what the process [uses](Usage::read), every 5 seconds, at the end of each epoch that took long enough, and at the
/// end, as `resource/…`, to the run `batch`; and next to it which part of the time the loop waited for data,
/// `resource/data_percent`.
///
/// It finds, and logs as text under `health/findings/…`, what a training starves of: `data_loading`, where the loop waits
/// for its data for half of its time; `logging`, where values were dropped because the log's buffer was full, or logging takes
/// a fifth of the time; `swapping`, where the process waits for pages to come from the disk.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use std::time::Duration;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::health::Resources::new(&session)
///     .every(Duration::from_secs(60))
///     .report(|finding| println!("{finding}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Resources {
    findings: Findings,
    every: Duration,
    usage: Option<Usage>,
    load: Load,
    starved: Starved,
}

/// Of a shorter time, the share of the CPU cannot be told.
const SHORTEST: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

impl std::fmt::Debug for Resources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resources")
            .field("every", &self.every)
            .field("load", &self.load)
            .finish_non_exhaustive()
    }
}

impl Resources {
    /// Logs to `session`, every 5 seconds.
    pub fn new(session: &Session) -> Self {
        Self {
            findings: Findings::new(session),
            every: Duration::from_secs(5),
            usage: None,
            load: Load::default(),
            starved: Starved::default(),
        }
    }

    /// Logs that often; not more than five times a second.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time.max(SHORTEST);
        self
    }

    /// Judges whether the training starves over so much of its time; 10 seconds, if nothing is said.
    pub fn patience(mut self, time: Duration) -> Self {
        self.starved.patience = time;
        self
    }

    /// Shows each finding to `report` too.
    pub fn report(mut self, report: impl FnMut(&Finding) + Send + 'static) -> Self {
        self.findings.report = Some(Box::new(report));
        self
    }

    fn log_after(&mut self, time: Duration, step: usize) {
        let session = self.findings.session.clone();
        let usage = self
            .usage
            .get_or_insert_with(|| Usage::new().disk_of(session.dir()));
        let elapsed = usage.read.elapsed();
        if elapsed < time {
            return;
        }
        let numbers = usage.read();
        let number = |name: &str| numbers.iter().find(|(known, _)| known == name);
        let number = |name: &str| number(name).map(|(_, value)| *value);
        let load = std::mem::take(&mut self.load);
        let load = Load {
            elapsed,
            cpu_percent: number("cpu_percent").unwrap_or(0.0),
            major_faults: number("major_faults_per_second").unwrap_or(0.0) * elapsed.as_secs_f64(),
            swapped_bytes: number("swap_bytes").unwrap_or(0.0),
            // Since the start.
            dropped: session.report().dropped,
            ..load
        };
        let mut instant = session.instant();
        let mut log =
            |name: &str, value| instant.scalar("batch", &format!("resource/{name}"), step, value);
        for (name, value) in &numbers {
            log(name, *value);
        }
        if load.steps > 0 {
            log("data_percent", 100.0 * load.share(load.data));
        }
        drop(instant);
        for finding in self.starved.judge(&load, step) {
            self.findings.say(&finding);
        }
    }
}

impl Hook for Resources {
    fn needs(&self, _: usize) -> Needs {
        Needs::TIME
    }

    fn fit_start(&mut self, _: &FitStart<'_>) -> Result<Control, HookError> {
        let dir = self.findings.session.dir();
        self.usage = Some(Usage::new().disk_of(dir));
        self.load = Load::default();
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        if let Some(phases) = at.phases {
            self.load.add(phases);
        }
        self.log_after(self.every, at.step);
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, at: &EpochEnd<'_>) -> Result<Control, HookError> {
        self.log_after(SHORTEST, at.steps.saturating_sub(1));
        Ok(Control::Continue)
    }

    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        self.log_after(Duration::ZERO, at.steps.saturating_sub(1));
        Ok(())
    }
}
