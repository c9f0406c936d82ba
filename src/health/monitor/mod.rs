//! A model that is watched: evaluated at an interval and on demand, its predictions counted and timed.
//!
//! All that is found out is logged to a session, and goes from there to everything else: TensorBoard, rules, gauges.
//! A model that fails or panics is a fact about its health, and never ends the watch.

mod board;
mod measure;
mod observations;
mod rows;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use board::AlertBoard;
pub use observations::{Counts, Labelling, Observations};
pub use rows::{IntoOutputs, LabelledRows, MonitorError, Predictions, Rows};

use self::measure::measure;
use super::{Counter, Registry, Timer};
use crate::flow::panic_message;
use crate::log::last_steps;
use crate::train::{Session, Task};
use crate::types::WallTime;

type Model = dyn Fn(Rows<'_>) -> Result<Vec<f32>, MonitorError> + Send + Sync;
type Data = dyn Fn() -> Result<Arc<LabelledRows>, MonitorError> + Send + Sync;
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

    /// Logs to `session`, to the runs `eval`, `live` and `serve`, counted in evaluations; steps go on behind those that the
    /// log has.
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
            session: session.clone(),
            meters,
            turn: Mutex::new(Turn {
                step,
                each: self.each,
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

/// What is counted of predictions.
#[derive(Debug)]
struct Meters {
    predictions: Counter,
    failed: Counter,
    malformed: Counter,
    nan: Counter,
    evaluations: Counter,
    failed_evaluations: Counter,
    latency: Timer,
}

impl Meters {
    fn new(registry: &Registry) -> Self {
        const SECONDS: [f64; 12] = [
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
        ];
        let errors = |kind: &str| {
            let meter = registry.meter("prediction.errors").tag("kind", kind);
            meter
                .description(
                    "Rows that the model was asked for and has no answer to, by what was wrong",
                )
                .counter()
        };
        Self {
            predictions: registry.counter("predictions", "Rows that were predicted"),
            failed: errors("failed"),
            malformed: errors("malformed"),
            nan: errors("nan"),
            evaluations: registry.counter("evaluations", "Evaluations of the model"),
            failed_evaluations: registry.counter("failed.evaluations", "Evaluations that failed"),
            latency: registry
                .meter("predict")
                .description("Time of a call to the model")
                .buckets(SECONDS)
                .timer(),
        }
    }
}

struct Inner {
    model: Box<Model>,
    task: Task,
    data: Option<Box<Data>>,
    live: Option<Observations>,
    width: Option<usize>,
    session: Session,
    meters: Meters,
    /// Held while an evaluation runs: there is one at a time.
    turn: Mutex<Turn>,
    status: Mutex<Status>,
}

struct Turn {
    step: i64,
    each: Vec<Box<Each>>,
}

/// How the last evaluation ended.
///
/// ```
/// let status = modelpulse::health::Status::default();
/// assert!(status.last.is_none() && status.error.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The last evaluation that succeeded.
    pub last: Option<Evaluated>,
    /// Why the last one failed, if it did.
    pub error: Option<String>,
}

/// What an evaluation found out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evaluated {
    /// Its number, which is its step in the log.
    pub step: i64,
    /// When it ended, in seconds since 1970.
    pub wall_time: f64,
    /// How many rows the model was judged by.
    pub rows: usize,
    /// The metrics of the task that are defined, by their names; none where there are observations only.
    pub metrics: BTreeMap<String, f64>,
    /// By how many observations with a label it was judged.
    pub live_rows: usize,
    /// The metrics over those, by their names.
    pub live: BTreeMap<String, f64>,
    /// How long it took.
    pub time: Duration,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Evaluates at an interval until it is told to stop.
    fn run(&self, interval: Duration, stopped: &mpsc::Receiver<()>) {
        loop {
            let since = Instant::now();
            // What is wrong is in the status.
            let _ = self.evaluate();
            let rest = interval.saturating_sub(since.elapsed());
            match stopped.recv_timeout(rest) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn evaluate(&self) -> Result<Evaluated, MonitorError> {
        let mut turn = lock(&self.turn);
        let Turn { step, each } = &mut *turn;
        let since = Instant::now();
        let judged = self.judge().and_then(|judged| {
            let live = self.live.as_ref().map(Observations::evaluate);
            Ok((judged, live.transpose()?.unwrap_or_default()))
        });
        self.meters.evaluations.increment();
        let mut instant = self.session.instant();
        let mut serve = |tag: &str, value| instant.scalar("serve", tag, *step, value);
        serve("predictions", self.meters.predictions.value());
        serve("errors/failed", self.meters.failed.value());
        serve("errors/malformed", self.meters.malformed.value());
        serve("errors/nan", self.meters.nan.value());
        serve("errors/evaluation", f64::from(u8::from(judged.is_err())));
        if let Some(live) = &self.live {
            let counts = live.counts();
            for (name, count) in [
                ("observed", counts.observed),
                ("repeated", counts.repeated),
                ("labelled", counts.labelled),
                ("relabelled", counts.relabelled),
                ("unknown", counts.unknown),
                ("expired", counts.expired),
                ("waiting", counts.waiting),
            ] {
                let tag = format!("observations/{name}");
                instant.scalar("live", &tag, *step, count as f64);
            }
        }
        if let Ok(((_, metrics), (_, live))) = &judged {
            for (run, metrics) in [("eval", metrics), ("live", live)] {
                for (name, value) in metrics {
                    instant.scalar(run, name, *step, *value);
                }
            }
            let seconds = since.elapsed().as_secs_f64();
            instant.scalar("eval", "time/evaluation_seconds", *step, seconds);
        }
        drop(instant);
        for log in each.iter_mut() {
            // What panics once may do better the next time; the model is watched anyway.
            let _ = catch_unwind(AssertUnwindSafe(|| log(&self.session, *step)));
        }
        // Gauges and rules have seen it before anyone is answered.
        self.session.flush();
        let number = std::mem::replace(step, step.saturating_add(1));
        let mut status = lock(&self.status);
        match judged {
            Ok(((rows, metrics), (live_rows, live))) => {
                let evaluated = Evaluated {
                    live_rows,
                    live,
                    step: number,
                    wall_time: WallTime::now().as_secs_f64(),
                    rows,
                    metrics,
                    time: since.elapsed(),
                };
                *status = Status {
                    last: Some(evaluated.clone()),
                    error: None,
                };
                Ok(evaluated)
            }
            Err(error) => {
                self.meters.failed_evaluations.increment();
                status.error = Some(error.to_string());
                Err(error)
            }
        }
    }

    fn judge(&self) -> Result<(usize, BTreeMap<String, f64>), MonitorError> {
        /// Rows of a call to the model.
        const BATCH: usize = 256;
        let data = match &self.data {
            Some(data) => data,
            None if self.live.is_some() => return Ok((0, BTreeMap::new())),
            None => return Err("there are no data to judge it by".into()),
        };
        let data = caught(data)?;
        let rows = data.rows();
        if rows.is_empty() {
            return Err("the data have no rows".into());
        }
        let (mut all, mut width) = (Vec::new(), 0);
        for batch in rows.batches(BATCH) {
            let said = self.call(batch)?;
            if width != 0 && said.width() != width {
                return Err("the model changed what it returns from batch to batch".into());
            }
            width = said.width();
            all.extend(said.iter().flatten());
        }
        let said = Predictions::new(all, width);
        Ok((rows.len(), measure(self.task, &data.targets, &said)?))
    }

    fn call(&self, rows: Rows<'_>) -> Result<Predictions, MonitorError> {
        let outputs = caught(|| (self.model)(rows))?;
        Predictions::of(self.task, rows.len(), outputs)
    }

    fn predict(&self, rows: Rows<'_>) -> Result<Predictions, MonitorError> {
        let count = rows.len() as f64;
        if let Some(width) = self.width.filter(|width| *width != rows.width()) {
            self.meters.malformed.add(count);
            return Err(format!(
                "a row has {} features, the model takes {width}",
                rows.width()
            )
            .into());
        }
        let said = self.meters.latency.time(|| self.call(rows));
        match &said {
            Ok(said) => {
                self.meters.predictions.add(count);
                self.meters.nan.add(said.nans() as f64);
            }
            Err(_) => self.meters.failed.add(count),
        }
        said
    }
}

/// A panic is a failure like any other.
fn caught<T>(call: impl FnOnce() -> Result<T, MonitorError>) -> Result<T, MonitorError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panic_message(&*panic).into()))
}

/// A model that is being watched; cheap to clone. When the last clone is dropped, the interval ends.
#[derive(Clone)]
pub struct Watch {
    inner: Arc<Inner>,
    ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("task", &self.inner.task)
            .field("status", &*lock(&self.inner.status))
            .finish_non_exhaustive()
    }
}

struct Ticker {
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ticker {
    fn end(&self) {
        drop(lock(&self.stop).take());
        if let Some(thread) = lock(&self.thread).take() {
            // It catches what panics.
            let _ = thread.join();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.end();
    }
}

impl Watch {
    /// Evaluates now; when it returns, the session, the gauges and the rules have what was found out.
    ///
    /// # Errors
    /// What the data or the model failed with, a panic too. The watch goes on.
    pub fn evaluate(&self) -> Result<Evaluated, MonitorError> {
        self.inner.evaluate()
    }

    /// What the model says of these rows; counted and timed.
    ///
    /// # Errors
    /// What the model failed with, a panic too; and where rows do not have the features that it takes.
    pub fn predict(&self, rows: Rows<'_>) -> Result<Predictions, MonitorError> {
        self.inner.predict(rows)
    }

    /// Whether the model takes rows of so many features, as far as that was said.
    pub fn takes(&self, features: usize) -> bool {
        self.inner.width.is_none_or(|width| width == features)
    }

    /// Counts rows that could not even be read.
    pub fn malformed(&self, rows: usize) {
        self.inner.meters.malformed.add(rows as f64);
    }

    /// How the last evaluation ended.
    pub fn status(&self) -> Status {
        lock(&self.inner.status).clone()
    }

    /// What the model does.
    pub fn task(&self) -> Task {
        self.inner.task
    }

    /// The session that it logs to.
    pub fn session(&self) -> &Session {
        &self.inner.session
    }

    /// Ends the interval; an evaluation that runs is waited for.
    pub fn stop(&self) {
        self.ticker.end();
    }
}

#[cfg(test)]
mod tests;
