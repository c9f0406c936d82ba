//! An evaluation as one page of HTML: no script, no font, nothing that is fetched; light or dark as the reader's system is.
//!
//! Whatever comes from the data is escaped.

pub(in crate::health) mod charts;
pub(in crate::health) mod svg;
pub(in crate::health) mod tables;

use std::fmt::Write;

use super::{Comparison, Evaluation};

/// The page of an evaluation, with the comparison to a baseline where there is one.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,0.8\n")?;
/// use modelpulse::health::evaluation::{Evaluator, page};
/// let evaluation = Evaluator::new().evaluate(&path)?;
/// let html = page::html(&evaluation, None);
/// assert!(html.starts_with("<!doctype html>") && html.contains("<svg"));
/// assert!(!html.contains("<script"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn html(evaluation: &Evaluation, comparison: Option<&Comparison>) -> String {
    let mut out = String::with_capacity(64 << 10);
    let file = evaluation.plan.file();
    let title = format!("Evaluation of {}", escaped(&file));
    begin(&mut out, &title);
    header(&mut out, evaluation, comparison, &title);
    tables::headline(&mut out, evaluation, comparison);
    if let Some(comparison) = comparison {
        section(&mut out, "Against the baseline", |out| {
            tables::tests(out, comparison)
        });
    }
    section(&mut out, "Charts", |out| {
        charts::all(out, evaluation, comparison)
    });
    if !evaluation.per_class.is_empty() {
        let what = if evaluation.confusion.len() > 1 {
            "Labels"
        } else {
            "Classes"
        };
        section(&mut out, what, |out| tables::classes(out, evaluation));
    }
    if let Some(slices) = &evaluation.slices {
        section(&mut out, "Worst slices", |out| tables::slices(out, slices));
    }
    if let Some(errors) = &evaluation.label_errors {
        section(&mut out, "Labels that are probably wrong", |out| {
            tables::label_errors(out, errors)
        });
    }
    section(&mut out, "All metrics", |out| {
        tables::metrics(out, evaluation, comparison)
    });
    end(&mut out);
    out
}

/// The beginning of a page, whose title is escaped already.
pub(in crate::health) fn begin(out: &mut String, title: &str) {
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // An empty icon, else browsers ask for one.
    out.push_str("<link rel=\"icon\" href=\"data:,\">\n");
    let _ = write!(
        out,
        "<title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n",
        STYLE
    );
}

/// The end of a page.
pub(in crate::health) fn end(out: &mut String) {
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        out,
        "<footer>modelpulse {version}</footer>\n</main>\n</body>\n</html>\n"
    );
}

fn header(out: &mut String, evaluation: &Evaluation, comparison: Option<&Comparison>, title: &str) {
    let rows = &evaluation.rows;
    let mut facts = vec![
        evaluation.task.to_string(),
        format!("{} rows", thousands(rows.used)),
    ];
    if rows.unlabelled > 0 {
        facts.push(format!("{} without a label", thousands(rows.unlabelled)));
    }
    if rows.invalid > 0 {
        facts.push(format!("{} invalid, left out", thousands(rows.invalid)));
    }
    if evaluation.plan.classes.len() > 2 {
        let what = match evaluation.task {
            super::Task::Multilabel => "labels",
            _ => "classes",
        };
        facts.push(format!("{} {what}", evaluation.plan.classes.len()));
    }
    if let [_, positive] = &evaluation.plan.classes[..]
        && evaluation.task == super::Task::Binary
    {
        facts.push(format!(
            "positive: {positive}, from a score of {} on",
            evaluation.threshold
        ));
    }
    if evaluation.memory != crate::metrics::Memory::Exact {
        facts.push("bounded memory".to_owned());
    }
    if let Some(comparison) = comparison {
        facts.push(format!("baseline: {}", comparison.baseline.plan.file()));
    }
    let facts: Vec<String> = facts
        .iter()
        .map(|fact| format!("<li>{}</li>", escaped(fact)))
        .collect();
    let _ = write!(
        out,
        "<header><h1>{title}</h1>\n<ul class=\"facts\">{}</ul></header>\n",
        facts.concat()
    );
}

pub(in crate::health) fn section(out: &mut String, title: &str, content: impl FnOnce(&mut String)) {
    let _ = writeln!(out, "<section>\n<h2>{title}</h2>");
    content(out);
    out.push_str("</section>\n");
}

/// Text as HTML has it, also within quotes.
pub(in crate::health) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// A count with thin spaces between thousands.
pub(in crate::health) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

const STYLE: &str = include_str!("page/style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_data_is_escaped() {
        assert_eq!(escaped("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
        assert_eq!(thousands(1234567), "1\u{202f}234\u{202f}567");
        assert_eq!(thousands(123), "123");
    }
}
