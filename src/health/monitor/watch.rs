//! A watched model at work: what an evaluation does, and what a prediction counts.
//!
//! There is one evaluation at a time; whatever the model or the data do, a panic too, is an answer and a status.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::errors::{Errors, Kind};
use super::measure::measure;
use super::meters::{Logged, Meters};
use super::{Data, Each, Model, MonitorError, Observations, Predictions, Rows, Seen};
use crate::flow::panic_message;
use crate::train::{Session, Task};
use crate::types::WallTime;

pub(super) struct Inner {
    pub(super) model: Box<Model>,
    pub(super) task: Task,
    pub(super) data: Option<Box<Data>>,
    pub(super) live: Option<Observations>,
    pub(super) width: Option<usize>,
    pub(super) seen: Option<Box<Seen>>,
    pub(super) session: Session,
    pub(super) meters: Meters,
    pub(super) errors: Errors,
    /// Held while an evaluation runs: there is one at a time.
    pub(super) turn: Mutex<Turn>,
    pub(super) status: Mutex<Status>,
}

pub(super) struct Turn {
    pub(super) step: i64,
    pub(super) each: Vec<Box<Each>>,
    pub(super) logged: Logged,
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

pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// Evaluates at an interval until it is told to stop.
    pub(super) fn run(&self, interval: Duration, stopped: &mpsc::Receiver<()>) {
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
        let Turn { step, each, logged } = &mut *turn;
        let since = Instant::now();
        let judged = self.judge().and_then(|judged| {
            let live = self.live.as_ref().map(Observations::evaluate);
            Ok((judged, live.transpose()?.unwrap_or_default()))
        });
        self.meters.evaluations.increment();
        let mut instant = self.session.instant();
        let mut serve = |tag: &str, value| instant.scalar("serve", tag, *step, value);
        let now = WallTime::now().as_secs_f64();
        self.meters.log(now, logged, &mut serve);
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
        if let Some(samples) = self.errors.table() {
            instant.log("serve", "errors/samples", *step, samples);
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
        if let Some(width) = self.width.filter(|width| *width != rows.width()) {
            let why = format!(
                "a row has {} features, the model takes {width}",
                rows.width()
            );
            self.refuse(rows.len(), &why, Some(rows));
            return Err(why.into());
        }
        self.errors.look_at(&self.meters, rows);
        let said = self.meters.latency.time(|| self.call(rows));
        match &said {
            Ok(said) => {
                self.meters.predictions.add(rows.len() as f64);
                self.errors.look_at_outputs(&self.meters, rows, said);
                if let Some(look) = &self.seen {
                    // The answer stands, whatever becomes of this.
                    let _ = catch_unwind(AssertUnwindSafe(|| look(rows)));
                }
            }
            Err(error) => {
                let (kind, why) = (Kind::Failed, error.to_string());
                let count = rows.len();
                self.errors
                    .no_answer(&self.meters, kind, count, &why, Some(rows));
            }
        }
        said
    }

    fn refuse(&self, count: usize, why: &str, rows: Option<Rows<'_>>) {
        let kind = Kind::Malformed;
        self.errors.no_answer(&self.meters, kind, count, why, rows);
    }
}

/// A panic is a failure like any other.
fn caught<T>(call: impl FnOnce() -> Result<T, MonitorError>) -> Result<T, MonitorError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panic_message(&*panic).into()))
}

/// A model that is being watched; cheap to clone. When the last clone is dropped, the interval ends.
#[derive(Clone)]
pub struct Watch {
    pub(super) inner: Arc<Inner>,
    pub(super) ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch")
            .field("task", &self.inner.task)
            .field("status", &*lock(&self.inner.status))
            .finish_non_exhaustive()
    }
}

pub(super) struct Ticker {
    pub(super) stop: Mutex<Option<Sender<()>>>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
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
        self.refused(rows, "");
    }

    /// As [`malformed`](Self::malformed); a few of the reasons are logged.
    pub fn refused(&self, rows: usize, why: &str) {
        self.inner.refuse(rows, why, None);
    }

    /// Takes note of rows that the model was asked for elsewhere, if one is out of the [ranges](super::Monitor::ranges).
    pub fn note(&self, rows: Rows<'_>) {
        if self.takes(rows.width()) {
            self.inner.errors.look_at(&self.inner.meters, rows);
        }
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
        drop(lock(&self.inner.turn));
    }
}
