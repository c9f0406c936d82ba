//! An inspection for people: a table a run, the files below it.

use std::io::{self, Write};
use std::path::Path;

use super::relative;
use crate::log::{Inspection, SeriesSummary};

pub(super) fn write(out: &mut impl Write, logdir: &Path, found: &Inspection) -> io::Result<()> {
    for (name, run) in &found.runs {
        writeln!(out, "{name}")?;
        let mut lines = vec![
            [
                "TAG", "KIND", "COUNT", "STEPS", "LAST", "MIN", "MAX", "COURSE",
            ]
            .map(str::to_owned),
        ];
        let series = run.series.iter();
        lines.extend(series.map(|(tag, series)| line(tag.as_str(), series)));
        if lines.len() > 1 {
            write_table(out, &lines)?;
        } else {
            writeln!(out, "  no values")?;
        }
        writeln!(out)?;
    }
    let mut lines = vec![["FILE", "BYTES", "RECORDS", "DAMAGE"].map(str::to_owned)];
    lines.extend(found.files.iter().map(|file| {
        let damage = match (file.problems.len(), file.recovered) {
            (0, _) => String::new(),
            (places, 0) => format!("{places} places"),
            (places, recovered) => {
                format!("{places} places, {recovered} records recovered behind them")
            }
        };
        [
            escape(&relative(logdir, &file.path)),
            indicatif::HumanBytes(file.bytes).to_string(),
            file.records.to_string(),
            damage.replace("1 places", "1 place"),
        ]
    }));
    write_table(out, &lines)
}

fn line(tag: &str, series: &SeriesSummary) -> [String; 8] {
    let number = |number: Option<f64>| number.map_or_else(String::new, short);
    let steps = match (series.first(), series.last()) {
        (Some((first, _)), Some((last, _))) if first == last => first.to_string(),
        (Some((first, _)), Some((last, _))) => format!("{first}–{last}"),
        _ => String::new(),
    };
    let kind = match &*series.plugin {
        "" => "tensor",
        plugin => plugin,
    };
    let mut course = sparkline(&series.course());
    if series.nonfinite() > 0 {
        course += &format!(" {} not finite", series.nonfinite());
    }
    [
        escape(tag),
        escape(kind),
        series.count().to_string(),
        steps,
        number(series.last_number()),
        number(series.min()),
        number(series.max()),
        course,
    ]
}

/// Four digits that count.
pub(in crate::cli) fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    match number.abs() {
        size if (1e-3..1e4).contains(&size) => {
            let digits = 3 - size.log10().floor() as i32;
            let text = format!("{number:.*}", digits.max(0) as usize);
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        _ => format!("{number:.3e}"),
    }
}

/// Text on one line of a terminal.
pub(in crate::cli) fn escape(text: &str) -> String {
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escape).collect()
}

/// A series in one line of blocks; `!` where nothing was finite.
pub(in crate::cli) fn sparkline(course: &[f64]) -> String {
    const WIDTH: usize = 24;
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let width = WIDTH.min(course.len());
    let mean = |column: usize| {
        let stretch = &course[column * course.len() / width..(column + 1) * course.len() / width];
        let finite: Vec<f64> = stretch
            .iter()
            .copied()
            .filter(|mean| mean.is_finite())
            .collect();
        finite.iter().sum::<f64>() / finite.len() as f64
    };
    let means: Vec<f64> = (0..width).map(mean).collect();
    let finite = || means.iter().copied().filter(|mean| mean.is_finite());
    let (min, max) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let block = |mean: &f64| match mean {
        mean if !mean.is_finite() => '!',
        _ if max <= min => BLOCKS[3],
        mean => {
            // Halved, for the range of all doubles overflows.
            let part = (mean / 2.0 - min / 2.0) / (max / 2.0 - min / 2.0);
            BLOCKS[((part * 8.0) as usize).min(7)]
        }
    };
    means.iter().map(block).collect()
}

/// Names to the left, numbers to the right, and what comes last to the left.
pub(in crate::cli) fn write_table<const N: usize>(
    out: &mut impl Write,
    lines: &[[String; N]],
) -> io::Result<()> {
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for line in lines {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let is_name = column == 0 || column + 1 == N || (N == 8 && column == 1);
            text += &if is_name {
                format!("  {cell:<width$}")
            } else {
                format!("  {cell:>width$}")
            };
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_rises_with_its_numbers_and_marks_what_is_not_finite() {
        let rising: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(sparkline(&rising), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[1.0, f64::NAN, 1.0]), "▄!▄");
        assert_eq!(sparkline(&[f64::MIN, f64::MAX]), "▁█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&vec![0.5; 1000]).chars().count(), 24);
    }

    #[test]
    fn numbers_keep_the_digits_that_count() {
        let texts = [0.0, 0.25, 1234.56, 99_999.0, 1e-9, -0.1, 2.0, f64::NAN].map(short);
        let expected = [
            "0", "0.25", "1235", "1.000e5", "1.000e-9", "-0.1", "2", "NaN",
        ];
        assert_eq!(texts, expected);
    }
}
