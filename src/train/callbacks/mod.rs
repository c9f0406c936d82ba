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

/// A picture as an image, encoded the fast way: one is drawn each epoch, by the thread that writes, and
/// must not take as long as an epoch of a small model does.
#[cfg(feature = "figures")]
pub(super) fn image_of(
    picture: &crate::figure::Picture,
) -> Result<crate::summary::Value, crate::flow::SinkError> {
    use crate::summary::{Compression, Image, PixelLayout};
    let shape = [picture.height() as usize, picture.width() as usize, 3];
    let image = Image::from_pixels_with(picture.rgb(), shape, PixelLayout::Hwc, Compression::Fast)?;
    Ok(image.into())
}
