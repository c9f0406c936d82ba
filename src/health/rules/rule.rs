//! A rule: a condition, and when it becomes an alert.
//!
//! A rule is checked when it is put into a [`RuleSet`](super::RuleSet); what is in one can be evaluated.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Comparison, Condition, Measure, ParseConditionError, Span};

/// What a rule's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The wall time of events. A rule is evaluated at each event of its series, and on a grid.
    #[default]
    Time,
    /// The series' steps. A rule is evaluated at each event of its series.
    Step,
}

/// What a value means that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The condition holds.
    Fire,
    /// It is as it was.
    Hold,
    /// It does not hold, as Prometheus has it; but a NaN is not equal to anything.
    Ignore,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at.
    #[default]
    Warning,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// The severity's name, as in a rule file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A condition that must not hold, and when it becomes an alert.
///
/// ```
/// use modelpulse::health::{Rule, Span};
/// let low = Rule::new("AccuracyLow", "eval/accuracy < 0.9".parse()?).hold_for(Span::seconds(60));
/// assert_eq!(low.name(), "AccuracyLow");
/// let at_once: Rule = "eval/accuracy < 0.9".parse()?;
/// assert_eq!(at_once.name(), "eval/accuracy < 0.9");
/// # Ok::<(), modelpulse::health::ParseConditionError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub(super) name: Arc<str>,
    pub(super) condition: Condition,
    pub(super) clock: Clock,
    pub(super) hold_for: Span,
    pub(super) keep_firing_for: Span,
    pub(super) clear: Option<(Comparison, f64)>,
    pub(super) times: Option<(usize, usize)>,
    pub(super) nan: When,
    pub(super) missing: When,
    pub(super) severity: Severity,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) message: Option<String>,
}

impl Rule {
    /// A rule by wall time that fires as soon as `condition` holds, and for a NaN.
    pub fn new(name: impl Into<Arc<str>>, condition: Condition) -> Self {
        Self {
            name: name.into(),
            condition,
            clock: Clock::Time,
            hold_for: Span::Time(0),
            keep_firing_for: Span::Time(0),
            clear: None,
            times: None,
            nan: When::Fire,
            missing: When::Ignore,
            severity: Severity::Warning,
            labels: BTreeMap::new(),
            message: None,
        }
    }

    /// What its time is; lengths are then of that time.
    pub fn by(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long the condition must hold before the alert fires; until then it is pending.
    pub fn hold_for(mut self, span: Span) -> Self {
        self.hold_for = span;
        self
    }

    /// How long the alert goes on firing when its condition does not hold any more.
    pub fn keep_firing_for(mut self, span: Span) -> Self {
        self.keep_firing_for = span;
        self
    }

    /// The alert, once it fires, ends only where the measured value compares so: hysteresis.
    pub fn clear(mut self, comparison: Comparison, threshold: f64) -> Self {
        self.clear = Some((comparison, threshold));
        self
    }

    /// The condition must hold for at least `m` of the last `n` values.
    pub fn times(mut self, m: usize, n: usize) -> Self {
        self.times = Some((m, n));
        self
    }

    /// What a NaN means; by default the condition holds.
    pub fn nan(mut self, when: When) -> Self {
        self.nan = when;
        self
    }

    /// What it means that no value came within the look-back; by default the condition does not hold.
    pub fn missing(mut self, when: When) -> Self {
        self.missing = when;
        self
    }

    /// How bad it is.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// A label that its alerts carry.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// What an alert says: text in which `{run}`, `{tag}`, `{step}`, `{value}`, `{rule}` and
    /// `{condition}` are filled in.
    pub fn message(mut self, template: impl Into<String>) -> Self {
        self.message = Some(template.into());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How bad it is, as in a rule file.
    pub fn severity_name(&self) -> &'static str {
        self.severity.name()
    }

    /// What its time is.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Its condition.
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Why it cannot be evaluated, if so.
    pub(super) fn problem(&self) -> Option<String> {
        let fits = |span: Span| match (self.clock, span) {
            (_, Span::Time(0) | Span::Steps(0)) => true,
            (Clock::Time, span) => matches!(span, Span::Time(_)),
            (Clock::Step, span) => matches!(span, Span::Steps(_)),
        };
        let spans = [
            Some(self.hold_for),
            Some(self.keep_firing_for),
            self.condition.span(),
        ];
        if let Some(span) = spans.into_iter().flatten().find(|&span| !fits(span)) {
            return Some(match self.clock {
                Clock::Time => format!(
                    "'{span}' is a number of steps in a rule by time: write a time such as 5m, or by = \"step\""
                ),
                Clock::Step => {
                    format!("'{span}' is a time in a rule by step: write a number of steps")
                }
            });
        }
        if let Some(span) = self.condition.span().filter(|span| span.ticks() == 0) {
            return Some(format!("a window of {span} holds nothing"));
        }
        if self
            .condition
            .other()
            .is_some_and(super::SeriesPattern::is_glob)
        {
            return Some(
                "the second series of a gap is one series: write its name without '*'".to_owned(),
            );
        }
        if self.clock == Clock::Step && matches!(self.condition, Condition::Absent(..)) {
            return Some(
                "absent() is by time: steps that do not come cannot be counted".to_owned(),
            );
        }
        let last = |condition: &Condition| {
            matches!(
                condition,
                Condition::Compare {
                    measure: Measure::Last,
                    ..
                } | Condition::Nan(_)
                    | Condition::NonFinite(_)
            )
        };
        match self.times {
            Some(_) if !last(&self.condition) => {
                return Some(
                    "'times' counts values: it needs a condition on a series' value".to_owned(),
                );
            }
            Some((m, n)) if m == 0 || m > n => {
                return Some(format!(
                    "{m} of {n} cannot be: write the smaller number first, from 1 on"
                ));
            }
            _ => {}
        }
        if self.clear.is_some() && !matches!(self.condition, Condition::Compare { .. }) {
            return Some("'clear' needs a condition that compares".to_owned());
        }
        None
    }
}

/// The rule that is named as its condition is written.
impl FromStr for Rule {
    type Err = ParseConditionError;

    fn from_str(text: &str) -> Result<Self, ParseConditionError> {
        let condition: Condition = text.parse()?;
        Ok(Self::new(condition.to_string(), condition))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
