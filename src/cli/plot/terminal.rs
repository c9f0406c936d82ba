//! Charts of characters: each is a field of 2 × 4 dots of the Braille patterns (U+2800 to U+28FF).

use std::fmt::Write;

use super::Chart;
use super::chart::{label, ranges, short};
use crate::cli::json::shown;

/// Characters left of the field, for the numbers there.
const MARGIN: usize = 10;
/// Colours of terminals (ECMA-48), one a line.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

/// The size of a chart that fits the terminal.
pub(super) fn size() -> (u32, u32) {
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| u32::from(width.0));
    (width.clamp(30, 160), 16)
}

/// The dots of a chart.
struct Field {
    width: usize,
    /// Of each character its dots, and the line that was drawn there last.
    cells: Vec<(u8, usize)>,
}

impl Field {
    /// Sets a dot, counted from the upper left.
    fn dot(&mut self, x: usize, y: usize, line: usize) {
        /// The bits of a character's dots, by row and column.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let index = y / 4 * self.width + x / 2;
        if let Some(cell) = self.cells.get_mut(index).filter(|_| x < 2 * self.width) {
            *cell = (cell.0 | BITS[y % 4][x % 2], line);
        }
    }

    /// Sets the dots from one to the other.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), line: usize) {
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil();
        let steps = length.clamp(1.0, 10_000.0) as usize;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let (x, y) = (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            );
            self.dot(x.round() as usize, y.round() as usize, line);
        }
    }
}

/// A chart of `size` characters, with its title and its legend.
pub(super) fn draw(chart: &Chart, x: &str, size: (u32, u32), colours: bool) -> String {
    let width = (size.0 as usize).saturating_sub(MARGIN).clamp(10, 1000);
    let height = (size.1 as usize).clamp(3, 200);
    let mut field = Field {
        width,
        cells: vec![(0, 0); width * height],
    };
    let ((left, right), (bottom, top)) = ranges(chart);
    let place = |(x, y): (f64, f64)| {
        let column = (x - left) / (right - left) * (2 * width - 1) as f64;
        let row = (top - y) / (top - bottom) * (4 * height - 1) as f64;
        (column, row)
    };
    for (index, line) in chart.lines.iter().enumerate() {
        for stretch in line.smoothed().unwrap_or_else(|| line.values()) {
            let places: Vec<_> = stretch.into_iter().map(place).collect();
            if let [only] = places[..] {
                field.line(only, only, index);
            }
            for pair in places.windows(2) {
                field.line(pair[0], pair[1], index);
            }
        }
    }
    // What is not finite has a character of its own at the edge, above all that was drawn.
    let mut marks = vec![None; width * height];
    for (index, line) in chart.lines.iter().enumerate() {
        for (x, value) in line.marks() {
            let column = (place((x, bottom)).0 as usize / 2).min(width - 1);
            let row = if value > 0.0 { 0 } else { height - 1 };
            marks[row * width + column] = Some(index);
        }
    }
    let painted = |text: &str, line: usize| match colours {
        true => format!("\x1b[{}m{text}\x1b[0m", COLOURS[line % COLOURS.len()]),
        false => text.to_owned(),
    };

    let mut out = format!("{:>MARGIN$}{}\n", "", chart.tag);
    for row in 0..height {
        let share = row as f64 / (height - 1) as f64;
        let number = if row % 5 == 0 || row == height - 1 {
            short(top - (top - bottom) * share, top - bottom)
        } else {
            String::new()
        };
        let _ = write!(out, "{number:>8} │");
        for column in 0..width {
            let index = row * width + column;
            let (dots, line) = field.cells[index];
            match marks[index] {
                Some(line) => out += &painted("×", line),
                None if dots == 0 => out.push(' '),
                None => {
                    let character = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                    out += &painted(character.encode_utf8(&mut [0; 4]), line);
                }
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    let _ = writeln!(out, "{:>8} └{}", "", "─".repeat(width));
    let (from, to) = (short(left, right - left), short(right, right - left));
    let room = width.saturating_sub(from.chars().count() + to.chars().count());
    let _ = writeln!(out, "{:MARGIN$}{from}{x:^room$}{to}", "");
    for (index, line) in chart.lines.iter().enumerate() {
        let name = label(line);
        let last = shown(line.last);
        let _ = writeln!(
            out,
            "{:MARGIN$}{} {name}  last {last}",
            "",
            painted("━━", index)
        );
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::super::reduced::Line;
    use super::*;

    fn chart(points: &[(f64, f64)]) -> Chart {
        let mut line = Line::new("train".into(), false);
        points.iter().for_each(|it| line.widen(it.0));
        points.iter().for_each(|it| line.add(it.0, it.1, it.1));
        Chart {
            tag: "loss".into(),
            lines: vec![line],
            overlay: super::super::Overlay::default(),
        }
    }

    #[test]
    fn a_falling_line_falls() {
        let points: Vec<_> = (0..=100).map(|x| (f64::from(x), f64::from(-x))).collect();
        let text = draw(&chart(&points), "step", (40, 10), false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].trim(), "loss");
        // Each row is filled further to the right than the one above.
        let last = |line: &str| {
            line.chars()
                .position(|it| ('\u{2801}'..='\u{28ff}').contains(&it))
        };
        let starts: Vec<_> = lines[1..11].iter().filter_map(|line| last(line)).collect();
        assert!(
            starts.len() >= 8 && starts.is_sorted_by(|a, b| a < b),
            "{text}"
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 41),
            "{text}"
        );
        assert!(text.contains("━━ train  last -100"), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn what_is_not_finite_is_marked() {
        let points = [
            (0.0, 1.0),
            (5.0, f64::NAN),
            (9.0, f64::INFINITY),
            (10.0, 2.0),
        ];
        let text = draw(&chart(&points), "step", (40, 6), true);
        assert_eq!(text.matches('×').count(), 2, "{text}");
        assert!(
            text.contains("(2 not finite)") && text.contains("\x1b[36m"),
            "{text}"
        );
    }

    #[test]
    fn any_size_is_drawn() {
        for size in [(0, 0), (8, 4), (5000, 5000)] {
            for points in [&[][..], &[(1e300, -1e300), (f64::MAX, f64::MAX)]] {
                assert!(draw(&chart(points), "step", size, false).contains('└'));
            }
        }
    }
}
