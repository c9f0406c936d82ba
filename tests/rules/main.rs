//! Rules and alerts, held against Prometheus and against themselves.

mod promtool;
mod reference;
