//! Images that callbacks show beside what the model said of them.

use std::sync::Arc;

/// Grey images, one after the other, row by row.
///
/// ```
/// use modelpulse::train::callbacks::Pixels;
/// let one = Pixels { pixels: vec![0, 5, 10, 0].into(), width: 2, height: 2, max_value: 10 };
/// ```
#[derive(Debug, Clone)]
pub struct Pixels {
    /// One byte a pixel.
    pub pixels: Arc<[u8]>,
    /// Pixels in a row of an image.
    pub width: usize,
    /// Rows of an image.
    pub height: usize,
    /// What white is.
    pub max_value: u8,
}

impl Pixels {
    /// The first `images` images, white being 255; `None` where there are fewer.
    pub(super) fn bytes(&self, images: usize) -> Option<Vec<u8>> {
        let size = images.checked_mul(self.width)?.checked_mul(self.height)?;
        let white = u32::from(self.max_value.max(1));
        let scaled = |&pixel: &u8| (u32::from(pixel) * 255 / white).min(255) as u8;
        Some(self.pixels.get(..size)?.iter().map(scaled).collect())
    }
}
