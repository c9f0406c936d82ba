//! What a training spends its time on, and what it starves of.
//!
//! It is judged over a time, not a step: the first batch of an epoch may be slow.

use std::time::Duration;

use crate::health::finding::figure;
use crate::health::{Finding, FindingKind, Place};
use crate::train::Phases;

/// What a part of a training spent its time on, and what it used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Load {
    pub(super) steps: u32,
    /// How long it took, evaluations too.
    pub(super) elapsed: Duration,
    /// All phases of its steps.
    pub(super) total: Duration,
    /// Waiting for batches.
    pub(super) data: Duration,
    /// In logging calls.
    pub(super) logging: Duration,
    /// Of one core.
    pub(super) cpu_percent: f64,
    /// Pages that were waited for.
    pub(super) major_faults: f64,
    /// How much of the process is in swap.
    pub(super) swapped_bytes: f64,
    /// Values that the log has not, since the start.
    pub(super) dropped: u64,
}

impl Load {
    pub(super) fn add(&mut self, phases: &Phases) {
        self.steps += 1;
        self.total += phases.total();
        self.data += phases.data;
        self.logging += phases.logging;
    }

    /// Which part of the time that is.
    pub(super) fn share(&self, time: Duration) -> f64 {
        match self.total.as_secs_f64() {
            0.0 => 0.0,
            total => time.as_secs_f64() / total,
        }
    }
}

/// Looks for what a training starves of; says each once.
#[derive(Debug)]
pub(super) struct Starved {
    pub(super) patience: Duration,
    /// Since the last judgement.
    sum: Load,
    /// CPU and its time.
    cpu: f64,
    dropped: u64,
    said: Vec<FindingKind>,
}

impl Default for Starved {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(10),
            sum: Load::default(),
            cpu: 0.0,
            dropped: 0,
            said: Vec::new(),
        }
    }
}

/// Waiting for data so much of the time is starving.
const DATA: f64 = 0.5;
/// So much in logging calls is too much.
const LOGGING: f64 = 0.2;
/// Pages a second that are waited for; a program that starts has some.
const FAULTS: f64 = 50.0;
/// Of a core: below, nothing is computed while the loop waits.
const IDLE: f64 = 50.0;

impl Starved {
    /// Takes note of what was between two looks, and says what is found.
    pub(super) fn judge(&mut self, load: &Load, step: usize) -> Vec<Finding> {
        let sum = &mut self.sum;
        sum.steps += load.steps;
        sum.elapsed += load.elapsed;
        sum.total += load.total;
        sum.data += load.data;
        sum.logging += load.logging;
        sum.major_faults += load.major_faults;
        sum.swapped_bytes = load.swapped_bytes;
        self.cpu += load.cpu_percent * load.elapsed.as_secs_f64();
        if sum.total < self.patience || sum.steps < 2 {
            return Vec::new();
        }
        let sum = std::mem::take(&mut self.sum);
        let cpu = std::mem::take(&mut self.cpu) / sum.elapsed.as_secs_f64().max(1e-9);
        let dropped = load.dropped.saturating_sub(self.dropped);
        self.dropped = load.dropped;
        let place = Place::Step(step);
        let found = [
            data_loading(&sum, cpu, place),
            logging(&sum, dropped, place),
            swapping(&sum, place),
        ];
        let mut found: Vec<Finding> = found.into_iter().flatten().collect();
        found.retain(|finding| !self.said.contains(&finding.kind));
        self.said.extend(found.iter().map(|finding| finding.kind));
        found
    }
}

fn percent(share: f64) -> String {
    format!("{} %", figure((share * 1000.0).round() / 10.0))
}

fn milliseconds(time: Duration, steps: u32) -> String {
    figure(time.as_secs_f64() * 1e3 / f64::from(steps.max(1)))
}

fn data_loading(sum: &Load, cpu: f64, place: Place) -> Option<Finding> {
    let share = sum.share(sum.data);
    if share < DATA {
        return None;
    }
    let idle = cpu < IDLE;
    let what = match idle {
        true => "and the CPU idles meanwhile",
        false => "which the CPU is busy to make",
    };
    let sentence = format!(
        "the loop waits for its data {} of the time, {what}",
        percent(share)
    );
    let finding = Finding::new(FindingKind::DataLoading, place, sentence)
        .evidence(
            "milliseconds a step, for the data",
            milliseconds(sum.data, sum.steps),
        )
        .evidence(
            "milliseconds a step, in all",
            milliseconds(sum.total, sum.steps),
        )
        .evidence(
            "CPU of the process, in percent of a core",
            figure(cpu.round()),
        );
    Some(match idle {
        true => finding.advice(&[
            "load the next batches in another thread while the model computes",
            "keep the data in memory, or on a disk that is faster or nearer",
            "read larger pieces at once",
        ]),
        false => finding.advice(&[
            "decode and transform the data once, and keep what comes out",
            "spread the making of batches over more threads",
        ]),
    })
}

fn logging(sum: &Load, dropped: u64, place: Place) -> Option<Finding> {
    let share = sum.share(sum.logging);
    let sentence = if dropped > 0 {
        format!("the log cannot keep up: {dropped} values were dropped")
    } else if share >= LOGGING {
        format!("logging takes {} of the time", percent(share))
    } else {
        return None;
    };
    let finding = Finding::new(FindingKind::Logging, place, sentence)
        .evidence(
            "milliseconds a step, in logging calls",
            milliseconds(sum.logging, sum.steps),
        )
        .evidence(
            "milliseconds a step, in all",
            milliseconds(sum.total, sum.steps),
        )
        .evidence("values dropped", dropped);
    Some(finding.advice(&[
        "log histograms, pictures and tensors less often",
        "give the log a larger buffer, or a disk that is faster",
        "do less in the sinks of the session: they run in the thread that writes",
    ]))
}

fn swapping(sum: &Load, place: Place) -> Option<Finding> {
    let rate = sum.major_faults / sum.elapsed.as_secs_f64().max(1e-9);
    if rate < FAULTS {
        return None;
    }
    let sentence = format!(
        "the process waits for pages to come from the disk, {} times a second: memory is short",
        figure(rate.round())
    );
    let finding = Finding::new(FindingKind::Swapping, place, sentence)
        .evidence("major page faults a second", figure(rate.round()))
        .evidence("bytes of the process in swap", figure(sum.swapped_bytes));
    Some(finding.advice(&[
        "take smaller batches, or keep less of the data in memory",
        "end what else takes memory on this machine",
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a hundred steps.
    fn second() -> Load {
        Load {
            steps: 100,
            elapsed: Duration::from_secs(1),
            total: Duration::from_secs(1),
            data: Duration::from_millis(100),
            cpu_percent: 100.0,
            ..Load::default()
        }
    }

    fn kinds(loads: &[Load]) -> Vec<(usize, FindingKind)> {
        let mut starved = Starved::default();
        let loads = loads.iter().enumerate();
        loads
            .flat_map(|(step, load)| {
                let found = starved.judge(load, step);
                found.into_iter().map(move |finding| (step, finding.kind))
            })
            .collect()
    }

    #[test]
    fn a_training_that_computes_starves_of_nothing() {
        assert_eq!(kinds(&[second(); 50]), []);
        // A moment is no judgement.
        let waits = Load {
            data: Duration::from_millis(900),
            major_faults: 1000.0,
            ..second()
        };
        assert_eq!(kinds(&[waits; 9]), []);
    }

    #[test]
    fn each_is_found_once_and_tells_why() {
        let waits = Load {
            data: Duration::from_millis(700),
            cpu_percent: 5.0,
            ..second()
        };
        assert_eq!(kinds(&[waits; 50]), [(9, FindingKind::DataLoading)]);
        let faults = Load {
            major_faults: 60.0,
            ..second()
        };
        assert_eq!(kinds(&[faults; 50]), [(9, FindingKind::Swapping)]);
        let logs = Load {
            logging: Duration::from_millis(300),
            ..second()
        };
        assert_eq!(kinds(&[logs; 50]), [(9, FindingKind::Logging)]);
        let drops = Load {
            dropped: 3,
            ..second()
        };
        // Once dropped, they stay dropped: nothing new is found.
        let first = Starved::default().judge(
            &Load {
                total: Duration::from_secs(10),
                ..drops
            },
            7,
        );
        assert!(
            first[0].to_string().contains("3 values were dropped"),
            "{first:?}"
        );
        let long = Load {
            elapsed: Duration::from_secs(20),
            total: Duration::from_secs(20),
            data: Duration::from_secs(15),
            ..second()
        };
        let idle = Starved::default().judge(
            &Load {
                cpu_percent: 5.0,
                ..long
            },
            1,
        );
        assert!(
            idle[0]
                .sentence
                .contains("75 % of the time, and the CPU idles"),
            "{idle:?}"
        );
        let busy = Starved::default().judge(&long, 1);
        assert!(busy[0].sentence.contains("busy to make") && busy[0].advice != idle[0].advice);
    }
}
