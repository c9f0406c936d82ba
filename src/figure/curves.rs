//! Curves of what a model does: lines over time, ROC curves, reliability diagrams.
//!
//! They take plain numbers; what is no number is an error or is marked, never left out in silence.

mod axis;
mod frame;
mod lines;
mod reliability;
mod roc;

pub use lines::LineChart;
pub use reliability::{ReliabilityBin, reliability_diagram};
pub use roc::{RocCurve, roc_curves};
