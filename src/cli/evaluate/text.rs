//! An evaluation as tables on a terminal.

use std::io::{self, Write};

use crate::health::evaluation::{Comparison, Evaluation, Task};
use crate::metrics::{Answer, Memory};

/// A terminal shows so many classes of a matrix.
const MOST_CLASSES: usize = 12;
/// And so many rows of a table.
const MOST_ROWS: usize = 20;

pub(super) fn report(
    out: &mut impl Write,
    evaluation: &Evaluation,
    comparison: Option<&Comparison>,
) -> io::Result<()> {
    head(out, evaluation)?;
    metrics(out, evaluation, comparison)?;
    confusion(out, evaluation)?;
    classes(out, evaluation)?;
    slices(out, evaluation)?;
    label_errors(out, evaluation)
}

fn head(out: &mut impl Write, evaluation: &Evaluation) -> io::Result<()> {
    let (plan, rows) = (&evaluation.plan, &evaluation.rows);
    write!(
        out,
        "{}: {}, {} rows",
        plan.file(),
        evaluation.task,
        rows.used
    )?;
    if rows.unlabelled > 0 {
        write!(out, ", {} without a label left out", rows.unlabelled)?;
    }
    if rows.invalid > 0 {
        write!(out, ", {} invalid left out", rows.invalid)?;
    }
    writeln!(out)?;
    let some = |what: &str, columns: &[String]| match columns {
        [] => String::new(),
        columns if columns.len() > 4 => {
            format!("  {what}: {} … {}", columns[0], columns[columns.len() - 1])
        }
        columns => format!("  {what}: {}", columns.join(", ")),
    };
    let optional = |column: &Option<String>| column.iter().cloned().collect::<Vec<_>>();
    let columns = [
        some("label", &plan.labels),
        some("score", &plan.scores),
        some("prediction", &optional(&plan.prediction)),
        some("weight", &optional(&plan.weight)),
    ];
    write!(out, "{}", columns.concat().trim_start())?;
    if let (Task::Binary, [_, positive]) = (evaluation.task, &plan.classes[..]) {
        write!(
            out,
            "  positive: {positive}, from {} on",
            evaluation.threshold
        )?;
    }
    writeln!(out)
}

fn answered(answer: Answer) -> String {
    answer.map_or_else(|_| "-".to_owned(), |value| format!("{value:.6}"))
}

fn metrics(
    out: &mut impl Write,
    evaluation: &Evaluation,
    comparison: Option<&Comparison>,
) -> io::Result<()> {
    writeln!(out)?;
    let Some(comparison) = comparison else {
        let confidence = evaluation.intervals.first().map(|it| it.1);
        let rows = evaluation.metrics.iter().map(|&(name, answer)| {
            let bounds = evaluation.bounds.iter().find(|bounds| bounds.0 == name);
            let note = match (answer, bounds) {
                (Err(why), _) => why.to_string(),
                (_, Some((_, low, high))) => format!("within {low:.6} … {high:.6}"),
                _ => String::new(),
            };
            let interval = confidence.map(|_| evaluation.interval(name));
            let interval = interval.map(|it| range(it.map(|it| (it.low, it.high)), false));
            let row = [Some(name.to_owned()), Some(answered(answer)), interval];
            row.into_iter().flatten().chain([note]).collect()
        });
        let heading = ["metric".to_owned(), "value".to_owned()].into_iter();
        let heading = heading.chain(confidence.map(|it| interval_of(it.level)));
        let rows = std::iter::once(heading.collect()).chain(rows);
        let left = 2 + usize::from(confidence.is_some());
        table(out, &rows.collect::<Vec<_>>(), left)?;
        if let Some(confidence) = confidence {
            writeln!(out, "(intervals: {} resamples)", confidence.resamples)?;
        }
        if evaluation.memory != Memory::Exact {
            writeln!(
                out,
                "(bounded memory: scores are counted between evenly spaced thresholds)"
            )?;
        }
        return Ok(());
    };
    let signed =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| format!("{it:+.6}"));
    let with_intervals = comparison.changes.iter().any(|it| it.interval.is_some());
    let interval = interval_of(comparison.level);
    let heading = ["metric", "baseline", "candidate", "difference"].map(str::to_owned);
    let heading = heading.into_iter();
    let heading = heading.chain(with_intervals.then(|| interval.clone()));
    let rows = comparison.changes.iter().map(|change| {
        let (old, new) = (answered(change.baseline), answered(change.candidate));
        let row = [
            change.name.to_owned(),
            old,
            new,
            signed(change.difference()),
        ];
        let interval = with_intervals.then(|| range(change.interval, true));
        row.into_iter().chain(interval).collect()
    });
    let rows = std::iter::once(heading.collect()).chain(rows);
    table(out, &rows.collect::<Vec<_>>(), usize::MAX)?;
    writeln!(out)?;
    if let Some(why) = &comparison.untested {
        return writeln!(out, "no test of the difference: {why}");
    }
    let heading = vec![
        "test on the same rows".to_owned(),
        "difference".to_owned(),
        interval,
        "p".to_owned(),
    ];
    let rows = comparison.tests.iter().map(|test| {
        vec![
            test.name.to_owned(),
            signed(Some(test.difference)),
            range(test.interval, true),
            probability(test.p_value),
        ]
    });
    table(
        out,
        &std::iter::once(heading).chain(rows).collect::<Vec<_>>(),
        usize::MAX,
    )
}

/// The name of a column of intervals.
fn interval_of(level: f64) -> String {
    // As 0.95 × 100 is not 95 in binary.
    format!("{} % interval", (level * 1e4).round() / 1e2)
}

fn range(range: Option<(f64, f64)>, signed: bool) -> String {
    match range {
        None => "-".to_owned(),
        Some((low, high)) if signed => format!("{low:+.6} … {high:+.6}"),
        Some((low, high)) => format!("{low:.6} … {high:.6}"),
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.1e}")
    } else {
        format!("{p:.3}")
    }
}

fn confusion(out: &mut impl Write, evaluation: &Evaluation) -> io::Result<()> {
    let [matrix] = &evaluation.confusion[..] else {
        return Ok(());
    };
    if matrix.classes() > MOST_CLASSES {
        return writeln!(
            out,
            "\nconfusion matrix: {} classes, see --json or --html",
            matrix.classes()
        );
    }
    let names = &evaluation.plan.classes;
    let mut rows = vec![
        std::iter::once("true \\ predicted".to_owned())
            .chain(names.iter().cloned())
            .collect::<Vec<_>>(),
    ];
    for (name, counts) in names.iter().zip(matrix.rows()) {
        rows.push(
            std::iter::once(name.clone())
                .chain(counts.iter().map(u64::to_string))
                .collect(),
        );
    }
    writeln!(out)?;
    table(out, &rows, usize::MAX)
}

fn classes(out: &mut impl Write, evaluation: &Evaluation) -> io::Result<()> {
    // Of two classes the metrics have told it.
    if evaluation.per_class.is_empty() || evaluation.task == Task::Binary {
        return Ok(());
    }
    let scored = evaluation
        .per_class
        .iter()
        .any(|class| class.roc_auc.is_some());
    let mut heading = vec!["class", "rows", "precision", "recall", "f1"];
    if scored {
        heading.extend(["roc_auc", "average_precision"]);
    }
    let mut rows = vec![heading.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for class in evaluation.per_class.iter().take(MOST_ROWS) {
        let mut row = vec![class.name.clone(), class.support.to_string()];
        row.extend([class.precision, class.recall, class.f1].map(answered));
        row.extend(class.roc_auc.map(answered));
        row.extend(class.average_precision.map(answered));
        rows.push(row);
    }
    writeln!(out)?;
    table(out, &rows, usize::MAX)?;
    more(out, evaluation.per_class.len(), "classes")
}

fn slices(out: &mut impl Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(slices) = &evaluation.slices else {
        return Ok(());
    };
    writeln!(
        out,
        "\nworst of {} slices of at least {} rows; mean error of all rows {:.6}",
        slices.looked_at, slices.least, slices.error
    )?;
    let mut rows = vec![
        ["slice", "rows", "mean error", "of all", "p", "q"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for slice in slices.worst.iter().take(MOST_ROWS) {
        rows.push(vec![
            slice.name(),
            slice.rows.to_string(),
            format!("{:.6}", slice.error),
            format!("{:.2}x", slice.lift),
            probability(slice.p_value),
            probability(slice.q_value),
        ]);
    }
    table(out, &rows, usize::MAX)?;
    more(out, slices.worst.len(), "slices")?;
    writeln!(
        out,
        "(q: p adjusted for the number of slices; below 0.05 it is hardly chance)"
    )
}

fn label_errors(out: &mut impl Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(errors) = &evaluation.label_errors else {
        return Ok(());
    };
    writeln!(out, "\n{} labels are probably wrong", errors.count)?;
    if errors.worst.is_empty() {
        return Ok(());
    }
    let mut rows = vec![
        ["row", "label", "model says", "probability of label"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for error in &errors.worst {
        rows.push(vec![
            error.row.to_string(),
            error.label.clone(),
            error.suggested.clone(),
            format!("{:.6}", error.confidence),
        ]);
    }
    table(out, &rows, usize::MAX)
}

fn more(out: &mut impl Write, all: usize, of: &str) -> io::Result<()> {
    if all > MOST_ROWS {
        writeln!(
            out,
            "… and {} more {of}: see --json or --html",
            all - MOST_ROWS
        )?;
    }
    Ok(())
}

/// Columns as wide as their widest cell; the first is to the left, as is that of number `left` and those behind it.
fn table(out: &mut impl Write, rows: &[Vec<String>], left: usize) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            // What comes from data cannot steer a terminal.
            let cell = cell.replace(char::is_control, "\u{fffd}");
            line += if column == 0 { "" } else { "  " };
            line += &if column == 0 || column >= left {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            };
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
