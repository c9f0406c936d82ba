//! Rules and alerts, held against Prometheus and against themselves.

#[cfg(feature = "drift")]
mod detectors;
mod live;
mod promtool;
mod receivers;
mod reference;
mod timelines;
