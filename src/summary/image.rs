//! Images: pixels, stored as PNG.
//!
//! Stored as a string tensor `[width, height, png…]`, the first two in decimal.

use png::{BitDepth, ColorType, Compression, Encoder};
use prost::bytes::Bytes;

use super::{Tensor, Value, WrongKind, metadata, strings};
use crate::proto::{DataClass, DataType};

/// An encoded image with its size.
///
/// ```
/// use modelpulse::summary::Image;
/// let image = Image::grey(2, 1, &[0, 255])?;
/// assert_eq!((image.width(), image.height()), (2, 1));
/// assert_eq!(image.decode()?.1, [0, 255]);
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    encoded: Bytes,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The number of bytes is not width × height × channels.
    #[error(
        "an image of {width} × {height} pixels with {channels} channels needs {expected} bytes, got {got}"
    )]
    Shape {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes a pixel.
        channels: usize,
        /// Bytes that the shape needs.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// An image without pixels.
    #[error("an image of {width} × {height} pixels is empty")]
    Empty {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The encoder refused.
    #[error("cannot encode the image as PNG")]
    Encode(#[from] png::EncodingError),
    /// The decoder refused.
    #[error("cannot decode the image as PNG")]
    Decode(#[from] png::DecodingError),
}

impl Image {
    /// Grey pixels, one byte each, row by row.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height` bytes, [`ImageError::Empty`] if that is 0.
    pub fn grey(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::encode(width, height, pixels, ColorType::Grayscale)
    }

    /// Red, green and blue, one byte each, pixel by pixel, row by row.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height × 3` bytes, [`ImageError::Empty`] if that is 0.
    pub fn rgb(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::encode(width, height, pixels, ColorType::Rgb)
    }

    fn encode(
        width: u32,
        height: u32,
        pixels: &[u8],
        color: ColorType,
    ) -> Result<Self, ImageError> {
        let channels = color.samples();
        let expected = (width as usize)
            .saturating_mul(height as usize)
            .saturating_mul(channels);
        if expected == 0 {
            return Err(ImageError::Empty { width, height });
        }
        if pixels.len() != expected {
            return Err(ImageError::Shape {
                width,
                height,
                channels,
                expected,
                got: pixels.len(),
            });
        }
        let mut encoded = Vec::new();
        let mut encoder = Encoder::new(&mut encoded, width, height);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        writer.finish()?;
        Ok(Self {
            width,
            height,
            encoded: encoded.into(),
        })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The encoded bytes.
    pub fn png(&self) -> &Bytes {
        &self.encoded
    }

    /// Bytes a pixel, and the pixels row by row, at eight bits a sample.
    ///
    /// # Errors
    /// [`ImageError::Decode`] where the bytes are no PNG.
    pub fn decode(&self) -> Result<(usize, Vec<u8>), ImageError> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&self.encoded));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let size = reader
            .output_buffer_size()
            .ok_or(png::DecodingError::LimitsExceeded)?;
        let mut pixels = vec![0; size];
        let frame = reader.next_frame(&mut pixels)?;
        pixels.truncate(frame.buffer_size());
        Ok((frame.color_type.samples(), pixels))
    }
}

impl From<Image> for Value {
    fn from(
        Image {
            width,
            height,
            encoded,
        }: Image,
    ) -> Self {
        let decimal = |size: u32| Bytes::from(size.to_string());
        let tensor = strings(&[3], vec![decimal(width), decimal(height), encoded]);
        Tensor {
            metadata: metadata("images", DataClass::BlobSequence, Bytes::new()),
            tensor,
        }
        .into()
    }
}

impl TryFrom<&Value> for Image {
    type Error = WrongKind;

    /// The first image of the value.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let read = || {
            let Value::Tensor(tensor) = value else {
                return None;
            };
            if tensor.plugin() != "images" || tensor.tensor.dtype() != DataType::DtString {
                return None;
            }
            let [width, height, encoded, ..] = &tensor.tensor.string_val[..] else {
                return None;
            };
            let size = |text: &Bytes| std::str::from_utf8(text).ok()?.parse().ok();
            Some(Self {
                width: size(width)?,
                height: size(height)?,
                encoded: encoded.clone(),
            })
        };
        read().ok_or_else(|| WrongKind::new("an image", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back_through_the_wire() {
        let pixels: Vec<u8> = (0..5 * 4 * 3).map(|i| (i * 7) as u8).collect();
        let image = Image::rgb(5, 4, &pixels).unwrap();
        let back = Image::try_from(&Value::from(image)).unwrap();
        assert_eq!(back.decode().unwrap(), (3, pixels));
    }

    #[test]
    fn a_wrong_number_of_bytes_is_said() {
        let error = Image::grey(3, 2, &[0; 5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "an image of 3 × 2 pixels with 1 channels needs 6 bytes, got 5"
        );
        assert!(matches!(
            Image::rgb(0, 2, &[]),
            Err(ImageError::Empty { .. })
        ));
    }
}
