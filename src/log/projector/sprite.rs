//! The pictures of all points, in one picture.
//!
//! They stand row by row in a square, as many across as down, the last places blank: the page takes
//! the number of columns from the width, and is used to squares.

use prost::bytes::Bytes;

use super::error::{EmbeddingError, SPRITE_LIMIT};
use crate::summary::{Image, ImageError};

/// Pictures of all points, in one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sprite {
    pub(super) png: Bytes,
    /// Width and height of each picture, in pixels.
    pub(super) size: [u32; 2],
}

impl Sprite {
    pub(super) fn grey(
        points: usize,
        width: u32,
        height: u32,
        pixels: &[u8],
    ) -> Result<Self, EmbeddingError> {
        Self::new::<1>(points, width, height, pixels, Image::grey)
    }

    pub(super) fn rgb(
        points: usize,
        width: u32,
        height: u32,
        pixels: &[u8],
    ) -> Result<Self, EmbeddingError> {
        Self::new::<3>(points, width, height, pixels, Image::rgb)
    }

    fn new<const CHANNELS: usize>(
        points: usize,
        width: u32,
        height: u32,
        pixels: &[u8],
        encode: impl FnOnce(u32, u32, &[u8]) -> Result<Image, ImageError>,
    ) -> Result<Self, EmbeddingError> {
        let side = u32::try_from(points).map_or(u32::MAX, |points| {
            points.isqrt() + u32::from(points.isqrt().pow(2) < points)
        });
        let [across, down] = [width, height].map(|size| side.saturating_mul(size));
        if across > SPRITE_LIMIT || down > SPRITE_LIMIT {
            return Err(EmbeddingError::Sprite {
                points,
                width,
                height,
            });
        }
        let row = width as usize * CHANNELS;
        let expected = points * row * height as usize;
        if pixels.len() != expected || expected == 0 {
            return Err(EmbeddingError::Thumbnails {
                points,
                width,
                height,
                channels: CHANNELS,
                expected,
                got: pixels.len(),
            });
        }
        let (side, stride) = (side as usize, across as usize * CHANNELS);
        let mut sprite = vec![0; stride * down as usize];
        for (index, line) in pixels.chunks_exact(row).enumerate() {
            let (point, line_of) = (index / height as usize, index % height as usize);
            let y = point / side * height as usize + line_of;
            let start = y * stride + point % side * row;
            sprite[start..start + row].copy_from_slice(line);
        }
        Ok(Self {
            png: encode(across, down, &sprite)?.png().clone(),
            size: [width, height],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(sprite: Sprite) -> (usize, Vec<u8>) {
        Image::from_png(sprite.png).unwrap().decode().unwrap()
    }

    #[test]
    fn thumbnails_fill_a_square_row_by_row() {
        let three = Sprite::grey(3, 2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(decoded(three), (1, vec![1, 2, 3, 4, 5, 6, 0, 0]));
        let two = Sprite::grey(2, 1, 2, &[1, 2, 3, 4]).unwrap();
        assert_eq!(two.size, [1, 2]);
        assert_eq!(decoded(two), (1, vec![1, 3, 2, 4, 0, 0, 0, 0]));
        let one = Sprite::rgb(1, 1, 2, &[9; 6]).unwrap();
        assert_eq!(decoded(one), (3, vec![9; 6]));
        let five = Sprite::grey(5, 1, 1, &[7; 5]).unwrap();
        assert_eq!(decoded(five).1.len(), 9);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let error = Sprite::rgb(2, 2, 2, &[0; 23]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2 pictures of 2 × 2 pixels with 3 channels need 24 bytes, got 23"
        );
        let error = Sprite::grey(2, 0, 1, &[]).unwrap_err();
        assert!(matches!(error, EmbeddingError::Thumbnails { .. }));
        let error = Sprite::grey(101, 800, 1, &[]).unwrap_err();
        assert!(matches!(error, EmbeddingError::Sprite { .. }));
    }
}
