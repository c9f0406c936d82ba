//! Ready-made hooks: each logs one thing to a [`Session`](super::Session).
//!
//! A callback only looks: it changes neither the model nor the order of the data.

mod histograms;
mod scalars;

#[cfg(feature = "figures")]
mod confusion;
#[cfg(feature = "figures")]
mod worst;

#[cfg(feature = "figures")]
pub use confusion::ConfusionMatrices;
pub use histograms::Histograms;
pub use scalars::Scalars;
#[cfg(feature = "figures")]
pub use worst::{Pixels, WorstExamples};
