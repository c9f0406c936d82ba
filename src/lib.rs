//! Placeholder crate doc, rewritten below.
#![deny(unsafe_code, missing_docs, rustdoc::broken_intra_doc_links)]
#![warn(missing_debug_implementations, unreachable_pub, clippy::use_self)]

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

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "datasets")]
pub mod datasets;
#[cfg(feature = "figures")]
pub mod figure;

pub use train::Session;
pub use types::{RunName, Step, Tag, WallTime};
