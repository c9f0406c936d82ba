//! A session: one training or serving of a model, and its log directory.
//!
//! Wall times strictly increase from instant to instant over all its runs, so a replay sees what a
//! live sink saw, in the same order.

mod instant;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::instant::Instant;
use super::Epoch;
use super::ranks::{Place, Ranks};
use crate::flow::{Sink, SinkError};
use crate::log::{
    Error, Failed, Payload, Report, RunWriter, Sequencer, Writer, WriterBuilder, take_back,
};
use crate::summary::{HParams, Sample, SessionStatus, Value};
use crate::types::{Step, WallTime};

/// Logs one training or serving of a model, from any loop.
///
/// A logging call never fails and does not wait for the disk. Cheap to clone; usable from any thread.
/// When the last clone is dropped, also by a panic, everything logged is written.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path().join("demo");
/// # fn step() -> f64 { 0.5 }
/// let session = modelpulse::Session::create(logdir)?;
/// for number in 0..3 {
///     let mut epoch = session.epoch(number);
///     for _batch in 0..10 {
///         epoch.train_batch(32, [("loss", step())]);
///     }
///     epoch.eval_batch(100, [("loss", step()), ("accuracy", 0.9)]);
/// }
/// session.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: Writer,
    sequencer: Mutex<Sequencer>,
    /// Whether hyperparameters were logged, so that the session's end belongs to them.
    has_hparams: AtomicBool,
    ended: AtomicBool,
    /// Whether the session goes on behind a checkpoint.
    resumed: AtomicBool,
    /// The next global step of the `batch` run.
    batch_step: AtomicI64,
    /// Whether logging calls are timed, and how many nanoseconds they took.
    clock: AtomicBool,
    spent: AtomicU64,
}

/// The settings of a [`Session`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::builder(dir.path())
///     .log(|log| log.flush_interval(std::time::Duration::from_millis(200)))
///     .start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct SessionBuilder {
    log: WriterBuilder,
    ranks: Ranks,
}

impl SessionBuilder {
    /// Settings of the log.
    pub fn log(mut self, set: impl FnOnce(WriterBuilder) -> WriterBuilder) -> Self {
        self.log = set(self.log);
        self
    }

    /// Shows every event to `sink` too, as a replay of the log will.
    pub fn sink(self, sink: impl Sink + 'static) -> Self {
        self.log(|log| log.sink(Box::new(sink)))
    }

    /// As [`sink`](Self::sink), with the sink that `make` returns. It is called by [`start`](Self::start), with the
    /// directory of the log, in which nothing is written yet: a sink can look at what an earlier session logged.
    pub fn sink_with<S: Sink + 'static>(
        self,
        make: impl FnOnce(&Path) -> Result<S, SinkError> + Send + 'static,
    ) -> Self {
        self.log(|log| log.sink_with(|dir| Ok(Box::new(make(dir)?))))
    }

    /// While nothing is logged for so long, `time/heartbeat` in the run `.` says for how many seconds nothing was:
    /// silence is an event too, for whoever waits for one. Default: 30 s.
    pub fn heartbeat(self, after: impl Into<Option<Duration>>) -> Self {
        let after = after.into();
        self.log(|log| log.heartbeat(after))
    }

    /// Which of several processes log, where a launcher numbered them. Default: the one of rank 0.
    pub fn ranks(mut self, ranks: Ranks) -> Self {
        self.ranks = ranks;
        self
    }

    /// Starts the session.
    ///
    /// # Errors
    /// [`Error::Create`] where the directory cannot be made or written, [`Error::Sink`] where a sink cannot be made.
    pub fn start(self) -> Result<Session, Error> {
        let log = match self.ranks.place(|name| std::env::var(name).ok()) {
            Place::Here => self.log,
            Place::Below(name) => self.log.below(&name),
            Place::Nowhere => self.log.discard(),
        };
        let writer = log.start()?;
        let inner = Inner {
            sequencer: Mutex::new(writer.sequencer()),
            writer,
            has_hparams: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            resumed: AtomicBool::new(false),
            batch_step: AtomicI64::new(0),
            clock: AtomicBool::new(false),
            spent: AtomicU64::new(0),
        };
        Ok(Session {
            inner: Arc::new(inner),
        })
    }
}

impl Session {
    /// A session with the default settings, whose log goes to `dir`.
    ///
    /// # Errors
    /// As [`SessionBuilder::start`].
    pub fn create(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(dir).start()
    }

    /// The settings of a session whose log goes to `dir`.
    pub fn builder(dir: impl AsRef<Path>) -> SessionBuilder {
        SessionBuilder {
            log: Writer::builder(dir).heartbeat(Some(Duration::from_secs(30))),
            ranks: Ranks::default(),
        }
    }

    /// The log directory.
    pub fn dir(&self) -> &Path {
        self.inner.writer.dir()
    }

    /// Whether this process logs, where there are several: see [`Ranks`].
    pub fn logs(&self) -> bool {
        self.inner.writer.keeps()
    }

    /// A run of this session, such as `train`; `.` is the session's directory itself.
    pub fn run(&self, name: &str) -> Run {
        Run {
            session: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Begins an epoch, which reduces what its batches report and logs it at its end.
    pub fn epoch(&self, number: impl Into<Step>) -> Epoch {
        Epoch::new(self.clone(), number.into())
    }

    /// Gathers values of any runs that belong to one wall time; logged when dropped.
    pub fn instant(&self) -> Instant<'_> {
        Instant::of(self)
    }

    /// Logs the hyperparameters, and at the session's end how it ended.
    ///
    /// A session that [resumes](Self::resume_at) leaves those that are there.
    pub fn hparams(&self, hparams: &HParams) {
        self.inner.has_hparams.store(true, Ordering::Relaxed);
        if self.inner.resumed.load(Ordering::Relaxed) {
            return;
        }
        let now = WallTime::now();
        let name = self
            .dir()
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mut instant = self.instant();
        for (tag, value) in [hparams.experiment(now), hparams.session_start(&name, now)] {
            instant.log(".", tag, Step::ZERO, value);
        }
    }

    /// Goes on behind a checkpoint of an earlier session of the same directory, after so many epochs and
    /// steps: what that session logged of later ones is void, in the runs `train`, `eval` and `.`, which count
    /// epochs, and `batch`, which counts steps; how it ended is taken back. Say it before anything is logged. Runs
    /// of one's own [resume](Run::resume_at) on their own; a [`Loop`](super::Loop) that has the session says it
    /// itself.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// let session = modelpulse::Session::create(dir.path())?;
    /// (0..30).for_each(|step| session.run("batch").scalar("batch_loss", step, 0.5));
    /// drop(session); // killed, with a checkpoint of the end of epoch 1
    ///
    /// let session = modelpulse::Session::create(dir.path())?;
    /// session.resume_at(2, 20);
    /// session.run("batch").scalar("batch_loss", 20, 0.4);
    /// # session.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_at(&self, epochs: impl Into<Step>, steps: impl Into<Step>) {
        let (epochs, steps) = (epochs.into(), steps.into());
        let (end, _) = HParams::session_end(SessionStatus::Unknown, WallTime::now());
        if self.logs()
            && let Err(error) = take_back(self.dir(), end)
        {
            self.inner.writer.failed(error);
        }
        for (run, step) in [
            (".", epochs),
            ("train", epochs),
            ("eval", epochs),
            ("batch", steps),
        ] {
            self.run(run).resume_at(step);
        }
        let anew = epochs == Step::ZERO && steps == Step::ZERO;
        self.inner.resumed.store(!anew, Ordering::Relaxed);
        self.inner
            .batch_step
            .store(steps.as_i64(), Ordering::Relaxed);
    }

    /// Returns when all that was logged before is handed to the operating system, or was refused by it.
    pub fn flush(&self) {
        self.inner.writer.flush();
    }

    /// Has all that was logged before written soon, without waiting for it.
    pub fn flush_soon(&self) {
        self.inner.sequencer().flush_soon();
    }

    /// Has everything written, and on the disk, before SIGINT, SIGTERM or SIGHUP ends the process;
    /// the session's end is then logged as a failure.
    ///
    /// # Errors
    /// Where the process cannot listen to signals.
    #[cfg(feature = "signals")]
    pub fn flush_on_signal(&self) -> std::io::Result<()> {
        let inner = Arc::downgrade(&self.inner);
        crate::log::before_end(move || {
            if let Some(inner) = inner.upgrade() {
                inner.end(SessionStatus::Failure);
                inner.writer.sync();
            }
        })
    }

    /// What was written so far.
    pub fn report(&self) -> Report {
        self.inner.writer.report()
    }

    /// What is wrong with the log: the last failure, as long as there are values that are lost or not written yet.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// let session = modelpulse::Session::create(dir.path())?;
    /// assert_eq!(session.problem(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn problem(&self) -> Option<String> {
        self.inner.writer.problem()
    }

    /// Ends the session well: writes everything, and waits until the disk has it.
    ///
    /// # Errors
    /// [`Failed`] with the first failure since the start, if there was one.
    pub fn finish(self) -> Result<Report, Failed> {
        self.finish_as(SessionStatus::Success)
    }

    /// Ends the session and says how.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_as(self, status: SessionStatus) -> Result<Report, Failed> {
        self.inner.end(status);
        self.inner.writer.clone().finish()
    }

    /// From now on, whether logging calls are timed.
    pub(super) fn clock(&self, on: bool) {
        self.inner.clock.store(on, Ordering::Relaxed);
    }

    /// How long the logging calls took that were timed, on whatever thread.
    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.inner.spent.load(Ordering::Relaxed))
    }

    fn timed<T>(&self, call: impl FnOnce() -> T) -> T {
        if !self.inner.clock.load(Ordering::Relaxed) {
            return call();
        }
        let since = std::time::Instant::now();
        let result = call();
        let spent = since.elapsed().as_nanos() as u64;
        self.inner.spent.fetch_add(spent, Ordering::Relaxed);
        result
    }

    /// The next global step of the `batch` run.
    pub(super) fn next_batch_step(&self) -> Step {
        Step::from(self.inner.batch_step.fetch_add(1, Ordering::Relaxed))
    }
}

impl Inner {
    fn sequencer(&self) -> MutexGuard<'_, Sequencer> {
        self.sequencer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, status: SessionStatus) {
        if self.has_hparams.load(Ordering::Relaxed) && !self.ended.swap(true, Ordering::Relaxed) {
            let (tag, value) = HParams::session_end(status, WallTime::now());
            if let Some(id) = self.writer.run(".").series(tag).id() {
                self.sequencer()
                    .instant(vec![(id, Step::ZERO, Payload::Value(value))], false);
            }
        }
    }
}

impl Drop for Inner {
    /// A session that is dropped without a word did not say that it succeeded.
    fn drop(&mut self) {
        self.end(if std::thread::panicking() {
            SessionStatus::Failure
        } else {
            SessionStatus::Unknown
        });
    }
}

/// A run of a session.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let serve = session.run("serve");
/// serve.scalar("latency_ms", 0, 3.5);
/// serve.histogram("scores", 0, &[0.1_f32, 0.7, f32::NAN]);
/// assert_eq!(session.finish()?.written, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Run {
    pub(super) session: Session,
    pub(super) name: String,
}

impl Run {
    pub(super) fn writer(&self) -> RunWriter {
        self.session.inner.writer.run(&self.name)
    }

    /// The run goes on from `step`: what an earlier session logged there or later is void. Say it
    /// before the first value; [`last_steps`](crate::log::last_steps) tells where a log stopped.
    pub fn resume_at(&self, step: impl Into<Step>) {
        if let Some(run) = self.writer().id() {
            self.session.inner.sequencer().resume(run, step.into());
        }
    }

    /// Logs a number, stored at single precision.
    pub fn scalar(&self, tag: &str, step: impl Into<Step>, value: f64) {
        self.log(tag, step, value);
    }

    /// Logs a value of any kind.
    pub fn log(&self, tag: &str, step: impl Into<Step>, value: impl Into<Value>) {
        self.session.instant().log(&self.name, tag, step, value);
    }

    /// Logs a histogram of `values`, and next to it, where there are such values, how many are NaN or
    /// infinite: `tag/nan`, `tag/+inf`, `tag/-inf`. The values are copied, and counted off the loop.
    pub fn histogram<T: Sample + Send + 'static>(
        &self,
        tag: &str,
        step: impl Into<Step>,
        values: &[T],
    ) {
        self.session
            .instant()
            .histogram(&self.name, tag, step, values);
    }

    /// Logs what `make` returns. It is called off the loop, by the thread that writes the log.
    pub fn log_with(
        &self,
        tag: &str,
        step: impl Into<Step>,
        make: impl FnOnce() -> Result<Value, SinkError> + Send + 'static,
    ) {
        self.session.instant().log_with(&self.name, tag, step, make);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Event, Source};
    use crate::log::{LogReader, Overflow};
    use std::sync::mpsc;

    struct Forward(mpsc::Sender<Vec<Event>>);

    impl Sink for Forward {
        fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
            Ok(self.0.send(instant.to_vec())?)
        }
    }

    #[test]
    fn a_replay_gives_the_instants_that_a_live_sink_saw() {
        let dir = tempfile::tempdir().unwrap();
        let (sender, live) = mpsc::channel();
        let session = Session::builder(dir.path())
            .log(|log| log.overflow(Overflow::Wait))
            .sink(Forward(sender))
            .start()
            .unwrap();
        session.hparams(&HParams::new().set("lr", 0.1));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let session = &session;
                scope.spawn(move || {
                    for step in 0..500_i64 {
                        session.run(["train", "batch"][thread % 2]).scalar(
                            &format!("x{thread}"),
                            step,
                            step as f64 / 3.0,
                        );
                        let mut instant = session.instant();
                        instant.scalar("eval", "y", step, f64::NAN);
                        instant.scalar("train", "z", step, 1.0);
                        instant.histogram("eval", "h", step, &[1.0, 2.0]);
                    }
                });
            }
        });
        session.finish().unwrap();
        let live: Vec<Vec<Event>> = live.into_iter().collect();
        let mut log = LogReader::open(dir.path()).unwrap();
        let mut replayed = Vec::new();
        while let Some(instant) = log.next_instant().unwrap() {
            replayed.push(instant);
        }
        assert_eq!(live.len(), 4 * 500 * 2 + 2);
        // NaN is not equal to itself, so the text is compared.
        assert_eq!(format!("{live:?}"), format!("{replayed:?}"));
        assert!(replayed.is_sorted_by(|a, b| a[0].wall_time < b[0].wall_time));
    }

    #[test]
    fn a_panic_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let panicked = std::thread::spawn(move || {
            let session = Session::create(path).unwrap();
            (0..1000_i64).for_each(|step| session.run("train").scalar("x", step, 0.0));
            panic!("as the test wants");
        });
        assert!(panicked.join().is_err());
        let mut log = LogReader::open(dir.path()).unwrap();
        let mut count = 0;
        while log.next_instant().unwrap().is_some() {
            count += 1;
        }
        assert_eq!((count, log.problems()), (1000, &[][..]));
    }
}
