//! The raster that figures are drawn on.
//!
//! Drawing outside the raster is allowed and does nothing, so no figure can write past its pixels.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, OriginDimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::Drawable;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use super::colour::WHITE;
use super::picture::Picture;
use super::text::Face;

/// An RGB raster under construction.
#[derive(Debug)]
pub(super) struct Canvas {
    picture: Picture,
}

impl Canvas {
    /// A white raster; a negative size counts as 0.
    pub(super) fn new(width: i32, height: i32) -> Self {
        let size = |value: i32| u32::try_from(value).unwrap_or(0);
        let white = [WHITE.r(), WHITE.g(), WHITE.b()];
        Self {
            picture: Picture::filled(size(width), size(height), white),
        }
    }

    pub(super) fn into_picture(self) -> Picture {
        self.picture
    }

    /// Fills a rectangle.
    pub(super) fn rect(&mut self, left: i32, top: i32, width: i32, height: i32, colour: Rgb888) {
        let colour = [colour.r(), colour.g(), colour.b()];
        self.picture.fill(left, top, width, height, colour);
    }

    /// Draws the one-pixel border just outside a rectangle.
    pub(super) fn frame(&mut self, left: i32, top: i32, width: i32, height: i32, colour: Rgb888) {
        self.rect(left - 1, top - 1, width + 2, 1, colour);
        self.rect(left - 1, top + height, width + 2, 1, colour);
        self.rect(left - 1, top, 1, height, colour);
        self.rect(left + width, top, 1, height, colour);
    }

    /// Draws one line of text; `left` and `top` are those of its first capital.
    pub(super) fn text(&mut self, left: i32, top: i32, face: Face, colour: Rgb888, text: &str) {
        write(self, Point::new(left, top - face.rise), face, colour, text);
    }

    /// Draws one line of text turned to read from the bottom up; `left` is where its capitals end on the left,
    /// `bottom` the row under its first character.
    pub(super) fn text_up(
        &mut self,
        left: i32,
        bottom: i32,
        face: Face,
        colour: Rgb888,
        text: &str,
    ) {
        let mut turned = Turned {
            canvas: self,
            left,
            bottom,
        };
        write(&mut turned, Point::new(0, -face.rise), face, colour, text);
    }

    /// Draws grey pixels, each as a square of `scale` pixels; `grey` is row-major with rows of `width`.
    pub(super) fn blit(
        &mut self,
        left: i32,
        top: i32,
        grey: impl Iterator<Item = u8>,
        width: i32,
        scale: i32,
    ) {
        let (mut x, mut y) = (0, 0);
        for level in grey {
            let colour = Rgb888::new(level, level, level);
            self.rect(left + x * scale, top + y * scale, scale, scale, colour);
            x += 1;
            if x == width {
                (x, y) = (0, y + 1);
            }
        }
    }

    fn point(&mut self, x: i32, y: i32, colour: Rgb888) {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) {
            self.picture.set(x, y, [colour.r(), colour.g(), colour.b()]);
        }
    }
}

fn write<D>(target: &mut D, at: Point, face: Face, colour: Rgb888, text: &str)
where
    D: DrawTarget<Color = Rgb888, Error = Infallible>,
{
    let style = MonoTextStyle::new(face.font, colour);
    let Ok(_end) = Text::with_baseline(text, at, style, Baseline::Top).draw(target);
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(at, colour) in pixels {
            self.point(at.x, at.y, colour);
        }
        Ok(())
    }
}

/// A canvas turned by a quarter: right is up, and down is right.
struct Turned<'a> {
    canvas: &'a mut Canvas,
    left: i32,
    bottom: i32,
}

impl Dimensions for Turned<'_> {
    fn bounding_box(&self) -> Rectangle {
        // All that embedded-graphics may clip to; the canvas itself drops what is outside.
        Rectangle::new(Point::new(-0x4000, -0x4000), Size::new(0x8000, 0x8000))
    }
}

impl DrawTarget for Turned<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(at, colour) in pixels {
            self.canvas
                .point(self.left + at.y, self.bottom - 1 - at.x, colour);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::INK;
    use super::super::text::TEXT;
    use super::*;

    /// The pixels that differ from white.
    fn inked(canvas: &Canvas) -> Vec<(u32, u32)> {
        let picture = &canvas.picture;
        (0..picture.height())
            .flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
            .filter(|&(x, y)| picture.pixel(x, y) != Some([255; 3]))
            .collect()
    }

    #[test]
    fn drawing_outside_does_nothing() {
        let mut canvas = Canvas::new(8, 8);
        canvas.rect(-5, -5, 5, 20, INK);
        canvas.rect(8, 0, i32::MAX, 1, INK);
        canvas.text(100, 100, TEXT, INK, "abc");
        canvas.text_up(-100, 3, TEXT, INK, "abc");
        assert_eq!(inked(&canvas), []);
    }

    #[test]
    fn text_begins_at_the_top_of_its_capitals() {
        let mut canvas = Canvas::new(20, 20);
        canvas.text(3, 4, TEXT, INK, "H");
        let points = inked(&canvas);
        assert_eq!(points.iter().map(|p| p.1).min(), Some(4));
        assert_eq!(
            points.iter().map(|p| p.1).max(),
            Some(4 + TEXT.cap as u32 - 1)
        );
        assert!(points.iter().all(|p| (3..10).contains(&p.0)));
    }

    #[test]
    fn turned_text_is_the_same_text_turned() {
        let mut canvas = Canvas::new(30, 30);
        canvas.text(0, 0, TEXT, INK, "ab");
        let mut expected: Vec<(u32, u32)> = inked(&canvas)
            .iter()
            .map(|&(x, y)| (5 + y, 24 - x))
            .collect();
        expected.sort_unstable_by_key(|&(x, y)| (y, x));
        let mut turned = Canvas::new(30, 30);
        turned.text_up(5, 25, TEXT, INK, "ab");
        assert_eq!(inked(&turned), expected);
    }

    #[test]
    fn pixels_are_scaled_to_squares() {
        let mut canvas = Canvas::new(6, 6);
        canvas.blit(1, 1, [0, 50, 100, 150].into_iter(), 2, 2);
        let picture = canvas.into_picture();
        assert_eq!(picture.pixel(0, 0), Some([255; 3]));
        assert_eq!(picture.pixel(2, 2), Some([0; 3]));
        assert_eq!(picture.pixel(3, 1), Some([50; 3]));
        assert_eq!(picture.pixel(1, 4), Some([100; 3]));
        assert_eq!(picture.pixel(4, 4), Some([150; 3]));
        assert_eq!(picture.pixel(5, 4), Some([255; 3]));
    }

    #[test]
    fn unknown_glyphs_do_not_panic() {
        let mut canvas = Canvas::new(80, 20);
        canvas.text(0, 4, TEXT, INK, "é漢\u{1F600}\u{0}\u{301}ñ");
        assert!(!inked(&canvas).is_empty());
    }
}
