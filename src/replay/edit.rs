//! What of a log is replayed, and under which names, steps and times.
//!
//! An edit looks at names, steps and times, never at a clock. Thinning out never costs a NaN or an infinity.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use crate::flow::{Event, SinkError, Source};
use crate::types::{RunName, Step, Tag};

type RunEdit = Box<dyn Fn(&RunName) -> Option<RunName> + Send>;
type TagEdit = Box<dyn Fn(&RunName, &Tag) -> Option<Tag> + Send>;
type ShiftEdit = Box<dyn Fn(&Tag) -> Shift + Send>;

/// Filters, renames, shifts and thins out the events of a log. Without settings it changes nothing.
///
/// Steps and times are filtered as the log has them, before they are shifted.
///
/// ```
/// use modelpulse::{Step, Tag, flow::Event, replay::Edit};
/// let mut edit = Edit::default()
///     .runs(|run| (run.as_str() == "train").then(|| "fit".into()))
///     .tags(|_, tag| Some(Tag::from(tag.as_str().strip_prefix("old/")?)))
///     .steps(10..=20);
/// let event = |run: &str, step: i64| Event::new(run, "old/loss", step, 1.7e9, 0.5);
/// assert_eq!(edit.apply(event("train", 10)).unwrap().path(), "fit/loss");
/// assert_eq!(edit.apply(event("train", 21)), None);
/// assert_eq!(edit.apply(event("eval", 10)), None);
/// ```
pub struct Edit {
    run: Option<RunEdit>,
    tag: Option<TagEdit>,
    steps: RangeInclusive<i64>,
    times: RangeInclusive<f64>,
    shift: Option<ShiftEdit>,
    shift_all: Shift,
    every: u64,
    interval: f64,
    runs: HashMap<RunName, Run>,
}

/// How far steps and wall times are moved.
///
/// ```
/// use modelpulse::{flow::Event, replay::{Edit, Shift}};
/// let mut edit = Edit::default().shift(|_| Shift::new(100, -3600.0));
/// let event = edit.apply(Event::new("train", "loss", 1, 7200.0, 0.5)).unwrap();
/// assert_eq!((event.step.as_i64(), event.wall_time), (101, 3600.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shift {
    steps: i64,
    seconds: f64,
}

impl Shift {
    /// By so many steps and seconds.
    pub fn new(steps: i64, seconds: f64) -> Self {
        Self { steps, seconds }
    }

    /// Saturates at the first and last step that a log can hold.
    pub(super) fn moved(self, step: Step, wall_time: f64) -> (Step, f64) {
        let step = step.as_i64().saturating_add(self.steps);
        (step.into(), wall_time + self.seconds)
    }
}

impl std::ops::Add for Shift {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            seconds: self.seconds + other.seconds,
        }
    }
}

/// What is known of a run that was met.
struct Run {
    name: Option<RunName>,
    series: HashMap<Tag, Series>,
}

/// What is known of a series that was met.
struct Series {
    tag: Option<Tag>,
    shift: Shift,
    seen: u64,
    kept_at: f64,
}

/// Where a value of a series goes.
pub(super) type Place = (Tag, Step, f64);

impl Default for Edit {
    fn default() -> Self {
        Self {
            run: None,
            tag: None,
            steps: i64::MIN..=i64::MAX,
            times: f64::NEG_INFINITY..=f64::INFINITY,
            shift: None,
            shift_all: Shift::default(),
            every: 1,
            interval: 0.0,
            runs: HashMap::new(),
        }
    }
}

impl Edit {
    /// Gives each run a name, or `None` to leave it out. Runs of one name become one.
    pub fn runs(mut self, name: impl Fn(&RunName) -> Option<RunName> + Send + 'static) -> Self {
        self.run = Some(Box::new(name));
        self
    }

    /// Gives each tag of a run, which is named as in the log, a name, or `None` to leave it out.
    pub fn tags(mut self, name: impl Fn(&RunName, &Tag) -> Option<Tag> + Send + 'static) -> Self {
        self.tag = Some(Box::new(name));
        self
    }

    /// Keeps the events of these steps.
    pub fn steps(mut self, steps: RangeInclusive<i64>) -> Self {
        self.steps = steps;
        self
    }

    /// Keeps the events of these wall times, in seconds since the Unix epoch. A time that is NaN is in no range
    /// but the whole one.
    pub fn times(mut self, times: RangeInclusive<f64>) -> Self {
        self.times = times;
        self
    }

    /// Moves everything, also where sessions start again.
    pub fn shift_all(mut self, shift: Shift) -> Self {
        self.shift_all = shift;
        self
    }

    /// Moves the values of each tag, which is named as in the log.
    pub fn shift(mut self, shift: impl Fn(&Tag) -> Shift + Send + 'static) -> Self {
        self.shift = Some(Box::new(shift));
        self
    }

    /// Keeps the first of each `every` events of a series. A number that is not finite is always kept.
    pub fn every(mut self, every: u64) -> Self {
        self.every = every.max(1);
        self
    }

    /// Keeps of each series what is at least `seconds` behind the last event kept. A number that is not finite is
    /// always kept.
    pub fn interval(mut self, seconds: f64) -> Self {
        self.interval = seconds;
        self
    }

    /// The event as it goes on, or `None` if it is left out.
    pub fn apply(&mut self, event: Event) -> Option<Event> {
        let nonfinite =
            self.thins() && event.value.scalar().is_some_and(|value| !value.is_finite());
        let run = self.run(&event.run)?;
        let at = (event.step, event.wall_time);
        let (tag, step, wall_time) = self.place(&event.run, &event.tag, at, nonfinite)?;
        Some(Event {
            run,
            tag,
            step,
            wall_time,
            ..event
        })
    }

    /// The name that a run goes on under.
    pub(super) fn run(&mut self, run: &RunName) -> Option<RunName> {
        self.known(run).name.clone()
    }

    /// Where what is no value goes.
    pub(super) fn moved(&self, step: Step, wall_time: f64) -> (Step, f64) {
        self.shift_all.moved(step, wall_time)
    }

    /// Where a value goes.
    pub(super) fn place(
        &mut self,
        run: &RunName,
        tag: &Tag,
        (step, wall_time): (Step, f64),
        nonfinite: bool,
    ) -> Option<Place> {
        let all_times = self.times == (f64::NEG_INFINITY..=f64::INFINITY);
        if !self.steps.contains(&step.as_i64()) || !(all_times || self.times.contains(&wall_time)) {
            return None;
        }
        let (every, interval) = (self.every, self.interval);
        if !self.known(run).series.contains_key(tag) {
            let name = match &self.tag {
                Some(edit) => edit(run, tag),
                None => Some(tag.clone()),
            };
            let own = self
                .shift
                .as_ref()
                .map_or(Shift::default(), |edit| edit(tag));
            let series = Series {
                tag: name,
                shift: self.shift_all + own,
                seen: 0,
                kept_at: f64::NEG_INFINITY,
            };
            self.known(run).series.insert(tag.clone(), series);
        }
        let series = self.known(run).series.get_mut(tag)?;
        let name = series.tag.clone()?;
        let turn = series.seen.is_multiple_of(every);
        series.seen += 1;
        // Times that go back, or are none, are no reason to leave something out.
        let too_soon = (0.0..interval).contains(&(wall_time - series.kept_at));
        if !nonfinite {
            if !turn || too_soon {
                return None;
            }
            series.kept_at = wall_time;
        }
        let (step, wall_time) = series.shift.moved(step, wall_time);
        Some((name, step, wall_time))
    }

    fn known(&mut self, run: &RunName) -> &mut Run {
        let Self {
            runs, run: edit, ..
        } = self;
        runs.entry(run.clone()).or_insert_with(|| Run {
            name: match edit {
                Some(edit) => edit(run),
                None => Some(run.clone()),
            },
            series: HashMap::new(),
        })
    }

    /// Whether a value is left out by its number.
    pub(super) fn thins(&self) -> bool {
        self.every > 1 || self.interval > 0.0
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("steps", &self.steps)
            .field("times", &self.times)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// A source whose events went through an edit.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{flow::Source, log::{LogReader, Writer}, replay::{Edit, Edited}};
/// let writer = Writer::create(dir.path())?;
/// (0..10_i64).for_each(|step| writer.run("train").scalar("loss", step, 0.5));
/// writer.finish()?;
/// let mut tail = Edited::new(LogReader::open(dir.path())?, Edit::default().steps(7..=i64::MAX));
/// assert_eq!(tail.next_instant()?.unwrap()[0].step, 7.into());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct Edited<S> {
    source: S,
    edit: Edit,
}

impl<S: Source> Edited<S> {
    /// The events of `source` as `edit` lets them through.
    pub fn new(source: S, edit: Edit) -> Self {
        Self { source, edit }
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }
}

impl<S: Source> Source for Edited<S> {
    /// The events of one instant that are left; a shift of single tags may give them several wall times, which then
    /// do not order the instants.
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        while let Some(instant) = self.source.next_instant()? {
            let kept = instant
                .into_iter()
                .filter_map(|event| self.edit.apply(event));
            let mut kept: Vec<Event> = kept.collect();
            if !kept.is_empty() {
                // New names may have another order; events of one run keep theirs.
                kept.sort_by(|a, b| a.run.cmp(&b.run));
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(mut edit: Edit, values: &[f32]) -> Vec<i64> {
        let event = |(step, &value)| Event::new("r", "t", step as i64, step as f64, value);
        let events = values.iter().enumerate().map(event);
        let kept = events.filter_map(|event| edit.apply(event));
        kept.map(|event| event.step.as_i64()).collect()
    }

    #[test]
    fn thinning_keeps_the_first_and_all_that_is_not_finite() {
        let mut values = [1.0; 10];
        values[5] = f32::NAN;
        values[7] = f32::INFINITY;
        assert_eq!(kept(Edit::default().every(4), &values), [0, 4, 5, 7, 8]);
        let edit = Edit::default().interval(2.5);
        assert_eq!(kept(edit, &values), [0, 3, 5, 6, 7, 9]);
    }

    #[test]
    fn ranges_hold_both_ends() {
        let values = [1.0; 6];
        assert_eq!(kept(Edit::default().steps(2..=3), &values), [2, 3]);
        assert_eq!(kept(Edit::default().times(1.0..=2.0), &values), [1, 2]);
        assert_eq!(
            kept(Edit::default().times(4.5..=f64::INFINITY), &values),
            [5]
        );
    }

    #[test]
    fn a_time_that_is_none_passes_where_times_do_not_matter() {
        let event = || Event::new("r", "t", 0, f64::NAN, 1.0);
        assert!(Edit::default().apply(event()).is_some());
        assert!(
            Edit::default()
                .times(0.0..=f64::INFINITY)
                .apply(event())
                .is_none()
        );
        assert!(Edit::default().interval(1.0).apply(event()).is_some());
    }

    #[test]
    fn steps_saturate() {
        let mut edit = Edit::default().shift_all(Shift::new(5, 0.5)).shift(|tag| {
            if tag.as_str() == "t" {
                Shift::new(i64::MAX, 0.5)
            } else {
                Shift::default()
            }
        });
        let moved = edit.apply(Event::new("r", "t", 7, 1.0, 1.0)).unwrap();
        assert_eq!((moved.step, moved.wall_time), (i64::MAX.into(), 2.0));
        let moved = edit.apply(Event::new("r", "u", 7, 1.0, 1.0)).unwrap();
        assert_eq!((moved.step, moved.wall_time), (12.into(), 1.5));
    }
}
