//! The writer of a log directory.
//!
//! A logging call never fails and never waits on the disk beyond the bound that [`Overflow`] sets:
//! what cannot be kept is dropped, counted, and said by [`Writer::finish`].

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use super::account::{Account, Voice};
use super::file::Files;
use super::ring::{Consumer, Full, MAX_STEP, Producer, Ring};
use super::series::Registry;
use super::stamp::Stamp;
use super::worker::{Item, Payload, Worker};
use super::{Error, Failed, Report, Series};
use crate::flow::{Sink, Tee};
use crate::summary::{Histogram, Sample, Value};
use crate::types::{Step, WallTime};

/// Writes a log directory: cheap to clone, usable from any thread.
///
/// Each thread has a buffer of its own, so a scalar by a [`Series`] takes no lock. A background
/// thread writes, at least once in a flush interval. When the last handle is dropped, also by a
/// panic, everything logged is written; [`finish`](Self::finish) also says whether it was.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::Writer;
/// let writer = Writer::create(dir.path())?;
/// let train = writer.run("train");
/// let (loss, accuracy) = (train.series("loss"), train.series("accuracy"));
/// for step in 0..100 {
///     // One event a step, with both values.
///     train.step(step).scalar(&loss, 0.5).scalar(&accuracy, 0.9);
/// }
/// let report = writer.finish()?;
/// assert_eq!(report.written, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Writer {
    inner: Arc<Inner>,
}

/// What a logging call does while the buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Waits at most this long for the disk, then drops the value. Until the disk moves again, later
    /// calls drop at once.
    WaitAtMost(Duration),
    /// Waits for the disk, however long: no value is lost while the process lives.
    Wait,
    /// Drops the value at once.
    Drop,
}

impl Default for Overflow {
    /// Waits at most 10 ms.
    fn default() -> Self {
        Self::WaitAtMost(Duration::from_millis(10))
    }
}

/// The settings of a [`Writer`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Overflow, Writer};
/// let writer = Writer::builder(dir.path()).overflow(Overflow::Wait).suffix(".v2").start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct WriterBuilder {
    config: Config,
    files: Files,
    sinks: Tee,
    voice: Voice,
}

#[derive(Debug)]
pub(super) struct Config {
    pub(super) dir: PathBuf,
    pub(super) files: Arc<Files>,
    pub(super) flush_interval: Duration,
    pub(super) sync: bool,
    overflow: Overflow,
    buffer_bytes: usize,
    max_series: usize,
}

impl WriterBuilder {
    /// How long a value may wait before it is handed to the operating system. Default: 1 s.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.config.flush_interval = interval;
        self
    }

    /// What a logging call does while the buffer is full. Default: waits at most 10 ms.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// How many bytes of images, histograms and the like may wait, for each logging thread.
    /// Default: 4 MiB. One larger value is taken when nothing else waits.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.config.buffer_bytes = bytes;
        self
    }

    /// The most series that the log takes; a number that slipped into a tag's name must not make a
    /// million of them. Default: 100,000.
    pub fn max_series(mut self, limit: usize) -> Self {
        self.config.max_series = limit;
        self
    }

    /// What every file's name ends in. Default: nothing.
    pub fn suffix(mut self, suffix: impl Into<String>) -> Self {
        self.files.suffix = suffix.into();
        self
    }

    /// Follows a file that has grown to `bytes` by a new one. Default: never.
    pub fn rotate_at(mut self, bytes: u64) -> Self {
        self.files.rotate_at = Some(bytes);
        self
    }

    /// Keeps of each run about the newest `bytes`: at each rotation the oldest files beyond them are
    /// removed. For a run without end. Default: keeps all.
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.files.keep_bytes = Some(bytes);
        self
    }

    /// Keeps of each run the files that were written to within `time`; looked at at each rotation.
    /// For a run without end. Default: keeps all.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.files.keep_for = Some(time);
        self
    }

    /// Says the first failure, and a second live writer of the same directory, to `listener`, at once;
    /// [`Writer::finish`] returns failures too. Default: a line on standard error.
    pub fn on_warning(mut self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.voice = Voice(Box::new(listener));
        self
    }

    /// Whether [`Writer::finish`] waits until the disk has everything. Default: yes.
    pub fn sync(mut self, sync: bool) -> Self {
        self.config.sync = sync;
        self
    }

    /// Shows every event to `sink` too, from the thread that writes.
    pub fn sink(mut self, sink: Box<dyn Sink>) -> Self {
        self.sinks.push(sink);
        self
    }

    /// Starts the writer. Files are made with the first value of each run.
    ///
    /// # Errors
    /// [`Error::Create`] where the directory cannot be made or written, [`Error::Worker`] where no
    /// thread can be started.
    pub fn start(self) -> Result<Writer, Error> {
        let Self {
            mut config,
            files,
            sinks,
            voice,
        } = self;
        config.files = Arc::new(files);
        check_writable(&config.dir)?;
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let shared = Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            config,
            registry: Registry::default(),
            account: Account::new(voice),
            finished: AtomicBool::new(false),
            new_rings: Mutex::default(),
            control: Mutex::default(),
            answered: Condvar::new(),
            thread: OnceLock::new(),
        });
        let worker = Worker::new(shared.clone(), sinks);
        let handle = std::thread::Builder::new()
            .name("modelpulse-log".to_owned())
            .spawn(move || worker.run())
            .map_err(Error::Worker)?;
        // Nobody else has the cell yet.
        let _ = shared.thread.set(handle.thread().clone());
        Ok(Writer {
            inner: Arc::new(Inner {
                shared,
                handle: Mutex::new(Some(handle)),
            }),
        })
    }
}

/// A directory can be made or exist and yet refuse files: better said now than at the first value.
fn check_writable(dir: &Path) -> Result<(), Error> {
    let probe = || {
        fs::create_dir_all(dir)?;
        let probe = dir.join(format!(".modelpulse-{}", std::process::id()));
        fs::File::create(&probe)?;
        fs::remove_file(probe)
    };
    probe().map_err(|source| Error::Create {
        path: dir.to_owned(),
        source,
    })
}

impl Writer {
    /// A writer with the default settings.
    ///
    /// # Errors
    /// As [`WriterBuilder::start`].
    pub fn create(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(dir).start()
    }

    /// The settings of a writer of the log directory `dir`.
    pub fn builder(dir: impl AsRef<Path>) -> WriterBuilder {
        let config = Config {
            dir: dir.as_ref().to_owned(),
            files: Arc::default(),
            flush_interval: Duration::from_secs(1),
            sync: true,
            overflow: Overflow::default(),
            buffer_bytes: 4 << 20,
            max_series: 100_000,
        };
        WriterBuilder {
            config,
            files: Files::default(),
            sinks: Tee::default(),
            voice: Voice::default(),
        }
    }

    /// The log directory.
    pub fn dir(&self) -> &Path {
        &self.inner.shared.config.dir
    }

    /// A run: a directory below the log directory, or `.` for the log directory itself.
    ///
    /// A name that is no relative path, or contains `tfevents`, is refused: what is logged there is
    /// counted as dropped.
    pub fn run(&self, name: impl AsRef<str>) -> RunWriter {
        let shared = &self.inner.shared;
        let id = shared.registry.run(name.as_ref());
        let id = id.map_err(|error| shared.account.fail(error, 0)).ok();
        RunWriter {
            inner: self.inner.clone(),
            id,
        }
    }

    /// Returns when all that this thread logged before is handed to the operating system, or was
    /// refused by it. From a sink, which the thread that writes calls, it returns at once.
    pub fn flush(&self) {
        self.inner.shared.flush(false);
    }

    /// As [`flush`](Self::flush), and the disk has it.
    pub fn sync(&self) {
        self.inner.shared.flush(true);
    }

    /// What was written so far.
    pub fn report(&self) -> Report {
        self.inner.shared.account.report()
    }

    /// Writes all that was logged, waits until the disk has it, and ends the writer; what is logged
    /// later, through other handles, is counted as dropped.
    ///
    /// # Errors
    /// [`Failed`] with the first failure since the start, if there was one.
    pub fn finish(self) -> Result<Report, Failed> {
        self.inner.stop();
        let account = &self.inner.shared.account;
        let report = account.report();
        account
            .take_first()
            .map_or(Ok(report), |first| Err(Failed { first, report }))
    }

    /// A handle that does not keep the writer alive.
    #[cfg(feature = "signals")]
    pub(super) fn downgrade(&self) -> WeakWriter {
        WeakWriter(Arc::downgrade(&self.inner))
    }

    /// A source of instants with a ring of its own, so that their order is that of the calls.
    pub(crate) fn sequencer(&self) -> Sequencer {
        Sequencer {
            producer: self.inner.shared.producer(),
            inner: self.inner.clone(),
            last: f64::MIN,
        }
    }
}

/// A handle that does not keep the writer alive.
#[cfg(feature = "signals")]
pub(super) struct WeakWriter(std::sync::Weak<Inner>);

#[cfg(feature = "signals")]
impl WeakWriter {
    pub(super) fn upgrade(&self) -> Option<Writer> {
        self.0.upgrade().map(|inner| Writer { inner })
    }
}

/// Logs to one run.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::Writer, summary::Histogram};
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("train");
/// run.scalar("loss", 0, 0.7);
/// run.log("weights", 0, Histogram::of(&[0.1, 0.2]));
/// assert_eq!(writer.finish()?.written, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RunWriter {
    inner: Arc<Inner>,
    id: Option<u32>,
}

impl RunWriter {
    /// The series `tag`: look it up once, log to it often.
    pub fn series(&self, tag: impl AsRef<str>) -> Series {
        let shared = &self.inner.shared;
        let id = self.id.and_then(|run| {
            let id = shared
                .registry
                .series(run, tag.as_ref(), shared.config.max_series);
            id.map_err(|error| shared.account.fail(error, 0)).ok()
        });
        Series {
            inner: self.inner.clone(),
            id,
            run: self.id,
        }
    }

    /// The run goes on from `step`: what an earlier session logged there or later is void. Say it
    /// before the first value; [`last_steps`](super::last_steps) tells where a log stopped.
    pub fn resume_at(&self, step: impl Into<Step>) {
        if let Some(run) = self.id {
            let step = step.into();
            let resume = Item::Resume { run, step };
            self.inner
                .with_producer(0, |producer, shared| producer.item(resume, shared));
        }
    }

    /// Logs a number, stored at single precision.
    pub fn scalar(&self, tag: impl AsRef<str>, step: impl Into<Step>, value: f64) {
        self.series(tag).scalar(step, value);
    }

    /// Logs a histogram of `values`, and next to it, where there are such values, how many are NaN or
    /// infinite: `tag/nan`, `tag/+inf`, `tag/-inf`.
    pub fn histogram<T: Sample>(&self, tag: impl AsRef<str>, step: impl Into<Step>, values: &[T]) {
        let (step, histogram) = (step.into(), Histogram::of(values));
        for (kind, count) in histogram.nonfinite_counts() {
            self.scalar(format!("{}/{kind}", tag.as_ref()), step, count as f64);
        }
        self.log(tag, step, histogram);
    }

    /// Logs a value of any kind.
    pub fn log(&self, tag: impl AsRef<str>, step: impl Into<Step>, value: impl Into<Value>) {
        self.series(tag).log(step, value);
    }

    /// Logs a value of any kind as of `wall_time`, in seconds since the Unix epoch. One that is not
    /// finite is refused: it would end the file for a reader.
    pub fn log_at(
        &self,
        tag: impl AsRef<str>,
        step: impl Into<Step>,
        wall_time: f64,
        value: impl Into<Value>,
    ) {
        self.inner.value(
            self.series(tag).id,
            step.into(),
            Some(wall_time),
            value.into(),
        );
    }

    /// Gathers the scalars of one step; they are logged as one event when the guard is dropped.
    pub fn step(&self, step: impl Into<Step>) -> StepGuard<'_> {
        let values = SCRATCH.try_with(Cell::take).unwrap_or_default();
        StepGuard {
            run: self,
            step: step.into(),
            stamp: Stamp::now(),
            values,
        }
    }
}

/// The scalars of one step; see [`RunWriter::step`].
#[derive(Debug)]
pub struct StepGuard<'a> {
    run: &'a RunWriter,
    step: Step,
    stamp: Stamp,
    values: Vec<(u32, f32)>,
}

impl StepGuard<'_> {
    /// Adds a number, stored at single precision. A series of another run gets an event of its own.
    #[inline]
    pub fn scalar(&mut self, series: &Series, value: f64) -> &mut Self {
        let here = series.run == self.run.id && Arc::ptr_eq(&series.inner, &self.run.inner);
        match series.id {
            Some(id) if here => self.values.push((id, value as f32)),
            _ => series.scalar(self.step, value),
        }
        self
    }
}

impl Drop for StepGuard<'_> {
    fn drop(&mut self) {
        let Self {
            run,
            step,
            stamp,
            values,
        } = self;
        for values in values.chunks(MAX_STEP) {
            run.inner
                .with_producer(values.len() as u64, |producer, shared| {
                    producer.step(*stamp, step.as_i64(), values, shared)
                });
        }
        values.clear();
        let _ = SCRATCH.try_with(|scratch| scratch.set(std::mem::take(values)));
    }
}

thread_local! {
    /// This thread's end of the ring of each writer that it logs to.
    static PRODUCERS: RefCell<Vec<(u64, Producer)>> = const { RefCell::new(Vec::new()) };
    /// A step guard's list, kept so that a step allocates nothing.
    static SCRATCH: Cell<Vec<(u32, f32)>> = const { Cell::new(Vec::new()) };
}

/// Logs instants in the order of the calls, whose wall times strictly increase.
#[derive(Debug)]
pub(crate) struct Sequencer {
    inner: Arc<Inner>,
    producer: Producer,
    last: f64,
}

impl Sequencer {
    /// Logs `entries` as of now; with `flush`, has them written soon, and only then shown to the sinks.
    pub(crate) fn instant(&mut self, entries: Vec<(u32, Step, Payload)>, flush: bool) {
        self.last = WallTime::now().after(self.last).as_secs_f64();
        let count = entries.len() as u64;
        self.put(
            count,
            Item::Instant {
                wall_time: self.last,
                entries,
                flush,
            },
        );
        if flush {
            self.inner.shared.wake();
        }
    }

    /// The run goes on from `step`.
    pub(crate) fn resume(&mut self, run: u32, step: Step) {
        self.put(0, Item::Resume { run, step });
    }

    /// Has all before written soon, without waiting for it.
    pub(crate) fn flush_soon(&mut self) {
        self.put(0, Item::Flush);
        self.inner.shared.wake();
    }

    fn put(&mut self, values: u64, item: Item) {
        let shared = &self.inner.shared;
        if shared.finished.load(Ordering::Relaxed) {
            shared.account.fail(Error::Finished, values);
        } else if let Err(Full) = self.producer.item(item, &**shared) {
            shared.account.fail(Error::Overflow, values);
        } else if shared.finished.load(Ordering::Relaxed) {
            shared.settle(&mut self.producer);
        }
    }
}

impl RunWriter {
    pub(crate) fn id(&self) -> Option<u32> {
        self.id
    }
}

impl Series {
    pub(crate) fn id(&self) -> Option<u32> {
        self.id
    }
}

/// What all handles share; its end is the writer's end.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    #[inline]
    pub(super) fn scalar(&self, series: Option<u32>, step: Step, value: f32) {
        let stamp = Stamp::now();
        self.with_producer(1, |producer, shared| match series {
            Some(series) => producer.scalar(series, stamp, step.as_i64(), value, shared),
            None => Err(Full),
        });
    }

    pub(super) fn value(
        &self,
        series: Option<u32>,
        step: Step,
        wall_time: Option<f64>,
        value: Value,
    ) {
        let account = &self.shared.account;
        let Some(series) = series else {
            return account.fail(Error::Overflow, 1);
        };
        let Some(wall_time) = wall_time.map_or_else(|| Some(WallTime::now()), WallTime::new) else {
            return account.fail(
                Error::WallTime {
                    path: self.shared.registry.path(series),
                },
                1,
            );
        };
        let entries = vec![(series, step, Payload::Value(value))];
        let item = Item::Instant {
            wall_time: wall_time.as_secs_f64(),
            entries,
            flush: false,
        };
        self.with_producer(1, |producer, shared| producer.item(item, shared));
    }

    #[inline]
    fn with_producer(
        &self,
        values: u64,
        put: impl FnOnce(&mut Producer, &Shared) -> Result<(), Full>,
    ) {
        let shared = &*self.shared;
        if shared.finished.load(Ordering::Relaxed) {
            return shared.account.fail(Error::Finished, values);
        }
        let put = |producers: &RefCell<Vec<(u64, Producer)>>| {
            // Taken where logging a value makes somebody log: that value is the one too many.
            let mut producers = producers.try_borrow_mut().map_err(|_| Full)?;
            let producer = match producers.first_mut() {
                Some((id, producer)) if *id == shared.id => producer,
                _ => shared.find_producer(&mut producers),
            };
            put(producer, shared)?;
            if shared.finished.load(Ordering::Relaxed) {
                shared.settle(producer);
            }
            Ok(())
        };
        // A thread that is ending, and logs while its own data are dropped, has no buffer any more.
        if let Err(Full) = PRODUCERS.try_with(put).unwrap_or(Err(Full)) {
            shared.account.fail(Error::Overflow, values);
        }
    }

    fn stop(&self) {
        self.shared.stop();
        let handle = self
            .handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // The last handle may be dropped by the thread that writes, which ends by itself.
        if let Some(handle) = handle
            && !self.shared.is_writing()
            && handle.join().is_err()
        {
            self.shared
                .account
                .fail(Error::Worker(std::io::Error::other("it panicked")), 0);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the handles and the writing thread share.
#[derive(Debug)]
pub(super) struct Shared {
    id: u64,
    pub(super) config: Config,
    pub(super) registry: Registry,
    pub(super) account: Account,
    finished: AtomicBool,
    new_rings: Mutex<Vec<Arc<Ring>>>,
    control: Mutex<Control>,
    answered: Condvar,
    thread: OnceLock<Thread>,
}

/// Requests to the writing thread are numbered; an answer covers all up to its number.
#[derive(Debug, Default)]
struct Control {
    asked: u64,
    taken: u64,
    answered: u64,
    sync: bool,
    stop: bool,
    gone: bool,
}

impl Shared {
    fn rings(&self) -> MutexGuard<'_, Vec<Arc<Ring>>> {
        self.new_rings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// For the writing thread: the rings that were made since it last asked.
    pub(super) fn new_rings(&self) -> Vec<Arc<Ring>> {
        std::mem::take(&mut *self.rings())
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn producer(&self) -> Producer {
        let producer = Producer::new(self.config.buffer_bytes);
        self.rings().push(producer.ring().clone());
        producer
    }

    /// Moves this writer's producer to the front, making it if this thread has none.
    #[cold]
    fn find_producer<'a>(&self, producers: &'a mut Vec<(u64, Producer)>) -> &'a mut Producer {
        // Those whose writer is gone are held by nobody else.
        producers.retain(|(_, producer)| Arc::strong_count(producer.ring()) > 1);
        match producers.iter().position(|(id, _)| *id == self.id) {
            Some(index) => producers.swap(0, index),
            None => producers.insert(0, (self.id, self.producer())),
        }
        &mut producers[0].1
    }

    /// Whether this is the thread that writes, which must not wait for itself.
    fn is_writing(&self) -> bool {
        let writing = self.thread.get().map(Thread::id);
        writing == Some(std::thread::current().id())
    }

    /// Counts what a producer put while the writer ended and nobody will take.
    #[cold]
    fn settle(&self, producer: &mut Producer) {
        if self.is_writing() {
            return;
        }
        drop(
            self.answered
                .wait_while(self.control(), |control| !control.gone),
        );
        let left = producer.take_back();
        if left > 0 {
            self.account.fail(Error::Finished, left);
        }
    }

    fn flush(&self, sync: bool) {
        if self.is_writing() {
            return;
        }
        let mut control = self.control();
        control.asked += 1;
        control.sync |= sync;
        let number = control.asked;
        drop(control);
        self.wake();
        let waiting = |control: &mut Control| control.answered < number && !control.gone;
        drop(self.answered.wait_while(self.control(), waiting));
    }

    fn stop(&self) {
        self.finished.store(true, Ordering::Relaxed);
        self.control().stop = true;
        self.wake();
    }

    /// For the writing thread: whether a flush is asked for, on the disk, and whether to stop.
    pub(super) fn requests(&self) -> (bool, bool, bool) {
        let mut control = self.control();
        control.taken = control.asked;
        (
            control.taken > control.answered,
            std::mem::take(&mut control.sync),
            control.stop,
        )
    }

    pub(super) fn has_requests(&self) -> bool {
        let control = self.control();
        control.asked > control.taken || control.stop
    }

    pub(super) fn answer(&self) {
        let mut control = self.control();
        control.answered = control.taken;
        self.answered.notify_all();
    }

    pub(super) fn gone(&self) {
        self.finished.store(true, Ordering::Relaxed);
        self.control().gone = true;
        self.answered.notify_all();
        self.rings().clear();
    }
}

impl Consumer for Shared {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn wait(&self, since: Instant) -> bool {
        let bound = match self.config.overflow {
            Overflow::Drop => return false,
            Overflow::Wait => Duration::MAX,
            Overflow::WaitAtMost(bound) => bound,
        };
        let waited = since.elapsed();
        if waited >= bound || self.finished.load(Ordering::Relaxed) {
            return false;
        }
        std::thread::sleep(Duration::from_micros(50).min(bound - waited));
        true
    }
}
