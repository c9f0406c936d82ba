//! A page parsed by the letter of its format; stricter than `promtool check metrics`, which lets pass duplicate
//! series, histograms without `+Inf` or whose buckets go down, and families that are interleaved.

use std::collections::{BTreeMap, BTreeSet};

/// A family of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    pub help: Option<String>,
    pub kind: String,
    pub unit: Option<String>,
    /// Name and labels of each sample, and its value.
    pub samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// A page and all that is wrong with it.
#[derive(Debug, Default)]
pub struct Parsed {
    pub families: BTreeMap<String, Family>,
    pub wrong: Vec<String>,
}

const SUFFIXES: [&str; 6] = ["_total", "_created", "_bucket", "_count", "_sum", "_info"];

/// The samples that a family of this kind may have, behind its name.
fn suffixes(kind: &str, open: bool) -> &'static [&'static str] {
    match (kind, open) {
        ("counter", true) => &["_total", "_created"],
        ("histogram", true) => &["_bucket", "_count", "_sum", "_created"],
        ("histogram", false) => &["_bucket", "_count", "_sum"],
        ("summary", true) => &["", "_count", "_sum", "_created"],
        ("summary", false) => &["", "_count", "_sum"],
        ("info", true) => &["_info"],
        _ => &[""],
    }
}

/// Parses a page; `open` says that it is OpenMetrics.
pub fn parse(page: &str, open: bool) -> Parsed {
    let mut parsed = Parsed::default();
    let mut current = String::new();
    let mut closed = BTreeSet::new();
    if !page.is_empty() && !page.ends_with('\n') {
        parsed.wrong.push("the last line has no end".to_owned());
    }
    if page.contains('\r') {
        parsed.wrong.push("a carriage return".to_owned());
    }
    let mut lines = page.lines().enumerate().peekable();
    let mut ended = false;
    while let Some((at, line)) = lines.next() {
        let at = at + 1;
        let mut wrong = |text: String| parsed.wrong.push(format!("line {at}: {text}"));
        if open && line == "# EOF" {
            ended = true;
            if lines.peek().is_some() {
                wrong("something stands behind the end".to_owned());
            }
            break;
        }
        let meta = line.strip_prefix("# ").and_then(|rest| {
            let (keyword, rest) = rest.split_once(' ')?;
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            ["HELP", "TYPE", "UNIT"]
                .contains(&keyword)
                .then_some((keyword, name, text))
        });
        let (name, sample) = match meta {
            Some((_, name, _)) => (name.to_owned(), None),
            None if line.starts_with('#') && !open => continue,
            None if line.is_empty() && !open => continue,
            None => match sample(line) {
                Ok(sample) => {
                    let known = parsed.families.get(&current);
                    let family = match known {
                        Some(family) if belongs(&sample.0, &current, &family.kind, open) => {
                            current.clone()
                        }
                        _ => sample.0.clone(),
                    };
                    (family, Some(sample))
                }
                Err(problem) => {
                    wrong(problem);
                    continue;
                }
            },
        };
        if !is_name(&name, true) {
            wrong(format!("'{name}' is no name"));
        }
        if name != current {
            if closed.contains(&name) || parsed.families.contains_key(&name) {
                wrong(format!("{name} is in more than one place"));
            }
            closed.insert(std::mem::replace(&mut current, name.clone()));
        }
        let family = parsed.families.entry(name.clone()).or_default();
        match (meta, sample) {
            (Some((keyword, _, text)), _) => {
                if !family.samples.is_empty() {
                    wrong(format!("{keyword} of {name} behind its samples"));
                }
                match keyword {
                    "HELP" if family.help.is_some() => wrong(format!("two HELP of {name}")),
                    "HELP" => match unescape(text, open) {
                        Ok(help) => family.help = Some(help),
                        Err(problem) => wrong(problem),
                    },
                    "TYPE" if !family.kind.is_empty() => wrong(format!("two TYPE of {name}")),
                    "TYPE" => family.kind = text.to_owned(),
                    _ => {
                        family.unit = Some(text.to_owned());
                        if !open || !name.ends_with(&format!("_{text}")) {
                            wrong(format!("the unit {text} of {name}"));
                        }
                    }
                }
            }
            (None, Some((sample, labels, value))) => {
                if !belongs(&sample, &name, &family.kind, open) {
                    wrong(format!("{sample} is no sample of a {}", family.kind));
                }
                let twice = |(other, theirs, _): &(String, BTreeMap<String, String>, f64)| {
                    *other == sample && same(theirs, &labels)
                };
                if family.samples.iter().any(twice) {
                    wrong(format!("{sample} {labels:?} is there twice"));
                }
                family.samples.push((sample, labels, value));
            }
            (None, None) => {}
        }
    }
    if open && !ended {
        parsed.wrong.push("there is no # EOF".to_owned());
    }
    let mut wrong = Vec::new();
    for (name, family) in &parsed.families {
        check(name, family, open, &mut |problem: &str| {
            wrong.push(format!("{name}: {problem}"));
        });
    }
    parsed.wrong.extend(wrong);
    parsed
}

/// A label without a value is none.
fn same(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> bool {
    let filled = |(_, value): &(&String, &String)| !value.is_empty();
    a.iter().filter(filled).eq(b.iter().filter(filled))
}

fn belongs(sample: &str, family: &str, kind: &str, open: bool) -> bool {
    let rest = sample.strip_prefix(family);
    rest.is_some_and(|rest| suffixes(kind, open).contains(&rest))
}

/// What is wrong with a family as a whole.
fn check(name: &str, family: &Family, open: bool, wrong: &mut impl FnMut(&str)) {
    if family.help.as_deref().is_none_or(str::is_empty) {
        wrong("no help text");
    }
    let known = ["counter", "gauge", "histogram", "summary", "untyped"];
    let open_only = ["info", "stateset", "unknown", "gaugehistogram"];
    match family.kind.as_str() {
        "" => wrong("no type"),
        kind if known.contains(&kind) || (open && open_only.contains(&kind)) => {}
        kind => wrong(&format!("{kind} is no type")),
    }
    let counter = family.kind == "counter";
    if !open && counter != name.ends_with("_total") {
        wrong("_total stands behind counters, and behind counters alone");
    }
    if open && counter && SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        wrong("a suffix of a sample is in the name of the family");
    }
    for (sample, labels, value) in &family.samples {
        if labels.keys().any(|label| label.starts_with("__")) {
            wrong("a label of Prometheus itself");
        }
        let counts = counter || ["_count", "_bucket"].iter().any(|it| sample.ends_with(it));
        if counts && (value.is_nan() || *value < 0.0) && !sample.ends_with("_created") {
            wrong(&format!("{sample} counts {value}"));
        }
        let le = labels.contains_key("le");
        if le != (family.kind == "histogram" && sample.ends_with("_bucket")) {
            wrong("the label le stands in buckets, and in buckets alone");
        }
    }
    if family.kind == "histogram" {
        histogram(name, family, wrong);
    }
}

fn histogram(name: &str, family: &Family, wrong: &mut impl FnMut(&str)) {
    let mut series: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
    let (bucket, count) = (format!("{name}_bucket"), format!("{name}_count"));
    for (sample, labels, value) in &family.samples {
        let mut rest = labels.clone();
        let le = rest.remove("le");
        let buckets = series.entry(rest).or_default();
        if *sample == bucket {
            match le.as_deref().map(number) {
                Some(Ok(bound)) if !bound.is_nan() => buckets.push((bound, *value)),
                _ => wrong("a bucket without a bound"),
            }
        }
    }
    for (labels, buckets) in &series {
        if !buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1) {
            wrong("buckets that go down");
        }
        let find = |sum: &str| {
            let name = format!("{name}{sum}");
            let mut samples = family.samples.iter();
            samples
                .find(|(sample, theirs, _)| *sample == name && theirs == labels)
                .map(|(.., value)| *value)
        };
        match buckets.last() {
            Some((f64::INFINITY, all)) if find("_count") == Some(*all) => {}
            Some((f64::INFINITY, _)) => wrong(&format!("{count} is not its last bucket")),
            _ => wrong("no bucket +Inf"),
        }
        if find("_sum").is_none() {
            wrong("no sum");
        }
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && colons);
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(fine)
}

pub fn number(text: &str) -> Result<f64, String> {
    // What Go reads; Rust reads "infinity" and the like as well.
    let fine = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    match text {
        "NaN" => Ok(f64::NAN),
        "+Inf" | "Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        _ if text.chars().all(fine) => text.parse().map_err(|_| format!("'{text}' is no number")),
        _ => match text.to_ascii_lowercase().as_str() {
            "nan" => Ok(f64::NAN),
            "inf" | "+inf" => Ok(f64::INFINITY),
            _ => Err(format!("'{text}' is no number")),
        },
    }
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let (mut plain, mut rest) = (String::new(), text.chars());
    while let Some(character) = rest.next() {
        match character {
            '"' if quotes => return Err("a quote that is not escaped".to_owned()),
            '\\' => plain.push(match rest.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => return Err(format!("\\{other:?} is no escape")),
            }),
            _ => plain.push(character),
        }
    }
    Ok(plain)
}

type Sample = (String, BTreeMap<String, String>, f64);

/// `name{label="value",…} value`, without a time.
fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("'{name}' is no name"));
    }
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"").ok_or("labels without an end")?;
            if !is_name(label, false) {
                return Err(format!("'{label}' is no name of a label"));
            }
            let mut end = None;
            let mut escape = false;
            for (at, character) in behind.char_indices() {
                match character {
                    _ if escape => escape = false,
                    '\\' => escape = true,
                    '"' => {
                        end = Some(at);
                        break;
                    }
                    _ => {}
                }
            }
            let end = end.ok_or("a value without an end")?;
            let value = unescape(&behind[..end], true)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return Err(format!("two labels {label}"));
            }
            rest = &behind[end + 1..];
            match rest.strip_prefix(',') {
                Some(more) if !more.starts_with('}') => rest = more,
                None if rest.starts_with('}') => {}
                _ => return Err(format!("labels go on with '{rest}'")),
            }
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').ok_or("no value")?;
    Ok((name.to_owned(), labels, number(value)?))
}
