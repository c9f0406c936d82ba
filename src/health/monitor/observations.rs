//! What a model said elsewhere, and what was right, which comes later: joined by id.
//!
//! Memory is bounded: a label is waited for until so many observations came behind its own, or so much time went by, and
//! a model is judged by its last rows that have one. Nothing is left out without being counted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::FeatureRow;
use super::heard::{Heard, Listeners};
use super::measure::measure;
use super::rows::{MonitorError, Predictions, Targets};
use crate::train::Task;
use crate::types::WallTime;

/// Joins predictions with labels that come late, and judges the model by them. Cheap to clone; all clones are one.
///
/// ```
/// use modelpulse::{health::Observations, train::Task};
/// let live = Observations::new(Task::Binary);
/// live.observe("a", vec![0.9])?;
/// live.observe("b", vec![0.2])?;
/// live.label("b", 1.0)?;
/// live.label("a", 1.0)?;
/// let (rows, metrics) = live.evaluate()?;
/// assert_eq!((rows, metrics["accuracy"], live.counts().waiting), (2, 0.5, 0));
/// # Ok::<(), modelpulse::health::MonitorError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Observations {
    task: Task,
    inner: Arc<Mutex<Inner>>,
    listeners: Listeners,
}

#[derive(Debug)]
struct Inner {
    rows: HashMap<Arc<str>, Row>,
    /// The last observations, by their numbers; those that have a label may be there yet.
    observed: VecDeque<(u64, Arc<str>)>,
    /// The last that have a label, in the order of those.
    labelled: VecDeque<Arc<str>>,
    waits: u64,
    window: usize,
    /// In seconds.
    max_age: f64,
    counts: Counts,
}

/// An observation, and its label when there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) outputs: Vec<f32>,
    pub(crate) label: Option<f32>,
    /// Which observation it was, counted from 0.
    pub(crate) number: u64,
    /// When it came, in seconds since 1970.
    pub(crate) time: f64,
}

/// All that is needed to go on: the counts, the rows with labels in the order of those, and the rows that wait.
#[cfg(any(test, feature = "serve"))]
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Kept {
    pub(crate) counts: Counts,
    pub(crate) rows: Vec<(Arc<str>, Row)>,
}

/// What became of observations and labels.
///
/// ```
/// use modelpulse::{health::Observations, train::Task};
/// let live = Observations::new(Task::Binary);
/// live.label("nobody", 1.0)?;
/// assert_eq!(live.counts().unknown, 1);
/// # Ok::<(), modelpulse::health::MonitorError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Observations that were taken.
    pub observed: u64,
    /// Observations of an id that was there; the first one stands.
    pub repeated: u64,
    /// Labels that met their observation.
    pub labelled: u64,
    /// Labels of a row that had one; the last one stands.
    pub relabelled: u64,
    /// Labels of an id that is not there, or not any more.
    pub unknown: u64,
    /// Observations whose label did not come in time.
    pub expired: u64,
    /// Observations whose label may come yet.
    pub waiting: u64,
}

/// What became of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelling {
    /// It met its observation.
    Joined,
    /// The row had one; it has this one now.
    Replaced,
    /// There is no such observation, or not any more.
    Unknown,
}

impl Observations {
    /// Of a model that does this; waits for labels over the last 100,000 observations, for 30 days at most, and judges the
    /// model by the last 10,000 rows that have one.
    pub fn new(task: impl Into<Task>) -> Self {
        Self::with_capacity(task, 100_000, 10_000)
    }

    /// Waits for labels over the last `waits` observations, and judges the model by the last `window` rows that have one.
    pub fn with_capacity(task: impl Into<Task>, waits: usize, window: usize) -> Self {
        let inner = Inner {
            rows: HashMap::new(),
            observed: VecDeque::new(),
            labelled: VecDeque::new(),
            waits: waits.max(1) as u64,
            window: window.max(1),
            max_age: 30.0 * 86_400.0,
            counts: Counts::default(),
        };
        Self {
            task: task.into(),
            inner: Arc::new(Mutex::new(inner)),
            listeners: Listeners::default(),
        }
    }

    /// Waits for a label no longer than that.
    #[must_use]
    pub fn max_age(self, time: Duration) -> Self {
        self.lock().max_age = time.as_secs_f64();
        self
    }

    /// What the model does.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The model said this of the row `id`: what a [`Monitor`](super::Monitor)'s model returns for one. False where the
    /// id was there already.
    ///
    /// # Errors
    /// Where these are not as many numbers as the task has.
    pub fn observe(&self, id: &str, outputs: Vec<f32>) -> Result<bool, MonitorError> {
        self.observe_at(id, outputs, None, now())
    }

    /// As [`observe`](Self::observe), of a row with these features.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn observe_of(
        &self,
        id: &str,
        outputs: Vec<f32>,
        features: &FeatureRow,
    ) -> Result<bool, MonitorError> {
        self.observe_at(id, outputs, Some(features), now())
    }

    /// As [`observe`](Self::observe), at a time.
    pub(crate) fn observe_at(
        &self,
        id: &str,
        outputs: Vec<f32>,
        features: Option<&FeatureRow>,
        time: f64,
    ) -> Result<bool, MonitorError> {
        self.check(&outputs)?;
        let told = (!self.listeners.is_empty()).then(|| outputs.clone());
        let new = self.lock().observe(id, outputs, time);
        if let Some(outputs) = told.filter(|_| new) {
            let outputs = &outputs;
            self.listeners.tell(&Heard::Observed {
                id,
                outputs,
                features,
            });
        }
        Ok(new)
    }

    /// From now on, also tells `listener` of each observation that is new, and of each label that meets one: within the
    /// call that brings it.
    pub fn listen(&self, listener: impl FnMut(&Heard<'_>) + Send + 'static) {
        self.listeners.add(Box::new(listener));
    }

    /// Whether outputs are what the task has.
    pub(crate) fn check(&self, outputs: &[f32]) -> Result<(), MonitorError> {
        Predictions::of(self.task, 1, outputs.to_vec()).map(drop)
    }

    /// This was right for the row `id`: the class, or the number.
    ///
    /// # Errors
    /// Where it is no class of the task.
    pub fn label(&self, id: &str, label: f64) -> Result<Labelling, MonitorError> {
        self.label_at(id, label, now())
    }

    /// As [`label`](Self::label), at a time.
    pub(crate) fn label_at(
        &self,
        id: &str,
        label: f64,
        time: f64,
    ) -> Result<Labelling, MonitorError> {
        self.check_label(label)?;
        let label = label as f32;
        let mut inner = self.lock();
        inner.expire(time);
        let labelling = inner.label(id, label);
        let told = labelling == Labelling::Joined && !self.listeners.is_empty();
        let row = inner.rows.get(id).filter(|_| told);
        let outputs = row.map(|row| row.outputs.clone());
        drop(inner);
        if let Some(outputs) = &outputs {
            self.listeners.tell(&Heard::Labelled { id, outputs, label });
        }
        Ok(labelling)
    }

    /// Whether a label is one of the task.
    pub(crate) fn check_label(&self, label: f64) -> Result<(), MonitorError> {
        match self.task {
            Task::Regression { outputs: 1 } => Ok(()),
            task => match task.classes() {
                Some(classes) if label.fract() == 0.0 && (0.0..classes as f64).contains(&label) => {
                    Ok(())
                }
                Some(classes) => Err(format!(
                    "the label {label} is none of the classes 0 to {}",
                    classes - 1
                )
                .into()),
                None => Err(format!("{task:?} has no label of one number").into()),
            },
        }
    }

    /// What became of all that came.
    pub fn counts(&self) -> Counts {
        let mut inner = self.lock();
        inner.expire(now());
        inner.counts
    }

    /// Shows what is needed to go on from here, as [`Kept`] has it, and in its place: a copy would be as large again.
    #[cfg(any(test, feature = "serve"))]
    pub(crate) fn show_kept<R>(
        &self,
        to: impl FnOnce(&Counts, &mut dyn Iterator<Item = (&Arc<str>, &Row)>) -> R,
    ) -> R {
        let inner = self.lock();
        let row = |id| inner.rows.get_key_value(id);
        let labelled = inner.labelled.iter().filter_map(row);
        let waiting = inner.observed.iter().filter_map(|(number, id)| {
            row(id).filter(|(_, row)| row.number == *number && row.label.is_none())
        });
        to(&inner.counts, &mut labelled.chain(waiting))
    }

    #[cfg(test)]
    pub(crate) fn kept(&self) -> Kept {
        self.show_kept(|counts, rows| Kept {
            counts: *counts,
            rows: rows.map(|(id, row)| (id.clone(), row.clone())).collect(),
        })
    }

    /// Goes on from there.
    #[cfg(any(test, feature = "serve"))]
    pub(crate) fn take_back(&self, kept: Kept) {
        let mut inner = self.lock();
        inner.rows.clear();
        inner.observed.clear();
        inner.labelled.clear();
        inner.counts = kept.counts;
        for (id, row) in kept.rows {
            match row.label {
                Some(_) => inner.labelled.push_back(id.clone()),
                None => inner.observed.push_back((row.number, id.clone())),
            }
            inner.rows.insert(id, row);
        }
    }

    /// By how many rows the model is judged, and the metrics of its task that are defined; none where there are no rows.
    /// Rows with another number of outputs than the last one are left out.
    ///
    /// # Errors
    /// What a metric fails with.
    pub fn evaluate(&self) -> Result<(usize, BTreeMap<String, f64>), MonitorError> {
        let inner = self.lock();
        let rows: Vec<&Row> = inner
            .labelled
            .iter()
            .filter_map(|id| inner.rows.get(id))
            .collect();
        let width = rows.last().map_or(0, |row| row.outputs.len());
        let alike = rows.iter().filter(|row| row.outputs.len() == width);
        let (mut outputs, mut labels) = (Vec::new(), Vec::new());
        for row in alike {
            outputs.extend(&row.outputs);
            labels.extend(row.label);
        }
        drop(inner);
        if labels.is_empty() {
            return Ok((0, BTreeMap::new()));
        }
        let count = labels.len();
        let targets = match self.task.classes() {
            Some(_) => Targets::Classes(labels.iter().map(|label| *label as usize).collect()),
            None => Targets::Numbers(labels),
        };
        let said = Predictions::new(outputs, width);
        Ok((count, measure(self.task, &targets, &said)?))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn observe(&mut self, id: &str, outputs: Vec<f32>, time: f64) -> bool {
        if self.rows.contains_key(id) {
            self.expire(time);
        }
        if self.rows.contains_key(id) {
            self.counts.repeated += 1;
            return false;
        }
        let id: Arc<str> = id.into();
        let row = Row {
            outputs,
            label: None,
            number: self.counts.observed,
            time,
        };
        self.observed.push_back((row.number, id.clone()));
        self.rows.insert(id, row);
        self.counts.observed += 1;
        self.counts.waiting += 1;
        self.expire(time);
        true
    }

    /// Gives up those that were waited for long enough.
    fn expire(&mut self, now: f64) {
        while let Some((number, id)) = self.observed.front() {
            let waits = self.rows.get(id);
            let waits = waits.filter(|row| row.number == *number && row.label.is_none());
            if let Some(row) = waits {
                let far = number + self.waits < self.counts.observed;
                if !far && now - row.time <= self.max_age {
                    return;
                }
                self.rows.remove(id);
                self.counts.expired += 1;
                self.counts.waiting -= 1;
            }
            self.observed.pop_front();
        }
    }

    fn label(&mut self, id: &str, label: f32) -> Labelling {
        let Some((id, row)) = self.rows.get_key_value(id) else {
            self.counts.unknown += 1;
            return Labelling::Unknown;
        };
        let (id, first) = (id.clone(), row.label.is_none());
        if let Some(row) = self.rows.get_mut(&id) {
            row.label = Some(label);
        }
        if !first {
            self.counts.relabelled += 1;
            return Labelling::Replaced;
        }
        self.counts.labelled += 1;
        self.counts.waiting -= 1;
        self.labelled.push_back(id);
        self.expire(f64::NEG_INFINITY);
        while self.labelled.len() > self.window {
            if let Some(id) = self.labelled.pop_front() {
                self.rows.remove(&id);
            }
        }
        Labelling::Joined
    }
}

fn now() -> f64 {
    WallTime::now().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_late_twice_for_nobody_or_never() {
        let live = Observations::with_capacity(Task::Binary, 3, 2);
        for id in ["a", "b", "c", "b"] {
            live.observe(id, vec![0.9]).unwrap();
        }
        assert_eq!(live.label("a", 1.0).unwrap(), Labelling::Joined);
        assert_eq!(live.label("a", 0.0).unwrap(), Labelling::Replaced);
        assert_eq!(live.label("x", 1.0).unwrap(), Labelling::Unknown);
        // "a" goes out of what is waited for, and stays among those that are judged; "b" is given up.
        live.observe("d", vec![0.9]).unwrap();
        live.observe("e", vec![0.1]).unwrap();
        assert_eq!(live.label("b", 1.0).unwrap(), Labelling::Unknown);
        let expected = Counts {
            observed: 5,
            repeated: 1,
            labelled: 1,
            relabelled: 1,
            unknown: 2,
            expired: 1,
            waiting: 3,
        };
        assert_eq!(live.counts(), expected);
        assert_eq!(live.evaluate().unwrap().1["accuracy"], 0.0);
        for (id, label) in [("c", 1.0), ("d", 1.0)] {
            live.label(id, label).unwrap();
        }
        let (rows, metrics) = live.evaluate().unwrap();
        assert_eq!((rows, metrics["accuracy"]), (2, 1.0));
        let (counts, inner) = (live.counts(), live.lock());
        assert_eq!(
            (counts.waiting, inner.rows.len(), inner.observed.len()),
            (1, 3, 1)
        );
    }

    #[test]
    fn what_is_kept_goes_on_as_if_nothing_had_been() {
        let live =
            || Observations::with_capacity(Task::Binary, 4, 3).max_age(Duration::from_secs(50));
        let one = live();
        let mut other = live();
        let mut random = fastrand::Rng::with_seed(7);
        for time in 0..2000 {
            // A label comes for few of them, and ids come again.
            let (id, time) = (
                random.u8(..12).to_string(),
                f64::from(time * random.i32(1..3)),
            );
            let score = random.f32();
            let both = [&one, &other].map(|live| match score < 0.6 {
                true => format!("{:?}", live.observe_at(&id, vec![score], None, time)),
                false => format!("{:?}", live.label_at(&id, 1.0, time)),
            });
            assert_eq!(both[0], both[1]);
            assert_eq!(one.lock().counts, other.lock().counts);
            assert_eq!(one.kept(), other.kept());
            if random.u8(..10) == 0 {
                other = live();
                other.take_back(one.kept());
            }
        }
        let counts = one.lock().counts;
        let kept = one.kept();
        assert!(counts.expired > 50 && counts.labelled > 50, "{counts:?}");
        assert!(counts.relabelled > 10 && counts.repeated > 10, "{counts:?}");
        assert!(kept.rows.len() <= 7);
    }

    #[test]
    fn a_label_is_not_waited_for_longer_than_its_time() {
        let live = Observations::new(Task::Binary).max_age(Duration::from_secs(10));
        live.observe_at("a", vec![0.5], None, 100.0).unwrap();
        live.observe_at("b", vec![0.5], None, 105.0).unwrap();
        assert_eq!(live.label_at("b", 1.0, 110.0).unwrap(), Labelling::Joined);
        assert_eq!(live.label_at("a", 1.0, 110.1).unwrap(), Labelling::Unknown);
        let counts = live.counts();
        assert_eq!((counts.expired, counts.unknown, counts.waiting), (1, 1, 0));
        // It may come again, and what is old is given up with nothing coming.
        assert!(live.observe_at("a", vec![0.5], None, 111.0).unwrap());
        assert_eq!((live.counts().expired, live.counts().waiting), (2, 0));
    }

    #[test]
    fn what_is_no_output_or_label_of_the_task_is_refused() {
        let live = Observations::new(Task::Multiclass { classes: 3 });
        assert!(live.observe("a", vec![0.5, 0.5]).is_err());
        live.observe("a", vec![2.0]).unwrap();
        for label in [3.0, -1.0, 0.5, f64::NAN] {
            assert!(live.label("a", label).is_err(), "{label}");
        }
        live.label("a", 2.0).unwrap();
        assert_eq!(live.evaluate().unwrap().1["accuracy"], 1.0);
        assert_eq!(
            Observations::new(Task::Binary).evaluate().unwrap(),
            (0, BTreeMap::new())
        );
        let prices = Observations::new(Task::Regression { outputs: 1 });
        prices.observe("a", vec![f32::NAN]).unwrap();
        prices.label("a", -2.5).unwrap();
        assert!(prices.evaluate().unwrap().1["mae"].is_nan());
    }
}
