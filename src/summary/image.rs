//! Images: pixels, stored as PNG, or ready bytes, stored as they are.
//!
//! Stored as a string tensor `[width, height, image…]`, the first two in decimal, as TensorBoard's
//! `plugins/image/summary_v2.py` has it; all images under one tag at one step have one size.

mod error;
mod format;
mod pixels;
mod several;

use png::{BitDepth, Encoder};
use prost::bytes::Bytes;

use super::{Value, WrongKind};

pub use error::ImageError;
pub use format::ImageFormat;
pub(super) use pixels::Shape;
pub use pixels::{Compression, Level, PixelLayout};
pub use several::Images;
use several::{read, value};

/// An encoded image with its size.
///
/// ```
/// use modelpulse::summary::{Image, PixelLayout};
/// let image = Image::grey(2, 1, &[0, 255])?;
/// assert_eq!((image.width(), image.height()), (2, 1));
/// assert_eq!(image.decode()?.1, [0, 255]);
///
/// // A tensor of a network, channels first: red is on, green half, blue off.
/// let tensor = Image::from_pixels(&[1.0_f32, 0.5, 0.0], [3, 1, 1], PixelLayout::Chw)?;
/// assert_eq!(tensor.decode()?, (3, vec![255, 128, 0]));
/// // Bytes that a camera or a plotting library encoded.
/// assert_eq!(Image::from_encoded(tensor.png().clone())?, tensor);
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    encoded: Bytes,
}

impl Image {
    /// Grey pixels, one byte each, row by row.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height` bytes, [`ImageError::Empty`] if that is 0.
    pub fn grey(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::hwc(width, height, 1, pixels)
    }

    /// Grey and alpha, one byte each, pixel by pixel, row by row. An alpha of 0 is transparent.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height × 2` bytes, [`ImageError::Empty`] if that is 0.
    pub fn grey_alpha(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::hwc(width, height, 2, pixels)
    }

    /// Red, green and blue, one byte each, pixel by pixel, row by row.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height × 3` bytes, [`ImageError::Empty`] if that is 0.
    pub fn rgb(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::hwc(width, height, 3, pixels)
    }

    /// Red, green, blue and alpha, one byte each, pixel by pixel, row by row. An alpha of 0 is transparent.
    ///
    /// # Errors
    /// [`ImageError::Shape`] unless there are `width × height × 4` bytes, [`ImageError::Empty`] if that is 0.
    pub fn rgba(width: u32, height: u32, pixels: &[u8]) -> Result<Self, ImageError> {
        Self::hwc(width, height, 4, pixels)
    }

    /// Pixels of one to four channels (grey, grey and alpha, RGB, RGBA), of `u8` from 0 to 255 or of `f32`
    /// from 0 to 1, clamped. `shape` is in the order of the layout: `[height, width, channels]` or
    /// `[channels, height, width]`.
    ///
    /// # Errors
    /// [`ImageError::Channels`], [`ImageError::Shape`], [`ImageError::Empty`], [`ImageError::TooLarge`], and
    /// [`ImageError::NotFinite`] where a level is NaN or infinite.
    pub fn from_pixels<T: Level>(
        pixels: &[T],
        shape: [usize; 3],
        layout: PixelLayout,
    ) -> Result<Self, ImageError> {
        Self::from_pixels_with(pixels, shape, layout, Compression::default())
    }

    /// As [`from_pixels`](Self::from_pixels), with a choice of how hard the encoder tries.
    ///
    /// # Errors
    /// The same.
    pub fn from_pixels_with<T: Level>(
        pixels: &[T],
        shape: [usize; 3],
        layout: PixelLayout,
        compression: Compression,
    ) -> Result<Self, ImageError> {
        let shape = Shape::new(shape, layout)?;
        let bytes = shape.bytes(0, pixels, layout)?;
        Self::encode(shape, &bytes, compression)
    }

    /// Ready PNG bytes, which are kept as they are, without a copy. Only the header is looked at.
    ///
    /// # Errors
    /// [`ImageError::Unknown`] unless they begin with the header of a PNG file, [`ImageError::Empty`] if it
    /// says 0 pixels.
    pub fn from_png(bytes: impl Into<Bytes>) -> Result<Self, ImageError> {
        Self::ready(bytes.into(), "PNG", |format| format == ImageFormat::Png)
    }

    /// Ready PNG, JPEG or GIF bytes, which are kept as they are, without a copy. Only the header is looked at.
    ///
    /// TensorBoard hands all three to the browser, GIF with its motion; other formats, such as WebP, it serves as bytes
    /// of no type, which browsers do not show.
    ///
    /// # Errors
    /// [`ImageError::Unknown`] unless they begin with the header of such a file, [`ImageError::Empty`] if it
    /// says 0 pixels.
    pub fn from_encoded(bytes: impl Into<Bytes>) -> Result<Self, ImageError> {
        Self::ready(bytes.into(), "PNG, JPEG or GIF", |_| true)
    }

    fn ready(
        encoded: Bytes,
        expected: &'static str,
        accept: fn(ImageFormat) -> bool,
    ) -> Result<Self, ImageError> {
        let format = ImageFormat::of(&encoded).filter(|format| accept(*format));
        let Some((width, height)) = format.and_then(|format| format.size(&encoded)) else {
            let got = encoded.len();
            return Err(ImageError::Unknown { expected, got });
        };
        if width == 0 || height == 0 {
            return Err(ImageError::Empty { width, height });
        }
        Ok(Self {
            width,
            height,
            encoded,
        })
    }

    fn hwc(width: u32, height: u32, channels: usize, bytes: &[u8]) -> Result<Self, ImageError> {
        let shape = [height as usize, width as usize, channels];
        Self::from_pixels(bytes, shape, PixelLayout::Hwc)
    }

    /// Bytes of which the caller knows the size.
    #[cfg(feature = "media")]
    pub(super) fn raw(width: u32, height: u32, encoded: Bytes) -> Self {
        Self {
            width,
            height,
            encoded,
        }
    }

    /// `bytes` are those of the shape.
    pub(super) fn encode(
        shape: Shape,
        bytes: &[u8],
        compression: Compression,
    ) -> Result<Self, ImageError> {
        let (width, height) = (shape.width, shape.height);
        let mut encoded = Vec::new();
        let mut encoder = Encoder::new(&mut encoded, width, height);
        encoder.set_color(shape.color);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(compression.png());
        let mut writer = encoder.write_header()?;
        writer.write_image_data(bytes)?;
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

    /// The encoded bytes: PNG, unless the image was made of ready bytes of another [`format`](Self::format).
    pub fn png(&self) -> &Bytes {
        &self.encoded
    }

    /// How the image is encoded; `None` where a log holds another format.
    pub fn format(&self) -> Option<ImageFormat> {
        ImageFormat::of(&self.encoded)
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
    fn from(image: Image) -> Self {
        let (width, height) = (image.width, image.height);
        value(width, height, [image.encoded])
    }
}

impl TryFrom<&Value> for Image {
    type Error = WrongKind;

    /// The first image of the value.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let first = read(value).and_then(|mut images| images.next());
        first.ok_or_else(|| WrongKind::new("an image", value))
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
    fn every_colour_type_keeps_its_channels() {
        for channels in 1..=4 {
            let pixels: Vec<u8> = (0..6 * channels as u8).map(|i| i * 9).collect();
            let image = Image::from_pixels(&pixels, [3, 2, channels], PixelLayout::Hwc).unwrap();
            assert_eq!((image.width(), image.height()), (2, 3));
            assert_eq!(image.decode().unwrap(), (channels, pixels));
        }
    }

    #[test]
    fn both_layouts_and_both_types_make_one_image() {
        let hwc: [u8; 12] = [0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6];
        let chw: Vec<u8> = (0..3)
            .flat_map(|channel| (0..4).map(move |pixel| hwc[pixel * 3 + channel]))
            .collect();
        let floats: Vec<f32> = chw.iter().map(|&level| f32::from(level) / 255.0).collect();
        let image = Image::from_pixels(&hwc, [2, 2, 3], PixelLayout::Hwc).unwrap();
        assert_eq!(image, Image::rgb(2, 2, &hwc).unwrap());
        assert_eq!(
            image,
            Image::from_pixels(&chw, [3, 2, 2], PixelLayout::Chw).unwrap()
        );
        assert_eq!(
            image,
            Image::from_pixels(&floats, [3, 2, 2], PixelLayout::Chw).unwrap()
        );
    }

    #[test]
    fn a_level_that_is_not_finite_is_named_in_either_layout() {
        for (layout, shape, index) in [
            (PixelLayout::Hwc, [2, 3, 2], (3 + 2) * 2 + 1),
            (PixelLayout::Chw, [2, 2, 3], 6 + (3 + 2)),
        ] {
            let mut pixels = [0.5_f32; 12];
            pixels[index] = f32::INFINITY;
            let error = Image::from_pixels(&pixels, shape, layout).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the level of channel 1 at column 2, row 1 of image 0 is inf"
            );
        }
    }

    #[test]
    fn a_wrong_number_of_bytes_is_said() {
        let error = Image::grey(3, 2, &[0; 5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "an image of 3 × 2 pixels with 1 channels needs 6 samples, got 5"
        );
        assert!(matches!(
            Image::rgb(0, 2, &[]),
            Err(ImageError::Empty { .. })
        ));
    }

    #[test]
    fn shapes_that_no_image_has_are_errors() {
        let error = |shape| Image::from_pixels(&[0_u8; 8], shape, PixelLayout::Hwc).unwrap_err();
        assert!(matches!(
            error([1, 1, 8]),
            ImageError::Channels { channels: 8 }
        ));
        assert!(matches!(error([8, 1, 0]), ImageError::Channels { .. }));
        assert!(matches!(error([2, 4, 3]), ImageError::Shape { .. }));
        assert!(matches!(
            error([usize::MAX, 2, 1]),
            ImageError::TooLarge { .. }
        ));
        assert!(matches!(
            error([i32::MAX as usize, i32::MAX as usize, 4]),
            ImageError::Shape { .. } | ImageError::TooLarge { .. }
        ));
    }

    #[test]
    fn ready_bytes_are_kept_without_a_copy() {
        let bytes = Image::grey(3, 2, &[9; 6]).unwrap().png().clone();
        let image = Image::from_png(bytes.clone()).unwrap();
        assert_eq!((image.width(), image.height()), (3, 2));
        assert_eq!(image.png().as_ptr(), bytes.as_ptr());
        let gif = &b"GIF89a\x04\0\x02\0\0\0\0;"[..];
        assert_eq!(
            Image::from_encoded(gif).unwrap().format(),
            Some(ImageFormat::Gif)
        );
        let error = Image::from_png(gif).unwrap_err().to_string();
        assert!(error.starts_with("no PNG image: the 14 bytes"), "{error}");
        assert!(Image::from_encoded(gif).unwrap().decode().is_err());
        assert!(matches!(
            Image::from_encoded(&b"GIF89a\0\0\x02\0"[..]),
            Err(ImageError::Empty { .. })
        ));
    }
}
