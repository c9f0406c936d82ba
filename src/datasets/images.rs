//! Labelled grey images of one size, as one block of bytes.
//!
//! There is at least one image, every image is whole and has a label, and no pixel is above the stated maximum.

use std::path::Path;

use super::{DatasetError, idx};

/// Grey images with a label each.
///
/// Pixels are `u8` of shape [images, height, width], row-major; 0 is the background and
/// [`max_value`](Self::max_value) full ink. Labels are class numbers from 0.
///
/// ```
/// use modelpulse::datasets::Images;
///
/// let images = Images::new(vec![0, 1, 2, 3, 4, 5, 6, 7], vec![1, 0], 2, 2, 16)?;
/// assert_eq!(images.len(), 2);
/// assert_eq!(images.image(1), Some(&[4, 5, 6, 7][..]));
/// assert_eq!(images.label(1), Some(0));
/// assert_eq!(images.image(2), None);
/// # Ok::<(), modelpulse::datasets::DatasetError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Images {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    height: usize,
    width: usize,
    max_value: u8,
}

impl Images {
    /// Images from their parts: pixels of shape [labels, height, width] of values 0..=`max_value`.
    ///
    /// # Errors
    ///
    /// [`DatasetError::PixelCount`] if the pixels are not one image a label or there are none,
    /// [`DatasetError::PixelAboveMax`] if one is above `max_value`.
    pub fn new(
        pixels: Vec<u8>,
        labels: Vec<u8>,
        height: usize,
        width: usize,
        max_value: u8,
    ) -> Result<Self, DatasetError> {
        let expected = height
            .checked_mul(width)
            .and_then(|size| size.checked_mul(labels.len()));
        if pixels.is_empty() || expected != Some(pixels.len()) {
            return Err(DatasetError::PixelCount {
                pixels: pixels.len(),
                labels: labels.len(),
                height,
                width,
            });
        }
        let above = |&value: &u8| value > max_value;
        // No byte is above 255, and there may be many to look at.
        let found = match max_value {
            u8::MAX => None,
            _ => pixels.iter().position(above),
        };
        if let Some(at) = found {
            return Err(DatasetError::PixelAboveMax {
                image: at / (height * width),
                value: pixels[at],
                max_value,
            });
        }
        Ok(Self {
            pixels,
            labels,
            height,
            width,
            max_value,
        })
    }

    /// Reads an image file and its label file in the IDX format of MNIST and Fashion-MNIST, plain or gzipped.
    ///
    /// Whether a file is compressed is seen from its first bytes, not from its name. The maximum value is 255.
    ///
    /// # Errors
    ///
    /// A [`DatasetError`] that names the file: unreadable, not IDX, truncated, too long, damaged, empty, or with another
    /// number of images than labels.
    ///
    /// ```no_run
    /// use modelpulse::datasets::Images;
    ///
    /// let images = Images::from_idx("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")?;
    /// assert_eq!((images.len(), images.height(), images.width()), (10_000, 28, 28));
    /// # Ok::<(), modelpulse::datasets::DatasetError>(())
    /// ```
    pub fn from_idx(
        images: impl AsRef<Path>,
        labels: impl AsRef<Path>,
    ) -> Result<Self, DatasetError> {
        let (images_path, labels_path) = (images.as_ref(), labels.as_ref());
        let images = idx::read_images(images_path)?;
        let labels = idx::read_labels(labels_path)?;
        if images.count != labels.len() {
            return Err(DatasetError::CountsDiffer {
                images_path: images_path.to_path_buf(),
                images: images.count,
                labels_path: labels_path.to_path_buf(),
                labels: labels.len(),
            });
        }
        Self::new(images.pixels, labels, images.height, images.width, u8::MAX)
    }

    /// The number of images; at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one image")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The pixels of image `index`, row-major; `None` past the last.
    #[must_use]
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.pixels
            .chunks_exact(self.height * self.width)
            .nth(index)
    }

    /// The class of image `index`; `None` past the last.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<u8> {
        self.labels.get(index).copied()
    }

    /// All pixels, image by image: [len, height, width].
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All labels, image by image.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The height of every image in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The width of every image in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The value of full ink: divide by it to scale pixels to 0..=1.
    #[must_use]
    pub fn max_value(&self) -> u8 {
        self.max_value
    }
}

/// Shape and scale, without the pixels.
impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Images")
            .field("len", &self.len())
            .field("height", &self.height)
            .field("width", &self.width)
            .field("max_value", &self.max_value)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_and_absent_images_are_refused() {
        for (pixels, labels, height, width) in [
            (vec![0; 7], vec![0; 2], 2, 2),
            (vec![0; 8], vec![0; 3], 2, 2),
            (vec![], vec![], 2, 2),
            (vec![], vec![0], 0, 2),
            (vec![0; 4], vec![0; 2], usize::MAX, 2),
        ] {
            let error = Images::new(pixels, labels, height, width, 255).unwrap_err();
            assert!(matches!(error, DatasetError::PixelCount { .. }), "{error}");
        }
    }

    #[test]
    fn pixel_above_the_maximum_is_refused_with_its_image() {
        let error = Images::new(vec![0, 16, 0, 17], vec![0, 1], 1, 2, 16).unwrap_err();
        assert_eq!(
            error.to_string(),
            "image 1 has a pixel of 17, above the stated maximum of 16"
        );
    }

    #[test]
    fn debug_output_is_short() {
        let images = Images::new(vec![0; 4], vec![0], 2, 2, 255).unwrap();
        assert_eq!(
            format!("{images:?}"),
            "Images { len: 1, height: 2, width: 2, max_value: 255, .. }"
        );
    }
}
