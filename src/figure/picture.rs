//! A finished picture: RGB bytes and their size.
//!
//! There are exactly 3 bytes for each pixel.

use std::fmt;

/// A picture of 8-bit RGB pixels, row-major from the top left.
///
/// ```
/// use modelpulse::figure::confusion_matrix;
/// use modelpulse::metrics::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::from_rows(&[[8, 2], [1, 9]])?;
/// let picture = confusion_matrix(&matrix, &["cat".into(), "dog".into()])?;
/// assert_eq!(picture.rgb().len(), 3 * picture.width() as usize * picture.height() as usize);
/// assert_eq!(picture.pixel(0, 0), Some([255, 255, 255]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub(super) fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        Self {
            width,
            height,
            rgb: colour.repeat(width as usize * height as usize),
        }
    }

    /// The width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, 3 bytes each: red, green, blue; row-major from the top left.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The pixels again, without a copy.
    #[must_use]
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    /// The pixel in column `x` and row `y`, counted from 0 at the top left; `None` outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        let at = self.offset(x, y)?;
        self.rgb.get(at..at + 3)?.try_into().ok()
    }

    /// Sets a pixel; outside the picture nothing happens.
    pub(super) fn set(&mut self, x: u32, y: u32, colour: [u8; 3]) {
        if let Some(at) = self.offset(x, y) {
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// Fills what of a rectangle lies within the picture.
    pub(super) fn fill(&mut self, left: i32, top: i32, width: i32, height: i32, colour: [u8; 3]) {
        let within = |from: i32, length: i32, size: u32| {
            let end = i64::from(from) + i64::from(length);
            let clip = |at: i64| at.clamp(0, size.into()) as usize;
            clip(from.into())..clip(end)
        };
        let columns = within(left, width, self.width);
        let rows = within(top, height, self.height);
        let row_len = 3 * self.width as usize;
        let first = rows.start;
        for row in self
            .rgb
            .chunks_exact_mut(row_len.max(1))
            .take(rows.end)
            .skip(first)
        {
            let pixels = row.as_chunks_mut().0.get_mut(columns.clone());
            pixels.unwrap_or_default().fill(colour);
        }
    }

    fn offset(&self, x: u32, y: u32) -> Option<usize> {
        (x < self.width && y < self.height)
            .then(|| 3 * (y as usize * self.width as usize + x as usize))
    }
}

/// The size, without the pixels.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_row_major_and_bounded() {
        let mut picture = Picture::filled(3, 2, [9, 9, 9]);
        picture.set(2, 1, [1, 2, 3]);
        picture.set(3, 0, [7, 7, 7]);
        picture.set(0, 2, [7, 7, 7]);
        assert_eq!(picture.pixel(2, 1), Some([1, 2, 3]));
        assert_eq!(picture.rgb()[15..], [1, 2, 3]);
        assert!(picture.rgb()[..15].iter().all(|&byte| byte == 9));
        picture.fill(-4, 1, 5, i32::MAX, [5, 5, 5]);
        picture.fill(1, 0, i32::MIN, 1, [7, 7, 7]);
        assert_eq!(picture.rgb()[9..12], [5, 5, 5]);
        assert!(picture.rgb()[..9].iter().all(|&byte| byte == 9));
        assert_eq!(picture.pixel(3, 0), None);
        assert_eq!(picture.pixel(0, 2), None);
        assert_eq!(
            format!("{picture:?}"),
            "Picture { width: 3, height: 2, .. }"
        );
    }
}
