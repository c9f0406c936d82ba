//! A model that is watched: pages held against Prometheus, served and scraped for real.
//!
//! `tests/run` installs Prometheus and VictoriaMetrics, and the Python that reads OTLP.
#![cfg(feature = "cli")]

mod backfill;
#[path = "../built/mod.rs"]
mod built;
mod classics;
mod clients;
mod command;
mod conformance;
mod deploy;
mod drift;
mod faults;
mod lint;
mod otlp;
mod prometheus;
mod push_faults;
mod pushed;
mod receiver;
mod reference;
mod scraped;
mod served;
mod soak;
mod support;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../tensorboard/mod.rs"]
mod tensorboard;
mod victoria;
