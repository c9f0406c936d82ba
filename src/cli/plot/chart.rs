//! Charts as pictures, drawn by plotters: PNG in the bitmap fonts of the figures, SVG in the reader's own.

use std::error::Error;

use anyhow::Context;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::Chart;
use super::reduced::Line;
use crate::figure;
use crate::summary::Image;

type Drawn = Result<(), Box<dyn Error + Send + Sync>>;

/// The same palette as that of the figures, and as TensorBoard tells runs apart: by hue.
fn colour(index: usize) -> RGBColor {
    const COLOURS: [(u8, u8, u8); 10] = [
        (31, 119, 180),
        (255, 127, 14),
        (44, 160, 44),
        (214, 39, 40),
        (148, 103, 189),
        (140, 86, 75),
        (227, 119, 194),
        (127, 127, 127),
        (188, 189, 34),
        (23, 190, 207),
    ];
    let (red, green, blue) = COLOURS[index % COLOURS.len()];
    RGBColor(red, green, blue)
}

/// The colours of alerts that are pending and that fire.
const PENDING: RGBColor = RGBColor(255, 165, 0);
const FIRING: RGBColor = RGBColor(214, 39, 40);

/// The bytes of a PNG file with the charts one below the other, each of `size` pixels.
pub(in crate::cli) fn png(charts: &[Chart], x: &str, size: (u32, u32)) -> anyhow::Result<Vec<u8>> {
    let (width, height) = (size.0, size.1.saturating_mul(charts.len() as u32));
    let picture = figure::draw(width, height, |root| draw_all(root, charts, x))
        .context("cannot draw the charts")?;
    let image = Image::rgb(picture.width(), picture.height(), picture.rgb())?;
    Ok(image.png().to_vec())
}

/// The text of an SVG file likewise.
pub(in crate::cli) fn svg(charts: &[Chart], x: &str, size: (u32, u32)) -> anyhow::Result<String> {
    let mut text = String::new();
    let height = size.1.saturating_mul(charts.len() as u32);
    {
        let root = SVGBackend::with_string(&mut text, (size.0, height)).into_drawing_area();
        root.fill(&WHITE)
            .map_err(|error| anyhow::anyhow!("cannot draw the charts: {error}"))?;
        draw_all(&root, charts, x)
            .and_then(|()| Ok(root.present().map_err(|error| error.to_string())?))
            .map_err(|error| anyhow::anyhow!("cannot draw the charts: {error}"))?;
    }
    Ok(text)
}

fn draw_all<B: DrawingBackend>(root: &DrawingArea<B, Shift>, charts: &[Chart], x: &str) -> Drawn {
    let places = root.split_evenly((charts.len(), 1));
    for (place, chart) in places.iter().zip(charts) {
        draw(place, chart, x).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn draw<B: DrawingBackend>(
    place: &DrawingArea<B, Shift>,
    chart: &Chart,
    x: &str,
) -> Result<(), String> {
    fn said<E: Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> String {
        error.to_string()
    }
    let ((left, right), (bottom, top)) = ranges(chart);
    let mut context = ChartBuilder::on(place)
        .caption(chart.tag.as_str(), ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(left..right, bottom..top)
        .map_err(said)?;
    context
        .configure_mesh()
        .x_desc(chart.overlay.x.unwrap_or(x))
        .light_line_style(WHITE)
        .bold_line_style(RGBColor(225, 225, 225))
        .x_label_formatter(&|value| short(*value, right - left))
        .y_label_formatter(&|value| short(*value, top - bottom))
        .label_style(("sans-serif", 13))
        .draw()
        .map_err(said)?;
    for (name, fires, colour) in [("pending", false, PENDING), ("firing", true, FIRING)] {
        let spans = chart.overlay.spans.iter();
        let spans =
            spans.filter(|(from, to, is)| *is == fires && from.is_finite() && to.is_finite());
        // What began and ended at one point is to be seen too.
        let least = (right - left) / 300.0;
        let mut areas = spans
            .map(|&(from, to, _)| {
                Rectangle::new(
                    [(from, bottom), (to.max(from + least), top)],
                    colour.mix(0.2).filled(),
                )
            })
            .peekable();
        if areas.peek().is_some() {
            let series = context.draw_series(areas).map_err(said)?;
            series.label(name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 5), (x + 16, y + 5)], colour.mix(0.2).filled())
            });
        }
    }
    if let Some(threshold) = chart.overlay.threshold.filter(|it| it.is_finite()) {
        let points = [(left, threshold), (right, threshold)];
        let dashes = DashedLineSeries::new(points, 6, 4, FIRING.stroke_width(1));
        let series = context.draw_series(dashes).map_err(said)?;
        series
            .label(format!("threshold {}", short(threshold, threshold.abs())))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], FIRING.stroke_width(1)));
    }
    for (index, line) in chart.lines.iter().enumerate() {
        let colour = colour(index);
        let (behind, front) = match line.smoothed() {
            Some(smoothed) => (line.values(), smoothed),
            None => (Vec::new(), line.values()),
        };
        for stretch in behind {
            let faint = colour.mix(0.25).stroke_width(1);
            context
                .draw_series(LineSeries::new(stretch, faint))
                .map_err(said)?;
        }
        let mut label = Some(label(line));
        for stretch in front {
            // A lone point would be no line.
            if let [point] = stretch[..] {
                let dot = Circle::new(point, 2, colour.filled());
                context.draw_series([dot]).map_err(said)?;
            }
            let series = context
                .draw_series(LineSeries::new(stretch, colour.stroke_width(2)))
                .map_err(said)?;
            if let Some(label) = label.take() {
                series.label(label).legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2))
                });
            }
        }
        for (x, value) in line.marks() {
            let y = if value > 0.0 { top } else { bottom };
            let mark = TriangleMarker::new((x, y), 5, colour.filled());
            context.draw_series([mark]).map_err(said)?;
        }
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(RGBColor(200, 200, 200))
        .label_font(("sans-serif", 13))
        .draw()
        .map_err(said)
}

/// A line's name in a legend.
pub(super) fn label(line: &Line) -> String {
    match line.nonfinite {
        0 => line.run.to_string(),
        count => format!("{} ({count} not finite)", line.run),
    }
}

/// What a chart shows from left to right and from bottom to top, with a little room, and never nothing.
pub(super) fn ranges(chart: &Chart) -> ((f64, f64), (f64, f64)) {
    let join = |ranges: &mut dyn Iterator<Item = (f64, f64)>| {
        ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    };
    let x = join(&mut chart.lines.iter().filter_map(Line::range)).unwrap_or((0.0, 1.0));
    let threshold = chart.overlay.threshold.filter(|it| it.is_finite());
    let bounds = chart.lines.iter().filter_map(Line::bounds);
    let mut bounds = bounds.chain(threshold.map(|it| (it, it)));
    let y = join(&mut bounds).unwrap_or((0.0, 1.0));
    let x = if x.0 < x.1 { x } else { (x.0 - 0.5, x.0 + 0.5) };
    // Halved, so that nothing overflows.
    let room = (y.1 / 2.0 - y.0 / 2.0) * 0.1;
    let size = y.0.abs().max(y.1.abs()).max(1e-12);
    let room = if room > size * 1e-12 {
        room
    } else {
        size * 0.1
    };
    (
        x,
        (
            (y.0 - room).max(f64::MIN / 4.0),
            (y.1 + room).min(f64::MAX / 4.0),
        ),
    )
}

/// A number of an axis that spans `span`, in few characters.
pub(super) fn short(value: f64, span: f64) -> String {
    if value.abs() < span * 1e-9 {
        return "0".to_owned();
    }
    if (1e-3..1e6).contains(&value.abs()) {
        // As many digits as tell neighbours apart.
        let digits = (2.0 - span.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.digits$}");
        return if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
    }
    format!("{value:.2e}")
}

#[cfg(test)]
mod tests {
    use super::super::Overlay;
    use super::*;

    fn chart(points: &[(f64, f64)]) -> Chart {
        let mut line = Line::new("train".into(), true);
        points.iter().for_each(|it| line.widen(it.0));
        points.iter().for_each(|it| line.add(it.0, it.1, it.1));
        let (tag, lines) = ("loss & <more>".into(), vec![line]);
        let overlay = Overlay {
            threshold: Some(0.5),
            spans: vec![(0.0, 1.0, true), (f64::NAN, 2.0, false)],
            ..Overlay::default()
        };
        Chart {
            tag,
            lines,
            overlay,
        }
    }

    #[test]
    fn any_points_are_drawn_in_either_form() {
        for points in [
            &[][..],
            &[(3.0, 0.0)],
            &[(0.0, f64::NAN), (1.0, f64::INFINITY)],
            &[(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 2.0)],
            &[(-9.2e18, f64::MAX), (9.2e18, f64::MIN)],
            &[(0.0, 1e-320), (1.0, 2e-320)],
        ] {
            let charts = [chart(points), chart(points)];
            let png = png(&charts, "step", (300, 200)).unwrap();
            let image = Image::from_png(png).unwrap();
            assert_eq!((image.width(), image.height()), (300, 400));
            let svg = svg(&charts, "step", (300, 200)).unwrap();
            assert!(
                svg.contains("loss &amp; &lt;more&gt;") && svg.ends_with("</svg>\n"),
                "{svg}"
            );
        }
    }

    #[test]
    fn numbers_are_short_and_apart() {
        assert_eq!(short(0.5, 1.0), "0.5");
        assert_eq!(short(1500.0, 3000.0), "1500");
        assert_eq!(short(1e-12, 1.0), "0");
        assert_eq!(short(0.97125, 0.01), "0.9712");
        assert_eq!(short(2.5e7, 1e8), "2.50e7");
    }
}
