//! Rules and alerts, held against Prometheus and against themselves.

mod live;
mod promtool;
mod receivers;
mod reference;
mod timelines;
