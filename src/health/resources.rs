//! What the process uses of the machine: CPU, memory, disk, and GPUs.
//!
//! The GPUs are those that NVIDIA's library tells of. It is looked for when the program runs: where there is no
//! such library or no GPU, there are no numbers of one, and no error.

use std::time::{Duration, Instant};

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::train::{BatchEnd, Control, EpochEnd, FitEnd, FitStart, Hook, HookError, Session};

/// Reads what this process uses; the GPUs as a whole.
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
    system: System,
    pid: Option<Pid>,
    gpus: Option<Nvml>,
    read: Instant,
}

impl Default for Usage {
    fn default() -> Self {
        Self::new()
    }
}

impl Usage {
    /// Begins: what is used from here on is what the first reading tells of.
    pub fn new() -> Self {
        let mut usage = Self {
            system: System::new(),
            pid: sysinfo::get_current_pid().ok(),
            gpus: Nvml::init().ok(),
            read: Instant::now(),
        };
        usage.refresh();
        usage
    }

    fn refresh(&mut self) {
        if let Some(pid) = self.pid {
            let kinds = ProcessRefreshKind::nothing()
                .with_cpu()
                .with_memory()
                .with_disk_usage();
            let processes = ProcessesToUpdate::Some(&[pid]);
            self.system
                .refresh_processes_specifics(processes, false, kinds);
        }
        self.read = Instant::now();
    }

    /// Name and value of each number: `cpu_percent` since the last reading, where 100 is one core;
    /// `memory_bytes`, as much as is in physical memory; `disk_read_bytes_per_second` and
    /// `disk_written_bytes_per_second` since the last reading; of each GPU, as `gpu0/…`, `utilization_percent`,
    /// `memory_bytes`, `temperature_celsius` and `power_watts`, as far as it tells them.
    pub fn read(&mut self) -> Vec<(String, f64)> {
        let seconds = self.read.elapsed().as_secs_f64();
        self.refresh();
        let mut numbers = Vec::new();
        if let Some(process) = self.pid.and_then(|pid| self.system.process(pid)) {
            let disk = process.disk_usage();
            numbers.extend([
                ("cpu_percent".to_owned(), f64::from(process.cpu_usage())),
                ("memory_bytes".to_owned(), process.memory() as f64),
            ]);
            if seconds > 0.0 {
                for (name, bytes) in [("read", disk.read_bytes), ("written", disk.written_bytes)] {
                    let rate = bytes as f64 / seconds;
                    numbers.push((format!("disk_{name}_bytes_per_second"), rate));
                }
            }
        }
        if let Some(gpus) = &self.gpus {
            for index in 0..gpus.device_count().unwrap_or(0) {
                let Ok(gpu) = gpus.device_by_index(index) else {
                    continue;
                };
                let told = [
                    (
                        "utilization_percent",
                        gpu.utilization_rates().map(|rates| f64::from(rates.gpu)),
                    ),
                    (
                        "memory_bytes",
                        gpu.memory_info().map(|memory| memory.used as f64),
                    ),
                    (
                        "temperature_celsius",
                        gpu.temperature(TemperatureSensor::Gpu).map(f64::from),
                    ),
                    (
                        "power_watts",
                        gpu.power_usage()
                            .map(|milliwatts| f64::from(milliwatts) / 1e3),
                    ),
                ];
                let told = told
                    .into_iter()
                    .filter_map(|(name, value)| Some((format!("gpu{index}/{name}"), value.ok()?)));
                numbers.extend(told);
            }
        }
        numbers
    }
}

/// Logs what the process [uses](Usage::read), every 5 seconds, at the end of each epoch that took long enough, and at the end,
/// as `resource/…`, to
/// the run `batch`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use std::time::Duration;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::health::Resources::new(&session).every(Duration::from_secs(60));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Resources {
    session: Session,
    every: Duration,
    usage: Option<Usage>,
}

/// Of a shorter time, the share of the CPU cannot be told.
const SHORTEST: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

impl Resources {
    /// Logs to `session`, every 5 seconds.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: Duration::from_secs(5),
            usage: None,
        }
    }

    /// Logs that often; not more than five times a second.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time.max(SHORTEST);
        self
    }

    fn log_after(&mut self, time: Duration, step: usize) {
        let usage = self.usage.get_or_insert_default();
        if usage.read.elapsed() < time {
            return;
        }
        let mut instant = self.session.instant();
        for (name, value) in usage.read() {
            instant.scalar("batch", &format!("resource/{name}"), step, value);
        }
    }
}

impl Hook for Resources {
    fn fit_start(&mut self, _: &FitStart<'_>) -> Result<Control, HookError> {
        self.usage = Some(Usage::new());
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
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
