//! What charts have in common: a title, two named axes with ticks, and a legend.
//!
//! The size of the plot is given, and the picture grows around it, so no text is cut off by an edge.

use embedded_graphics::pixelcolor::Rgb888;

use super::axis::{Axis, Tick};
use crate::figure::colour::{INK, LINE, MUTED};
use crate::figure::sheet::{Sheet, Turn};
use crate::figure::text::{Face, SMALL, TEXT, TITLE, shortened};

/// White space around everything.
const MARGIN: i32 = 20;
/// Between the plot and its title, legend and axis names.
const GAP: i32 = 16;
/// Between the plot and its tick labels, and between a swatch and its name.
const NEAR: i32 = 8;
const SWATCH: i32 = 18;
/// Between the lines of a legend.
const LEADING: i32 = 18;
/// The most characters of a title or a name that are drawn.
const MOST_CHARACTERS: usize = 60;

/// What stands around a plot.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    /// What follows the title in lighter ink.
    pub(super) rest: &'a str,
    /// The names of the axes; an empty one takes no room.
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// Colours and their meaning, from the top down to the right of the plot.
    pub(super) legend: Vec<(Rgb888, String)>,
}

/// A plot with its axes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    x: Axis,
    y: Axis,
}

impl Frame {
    /// A sheet with everything but the data. `below` pixels are left free between the plot and the labels of its x-axis.
    pub(super) fn draw(
        (width, height): (i32, i32),
        (x, y): (Axis, Axis),
        words: &Words<'_>,
        below: i32,
    ) -> (Self, Sheet) {
        let title = shortened(words.title, MOST_CHARACTERS);
        let rest = shortened(words.rest, MOST_CHARACTERS);
        let labels = y.ticks.iter().map(|tick| SMALL.width(&tick.text)).max();
        let name = |text: &str| if text.is_empty() { 0 } else { TEXT.cap + GAP };
        let left = MARGIN + name(words.y) + labels.unwrap_or(0) + NEAR;
        let top = MARGIN + if title.is_empty() { 0 } else { TITLE.cap + GAP };

        let names = words.legend.iter().map(|(_, name)| TEXT.width(name)).max();
        // Without a legend half of the last tick's label may still reach beyond the plot.
        let aside = names.map_or(GAP, |names| GAP + SWATCH + NEAR + names);
        let title_width = TITLE.width(&title) + GAP + TEXT.width(&rest);
        let full_width = left + (width + aside).max(title_width) + MARGIN;
        let under = below + NEAR + SMALL.cap + name(words.x);
        let listed = words.legend.len() as i32 * LEADING;
        let full_height = top + (height + under).max(listed) + MARGIN;

        let mut sheet = Sheet::new(full_width as u32, full_height as u32);
        let frame = Self {
            left,
            top,
            width,
            height,
            x,
            y,
        };
        put(&mut sheet, (left, MARGIN), TITLE, INK, &title);
        let at = (
            left + TITLE.width(&title) + GAP,
            MARGIN + TITLE.cap - TEXT.cap,
        );
        put(&mut sheet, at, TEXT, MUTED, &rest);
        frame.axes(&mut sheet, words, below);
        for (number, (colour, name)) in words.legend.iter().enumerate() {
            let (left, top) = (left + width + GAP, top + number as i32 * LEADING);
            sheet.rect(left, top + TEXT.cap / 2 - 1, SWATCH, 3, (*colour).into());
            put(&mut sheet, (left + SWATCH + NEAR, top), TEXT, INK, name);
        }
        (frame, sheet)
    }

    /// Where a point lies on the sheet.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = self.x.share(x) * f64::from(self.width - 1);
        let down = (1.0 - self.y.share(y)) * f64::from(self.height - 1);
        (
            f64::from(self.left) + 0.5 + across,
            f64::from(self.top) + 0.5 + down,
        )
    }

    fn axes(&self, sheet: &mut Sheet, words: &Words<'_>, below: i32) {
        let bottom = self.top + self.height;
        for Tick { value, text } in &self.x.ticks {
            let x = self.place((*value, 0.0)).0 as i32;
            sheet.rect(x, self.top, 1, self.height, LINE.into());
            let at = (x - SMALL.width(text) / 2, bottom + below + NEAR);
            put(sheet, at, SMALL, INK, text);
        }
        for Tick { value, text } in &self.y.ticks {
            let y = self.place((0.0, *value)).1 as i32;
            sheet.rect(self.left, y, self.width, 1, LINE.into());
            let at = (self.left - NEAR - SMALL.width(text), y - SMALL.cap / 2);
            put(sheet, at, SMALL, INK, text);
        }
        sheet.rect(self.left, bottom - 1, self.width, 1, MUTED.into());
        sheet.rect(self.left, self.top, 1, self.height - 1, MUTED.into());

        let left = self.left + (self.width - TEXT.width(words.x)) / 2;
        let top = bottom + below + NEAR + SMALL.cap + GAP;
        put(sheet, (left, top), TEXT, MUTED, words.x);
        let bottom = self.top + (self.height + TEXT.width(words.y)) / 2;
        let (at, up) = ((MARGIN, bottom), (TEXT, 1, Turn::Left));
        sheet.text(at, (0, -TEXT.rise), up, MUTED.into(), words.y);
    }
}

/// Writes a text; `left` and `top` are those of its first capital.
pub(super) fn put(
    sheet: &mut Sheet,
    (left, top): (i32, i32),
    face: Face,
    colour: Rgb888,
    text: &str,
) {
    let upright = (face, 1, Turn::None);
    sheet.text((left, top), (0, -face.rise), upright, colour.into(), text);
}
