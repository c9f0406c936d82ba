//! Lines over a common axis: a loss over epochs, a rate over steps.
//!
//! What is not a number is not passed over in silence: it leaves a gap and a mark at the plot's edge.

use embedded_graphics::pixelcolor::Rgb888;

use super::axis::{Axis, MOST};
use super::frame::{Frame, Words};
use crate::figure::sheet::Sheet;
use crate::figure::text::shortened;
use crate::figure::{FigureError, Picture, palette};

/// The size of a plot in pixels.
const SIZE: (u32, u32) = (520, 320);
/// The most characters of a line's name that are drawn.
const MOST_CHARACTERS: usize = 32;
/// Lines of up to so many points have dots.
const DOTTED: usize = 40;
/// The length of the marks of what is not a number.
const MARK: i32 = 7;

/// A chart of one or more lines.
///
/// ```
/// use modelpulse::figure::LineChart;
/// let picture = LineChart::new("loss")
///     .axes("epoch", "cross-entropy")
///     .line("train", [(0.0, 2.3), (1.0, 0.9), (2.0, 0.4)])
///     .line("eval", [(0.0, 2.1), (1.0, 1.0), (2.0, 0.7)])
///     .draw()?;
/// assert!(picture.width() > 520);
/// # Ok::<(), modelpulse::figure::FigureError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct LineChart {
    title: String,
    x: String,
    y: String,
    lines: Vec<(String, Vec<(f64, f64)>)>,
    size: (u32, u32),
}

impl LineChart {
    /// A chart without lines; an empty title takes no room.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x: String::new(),
            y: String::new(),
            lines: Vec::new(),
            size: SIZE,
        }
    }

    /// The names of both axes, with their units.
    pub fn axes(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        (self.x, self.y) = (x.into(), y.into());
        self
    }

    /// Adds a line through `(x, y)` in the order given. A line without a name is not in the legend.
    pub fn line(
        mut self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        self.lines.push((name.into(), points.into_iter().collect()));
        self
    }

    /// The width and the height of the plot, without the words around it, from 100 to 4,000 pixels each.
    /// Default: 520 × 320.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width.clamp(100, 4000), height.clamp(100, 4000));
        self
    }

    /// Draws the chart, its axes just wide enough for all points.
    ///
    /// A `y` that is not finite leaves a gap in its line and a mark at the edge of the plot: at the top for +∞, at the
    /// bottom for −∞ and NaN. A point whose `x` is not finite is left out. Values beyond ±10³⁰⁰ count as infinite.
    /// Lines of up to 40 points have a dot at each. After ten lines the colours come again; names are cut to 32
    /// characters.
    ///
    /// # Errors
    /// [`FigureError::NoPoints`] where no point is finite.
    pub fn draw(&self) -> Result<Picture, FigureError> {
        let places = |axis: fn(&(f64, f64)) -> f64| {
            let points = self.lines.iter().flat_map(|(_, points)| points);
            points.filter(|it| drawable(**it)).map(axis)
        };
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let x = Axis::around(places(|it| it.0), self.size.0 / 60);
        let y = Axis::around(places(|it| it.1), self.size.1 / 40);
        let axes = x.zip(y).ok_or(FigureError::NoPoints)?;
        let named = |(number, (name, _)): (usize, &(String, _))| {
            (!name.is_empty()).then(|| (palette::line(number), shortened(name, MOST_CHARACTERS)))
        };
        let words = Words {
            title: &self.title,
            rest: "",
            x: &self.x,
            y: &self.y,
            legend: self.lines.iter().enumerate().filter_map(named).collect(),
        };
        let (frame, mut sheet) = Frame::draw((width, height), axes, &words, 0);
        for (number, (_, points)) in self.lines.iter().enumerate() {
            draw_line(&frame, &mut sheet, points, palette::line(number));
        }
        Ok(sheet.into_picture())
    }
}

fn drawable((x, y): (f64, f64)) -> bool {
    x.abs() < MOST && y.abs() < MOST
}

fn draw_line(frame: &Frame, sheet: &mut Sheet, points: &[(f64, f64)], colour: Rgb888) {
    let points: Vec<_> = points
        .iter()
        .copied()
        .filter(|it| it.0.abs() < MOST)
        .collect();
    let places: Vec<_> = points
        .iter()
        .map(|&it| {
            if drawable(it) {
                frame.place(it)
            } else {
                (f64::NAN, f64::NAN)
            }
        })
        .collect();
    sheet.line(&places, 2.0, colour.into());
    let lone = |index: usize| {
        let neighbours = [index.wrapping_sub(1), index + 1];
        !neighbours
            .iter()
            .any(|&it| places.get(it).is_some_and(|place| place.0.is_finite()))
    };
    for (index, (&place, &(x, y))) in places.iter().zip(&points).enumerate() {
        if place.0.is_nan() {
            let column = frame.place((x, 0.0)).0 as i32;
            let top = if y > 0.0 {
                frame.top
            } else {
                frame.top + frame.height - MARK
            };
            sheet.rect(column - 1, top, 3, MARK, colour.into());
        } else if points.len() <= DOTTED || lone(index) {
            sheet.disc(place, (0.0, 3.0), colour.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    /// The columns in which the plot, not the legend, has the pure colour of a line, with the number of its pixels.
    fn columns(picture: &Picture, number: usize) -> Vec<(u32, usize)> {
        let colour = palette::line(number);
        let colour = Some([colour.r(), colour.g(), colour.b()]);
        let count = |x: u32| {
            (0..picture.height())
                .filter(|&y| picture.pixel(x, y) == colour)
                .count()
        };
        (0..560)
            .map(|x| (x, count(x)))
            .filter(|it| it.1 > 0)
            .collect()
    }

    fn drawn(points: &[(f64, f64)]) -> Picture {
        LineChart::new("")
            .line("", points.iter().copied())
            .draw()
            .unwrap()
    }

    #[test]
    fn lines_have_their_colours_from_end_to_end() {
        let line = |y: f64| (0..100).map(move |x| (f64::from(x), y));
        let picture = LineChart::new("t")
            .line("a", line(1.0))
            .line("b", line(2.0))
            .draw();
        let picture = picture.unwrap();
        for number in [0, 1] {
            let columns = columns(&picture, number);
            let (first, last) = (columns.first().unwrap().0, columns.last().unwrap().0);
            // All but the room at both ends.
            assert_eq!(columns.len() as u32, last - first + 1);
            assert!((475..490).contains(&columns.len()), "{}", columns.len());
        }
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap_and_a_mark() {
        let mut points: Vec<_> = (0..100).map(|x| (f64::from(x), 1.0)).collect();
        let whole = columns(&drawn(&points), 0).len();
        for y in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            points[50].1 = y;
            let columns = columns(&drawn(&points), 0);
            // About 10 columns less, and 3 of a mark.
            assert!(
                (whole - 9..whole - 3).contains(&columns.len()),
                "{}",
                columns.len()
            );
            let marks = columns.iter().filter(|it| it.1 == MARK as usize);
            assert_eq!(marks.count(), 3);
        }
        points[50] = (f64::NAN, 1.0);
        assert_eq!(columns(&drawn(&points), 0).len(), whole);
    }

    #[test]
    fn a_lone_point_is_seen() {
        assert!(columns(&drawn(&[(3.0, 7.0)]), 0).len() >= 4);
        let mut points = vec![(0.0, f64::NAN); 100];
        points[50] = (1.0, 1.0);
        assert!(columns(&drawn(&points), 0).len() > 3);
    }

    #[test]
    fn same_input_gives_the_same_picture() {
        let points = (0..90).map(|x| (f64::from(x), f64::from(x * x % 37) / 7.0));
        let picture = LineChart::new("fingerprint")
            .axes("x", "y")
            .line("l", points)
            .draw()
            .unwrap();
        let sum = |sum: u32, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
        // Changes only when the looks do: look at the picture, then write the new number here.
        assert_eq!(picture.rgb().iter().fold(0, sum), 2_715_495_983);
    }

    #[test]
    fn charts_of_any_words_and_sizes_are_drawn() {
        let long = "a name that is too long for any legend, or a title that is too long for any chart at all";
        let chart = LineChart::new(long).axes(long, "\0\n").size(0, u32::MAX);
        let picture = chart
            .line(long, [(1e299, -1e299), (-1e299, 1e299)])
            .draw()
            .unwrap();
        assert!(picture.height() > 4000);
    }

    #[test]
    fn a_chart_without_points_is_an_error() {
        for points in [&[][..], &[(f64::NAN, 1.0)], &[(1.0, f64::INFINITY)]] {
            let chart = LineChart::new("t").line("a", points.iter().copied());
            assert_eq!(chart.draw(), Err(FigureError::NoPoints));
        }
    }
}
