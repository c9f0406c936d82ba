//! Names in the conventions of those who read them.
//!
//! Prometheus': snake case, the unit at the end, `_total` behind what counts
//! (<https://prometheus.io/docs/practices/naming/>). Micrometer's: as they were given, words joined by dots.

use super::Kind;

/// Labels that a page of Prometheus has a meaning of its own for.
const RESERVED: [&str; 2] = ["le", "quantile"];

/// A name of letters, digits and underscores, no digit first.
fn valid(name: &str) -> String {
    let mut valid = String::with_capacity(name.len());
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        valid.push('_');
    }
    valid.extend(name.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        _ => '_',
    }));
    valid
}

/// The name of a family in OpenMetrics: without the `_total` of its samples.
pub(super) fn family(name: &str, unit: &str, kind: Kind) -> String {
    let mut name = valid(name);
    let suffix = match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        _ => "",
    };
    if let Some(stem) = name.strip_suffix(suffix).filter(|stem| !stem.is_empty()) {
        name.truncate(stem.len());
    }
    if !unit.is_empty() {
        let unit = format!("_{}", valid(unit).trim_matches('_'));
        if !name.ends_with(&unit) {
            name += &unit;
        }
    }
    name
}

/// The names that a family of this kind takes on a page.
pub(super) fn taken(family: &str, kind: Kind) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge | Kind::States => &[""],
        Kind::Info => &["", "_info"],
        Kind::Timer | Kind::Distribution => &[
            "",
            "_bucket",
            "_count",
            "_sum",
            "_created",
            "_nan",
            "_nan_total",
        ],
    };
    suffixes
        .iter()
        .map(|suffix| format!("{family}{suffix}"))
        .collect()
}

/// The name of a label. One that Prometheus keeps for itself is called `exported_…`, as it does it too.
pub(crate) fn label(name: &str) -> String {
    let name = valid(name);
    match name.strip_prefix("__") {
        Some(_) => format!("exported{name}"),
        None if RESERVED.contains(&name.as_str()) => format!("exported_{name}"),
        None => name,
    }
}

/// Labels as they stand between braces, by name; `None` where two have one name.
pub(super) fn labels(tags: &[(String, String)]) -> Option<Vec<(String, &str)>> {
    let named = tags
        .iter()
        .map(|(name, value)| (label(name), value.as_str()));
    let mut labels: Vec<(String, &str)> = named.collect();
    labels.sort();
    labels
        .windows(2)
        .all(|pair| pair[0].0 != pair[1].0)
        .then_some(labels)
}

/// `name="value"`, joined by commas; backslashes, quotes and line ends are escaped, the same in both formats.
pub(super) fn joined<'a>(labels: impl IntoIterator<Item = &'a (String, &'a str)>) -> String {
    let mut joined = String::new();
    for (name, value) in labels {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined += name;
        joined += "=\"";
        for character in value.chars() {
            match character {
                '\\' => joined += "\\\\",
                '"' => joined += "\\\"",
                '\n' => joined += "\\n",
                _ => joined.push(character),
            }
        }
        joined.push('"');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus_convention() {
        for (name, unit, kind, expected) in [
            ("model.accuracy", "", Kind::Gauge, "model_accuracy"),
            (
                "inference.latency",
                "seconds",
                Kind::Gauge,
                "inference_latency_seconds",
            ),
            ("latency_seconds", "seconds", Kind::Timer, "latency_seconds"),
            ("predictions", "", Kind::Counter, "predictions"),
            ("predictions_total", "", Kind::Counter, "predictions"),
            ("x_total", "bytes", Kind::Counter, "x_bytes"),
            ("_total", "", Kind::Counter, "_total"),
            ("x_total", "", Kind::Gauge, "x_total"),
            ("model_info", "", Kind::Info, "model"),
            ("5xx", "", Kind::Counter, "_5xx"),
            ("", "", Kind::Gauge, "_"),
            ("größe", "", Kind::Gauge, "gr__e"),
        ] {
            assert_eq!(family(name, unit, kind), expected, "{name} {unit}");
        }
    }

    #[test]
    fn labels_are_sorted_and_none_is_prometheus_own() {
        let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let tags = [tag("z", "a\"b\\c\nd"), tag("le", "1"), tag("__name__", "x")];
        let text = joined(&labels(&tags).unwrap());
        assert_eq!(
            text,
            r#"exported__name__="x",exported_le="1",z="a\"b\\c\nd""#
        );
        assert_eq!(labels(&[tag("a.b", "1"), tag("a-b", "2")]), None);
    }
}
