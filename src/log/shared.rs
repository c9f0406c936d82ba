//! What the handles of a writer share with each other, and with the thread that writes.
//!
//! Nobody waits for the thread that writes but by a bound, by a wish to flush, or at the end; that
//! thread never waits for itself.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use super::Error;
use super::account::{Account, Voice};
use super::builder::{Config, Overflow};
use super::charts::Charts;
use super::ring::{Consumer, Full, Producer, Ring};
use super::series::Registry;
use super::stamp::Stamp;
use super::worker::{Item, Payload, Worker};
use crate::flow::Tee;
use crate::summary::Value;
use crate::types::{Step, WallTime};

/// What all handles share; its end is the writer's end.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Inner {
    /// Starts the thread that writes.
    pub(super) fn start(config: Config, sinks: Tee, voice: Voice) -> Result<Arc<Self>, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let shared = Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            config,
            registry: Registry::default(),
            charts: Mutex::default(),
            account: Account::new(voice),
            finished: AtomicBool::new(false),
            new_rings: Mutex::default(),
            control: Mutex::default(),
            answered: Condvar::new(),
            thread: OnceLock::new(),
            last_instant: Mutex::new(f64::MIN),
        });
        let worker = Worker::new(shared.clone(), sinks);
        let handle = std::thread::Builder::new()
            .name("modelpulse-log".to_owned())
            .spawn(move || worker.run())
            .map_err(Error::Worker)?;
        // Nobody else has the cell yet.
        let _ = shared.thread.set(handle.thread().clone());
        let handle = Mutex::new(Some(handle));
        Ok(Arc::new(Self { shared, handle }))
    }

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
    pub(super) fn with_producer(
        &self,
        values: u64,
        put: impl FnOnce(&mut Producer, &Shared) -> Result<(), Full>,
    ) {
        let shared = &*self.shared;
        if shared.config.discard {
            return;
        }
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

    pub(super) fn stop(&self) {
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

thread_local! {
    /// This thread's end of the ring of each writer that it logs to.
    static PRODUCERS: RefCell<Vec<(u64, Producer)>> = const { RefCell::new(Vec::new()) };
}

/// What the handles and the writing thread share.
#[derive(Debug)]
pub(super) struct Shared {
    id: u64,
    pub(super) config: Config,
    pub(super) registry: Registry,
    pub(super) charts: Mutex<Charts>,
    pub(super) account: Account,
    pub(super) finished: AtomicBool,
    new_rings: Mutex<Vec<Arc<Ring>>>,
    control: Mutex<Control>,
    answered: Condvar,
    thread: OnceLock<Thread>,
    /// The wall time of the last instant in the order of the calls.
    last_instant: Mutex<f64>,
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

    pub(super) fn last_instant(&self) -> MutexGuard<'_, f64> {
        self.last_instant
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// For the writing thread, which must not wait for those who log: a wall time behind all instants,
    /// unless there is one that `is_quiet` does not see yet.
    pub(super) fn quiet_time(&self, is_quiet: impl FnOnce() -> bool) -> Option<f64> {
        let mut last = match self.last_instant.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        if !is_quiet() {
            return None;
        }
        *last = WallTime::now().after(*last).as_secs_f64();
        Some(*last)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn producer(&self) -> Producer {
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
    pub(super) fn settle(&self, producer: &mut Producer) {
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

    pub(super) fn flush(&self, sync: bool) {
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
