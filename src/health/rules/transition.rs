//! An alert that changes its state.

use std::fmt;
use std::sync::Arc;

use super::{Rule, Severity, State};
use crate::types::{RunName, Step, Tag};

/// An alert that changed its state. Its identity is rule, state, run, tag, step and wall time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The rule's name.
    pub rule: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// The state that it left.
    pub from: State,
    /// The state that it is in now.
    pub to: State,
    /// The run of the series.
    pub run: RunName,
    /// The series.
    pub tag: Tag,
    /// The step of the series' last value.
    pub step: Step,
    /// When, in seconds since 1970: at an event, or on the grid.
    pub wall_time: f64,
    /// What was measured; NaN where there was nothing to measure.
    pub value: f64,
    /// The rule's labels.
    pub labels: Vec<(String, String)>,
    /// What the rule says of it.
    pub message: String,
    /// Of an alert that does not fire any more, the change that it began to fire with.
    pub began: Option<Arc<Self>>,
}

impl Transition {
    /// The state it is in now, in a word: `pending`, `firing`, `resolved`, or `inactive` for what was
    /// pending only.
    pub fn word(&self) -> &'static str {
        match (self.from, self.to) {
            (State::Firing, State::Inactive) => "resolved",
            (_, to) => to.name(),
        }
    }

    /// The rule's message on this alert.
    pub(super) fn text(&mut self, rule: &Rule) {
        let condition = rule.condition.to_string();
        self.message = match &rule.message {
            None => condition,
            Some(template) => fill(template, |name| {
                Some(match name {
                    "run" => self.run.to_string(),
                    "tag" => self.tag.to_string(),
                    "step" => self.step.to_string(),
                    "value" => self.value.to_string(),
                    "rule" => self.rule.to_string(),
                    "condition" => condition.clone(),
                    _ => return None,
                })
            }),
        };
    }
}

/// One line, in which the parts of the identity stand first.
impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            run,
            tag,
            step,
            wall_time,
            value,
            ..
        } = self;
        let word = self.word();
        write!(
            f,
            "{word}: {rule}  run={run} tag={tag} step={step} wall_time={wall_time:.6} value={value}"
        )?;
        if self.message != **rule {
            write!(f, "  {}", self.message)?;
        }
        Ok(())
    }
}

/// `template` with each `{name}` that `value` knows.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some(open) = rest.find('{') {
        text += &rest[..open];
        rest = &rest[open..];
        let known = rest
            .find('}')
            .and_then(|close| Some((close, value(&rest[1..close])?)));
        match known {
            Some((close, value)) => {
                text += &value;
                rest = &rest[close + 1..];
            }
            None => {
                text.push('{');
                rest = &rest[1..];
            }
        }
    }
    text + rest
}
