//! Boxes with labels drawn over an image: what a detector saw, and where.
//!
//! The image's own pixels are only covered, never smoothed, and a label has one colour in every picture.

use embedded_graphics::pixelcolor::Rgb888;

use super::colour::ink_on;
use super::palette;
use super::sheet::{Ink, Sheet, Turn};
use super::text::{Face, TEXT, shortened};
use super::{FigureError, LIMIT, Picture};

/// Images with a longer side below this are enlarged ...
const SMALL: usize = 320;
/// ... as far as a whole factor keeps them within this.
const ENLARGED: usize = 480;
/// The longer side for which lines and letters are made; on an image of twice this they are twice as large.
const COMMON: usize = 1000;
/// The most characters of a label that are drawn.
const MOST_CHARACTERS: usize = 24;
const FACE: Face = TEXT;
/// Around the capitals of a label.
const PADDING: i32 = 3;
/// The shade on both sides of a box's line, which makes it seen on any ground.
const SHADE: Ink = Ink {
    colour: Rgb888::new(0, 0, 0),
    opacity: 0.35,
};

/// A box on an image, with what it is said to hold.
///
/// ```
/// use modelpulse::figure::LabelledBox;
/// let found = LabelledBox::new([12.0, 8.5, 40.0, 63.0], "cat").score(0.93);
/// let truth = LabelledBox::new([11.0, 9.0, 42.0, 64.0], "cat").colour([255, 255, 255]);
/// assert_ne!(found, truth);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct LabelledBox {
    corners: [f32; 4],
    label: String,
    score: Option<f32>,
    ink: Rgb888,
}

impl LabelledBox {
    /// A box of `[x_min, y_min, x_max, y_max]`, in pixels from the top left of the image. It may reach beyond the
    /// image. An empty label, without a score, is not drawn.
    pub fn new(corners: [f32; 4], label: impl Into<String>) -> Self {
        let label = label.into();
        Self {
            corners,
            ink: palette::label(&label),
            label,
            score: None,
        }
    }

    /// How sure the detector is, written behind the label with two decimals.
    pub fn score(mut self, score: f32) -> Self {
        self.score = Some(score);
        self
    }

    /// The number of the label among all: sixteen classes in a row have sixteen colours, where labels alone may share
    /// one by chance.
    pub fn class(self, number: usize) -> Self {
        self.ink(palette::class(number))
    }

    /// Red, green and blue, instead of the colour of the label; to tell truth from prediction, for example.
    pub fn colour(self, [r, g, b]: [u8; 3]) -> Self {
        self.ink(Rgb888::new(r, g, b))
    }

    fn ink(mut self, ink: Rgb888) -> Self {
        self.ink = ink;
        self
    }

    fn text(&self) -> String {
        let label = shortened(&self.label, MOST_CHARACTERS);
        match self.score {
            Some(score) if label.is_empty() => format!("{score:.2}"),
            Some(score) => format!("{label} {score:.2}"),
            None => label,
        }
    }
}

/// Draws boxes and their labels over an RGB image of `width` × `height` pixels, 3 bytes each, row-major.
///
/// A later box lies over an earlier one, and the labels lie over all boxes: each above the top left of its box, or
/// inside where there is no room. Equal labels have equal colours. An image whose longer side is below 320 pixels is
/// enlarged by the largest whole factor that keeps it within 480, so that labels do not bury it; others keep their
/// size, and on large ones lines and letters grow. Labels are cut to 24 characters; characters that the font (ISO
/// 8859-1) lacks become question marks.
///
/// # Errors
///
/// [`FigureError::Raster`] unless there are `width × height × 3` bytes, at least one pixel; [`FigureError::Corners`]
/// where a corner is not finite or lies on the wrong side of the other; [`FigureError::TooLarge`] above 2²⁶ pixels.
///
/// ```
/// use modelpulse::figure::{LabelledBox, labelled_boxes};
/// let grey = vec![128; 640 * 480 * 3];
/// let boxes = [LabelledBox::new([200.0, 100.0, 400.0, 300.0], "cat").score(0.93)];
/// let picture = labelled_boxes(&grey, 640, 480, &boxes)?;
/// assert_eq!((picture.width(), picture.height()), (640, 480));
/// assert_ne!(picture.pixel(201, 200), Some([128; 3]));
/// assert_eq!(picture.pixel(300, 200), Some([128; 3]));
/// # Ok::<(), modelpulse::figure::FigureError>(())
/// ```
pub fn labelled_boxes(
    rgb: &[u8],
    width: usize,
    height: usize,
    boxes: &[LabelledBox],
) -> Result<Picture, FigureError> {
    let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(3));
    if rgb.is_empty() || bytes != Some(rgb.len()) {
        return Err(FigureError::Raster {
            bytes: rgb.len(),
            height,
            width,
        });
    }
    // No overflow: there are as many bytes.
    if (width * height) as u64 > LIMIT {
        return Err(FigureError::TooLarge {
            width: width as u64,
            height: height as u64,
            limit: LIMIT,
        });
    }
    let ordered = |it: &LabelledBox| {
        let [left, top, right, bottom] = it.corners;
        it.corners.iter().all(|corner| corner.is_finite()) && left <= right && top <= bottom
    };
    if let Some(index) = boxes.iter().position(|it| !ordered(it)) {
        return Err(FigureError::Corners { index });
    }

    let longer = width.max(height);
    let factor = if longer < SMALL { ENLARGED / longer } else { 1 };
    let mut sheet = enlarged(rgb, width, factor);
    let strength = (longer * factor / COMMON).max(1) as i32;
    let places: Vec<Place> = boxes.iter().map(|it| Place::new(it, factor)).collect();
    for (it, place) in boxes.iter().zip(&places) {
        place.frame(&mut sheet, -strength, strength, SHADE);
        place.frame(&mut sheet, 0, 2 * strength, it.ink.into());
        place.frame(&mut sheet, 2 * strength, strength, SHADE);
    }
    for (it, place) in boxes.iter().zip(&places) {
        place.label(&mut sheet, strength, it);
    }
    Ok(sheet.into_picture())
}

/// The image, each pixel a square of `factor`.
fn enlarged(rgb: &[u8], width: usize, factor: usize) -> Sheet {
    let height = rgb.len() / 3 / width;
    let mut sheet = Sheet::new((width * factor) as u32, (height * factor) as u32);
    let side = factor as i32;
    for (index, &[r, g, b]) in rgb.as_chunks().0.iter().enumerate() {
        let (x, y) = ((index % width) as i32 * side, (index / width) as i32 * side);
        sheet.rect(x, y, side, side, Rgb888::new(r, g, b).into());
    }
    sheet
}

/// A box in pixels of the picture: its first column and row, and those behind its last.
#[derive(Debug, Clone, Copy)]
struct Place {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Place {
    fn new(it: &LabelledBox, factor: usize) -> Self {
        // So far outside that nothing of it is seen, and far from where sums overflow.
        let far = f64::from(1 << 28);
        let [left, top, right, bottom] = it
            .corners
            .map(|corner| (f64::from(corner) * factor as f64).round().clamp(-far, far) as i32);
        Self {
            left,
            top,
            // A box of no width is seen too.
            right: right.max(left + 1),
            bottom: bottom.max(top + 1),
        }
    }

    /// A frame of `thickness` pixels, `inset` pixels inside the edge; filled where there is no room for a hole.
    fn frame(self, sheet: &mut Sheet, inset: i32, thickness: i32, ink: Ink) {
        let (left, top) = (self.left + inset, self.top + inset);
        let (width, height) = (self.right - inset - left, self.bottom - inset - top);
        let across = thickness.min(height);
        let down = (height - 2 * thickness).max(0);
        sheet.rect(left, top, width, across, ink);
        sheet.rect(left, top + thickness, thickness.min(width), down, ink);
        let other = (left + thickness).max(left + width - thickness);
        sheet.rect(other, top + thickness, left + width - other, down, ink);
        let other = (top + thickness).max(top + height - thickness);
        sheet.rect(left, other, width, top + height - other, ink);
    }

    /// The label on its ground: above the box, or else inside, and within the picture's sides if it fits.
    fn label(self, sheet: &mut Sheet, strength: i32, it: &LabelledBox) {
        let text = it.text();
        let (columns, rows) = sheet.size();
        let (columns, rows) = (columns as i32, rows as i32);
        let seen = self.left < columns && self.top < rows && self.right > 0 && self.bottom > 0;
        if text.is_empty() || !seen {
            return;
        }
        let width = (FACE.width(&text) + 2 * PADDING - 1) * strength;
        let height = (FACE.cap + 2 * PADDING) * strength;
        let left = self.left.min(columns - width).max(0);
        let top = if self.top >= height {
            self.top - height
        } else {
            self.top.max(0)
        };
        sheet.rect(left, top, width, height, it.ink.into());
        let at = (left + PADDING * strength, top + PADDING * strength);
        let rise = (0, -FACE.rise * strength);
        let face = (FACE, strength, Turn::None);
        sheet.text(at, rise, face, ink_on(it.ink).into(), &text);
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    fn drawn(boxes: &[LabelledBox]) -> Picture {
        labelled_boxes(&vec![90; 640 * 400 * 3], 640, 400, boxes).unwrap()
    }

    fn rgb(colour: Rgb888) -> Option<[u8; 3]> {
        Some([colour.r(), colour.g(), colour.b()])
    }

    #[test]
    fn a_box_is_a_line_of_its_labels_colour_and_its_inside_is_left_alone() {
        let picture = drawn(&[LabelledBox::new([100.0, 50.0, 300.4, 250.0], "cat")]);
        let line = rgb(palette::label("cat"));
        for (x, y) in [
            (100, 150),
            (101, 150),
            (299, 150),
            (298, 150),
            (200, 50),
            (200, 249),
        ] {
            assert_eq!(picture.pixel(x, y), line, "{x}, {y}");
        }
        for (x, y) in [(97, 150), (104, 150), (200, 150), (303, 150)] {
            assert_eq!(picture.pixel(x, y), Some([90; 3]), "{x}, {y}");
        }
        assert_eq!(picture.pixel(99, 150), picture.pixel(102, 150));
        assert_ne!(picture.pixel(99, 150), Some([90; 3]));
    }

    #[test]
    fn classes_have_colours_of_their_own() {
        let line = |it: LabelledBox| drawn(&[it]).pixel(100, 200);
        let it = LabelledBox::new([100.0, 100.0, 300.0, 300.0], "cat");
        assert_eq!(line(it.clone().class(18)), rgb(palette::class(2)));
        assert_eq!(line(it.class(18).colour([1, 2, 3])), Some([1, 2, 3]));
    }

    #[test]
    fn labels_stand_above_their_box_or_inside_the_picture() {
        let ground = |corners, (x, y)| {
            let it = LabelledBox::new(corners, "dog")
                .score(0.5)
                .colour([1, 2, 3]);
            assert_eq!(drawn(&[it]).pixel(x, y), Some([1, 2, 3]));
        };
        ground([100.0, 50.0, 200.0, 90.0], (101, 36));
        ground([100.0, 5.0, 200.0, 90.0], (101, 18));
        ground([-50.0, -50.0, 60.0, 60.0], (1, 1));
        ground([630.0, 50.0, 640.0, 90.0], (639 - 50, 36));
    }

    #[test]
    fn scores_have_two_decimals_and_labels_one_short_line() {
        let text = |label: &str, score: Option<f32>| {
            let it = LabelledBox::new([0.0; 4], label);
            score.map_or(it.clone(), |score| it.score(score)).text()
        };
        assert_eq!(text("cat", Some(0.926)), "cat 0.93");
        assert_eq!(text("", Some(f32::NAN)), "NaN");
        assert_eq!(
            text("a\nvery long label that never ends", None),
            "a very long label that.."
        );
        assert_eq!(text("", None), "");
    }

    #[test]
    fn small_images_are_enlarged_by_whole_factors() {
        let pixels: Vec<u8> = (0..28 * 14 * 3).map(|i| (i % 251) as u8).collect();
        let picture = labelled_boxes(&pixels, 28, 14, &[]).unwrap();
        assert_eq!((picture.width(), picture.height()), (28 * 17, 14 * 17));
        let pixel = pixels[(28 + 2) * 3..][..3].try_into().ok();
        assert_eq!(picture.pixel(2 * 17, 17), pixel);
        assert_eq!(picture.pixel(3 * 17 - 1, 2 * 17 - 1), pixel);
    }

    #[test]
    fn boxes_of_any_size_anywhere_are_drawn_without_panic() {
        let clean = drawn(&[]);
        for corners in [
            [700.0, 0.0, 800.0, 90.0],
            [f32::MIN, f32::MIN, -1e9, -1e9],
            [1e30, 1e30, f32::MAX, f32::MAX],
        ] {
            assert_eq!(drawn(&[LabelledBox::new(corners, "x")]), clean);
        }
        for corners in [
            [f32::MIN, f32::MIN, f32::MAX, f32::MAX],
            [5.0; 4],
            [3.0, 3.0, 6.0, 400.0],
        ] {
            drawn(&[LabelledBox::new(
                corners,
                "a label too long for any picture",
            )]);
        }
        assert!(labelled_boxes(&[0; 3], 1, 1, &[LabelledBox::new([0.0; 4], "x")]).is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let error = |width, height, corners| {
            labelled_boxes(&[0; 12], width, height, &[LabelledBox::new(corners, "")]).unwrap_err()
        };
        let good = [0.0; 4];
        assert_eq!(
            error(3, 2, good),
            FigureError::Raster {
                bytes: 12,
                height: 2,
                width: 3
            }
        );
        assert!(matches!(
            error(usize::MAX, 2, good),
            FigureError::Raster { .. }
        ));
        assert!(matches!(
            labelled_boxes(&[], 0, 0, &[]),
            Err(FigureError::Raster { .. })
        ));
        for corners in [
            [1.0, 0.0, 0.0, 1.0],
            [0.0, f32::NAN, 1.0, 1.0],
            [0.0, 0.0, 1.0, f32::INFINITY],
        ] {
            assert_eq!(error(2, 2, corners), FigureError::Corners { index: 0 });
        }
    }
}
