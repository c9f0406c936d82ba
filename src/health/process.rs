//! The process as Prometheus' own clients show it: `process_cpu_seconds_total` and its like
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).
//!
//! What the system does not tell is left out. One look serves all the meters of a page.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::Registry;

/// A look is good for so long.
const FRESH: Duration = Duration::from_millis(250);

struct Looks {
    system: System,
    pid: Pid,
    looked: Option<Instant>,
}

impl Looks {
    fn process(&mut self) -> Option<&sysinfo::Process> {
        if self.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            let kinds = ProcessRefreshKind::nothing()
                .with_cpu()
                .with_memory()
                .with_tasks();
            let pids = ProcessesToUpdate::Some(&[self.pid]);
            self.system.refresh_processes_specifics(pids, false, kinds);
            self.looked = Some(Instant::now());
        }
        self.system.process(self.pid)
    }
}

type Read = fn(&sysinfo::Process) -> Option<f64>;

impl Registry {
    /// Shows this process: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
    /// `process_virtual_memory_bytes`, `process_start_time_seconds`, `process_threads`, `process_open_fds` and
    /// `process_max_fds`, as far as the system tells them.
    ///
    /// ```
    /// let registry = modelpulse::health::Registry::new();
    /// registry.process();
    /// let families = registry.families();
    /// assert!(families.iter().any(|family| family.prometheus_name() == "process_resident_memory_bytes"));
    /// ```
    pub fn process(&self) {
        const GAUGES: [(&str, &str, &str, Read); 6] = [
            (
                "process.resident.memory",
                "bytes",
                "Memory of the process that is in physical memory",
                |process| Some(process.memory() as f64),
            ),
            (
                "process.virtual.memory",
                "bytes",
                "Memory that the process has addresses for",
                |process| Some(process.virtual_memory() as f64),
            ),
            (
                "process.start.time",
                "seconds",
                "When the process started, since 1970",
                |process| Some(process.start_time() as f64),
            ),
            ("process.threads", "", "Threads of the process", |process| {
                Some(process.tasks()?.len() as f64)
            }),
            ("process.open.fds", "", "Files that are open", |process| {
                Some(process.open_files()? as f64)
            }),
            (
                "process.max.fds",
                "",
                "The most files that may be open",
                |process| Some(process.open_files_limit()? as f64),
            ),
        ];
        let Ok(pid) = sysinfo::get_current_pid() else {
            return;
        };
        let looks = Arc::new(Mutex::new(Looks {
            system: System::new(),
            pid,
            looked: None,
        }));
        let look = move |read: Read| -> Option<f64> {
            let mut looks = looks.lock().unwrap_or_else(PoisonError::into_inner);
            read(looks.process()?)
        };
        let seconds: Read = |process| Some(process.accumulated_cpu_time() as f64 / 1e3);
        let own = look.clone();
        self.meter("process.cpu")
            .unit("seconds")
            .description("Time that the process had of all CPUs")
            .counter_of(move || own(seconds).unwrap_or(f64::NAN));
        for (name, unit, text, read) in GAUGES {
            if look(read).is_none() {
                continue;
            }
            let own = look.clone();
            let meter = self.meter(name).unit(unit).description(text);
            meter.gauge_of(move || own(read).unwrap_or(f64::NAN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Reading;

    #[test]
    fn this_process_has_all_of_it() {
        let registry = Registry::new();
        registry.process();
        let families = registry.families();
        let read = |name: &str| {
            let mut families = families.iter();
            let family = families.find(|family| family.prometheus_name() == name);
            let meter = family.unwrap().meters().next().unwrap();
            match meter.read() {
                Reading::Number(value) => value,
                other => panic!("{other:?}"),
            }
        };
        let now = crate::WallTime::now().as_secs_f64();
        assert!(read("process_cpu_seconds") >= 0.0);
        assert!(read("process_resident_memory_bytes") > 1e5);
        assert!(read("process_virtual_memory_bytes") >= read("process_resident_memory_bytes"));
        assert!((now - 1e6..=now + 2.0).contains(&read("process_start_time_seconds")));
        assert!(read("process_threads") >= 1.0);
        assert!(read("process_open_fds") >= 3.0);
        assert!(read("process_max_fds") >= read("process_open_fds"));
    }
}
