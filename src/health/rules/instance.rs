//! One alert: a rule on one series.
//!
//! Whether the condition holds is decided from the series' past alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::{History, Sample};
use super::machine::Machine;
use super::{Clock, Condition, Measure, Rule, Span, State, Transition, When};
use crate::flow::Event;
use crate::types::{RunName, Step, Tag};

/// The values of the other series of a gap, by step.
pub(super) type Others = BTreeMap<i64, f64>;

/// A point in time, or in steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// In microseconds since 1970.
    pub(super) micros: i64,
    /// In seconds since 1970, as it is reported.
    pub(super) wall_time: f64,
    /// From when on a series' last value stands for it, in microseconds.
    pub(super) lookback: i64,
}

#[derive(Debug)]
pub(super) struct Instance {
    pub(super) rule: usize,
    pub(super) run: RunName,
    pub(super) tag: Tag,
    /// Of the series' path, what stands before the part that the rule names.
    pub(super) prefix: String,
    /// Where the other series of a gap is kept.
    pub(super) other: Option<usize>,
    /// The transition to firing, while it fires.
    pub(super) fired: Option<Arc<Transition>>,
    history: History,
    machine: Machine,
    /// What was decided last.
    held: bool,
    step: i64,
    /// Since when a series that never came is waited for.
    started: i64,
}

impl Instance {
    pub(super) fn new(rule: usize, run: RunName, tag: Tag, prefix: String) -> Self {
        Self {
            rule,
            run,
            tag,
            prefix,
            other: None,
            fired: None,
            history: History::default(),
            machine: Machine::default(),
            held: false,
            step: 0,
            started: 0,
        }
    }

    /// Takes a value of the series.
    pub(super) fn push(&mut self, rule: &Rule, moment: Moment, event: &Event, value: f64) {
        let step = event.step.as_i64();
        if let Condition::Absent(..) = rule.condition {
            // One for all series that the rule names: it tells of the last that was there.
            (self.run, self.tag) = (event.run.clone(), event.tag.clone());
        }
        let at = match rule.clock {
            Clock::Time => moment.micros,
            Clock::Step => {
                self.history.rewind(step);
                self.machine.rewind(step);
                step
            }
        };
        self.step = step;
        self.history.push(Sample { at, value });
        let kept = rule.times.map_or(1, |(_, n)| n);
        let reach = rule.condition.span().map_or(0, Span::ticks);
        let from = match (rule.clock, &rule.condition) {
            // The value so long ago may lie a look-back further.
            (Clock::Time, _) => moment.lookback.saturating_sub(reach),
            // Of the values before the window, the last one.
            (
                Clock::Step,
                Condition::Compare {
                    measure: Measure::Change(_),
                    ..
                },
            ) => {
                let before = self.history.last_in(i64::MIN, at.saturating_sub(reach));
                before.map_or(i64::MIN, |sample| sample.at)
            }
            (Clock::Step, _) => at.saturating_sub(reach),
        };
        self.history.forget_before(from, kept);
    }

    /// Decides at `moment`, and tells of a change of state.
    pub(super) fn evaluate(
        &mut self,
        rule: &Rule,
        moment: Moment,
        other: Option<&Others>,
    ) -> Option<Transition> {
        let (now, from) = match rule.clock {
            Clock::Time => (moment.micros, moment.lookback),
            Clock::Step => (self.step, i64::MIN),
        };
        let (holds, value) = self.condition(rule, now, from, other);
        self.held = holds;
        let before = self.machine.state();
        self.machine.advance(
            now,
            holds,
            rule.hold_for.ticks(),
            rule.keep_firing_for.ticks(),
        );
        let after = self.machine.state();
        (before != after).then(|| {
            let labels = rule
                .labels
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()));
            let mut transition = Transition {
                rule: Arc::clone(&rule.name),
                severity: rule.severity,
                from: before,
                to: after,
                run: self.run.clone(),
                tag: self.tag.clone(),
                step: Step::from(self.step),
                wall_time: moment.wall_time,
                value,
                labels: labels.collect(),
                message: String::new(),
                began: self.fired.take(),
            };
            transition.text(rule);
            transition
        })
    }

    /// Silence counts from `micros` on.
    pub(super) fn start(&mut self, micros: i64) {
        self.started = micros;
    }

    /// By rule, run and tag: the order of evaluation.
    pub(super) fn key(&self) -> (usize, &RunName, &Tag) {
        (self.rule, &self.run, &self.tag)
    }

    pub(super) fn has_values(&self) -> bool {
        self.history.last().is_some()
    }

    /// The state that the alert is in.
    pub(super) fn state(&self) -> State {
        self.machine.state()
    }

    /// Whether the condition holds at `now`, and what was measured.
    fn condition(&self, rule: &Rule, now: i64, from: i64, other: Option<&Others>) -> (bool, f64) {
        let last = self.history.last_in(from, now).map(|sample| sample.value);
        let (value, threshold) = match &rule.condition {
            Condition::Absent(_, span) => {
                let last = self.history.last();
                let since = last.map_or(self.started, |last| last.at);
                let silent = now.saturating_sub(since) > span.ticks();
                return (silent, last.map_or(f64::NAN, |last| last.value));
            }
            Condition::Nan(_) | Condition::NonFinite(_) => (last, None),
            Condition::Compare {
                measure,
                comparison,
                threshold,
                ..
            } => (
                self.measure(measure, now, from, other),
                Some((*comparison, *threshold)),
            ),
        };
        let Some(value) = value else {
            let gap = matches!(
                &rule.condition,
                Condition::Compare {
                    measure: Measure::Gap(_),
                    ..
                }
            );
            // The other series is behind: nothing is known of this step yet.
            let when = if gap && last.is_some() {
                When::Hold
            } else {
                rule.missing
            };
            return (self.meaning(when), f64::NAN);
        };
        let holds = |value: f64| match (&rule.condition, threshold) {
            (Condition::NonFinite(_), _) => !value.is_finite(),
            (_, None) => value.is_nan(),
            (_, Some(_)) if value.is_nan() && rule.nan != When::Ignore => self.meaning(rule.nan),
            (_, Some((comparison, threshold))) => comparison.holds(value, threshold),
        };
        let holds = match rule.times {
            Some((m, n)) => self.history.newest(n).filter(|&value| holds(value)).count() >= m,
            None => holds(value),
        };
        let kept = self.state() == State::Firing
            && rule.clear.is_some_and(|(comparison, threshold)| {
                !value.is_nan() && !comparison.holds(value, threshold)
            });
        (holds || kept, value)
    }

    fn meaning(&self, when: When) -> bool {
        match when {
            When::Fire => true,
            When::Hold => self.held,
            When::Ignore => false,
        }
    }

    /// What the series measures at `now`; `from` is how far back its last value may lie.
    fn measure(
        &self,
        measure: &Measure,
        now: i64,
        from: i64,
        other: Option<&Others>,
    ) -> Option<f64> {
        let history = &self.history;
        let window = |span: Span| now.saturating_sub(span.ticks());
        let last = || Some(history.last_in(from, now)?.value);
        match *measure {
            Measure::Last => last(),
            Measure::Avg(span) => history.avg(window(span), now),
            Measure::Min(span) => history.min(window(span), now),
            Measure::Max(span) => history.max(window(span), now),
            Measure::StdDev(span) => history.stddev(window(span), now),
            Measure::Change(span) => {
                let before = history.last_in(from.saturating_sub(span.ticks()), window(span))?;
                Some(last()? - before.value)
            }
            Measure::Slope(span) => {
                let unit = if matches!(span, Span::Time(_)) {
                    1e6
                } else {
                    1.0
                };
                history.slope(window(span), now, unit)
            }
            Measure::ZScore(span) => {
                let (mean, deviation) = (
                    history.avg(window(span), now)?,
                    history.stddev(window(span), now)?,
                );
                // Of values that are all alike, none is far from the mean.
                let distance = last()? - mean;
                Some(if distance == 0.0 {
                    0.0
                } else {
                    distance / deviation
                })
            }
            Measure::Gap(_) => {
                let other = other.filter(|other| {
                    other
                        .last_key_value()
                        .is_some_and(|(step, _)| *step >= self.step)
                })?;
                let (_, theirs) = other.range(..=self.step).next_back()?;
                Some(last()? - theirs)
            }
        }
    }
}
