//! A model that is watched: pages held against Prometheus, served and scraped for real.
//!
//! `tests/run` installs Prometheus.
#![cfg(feature = "cli")]

mod backfill;
#[path = "../built/mod.rs"]
mod built;
mod classics;
mod clients;
mod command;
mod deploy;
mod faults;
mod lint;
mod prometheus;
mod reference;
mod scraped;
mod served;
mod soak;
mod support;
