//! The tables of a page, and the tiles at its head.

use std::fmt::Write;

use super::{escaped, thousands};
use crate::health::evaluation::{
    Comparison, Evaluation, LabelErrors, SlicesOutcome, Task, lower_is_better,
};
use crate::metrics::Answer;

/// A page shows so many rows of a table.
const MOST_ROWS: usize = 50;

/// A number in four significant digits or decimals.
pub(in crate::health) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (0.001..10_000.0).contains(&magnitude) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

fn answered(answer: Answer) -> String {
    answer.map_or_else(|why| format!("– ({why})"), number)
}

/// The metrics that one looks at first.
fn headlines(task: Task) -> &'static [&'static str] {
    match task {
        Task::Binary => &[
            "roc_auc",
            "average_precision",
            "accuracy",
            "f1",
            "log_loss",
            "ece",
        ],
        Task::Multiclass => &[
            "accuracy",
            "balanced_accuracy",
            "f1_macro",
            "roc_auc_ovr_macro",
            "log_loss",
            "ece",
            "mcc",
        ],
        Task::Multilabel => &[
            "subset_accuracy",
            "f1_macro",
            "f1_micro",
            "roc_auc_macro",
            "hamming_loss",
        ],
        Task::Regression => &[
            "r2",
            "mae",
            "rmse",
            "median_absolute_error",
            "mape",
            "pearson",
        ],
    }
}

pub(super) fn headline(out: &mut String, evaluation: &Evaluation, comparison: Option<&Comparison>) {
    out.push_str("<div class=\"tiles\">\n");
    let named = headlines(evaluation.task).iter();
    for (name, answer) in named.filter_map(|name| Some((*name, evaluation.metric(name)?))) {
        let (value, mut note) = match answer {
            Ok(value) => (number(value), String::new()),
            Err(why) => ("–".to_owned(), escaped(&why.to_string())),
        };
        let change = comparison.and_then(|it| it.change(name)?.difference());
        if let Some(change) = change {
            note = format!(
                "<span class=\"{}\">{change:+.4}</span> against the baseline",
                tone(name, change)
            );
        } else if let Some((_, low, high)) =
            evaluation.bounds.iter().find(|bounds| bounds.0 == name)
        {
            note = format!("within {} – {}", number(*low), number(*high));
        } else if let Some(it) = evaluation.interval(name) {
            note = format!(
                "{} … {} ({} %)",
                number(it.low),
                number(it.high),
                percent(it.level)
            );
        }
        let _ = writeln!(
            out,
            "<div class=\"tile\"><div class=\"name\">{name}</div><div class=\"value\">{value}</div>\
             <div class=\"note\">{note}</div></div>"
        );
    }
    out.push_str("</div>\n");
}

/// Whether a change is for the better, as a class.
fn tone(name: &str, change: f64) -> &'static str {
    match (change == 0.0, (change < 0.0) == lower_is_better(name)) {
        (true, _) => "",
        (_, true) => "better",
        (_, false) => "worse",
    }
}

/// A table; cells are HTML already.
fn table(out: &mut String, heading: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    out.push_str("<div class=\"table\"><table><tr>");
    for name in heading {
        let _ = write!(out, "<th>{name}</th>");
    }
    out.push_str("</tr>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

pub(super) fn tests(out: &mut String, comparison: &Comparison) {
    let tests = &comparison.tests;
    if let Some(why) = &comparison.untested {
        let _ = writeln!(out, "<p>No test of the difference: {}.</p>", escaped(why));
    }
    if !tests.is_empty() {
        out.push_str("<p>Tested on the same rows, pair by pair. p is the probability of so large a difference where there is none.</p>\n");
        let rows = tests.iter().map(|test| {
            let interval = signed_range(test.interval);
            let metric = test.name.rsplit(": ").next().unwrap_or_default();
            let difference = format!(
                "<span class=\"{}\">{:+.4}</span>",
                tone(metric, test.difference),
                test.difference
            );
            vec![
                escaped(test.name),
                difference,
                interval,
                p_value(test.p_value),
            ]
        });
        let interval = format!("{} % interval", percent(comparison.level));
        table(out, &["test", "difference", &interval, "p"], rows);
    }
}

fn signed_range(range: Option<(f64, f64)>) -> String {
    range.map_or_else(
        || "–".to_owned(),
        |(low, high)| format!("{low:+.4} … {high:+.4}"),
    )
}

/// A share as a number of percent, without what binary fractions add to it.
fn percent(share: f64) -> f64 {
    (share * 1e4).round() / 1e2
}

fn p_value(p: f64) -> String {
    let shown = if p < 0.001 {
        format!("{p:.1e}")
    } else {
        format!("{p:.3}")
    };
    if p < 0.05 {
        format!("<span class=\"badge\">{shown}</span>")
    } else {
        shown
    }
}

pub(super) fn classes(out: &mut String, evaluation: &Evaluation) {
    let scored = evaluation
        .per_class
        .iter()
        .any(|class| class.roc_auc.is_some());
    let first = if evaluation.task == Task::Multilabel {
        "label"
    } else {
        "class"
    };
    let mut heading = vec![first, "rows", "precision", "recall", "F1"];
    if scored {
        heading.extend(["ROC AUC", "average precision"]);
    }
    let rows = evaluation.per_class.iter().map(|class| {
        let mut row = vec![
            escaped(&class.name),
            thousands(class.support),
            answered(class.precision),
            answered(class.recall),
            answered(class.f1),
        ];
        row.extend(class.roc_auc.map(answered));
        row.extend(class.average_precision.map(answered));
        row
    });
    table(out, &heading, rows);
}

pub(super) fn slices(out: &mut String, slices: &SlicesOutcome) {
    let _ = writeln!(
        out,
        "<p>Of {} slices of at least {} rows by {}, those with a higher mean error than all rows ({}). \
         q is the p-value adjusted for the number of slices: below 0.05 it is hardly chance.</p>",
        slices.looked_at,
        slices.least,
        escaped(&slices.columns.join(", ")),
        number(slices.error)
    );
    let highest = slices
        .worst
        .iter()
        .map(|slice| slice.error)
        .fold(0.0, f64::max);
    let rows = slices.worst.iter().take(MOST_ROWS).map(|slice| {
        let width = (90.0 * slice.error / highest).round();
        let error = format!(
            "<span class=\"bar\" style=\"width:{width}px\"></span>{}",
            number(slice.error)
        );
        vec![
            escaped(&slice.name()),
            thousands(slice.rows),
            error,
            format!("{:.2}×", slice.lift),
            p_value(slice.q_value),
        ]
    });
    table(
        out,
        &["slice", "rows", "mean error", "of all rows", "q"],
        rows,
    );
}

pub(super) fn label_errors(out: &mut String, errors: &LabelErrors) {
    let _ = writeln!(
        out,
        "<p>{} rows whose label the model contradicts with confidence. That says something only if it did not learn from these rows.</p>",
        thousands(errors.count as u64)
    );
    let rows = errors.worst.iter().take(MOST_ROWS).map(|error| {
        vec![
            thousands(error.row),
            escaped(&error.label),
            escaped(&error.suggested),
            number(error.confidence),
        ]
    });
    table(
        out,
        &["row", "label", "the model says", "probability of the label"],
        rows,
    );
}

pub(super) fn metrics(out: &mut String, evaluation: &Evaluation, comparison: Option<&Comparison>) {
    match comparison {
        Some(comparison) => changes(out, comparison),
        None => values(out, evaluation),
    }
}

fn changes(out: &mut String, comparison: &Comparison) {
    let with_intervals = comparison.changes.iter().any(|it| it.interval.is_some());
    let interval = format!("{} % interval", percent(comparison.level));
    let changes = comparison.changes.iter().map(|change| {
        let difference = change.difference().map_or_else(String::new, |difference| {
            format!(
                "<span class=\"{}\">{difference:+.4}</span>",
                tone(change.name, difference)
            )
        });
        let row = [
            change.name.to_owned(),
            answered(change.baseline),
            answered(change.candidate),
            difference,
        ];
        let interval = with_intervals.then(|| signed_range(change.interval));
        row.into_iter().chain(interval).collect()
    });
    let heading = ["metric", "baseline", "candidate", "difference"].into_iter();
    let heading = heading.chain(with_intervals.then_some(interval.as_str()));
    table(out, &heading.collect::<Vec<_>>(), changes);
}

fn values(out: &mut String, evaluation: &Evaluation) {
    let confidence = evaluation.intervals.first().map(|it| it.1);
    if let Some(it) = confidence {
        let (level, resamples) = (percent(it.level), thousands(it.resamples as u64));
        let _ = writeln!(
            out,
            "<p>The intervals hold {level} % of what other rows of the same kind would give: {resamples} bootstrap resamples.</p>"
        );
    }
    out.push_str("<div class=\"columns\">\n");
    let half = evaluation.metrics.len().div_ceil(2).max(1);
    for part in evaluation.metrics.chunks(half) {
        out.push_str("<div class=\"table\"><table><tr><th>metric</th><th>value</th>");
        if let Some(it) = confidence {
            let _ = write!(out, "<th>{} % interval</th>", percent(it.level));
        }
        out.push_str("</tr>\n");
        for (name, answer) in part {
            let _ = write!(out, "<tr><td>{name}</td>");
            let _ = match answer {
                Ok(value) => write!(out, "<td>{}</td>", number(*value)),
                Err(why) => write!(out, "<td class=\"why\">{}</td>", escaped(&why.to_string())),
            };
            if confidence.is_some() {
                let it = evaluation.interval(name);
                let shown = it.map_or_else(
                    || "–".to_owned(),
                    |it| format!("{} … {}", number(it.low), number(it.high)),
                );
                let _ = write!(out, "<td>{shown}</td>");
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table></div>\n");
    }
    out.push_str("</div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_for_the_better_or_worse() {
        assert_eq!(tone("accuracy", 0.1), "better");
        assert_eq!(tone("log_loss", 0.1), "worse");
        assert_eq!(tone("log_loss", -0.1), "better");
        assert_eq!(tone("f1", 0.0), "");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.0, 0.12345, 1234.5, 1e-7].map(number),
            ["0", "0.1235", "1234.5000", "1.000e-7"]
        );
    }
}
