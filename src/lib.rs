//! Model health monitoring for Rust, on TensorBoard event logs.
//!
//! A loop logs to a [`Session`]; TensorBoard shows the log while it grows, and [`replay`] takes an old
//! one through the rules of a live run.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let logdir = dir.path().join("demo");
//! use modelpulse::{Session, health::{Alerts, RuleSet}, replay::replay};
//!
//! let session = Session::create(&logdir)?;
//! for number in 0..3 {
//!     let mut epoch = session.epoch(number);
//!     for batch in 0..10 {
//!         let loss = 1.0 / f64::from(1 + batch + 10 * number); // … train here …
//!         epoch.train_batch(32, [("loss", loss)]);
//!     }
//!     epoch.eval_batch(100, [("accuracy", [0.7, 0.8, 0.95][number as usize])]);
//! }
//! session.finish()?;
//!
//! let rules = RuleSet::new(vec!["eval/epoch_accuracy < 0.75".parse()?])?;
//! let mut changes = Vec::new();
//! let mut alerts = Alerts::new(rules, |change| changes.push((change.word(), change.step.as_i64())));
//! replay(&logdir, &mut alerts)?;
//! drop(alerts);
//! assert_eq!(changes, [("firing", 0), ("resolved", 1)]);
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! # Rooms
//! Events flow from a source to sinks, and nothing else moves. From the ground up:
//!
//! | room | holds |
//! |---|---|
//! | [`types`] | steps, tags, run names, wall times |
//! | [`record`], [`proto`] | the framing and the messages of event files |
//! | [`summary`] | the kinds of value, one file each |
//! | [`flow`] | events, sources, sinks |
//! | [`log`] | a log directory: its writer and its reader |
//! | [`metrics`] | what predictions are worth |
//! | `drift` | whether data, or what a model makes of them, have changed (feature `drift`) |
//! | `table` | columns from CSV, Parquet and JSON lines (features `tables`, `parquet`) |
//! | `datasets`, `figure` | images to train on; pictures of numbers (features `datasets`, `figures`) |
//! | [`train`] | sessions, epochs, hooks, callbacks; the trainer for candle models (feature `candle`) |
//! | [`health`] | rules and alerts |
//! | [`replay`] | an old log through the sinks of a live run, or into a new log |
//! | `export` | logs as tables: CSV, JSON lines, Parquet (features `export`, `parquet`); metrics and alerts pushed (`push`, `otlp`) |
//! | `serve` | a registry and a watched model over HTTP (feature `serve`) |
//! | `bridge` | the facades `metrics` and `tracing`, logged to a run (features `metrics-rs`, `tracing`) |
//!
//! # Features
//! All are additive. Without the default ones the crate is a log writer and reader with a handful of
//! dependencies; `cli`, the default, builds the program and brings in `candle`, `datasets` and `figures`.
#![deny(unsafe_code, missing_docs, rustdoc::broken_intra_doc_links)]
#![warn(missing_debug_implementations, unreachable_pub, clippy::use_self)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod flow;
pub mod health;
pub mod log;
pub mod metrics;
pub mod proto;
pub mod record;
pub mod replay;
pub mod summary;
pub mod train;
pub mod types;

#[cfg(any(feature = "metrics-rs", feature = "tracing"))]
pub mod bridge;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "compat")]
pub mod compat;
#[cfg(feature = "datasets")]
pub mod datasets;
#[cfg(feature = "drift")]
pub mod drift;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "figures")]
pub mod figure;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "tables")]
pub mod table;

pub use train::Session;
pub use types::{RunName, Step, Tag, WallTime};

/// The README's code compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
