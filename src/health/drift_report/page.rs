//! A comparison as one page of HTML: no script, no font, nothing that is fetched; light or dark as the reader's system is.
//!
//! Whatever comes from the data is escaped.

mod charts;

use std::fmt::Write;

use super::{Column, Report};
use crate::drift::performance::Metric;
use crate::drift::verdict::Verdict;
use crate::health::evaluation::page::tables::number;
use crate::health::evaluation::page::{begin, end, escaped, section, thousands};

/// More charts than this make a page slow; the largest changes are drawn.
const MOST_CHARTS: usize = 60;

/// The page of a comparison.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = String::with_capacity(128 << 10);
    let names = [0, 1].map(|side| file(report, side));
    let title = format!("Drift of {}", escaped(&names[1]));
    begin(&mut out, &title);
    header(&mut out, report, &title, &names);
    tiles(&mut out, report);
    section(&mut out, "Columns", |out| table(out, report));
    if let Some(performance) = &report.performance {
        section(&mut out, "Performance", |out| {
            performances(out, report);
            charts::performance(out, performance);
        });
    }
    section(&mut out, "Distributions", |out| {
        let ranked = report.ranked();
        if ranked.len() > MOST_CHARTS {
            let all = ranked.len();
            let _ = write!(out, "<p>The first {MOST_CHARTS} of {all} columns.</p>");
        }
        out.push_str("<div class=\"charts\">\n");
        for column in ranked.into_iter().take(MOST_CHARTS) {
            charts::distribution(out, column);
        }
        out.push_str("</div>\n");
    });
    end(&mut out);
    out
}

fn file(report: &Report, side: usize) -> String {
    let path = &report.files[side];
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.display().to_string())
}

fn header(out: &mut String, report: &Report, title: &str, names: &[String; 2]) {
    let mut facts = vec![
        format!(
            "reference: {}, {} rows",
            names[0],
            thousands(report.rows[0])
        ),
        format!("current: {}, {} rows", names[1], thousands(report.rows[1])),
    ];
    match report.compat {
        Some(compat) => facts.push(format!("verdicts in the manner of {compat}")),
        None => facts.push(format!(
            "level {} over all columns, effects from {} on",
            report.policy.level, report.policy.min_effect
        )),
    }
    if report.profiles {
        facts.push("from profiles".to_owned());
    }
    for (column, why) in &report.left_out {
        facts.push(format!("{column} left out: {why}"));
    }
    if !report.added.is_empty() {
        facts.push(format!(
            "only in the current data: {}",
            report.added.join(", ")
        ));
    }
    let facts = facts
        .iter()
        .map(|fact| format!("<li>{}</li>", escaped(fact)));
    let _ = write!(
        out,
        "<header><h1>{title}</h1>\n<ul class=\"facts\">{}</ul></header>\n",
        facts.collect::<String>()
    );
}

fn tiles(out: &mut String, report: &Report) {
    let all = report.columns.len();
    let drifted = report.drifted().count();
    let unknown = report
        .columns
        .iter()
        .filter(|it| it.verdict() == Verdict::NotEnoughData);
    out.push_str("<div class=\"tiles\">\n");
    let mut tile = |name: &str, value: &str, note: &str| {
        let _ = writeln!(
            out,
            "<div class=\"tile\"><div class=\"name\">{name}</div><div class=\"value\">{value}</div><div class=\"note\">{}</div></div>",
            escaped(note)
        );
    };
    let verdict = report.verdict();
    let class = if verdict == Verdict::Drift {
        "worse"
    } else {
        "better"
    };
    let value = format!("<span class=\"{class}\">{verdict}</span>");
    tile("verdict", &value, "");
    tile(
        "columns that have drifted",
        &format!("{drifted} of {all}"),
        "",
    );
    tile("not enough data", &unknown.count().to_string(), "columns");
    if !report.gone.is_empty() {
        tile(
            "columns that are gone",
            &report.gone.len().to_string(),
            &report.gone.join(", "),
        );
    }
    let shown = [Metric::RocAuc, Metric::Accuracy, Metric::F1];
    for (metric, before, now) in report.estimates().filter(|it| shown.contains(&it.0)) {
        let note = format!("{} on the reference", number(before));
        tile(&format!("estimated {}", metric.name()), &number(now), &note);
    }
    out.push_str("</div>\n");
}

fn table(out: &mut String, report: &Report) {
    out.push_str(
        "<div class=\"table\"><table><tr><th>column</th><th>reference</th><th>current</th><th>test</th>\
         <th>score</th><th>p, adjusted</th><th>effect</th><th>missing</th><th>verdict</th></tr>\n",
    );
    for column in report.ranked() {
        let _ = write!(
            out,
            "<tr><td>{}{}</td>",
            escaped(column.name()),
            role(column)
        );
        for side in 0..2 {
            let _ = write!(out, "<td>{}</td>", charts::small(column, side));
        }
        let [test, score, p_value, effect] = found(column);
        let _ = writeln!(
            out,
            "<td>{}</td><td>{score}</td><td>{p_value}</td><td>{effect}</td><td>{}</td><td class=\"{}\">{}{}</td></tr>",
            escaped(&test),
            missing(column),
            tone(column),
            column.verdict(),
            why(column)
        );
    }
    for name in &report.gone {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td colspan=\"7\"></td><td class=\"worse\">gone</td></tr>",
            escaped(name)
        );
    }
    out.push_str("</table></div>\n");
    let notes = report.columns.iter().flat_map(notes);
    let notes: String = notes
        .map(|note| format!("<li>{}</li>", escaped(&note)))
        .collect();
    if !notes.is_empty() {
        let _ = write!(out, "<h3>Quality</h3>\n<ul>{notes}</ul>\n");
    }
}

fn role(column: &Column) -> String {
    use crate::drift::profile::Role;
    match column.fields[0].role() {
        Role::Feature => String::new(),
        role => format!(" <span class=\"badge\">{role}</span>"),
    }
}

fn tone(column: &Column) -> &'static str {
    match column.verdict() {
        Verdict::Drift => "worse",
        Verdict::NoDrift => "better",
        Verdict::NotEnoughData => "why",
    }
}

fn why(column: &Column) -> String {
    match &column.reasons()[..] {
        [] => String::new(),
        reasons => format!(": {}", reasons.join(", ")),
    }
}

/// The test, the score, the p-value and the effect.
fn found(column: &Column) -> [String; 4] {
    let none = || "–".to_owned();
    if let Some(compat) = &column.compat {
        let score = compat
            .score
            .map_or_else(|why| escaped(&why.to_string()), number);
        let limit = format!("{} ({})", compat.method, number(compat.threshold));
        return [limit, score, none(), none()];
    }
    match &column.judged.distribution {
        Err(why) => [why.to_string(), none(), none(), none()],
        Ok(found) => {
            let test = match found.threshold {
                Some(threshold) => format!("{} (from {})", found.test, number(threshold)),
                None => found.test.to_string(),
            };
            let p_value = match found.threshold {
                Some(_) => none(),
                None => probability(found.adjusted),
            };
            let effect = match found.error {
                0.0 => number(found.effect),
                error => format!("{} ± {}", number(found.effect), number(error)),
            };
            [test, number(found.statistic), p_value, effect]
        }
    }
}

fn probability(p: f64) -> String {
    if p < 1e-10 {
        "&lt; 1e-10".to_owned()
    } else {
        number(p)
    }
}

fn missing(column: &Column) -> String {
    let rates = column.judged.missing_rates;
    if rates == [0.0; 2] {
        return "–".to_owned();
    }
    let percent = |rate: f64| format!("{:.1} %", 100.0 * rate);
    format!("{} → {}", percent(rates[0]), percent(rates[1]))
}

/// What is to be said of the values of a column.
fn notes(column: &Column) -> Vec<String> {
    let (name, quality) = (column.name(), &column.quality);
    let mut notes = Vec::new();
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    if let Some(share) = quality.out_of_range.filter(|&share| share > 0.0) {
        notes.push(format!(
            "{name}: {} beyond the range of the reference",
            percent(share)
        ));
    }
    if let Some(share) = quality.unseen.filter(|&share| share > 0.0) {
        let names = quality.new_categories.join(", ");
        notes.push(format!(
            "{name}: {} new categories: {names}",
            percent(share)
        ));
    }
    match quality.constant {
        [false, true] => notes.push(format!("{name}: all current values are equal")),
        [true, false] => notes.push(format!("{name}: all values of the reference are equal")),
        _ => {}
    }
    if quality.infinite != [0; 2] {
        let [before, now] = quality.infinite;
        notes.push(format!(
            "{name}: {before} infinite values before, {now} now"
        ));
    }
    notes
}

fn performances(out: &mut String, report: &Report) {
    let Some(performance) = &report.performance else {
        return;
    };
    out.push_str(
        "<p>Estimated from the model's own scores, calibrated on the reference: it sees what a shift of the inputs does, \
         not a change of what they mean. Labels give the realised values.</p>\n<div class=\"table\"><table><tr><th>metric</th>\
         <th>reference</th><th>estimated now</th><th>chance, 3 σ</th><th>realised now</th></tr>\n",
    );
    for metric in Metric::ALL {
        let shown =
            |value: Result<f64, crate::drift::Undefined>| value.map_or("–".to_owned(), number);
        let realised = performance.realised.as_ref().map(|it| it.of(metric));
        let class = if performance.alarms(metric) {
            "worse"
        } else {
            ""
        };
        let error = performance.errors[metric as usize];
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{}</td></tr>",
            metric.name(),
            shown(performance.reference.of(metric)),
            shown(performance.estimated.of(metric)),
            error.map_or("–".to_owned(), |error| format!(
                "± {}",
                number(3.0 * error)
            )),
            realised.map_or("no labels".to_owned(), shown)
        );
    }
    out.push_str("</table></div>\n");
}
