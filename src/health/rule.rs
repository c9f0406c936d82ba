//! A rule: what must not be.
//!
//! A rule names a series and compares each of its values with a number. NaN breaks every rule: a
//! value that cannot be compared is no sign of health.

use std::fmt;
use std::str::FromStr;

use crate::flow::Event;

/// A condition that must not hold, such as `eval/epoch_accuracy < 0.9`.
///
/// The series is given by its run and tag, or by the end of that path from any `/` on:
/// `epoch_accuracy` names it in every run, `eval/epoch_accuracy` in each run `eval`, also below other
/// directories.
///
/// ```
/// use modelpulse::{flow::Event, health::Rule};
/// let rule: Rule = "eval/epoch_accuracy < 0.9".parse()?;
/// assert!(rule.breach(&Event::new("eval", "epoch_accuracy", 3, 1.7e9, 0.85)).is_some());
/// assert!(rule.breach(&Event::new("eval", "epoch_accuracy", 4, 1.7e9, 0.95)).is_none());
/// assert!(rule.breach(&Event::new("eval", "epoch_accuracy", 5, 1.7e9, f64::NAN)).is_some());
/// assert!(rule.breach(&Event::new("train", "epoch_accuracy", 3, 1.7e9, 0.85)).is_none());
/// # Ok::<(), modelpulse::health::ParseRuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    series: String,
    comparison: Comparison,
    threshold: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
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

    fn symbol(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, comparison)| *comparison == self)
            .map_or("", |(symbol, _)| symbol)
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Equal => value == threshold,
            Self::NotEqual => value != threshold,
        }
    }
}

/// Why a text is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot read the rule '{rule}': {problem}; write SERIES < NUMBER, such as 'eval/epoch_accuracy < 0.9', with one of < <= > >= == !="
)]
pub struct ParseRuleError {
    rule: String,
    problem: String,
}

impl FromStr for Rule {
    type Err = ParseRuleError;

    fn from_str(rule: &str) -> Result<Self, ParseRuleError> {
        let fail = |problem: String| ParseRuleError {
            rule: rule.to_owned(),
            problem,
        };
        let at = rule
            .find(['<', '>', '=', '!'])
            .ok_or_else(|| fail("it has no comparison".to_owned()))?;
        let (series, rest) = rule.split_at(at);
        let comparison = Comparison::ALL
            .iter()
            .find(|(symbol, _)| rest.starts_with(symbol));
        let Some(&(symbol, comparison)) = comparison else {
            return Err(fail(format!(
                "'{}' is no comparison",
                rest.chars().take(2).collect::<String>()
            )));
        };
        let (series, number) = (series.trim(), rest[symbol.len()..].trim());
        if series.is_empty() {
            return Err(fail("it names no series".to_owned()));
        }
        let threshold: f64 = number
            .parse()
            .map_err(|_| fail(format!("'{number}' is not a number")))?;
        if threshold.is_nan() {
            return Err(fail(
                "nothing compares with NaN, and a NaN breaks every rule anyway".to_owned(),
            ));
        }
        Ok(Self {
            series: series.to_owned(),
            comparison,
            threshold,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.series,
            self.comparison.symbol(),
            self.threshold
        )
    }
}

impl Rule {
    /// Whether the rule speaks of the event's series.
    pub fn names(&self, event: &Event) -> bool {
        let mut path = event.path();
        if path.len() > self.series.len() {
            let before = path.len() - self.series.len() - 1;
            if path.as_bytes()[before] != b'/' {
                return false;
            }
            path.drain(..=before);
        }
        path == self.series
    }

    /// The breach, if the event breaks this rule. Only scalars can.
    pub fn breach<'a>(&'a self, event: &'a Event) -> Option<Breach<'a>> {
        let value = event.value.scalar()?;
        let broken = value.is_nan() || self.comparison.holds(f64::from(value), self.threshold);
        (broken && self.names(event)).then_some(Breach {
            rule: self,
            event,
            value,
        })
    }
}

/// An event that breaks a rule. Shown, it is one line.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Breach<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The event.
    pub event: &'a Event,
    /// Its value.
    pub value: f32,
}

impl fmt::Display for Breach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            event:
                Event {
                    run,
                    tag,
                    step,
                    wall_time,
                    ..
                },
            value,
        } = self;
        write!(
            f,
            "broken: {rule}  run={run} tag={tag} step={step} wall_time={wall_time:.6} value={value}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_it_is_written() {
        for (text, shown) in [
            ("eval/epoch_accuracy < 0.9", "eval/epoch_accuracy < 0.9"),
            ("loss>=1e3", "loss >= 1000"),
            ("  a b  !=  -2.5 ", "a b != -2.5"),
            ("x <= inf", "x <= inf"),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), shown);
        }
        for (text, problem) in [
            ("", "no comparison"),
            ("loss", "no comparison"),
            ("loss = 3", "'= ' is no comparison"),
            ("loss < ", "'' is not a number"),
            ("loss < abc", "'abc' is not a number"),
            ("loss < 1 < 2", "'1 < 2' is not a number"),
            ("< 3", "names no series"),
            ("loss < nan", "NaN"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(problem) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_series_is_named_by_the_end_of_its_path() {
        let event = Event::new("a/eval", "x/y", 0, 0.0, 1.0);
        for (series, named) in [
            ("y", true),
            ("x/y", true),
            ("eval/x/y", true),
            ("a/eval/x/y", true),
            ("b/a/eval/x/y", false),
            ("val/x/y", false),
            ("/y", false),
        ] {
            let rule: Rule = format!("{series} > 0").parse().unwrap();
            assert_eq!(rule.names(&event), named, "{series}");
        }
        let root = Event::new(".", "y", 0, 0.0, 1.0);
        assert!("y > 0".parse::<Rule>().unwrap().names(&root));
    }
}
