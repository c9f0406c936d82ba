//! A model that is watched: evaluated at an interval and on demand, its predictions counted and timed.
//!
//! All that is found out is logged to a session, and goes from there to everything else: TensorBoard, rules, gauges.
//! A model that fails or panics is a fact about its health, and never ends the watch.

mod board;
mod errors;
mod features;
mod heard;
mod measure;
mod meters;
mod observations;
mod rows;
mod watch;

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use board::AlertBoard;
pub use features::{Cell, FeatureRow};
pub use heard::Heard;
pub use observations::{Counts, Labelling, Observations};
#[cfg(feature = "serve")]
pub(crate) use observations::{Kept, Row};
pub use rows::{IntoOutputs, LabelledRows, MonitorError, Predictions, Rows};
pub use watch::{Evaluated, Status, Watch};

use self::errors::{Errors, Features};
use self::meters::{Logged, Meters};
use self::watch::{Inner, Ticker, Turn};
use super::Registry;
use crate::log::last_steps;
use crate::train::{Session, Task};

type Model = dyn Fn(Rows<'_>) -> Result<Vec<f32>, MonitorError> + Send + Sync;
type Data = dyn Fn() -> Result<Arc<LabelledRows>, MonitorError> + Send + Sync;
type Seen = dyn Fn(Rows<'_>) + Send + Sync;
type Each = dyn FnMut(&Session, i64) + Send;

/// Watches a model: any function from rows to predictions, in this process or behind a call to another.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, health::{LabelledRows, Monitor}, train::Task};
/// let session = Session::create(dir.path())?;
/// let data = LabelledRows::classes(vec![0.1, 0.9, 0.4, 0.6], 1, vec![0, 1, 1, 1]).unwrap();
/// let watch = Monitor::new(|rows| rows.values().to_vec()) // the feature is the score
///     .task(Task::Binary)
///     .data(data)
///     .start(&session)?;
/// assert_eq!(watch.evaluate()?.metrics["accuracy"], 0.75);
/// assert_eq!(watch.predict(modelpulse::health::Rows::new(&[0.7], 1).unwrap())?.class(0), Some(1));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[must_use]
pub struct Monitor {
    model: Box<Model>,
    task: Task,
    data: Option<Box<Data>>,
    live: Option<Observations>,
    interval: Option<Duration>,
    registry: Registry,
    width: Option<usize>,
    each: Vec<Box<Each>>,
    known: Features,
    seen: Option<Box<Seen>>,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { task, interval, .. } = self;
        f.debug_struct("Monitor")
            .field("task", task)
            .field("interval", interval)
            .finish_non_exhaustive()
    }
}

impl Monitor {
    /// Watches `model`, which returns for each row as many numbers as its task has: for classes a probability each,
    /// or the number of the class; the rows one behind the other. It may be called from several threads at once.
    pub fn new<R: IntoOutputs>(model: impl Fn(Rows<'_>) -> R + Send + Sync + 'static) -> Self {
        Self {
            model: Box::new(move |rows| model(rows).into_outputs()),
            task: Task::Binary,
            data: None,
            live: None,
            interval: None,
            registry: Registry::new(),
            width: None,
            each: Vec::new(),
            known: Features::default(),
            seen: None,
        }
    }

    /// What the model does; yes or no, if nothing is said.
    pub fn task(mut self, task: impl Into<Task>) -> Self {
        self.task = task.into();
        self
    }

    /// Judges the model by these rows.
    pub fn data(self, data: LabelledRows) -> Self {
        let data = Arc::new(data);
        let width = data.rows().width();
        self.features(width).data_from(move || Ok(data.clone()))
    }

    /// Judges the model by what `data` returns, which is asked for at each evaluation.
    pub fn data_from(
        mut self,
        data: impl Fn() -> Result<Arc<LabelledRows>, MonitorError> + Send + Sync + 'static,
    ) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// Watches a model that is elsewhere, by what it is observed to say.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, health::{Monitor, Observations}, train::Task};
    /// let live = Observations::new(Task::Binary);
    /// let watch = Monitor::elsewhere(&live).start(&Session::create(dir.path())?)?;
    /// live.observe("request-1", vec![0.9])?;
    /// live.label("request-1", 1.0)?;
    /// assert_eq!(watch.evaluate()?.live["accuracy"], 1.0);
    /// # Ok::<(), modelpulse::health::MonitorError>(())
    /// ```
    pub fn elsewhere(observations: &Observations) -> Self {
        let nowhere = |_: Rows<'_>| Err::<Vec<f32>, _>("the model is not here");
        Self::new(nowhere)
            .task(observations.task())
            .observations(observations)
    }

    /// Also judges the model by what it was observed to say, in the run `live`.
    pub fn observations(mut self, observations: &Observations) -> Self {
        self.live = Some(observations.clone());
        self
    }

    /// Rows have so many features; others are refused, and counted as malformed.
    pub fn features(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// The least and the most that each feature was in the data that the model learned from. A row beyond is answered, and
    /// counted as `out_of_range`; so is one with a feature that is NaN.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, health::{Monitor, Registry, Rows}};
    /// let registry = Registry::new();
    /// let watch = Monitor::new(|rows| rows.values().to_vec())
    ///     .ranges([(0.0, 1.0)])
    ///     .registry(&registry)
    ///     .start(&Session::create(dir.path())?)?;
    /// watch.predict(Rows::new(&[0.5, 7.0], 1).unwrap())?;
    /// let errors = registry.meter("prediction.errors").tag("kind", "out_of_range");
    /// assert_eq!(errors.counter().value(), 1.0);
    /// # Ok::<(), modelpulse::health::MonitorError>(())
    /// ```
    pub fn ranges(mut self, ranges: impl IntoIterator<Item = (f32, f32)>) -> Self {
        self.known.ranges = ranges.into_iter().collect();
        self
    }

    /// What the features are called, in their order.
    pub fn feature_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.known.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Hides these features, by name or by place counted from 0, wherever a sample of the rows is written. A text that may
    /// repeat one, such as what a model failed with, is then left out of it.
    pub fn redact<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.known.redacted = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Evaluates that often, and once at the start; only on demand, if nothing is said.
    pub fn interval(mut self, time: Duration) -> Self {
        self.interval = Some(time.max(Duration::from_millis(10)));
        self
    }

    /// Counts and times predictions in this registry.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Also calls `log` at every evaluation, with its step: for what else is to be logged then.
    pub fn each(mut self, log: impl FnMut(&Session, i64) + Send + 'static) -> Self {
        self.each.push(Box::new(log));
        self
    }

    /// Also shows `look` the rows of each [prediction](Watch::predict) that the model had an answer to.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, health::{Monitor, Rows}};
    /// let (sender, seen) = std::sync::mpsc::channel();
    /// let watch = Monitor::new(|rows| rows.values().to_vec())
    ///     .on_predict(move |rows| drop(sender.send(rows.len())))
    ///     .start(&Session::create(dir.path())?)?;
    /// watch.predict(Rows::new(&[0.7, 0.2], 1).unwrap())?;
    /// assert_eq!(seen.try_recv()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    pub fn on_predict(mut self, look: impl Fn(Rows<'_>) + Send + Sync + 'static) -> Self {
        self.seen = Some(Box::new(look));
        self
    }

    /// Logs to `session`, to the runs `eval`, `live` and `serve`, counted in evaluations; steps go on behind those that the
    /// log has. To `serve` go the counts of predictions and of what was wrong with them, `errors/KIND`, which part of the rows
    /// since the last evaluation that is, `error_rate/KIND`, a few of those rows as a table, `errors/samples`, and
    /// `latency_ms` and `predictions_per_second`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(self, session: &Session) -> std::io::Result<Watch> {
        let steps = last_steps(session.dir()).unwrap_or_default();
        let last = ["eval", "serve", "live"]
            .iter()
            .filter_map(|run| steps.get(*run));
        let step = last.map(|step| step.as_i64() + 1).max().unwrap_or(0);
        let meters = Meters::new(&self.registry);
        let interval = self.interval;
        let inner = Arc::new(Inner {
            model: self.model,
            task: self.task,
            data: self.data,
            live: self.live,
            width: self.width,
            seen: self.seen,
            session: session.clone(),
            meters,
            errors: Errors::new(self.known),
            turn: Mutex::new(Turn {
                step,
                each: self.each,
                logged: Logged::default(),
            }),
            status: Mutex::default(),
        });
        let (stop, stopped) = mpsc::channel();
        let thread = match interval {
            None => None,
            Some(interval) => {
                let inner = inner.clone();
                let thread = std::thread::Builder::new().name("modelpulse-monitor".to_owned());
                Some(thread.spawn(move || inner.run(interval, &stopped))?)
            }
        };
        Ok(Watch {
            inner,
            ticker: Arc::new(Ticker {
                stop: Mutex::new(Some(stop)),
                thread: Mutex::new(thread),
            }),
        })
    }
}

#[cfg(test)]
mod tests;
