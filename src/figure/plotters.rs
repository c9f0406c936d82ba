//! Anything that the crate `plotters` draws, as a picture, without font files or system libraries.
//!
//! Text is in the bitmap faces of the other figures, so what plotters lays out by the size of a text is laid out by
//! its true size here; only the box of a legend is guessed by plotters itself.

mod face;

use std::convert::Infallible;
use std::error::Error;

use embedded_graphics::pixelcolor::Rgb888;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use self::face::{extent, face};
use super::sheet::{Ink, Sheet, Turn};
use super::{FigureError, LIMIT, Picture};

/// Draws with `plotters` on a white picture of `width` × `height` pixels.
///
/// `plot` gets the whole picture as a plotters `DrawingArea`; what it draws outside is dropped. Its error ends up in
/// [`FigureError::Drawing`]. Lines have soft edges. Text is in bitmap fonts of fixed width, whatever family is asked
/// for (ISO 8859-1; other characters become question marks), in the size that comes nearest: 11, 13, 15, 20 and 22
/// are met well, and from about 28 on pixels are doubled and so on. A bold style is met in sizes up to 20. A legend of
/// long labels needs a `label_font` of size 13: plotters guesses the width of the box, too low for its default of 12.
///
/// The crate draws by `plotters` 0.3; so must `plot`.
///
/// # Errors
///
/// [`FigureError::Empty`] of 0 pixels, [`FigureError::TooLarge`] above 2²⁶, and [`FigureError::Drawing`].
///
/// ```
/// use modelpulse::figure;
/// use plotters::prelude::*;
///
/// let picture = figure::draw(320, 200, |root| {
///     let mut chart = ChartBuilder::on(root)
///         .caption("loss", ("sans-serif", 15))
///         .margin(10)
///         .x_label_area_size(25)
///         .y_label_area_size(35)
///         .build_cartesian_2d(0.0..10.0, 0.0..1.0)?;
///     chart.configure_mesh().draw()?;
///     let points = (0..=100).map(|i| (f64::from(i) / 10.0, 1.0 / f64::from(1 + i)));
///     chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
///     Ok(())
/// })?;
/// assert_eq!((picture.width(), picture.height()), (320, 200));
/// # Ok::<(), figure::FigureError>(())
/// ```
pub fn draw<F>(width: u32, height: u32, plot: F) -> Result<Picture, FigureError>
where
    F: for<'a> FnOnce(
        &DrawingArea<PlottersBackend<'a>, Shift>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>,
{
    if width == 0 || height == 0 {
        return Err(FigureError::Empty);
    }
    if u64::from(width) * u64::from(height) > LIMIT {
        return Err(FigureError::TooLarge {
            width: width.into(),
            height: height.into(),
            limit: LIMIT,
        });
    }
    let mut sheet = Sheet::new(width, height);
    let root = PlottersBackend { sheet: &mut sheet }.into_drawing_area();
    let drawn = plot(&root);
    drop(root);
    match drawn {
        Ok(()) => Ok(sheet.into_picture()),
        Err(error) => Err(FigureError::Drawing(error.to_string())),
    }
}

/// What `plotters` draws on in [`draw`].
///
/// ```
/// use modelpulse::figure::{self, PlottersBackend};
/// use plotters::{coord::Shift, prelude::*};
///
/// type Failed = Box<dyn std::error::Error + Send + Sync>;
///
/// fn half(area: &DrawingArea<PlottersBackend<'_>, Shift>) -> Result<(), Failed> {
///     let (left, _right) = area.split_horizontally(4);
///     left.fill(&RED)?;
///     Ok(())
/// }
///
/// let picture = figure::draw(8, 1, half)?;
/// assert_eq!(picture.pixel(0, 0), Some([255, 0, 0]));
/// assert_eq!(picture.pixel(7, 0), Some([255, 255, 255]));
/// # Ok::<(), figure::FigureError>(())
/// ```
#[derive(Debug)]
pub struct PlottersBackend<'a> {
    sheet: &'a mut Sheet,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for PlottersBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.sheet.size()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.sheet.blend(x, y, ink(color), 1.0);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (left, right) = (left.min(right), left.max(right));
        let (top, bottom) = (top.min(bottom), top.max(bottom));
        if !fill {
            let corners = [
                (left, top),
                (right, top),
                (right, bottom),
                (left, bottom),
                (left, top),
            ];
            return self.draw_path(corners, style);
        }
        let pixels = |from: i32, to: i32| to.saturating_sub(from).saturating_add(1);
        let (width, height) = (pixels(left, right), pixels(top, bottom));
        self.sheet
            .rect(left, top, width, height, ink(style.color()));
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let points: Vec<_> = path.into_iter().map(middle).collect();
        if style.stroke_width() > 0 {
            let width = f64::from(style.stroke_width());
            self.sheet.line(&points, width, ink(style.color()));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let (radius, half) = (f64::from(radius), f64::from(style.stroke_width()) / 2.0);
        let radii = if fill {
            (0.0, radius)
        } else {
            ((radius - half).max(0.0), radius + half)
        };
        self.sheet.disc(middle(center), radii, ink(style.color()));
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        let points: Vec<_> = vert.into_iter().map(middle).collect();
        self.sheet.area(&points, ink(style.color()));
        Ok(())
    }

    fn draw_text<TStyle: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &TStyle,
        pos: BackendCoord,
    ) -> Drawn {
        let (face, scale) = face(style);
        let (width, height) = extent(text, style);
        let dx = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -width / 2,
            HPos::Right => -width,
        };
        let dy = match style.anchor().v_pos {
            VPos::Top => 0,
            // By what is seen: the capitals and digits.
            VPos::Center => -scale * face.rise - scale * face.cap / 2,
            VPos::Bottom => -height,
        };
        let turn = match style.transform() {
            FontTransform::None => Turn::None,
            FontTransform::Rotate90 => Turn::Right,
            FontTransform::Rotate180 => Turn::Over,
            FontTransform::Rotate270 => Turn::Left,
        };
        self.sheet
            .text(pos, (dx, dy), (face, scale, turn), ink(style.color()), text);
        Ok(())
    }

    fn estimate_text_size<TStyle: BackendTextStyle>(
        &self,
        text: &str,
        style: &TStyle,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let (width, height) = extent(text, style);
        Ok((width.unsigned_abs(), height.unsigned_abs()))
    }

    fn blit_bitmap(&mut self, pos: BackendCoord, (width, _): (u32, u32), src: &[u8]) -> Drawn {
        let rows = src.chunks_exact((width as usize).saturating_mul(3).max(1));
        for (y, row) in (pos.1..).zip(rows) {
            for (x, &[r, g, b]) in (pos.0..).zip(row.as_chunks().0) {
                self.sheet.blend(x, y, Rgb888::new(r, g, b).into(), 1.0);
            }
        }
        Ok(())
    }
}

/// Plotters counts pixels, the sheet measures.
fn middle((x, y): BackendCoord) -> (f64, f64) {
    (f64::from(x) + 0.5, f64::from(y) + 0.5)
}

fn ink(BackendColor { alpha, rgb }: BackendColor) -> Ink {
    Ink {
        colour: Rgb888::new(rgb.0, rgb.1, rgb.2),
        opacity: alpha,
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::*;

    use super::*;

    /// The columns and rows of the first and the last pixel that is not white.
    fn bounds(picture: &Picture) -> ((u32, u32), (u32, u32)) {
        let at = |(x, y): &(u32, u32)| picture.pixel(*x, *y) != Some([255; 3]);
        let all = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
        let inked: Vec<_> = all.filter(at).collect();
        let range = |of: fn(&(u32, u32)) -> u32| {
            let least = inked.iter().map(of).min().unwrap();
            (least, inked.iter().map(of).max().unwrap())
        };
        (range(|it| it.0), range(|it| it.1))
    }

    fn lettered(h: HPos, v: VPos, turn: FontTransform) -> ((u32, u32), (u32, u32)) {
        let picture = draw(100, 100, |root| {
            let style = ("sans-serif", 15).into_font().transform(turn).color(&BLACK);
            let style = style.pos(plotters::style::text_anchor::Pos::new(h, v));
            Ok(root.draw_text("HHH", &style, (50, 50))?)
        });
        bounds(&picture.unwrap())
    }

    #[test]
    fn text_lies_at_its_anchor_however_it_is_turned() {
        // The text is 21 wide and 13 high, with a gap of some pixels around its capitals.
        let near = |(from, to): (u32, u32), expected: (i32, i32)| {
            let off = |is: u32, wanted: i32| (is as i32 - 50 - wanted).abs() <= 2;
            assert!(
                off(from, expected.0) && off(to, expected.1),
                "{from}..{to} {expected:?}"
            );
        };
        let none = || FontTransform::None;
        for (h, x) in [
            (HPos::Left, (0, 20)),
            (HPos::Center, (-10, 10)),
            (HPos::Right, (-21, -1)),
        ] {
            for (v, y) in [
                (VPos::Top, (2, 10)),
                (VPos::Center, (-4, 4)),
                (VPos::Bottom, (-11, -3)),
            ] {
                let (columns, rows) = lettered(h, v, none());
                near(columns, x);
                near(rows, y);
                let (columns, rows) = lettered(h, v, FontTransform::Rotate90);
                near(rows, x);
                near(columns, (-y.1 - 1, -y.0 - 1));
                let (columns, rows) = lettered(h, v, FontTransform::Rotate270);
                near(rows, (-x.1 - 1, -x.0 - 1));
                near(columns, y);
                let (columns, _) = lettered(h, v, FontTransform::Rotate180);
                near(columns, (-x.1 - 1, -x.0 - 1));
            }
        }
    }

    #[test]
    fn colours_mix_with_what_is_below() {
        let picture = draw(2, 1, |root| Ok(root.fill(&BLACK.mix(0.5))?)).unwrap();
        assert_eq!(picture.rgb(), [128; 6]);
    }

    #[test]
    fn shapes_far_outside_and_odd_ones_do_not_panic() {
        let far = [(i32::MIN, i32::MAX), (i32::MAX, i32::MIN), (0, 0)];
        let picture = draw(9, 9, |root| {
            let style = ShapeStyle::from(BLACK).stroke_width(3);
            root.draw(&PathElement::new(far.to_vec(), style))?;
            root.draw(&PathElement::new(Vec::new(), style))?;
            root.draw(&Polygon::new(far.to_vec(), BLACK))?;
            root.draw(&Polygon::new(Vec::new(), BLACK))?;
            root.draw(&Rectangle::new([far[0], far[1]], style))?;
            root.draw(&Circle::new(far[0], u32::MAX, style))?;
            root.draw(&Text::new("\u{0}\n漢", far[1], ("serif", 1e300)))?;
            Ok(())
        });
        assert!(picture.is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        assert_eq!(draw(0, 5, |_| Ok(())), Err(FigureError::Empty));
        let error = draw(1 << 16, 1 << 16, |_| Ok(())).unwrap_err();
        assert!(matches!(error, FigureError::TooLarge { .. }), "{error}");
        let error = draw(1, 1, |_| Err("no data".into())).unwrap_err();
        assert_eq!(error.to_string(), "cannot plot: no data");
    }
}
