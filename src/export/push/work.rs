//! Pushes: what a registry shows, written for each target and given to its courier.
//!
//! There is one at a time, each later than the one before; all targets are given the same numbers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Pushed;
#[cfg(feature = "otlp")]
use super::otlp;
use super::queue::Queue;
use super::remote_write::{self, Say};
use super::target::Protocol;
use crate::export::courier::{Courier, Tally};
use crate::export::samples::Samples;
use crate::health::Registry;

/// The way to one target.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) protocol: Protocol,
    pub(super) courier: Courier<Queue>,
}

impl Line {
    fn name(&self) -> String {
        let route = self.courier.route();
        format!("{} {}", route.receiver, route.shown)
    }

    /// Shows in `registry` what becomes of the pushes.
    pub(super) fn meters(&self, registry: &Registry) {
        let meter = |name: &str, text: &str| {
            let meter = registry.meter(name).tag("target", self.name());
            meter.description(text)
        };
        let text = "Samples that a target took, or that were dropped";
        let samples = |outcome: &str| meter("push.samples", text).tag("outcome", outcome);
        let tally = self.courier.tally();
        samples("sent").counter_of(move || tally().delivered as f64);
        let tally = self.courier.tally();
        samples("dropped").counter_of(move || tally().dropped as f64);
        let tally = self.courier.tally();
        meter("push.failures", "Pushes that failed, each try")
            .counter_of(move || tally().failures as f64);
        let tally = self.courier.tally();
        meter("push.waiting", "Samples that wait for a target")
            .gauge_of(move || tally().waiting as f64);
    }

    fn push(&self, families: &[Samples<'_>], labels: &[(String, String)], time: i64, say: Say) {
        let letters = match &self.protocol {
            Protocol::RemoteWrite => remote_write::letters(families, labels, time, say),
            #[cfg(feature = "otlp")]
            Protocol::Otlp(attributes) => otlp::letters(families, labels, attributes, time, say),
        };
        for letter in letters {
            self.courier.tell(|queue| queue.add(letter));
        }
    }
}

/// All that a pusher and its thread share.
#[derive(Debug)]
pub(super) struct Work {
    registry: Registry,
    labels: Vec<(String, String)>,
    lines: Vec<Line>,
    /// Held while a push is made: there is one at a time, and each is later than the one before.
    turn: Mutex<Turn>,
    /// Nothing more is sent.
    over: AtomicBool,
}

#[derive(Debug, Default)]
struct Turn {
    /// Of the last push, in milliseconds since 1970.
    time: i64,
    /// Whether that was the last of all.
    closed: bool,
}

impl Work {
    pub(super) fn new(registry: Registry, labels: Vec<(String, String)>, lines: Vec<Line>) -> Self {
        Self {
            registry,
            labels,
            lines,
            turn: Mutex::default(),
            over: AtomicBool::new(false),
        }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pushes what the registry shows now.
    pub(super) fn push(&self) {
        let mut turn = self.turn();
        if !turn.closed {
            self.push_in(&mut turn, Say::Values);
        }
    }

    /// Makes the last push, and says that the series end if they do; returns when all is sent, or there is no more time.
    pub(super) fn finish(&self, ends: bool) {
        let mut turn = self.turn();
        if !std::mem::replace(&mut turn.closed, true) {
            self.push_in(&mut turn, Say::Values);
            if ends {
                self.push_in(&mut turn, Say::Ended);
            }
        }
        // Whoever pushes meanwhile does not wait for a receiver.
        drop(turn);
        // All at once, so that the time is that of the slowest.
        self.lines.iter().for_each(|line| line.courier.end());
        self.lines.iter().for_each(|line| line.courier.wait());
        self.over.store(true, Ordering::Relaxed);
    }

    fn push_in(&self, turn: &mut Turn, say: Say) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_millis() as i64);
        // A receiver refuses what is older than what it has, also where the clock was set back.
        turn.time = now.max(turn.time + 1);
        let families = self.registry.families();
        // Read once, so that all targets have the same.
        let samples: Vec<Samples<'_>> = families.iter().map(Samples::of).collect();
        for line in &self.lines {
            line.push(&samples, &self.labels, turn.time, say);
        }
    }

    pub(super) fn pushed(&self) -> Vec<Pushed> {
        let over = self.over.load(Ordering::Relaxed);
        let each = self.lines.iter().map(|line| {
            let tally: Tally = line.courier.tally()();
            // What waits at the end does so for ever.
            let lost = if over { tally.waiting } else { 0 };
            Pushed {
                target: line.name(),
                samples: tally.delivered,
                requests: tally.letters,
                failures: tally.failures,
                dropped: tally.dropped + lost,
                waiting: tally.waiting - lost,
                problem: tally.problem,
            }
        });
        each.collect()
    }
}
