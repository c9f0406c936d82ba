//! The timeline of alerts: where in the log each change stands, as a table and as a picture.
//!
//! Where an alert changes without an event of its series, as silence makes it, its place is that of the last one.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;
use std::{cell::RefCell, collections::BTreeMap};

use anyhow::Context;
use serde_json::{Value, json};

use crate::cli::alerting;
use crate::cli::inspect::{escape, relative, short, write_table};
use crate::cli::plot::{Chart, Line, MOST_CHARTS, MOST_LINES, Overlay, Picture, chart};
use crate::cli::progress::Measured;
use crate::flow::{Event, SinkError, Source};
use crate::health::{Clock, Condition, Measure, Rule, RuleSet, State, Transition};
use crate::log::{LogReader, Place, Problem};
use crate::replay::Edit;
use crate::types::{RunName, Tag};

/// Where the events of an instant stand, in their order.
pub(super) type Places = Rc<RefCell<Vec<Place>>>;

/// The events of a log as an edit lets them through, and their places.
pub(super) struct Placed {
    log: LogReader,
    edit: Edit,
    places: Places,
}

impl Placed {
    pub(super) fn new(log: LogReader, edit: Edit) -> (Self, Places) {
        let places = Places::default();
        let placed = Self {
            log,
            edit,
            places: places.clone(),
        };
        (placed, places)
    }

    pub(super) fn problems(&self) -> &[Problem] {
        self.log.problems()
    }
}

impl Source for Placed {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        while let Some(instant) = self.log.next_instant()? {
            let all = instant.into_iter().zip(self.log.places());
            let kept = all.filter_map(|(event, place)| Some((self.edit.apply(event)?, place)));
            let mut kept: Vec<(Event, &Place)> = kept.collect();
            if !kept.is_empty() {
                // New names may have another order; events of one run keep theirs.
                kept.sort_by(|(a, _), (b, _)| a.run.cmp(&b.run));
                let mut places = self.places.borrow_mut();
                places.clear();
                places.extend(kept.iter().map(|(_, place)| (*place).clone()));
                return Ok(Some(kept.into_iter().map(|(event, _)| event).collect()));
            }
        }
        Ok(None)
    }
}

impl Measured for Placed {
    fn bytes_read(&self) -> u64 {
        self.log.bytes_read()
    }
}

/// A series that a rule names.
struct Series {
    /// What detectors say in a replay stands nowhere.
    place: Option<Place>,
    /// Step, wall time and value; empty where nothing is drawn.
    points: Vec<(i64, f64, f64)>,
}

/// What changed, and the series that the rules name.
pub(super) struct Timeline<'a> {
    logdir: &'a Path,
    rules: &'a RuleSet,
    draws: bool,
    /// `None` for a series that no rule names.
    series: HashMap<RunName, HashMap<Tag, Option<Series>>>,
    rows: Vec<(Transition, Option<Place>)>,
}

impl<'a> Timeline<'a> {
    /// With `draws`, it keeps the values for a picture.
    pub(super) fn new(logdir: &'a Path, rules: &'a RuleSet, draws: bool) -> Self {
        Self {
            logdir,
            rules,
            draws,
            series: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// Takes note of where events stand.
    pub(super) fn note(&mut self, instant: &[Event], places: &[Place]) {
        for (at, event) in instant.iter().enumerate() {
            let place = places.get(at);
            let Some(value) = event.value.decimal() else {
                continue;
            };
            let known = self
                .series
                .get_mut(&event.run)
                .and_then(|run| run.get_mut(&event.tag));
            let series = match known {
                Some(series) => series,
                None => {
                    let path = event.path();
                    let named = |rule: &Rule| rule.condition().series().matches(&path);
                    let named = self.rules.iter().any(named).then(|| Series {
                        place: place.cloned(),
                        points: Vec::new(),
                    });
                    let run = self.series.entry(event.run.clone()).or_default();
                    run.entry(event.tag.clone()).or_insert(named)
                }
            };
            if let Some(series) = series {
                series.place = place.cloned();
                if self.draws {
                    let point = (event.step.as_i64(), event.wall_time, value);
                    series.points.push(point);
                }
            }
        }
    }

    /// Takes a change, and gives it as a script reads it.
    pub(super) fn take(&mut self, change: Transition) -> Value {
        let run = self.series.get(&change.run);
        let series = run.and_then(|run| run.get(&change.tag)?.as_ref());
        let place = series.and_then(|series| series.place.clone());
        let mut object = alerting::object(&change);
        if let Some(object) = object.as_object_mut() {
            let file = place
                .as_ref()
                .map(|place| relative(self.logdir, place.path()));
            object.insert("file".to_owned(), json!(file));
            object.insert(
                "offset".to_owned(),
                json!(place.as_ref().map(Place::offset)),
            );
        }
        self.rows.push((change, place));
        object
    }

    /// All changes, a line each.
    pub(super) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let heading = [
            "RULE",
            "STATE",
            "RUN",
            "TAG",
            "STEP",
            "WALL TIME",
            "VALUE",
            "OFFSET",
            "FILE",
        ];
        let mut lines = vec![heading.map(str::to_owned)];
        for (change, place) in &self.rows {
            let (offset, file) = match place {
                Some(place) => (
                    place.offset().to_string(),
                    relative(self.logdir, place.path()),
                ),
                None => ("–".to_owned(), "–".to_owned()),
            };
            lines.push([
                escape(&change.rule),
                change.word().to_owned(),
                escape(change.run.as_str()),
                escape(change.tag.as_str()),
                change.step.to_string(),
                format!("{:.6}", change.wall_time),
                short(change.value),
                offset,
                escape(&file),
            ]);
        }
        write_table(out, &lines)
    }

    /// Draws a chart a rule that has a series: that, the threshold, and when it was pending and firing; counts them.
    pub(super) fn draw(&self, path: &Path) -> anyhow::Result<usize> {
        let picture = Picture::of(path)?;
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        let changes = |rule: &Rule| {
            self.rows
                .iter()
                .filter(|(change, _)| *change.rule == *rule.name())
                .count()
        };
        let is_told = |rule: &&Rule| changes(rule) > 0;
        if rules.len() > MOST_CHARTS {
            rules.retain(is_told);
            if rules.len() > MOST_CHARTS {
                eprintln!(
                    "warning: {} rules have alerts, of which the first {MOST_CHARTS} are drawn",
                    rules.len()
                );
                rules.truncate(MOST_CHARTS);
            }
        }
        let charts: Vec<Chart> = rules
            .into_iter()
            .filter_map(|rule| self.chart(rule))
            .collect();
        if charts.is_empty() {
            // Which is said of each rule.
            return Ok(0);
        }
        let size = (900, 360);
        let bytes = match picture {
            Picture::Png => chart::png(&charts, "step", size)?,
            Picture::Svg => chart::svg(&charts, "step", size)?.into_bytes(),
        };
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(charts.len())
    }

    fn chart(&self, rule: &Rule) -> Option<Chart> {
        let pattern = rule.condition().series();
        let mut named: BTreeMap<String, &Series> = BTreeMap::new();
        for (run, tags) in &self.series {
            for (tag, series) in tags {
                let path = run.path_of(tag.as_str());
                if let Some(series) = series
                    && pattern.matches(&path)
                {
                    named.insert(path, series);
                }
            }
        }
        if named.is_empty() {
            return None;
        }
        let points = || named.values().flat_map(|series| &series.points);
        let start = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let by_step = rule.clock() == Clock::Step;
        let at = |step: i64, wall_time: f64| match by_step {
            true => step as f64,
            false => wall_time - start,
        };
        let end = points()
            .map(|point| at(point.0, point.1))
            .fold(f64::NEG_INFINITY, f64::max);
        // Alerts on, by series: since when, and whether it fires.
        let mut on: HashMap<(&RunName, &Tag), (f64, bool)> = HashMap::new();
        let mut spans = Vec::new();
        let of_rule = self
            .rows
            .iter()
            .filter(|(change, _)| *change.rule == *rule.name());
        for (change, _) in of_rule {
            let key = (&change.run, &change.tag);
            let now = at(change.step.as_i64(), change.wall_time);
            if let Some((since, fires)) = on.remove(&key) {
                spans.push((since, now, fires));
            }
            if change.to != State::Inactive {
                on.insert(key, (now, change.to == State::Firing));
            }
        }
        spans.extend(
            on.into_values()
                .map(|(since, fires)| (since, end.max(since), fires)),
        );
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let lines = named.into_iter().take(MOST_LINES).map(|(path, series)| {
            let mut line = Line::new(RunName::from(path), false);
            let points = || {
                series
                    .points
                    .iter()
                    .map(|&(step, time, value)| (at(step, time), value))
            };
            points().for_each(|(x, _)| line.widen(x));
            points().for_each(|(x, value)| line.add(x, value, value));
            line
        });
        let threshold = match rule.condition() {
            Condition::Compare {
                measure: Measure::Last | Measure::Avg(_) | Measure::Min(_) | Measure::Max(_),
                threshold,
                ..
            } => Some(*threshold),
            _ => None,
        };
        let condition = rule.condition().to_string();
        let title = match rule.name() {
            name if name == condition => condition,
            name => format!("{name}: {condition}"),
        };
        Some(Chart {
            tag: Tag::from(title),
            lines: lines.collect(),
            overlay: Overlay {
                x: Some(if by_step { "step" } else { "seconds" }),
                threshold,
                spans,
            },
        })
    }
}
