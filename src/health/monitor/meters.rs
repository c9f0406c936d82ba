//! What is counted and timed of predictions and evaluations.
//!
//! Counts are of rows. A row that came with something odd may be counted under more than one kind.

use super::errors::Kind;
use crate::health::{Counter, Registry, Timer};

/// What is counted of predictions.
#[derive(Debug)]
pub(super) struct Meters {
    pub(super) predictions: Counter,
    errors: [Counter; Kind::ALL.len()],
    pub(super) evaluations: Counter,
    pub(super) failed_evaluations: Counter,
    pub(super) latency: Timer,
}

/// What the meters said when it was logged last.
#[derive(Debug, Default)]
pub(super) struct Logged {
    time: f64,
    predictions: f64,
    errors: [f64; Kind::ALL.len()],
    calls: u64,
    seconds: f64,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Self {
        const SECONDS: [f64; 12] = [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
        ];
        let errors = |kind: Kind| {
            let meter = registry.meter("prediction.errors").tag("kind", kind.name());
            meter
                .description(
                    "Rows that the model was asked for and something is wrong with, by what",
                )
                .counter()
        };
        Self {
            predictions: registry.counter("predictions", "Rows that were predicted"),
            errors: Kind::ALL.map(errors),
            evaluations: registry.counter("evaluations", "Evaluations of the model"),
            failed_evaluations: registry.counter("failed.evaluations", "Evaluations that failed"),
            latency: registry
                .meter("predict")
                .description("Time of a call to the model")
                .buckets(SECONDS)
                .timer(),
        }
    }

    pub(super) fn errors(&self, kind: Kind) -> &Counter {
        &self.errors[kind as usize]
    }

    /// Tells the counts, and what they come to since they were logged last: which part of the rows that were asked for
    /// something is wrong with, how long a call to the model took, and how many rows there were a second.
    pub(super) fn log(&self, now: f64, last: &mut Logged, log: &mut dyn FnMut(&str, f64)) {
        let predictions = self.predictions.value();
        let errors = Kind::ALL.map(|kind| self.errors(kind).value());
        let recorded = self.latency.recorded();
        log("predictions", predictions);
        let new = predictions - last.predictions;
        let of = |kind: Kind| errors[kind as usize] - last.errors[kind as usize];
        // What was out of range, or came out as NaN, is among the predictions.
        let asked = new + of(Kind::Failed) + of(Kind::Malformed);
        for kind in Kind::ALL {
            log(&format!("errors/{}", kind.name()), errors[kind as usize]);
            let rate = if asked > 0.0 { of(kind) / asked } else { 0.0 };
            log(&format!("error_rate/{}", kind.name()), rate);
        }
        if let Some(calls @ 1..) = recorded.count.checked_sub(last.calls) {
            log(
                "latency_ms",
                1e3 * (recorded.sum - last.seconds) / calls as f64,
            );
        }
        if last.time > 0.0 && now > last.time {
            log("predictions_per_second", new / (now - last.time));
        }
        *last = Logged {
            time: now,
            predictions,
            errors,
            calls: recorded.count,
            seconds: recorded.sum,
        };
    }
}
