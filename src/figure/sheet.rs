//! A raster with soft edges: lines, discs, areas and text that mix with what lies below.
//!
//! Coordinates are in pixels from the top left, so the middle of the first pixel is at 0.5, 0.5. Only arithmetic that
//! is exact to the last bit on every machine is used (no sines or powers), and drawing outside does nothing.

mod text;

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

use super::colour::WHITE;
use super::picture::Picture;

pub(super) use text::Turn;

/// Sub-rows a pixel has where an area's edge is found.
const FINE: i32 = 4;

/// An RGB raster under construction.
#[derive(Debug)]
pub(super) struct Sheet {
    picture: Picture,
}

/// A colour, and how much of it covers what lies below: 0 nothing, 1 all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: Rgb888,
    pub(super) opacity: f64,
}

impl From<Rgb888> for Ink {
    fn from(colour: Rgb888) -> Self {
        Self {
            colour,
            opacity: 1.0,
        }
    }
}

impl Sheet {
    /// A white raster.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let white = [WHITE.r(), WHITE.g(), WHITE.b()];
        Self {
            picture: Picture::filled(width, height, white),
        }
    }

    pub(super) fn into_picture(self) -> Picture {
        self.picture
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.picture.width(), self.picture.height())
    }

    /// Mixes a pixel with `ink`, of which a part of 0 to 1 counts.
    pub(super) fn blend(&mut self, x: i32, y: i32, ink: Ink, part: f64) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        // In 1/256; NaN is nothing.
        let share = (ink.opacity * part * 256.0 + 0.5) as u32;
        let above = [ink.colour.r(), ink.colour.g(), ink.colour.b()];
        if share >= 256 {
            self.picture.set(x, y, above);
        } else if let Some(mut mixed) = self.picture.pixel(x, y) {
            for (below, above) in mixed.iter_mut().zip(above) {
                let sum = u32::from(*below) * (256 - share) + u32::from(above) * share;
                *below = ((sum + 128) >> 8) as u8;
            }
            self.picture.set(x, y, mixed);
        }
    }

    /// Fills a rectangle.
    pub(super) fn rect(&mut self, left: i32, top: i32, width: i32, height: i32, ink: Ink) {
        if ink.opacity >= 1.0 {
            let Ink { colour, .. } = ink;
            let colour = [colour.r(), colour.g(), colour.b()];
            return self.picture.fill(left, top, width, height, colour);
        }
        let (columns, rows) = self.size();
        let right = left.saturating_add(width).min(columns as i32);
        let bottom = top.saturating_add(height).min(rows as i32);
        for y in top.max(0)..bottom {
            for x in left.max(0)..right {
                self.blend(x, y, ink, 1.0);
            }
        }
    }

    /// Draws a line from point to point with round joints and ends. Where it crosses itself it covers once; a
    /// point that is not finite leaves a gap.
    pub(super) fn line(&mut self, points: &[(f64, f64)], width: f64, ink: Ink) {
        let reach = width.max(0.0) / 2.0 + 0.5;
        let finite = |&(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let known: Vec<_> = points.iter().copied().filter(finite).collect();
        let Some(area) = self.around(&known, reach) else {
            return;
        };
        let mut cover = area.numbers();
        // A curve is nowhere in most of the box around it: of each row, from where to where it is.
        let mut touched = vec![(i32::MAX, i32::MIN); (area.bottom - area.top) as usize];
        for pair in points.windows(2) {
            let &[from, to] = pair else { continue };
            let Some(near) = self.around(pair, reach) else {
                continue;
            };
            let along = (to.0 - from.0, to.1 - from.1);
            let length = along.0 * along.0 + along.1 * along.1;
            for y in near.top..near.bottom {
                if let Some((first, last)) = touched.get_mut((y - area.top) as usize) {
                    (*first, *last) = (near.left.min(*first), near.right.max(*last));
                }
                for x in near.left..near.right {
                    let at = (f64::from(x) + 0.5 - from.0, f64::from(y) + 0.5 - from.1);
                    let share = if length > 0.0 {
                        ((at.0 * along.0 + at.1 * along.1) / length).clamp(0.0, 1.0)
                    } else {
                        0.0
                    };
                    let off = (at.0 - share * along.0, at.1 - share * along.1);
                    let distance = off.0 * off.0 + off.1 * off.1;
                    if distance < reach * reach
                        && let Some(cover) = cover.get_mut(area.index(x, y))
                    {
                        *cover = cover.max((reach - distance.sqrt()).min(1.0));
                    }
                }
            }
        }
        let rows = (area.top..).zip(touched);
        for (y, (first, last)) in rows.filter(|(_, (first, last))| first < last) {
            let parts = cover.get(area.index(first, y)..).unwrap_or_default();
            self.cover(y, (first..last).zip(parts), ink);
        }
    }

    /// Draws a dashed line between two points: `on` pixels of line, `off` pixels of none.
    pub(super) fn dashes(
        &mut self,
        (from, to): ((f64, f64), (f64, f64)),
        (on, off): (f64, f64),
        width: f64,
        ink: Ink,
    ) {
        let along = (to.0 - from.0, to.1 - from.1);
        let length = (along.0 * along.0 + along.1 * along.1).sqrt();
        let dashes = (length / (on + off)).ceil().min(10_000.0) as u32;
        let at = |pixels: f64| {
            let share = (pixels / length).min(1.0);
            (from.0 + share * along.0, from.1 + share * along.1)
        };
        for dash in 0..dashes {
            let start = f64::from(dash) * (on + off);
            self.line(&[at(start), at(start + on)], width, ink);
        }
    }

    /// Fills the disc between two radii; an inner one of 0 fills it all.
    pub(super) fn disc(&mut self, centre: (f64, f64), (inner, outer): (f64, f64), ink: Ink) {
        let Some(near) = self.around(&[centre], outer + 0.5) else {
            return;
        };
        for y in near.top..near.bottom {
            for x in near.left..near.right {
                let off = (f64::from(x) + 0.5 - centre.0, f64::from(y) + 0.5 - centre.1);
                let distance = (off.0 * off.0 + off.1 * off.1).sqrt();
                let hole = if inner > 0.0 {
                    (distance - inner + 0.5).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                let part = (outer + 0.5 - distance).clamp(0.0, 1.0) * hole;
                self.blend(x, y, ink, part);
            }
        }
    }

    /// Fills what a closed line encloses an odd number of times. With a point that is not finite nothing is drawn.
    pub(super) fn area(&mut self, points: &[(f64, f64)], ink: Ink) {
        let Some(area) = self.around(points, 0.5) else {
            return;
        };
        let next = points.iter().cycle().skip(1);
        let edges: Vec<_> = points.iter().zip(next).collect();
        let mut cover = area.numbers();
        let mut crossings = Vec::new();
        for (y, row) in (area.top..area.bottom).zip(cover.chunks_mut(area.columns())) {
            for sub in 0..FINE {
                let level = f64::from(y) + f64::from(2 * sub + 1) / f64::from(2 * FINE);
                crossings.clear();
                crossings.extend(edges.iter().filter_map(|&(from, to)| {
                    let crosses = (from.1 <= level) != (to.1 <= level);
                    let at = (level - from.1) / (to.1 - from.1);
                    crosses.then_some(from.0 + at * (to.0 - from.0))
                }));
                crossings.sort_unstable_by(f64::total_cmp);
                for pair in crossings.as_chunks::<2>().0 {
                    let [left, right] = pair.map(|x| x - f64::from(area.left));
                    let first = left.max(0.0) as usize;
                    for (x, cover) in row.iter_mut().enumerate().skip(first) {
                        let x = x as f64;
                        if x >= right {
                            break;
                        }
                        *cover += (right.min(x + 1.0) - left.max(x)) / f64::from(FINE);
                    }
                }
            }
        }
        for (y, row) in (area.top..).zip(cover.chunks(area.columns())) {
            self.cover(y, (area.left..).zip(row), ink);
        }
    }

    /// Mixes pixels of a row with so much ink.
    fn cover<'a>(&mut self, y: i32, parts: impl Iterator<Item = (i32, &'a f64)>, ink: Ink) {
        for (x, &part) in parts.filter(|(_, part)| **part > 0.0) {
            self.blend(x, y, ink, part);
        }
    }

    /// The pixels of the sheet within `reach` of the box around `points`; `None` if one of these is not finite.
    fn around(&self, points: &[(f64, f64)], reach: f64) -> Option<Span> {
        let mut least = (f64::INFINITY, f64::INFINITY);
        let mut most = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for &(x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                return None;
            }
            least = (least.0.min(x), least.1.min(y));
            most = (most.0.max(x), most.1.max(y));
        }
        let (columns, rows) = self.size();
        // The casts saturate.
        Some(Span {
            left: (least.0 - reach).max(0.0) as i32,
            top: (least.1 - reach).max(0.0) as i32,
            right: ((most.0 + reach).ceil() as i32).min(columns as i32),
            bottom: ((most.1 + reach).ceil() as i32).min(rows as i32),
        })
        .filter(|span| span.left < span.right && span.top < span.bottom)
    }
}

/// A rectangle of pixels of the sheet, none of them outside, and at least one.
#[derive(Debug, Clone, Copy)]
struct Span {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Span {
    fn columns(self) -> usize {
        (self.right - self.left) as usize
    }

    /// One number for each pixel, row by row.
    fn numbers(self) -> Vec<f64> {
        vec![0.0; self.columns() * (self.bottom - self.top) as usize]
    }

    fn index(self, x: i32, y: i32) -> usize {
        (y - self.top) as usize * self.columns() + (x - self.left) as usize
    }
}

#[cfg(test)]
pub(in crate::figure) mod tests {
    use super::*;

    pub(in crate::figure) const BLACK: Ink = Ink {
        colour: Rgb888::BLACK,
        opacity: 1.0,
    };

    /// How dark each pixel is: 0 white, 255 black.
    pub(in crate::figure) fn dark(sheet: &Sheet) -> Vec<Vec<u8>> {
        let (width, height) = sheet.size();
        let at = |x, y| 255 - sheet.picture.pixel(x, y).unwrap()[0];
        (0..height)
            .map(|y| (0..width).map(|x| at(x, y)).collect())
            .collect()
    }

    #[test]
    fn a_line_through_the_middles_of_pixels_is_crisp_and_one_between_is_shared() {
        let mut sheet = Sheet::new(6, 4);
        sheet.line(&[(1.5, 1.5), (4.5, 1.5)], 1.0, BLACK);
        assert_eq!(dark(&sheet)[1], [0, 255, 255, 255, 255, 0]);
        assert_eq!(dark(&sheet)[2], [0; 6]);
        let mut sheet = Sheet::new(3, 4);
        sheet.line(&[(-9.0, 2.0), (9.0, 2.0)], 1.0, BLACK);
        assert_eq!(dark(&sheet), [[0; 3], [127; 3], [127; 3], [0; 3]]);
    }

    #[test]
    fn a_line_covers_once_where_it_crosses_itself() {
        let mut sheet = Sheet::new(5, 5);
        let ink = Ink {
            opacity: 0.5,
            ..BLACK
        };
        sheet.line(
            &[(0.5, 2.5), (4.5, 2.5), (2.5, 2.5), (2.5, 0.5), (2.5, 4.5)],
            1.0,
            ink,
        );
        assert_eq!(dark(&sheet)[2], [127; 5]);
        assert_eq!(dark(&sheet)[0], [0, 0, 127, 0, 0]);
    }

    #[test]
    fn points_that_are_not_finite_leave_gaps() {
        let mut sheet = Sheet::new(6, 1);
        let points = [0.5, 1.5, f64::NAN, 4.5, 5.5].map(|x| (x, 0.5));
        sheet.line(&points, 1.0, BLACK);
        assert_eq!(dark(&sheet), [[255, 255, 0, 0, 255, 255]]);
        sheet.area(&points, BLACK);
        sheet.disc((f64::INFINITY, 0.0), (0.0, 3.0), BLACK);
        sheet.line(&[(-1e300, 0.5), (f64::MAX, 1e300)], 1e9, BLACK);
    }

    #[test]
    fn areas_have_soft_edges_and_holes() {
        let mut sheet = Sheet::new(4, 2);
        sheet.area(&[(0.5, -1.0), (2.25, -1.0), (2.25, 1.5), (0.5, 1.5)], BLACK);
        assert_eq!(dark(&sheet), [[127, 255, 64, 0], [64, 127, 32, 0]]);
        let mut sheet = Sheet::new(5, 1);
        let square = |from: f64, to: f64| {
            [
                (from, -1.0),
                (to, -1.0),
                (to, 2.0),
                (from, 2.0),
                (from, -1.0),
            ]
        };
        sheet.area(&[square(0.0, 5.0), square(2.0, 3.0)].concat(), BLACK);
        assert_eq!(dark(&sheet), [[255, 255, 0, 255, 255]]);
    }

    #[test]
    fn discs_are_round_and_may_have_holes() {
        let mut sheet = Sheet::new(7, 7);
        sheet.disc((3.5, 3.5), (1.5, 3.5), BLACK);
        let dark = dark(&sheet);
        assert_eq!((dark[3][3], dark[3][0], dark[0][0]), (0, 255, 0));
        assert_eq!(dark[0], dark[6]);
        assert!(dark.iter().all(|row| row.iter().eq(row.iter().rev())));
    }

    #[test]
    fn dashes_leave_gaps() {
        let mut sheet = Sheet::new(12, 1);
        sheet.dashes(((0.5, 0.5), (11.5, 0.5)), (2.0, 4.0), 1.0, BLACK);
        let row = [255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0];
        assert_eq!(dark(&sheet), [row]);
        sheet.dashes(((3.5, 0.5), (3.5, 0.5)), (2.0, 4.0), 1.0, BLACK);
        assert_eq!(dark(&sheet), [row]);
    }
}
