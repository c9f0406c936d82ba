//! A model that is watched: pages held against Prometheus, served and scraped for real.
//!
//! `tests/run` installs Prometheus.
#![cfg(feature = "export")]

mod lint;
mod reference;
