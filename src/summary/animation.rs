//! Animations: frames, stored as a GIF among the images.
//!
//! TensorBoard's image pages hand the file to the browser with its own content type, so it plays there, for ever. The
//! format is that of GIF89a, with the loop extension of Netscape; it has 256 colours a frame.

use gif::{Encoder, Frame, Repeat};
use prost::bytes::Bytes;

use super::{Image, ImageFormat, Value, WrongKind};

/// How coarsely colours are chosen where a frame has more than 256: from 1, the slowest, to 30.
const COARSENESS: i32 = 10;

/// A moving picture without sound, which plays for ever.
///
/// ```
/// use modelpulse::summary::{Animation, Image, Value};
/// // A dot that wanders through 8 × 1 pixels, four steps a second.
/// let frames: Vec<Vec<u8>> = (0..8)
///     .map(|at| (0..8).flat_map(|x| [255 * u8::from(x == at), 0, 0]).collect())
///     .collect();
/// let animation = Animation::rgb(8, 1, 4.0, &frames)?;
/// assert!(animation.gif().starts_with(b"GIF89a"));
/// let value = Value::from(animation.clone());
/// assert_eq!(value.plugin(), "images");
/// assert_eq!(Animation::try_from(&value)?, animation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Animation(Image);

/// Why there is no animation.
///
/// ```
/// use modelpulse::summary::Animation;
/// let error = Animation::rgb(2, 1, 10.0, &[[0; 6].as_slice(), &[0; 5]]).unwrap_err();
/// assert_eq!(error.to_string(), "frame 1 of 2 × 1 RGB pixels needs 6 bytes, got 5");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnimationError {
    /// No frames.
    #[error("there are no frames")]
    NoFrames,
    /// The number of bytes of a frame is not width × height × 3.
    #[error("frame {frame} of {width} × {height} RGB pixels needs {expected} bytes, got {got}")]
    Shape {
        /// The frame, counted from 0.
        frame: usize,
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes that the shape needs.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// No pixels, or a side of more than a GIF file can say.
    #[error("an animation has sides of 1 to 65535 pixels, not {width} × {height}")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// More frames a second than browsers show, or fewer than a GIF file can say.
    #[error("an animation plays at 0.01 to 50 frames a second, not {frames_per_second}")]
    FrameRate {
        /// Frames a second.
        frames_per_second: f64,
    },
    /// The encoder refused.
    #[error("cannot encode the animation as GIF")]
    Encode(#[from] gif::EncodingError),
}

impl Animation {
    /// Frames of red, green and blue, one byte each, pixel by pixel, row by row, all `width × height`; at 0.01 to 50
    /// frames a second, which is as fast as browsers go.
    ///
    /// A frame of up to 256 colours is shown exactly; of more, the 256 that fit it best are chosen. Of each frame only
    /// the rectangle that changed is stored. The file's clock ticks in 10 ms, and the frames' times are rounded so
    /// that the whole keeps its pace.
    ///
    /// # Errors
    /// [`AnimationError::NoFrames`], [`AnimationError::Size`], [`AnimationError::Shape`],
    /// [`AnimationError::FrameRate`].
    pub fn rgb<F: AsRef<[u8]>>(
        width: u32,
        height: u32,
        frames_per_second: f64,
        frames: impl IntoIterator<Item = F>,
    ) -> Result<Self, AnimationError> {
        let side = |size| u16::try_from(size).ok().filter(|&size| size > 0);
        let (Some(wide), Some(high)) = (side(width), side(height)) else {
            return Err(AnimationError::Size { width, height });
        };
        if !(0.01..=50.0).contains(&frames_per_second) {
            return Err(AnimationError::FrameRate { frames_per_second });
        }
        let expected = usize::from(wide) * usize::from(high) * 3;
        // In 1/100 of a second, at the end of so many frames.
        let ticks = |frames: usize| (frames as f64 * 100.0 / frames_per_second).round();

        let mut encoder = Encoder::new(Vec::new(), wide, high, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        let mut before: Option<F> = None;
        for (number, pixels) in frames.into_iter().enumerate() {
            let got = pixels.as_ref().len();
            if got != expected {
                return Err(AnimationError::Shape {
                    frame: number,
                    width,
                    height,
                    expected,
                    got,
                });
            }
            let part = match &before {
                Some(before) => Part::changed(wide, before.as_ref(), pixels.as_ref()),
                None => Part {
                    left: 0,
                    top: 0,
                    width: wide,
                    height: high,
                },
            };
            let colours = part.cut(wide, pixels.as_ref());
            let frame = Frame {
                delay: (ticks(number + 1) - ticks(number)) as u16,
                left: part.left,
                top: part.top,
                ..Frame::from_rgb_speed(part.width, part.height, &colours, COARSENESS)
            };
            encoder.write_frame(&frame)?;
            before = Some(pixels);
        }
        if before.is_none() {
            return Err(AnimationError::NoFrames);
        }
        let bytes = encoder.into_inner()?;
        Ok(Self(Image::raw(width, height, bytes.into())))
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// The bytes of the GIF file.
    pub fn gif(&self) -> &Bytes {
        self.0.png()
    }
}

/// A part of a frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    left: u16,
    top: u16,
    width: u16,
    height: u16,
}

impl Part {
    /// The least part that holds every pixel that differs; one pixel where none does, as no frame may be empty.
    fn changed(width: u16, before: &[u8], now: &[u8]) -> Self {
        let (mut left, mut right, mut top, mut bottom) = (u16::MAX, 0, u16::MAX, 0);
        let pixels = before.chunks_exact(3).zip(now.chunks_exact(3));
        for (index, (before, now)) in pixels.enumerate() {
            if before != now {
                // Below the sides, which are of 16 bits.
                let x = (index % usize::from(width)) as u16;
                let y = (index / usize::from(width)) as u16;
                (left, right) = (left.min(x), right.max(x));
                (top, bottom) = (top.min(y), bottom.max(y));
            }
        }
        let (left, top) = (left.min(right), top.min(bottom));
        Self {
            left,
            top,
            width: right - left + 1,
            height: bottom - top + 1,
        }
    }

    /// The pixels of this part of a frame of `width`.
    fn cut(self, width: u16, pixels: &[u8]) -> Vec<u8> {
        let left = 3 * usize::from(self.left);
        let row = left..left + 3 * usize::from(self.width);
        pixels
            .chunks_exact(3 * usize::from(width))
            .skip(self.top.into())
            .take(self.height.into())
            .filter_map(|line| line.get(row.clone()))
            .flatten()
            .copied()
            .collect()
    }
}

impl From<Animation> for Image {
    fn from(Animation(image): Animation) -> Self {
        image
    }
}

impl From<Animation> for Value {
    fn from(Animation(image): Animation) -> Self {
        image.into()
    }
}

impl TryFrom<&Value> for Animation {
    type Error = WrongKind;

    /// The first image of the value, if it is a GIF.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        Image::try_from(value)
            .ok()
            .filter(|image| image.format() == Some(ImageFormat::Gif))
            .map(Self)
            .ok_or_else(|| WrongKind::new("an animation", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The delay of every frame in 10 ms, its part, and all pixels after it.
    fn played(animation: &Animation) -> Vec<(u16, Part, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(&animation.gif()[..]).unwrap();
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        let width = decoder.width();
        let mut screen = vec![0; 3 * usize::from(width) * usize::from(decoder.height())];
        let mut all = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let part = Part {
                left: frame.left,
                top: frame.top,
                width: frame.width,
                height: frame.height,
            };
            for (index, pixel) in frame.buffer.chunks_exact(4).enumerate() {
                let x = usize::from(part.left) + index % usize::from(part.width);
                let y = usize::from(part.top) + index / usize::from(part.width);
                let at = 3 * (y * usize::from(width) + x);
                screen[at..at + 3].copy_from_slice(&pixel[..3]);
            }
            all.push((frame.delay, part, screen.clone()));
        }
        all
    }

    #[test]
    fn frames_of_few_colours_come_back_exactly() {
        let frames: Vec<Vec<u8>> = (0..5_u8)
            .map(|number| (0..4 * 3 * 3).map(|i| i / 3 * 10 * (number / 2)).collect())
            .collect();
        let animation = Animation::rgb(4, 3, 10.0, &frames).unwrap();
        let played = played(&animation);
        let screens: Vec<_> = played.iter().map(|(_, _, screen)| screen.clone()).collect();
        assert_eq!(screens, frames);
        assert!(played.iter().all(|(delay, ..)| *delay == 10));
    }

    #[test]
    fn only_what_changed_is_stored() {
        let mut frames = vec![[0; 5 * 4 * 3]; 3];
        frames[1][3 * (5 + 2)] = 9;
        frames[1][3 * (2 * 5 + 4)] = 9;
        frames[2] = frames[1];
        let played = played(&Animation::rgb(5, 4, 1.0, &frames).unwrap());
        let parts: Vec<_> = played
            .iter()
            .map(|(_, part, _)| (part.left, part.top, part.width, part.height))
            .collect();
        assert_eq!(parts, [(0, 0, 5, 4), (2, 1, 3, 2), (0, 0, 1, 1)]);
        assert_eq!(played[2].2, frames[2]);
    }

    #[test]
    fn the_whole_keeps_its_pace() {
        let animation = Animation::rgb(1, 1, 30.0, vec![[0; 3]; 30]).unwrap();
        let delays: Vec<u16> = played(&animation).iter().map(|it| it.0).collect();
        assert_eq!(delays[..4], [3, 4, 3, 3]);
        assert_eq!(delays.iter().sum::<u16>(), 100);
    }

    #[test]
    fn many_colours_are_approached() {
        let frame: Vec<u8> = (0..64 * 64_u32)
            .flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 4) as u8, 128])
            .collect();
        let screen = &played(&Animation::rgb(64, 64, 10.0, [&frame]).unwrap())[0].2;
        let errors = frame
            .iter()
            .zip(screen)
            .map(|(a, b)| u32::from(a.abs_diff(*b)));
        assert!(errors.sum::<u32>() < 8 * frame.len() as u32);
    }

    #[test]
    fn what_cannot_play_is_an_error() {
        let error = |width, rate, frames: &[[u8; 3]]| {
            let animation = Animation::rgb(width, 1, rate, frames);
            animation.unwrap_err().to_string()
        };
        let frame = [[0; 3]];
        assert_eq!(error(1, 10.0, &[]), "there are no frames");
        assert_eq!(
            error(2, 10.0, &frame),
            "frame 0 of 2 × 1 RGB pixels needs 6 bytes, got 3"
        );
        assert_eq!(
            error(0, 10.0, &frame),
            "an animation has sides of 1 to 65535 pixels, not 0 × 1"
        );
        for rate in [0.0, 50.1, -1.0, f64::NAN, f64::INFINITY] {
            assert!(error(1, rate, &frame).contains("frames a second, not"));
        }
        assert!(Animation::try_from(&Value::from(Image::grey(1, 1, &[0]).unwrap())).is_err());
    }
}
