//! Scenarios: what rules do with a series, written beside them.
//!
//! The notation of series is promtool's: `0.9 0.7x2 _x3 NaN 1+0.5x4`, one value a step. `0.7x2` stands
//! for two values, `1+0.5x4` for 1 and four more, `_` for none.

use std::collections::BTreeMap;

use super::{Alerts, Clock, RuleSet, Span, State};
use crate::flow::{Event, Sink};

/// Series, and the states that alerts are expected to go through.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    name: String,
    step: Span,
    series: BTreeMap<String, Vec<Option<f64>>>,
    expect: BTreeMap<String, Vec<State>>,
}

/// Where a rule does not do what a scenario expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{scenario}': {rule} is {found} at step {step}, expected {expected}", found = found.name(), expected = expected.name())]
#[non_exhaustive]
pub struct Mismatch {
    /// The scenario.
    pub scenario: String,
    /// The rule.
    pub rule: String,
    /// The step, counted from 0.
    pub step: usize,
    /// The state that it should be in.
    pub expected: State,
    /// The state that it is in.
    pub found: State,
}

impl Scenario {
    pub(super) fn new(
        name: String,
        step: Span,
        series: &BTreeMap<String, String>,
        expect: &BTreeMap<String, String>,
        rules: &RuleSet,
    ) -> Result<Self, String> {
        if !matches!(step, Span::Time(1..)) {
            return Err(format!("the step of '{name}' must be a time such as 30s"));
        }
        let series = series
            .iter()
            .map(|(path, text)| Ok((path.clone(), values(text)?)));
        let series: BTreeMap<_, _> = series.collect::<Result<_, String>>()?;
        let mut expected = BTreeMap::new();
        for (rule, text) in expect {
            if !rules.iter().any(|known| known.name() == rule) {
                return Err(format!(
                    "'{name}' expects something of a rule that is not there: no rule '{rule}'"
                ));
            }
            expected.insert(rule.clone(), states(text)?);
        }
        Ok(Self {
            name,
            step,
            series,
            expect: expected,
        })
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Goes through it, and returns what was not as expected: of each rule, the first step.
    pub fn run(&self, rules: &RuleSet) -> Vec<Mismatch> {
        let mut alerts = Alerts::new(rules.clone(), |_| ());
        let steps = self.series.values().map(Vec::len);
        let steps = steps
            .chain(self.expect.values().map(Vec::len))
            .max()
            .unwrap_or(0);
        let mut mismatches = BTreeMap::new();
        for step in 0..steps {
            let wall_time = (step as i64).saturating_mul(self.step.ticks()) as f64 / 1e6;
            // Time goes on where no series has a value.
            let mut instant = vec![Event::new(".", "time/heartbeat", step, wall_time, 0.0)];
            for (path, values) in &self.series {
                if let Some(&Some(value)) = values.get(step) {
                    let (run, tag) = path.rsplit_once('/').unwrap_or((".", path));
                    instant.push(Event::new(run, tag, step, wall_time, value));
                }
            }
            // It only counts what happens.
            let _ = alerts.accept(&instant);
            for (rule, states) in &self.expect {
                let Some(&expected) = states.get(step) else {
                    continue;
                };
                let of_rule = alerts.active().filter(|(active, ..)| active.name() == rule);
                let worst = of_rule
                    .map(|(.., state)| state)
                    .max_by_key(|state| *state == State::Firing);
                let found = worst.unwrap_or(State::Inactive);
                if found != expected {
                    let (scenario, rule) = (self.name.clone(), rule.clone());
                    let mismatch = Mismatch {
                        scenario,
                        rule: rule.clone(),
                        step,
                        expected,
                        found,
                    };
                    mismatches.entry(rule).or_insert(mismatch);
                }
            }
        }
        mismatches.into_values().collect()
    }

    /// Whether promtool could go through it too: it knows no rules by step.
    #[must_use]
    pub fn is_by_time(&self, rules: &RuleSet) -> bool {
        let by_step = |rule: &&super::Rule| rule.clock == Clock::Step;
        !rules
            .iter()
            .filter(by_step)
            .any(|rule| self.expect.contains_key(rule.name()))
    }
}

/// Reads `0.9 0.7x2 _x3`.
fn values(text: &str) -> Result<Vec<Option<f64>>, String> {
    let mut values = Vec::new();
    for part in text.split_whitespace() {
        let fail = || format!("'{part}' is no value: write a number, 0.7x2, 1+0.5x4, _ or _x3");
        let (first, count) = match part.rsplit_once('x') {
            Some((first, count)) => (first, count.parse::<usize>().map_err(|_| fail())?),
            None => (part, 1),
        };
        if count > 1_000_000 {
            return Err(format!(
                "'{part}' is too long: a series may have a million values"
            ));
        }
        if first == "_" {
            values.extend(std::iter::repeat_n(None, count));
            continue;
        }
        // A sign behind the first character, but not that of an exponent, begins the increment.
        let sign = first
            .char_indices()
            .skip(1)
            .find(|&(at, sign)| matches!(sign, '+' | '-') && !first[..at].ends_with(['e', 'E']));
        let (start, by, count) = match sign {
            Some((at, _)) => (&first[..at], &first[at..], count + 1),
            None => (first, "0", count),
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| fail());
        let (start, by) = (number(start)?, number(by)?);
        values.extend((0..count).map(|n| Some(if n == 0 { start } else { start + by * n as f64 })));
    }
    Ok(values)
}

/// Reads `inactive pendingx2 firing`.
fn states(text: &str) -> Result<Vec<State>, String> {
    let mut states = Vec::new();
    for part in text.split_whitespace() {
        let (word, count) = match part.rsplit_once('x') {
            Some((word, count)) => (word, count.parse().unwrap_or(0)),
            None => (part, 1_usize),
        };
        let all = [State::Inactive, State::Pending, State::Firing];
        let state = all.into_iter().find(|state| state.name() == word);
        match state {
            Some(state) if (1..=1_000_000).contains(&count) => {
                states.extend(std::iter::repeat_n(state, count))
            }
            _ => {
                return Err(format!(
                    "'{part}' is no state: write inactive, pending or firing, or firingx3"
                ));
            }
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_written_as_for_promtool() {
        let some = |values: &[f64]| values.iter().map(|&value| Some(value)).collect::<Vec<_>>();
        assert_eq!(values("0.9 0.7x2").unwrap(), some(&[0.9, 0.7, 0.7]));
        assert_eq!(
            values("1+0.5x2 -1-1x1 1e-3").unwrap(),
            some(&[1.0, 1.5, 2.0, -1.0, -2.0, 1e-3])
        );
        assert_eq!(values("_x2 _ 1").unwrap(), [None, None, None, Some(1.0)]);
        assert!(values("NaN").unwrap()[0].unwrap().is_nan());
        assert_eq!(values("-Inf").unwrap(), some(&[f64::NEG_INFINITY]));
        for text in ["a", "1x", "1xx2", "1+x2", "1x99999999"] {
            assert!(values(text).is_err(), "{text}");
        }
    }
}
