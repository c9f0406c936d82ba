//! What is counted and timed of predictions and evaluations.
//!
//! Counts are of rows; an error is counted under one kind only.

use crate::health::{Counter, Registry, Timer};

/// What is counted of predictions.
#[derive(Debug)]
pub(super) struct Meters {
    pub(super) predictions: Counter,
    pub(super) failed: Counter,
    pub(super) malformed: Counter,
    pub(super) nan: Counter,
    pub(super) evaluations: Counter,
    pub(super) failed_evaluations: Counter,
    pub(super) latency: Timer,
}

impl Meters {
    pub(super) fn new(registry: &Registry) -> Self {
        const SECONDS: [f64; 12] = [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
        ];
        let errors = |kind: &str| {
            let meter = registry.meter("prediction.errors").tag("kind", kind);
            meter
                .description(
                    "Rows that the model was asked for and has no answer to, by what was wrong",
                )
                .counter()
        };
        Self {
            predictions: registry.counter("predictions", "Rows that were predicted"),
            failed: errors("failed"),
            malformed: errors("malformed"),
            nan: errors("nan"),
            evaluations: registry.counter("evaluations", "Evaluations of the model"),
            failed_evaluations: registry.counter("failed.evaluations", "Evaluations that failed"),
            latency: registry
                .meter("predict")
                .description("Time of a call to the model")
                .buckets(SECONDS)
                .timer(),
        }
    }
}
