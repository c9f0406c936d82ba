//! The frame of a chart: a plot with axes, and the way from numbers to places in it.

use std::fmt::Write;

use super::escaped;

/// The plot of a chart within its drawing, in pixels of the drawing.
pub(in crate::health) struct Plot {
    pub(in crate::health) width: f64,
    pub(in crate::health) height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (f64, f64),
    y: (f64, f64),
    pub(in crate::health) out: String,
}

impl Plot {
    /// A plot of these ranges, with ticks and the names of its axes.
    pub(in crate::health) fn new(
        size: (f64, f64),
        x: (f64, f64),
        y: (f64, f64),
        names: (&str, &str),
        label: &str,
    ) -> Self {
        let mut plot = Self {
            width: size.0,
            height: size.1,
            left: 58.0,
            right: 14.0,
            top: 10.0,
            bottom: 44.0,
            x: widened(x),
            y: widened(y),
            out: String::new(),
        };
        let _ = write!(
            plot.out,
            "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            size.0,
            size.1,
            escaped(label)
        );
        let (bottom, right) = (plot.height - plot.bottom, plot.width - plot.right);
        for tick in ticks(plot.x) {
            let x = plot.at((tick, 0.0)).0;
            let text = shown(tick);
            let _ = write!(
                plot.out,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                plot.top,
                bottom + 17.0
            );
        }
        for tick in ticks(plot.y) {
            let y = plot.at((0.0, tick)).1;
            let text = shown(tick);
            let _ = write!(
                plot.out,
                "<line class=\"grid\" x1=\"{}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                plot.left,
                plot.left - 7.0,
                y + 4.0
            );
        }
        let middle = (plot.left + right) / 2.0;
        let _ = write!(
            plot.out,
            "<line class=\"axis\" x1=\"{0}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/>\
             <line class=\"axis\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{bottom}\"/>\
             <text x=\"{middle}\" y=\"{2}\" text-anchor=\"middle\">{3}</text>\
             <text transform=\"translate(14 {4}) rotate(-90)\" text-anchor=\"middle\">{5}</text>",
            plot.left,
            plot.top,
            plot.height - 6.0,
            escaped(names.0),
            (plot.top + bottom) / 2.0,
            escaped(names.1),
        );
        plot
    }

    /// Where a point stands in the drawing.
    pub(in crate::health) fn at(&self, point: (f64, f64)) -> (f64, f64) {
        let share =
            |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low)).clamp(-0.02, 1.02);
        let (right, bottom) = (self.width - self.right, self.height - self.bottom);
        (
            self.left + share(point.0, self.x) * (right - self.left),
            bottom - share(point.1, self.y) * (bottom - self.top),
        )
    }

    /// A line through points; `class` is added to its class.
    pub(in crate::health) fn line(&mut self, points: &[(f64, f64)], colour: usize, class: &str) {
        let places: Vec<String> = points
            .iter()
            .filter(|point| point.0.is_finite() && point.1.is_finite())
            .map(|&point| self.at(point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let colour = colour_of(colour);
        let _ = write!(
            self.out,
            "<polyline class=\"line {class}\" style=\"stroke:{colour}\" points=\"{}\"/>",
            places.join(" ")
        );
    }

    /// The dashed line that is expected of nothing, or of everything.
    pub(in crate::health) fn guide(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (self.at(from), self.at(to));
        let _ = write!(
            self.out,
            "<line class=\"guide\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    /// A bar over part of the x axis, from 0 up to `height`.
    pub(in crate::health) fn bar(
        &mut self,
        span: (f64, f64),
        height: f64,
        colour: usize,
        opacity: f64,
        tip: &str,
    ) {
        let ((x1, y1), (x2, y2)) = (self.at((span.0, 0.0)), self.at((span.1, height)));
        let colour = colour_of(colour);
        let _ = write!(
            self.out,
            "<rect x=\"{:.2}\" y=\"{y2:.2}\" width=\"{:.2}\" height=\"{:.2}\" style=\"fill:{colour};opacity:{opacity}\">\
             <title>{}</title></rect>",
            x1 + 0.5,
            (x2 - x1 - 1.0).max(0.5),
            (y1 - y2).max(0.0),
            escaped(tip)
        );
    }

    pub(in crate::health) fn dot(
        &mut self,
        point: (f64, f64),
        radius: f64,
        colour: usize,
        opacity: f64,
    ) {
        let (x, y) = self.at(point);
        let colour = colour_of(colour);
        let _ = write!(
            self.out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" style=\"fill:{colour};opacity:{opacity}\"/>"
        );
    }

    pub(in crate::health) fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// A colour of the page's eight; they come again.
pub(in crate::health) fn colour_of(number: usize) -> String {
    format!("var(--c{})", number % 8)
}

/// A range that is not empty.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    if high > low {
        (low, high)
    } else {
        (low - 0.5, low + 0.5)
    }
}

/// Four to seven round numbers within a range.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let rough = (high - low) / 5.0;
    let unit = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|it| it * unit)
        .find(|step| *step >= rough * 0.99)
        .unwrap_or(unit * 10.0);
    let (first, last) = (
        (low / step - 1e-9).ceil() as i64,
        (high / step + 1e-9).floor() as i64,
    );
    (first..=last.min(first.saturating_add(20)))
        .map(|tick| tick as f64 * step)
        .collect()
}

/// A tick's number, in as few characters as tell it.
fn shown(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&magnitude) {
        format!("{value:.1e}").replace(".0e", "e")
    } else if magnitude >= 1e3 && (value / 1e3).fract().abs() < 1e-9 {
        format!("{}k", value / 1e3)
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks((0.0, 1.0)).len(), 6);
        for range in [(0.0, 7.0), (-3.2, 4.1), (1e6, 1.3e6), (0.0, 1e-9)] {
            let ticks = ticks(range);
            assert!((3..=8).contains(&ticks.len()), "{range:?}: {ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|tick| *tick >= range.0 - 1e-12 && *tick <= range.1 * (1.0 + 1e-12))
            );
        }
        let texts = [0.0, 0.2, 2500.0, 20_000.0, 1.5e7].map(shown);
        assert_eq!(texts, ["0", "0.2", "2500", "20k", "1.5e7"]);
    }
}
