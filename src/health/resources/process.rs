//! The process as Prometheus' own clients show it: `process_cpu_seconds_total` and its like
//! (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>).
//!
//! What the system does not tell is left out.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::shown::{Kind, Number, Way, show};
use super::system;
use crate::health::Registry;

const CPU: Kind = (
    "process.cpu",
    "seconds",
    Way::Counts,
    "Time that the process had of all CPUs",
);
const RESIDENT: Kind = (
    "process.resident.memory",
    "bytes",
    Way::Varies,
    "Memory of the process that is in physical memory",
);
const VIRTUAL: Kind = (
    "process.virtual.memory",
    "bytes",
    Way::Varies,
    "Memory that the process has addresses for",
);
const SWAPPED: Kind = (
    "process.swapped.memory",
    "bytes",
    Way::Varies,
    "Memory of the process that is in swap",
);
const START: Kind = (
    "process.start.time",
    "seconds",
    Way::Varies,
    "When the process started, since 1970",
);
const THREADS: Kind = ("process.threads", "", Way::Varies, "Threads of the process");
const FILES: Kind = ("process.open.fds", "", Way::Varies, "Files that are open");
const MAX_FILES: Kind = (
    "process.max.fds",
    "",
    Way::Varies,
    "The most files that may be open",
);
const FAULTS: Kind = (
    "process.major.page.faults",
    "",
    Way::Counts,
    "How often the process waited for a page to come from the disk",
);
const READ: Kind = (
    "process.disk.read",
    "bytes",
    Way::Counts,
    "What the process had read from disks",
);
const WRITTEN: Kind = (
    "process.disk.written",
    "bytes",
    Way::Counts,
    "What the process had written to disks",
);

/// Looks at one process.
#[derive(Debug)]
pub(super) struct Process {
    system: System,
    pid: Option<Pid>,
}

impl Process {
    pub(super) fn this() -> Self {
        Self {
            system: System::new(),
            pid: sysinfo::get_current_pid().ok(),
        }
    }

    pub(super) fn look(&mut self) -> Option<&sysinfo::Process> {
        let pid = self.pid?;
        // Without its tasks: each thread that ever was would be kept as a process of its own.
        let kinds = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .with_disk_usage();
        let pids = ProcessesToUpdate::Some(&[pid]);
        self.system.refresh_processes_specifics(pids, false, kinds);
        self.system.process(pid)
    }

    fn numbers(&mut self) -> Vec<Number> {
        let Some(process) = self.look() else {
            return Vec::new();
        };
        let disk = process.disk_usage();
        let told: [(&'static Kind, Option<f64>); 11] = [
            (&CPU, Some(process.accumulated_cpu_time() as f64 / 1e3)),
            (&RESIDENT, Some(process.memory() as f64)),
            (&VIRTUAL, Some(process.virtual_memory() as f64)),
            (&SWAPPED, system::swapped()),
            (&START, Some(process.start_time() as f64)),
            (&THREADS, system::threads()),
            (&FILES, process.open_files().map(|files| files as f64)),
            (
                &MAX_FILES,
                process.open_files_limit().map(|files| files as f64),
            ),
            (&FAULTS, system::major_faults()),
            (&READ, Some(disk.total_read_bytes as f64)),
            (&WRITTEN, Some(disk.total_written_bytes as f64)),
        ];
        let told = told.into_iter();
        told.filter_map(|(kind, value)| Some(Number::new(kind, value?)))
            .collect()
    }
}

impl Registry {
    /// Shows this process: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
    /// `process_virtual_memory_bytes`, `process_swapped_memory_bytes`, `process_start_time_seconds`, `process_threads`,
    /// `process_open_fds`, `process_max_fds`, `process_major_page_faults_total`, `process_disk_read_bytes_total` and
    /// `process_disk_written_bytes_total`, as far as the system tells them. What goes over the network, no system tells of
    /// a single process: see [`machine`](Self::machine).
    ///
    /// ```
    /// let registry = modelpulse::health::Registry::new();
    /// registry.process();
    /// let families = registry.families();
    /// assert!(families.iter().any(|family| family.prometheus_name() == "process_resident_memory_bytes"));
    /// ```
    pub fn process(&self) {
        let mut process = Process::this();
        show(self, move || process.numbers());
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn threads_that_came_and_went_are_not_kept() {
        let mut process = Process::this();
        for _ in 0..3 {
            std::thread::scope(|scope| {
                let thread = scope.spawn(std::thread::park);
                assert!(process.look().is_some());
                assert!(system::threads().is_none_or(|count| count >= 2.0));
                thread.thread().unpark();
            });
        }
        assert_eq!(process.system.processes().len(), 1);
    }

    #[test]
    fn this_process_has_all_of_it() {
        let registry = Registry::new();
        registry.process();
        let all = shown::read(&registry);
        let read = |name: &str| all[name][0].1;
        let now = crate::WallTime::now().as_secs_f64();
        assert!(read("process_cpu_seconds") >= 0.0);
        assert!(read("process_resident_memory_bytes") > 1e5);
        assert!(read("process_virtual_memory_bytes") >= read("process_resident_memory_bytes"));
        assert!((now - 1e6..=now + 2.0).contains(&read("process_start_time_seconds")));
        assert!(read("process_threads") >= 1.0);
        assert!(read("process_open_fds") >= 3.0);
        assert!(read("process_max_fds") >= read("process_open_fds"));
        for name in ["process_disk_read_bytes", "process_disk_written_bytes"] {
            assert!(read(name) >= 0.0, "{name}");
        }
        if cfg!(target_os = "linux") {
            assert!(read("process_major_page_faults") >= 0.0);
            assert!(read("process_swapped_memory_bytes") >= 0.0);
        }
    }
}
