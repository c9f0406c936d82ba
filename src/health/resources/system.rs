//! What Linux tells of itself in `/proc`, beyond what the library that asks every system knows
//! (<https://man7.org/linux/man-pages/man5/proc.5.html>).
//!
//! Elsewhere, and where a file is not as it should be, there is nothing.

use std::fs::read_to_string;

/// Ticks a second in which `/proc` counts, which is fixed for programs: `USER_HZ`.
const TICKS: f64 = 100.0;

/// How a CPU spends its time, as `/proc/stat` has it.
pub(super) const MODES: [&str; 8] = [
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
];

/// Of each CPU, its name and the seconds that it spent in each of the [`MODES`].
pub(super) fn cpus() -> Vec<(String, [f64; 8])> {
    cpus_of(&read_to_string("/proc/stat").unwrap_or_default())
}

fn cpus_of(stat: &str) -> Vec<(String, [f64; 8])> {
    let cpu = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        // The line `cpu` has all of them together.
        let name = words.next()?.strip_prefix("cpu")?;
        let mut modes = [0.0; MODES.len()];
        for mode in &mut modes {
            *mode = words.next()?.parse::<f64>().ok()? / TICKS;
        }
        (!name.is_empty()).then(|| (name.to_owned(), modes))
    };
    stat.lines().filter_map(cpu).collect()
}

/// A number of `/proc/vmstat`, since the system started.
pub(super) fn vmstat(name: &str) -> Option<f64> {
    named(&read_to_string("/proc/vmstat").ok()?, name)
}

/// How many threads this process has.
pub(super) fn threads() -> Option<f64> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count() as f64)
}

/// How often this process waited for a page to come from the disk.
pub(super) fn major_faults() -> Option<f64> {
    major_faults_of(&read_to_string("/proc/self/stat").ok()?)
}

fn major_faults_of(stat: &str) -> Option<f64> {
    // The name of the program is in parentheses, and may have some in it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(9)?.parse().ok()
}

/// How many bytes of this process are in swap.
pub(super) fn swapped() -> Option<f64> {
    let kilobytes = named(&read_to_string("/proc/self/status").ok()?, "VmSwap:")?;
    Some(kilobytes * 1024.0)
}

fn named(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines().map(str::split_ascii_whitespace);
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_documented() {
        let stat = "cpu  10 20 30 40 50 60 70 80 0 0\ncpu0 100 200 300 400 500 600 700 800 0 0\n\
            cpu1 1 2 3\nintr 5\n";
        let modes = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(cpus_of(stat), [("0".to_owned(), modes)]);
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 777 8 999 10 11\n";
        assert_eq!(major_faults_of(stat), Some(999.0));
        let vmstat = "pgfault 1\npgmajfault 23\n";
        assert_eq!(named(vmstat, "pgmajfault"), Some(23.0));
        assert_eq!(named("VmSwap:\t     12 kB\n", "VmSwap:"), Some(12.0));
        for text in ["", "cpu0", "cpu0 x", "(", "pgmajfault", "VmSwap:"] {
            assert!(cpus_of(text).is_empty() && major_faults_of(text).is_none());
            assert_eq!(named(text, "pgmajfault"), None);
        }
    }
}
