//! Instants in the order of the calls.
//!
//! Their wall times strictly increase, whatever the clock does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Error;
use super::ring::{Consumer, Full, Producer};
use super::shared::Inner;
use super::worker::{Item, Payload};
use crate::types::{Step, WallTime};

/// Logs instants in the order of the calls, whose wall times strictly increase.
#[derive(Debug)]
pub(crate) struct Sequencer {
    inner: Arc<Inner>,
    producer: Producer,
}

impl Sequencer {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self {
            producer: inner.shared.producer(),
            inner,
        }
    }

    /// Logs `entries` as of now; with `flush`, has them written soon, and only then shown to the sinks.
    pub(crate) fn instant(&mut self, entries: Vec<(u32, Step, Payload)>, flush: bool) {
        let inner = self.inner.clone();
        // Held until it is in the ring, so that no heartbeat comes between.
        let mut last = inner.shared.last_instant();
        *last = WallTime::now().after(*last).as_secs_f64();
        let (count, wall_time) = (entries.len() as u64, *last);
        self.put(
            count,
            Item::Instant {
                wall_time,
                entries,
                flush,
            },
        );
        drop(last);
        if flush {
            inner.shared.wake();
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
        if shared.config.discard {
            return;
        }
        if shared.finished.load(Ordering::Relaxed) {
            shared.account.fail(Error::Finished, values);
        } else if let Err(Full) = self.producer.item(item, &**shared) {
            shared.account.fail(Error::Overflow, values);
        } else if shared.finished.load(Ordering::Relaxed) {
            shared.settle(&mut self.producer);
        }
    }
}
