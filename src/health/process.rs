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

/// The process as it was when it was looked at.
struct Looks {
    system: System,
    pid: Pid,
    last: Option<(Instant, Look)>,
}

#[derive(Clone, Copy)]
struct Look {
    cpu_seconds: f64,
    resident: f64,
    virtual_memory: f64,
    started: f64,
    threads: Option<f64>,
    open_files: Option<f64>,
    most_files: Option<f64>,
}

impl Looks {
    fn look(&mut self) -> Option<Look> {
        if let Some((when, look)) = &self.last
            && when.elapsed() < FRESH
        {
            return Some(*look);
        }
        // Without its tasks: each thread that ever was would be kept as a process of its own.
        let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory();
        let pids = ProcessesToUpdate::Some(&[self.pid]);
        self.system.refresh_processes_specifics(pids, false, kinds);
        let process = self.system.process(self.pid)?;
        let count = |count: Option<usize>| count.map(|count| count as f64);
        let look = Look {
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1e3,
            resident: process.memory() as f64,
            virtual_memory: process.virtual_memory() as f64,
            started: process.start_time() as f64,
            threads: count(threads()),
            open_files: count(process.open_files()),
            most_files: count(process.open_files_limit()),
        };
        self.last = Some((Instant::now(), look));
        Some(look)
    }
}

/// Of this process, where the system has a directory of them.
fn threads() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

type Read = fn(&Look) -> Option<f64>;

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
                |look| Some(look.resident),
            ),
            (
                "process.virtual.memory",
                "bytes",
                "Memory that the process has addresses for",
                |look| Some(look.virtual_memory),
            ),
            (
                "process.start.time",
                "seconds",
                "When the process started, since 1970",
                |look| Some(look.started),
            ),
            ("process.threads", "", "Threads of the process", |look| {
                look.threads
            }),
            ("process.open.fds", "", "Files that are open", |look| {
                look.open_files
            }),
            (
                "process.max.fds",
                "",
                "The most files that may be open",
                |look| look.most_files,
            ),
        ];
        let Ok(pid) = sysinfo::get_current_pid() else {
            return;
        };
        let looks = Arc::new(Mutex::new(Looks {
            system: System::new(),
            pid,
            last: None,
        }));
        let look = move |read: Read| -> Option<f64> {
            let mut looks = looks.lock().unwrap_or_else(PoisonError::into_inner);
            read(&looks.look()?)
        };
        let seconds: Read = |look| Some(look.cpu_seconds);
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
    fn threads_that_came_and_went_are_not_kept() {
        let mut looks = Looks {
            system: System::new(),
            pid: sysinfo::get_current_pid().unwrap(),
            last: None,
        };
        for _ in 0..3 {
            std::thread::scope(|scope| {
                let thread = scope.spawn(std::thread::park);
                looks.last = None;
                assert!(
                    looks
                        .look()
                        .unwrap()
                        .threads
                        .is_none_or(|count| count >= 2.0)
                );
                thread.thread().unpark();
            });
        }
        assert_eq!(looks.system.processes().len(), 1);
    }

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
