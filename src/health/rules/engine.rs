//! Rules over events: which alerts are on, and when they change.
//!
//! Time is what events say it is, never the clock: the same events give the same transitions. A rule
//! is evaluated when its series has an event, and on a grid of event time; the events of one wall time
//! are seen together.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::instance::{Instance, Moment, Others};
use super::story::Story;
use super::{ALERTS, Clock, Condition, Rule, RuleSet, Span, State, Transition};
use crate::flow::{Event, Sink, SinkError};
use crate::health::routes::{RouteId, Routes};
use crate::log::{Error, HEARTBEAT, LogReader};
use crate::types::{RunName, Tag};

/// Holds events against rules and hands each change of an alert to `report`.
///
/// In a session the changes are logged too, below [`ALERTS`]: of each rule, in each run that it speaks of, a
/// scalar that is 1 while an alert of it fires and 0 while none does, and each change as a text.
///
/// ```
/// use modelpulse::{flow::{Event, Sink}, health::{Alerts, RuleSet}};
/// let rules = RuleSet::new(vec!["loss > 1".parse()?])?;
/// let mut lines = Vec::new();
/// let mut alerts = Alerts::new(rules, |transition| lines.push(transition.to_string()));
/// for (step, loss) in [(0, 0.5), (1, 2.0), (2, 0.3)] {
///     alerts.accept(&[Event::new("train", "loss", step, step as f64, loss)])?;
/// }
/// drop(alerts);
/// assert_eq!(lines, [
///     "firing: loss > 1  run=train tag=loss step=1 wall_time=1.000000 value=2",
///     "resolved: loss > 1  run=train tag=loss step=2 wall_time=2.000000 value=0.3",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct Alerts<F> {
    rules: RuleSet,
    instances: Vec<Instance>,
    /// The instances in the order in which they are evaluated: by rule, run and tag.
    order: Vec<usize>,
    /// What each series feeds.
    routes: Routes<Route>,
    /// The second series of gaps.
    others: Vec<Others>,
    /// The latest time of an instant so far.
    now: Option<f64>,
    /// After a silence so long nothing changes any more.
    horizon: i64,
    /// What the log is told.
    story: Story,
    /// Whether changes are told to nobody: they were told before.
    silent: bool,
    report: F,
}

/// What a series feeds.
#[derive(Debug, Default)]
struct Route {
    /// The instances that it is the series of.
    own: Vec<usize>,
    /// Where it is kept as the second series of gaps.
    other: Option<usize>,
    /// The instances that take it for that.
    other_of: Vec<usize>,
}

impl<F: FnMut(&Transition)> Alerts<F> {
    /// A sink that holds events against `rules`.
    pub fn new(rules: RuleSet, report: F) -> Self {
        let by_time = rules.iter().filter(|rule| rule.clock == Clock::Time);
        let reach = by_time.map(|rule| {
            let spans = [
                rule.condition.span(),
                Some(rule.hold_for),
                Some(rule.keep_firing_for),
            ];
            spans
                .into_iter()
                .flatten()
                .map(Span::ticks)
                .fold(0, i64::saturating_add)
        });
        let horizon = reach.max().unwrap_or(0);
        let horizon = horizon
            .saturating_add(rules.lookback.ticks())
            .saturating_add(rules.interval.ticks().saturating_mul(2));
        let mut alerts = Self {
            rules,
            instances: Vec::new(),
            order: Vec::new(),
            routes: Routes::new(),
            others: Vec::new(),
            now: None,
            horizon,
            story: Story::default(),
            silent: false,
            report,
        };
        for (index, rule) in alerts.rules.rules.iter().enumerate() {
            if let Condition::Absent(series, _) = &rule.condition {
                // What never comes is absent too.
                let tag = Tag::from(series.as_str());
                let instance = Instance::new(index, RunName::root(), tag, String::new());
                alerts.instances.push(instance);
            }
        }
        alerts.order = (0..alerts.instances.len()).collect();
        alerts
    }

    /// Goes silently through what an earlier session logged in `dir`, so that what comes behind it is decided as
    /// a replay of the whole log will decide it.
    ///
    /// # Errors
    /// [`Error::Read`] where the directory cannot be read. One without a log is no error.
    pub fn resume(&mut self, dir: impl AsRef<Path>) -> Result<(), Error>
    where
        F: Send,
    {
        let mut log = match LogReader::open(dir) {
            Err(Error::NoEvents { .. }) => return Ok(()),
            log => log?,
        };
        self.silent = true;
        while let Some(instant) = log.instant()? {
            self.hold(&instant);
        }
        self.silent = false;
        Ok(())
    }

    /// The alerts that are firing, each by the change that it began with.
    pub fn firing(&self) -> impl Iterator<Item = &Transition> {
        let all = self.order.iter();
        all.filter_map(|&index| self.instances.get(index)?.fired.as_deref())
    }

    /// The rules whose series did not occur.
    pub fn unseen(&self) -> impl Iterator<Item = &Rule> {
        let seen = |index: usize| {
            let mut of_rule = self
                .instances
                .iter()
                .filter(move |instance| instance.rule == index);
            of_rule.any(Instance::has_values)
        };
        let rules = self.rules.iter().enumerate();
        rules.filter_map(move |(index, rule)| (!seen(index)).then_some(rule))
    }

    /// The alerts that are pending or firing, with rule, run and tag.
    pub fn active(&self) -> impl Iterator<Item = (&Rule, &RunName, &Tag, State)> {
        let all = self
            .order
            .iter()
            .filter_map(|&index| self.instances.get(index));
        let active = all.filter(|instance| instance.state() != State::Inactive);
        active.filter_map(|instance| {
            let rule = self.rules.rules.get(instance.rule)?;
            Some((rule, &instance.run, &instance.tag, instance.state()))
        })
    }

    /// Evaluates what is due on the grid behind `last` and before `micros`.
    fn ticks_between(&mut self, last: i64, micros: i64) {
        let interval = self.rules.interval.ticks();
        let mut tick = last
            .saturating_sub(last.rem_euclid(interval))
            .saturating_add(interval);
        while tick < micros && tick.saturating_sub(last) <= self.horizon {
            self.decide_on_grid(self.moment(tick, tick as f64 / 1e6));
            tick = tick.saturating_add(interval);
        }
    }

    /// Evaluates all rules that go by time.
    fn decide_on_grid(&mut self, moment: Moment) {
        let order = std::mem::take(&mut self.order);
        self.decide(&order, moment, |rule| rule.clock == Clock::Time);
        self.order = order;
    }

    fn moment(&self, micros: i64, wall_time: f64) -> Moment {
        Moment {
            micros,
            wall_time,
            lookback: micros.saturating_sub(self.rules.lookback.ticks()),
        }
    }

    /// Takes the value of an event, and adds the instances that it concerns to `touched`.
    fn take(&mut self, event: &Event, moment: Moment, touched: &mut Vec<usize>) {
        let Some(value) = event.value.decimal() else {
            return;
        };
        let known = self.routes.find(&event.run, &event.tag);
        let id = known.unwrap_or_else(|| self.lay_route(event));
        let Some(route) = self.routes.get(id) else {
            return;
        };
        if let Some(values) = route.other.and_then(|other| self.others.get_mut(other)) {
            // A series that is resumed has nothing behind that yet.
            drop(values.split_off(&event.step.as_i64()));
            values.insert(event.step.as_i64(), value);
        }
        for &index in &route.own {
            if let Some(instance) = self.instances.get_mut(index)
                && let Some(rule) = self.rules.rules.get(instance.rule)
            {
                instance.push(rule, moment, event, value);
            }
        }
        touched.extend(&route.own);
        touched.extend(&route.other_of);
    }

    /// Finds out what a series feeds that occurs for the first time.
    fn lay_route(&mut self, event: &Event) -> RouteId {
        let Event { run, tag, .. } = event;
        let mut route = Route::default();
        let path = run.path_of(tag.as_str());
        let gaps = self.rules.iter().filter_map(|rule| rule.condition.other());
        if gaps.into_iter().any(|other| other.matches(&path)) {
            route.other = Some(self.others.len());
            self.others.push(Others::new());
        }
        for index in 0..self.rules.rules.len() {
            let instance = self.instance(index, run, tag, &path);
            if instance.is_some() {
                let rule = &self.rules.rules[index];
                self.story.begin(&rule.name, run, event.step);
            }
            route.own.extend(instance);
        }
        let is_other = route.other.is_some();
        let own = route.own.clone();
        let concerns_somebody = is_other || !own.is_empty();
        let id = self
            .routes
            .lay(run, tag, concerns_somebody.then_some(route));
        if is_other {
            let all: Vec<usize> = (0..self.instances.len()).collect();
            self.find_others(&all);
        } else {
            self.find_others(&own);
        }
        id
    }

    /// The instance of rule `index` for the series at `path`, if the rule speaks of it.
    fn instance(&mut self, index: usize, run: &RunName, tag: &Tag, path: &str) -> Option<usize> {
        let condition = &self.rules.rules.get(index)?.condition;
        let prefix = condition.series().prefix_of(path)?;
        if let Condition::Absent(..) = condition {
            if tag.as_str() == HEARTBEAT {
                // The sign of an absence.
                return None;
            }
            return self
                .instances
                .iter()
                .position(|instance| instance.rule == index);
        }
        let instance = Instance::new(index, run.clone(), tag.clone(), prefix.to_owned());
        let new = self.instances.len();
        let place = self
            .order
            .partition_point(|&other| self.instances[other].key() < instance.key());
        self.instances.push(instance);
        self.order.insert(place, new);
        Some(new)
    }

    /// Finds the second series of those of `instances` that measure a gap: beside the first, or by its
    /// whole path.
    fn find_others(&mut self, instances: &[usize]) {
        for &index in instances {
            let instance = &self.instances[index];
            let Some(other) = self.rules.rules[instance.rule].condition.other() else {
                continue;
            };
            let beside = format!("{}{other}", instance.prefix);
            let found = [beside.as_str(), other.as_str()]
                .into_iter()
                .find_map(|path| {
                    // A tag may hold a `/` too, so the run ends at any of them.
                    let splits = path
                        .match_indices('/')
                        .map(|(at, _)| (&path[..at], &path[at + 1..]));
                    let ids = splits
                        .chain([(".", path)])
                        .filter_map(|(run, tag)| self.routes.named(run, tag));
                    ids.into_iter().find(|&id| {
                        let route = self.routes.get(id);
                        route.is_some_and(|route| route.other.is_some())
                    })
                });
            if let Some(route) = found.and_then(|id| self.routes.get_mut(id))
                && self.instances[index].other != route.other
            {
                self.instances[index].other = route.other;
                route.other_of.push(index);
            }
        }
    }

    /// Evaluates `instances`, which are in order, and reports what changed.
    fn decide(&mut self, instances: &[usize], moment: Moment, due: impl Fn(&Rule) -> bool) {
        for &index in instances {
            let instance = &mut self.instances[index];
            let rule = &self.rules.rules[instance.rule];
            if !due(rule) {
                continue;
            }
            let other = instance.other.and_then(|other| self.others.get(other));
            if let Some(transition) = instance.evaluate(rule, moment, other) {
                self.story.tell(&transition);
                if !self.silent {
                    (self.report)(&transition);
                }
                instance.fired = (transition.to == State::Firing).then(|| Arc::new(transition));
            }
        }
    }

    /// Holds the events of an instant against the rules.
    #[inline]
    fn hold(&mut self, instant: &[Event]) {
        self.story.turn_page();
        // Most logs have nothing that concerns a rule: then an event is a glance, and time goes on.
        if self.instances.is_empty()
            && let Some(first) = instant.first()
            && instant.iter().all(|event| self.routes.is_idle(event))
        {
            self.now = Some(later(self.now, first.wall_time));
        } else {
            self.evaluate(instant);
        }
    }

    /// The same for events that rules may look at.
    #[inline(never)]
    fn evaluate(&mut self, instant: &[Event]) {
        let events = instant.iter().filter(|event| !is_alert(event));
        let Some(first) = events.clone().next() else {
            return;
        };
        let last = self.now.map(micros);
        let now = later(self.now, first.wall_time);
        self.now = Some(now);
        let micros = micros(now);
        match last {
            Some(last) => self.ticks_between(last, micros),
            // Silence counts from the first event on.
            None => self
                .instances
                .iter_mut()
                .for_each(|instance| instance.start(micros)),
        }
        let wall_time = if first.wall_time.is_finite() {
            first.wall_time
        } else {
            micros as f64 / 1e6
        };
        let moment = self.moment(micros, wall_time);

        let mut rest: Vec<&Event> = events.filter(|event| !self.routes.is_idle(event)).collect();
        let mut again = Vec::new();
        let mut touched = Vec::new();
        // A series with several values in one instant is decided on at each of them.
        while !rest.is_empty() {
            let alone = rest.len() == 1;
            let mut taken = HashSet::new();
            for event in rest.drain(..) {
                if alone || taken.insert((&event.run, &event.tag)) {
                    self.take(event, moment, &mut touched);
                } else {
                    again.push(event);
                }
            }
            std::mem::swap(&mut rest, &mut again);
            touched.sort_by(|&a, &b| self.instances[a].key().cmp(&self.instances[b].key()));
            touched.dedup();
            self.decide(&touched, moment, |_| true);
            touched.clear();
        }
        if micros.rem_euclid(self.rules.interval.ticks()) == 0 {
            self.decide_on_grid(moment);
        }
    }
}

/// Whether alerts themselves wrote it.
fn is_alert(event: &Event) -> bool {
    event.tag.as_str().starts_with(ALERTS)
}

/// The later one of two times; one that is no number is never later.
#[inline]
fn later(now: Option<f64>, wall_time: f64) -> f64 {
    now.map_or(wall_time, |now| now.max(wall_time))
}

/// The nearest whole number of microseconds, and the nearest that there is of what does not fit; NaN reads as 0.
fn micros(wall_time: f64) -> i64 {
    (wall_time * 1e6).round() as i64
}

impl<F: FnMut(&Transition) + Send> Sink for Alerts<F> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.hold(instant);
        Ok(())
    }

    fn feedback(&mut self) -> Vec<Event> {
        self.story.take()
    }
}
