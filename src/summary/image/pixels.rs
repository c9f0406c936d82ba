//! Pixels as they lie in memory, and how they become rows of interleaved bytes.
//!
//! A level that is not finite never becomes a colour: it is an error that says where it is.

use std::borrow::Cow;

use png::ColorType;

use super::ImageError;

/// In what order the samples of an image lie.
///
/// ```
/// use modelpulse::summary::{Image, PixelLayout};
/// let by_pixel = Image::from_pixels(&[1_u8, 2, 3, 4, 5, 6], [1, 2, 3], PixelLayout::Hwc)?;
/// let by_channel = Image::from_pixels(&[1_u8, 4, 2, 5, 3, 6], [3, 1, 2], PixelLayout::Chw)?;
/// assert_eq!(by_pixel, by_channel);
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelLayout {
    /// height × width × channels, as files and TensorFlow have it.
    Hwc,
    /// channels × height × width, as candle and PyTorch have it.
    Chw,
}

/// How hard the PNG encoder tries. The pixels are the same.
///
/// A photograph of 1,024 × 768 pixels took 140 ms and 593 kB balanced, 7 ms and 673 kB fast; a confusion matrix on
/// as many pixels 11 ms and 16 kB balanced, 1 ms and 41 kB fast (one core of a shared x86-64 server, release build). One
/// of 626 × 588 pixels took 0.5 ms and 30 kB fast, 0.3 ms and 65 kB fastest; a ROC curve 0.4 ms and 21 kB fast, 0.1 ms and
/// 47 kB fastest.
///
/// ```
/// use modelpulse::summary::{Compression, Image, PixelLayout};
/// let (grey, shape) = ([0.0_f32, 0.5, 1.0, 2.0], [2, 2, 1]);
/// let image = Image::from_pixels_with(&grey, shape, PixelLayout::Hwc, Compression::Fast)?;
/// assert_eq!(image.decode()?.1, [0, 128, 255, 255]);
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// For what is drawn: charts, matrices, digits.
    #[default]
    Balanced,
    /// For photographs and noise, which hardly shrink however hard one tries.
    Fast,
    /// For what is drawn while something else is to have the processor: rows are stored by how they differ from the one
    /// above, without a look at other ways.
    Fastest,
}

impl Compression {
    pub(super) fn png(self) -> png::Compression {
        match self {
            Self::Balanced => png::Compression::Balanced,
            Self::Fast => png::Compression::Fast,
            Self::Fastest => png::Compression::Fastest,
        }
    }
}

/// A sample of a pixel: `u8` from 0 to 255, or `f32` from 0 to 1.
///
/// An `f32` is clamped to 0..=1, multiplied by 255 and rounded, as it has to become 8 bits.
pub trait Level: Copy + sealed::Levels {}

impl Level for u8 {}
impl Level for f32 {}

pub(crate) mod sealed {
    use std::borrow::Cow;

    pub trait Levels: Sized {
        /// The samples as bytes, or the index and the value of the first that is not finite.
        fn levels(samples: &[Self]) -> Result<Cow<'_, [u8]>, (usize, f32)>;
    }

    impl Levels for u8 {
        fn levels(samples: &[Self]) -> Result<Cow<'_, [Self]>, (usize, f32)> {
            Ok(Cow::Borrowed(samples))
        }
    }

    impl Levels for f32 {
        fn levels(samples: &[Self]) -> Result<Cow<'_, [u8]>, (usize, f32)> {
            let mut finite = true;
            let level = |&sample: &Self| {
                finite &= sample.is_finite();
                (sample.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
            };
            let levels = samples.iter().map(level).collect();
            if !finite {
                let mut numbered = samples.iter().copied().enumerate();
                if let Some(bad) = numbered.find(|(_, sample)| !sample.is_finite()) {
                    return Err(bad);
                }
            }
            Ok(Cow::Owned(levels))
        }
    }
}

/// A shape that an image can have: neither empty nor of odd channels.
#[derive(Debug, Clone, Copy)]
pub(in crate::summary) struct Shape {
    pub(in crate::summary) width: u32,
    pub(in crate::summary) height: u32,
    pub(in crate::summary) channels: usize,
    pub(super) color: ColorType,
}

impl Shape {
    pub(in crate::summary) fn new(
        shape: [usize; 3],
        layout: PixelLayout,
    ) -> Result<Self, ImageError> {
        let (height, width, channels) = match (layout, shape) {
            (PixelLayout::Hwc, [height, width, channels]) => (height, width, channels),
            (PixelLayout::Chw, [channels, height, width]) => (height, width, channels),
        };
        let color = match channels {
            1 => ColorType::Grayscale,
            2 => ColorType::GrayscaleAlpha,
            3 => ColorType::Rgb,
            4 => ColorType::Rgba,
            _ => return Err(ImageError::Channels { channels }),
        };
        // The largest side that a PNG file can say.
        let side = |size: usize| u32::try_from(size).ok().filter(|&size| size < 1 << 31);
        let (Some(wide), Some(high)) = (side(width), side(height)) else {
            return Err(ImageError::TooLarge { width, height });
        };
        if width.checked_mul(height).is_none_or(|n| n > usize::MAX / 4) {
            return Err(ImageError::TooLarge { width, height });
        }
        let (width, height) = (wide, high);
        if width == 0 || height == 0 {
            return Err(ImageError::Empty { width, height });
        }
        Ok(Self {
            width,
            height,
            channels,
            color,
        })
    }

    pub(in crate::summary) fn len(self) -> usize {
        self.width as usize * self.height as usize * self.channels
    }

    /// The pixels as interleaved bytes; `image` is the number to say in errors.
    pub(in crate::summary) fn bytes<T: Level>(
        self,
        image: usize,
        pixels: &[T],
        layout: PixelLayout,
    ) -> Result<Cow<'_, [u8]>, ImageError> {
        let Self {
            width,
            height,
            channels,
            color: _,
        } = self;
        if pixels.len() != self.len() {
            return Err(ImageError::Shape {
                width,
                height,
                channels,
                expected: self.len(),
                got: pixels.len(),
            });
        }
        interleaved(pixels, channels, layout).map_err(|(index, value)| {
            let (pixel, channel) = match layout {
                PixelLayout::Hwc => (index / channels, index % channels),
                PixelLayout::Chw => {
                    let plane = self.len() / channels;
                    (index % plane, index / plane)
                }
            };
            ImageError::NotFinite {
                image,
                x: pixel % width as usize,
                y: pixel / width as usize,
                channel,
                value,
            }
        })
    }
}

/// The bytes of one image pixel by pixel; they are not copied if they lie so already.
fn interleaved<T: Level>(
    samples: &[T],
    channels: usize,
    layout: PixelLayout,
) -> Result<Cow<'_, [u8]>, (usize, f32)> {
    let levels = T::levels(samples)?;
    let plane = levels.len() / channels.max(1);
    if layout == PixelLayout::Hwc || channels < 2 || plane == 0 {
        return Ok(levels);
    }
    let mut bytes = vec![0; levels.len()];
    for (channel, plane) in levels.chunks_exact(plane).enumerate() {
        let places = bytes.iter_mut().skip(channel).step_by(channels);
        for (place, &level) in places.zip(plane) {
            *place = level;
        }
    }
    Ok(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_clamped_and_rounded() {
        let samples = [-1.0_f32, 0.0, 0.25, 0.5, 0.998, 1.0, 1e30];
        let bytes = interleaved(&samples, 1, PixelLayout::Hwc).unwrap();
        assert_eq!(bytes[..], [0, 0, 64, 128, 254, 255, 255]);
    }

    #[test]
    fn the_first_level_that_is_not_finite_is_named() {
        let samples = [0.0, 1.0, f32::NEG_INFINITY, f32::NAN];
        let error = interleaved(&samples, 2, PixelLayout::Chw).unwrap_err();
        assert_eq!(error, (2, f32::NEG_INFINITY));
    }

    #[test]
    fn bytes_in_their_place_are_not_copied() {
        let is_borrowed = |layout, channels| {
            matches!(
                interleaved(&[1_u8, 2, 3, 4], channels, layout),
                Ok(Cow::Borrowed(_))
            )
        };
        assert!(is_borrowed(PixelLayout::Hwc, 4) && is_borrowed(PixelLayout::Chw, 1));
        assert!(!is_borrowed(PixelLayout::Chw, 2));
    }
}
