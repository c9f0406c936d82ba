//! A grid of equal images in one image: a batch, or the channels of a layer, at a glance.
//!
//! Pixels are copied, never scaled, so what is seen is what was given.

use super::image::{Compression, Image, ImageError, Level, PixelLayout, Shape};

/// The most samples of a grid: more would only be a slip of a size.
const LIMIT: usize = i32::MAX as usize;

/// How a batch of images is laid out as one image: row by row from the top left, with padding around each.
///
/// The defaults are those of torchvision's `make_grid`: 8 columns, 2 pixels of black padding.
///
/// ```
/// use modelpulse::summary::{ImageGrid, PixelLayout};
/// // Five digits of 8 × 8 pixels.
/// let digits = vec![0.5_f32; 5 * 8 * 8];
/// let grid = ImageGrid::new().columns(3).padding(1).background(255);
/// let image = grid.draw(&digits, [5, 1, 8, 8], PixelLayout::Chw)?;
/// assert_eq!((image.width(), image.height()), (3 * 9 + 1, 2 * 9 + 1));
/// # Ok::<(), modelpulse::summary::ImageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ImageGrid {
    columns: usize,
    padding: usize,
    background: u8,
    compression: Compression,
}

impl Default for ImageGrid {
    fn default() -> Self {
        Self {
            columns: 8,
            padding: 2,
            background: 0,
            compression: Compression::default(),
        }
    }
}

impl ImageGrid {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many images stand in a row, at least 1; fewer images make a narrower grid. Default: 8.
    pub fn columns(mut self, columns: usize) -> Self {
        self.columns = columns.max(1);
        self
    }

    /// Pixels between images and around all of them. Default: 2.
    pub fn padding(mut self, pixels: usize) -> Self {
        self.padding = pixels;
        self
    }

    /// The grey of the padding and of places without an image, from 0 (black, the default) to 255 (white). It is
    /// opaque where the images have an alpha channel.
    pub fn background(mut self, level: u8) -> Self {
        self.background = level;
        self
    }

    /// How hard the encoder tries. Default: balanced.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Draws a batch of images of one to four channels (grey, grey and alpha, RGB, RGBA), of `u8` from 0 to 255 or
    /// of `f32` from 0 to 1, clamped. `shape` is in the order of the layout: `[images, height, width, channels]` or
    /// `[images, channels, height, width]`.
    ///
    /// A layer of more channels is a batch of grey images: `[channels, 1, height, width]`.
    ///
    /// # Errors
    /// [`ImageError::None`] of 0 images, [`ImageError::Channels`], [`ImageError::Shape`] with the number of samples
    /// of all images, [`ImageError::Empty`], [`ImageError::TooLarge`] of the whole grid, and
    /// [`ImageError::NotFinite`] where a level is NaN or infinite.
    pub fn draw<T: Level>(
        &self,
        pixels: &[T],
        shape: [usize; 4],
        layout: PixelLayout,
    ) -> Result<Image, ImageError> {
        let [images, rest @ ..] = shape;
        if images == 0 {
            return Err(ImageError::None);
        }
        let tile = Shape::new(rest, layout)?;
        if tile.len().checked_mul(images) != Some(pixels.len()) {
            return Err(ImageError::Shape {
                width: tile.width,
                height: tile.height,
                channels: tile.channels,
                expected: tile.len().saturating_mul(images),
                got: pixels.len(),
            });
        }
        let columns = self.columns.min(images);
        let pitch = |size: u32| self.padding.saturating_add(size as usize);
        let side = |size, count: usize| {
            count
                .saturating_mul(pitch(size))
                .saturating_add(self.padding)
        };
        let height = side(tile.height, images.div_ceil(columns));
        let width = side(tile.width, columns);
        let whole = Shape::new([height, width, tile.channels], PixelLayout::Hwc)?;
        if whole.len() > LIMIT {
            return Err(ImageError::TooLarge { width, height });
        }

        let mut bytes = self.blank(whole);
        let line = width * tile.channels;
        for (number, image) in pixels.chunks_exact(tile.len()).enumerate() {
            let image = tile.bytes(number, image, layout)?;
            let top = self.padding + number / columns * pitch(tile.height);
            let left = self.padding + number % columns * pitch(tile.width);
            let start = top * line + left * tile.channels;
            let rows = image.chunks_exact(tile.width as usize * tile.channels);
            for (place, row) in bytes[start..].chunks_mut(line).zip(rows) {
                place[..row.len()].copy_from_slice(row);
            }
        }
        Image::encode(whole, &bytes, self.compression)
    }

    fn blank(&self, shape: Shape) -> Vec<u8> {
        match shape.channels {
            2 => [self.background, 255].repeat(shape.len() / 2),
            4 => [self.background, self.background, self.background, 255].repeat(shape.len() / 4),
            _ => vec![self.background; shape.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(grid: &ImageGrid, pixels: &[u8], shape: [usize; 4]) -> (u32, Vec<u8>) {
        let image = grid.draw(pixels, shape, PixelLayout::Hwc).unwrap();
        (image.width(), image.decode().unwrap().1)
    }

    #[test]
    fn images_fill_rows_with_padding_around_each() {
        let grid = ImageGrid::new().columns(2).padding(1).background(9);
        let (width, pixels) = drawn(&grid, &[1, 2, 3, 4, 5, 6], [3, 1, 2, 1]);
        assert_eq!(width, 7);
        let rows = [
            [9, 9, 9, 9, 9, 9, 9],
            [9, 1, 2, 9, 3, 4, 9],
            [9, 9, 9, 9, 9, 9, 9],
            [9, 5, 6, 9, 9, 9, 9],
            [9, 9, 9, 9, 9, 9, 9],
        ];
        assert_eq!(pixels, rows.concat());
    }

    #[test]
    fn padding_is_opaque_where_images_are_transparent() {
        let grid = ImageGrid::new().padding(1).background(7);
        let (_, pixels) = drawn(&grid, &[1, 2, 3, 0], [1, 1, 1, 4]);
        assert_eq!(pixels[..4], [7, 7, 7, 255]);
        assert_eq!(pixels[16..20], [1, 2, 3, 0]);
        let (_, pixels) = drawn(&grid, &[1, 0], [1, 1, 1, 2]);
        assert_eq!(pixels[..10], [7, 255, 7, 255, 7, 255, 7, 255, 1, 0]);
    }

    #[test]
    fn both_layouts_make_one_grid() {
        let hwc: Vec<u8> = (0..2 * 2 * 3 * 3).collect();
        let at = |image: usize, channel, pixel| hwc[(image * 6 + pixel) * 3 + channel];
        let chw: Vec<u8> = (0..36)
            .map(|index| at(index / 18, index / 6 % 3, index % 6))
            .collect();
        let grid = ImageGrid::new();
        assert_eq!(
            grid.draw(&hwc, [2, 2, 3, 3], PixelLayout::Hwc).unwrap(),
            grid.draw(&chw, [2, 3, 2, 3], PixelLayout::Chw).unwrap()
        );
    }

    #[test]
    fn without_padding_images_touch() {
        let grid = ImageGrid::new().columns(usize::MAX).padding(0);
        assert_eq!(drawn(&grid, &[1, 2, 3], [3, 1, 1, 1]), (3, vec![1, 2, 3]));
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let grid = ImageGrid::new();
        let error = |pixels: &[f32], shape| {
            let drawn = grid.draw(pixels, shape, PixelLayout::Chw);
            drawn.unwrap_err().to_string()
        };
        assert_eq!(error(&[], [0, 1, 2, 2]), "there are no images");
        assert_eq!(
            error(&[0.0; 7], [2, 1, 2, 2]),
            "an image of 2 × 2 pixels with 1 channels needs 8 samples, got 7"
        );
        assert_eq!(
            error(&[0.0, 0.0, f32::NAN, 0.0], [2, 1, 2, 1]),
            "the level of channel 0 at column 0, row 0 of image 1 is NaN"
        );
        let grid = ImageGrid::new().padding(usize::MAX / 2);
        assert!(matches!(
            grid.draw(&[0_u8], [1, 1, 1, 1], PixelLayout::Chw),
            Err(ImageError::TooLarge { .. })
        ));
        let grid = ImageGrid::new().padding(1 << 20);
        assert!(matches!(
            grid.draw(&[0_u8], [1, 1, 1, 1], PixelLayout::Chw),
            Err(ImageError::TooLarge { .. })
        ));
    }
}
