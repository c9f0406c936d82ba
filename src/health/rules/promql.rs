//! Rules as a Prometheus rule file, so that a fleet's rules run on Prometheus, Mimir or Thanos.
//!
//! A series `a/eval/accuracy` is the metric `modelpulse_accuracy{run="a/eval"}`: its name is the last
//! part of the path, so a rule that names the end of a path becomes a matcher on `run`.

use std::fmt::Write;

use super::{Clock, Comparison, Condition, Measure, Rule, RuleSet, SeriesPattern, Span, When};

/// A rule that Prometheus cannot evaluate, or not quite as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule '{rule}': {problem}")]
#[non_exhaustive]
pub struct Unexported {
    /// The rule.
    pub rule: String,
    /// What is lost, and why.
    pub problem: String,
}

/// The name of the metric that shows the series at `path`, and the value of its label `run`; those of data drift apart.
///
/// ```
/// use modelpulse::health::metric_of;
/// assert_eq!(metric_of("a/eval/top-5"), ("modelpulse_top_5".into(), "a/eval".into()));
/// ```
pub fn metric_of(path: &str) -> (String, String) {
    let (run, name) = path.rsplit_once('/').unwrap_or((".", path));
    (metric(name), run.to_owned())
}

/// The series of data drift, as `health::drift::DataDrift` logs them in a run `…/drift`.
const OF_DRIFT: [&str; 9] = [
    "data_drift_detected",
    "drifted_features",
    "largest_drift_score",
    "chunk_rows",
    "drift_score",
    "drift_p_value",
    "drift_detected",
    "missing_rate",
    "out_of_range_rate",
];

/// The name of the metric that shows a series of data drift, and the values of its labels `run` and `feature`, the latter
/// empty where it is none of one feature; `None` for any other series.
pub(in crate::health) fn drift_metric<'a>(
    run: &'a str,
    tag: &'a str,
) -> Option<(String, &'a str, &'a str)> {
    let of = run.strip_suffix("drift")?;
    let of = match of.strip_suffix('/') {
        Some(of) => of,
        None if of.is_empty() => ".",
        None => return None,
    };
    let (feature, name) = tag.rsplit_once('/').unwrap_or(("", tag));
    OF_DRIFT
        .contains(&name)
        .then(|| (metric(name), of, feature))
}

/// The series of data drift that a pattern names.
fn drift_selector(pattern: &str) -> Option<String> {
    let (prefix, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    if !OF_DRIFT.contains(&name) {
        return None;
    }
    let (run, feature) = if prefix == "drift" {
        ("", "")
    } else if let Some(feature) = prefix.strip_prefix("drift/") {
        ("", feature)
    } else if let Some((run, feature)) = prefix.split_once("/drift/") {
        (run, feature)
    } else if let Some(run) = prefix.strip_suffix("/drift") {
        (run, "")
    } else {
        ("", prefix)
    };
    let mut labels = Vec::new();
    for (label, value) in [("run", run), ("feature", feature)] {
        if !value.is_empty() {
            let value = string(&format!("(.*/)?{}", regex(value)));
            labels.push(format!("{label}=~{value}"));
        }
    }
    Some(match labels.is_empty() {
        true => metric(name),
        false => format!("{}{{{}}}", metric(name), labels.join(",")),
    })
}

fn metric(name: &str) -> String {
    let valid = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    format!("modelpulse_{}", name.chars().map(valid).collect::<String>())
}

impl RuleSet {
    /// The rules as a Prometheus rule file, and what it leaves out.
    ///
    /// ```
    /// use modelpulse::health::{RuleSet, Rule, Span};
    /// let rule = Rule::new("Low", "eval/accuracy < 0.9".parse()?).hold_for(Span::seconds(60));
    /// let (yaml, left_out) = RuleSet::new(vec![rule])?.to_prometheus();
    /// assert!(yaml.contains("for: '1m'") && left_out.is_empty());
    /// assert!(yaml.contains(r#"modelpulse_accuracy{run=~"(.*/)?eval"} < 0.9"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_prometheus(&self) -> (String, Vec<Unexported>) {
        let mut left_out = Vec::new();
        let mut yaml = format!(
            "groups:\n  - name: modelpulse\n    interval: {}\n    rules:\n",
            quoted(&self.interval.to_string())
        );
        let mut count = 0;
        for rule in &self.rules {
            let mut note = |problem: &str| {
                left_out.push(Unexported {
                    rule: rule.name.to_string(),
                    problem: problem.to_owned(),
                });
            };
            if rule.clock == Clock::Step {
                note("left out: Prometheus has no steps");
                continue;
            }
            if rule.missing == When::Hold && !matches!(rule.condition, Condition::Absent(..)) {
                note("a missing value cannot hold the alert in Prometheus: there it resolves it");
            }
            if rule.times.is_some() {
                note(
                    "'times' counts evaluations in Prometheus, not values: it is the same where each evaluation has a new value",
                );
            }
            count += 1;
            self.entry(rule, &mut yaml);
        }
        if count == 0 {
            yaml.truncate(yaml.len() - 1);
            yaml += " []\n";
        }
        (yaml, left_out)
    }

    fn entry(&self, rule: &Rule, yaml: &mut String) {
        let mut lines = vec![
            ("      - alert", rule.name.to_string()),
            ("        expr", self.expression(rule)),
        ];
        for (key, span) in [
            ("        for", rule.hold_for),
            ("        keep_firing_for", rule.keep_firing_for),
        ] {
            if span.ticks() > 0 {
                lines.push((key, span.to_string()));
            }
        }
        for (key, value) in lines {
            // Writing to a string does not fail.
            let _ = writeln!(yaml, "{key}: {}", quoted(&value));
        }
        let _ = writeln!(
            yaml,
            "        labels:\n          severity: {}",
            rule.severity.name()
        );
        for (name, value) in &rule.labels {
            let _ = writeln!(yaml, "          {}: {}", label(name), quoted(value));
        }
        let _ = writeln!(
            yaml,
            "        annotations:\n          summary: {}",
            quoted(&summary(rule))
        );
    }

    /// The rule's condition in PromQL.
    fn expression(&self, rule: &Rule) -> String {
        let selector = selector(rule.condition.series());
        let mut expression = match &rule.condition {
            Condition::Nan(_) => format!("{selector} != {selector}"),
            Condition::NonFinite(_) => {
                format!("{selector} != {selector} or abs({selector}) == Inf")
            }
            Condition::Absent(_, span) => return format!("absent_over_time({selector}[{span}])"),
            Condition::Compare {
                measure,
                comparison,
                threshold,
                ..
            } => {
                let measured = measured(measure, &selector);
                let mut expression = compare(&measured, *comparison, *threshold);
                // A NaN breaks the rule here; in Prometheus no comparison holds for it.
                if rule.nan == When::Fire && *comparison != Comparison::NotEqual {
                    expression += &format!(" or {measured} != {measured}");
                }
                if rule.nan == When::Hold {
                    let active = format!("ALERTS{{alertname={}}}", string(&rule.name));
                    expression += &format!(" or {measured} != {measured} and on(run) {active}");
                }
                if let Some((cleared, threshold)) = rule.clear {
                    let on = compare(&measured, negated(cleared), threshold);
                    let firing = format!(
                        "ALERTS{{alertname={},alertstate=\"firing\"}}",
                        string(&rule.name)
                    );
                    expression += &format!(" or {on} and on(run) {firing}");
                }
                expression
            }
        };
        if let Some((m, n)) = rule.times {
            let interval = self.interval;
            let window = Span::Time(interval.ticks().saturating_mul(n as i64 - 1));
            expression = match n {
                1 => expression,
                _ => format!("count_over_time(({expression})[{window}:{interval}]) >= {m}"),
            };
        }
        if rule.missing == When::Fire {
            expression += &format!(" or absent({selector})");
        }
        expression
    }
}

/// The series that a pattern names.
fn selector(series: &SeriesPattern) -> String {
    let pattern = series.as_str();
    if let Some(selector) = drift_selector(pattern) {
        return selector;
    }
    let (run, name) = match pattern.rsplit_once('/') {
        Some((run, name)) => (Some(run), name),
        None => (None, pattern),
    };
    let run = run.map(|run| format!("run=~{}", string(&format!("(.*/)?{}", regex(run)))));
    if name.contains('*') {
        let parts: Vec<String> = name.split('*').map(metric).collect();
        let parts = parts
            .iter()
            .map(|part| part.trim_start_matches("modelpulse_"));
        let name = format!("modelpulse_{}", parts.collect::<Vec<_>>().join(".*"));
        let run = run.map_or_else(String::new, |run| format!(",{run}"));
        return format!("{{__name__=~{}{run}}}", string(&name));
    }
    match run {
        Some(run) => format!("{}{{{run}}}", metric(name)),
        None => metric(name),
    }
}

fn measured(measure: &Measure, selector: &str) -> String {
    match measure {
        Measure::Last => selector.to_owned(),
        Measure::Avg(span) => format!("avg_over_time({selector}[{span}])"),
        Measure::Min(span) => format!("min_over_time({selector}[{span}])"),
        Measure::Max(span) => format!("max_over_time({selector}[{span}])"),
        Measure::StdDev(span) => format!("stddev_over_time({selector}[{span}])"),
        Measure::Change(span) => format!("({selector} - {selector} offset {span})"),
        Measure::Slope(span) => format!("deriv({selector}[{span}])"),
        Measure::ZScore(span) => format!(
            "(({selector} - avg_over_time({selector}[{span}])) / stddev_over_time({selector}[{span}]))"
        ),
        Measure::Gap(other) => format!("({selector} - ignoring(run) {})", self::selector(other)),
    }
}

fn compare(measured: &str, comparison: Comparison, threshold: f64) -> String {
    let threshold = match threshold {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        threshold => threshold.to_string(),
    };
    format!("{measured} {} {threshold}", comparison.symbol())
}

/// What holds where `comparison` does not, NaN apart.
fn negated(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
    }
}

/// The rule's message, with Prometheus' names for what is filled in.
fn summary(rule: &Rule) -> String {
    let condition = rule.condition.to_string();
    let Some(template) = &rule.message else {
        return condition;
    };
    [
        ("{run}", "{{ $labels.run }}"),
        ("{value}", "{{ $value }}"),
        ("{rule}", &rule.name),
        ("{condition}", &condition),
        ("{tag}", rule.condition.series().as_str()),
        ("{step}", "?"),
    ]
    .iter()
    .fold(template.clone(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// The pattern as a regular expression (RE2), in which `*` stands for any text.
fn regex(pattern: &str) -> String {
    let mut regex = String::new();
    for character in pattern.chars() {
        match character {
            '*' => regex += ".*",
            '.' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '\\' => {
                regex.extend(['\\', character]);
            }
            _ => regex.push(character),
        }
    }
    regex
}

/// A string of PromQL.
fn string(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

/// A label's name: letters, digits and underscores, and no digit first.
fn label(name: &str) -> String {
    let valid = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(valid).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        format!("_{name}")
    } else {
        name
    }
}

/// A scalar of YAML, in which only the quote itself is escaped.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\n', " ").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_on_drift_asks_for_the_gauges_of_drift() {
        for (series, expected) in [
            (
                "data_drift_detected",
                "modelpulse_data_drift_detected".to_owned(),
            ),
            (
                "live/drift/drifted_features",
                r#"modelpulse_drifted_features{run=~"(.*/)?live"}"#.to_owned(),
            ),
            (
                "live/drift/income/drift_score",
                r#"modelpulse_drift_score{run=~"(.*/)?live",feature=~"(.*/)?income"}"#.to_owned(),
            ),
            (
                "drift/pixel_*/missing_rate",
                r#"modelpulse_missing_rate{feature=~"(.*/)?pixel_.*"}"#.to_owned(),
            ),
            (
                "income/drift_score",
                r#"modelpulse_drift_score{feature=~"(.*/)?income"}"#.to_owned(),
            ),
        ] {
            assert_eq!(selector(&SeriesPattern::new(series)), expected);
        }
        let metric = drift_metric("a/live/drift", "income/drift_score");
        let expected = ("modelpulse_drift_score".to_owned(), "a/live", "income");
        assert_eq!(metric, Some(expected));
        for (run, tag) in [
            ("live", "drift_score"),
            ("drift", "loss"),
            ("adrift", "chunk_rows"),
        ] {
            assert_eq!(drift_metric(run, tag), None, "{run}/{tag}");
        }
    }
}
