//! Why there is no image.
//!
//! Every variant says what was given and, where it is of use, what would do.

/// Why there is no image.
///
/// ```
/// use modelpulse::summary::{Image, PixelLayout};
/// let error = Image::from_pixels(&[0.5, f32::NAN], [1, 2, 1], PixelLayout::Hwc).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the level of channel 0 at column 1, row 0 of image 0 is NaN"
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The number of samples is not width × height × channels.
    #[error(
        "an image of {width} × {height} pixels with {channels} channels needs {expected} samples, got {got}"
    )]
    Shape {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Samples a pixel.
        channels: usize,
        /// Samples that the shape needs.
        expected: usize,
        /// Samples given.
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
    /// An image of more pixels than can be written.
    #[error("an image of {width} × {height} pixels is too large")]
    TooLarge {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// There is no colour type of so many channels.
    #[error(
        "{channels} channels: an image has 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA); \
         is the layout height × width × channels or channels × height × width?"
    )]
    Channels {
        /// Samples a pixel.
        channels: usize,
    },
    /// A level is NaN or infinite, which is no brightness.
    #[error("the level of channel {channel} at column {x}, row {y} of image {image} is {value}")]
    NotFinite {
        /// The image, counted from 0; 0 where there is only one.
        image: usize,
        /// The column, counted from 0 at the left.
        x: usize,
        /// The row, counted from 0 at the top.
        y: usize,
        /// The channel, counted from 0.
        channel: usize,
        /// The level.
        value: f32,
    },
    /// The bytes are not an image in one of the formats that the call takes.
    #[error("no {expected} image: the {got} bytes do not begin with the header of one")]
    Unknown {
        /// The formats that would do.
        expected: &'static str,
        /// Bytes given.
        got: usize,
    },
    /// No images, where at least one is needed.
    #[error("there are no images")]
    None,
    /// The images of one value differ in size.
    #[error("image {image} has {got:?} pixels, the first has {expected:?}: one tag takes one size")]
    Sizes {
        /// The image, counted from 0.
        image: usize,
        /// Width and height of the first image.
        expected: (u32, u32),
        /// Width and height of this one.
        got: (u32, u32),
    },
    /// The encoder refused.
    #[error("cannot encode the image as PNG")]
    Encode(#[from] png::EncodingError),
    /// The decoder refused.
    #[error("cannot decode the image as PNG")]
    Decode(#[from] png::DecodingError),
}
