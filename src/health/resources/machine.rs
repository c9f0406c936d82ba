//! The machine as Prometheus' node_exporter shows it: `node_cpu_seconds_total` and its like
//! (<https://github.com/prometheus/node_exporter>), so that its dashboards and rules fit.
//!
//! What the system does not tell is left out; what is mounted or plugged in later is not shown.

use std::collections::BTreeMap;

use sysinfo::{DiskRefreshKind, Disks, MemoryRefreshKind, Networks, System};

use super::gpus::Gpus;
use super::shown::{Kind, Number, Way, show};
use super::system;
use crate::health::Registry;

const CPU: Kind = (
    "node.cpu",
    "seconds",
    Way::Counts,
    "Seconds that the CPUs spent in each mode",
);
const MEMORY: [Kind; 4] = [
    (
        "node.memory.MemTotal",
        "bytes",
        Way::Varies,
        "Physical memory",
    ),
    (
        "node.memory.MemAvailable",
        "bytes",
        Way::Varies,
        "Memory that a new program could have without swapping",
    ),
    ("node.memory.SwapTotal", "bytes", Way::Varies, "Swap"),
    (
        "node.memory.SwapFree",
        "bytes",
        Way::Varies,
        "Swap that is free",
    ),
];
const LOAD: [Kind; 3] = [
    ("node.load1", "", Way::Varies, "Load average of one minute"),
    (
        "node.load5",
        "",
        Way::Varies,
        "Load average of five minutes",
    ),
    (
        "node.load15",
        "",
        Way::Varies,
        "Load average of fifteen minutes",
    ),
];
const PAGING: [(&str, Kind); 3] = [
    (
        "pgmajfault",
        (
            "node.vmstat.pgmajfault",
            "",
            Way::Varies,
            "Pages that were waited for to come from a disk, since the start",
        ),
    ),
    (
        "pswpin",
        (
            "node.vmstat.pswpin",
            "",
            Way::Varies,
            "Pages that came from swap, since the start",
        ),
    ),
    (
        "pswpout",
        (
            "node.vmstat.pswpout",
            "",
            Way::Varies,
            "Pages that went to swap, since the start",
        ),
    ),
];
const DISK: [Kind; 2] = [
    (
        "node.disk.read",
        "bytes",
        Way::Counts,
        "What was read from the disk",
    ),
    (
        "node.disk.written",
        "bytes",
        Way::Counts,
        "What was written to the disk",
    ),
];
const FILE_SYSTEM: [Kind; 2] = [
    (
        "node.filesystem.size",
        "bytes",
        Way::Varies,
        "Size of the file system",
    ),
    (
        "node.filesystem.avail",
        "bytes",
        Way::Varies,
        "What of the file system is free for programs",
    ),
];
const NETWORK: [Kind; 2] = [
    (
        "node.network.receive",
        "bytes",
        Way::Counts,
        "What came over the network",
    ),
    (
        "node.network.transmit",
        "bytes",
        Way::Counts,
        "What went over the network",
    ),
];

/// Looks at the machine.
#[derive(Debug)]
pub(super) struct Machine {
    system: System,
    disks: Disks,
    networks: Networks,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self {
            system: System::new(),
            disks: Disks::new(),
            networks: Networks::new(),
        }
    }

    pub(super) fn look(&mut self) -> &mut Self {
        let memory = MemoryRefreshKind::everything();
        self.system.refresh_memory_specifics(memory);
        let kinds = DiskRefreshKind::nothing().with_storage().with_io_usage();
        self.disks.refresh_specifics(true, kinds);
        self.networks.refresh(true);
        self
    }

    /// Bytes of memory, of those that are available, of swap, and of what is free of it.
    pub(super) fn memory(&self) -> [f64; 4] {
        let system = &self.system;
        [
            system.total_memory(),
            system.available_memory(),
            system.total_swap(),
            system.free_swap(),
        ]
        .map(|bytes| bytes as f64)
    }

    /// Bytes that came and went, over all but the loopback.
    pub(super) fn network(&self) -> [f64; 2] {
        let real = self.networks.iter().filter(|(name, _)| *name != "lo");
        real.fold([0.0; 2], |[received, sent], (_, data)| {
            let (more_received, more_sent) = (data.total_received(), data.total_transmitted());
            [received + more_received as f64, sent + more_sent as f64]
        })
    }

    /// Bytes that are free where `path` lies.
    pub(super) fn available(&self, path: &std::path::Path) -> Option<f64> {
        let path = path.canonicalize().ok()?;
        let below = |disk: &&sysinfo::Disk| path.starts_with(disk.mount_point());
        let disk = self.disks.iter().filter(below);
        let disk = disk.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
        Some(disk.available_space() as f64)
    }

    fn numbers(&mut self) -> Vec<Number> {
        self.look();
        let mut all = Vec::new();
        for (cpu, seconds) in system::cpus() {
            for (mode, seconds) in system::MODES.into_iter().zip(seconds) {
                let number = Number::new(&CPU, seconds).tag("cpu", cpu.as_str());
                all.push(number.tag("mode", mode));
            }
        }
        all.extend(
            MEMORY
                .iter()
                .zip(self.memory())
                .map(|(kind, value)| Number::new(kind, value)),
        );
        let load = System::load_average();
        let load = LOAD.iter().zip([load.one, load.five, load.fifteen]);
        all.extend(load.map(|(kind, value)| Number::new(kind, value)));
        for (name, kind) in &PAGING {
            all.extend(system::vmstat(name).map(|value| Number::new(kind, value)));
        }
        self.disk_numbers(&mut all);
        for (name, data) in &self.networks {
            let bytes = [data.total_received(), data.total_transmitted()];
            for (kind, bytes) in NETWORK.iter().zip(bytes) {
                all.push(Number::new(kind, bytes as f64).tag("device", name.as_str()));
            }
        }
        all
    }

    fn disk_numbers(&self, all: &mut Vec<Number>) {
        // A device may be mounted at several places, and one thing over another at one.
        let (mut devices, mut places) = (BTreeMap::new(), BTreeMap::new());
        for disk in self.disks.list() {
            let device = disk.name().to_string_lossy().into_owned();
            // In a container, single files may be mounted.
            if disk.mount_point().is_dir() {
                let place = disk.mount_point().to_string_lossy().into_owned();
                places.insert(place, (device.clone(), disk));
            }
            if device.starts_with("/dev/") {
                devices.insert(device, disk.usage());
            }
        }
        for (device, usage) in devices {
            let device = device.trim_start_matches("/dev/");
            let bytes = [usage.total_read_bytes, usage.total_written_bytes];
            for (kind, bytes) in DISK.iter().zip(bytes) {
                all.push(Number::new(kind, bytes as f64).tag("device", device));
            }
        }
        for (place, (device, disk)) in places {
            let bytes = [disk.total_space(), disk.available_space()];
            for (kind, bytes) in FILE_SYSTEM.iter().zip(bytes) {
                let number = Number::new(kind, bytes as f64).tag("device", device.as_str());
                let system = disk.file_system().to_string_lossy();
                let number = number.tag("fstype", system);
                all.push(number.tag("mountpoint", place.as_str()));
            }
        }
    }
}

impl Registry {
    /// Shows the machine, as Prometheus' node_exporter does: `node_cpu_seconds_total`, `node_memory_MemAvailable_bytes` and
    /// its like, `node_load1`, `node_vmstat_pgmajfault`, `node_disk_read_bytes_total`, `node_filesystem_avail_bytes`,
    /// `node_network_receive_bytes_total` …, as far as the system tells them; and of each GPU that NVIDIA's library tells
    /// of `gpu_utilization_ratio`, `gpu_memory_used_bytes`, `gpu_temperature_celsius` and `gpu_power_watts`.
    ///
    /// ```
    /// let registry = modelpulse::health::Registry::new();
    /// registry.machine();
    /// let families = registry.families();
    /// assert!(families.iter().any(|family| family.prometheus_name() == "node_memory_MemAvailable_bytes"));
    /// ```
    pub fn machine(&self) {
        let mut machine = Machine::new();
        show(self, move || machine.numbers());
        let gpus = Gpus::new();
        show(self, move || gpus.numbers());
    }
}

#[cfg(test)]
mod tests {
    use super::super::shown;
    use super::*;

    #[test]
    fn this_machine_has_memory_a_disk_and_a_network() {
        let registry = Registry::new();
        registry.machine();
        let all = shown::read(&registry);
        let read = |name: &str| all[name][0].1;
        assert!(read("node_memory_MemTotal_bytes") > 1e8);
        assert!(read("node_memory_MemTotal_bytes") > read("node_memory_MemAvailable_bytes"));
        assert!(read("node_memory_SwapTotal_bytes") >= read("node_memory_SwapFree_bytes"));
        assert!(read("node_load1") >= 0.0);
        if cfg!(target_os = "linux") {
            let cpus = &all["node_cpu_seconds"];
            assert!(
                cpus.iter().any(|(labels, seconds)| {
                    labels == r#"cpu="0",mode="idle""# && *seconds > 0.0
                })
            );
            assert!(
                all["node_network_receive_bytes"]
                    .iter()
                    .any(|(labels, _)| labels == r#"device="lo""#)
            );
            assert!(read("node_vmstat_pgmajfault") >= 0.0);
        }
        for (labels, size) in all.get("node_filesystem_size_bytes").into_iter().flatten() {
            let avail = &all["node_filesystem_avail_bytes"];
            let avail = avail.iter().find(|(other, _)| other == labels);
            assert!(avail.unwrap().1 <= *size, "{labels}");
        }
    }
}
