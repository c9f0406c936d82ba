//! The charts of a page.

use std::fmt::Write;

use crate::drift::performance::Metric;
use crate::drift::verdict::Verdict;
use crate::health::drift_report::{Bins, Column, Performance};
use crate::health::evaluation::page::charts::chart;
use crate::health::evaluation::page::escaped;
use crate::health::evaluation::page::svg::{Plot, colour_of};

const SIZE: (f64, f64) = (350.0, 240.0);

/// A distribution within a row of a table.
pub(super) fn small(column: &Column, side: usize) -> String {
    const WIDTH: f64 = 96.0;
    const HEIGHT: f64 = 22.0;
    let shares = column.histogram.shares(side);
    let most = [0, 1]
        .iter()
        .flat_map(|&side| column.histogram.shares(side))
        .fold(0.0, f64::max);
    let bar = WIDTH / shares.len().max(1) as f64;
    // One path, so that a page of many columns stays small.
    let mut path = String::new();
    for (at, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let height = (share / most * HEIGHT).max(0.6);
        let x = at as f64 * bar;
        let _ = write!(
            path,
            "M{x:.1} {HEIGHT}v-{height:.1}h{:.1}v{height:.1}z",
            (bar - 0.6).max(0.6)
        );
    }
    format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\">\
         <path d=\"{path}\" style=\"fill:{}\"/></svg>",
        colour_of(side)
    )
}

/// Both distributions in one chart.
pub(super) fn distribution(out: &mut String, column: &Column) {
    let shares = [0, 1].map(|side| column.histogram.shares(side));
    let most = shares
        .iter()
        .flatten()
        .copied()
        .fold(0.0, f64::max)
        .max(1e-9);
    let note = match (column.verdict(), column.effect()) {
        (verdict, effect) if effect.is_nan() => verdict.to_string(),
        (verdict, effect) => format!("{verdict}, effect {effect:.3}"),
    };
    let svg = match &column.histogram.bins {
        Bins::Edges(edges) if edges.len() > 1 => numbers(column, edges, &shares, most),
        Bins::Edges(_) => return,
        Bins::Names(names) => kinds(column, names, &shares, most),
    };
    let legend = ["reference", "current"].into_iter().enumerate();
    let legend: Vec<(String, String)> = legend
        .map(|(side, name)| {
            let median = column.summaries[side].map(|it| format!(", median {}", short(it.median)));
            (
                colour_of(side),
                format!("{name}{}", median.unwrap_or_default()),
            )
        })
        .collect();
    let mark = if column.verdict() == Verdict::Drift {
        "● "
    } else {
        ""
    };
    chart(
        out,
        &format!("{mark}{}", column.name()),
        &note,
        &svg,
        &legend,
    );
}

fn short(value: f64) -> String {
    let text = if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        format!("{value:.3}")
    } else {
        return format!("{value:.2e}");
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn numbers(column: &Column, edges: &[f64], shares: &[Vec<f64>; 2], most: f64) -> String {
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    let range = if first < last {
        (first, last)
    } else {
        (first - 0.5, first + 0.5)
    };
    let names = ("value", "share of values");
    let mut plot = Plot::new(SIZE, range, (0.0, most * 1.05), names, column.name());
    for (side, shares) in shares.iter().enumerate() {
        for (at, &share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let span = if first < last {
                (edges[at], edges[at + 1])
            } else {
                (first - 0.1, first + 0.1)
            };
            let side_name = ["reference", "current"][side];
            let (from, to) = (short(edges[at]), short(edges[at + 1]));
            let tip = format!("{side_name}: {:.2} % from {from} to {to}", 100.0 * share);
            plot.bar(span, share, side, 0.5, &tip);
        }
    }
    plot.finish()
}

/// Bars beside each other, a pair a kind.
fn kinds(column: &Column, names: &[String], shares: &[Vec<f64>; 2], most: f64) -> String {
    let (row, left, width) = (30.0, 112.0, SIZE.0);
    let height = 10.0 + row * names.len() as f64;
    let scale = (width - left - 52.0) / most;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(column.name())
    );
    for (at, name) in names.iter().enumerate() {
        let y = 6.0 + row * at as f64;
        let cut: String = name.chars().take(15).collect();
        let cut = if cut.len() < name.len() {
            cut + "…"
        } else {
            cut
        };
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}<title>{}</title></text>",
            left - 7.0,
            y + 16.0,
            escaped(&cut),
            escaped(name)
        );
        for (side, shares) in shares.iter().enumerate() {
            let share = shares.get(at).copied().unwrap_or(0.0);
            let y = y + 12.0 * side as f64;
            let _ = write!(
                svg,
                "<rect x=\"{left}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"10\" rx=\"2\" style=\"fill:{};opacity:.75\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{:.1} %</text>",
                (share * scale).max(0.5),
                colour_of(side),
                left + share * scale + 5.0,
                y + 9.5,
                100.0 * share
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Estimated and realised performance, chunk after chunk.
pub(super) fn performance(out: &mut String, performance: &Performance) {
    out.push_str("<div class=\"charts\">\n");
    for metric in [Metric::RocAuc, Metric::Accuracy, Metric::F1] {
        let Ok(before) = performance.reference.of(metric) else {
            continue;
        };
        let middle = |first: usize, rows: usize| first as f64 + rows as f64 / 2.0;
        let chunks = performance.chunks.iter();
        let estimated: Vec<(f64, f64)> = chunks
            .clone()
            .filter_map(|it| Some((middle(it.first_row, it.rows), it.estimated.of(metric).ok()?)))
            .collect();
        let realised: Vec<(f64, f64)> = chunks
            .clone()
            .filter_map(|it| {
                let value = it.realised.as_ref()?.of(metric).ok()?;
                Some((middle(it.first_row, it.rows), value))
            })
            .collect();
        if estimated.is_empty() {
            continue;
        }
        let all = performance
            .chunks
            .last()
            .map_or(1, |it| it.first_row + it.rows) as f64;
        // Of a chunk: chance moves that more than all rows together.
        let chunk_rows = performance.chunks[0].rows.max(1) as f64;
        let error =
            performance.errors[metric as usize].map(|it| 3.0 * it * (all / chunk_rows).sqrt());
        let band = error.unwrap_or(0.0);
        let values = estimated.iter().chain(&realised).map(|it| it.1);
        let low = values.clone().fold(before - band, f64::min).max(0.0);
        let high = values.fold(before + band, f64::max).min(1.0);
        let margin = 0.08 * (high - low).max(0.01);
        let range = (low - margin, high + margin);
        let names = ("current row", metric.name());
        let mut plot = Plot::new(SIZE, (0.0, all), range, names, metric.name());
        plot.guide((0.0, before), (all, before));
        if error.is_some() {
            for limit in [(before - band).max(0.0), (before + band).min(1.0)] {
                plot.guide((0.0, limit), (all, limit));
            }
        }
        plot.line(&estimated, 0, "");
        estimated.iter().for_each(|&it| plot.dot(it, 3.0, 0, 1.0));
        let mut legend = vec![(colour_of(0), "estimated".to_owned())];
        if !realised.is_empty() {
            plot.line(&realised, 1, "");
            realised.iter().for_each(|&it| plot.dot(it, 3.0, 1, 1.0));
            legend.push((colour_of(1), "realised".to_owned()));
        }
        let note = match performance.alarms(metric) {
            true => "beyond chance",
            false => "dashed: the reference, and chance",
        };
        chart(out, metric.name(), note, &plot.finish(), &legend);
    }
    out.push_str("</div>\n");
}
