//! Ready-made hooks: most log one thing to a [`Session`](super::Session).
//!
//! Those only look: they change neither the model nor the order of the data. [`EarlyStop`] ends a fit, and may
//! bring the best parameters back.

mod activations;
mod checkpoint;
mod early_stop;
mod grad_norm;
mod graph;
mod histograms;
mod hparams;
mod learning_rate;
mod pixels;
mod pr_curves;
mod projector;
mod scalars;
mod throughput;
mod timing;

#[cfg(feature = "figures")]
mod confusion;
#[cfg(feature = "figures")]
mod curves;
#[cfg(feature = "progress")]
mod progress;
#[cfg(feature = "figures")]
mod worst;

pub use activations::Activations;
pub use checkpoint::Checkpoint;
#[cfg(feature = "figures")]
pub use confusion::ConfusionMatrices;
#[cfg(feature = "figures")]
pub use curves::Curves;
pub use early_stop::EarlyStop;
pub use grad_norm::GradNorm;
pub use graph::GraphOnce;
pub use histograms::Histograms;
pub use hparams::HParams;
pub use learning_rate::LearningRate;
pub use pixels::Pixels;
pub use pr_curves::PrCurves;
#[cfg(feature = "progress")]
pub use progress::{Progress, Screen};
pub use projector::Projector;
pub use scalars::Scalars;
pub use throughput::Throughput;
pub use timing::Timing;
#[cfg(feature = "figures")]
pub use worst::WorstExamples;

use super::{EpochEnd, Monitor, Needs};

/// What a hook needs of a step that is a multiple of `every`.
fn every(every: usize, step: usize, needs: Needs) -> Needs {
    if step.is_multiple_of(every) {
        needs
    } else {
        Needs::NOTHING
    }
}

/// The name of a class, or its number where it has none.
pub(super) fn class_name(names: &[String], class: usize) -> String {
    let name = names.get(class);
    name.map_or_else(|| class.to_string(), Clone::clone)
}

/// Says that an epoch has no such metric, and which ones it has.
fn no_metric(monitor: &Monitor, at: &EpochEnd<'_>) -> String {
    let names: Vec<&str> = at.eval.metrics.keys().map(String::as_str).collect();
    format!(
        "no epoch has {monitor}; the held-out split has: {}",
        names.join(", ")
    )
}

/// A picture as an image, encoded the fast way: one is drawn each epoch, by the thread that writes, and
/// must not take as long as an epoch of a small model does.
#[cfg(feature = "figures")]
pub(super) fn image_of(
    picture: &crate::figure::Picture,
) -> Result<crate::summary::Value, crate::flow::SinkError> {
    use crate::summary::{Compression, Image, PixelLayout};
    let shape = [picture.height() as usize, picture.width() as usize, 3];
    let image =
        Image::from_pixels_with(picture.rgb(), shape, PixelLayout::Hwc, Compression::Fastest)?;
    Ok(image.into())
}
