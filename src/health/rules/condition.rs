//! What a rule asks of a series.
//!
//! A condition is what must *not* be: where it holds, the alert is on.

use std::fmt;
use std::str::FromStr;

use super::{SeriesPattern, Span};

/// A condition that must not hold.
///
/// | written | holds where |
/// |---|---|
/// | `eval/accuracy < 0.9` | the series' last value compares so; also `<= > >= == !=` |
/// | `avg(loss, 5m) > 1` | the mean of the last five minutes does; also `min`, `max`, `stddev` |
/// | `change(loss, 5m) > 0.1` | the value less the one of five minutes ago does |
/// | `slope(loss, 10m) > 0` | the least-squares slope does, in units a second (or a step) |
/// | `zscore(loss, 1h) > 4` | the value's distance from the mean of the last hour does, in standard deviations |
/// | `gap(eval/loss, train/loss) > 0.2` | the first series less the second at the same step does |
/// | `nan(loss)`, `nonfinite(loss)` | the value is NaN; is NaN or infinite |
/// | `absent(loss, 10m)` | no value came for ten minutes |
///
/// A series is named as by a [`SeriesPattern`], in double quotes where its name holds one of `<>=!,()`.
/// The second series of a gap is looked for beside the first (`a/train/loss` for `a/eval/loss`), then by
/// its whole path, which may be that of a reference run.
///
/// ```
/// use modelpulse::health::Condition;
/// let condition: Condition = "gap(eval/loss,train/loss)>0.20".parse()?;
/// assert_eq!(condition.to_string(), "gap(eval/loss, train/loss) > 0.2");
/// # Ok::<(), modelpulse::health::ParseConditionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// What is measured compares so with the threshold.
    Compare {
        /// What is measured.
        measure: Measure,
        /// The series.
        series: SeriesPattern,
        /// How it compares.
        comparison: Comparison,
        /// With what.
        threshold: f64,
    },
    /// The value is NaN.
    Nan(SeriesPattern),
    /// The value is NaN or infinite.
    NonFinite(SeriesPattern),
    /// No value came for so long.
    Absent(SeriesPattern, Span),
}

/// What is measured of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Its last value.
    Last,
    /// The mean over a window.
    Avg(Span),
    /// The least value of a window, NaN apart.
    Min(Span),
    /// The largest value of a window, NaN apart.
    Max(Span),
    /// The population's standard deviation over a window.
    StdDev(Span),
    /// The value less the one so long ago.
    Change(Span),
    /// The least-squares slope over a window, in units a second or a step.
    Slope(Span),
    /// The value's distance from the window's mean, in its standard deviations.
    ZScore(Span),
    /// The value less that of another series at the same step.
    Gap(SeriesPattern),
}

impl Measure {
    /// How far it looks back.
    pub(super) fn span(&self) -> Option<Span> {
        match *self {
            Self::Last | Self::Gap(_) => None,
            Self::Avg(span)
            | Self::Min(span)
            | Self::Max(span)
            | Self::StdDev(span)
            | Self::Change(span)
            | Self::Slope(span)
            | Self::ZScore(span) => Some(span),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Last => "",
            Self::Avg(_) => "avg",
            Self::Min(_) => "min",
            Self::Max(_) => "max",
            Self::StdDev(_) => "stddev",
            Self::Change(_) => "change",
            Self::Slope(_) => "slope",
            Self::ZScore(_) => "zscore",
            Self::Gap(_) => "gap",
        }
    }
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// Longer symbols first, so that `<=` is not read as `<`.
    const ALL: [(&'static str, Self); 6] = [
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    /// The symbol.
    pub fn symbol(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, comparison)| *comparison == self);
        found.map_or("", |(symbol, _)| symbol)
    }

    /// Whether `value` compares so with `threshold`; a NaN only differs.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Equal => value == threshold,
            Self::NotEqual => value != threshold,
        }
    }

    /// Reads `<= 0.5`.
    pub(super) fn parse_with_number(text: &str) -> Result<(Self, f64), String> {
        let text = text.trim();
        let found = Self::ALL
            .iter()
            .find(|(symbol, _)| text.starts_with(symbol));
        let Some(&(symbol, comparison)) = found else {
            return Err(if text.is_empty() {
                "it has no comparison".to_owned()
            } else {
                format!(
                    "'{}' is no comparison",
                    text.chars().take(2).collect::<String>()
                )
            });
        };
        let number = text[symbol.len()..].trim();
        let threshold: f64 = number
            .parse()
            .map_err(|_| format!("'{number}' is not a number"))?;
        if threshold.is_nan() {
            return Err("nothing compares with NaN; write nan(SERIES)".to_owned());
        }
        Ok((comparison, threshold))
    }
}

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot read the condition '{condition}': {problem}; write SERIES < NUMBER, such as 'eval/epoch_accuracy < 0.9', with one of < <= > >= == !=, or a function: avg(SERIES, 5m) > 1"
)]
pub struct ParseConditionError {
    condition: String,
    problem: String,
}

impl Condition {
    /// The series it speaks of first.
    pub fn series(&self) -> &SeriesPattern {
        match self {
            Self::Compare { series, .. }
            | Self::Nan(series)
            | Self::NonFinite(series)
            | Self::Absent(series, _) => series,
        }
    }

    /// The second series of a gap.
    pub(super) fn other(&self) -> Option<&SeriesPattern> {
        match self {
            Self::Compare {
                measure: Measure::Gap(other),
                ..
            } => Some(other),
            _ => None,
        }
    }

    /// The length that it names.
    pub(super) fn span(&self) -> Option<Span> {
        match self {
            Self::Compare { measure, .. } => measure.span(),
            Self::Absent(_, span) => Some(*span),
            Self::Nan(_) | Self::NonFinite(_) => None,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some((name, arguments, rest)) = call(text) {
            let series = |text: &str| {
                let name = unquote(text.trim());
                if name.is_empty() {
                    Err("it names no series".to_owned())
                } else {
                    Ok(SeriesPattern::new(name))
                }
            };
            let arguments = split(arguments);
            let first = series(arguments.first().map_or("", String::as_str))?;
            let second = || match &arguments[..] {
                [_, second] => Ok(second.trim()),
                _ => Err(format!(
                    "{name}() takes a series, a comma and one thing more"
                )),
            };
            let span = || second()?.parse::<Span>();
            if let "nan" | "nonfinite" | "absent" = name {
                let condition = match name {
                    "absent" => Self::Absent(first, span()?),
                    _ if arguments.len() != 1 => return Err(format!("{name}() takes one series")),
                    "nan" => Self::Nan(first),
                    _ => Self::NonFinite(first),
                };
                return match rest.trim() {
                    "" => Ok(condition),
                    rest => Err(format!(
                        "nothing may stand behind {name}(…), but '{rest}' does"
                    )),
                };
            }
            let measure = match name {
                "avg" => Measure::Avg(span()?),
                "min" => Measure::Min(span()?),
                "max" => Measure::Max(span()?),
                "stddev" => Measure::StdDev(span()?),
                "change" => Measure::Change(span()?),
                "slope" => Measure::Slope(span()?),
                "zscore" => Measure::ZScore(span()?),
                _ => Measure::Gap(series(second()?)?),
            };
            let (comparison, threshold) = Comparison::parse_with_number(rest)?;
            return Ok(Self::Compare {
                measure,
                series: first,
                comparison,
                threshold,
            });
        }
        let end = if text.trim_start().starts_with('"') {
            let open = text.len() - text.trim_start().len() + 1;
            text[open..]
                .find('"')
                .map_or(text.len(), |close| open + close + 1)
        } else {
            text.find(['<', '>', '=', '!'])
                .ok_or("it has no comparison")?
        };
        let (series, rest) = text.split_at(end);
        let series = unquote(series.trim());
        if series.is_empty() {
            return Err("it names no series".to_owned());
        }
        let (comparison, threshold) = Comparison::parse_with_number(rest)?;
        let series = SeriesPattern::new(series);
        Ok(Self::Compare {
            measure: Measure::Last,
            series,
            comparison,
            threshold,
        })
    }
}

const FUNCTIONS: [&str; 11] = [
    "avg",
    "min",
    "max",
    "stddev",
    "change",
    "slope",
    "zscore",
    "gap",
    "nan",
    "nonfinite",
    "absent",
];

/// `avg(a, 5m) > 1` as `avg`, `a, 5m` and ` > 1`.
fn call(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim();
    let open = text.find('(')?;
    let name = text[..open].trim();
    FUNCTIONS.contains(&name).then_some(())?;
    let mut quoted = false;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at <= open) {
        match character {
            '"' => quoted = !quoted,
            ')' if !quoted => return Some((name, &text[open + 1..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The parts between commas that are not quoted.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for character in text.chars() {
        quoted ^= character == '"';
        match parts.last_mut() {
            Some(part) if character != ',' || quoted => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

fn unquote(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

impl FromStr for Condition {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        Self::parse(text).map_err(|problem| ParseConditionError {
            condition: text.to_owned(),
            problem,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare {
                measure,
                series,
                comparison,
                threshold,
            } => {
                match measure {
                    Measure::Last => write!(f, "{series}")?,
                    Measure::Gap(other) => write!(f, "gap({series}, {other})")?,
                    measure => {
                        write!(f, "{}({series}", measure.name())?;
                        measure
                            .span()
                            .map_or(Ok(()), |span| write!(f, ", {span}"))?;
                        f.write_str(")")?;
                    }
                }
                write!(f, " {} {threshold}", comparison.symbol())
            }
            Self::Nan(series) => write!(f, "nan({series})"),
            Self::NonFinite(series) => write!(f, "nonfinite({series})"),
            Self::Absent(series, span) => write!(f, "absent({series}, {span})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_it_is_written() {
        for (text, shown) in [
            ("eval/epoch_accuracy < 0.9", "eval/epoch_accuracy < 0.9"),
            ("loss>=1e3", "loss >= 1000"),
            ("  a b  !=  -2.5 ", "a b != -2.5"),
            ("x <= inf", "x <= inf"),
            ("\"a<b (c)\" > 1", "\"a<b (c)\" > 1"),
            ("avg( loss , 90s)<.8", "avg(loss, 1m30s) < 0.8"),
            ("stddev(\"a,b\", 5) > 1", "stddev(\"a,b\", 5) > 1"),
            (
                "gap(eval/loss, train/loss) > 1",
                "gap(eval/loss, train/loss) > 1",
            ),
            ("nonfinite(*)", "nonfinite(*)"),
            ("absent(loss,10m)", "absent(loss, 10m)"),
            ("average(x) > 1", "\"average(x)\" > 1"),
        ] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.to_string(), shown);
            assert_eq!(shown.parse::<Condition>().unwrap(), condition);
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_in_one_line() {
        for (text, problem) in [
            ("", "no comparison"),
            ("loss", "no comparison"),
            ("loss = 3", "'= ' is no comparison"),
            ("loss < ", "'' is not a number"),
            ("loss < abc", "'abc' is not a number"),
            ("loss < 1 < 2", "'1 < 2' is not a number"),
            ("< 3", "names no series"),
            ("loss < nan", "NaN"),
            ("avg(loss) > 1", "takes a series, a comma"),
            ("avg(, 5m) > 1", "names no series"),
            ("avg(loss, 5x) > 1", "is no length"),
            ("avg(loss, 5m)", "no comparison"),
            ("nan(loss) > 1", "nothing may stand behind"),
            ("nan(a, b)", "takes one series"),
            ("\"a\" b > 1", "'b ' is no comparison"),
        ] {
            let error = text.parse::<Condition>().unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains('\n'), "{error}");
        }
    }
}
