//! Where a model errs: slices of the data that it does worse on, and labels that are probably wrong.
//!
//! Plain numbers in and out: nothing here knows of tables, logs or files.

mod joint;
mod mislabeled;
mod rounding;
mod significance;
mod slices;

pub use joint::ConfidentJoint;
pub use mislabeled::{LabelFilter, LabelQuality, Labelled, LabelledError, Scores};
pub use slices::{Condition, Dimension, Slice, Slices, SlicesError};
