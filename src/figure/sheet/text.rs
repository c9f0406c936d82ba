//! Text on a sheet, in bitmap faces, enlarged and turned.
//!
//! Turning moves whole pixels, so a turned text is as crisp as an upright one.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, Point, Size};
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::Drawable;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};

use super::super::text::Face;
use super::{Ink, Sheet};

/// More characters than any picture is wide.
const MOST_CHARACTERS: usize = 1 << 20;

/// By how many quarters, clockwise, a text is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::figure) enum Turn {
    None,
    Right,
    Over,
    Left,
}

impl Turn {
    /// Where the pixel at `x`, `y` comes to lie, turned about the corner of four pixels at 0, 0.
    fn pixel(self, x: i32, y: i32) -> (i32, i32) {
        match self {
            Self::None => (x, y),
            Self::Right => (-1 - y, x),
            Self::Over => (-1 - x, -1 - y),
            Self::Left => (y, -1 - x),
        }
    }
}

impl Sheet {
    /// Draws one line of text, every pixel of its glyphs a square of `scale`. The top left of its box lies at `offset`
    /// from `at`, about which both are turned.
    pub(in crate::figure) fn text(
        &mut self,
        at: (i32, i32),
        offset: (i32, i32),
        (face, scale, turn): (Face, i32, Turn),
        ink: Ink,
        text: &str,
    ) {
        let mut target = Turned {
            sheet: self,
            at,
            offset,
            scale,
            turn,
            opacity: ink.opacity,
        };
        let line: String = text
            .chars()
            .take(MOST_CHARACTERS)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let style = MonoTextStyle::new(face.font, ink.colour);
        let Ok(_end) =
            Text::with_baseline(&line, Point::zero(), style, Baseline::Top).draw(&mut target);
    }
}

/// What embedded-graphics draws a text on.
struct Turned<'a> {
    sheet: &'a mut Sheet,
    at: (i32, i32),
    offset: (i32, i32),
    scale: i32,
    turn: Turn,
    opacity: f64,
}

impl Dimensions for Turned<'_> {
    fn bounding_box(&self) -> Rectangle {
        // All that embedded-graphics may clip to; the sheet itself drops what is outside.
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
        for Pixel(point, colour) in pixels {
            let ink = Ink {
                colour,
                opacity: self.opacity,
            };
            for (dx, dy) in (0..self.scale).flat_map(|y| (0..self.scale).map(move |x| (x, y))) {
                let (x, y) = self.turn.pixel(
                    self.offset.0.saturating_add(point.x * self.scale + dx),
                    self.offset.1.saturating_add(point.y * self.scale + dy),
                );
                self.sheet.blend(
                    self.at.0.saturating_add(x),
                    self.at.1.saturating_add(y),
                    ink,
                    1.0,
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::text::TEXT;
    use super::super::tests::{BLACK, dark};
    use super::*;

    #[test]
    fn turned_text_is_the_same_text_turned() {
        let drawn = |turn, scale| {
            let mut sheet = Sheet::new(60, 60);
            sheet.text((30, 30), (2, -3), (TEXT, scale, turn), BLACK, "F");
            dark(&sheet)
        };
        let upright = drawn(Turn::None, 2);
        assert!(upright.iter().flatten().any(|&dark| dark > 0));
        let at = |grid: &[Vec<u8>], x: usize, y: usize| grid[y][x];
        let (right, over, left) = (
            drawn(Turn::Right, 2),
            drawn(Turn::Over, 2),
            drawn(Turn::Left, 2),
        );
        for (x, y) in (0..60).flat_map(|y| (0..60).map(move |x| (x, y))) {
            assert_eq!(at(&upright, x, y), at(&right, 59 - y, x));
            assert_eq!(at(&upright, x, y), at(&over, 59 - x, 59 - y));
            assert_eq!(at(&upright, x, y), at(&left, y, 59 - x));
        }
    }
}
