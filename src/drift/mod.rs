//! Drift: has the data, or what a model makes of it, changed? Plain numbers in, plain numbers out.
//!
//! Two questions have two kinds of answer. [`concept`] watches a stream, one value at a time, and says when it is no
//! longer what it was; its detectors can be stopped and restored. [`data`] compares two samples, [`verdict`] says of many
//! features whether what is seen there matters, and [`profile`] keeps of a sample what that needs, in little memory.

pub mod chunks;
mod column;
pub mod concept;
pub mod data;
mod error;
pub mod evidently;
mod method;
pub mod performance;
pub mod profile;
pub mod quality;
pub mod rows;
pub mod verdict;

pub use column::Column;
pub use error::{DriftError, Undefined};
pub use method::Method;
