//! Drift: has the data, or what a model makes of it, changed? Plain numbers in, plain numbers out.
//!
//! | question | answer |
//! |---|---|
//! | has a feature changed? | [`verdict`], by a test of [`data`] that has its level |
//! | have features changed together? | [`rows`], [`embedding`], and a model that tells both samples apart, `candle` (feature `candle`) |
//! | of which only a profile was kept? | [`profile`]: what tests need, in little memory |
//! | chunk after chunk? | [`chunks`]; of a stream without end, [`stream`] |
//! | is the data as good as it was? | [`quality`] |
//! | is a stream still what it was? | [`concept`], one value at a time; its detectors can be stopped and restored |
//! | how good is a model whose labels are not there yet? | [`performance`] |
//! | what would Evidently say? | [`evidently`] |
//! | how often does all this alarm at nothing, and find what is there? | [`power`] |

#[cfg(feature = "candle")]
pub mod candle;
pub mod chunks;
mod column;
pub mod concept;
pub mod data;
pub mod embedding;
mod error;
pub mod evidently;
mod method;
pub(crate) mod parallel;
pub mod performance;
pub mod power;
pub mod profile;
pub mod quality;
pub mod rows;
pub mod stream;
pub mod verdict;

pub use column::Column;
pub use error::{DriftError, Undefined};
pub use method::Method;
