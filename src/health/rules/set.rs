//! The rules of a session or a replay, and the grid on which they are evaluated.

use std::collections::BTreeSet;

use super::{Rule, Span};

/// Rules that can be evaluated together: each is sound, and no name occurs twice.
///
/// ```
/// use modelpulse::health::RuleSet;
/// let rules = RuleSet::new(vec!["loss > 1".parse()?])?;
/// assert_eq!(rules.iter().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) interval: Span,
    pub(super) lookback: Span,
}

/// Why rules cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleSetError {
    /// A rule asks for what cannot be.
    #[error("rule '{rule}': {problem}")]
    Rule {
        /// The rule's name.
        rule: String,
        /// What is wrong, and what to write.
        problem: String,
    },
    /// Two rules of one name.
    #[error("two rules are named '{rule}': give each a name of its own")]
    Name {
        /// The name.
        rule: String,
    },
    /// A grid or a look-back that is no time.
    #[error("{setting} must be a time such as 30s, not '{span}'")]
    Time {
        /// Which.
        setting: &'static str,
        /// What it is.
        span: Span,
    },
}

impl RuleSet {
    /// Rules with a grid of 30 seconds and a look-back of 5 minutes, as Prometheus' is.
    ///
    /// # Errors
    /// [`RuleSetError`] where a rule cannot be evaluated, or two have one name.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleSetError> {
        let mut names = BTreeSet::new();
        for rule in &rules {
            if let Some(problem) = rule.problem() {
                return Err(RuleSetError::Rule {
                    rule: rule.name().to_owned(),
                    problem,
                });
            }
            if !names.insert(rule.name()) {
                return Err(RuleSetError::Name {
                    rule: rule.name().to_owned(),
                });
            }
        }
        Ok(Self {
            rules,
            interval: Span::seconds(30),
            lookback: Span::seconds(300),
        })
    }

    /// How far apart, in event time, evaluations are that no event asks for.
    ///
    /// # Errors
    /// [`RuleSetError::Time`] unless it is a time above zero.
    pub fn interval(mut self, interval: Span) -> Result<Self, RuleSetError> {
        self.interval = time("the interval", interval)?;
        Ok(self)
    }

    /// For how long a series' last value stands for it.
    ///
    /// # Errors
    /// [`RuleSetError::Time`] unless it is a time above zero.
    pub fn lookback(mut self, lookback: Span) -> Result<Self, RuleSetError> {
        self.lookback = time("the look-back", lookback)?;
        Ok(self)
    }

    /// These rules, and `more` behind them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with(self, more: Vec<Rule>) -> Result<Self, RuleSetError> {
        let Self {
            mut rules,
            interval,
            lookback,
        } = self;
        rules.extend(more);
        Ok(Self {
            interval,
            lookback,
            ..Self::new(rules)?
        })
    }

    /// The rules, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

fn time(setting: &'static str, span: Span) -> Result<Span, RuleSetError> {
    match span {
        Span::Time(1..) => Ok(span),
        _ => Err(RuleSetError::Time { setting, span }),
    }
}
