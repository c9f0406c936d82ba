//! What alerts write into the log that they watch, so that the log tells its own story.
//!
//! An alert is told of in the run of its series, at that series' step.

use std::collections::HashMap;
use std::sync::Arc;

use super::{State, Transition};
use crate::flow::Event;
use crate::summary::{Text, Value};
use crate::types::{RunName, Step};

/// How the tags begin that alerts log under: `health/alerts/RULE`, 1 while an alert of the rule fires in the run, and
/// `health/alerts/RULE/text`, each change in words. No rule sees them.
pub const ALERTS: &str = "health/alerts/";

#[derive(Debug, Default)]
pub(super) struct Story {
    /// How many alerts of a rule fire in a run.
    firing: HashMap<(Arc<str>, RunName), usize>,
    /// What the last instant led to.
    page: Vec<Event>,
}

impl Story {
    /// An instant begins.
    #[inline]
    pub(super) fn turn_page(&mut self) {
        self.page.clear();
    }

    /// What is to be logged of the instant.
    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.page)
    }

    /// From here on a rule speaks of a run.
    pub(super) fn begin(&mut self, rule: &Arc<str>, run: &RunName, step: Step) {
        let key = (rule.clone(), run.clone());
        if !self.firing.contains_key(&key) {
            self.write(rule, "", run, step, 0.0);
            self.firing.insert(key, 0);
        }
    }

    /// An alert changes.
    pub(super) fn tell(&mut self, change: &Transition) {
        let rule = &change.rule;
        if change.to == State::Firing {
            *self.count(rule, &change.run) += 1;
            self.write(rule, "", &change.run, change.step, 1.0);
        } else if let Some(began) = &change.began {
            // An absence may have begun before the run was known whose value ends it.
            let step = match began.run == change.run {
                true => change.step,
                false => began.step,
            };
            let count = self.count(rule, &began.run);
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.write(rule, "", &began.run, step, 0.0);
            }
        }
        let text = Text::new(change.to_string());
        self.write(rule, "/text", &change.run, change.step, text);
    }

    fn count(&mut self, rule: &Arc<str>, run: &RunName) -> &mut usize {
        self.firing.entry((rule.clone(), run.clone())).or_default()
    }

    fn write(
        &mut self,
        rule: &str,
        kind: &str,
        run: &RunName,
        step: Step,
        value: impl Into<Value>,
    ) {
        // The session that logs it knows the wall time.
        let tag = format!("{ALERTS}{rule}{kind}");
        self.page
            .push(Event::new(run.clone(), tag, step, 0.0, value));
    }
}
