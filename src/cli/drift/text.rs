//! A comparison as a table on a terminal.

use std::io::{self, Write};

use crate::cli::inspect::{escape, short, write_table};
use crate::drift::performance::Metric;
use crate::drift::verdict::Verdict;
use crate::health::drift_report::{Column, Report};

pub(super) fn report(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for (side, what) in ["reference", "current"].into_iter().enumerate() {
        let (file, rows) = (report.files[side].display(), report.rows[side]);
        writeln!(out, "{what:<10} {file}, {rows} rows")?;
    }
    for (column, why) in &report.left_out {
        writeln!(out, "left out   {}: {why}", escape(column))?;
    }
    if !report.added.is_empty() {
        writeln!(out, "new        {}", escape(&report.added.join(", ")))?;
    }
    writeln!(out)?;
    let heading = [
        "COLUMN",
        "REFERENCE",
        "CURRENT",
        "TEST",
        "SCORE",
        "P",
        "EFFECT",
        "MISSING",
        "VERDICT",
    ];
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(report.ranked().into_iter().map(line));
    let gone = report.gone.iter().map(|name| {
        let mut cells: [String; 9] = Default::default();
        cells[0] = escape(name);
        cells[8] = "gone".to_owned();
        cells
    });
    lines.extend(gone);
    write_table(out, &lines)?;
    notes(out, report)?;
    performance(out, report)?;
    writeln!(out, "\n{}", sentence(report))
}

/// So many bars fit beside each other twice.
const BARS: usize = 12;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A distribution in bars, of which both sides have the same scale.
fn bars(column: &Column, side: usize) -> String {
    let grouped = |side: usize| -> Vec<f64> {
        let shares = column.histogram.shares(side);
        let size = shares.len().div_ceil(BARS).max(1);
        shares
            .chunks(size)
            .map(|group| group.iter().sum())
            .collect()
    };
    let most = [0, 1].into_iter().flat_map(grouped).fold(0.0, f64::max);
    let block = |share: f64| match share {
        0.0 => BLOCKS[0],
        share => BLOCKS[((share / most * 8.0).ceil() as usize).clamp(1, 8)],
    };
    grouped(side).into_iter().map(block).collect()
}

fn line(column: &Column) -> [String; 9] {
    let [test, score, p_value, effect] = found(column);
    let rates = column.judged.missing_rates;
    let percent = |rate: f64| format!("{:.1}%", 100.0 * rate);
    let missing = match rates {
        [0.0, 0.0] => String::new(),
        [before, now] => format!("{} → {}", percent(before), percent(now)),
    };
    let mut verdict = column.verdict().to_string();
    if column.verdict() == Verdict::Drift {
        verdict = verdict.to_uppercase();
        let reasons = column.reasons();
        if reasons != ["distribution"] && !reasons.is_empty() {
            verdict = format!("{verdict}: {}", reasons.join(", "));
        }
    }
    [
        escape(column.name()),
        format!("│{}│", bars(column, 0)),
        format!("│{}│", bars(column, 1)),
        test,
        score,
        p_value,
        effect,
        missing,
        verdict,
    ]
}

fn found(column: &Column) -> [String; 4] {
    let none = String::new;
    if let Some(compat) = &column.compat {
        let score = compat.score.map_or_else(|why| why.to_string(), short);
        let method = match compat.alerts {
            Some((alerts, chunks)) => format!("{}, {alerts} of {chunks} chunks", compat.method),
            None => compat.method.to_owned(),
        };
        return [method, score, none(), none()];
    }
    match &column.judged.distribution {
        Err(why) => [why.to_string(), none(), none(), none()],
        Ok(found) => {
            let p_value = match found.threshold {
                Some(_) => none(),
                None if found.adjusted < 1e-10 => "<1e-10".to_owned(),
                None => short(found.adjusted),
            };
            let effect = match found.error {
                0.0 => short(found.effect),
                error => format!("{}±{}", short(found.effect), short(error)),
            };
            [
                found.test.to_string(),
                short(found.statistic),
                p_value,
                effect,
            ]
        }
    }
}

fn notes(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let percent = |share: f64| format!("{}%", short(100.0 * share));
    let mut lines = Vec::new();
    for column in &report.columns {
        let (name, quality) = (escape(column.name()), &column.quality);
        if let Some(share) = quality.out_of_range.filter(|&share| share > 0.0) {
            lines.push(format!(
                "{name}: {} beyond the range of the reference",
                percent(share)
            ));
        }
        if let Some(share) = quality.unseen.filter(|&share| share > 0.0) {
            let names = escape(&quality.new_categories.join(", "));
            lines.push(format!(
                "{name}: {} new categories: {names}",
                percent(share)
            ));
        }
        if quality.constant == [false, true] {
            lines.push(format!("{name}: all current values are equal"));
        }
        if quality.infinite[1] > 0 {
            lines.push(format!("{name}: {} infinite values", quality.infinite[1]));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nquality")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn performance(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Some(performance) = &report.performance else {
        return Ok(());
    };
    let heading = [
        "PERFORMANCE",
        "REFERENCE",
        "ESTIMATED",
        "CHANCE",
        "REALISED",
        "",
    ];
    let mut lines = vec![heading.map(str::to_owned)];
    for (metric, before, now) in report.estimates() {
        let realised = performance
            .realised
            .as_ref()
            .and_then(|it| it.of(metric).ok());
        let error = performance.errors[metric as usize];
        let alarm = if performance.alarms(metric) {
            "beyond chance"
        } else {
            ""
        };
        lines.push([
            metric.name().to_owned(),
            short(before),
            short(now),
            error.map_or_else(String::new, |error| format!("±{}", short(3.0 * error))),
            realised.map_or_else(|| "no labels".to_owned(), short),
            alarm.to_owned(),
        ]);
    }
    debug_assert!(lines.len() <= Metric::ALL.len() + 1);
    writeln!(out)?;
    write_table(out, &lines)
}

fn sentence(report: &Report) -> String {
    let all = report.columns.len();
    let names: Vec<&str> = report.ranked().iter().map(|it| it.name()).collect();
    let drifted = report.drifted().count();
    let unknown = report
        .columns
        .iter()
        .filter(|it| it.verdict() == Verdict::NotEnoughData)
        .count();
    let mut sentence = match report.verdict() {
        Verdict::NotEnoughData => {
            return format!("not enough data to say anything of {all} columns");
        }
        _ if drifted == 0 => format!("no drift in {all} columns"),
        _ => {
            let shown = names
                .iter()
                .take(drifted.min(8))
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            let more = if drifted > 8 { " …" } else { "" };
            format!(
                "drift in {drifted} of {all} columns: {}{more}",
                escape(&shown)
            )
        }
    };
    if let Some(compat) = report.compat {
        sentence += &format!("; {compat} would say of all: {}", report.verdict());
    }
    if unknown > 0 {
        sentence += &format!("; not enough data for {unknown}");
    }
    if !report.gone.is_empty() {
        sentence += &format!("; gone: {}", escape(&report.gone.join(", ")));
    }
    sentence
}
