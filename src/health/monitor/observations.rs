//! What a model said elsewhere, and what was right, which comes later: joined by id.
//!
//! Memory is bounded: a label is waited for as long as so many observations come behind its own, and a model is judged by
//! its last rows that have one. Nothing is left out without being counted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::measure::measure;
use super::rows::{MonitorError, Predictions, Targets};
use crate::train::Task;

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
}

#[derive(Debug)]
struct Inner {
    rows: HashMap<Arc<str>, Row>,
    /// The last observations, in their order.
    observed: VecDeque<Arc<str>>,
    /// The last that have a label, in the order of those.
    labelled: VecDeque<Arc<str>>,
    waits: usize,
    window: usize,
    counts: Counts,
}

#[derive(Debug)]
struct Row {
    outputs: Vec<f32>,
    label: Option<f32>,
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
    /// Of a model that does this; waits for labels over the last 100,000 observations, and judges the model by the last
    /// 10,000 rows that have one.
    pub fn new(task: impl Into<Task>) -> Self {
        Self::with_capacity(task, 100_000, 10_000)
    }

    /// Waits for labels over the last `waits` observations, and judges the model by the last `window` rows that have one.
    pub fn with_capacity(task: impl Into<Task>, waits: usize, window: usize) -> Self {
        let inner = Inner {
            rows: HashMap::new(),
            observed: VecDeque::new(),
            labelled: VecDeque::new(),
            waits: waits.max(1),
            window: window.max(1),
            counts: Counts::default(),
        };
        Self {
            task: task.into(),
            inner: Arc::new(Mutex::new(inner)),
        }
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
        self.check(&outputs)?;
        let mut inner = self.lock();
        let new = inner.observe(id, outputs);
        Ok(new)
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
        self.check_label(label)?;
        Ok(self.lock().label(id, label as f32))
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
        self.lock().counts
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
    fn observe(&mut self, id: &str, outputs: Vec<f32>) -> bool {
        if self.rows.contains_key(id) {
            self.counts.repeated += 1;
            return false;
        }
        let id: Arc<str> = id.into();
        let row = Row {
            outputs,
            label: None,
        };
        self.rows.insert(id.clone(), row);
        self.observed.push_back(id);
        self.counts.observed += 1;
        self.counts.waiting += 1;
        while self.observed.len() > self.waits {
            let oldest = self.observed.pop_front();
            if let Some(id) = oldest
                && self.rows.get(&id).is_some_and(|row| row.label.is_none())
            {
                self.rows.remove(&id);
                self.counts.expired += 1;
                self.counts.waiting -= 1;
            }
        }
        true
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
        while self.labelled.len() > self.window {
            if let Some(id) = self.labelled.pop_front() {
                self.rows.remove(&id);
            }
        }
        Labelling::Joined
    }
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
            (1, 3, 3)
        );
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
