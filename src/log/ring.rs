//! The buffer between one logging thread and the thread that writes.
//!
//! One producer, one consumer, no lock and no allocation on the path of a scalar: a bounded ring of
//! 64-bit words in which messages lie one behind the other. A message becomes visible whole.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::stamp::Stamp;
use super::worker::Item;

/// Words in a ring: 256 KiB, or 10,922 scalars.
pub(super) const WORDS: usize = 1 << 15;
/// The most scalars that one step message holds; a longer step becomes several events.
pub(super) const MAX_STEP: usize = 1024;

/// What the consumer finds in the ring.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// One scalar.
    Scalar {
        series: u32,
        stamp: Stamp,
        step: i64,
        value: f32,
    },
    /// The scalars of one step of one run: series and value.
    Step {
        stamp: Stamp,
        step: i64,
        values: &'a [(u32, f32)],
    },
    /// Anything else.
    Item(Item),
}

#[derive(Debug)]
pub(super) struct Ring {
    words: Box<[AtomicU64; WORDS]>,
    /// Words ever written; the producer's.
    head: Padded<AtomicU64>,
    /// Words ever read; the consumer's.
    tail: Padded<AtomicU64>,
    /// What does not fit into words, in the order of the messages that stand for it.
    items: Mutex<VecDeque<Item>>,
    item_bytes: AtomicUsize,
    /// The producer is gone: nothing more comes.
    closed: AtomicBool,
}

/// Keeps what one thread writes off the cache lines that the other reads.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

impl Ring {
    pub(super) fn new() -> Arc<Self> {
        let words: Box<[AtomicU64]> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
        let Ok(words) = words.try_into() else {
            unreachable!("collected from 0..WORDS")
        };
        Arc::new(Self {
            words,
            head: Padded::default(),
            tail: Padded::default(),
            items: Mutex::default(),
            item_bytes: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        })
    }

    #[inline]
    fn word(&self, index: u64) -> &AtomicU64 {
        &self.words[index as usize & (WORDS - 1)]
    }

    /// Whether all that came was read.
    pub(super) fn is_empty(&self) -> bool {
        self.head.0.load(Ordering::Acquire) == self.tail.0.load(Ordering::Relaxed)
    }

    /// Whether nothing more will come: the producer is gone and all was read.
    pub(super) fn is_over(&self) -> bool {
        self.closed.load(Ordering::Acquire) && self.is_empty()
    }

    /// Hands the consumer all messages that were visible when the call began. `scratch` is reused.
    pub(super) fn drain(&self, scratch: &mut Vec<(u32, f32)>, mut take: impl FnMut(Message<'_>)) {
        let head = self.head.0.load(Ordering::Acquire);
        let mut tail = self.tail.0.load(Ordering::Relaxed);
        let word = |index: u64| self.word(index).load(Ordering::Relaxed);
        let mut released = tail;
        while tail < head {
            let first = word(tail);
            // Kind, series or number of values, value.
            let (kind, count) = (first >> 56, (first >> 32) & u64::from(MAX_SERIES));
            match kind {
                SCALAR => {
                    let (stamp, step) = (Stamp::from_bits(word(tail + 1)), word(tail + 2) as i64);
                    take(Message::Scalar {
                        series: count as u32,
                        stamp,
                        step,
                        value: f32::from_bits(first as u32),
                    });
                    tail += SCALAR_WORDS;
                }
                STEP => {
                    let (stamp, step) = (Stamp::from_bits(word(tail + 1)), word(tail + 2) as i64);
                    scratch.clear();
                    scratch.extend((0..count).map(|index| {
                        let pair = word(tail + 3 + index);
                        (pair as u32, f32::from_bits((pair >> 32) as u32))
                    }));
                    take(Message::Step {
                        stamp,
                        step,
                        values: scratch,
                    });
                    tail += 3 + count;
                }
                _ => {
                    let item = self
                        .items
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    if let Some(item) = item {
                        let size = item.size();
                        take(Message::Item(item));
                        // Counted as free only now, so that what is being written is bounded too.
                        self.item_bytes.fetch_sub(size, Ordering::Relaxed);
                    }
                    tail += 1;
                }
            }
            // Often enough that a waiting producer goes on, seldom enough not to share the line all the time.
            if tail - released >= WORDS as u64 / 16 || kind == ITEM {
                self.tail.0.store(tail, Ordering::Release);
                released = tail;
            }
        }
        self.tail.0.store(tail, Ordering::Release);
    }
}

/// The largest number of a series that a scalar's message has room for.
pub(super) const MAX_SERIES: u32 = (1 << 24) - 1;
const SCALAR_WORDS: u64 = 3;

const SCALAR: u64 = 1;
const STEP: u64 = 2;
const ITEM: u64 = 3;

/// The writing end of a ring.
#[derive(Debug)]
pub(super) struct Producer {
    ring: Arc<Ring>,
    head: u64,
    /// The consumer's position when it was last looked at.
    tail: u64,
    /// Where the consumer stood when a wait for it was given up: until it moves, nobody waits again.
    gave_up_at: Option<u64>,
    max_item_bytes: usize,
}

/// There was no room; the message was not taken.
#[derive(Debug)]
pub(super) struct Full;

/// How a producer reaches the consumer, and how long it may wait for it.
pub(super) trait Consumer {
    /// Wakes the consumer.
    fn wake(&self);
    /// Called again and again while there is no room: waits a little, or says that it was long enough.
    fn wait(&self, since: std::time::Instant) -> bool;
}

impl Producer {
    pub(super) fn new(max_item_bytes: usize) -> Self {
        Self {
            ring: Ring::new(),
            head: 0,
            tail: 0,
            gave_up_at: None,
            max_item_bytes,
        }
    }

    pub(super) fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Puts one scalar.
    #[inline]
    pub(super) fn scalar(
        &mut self,
        series: u32,
        stamp: Stamp,
        step: i64,
        value: f32,
        to: &impl Consumer,
    ) -> Result<(), Full> {
        self.reserve(SCALAR_WORDS, to)?;
        let first = SCALAR << 56 | u64::from(series) << 32 | u64::from(value.to_bits());
        self.put(0, first);
        self.put(1, stamp.to_bits());
        self.put(2, step as u64);
        self.publish(SCALAR_WORDS, to);
        Ok(())
    }

    /// Puts the scalars of one step, at most [`MAX_STEP`].
    pub(super) fn step(
        &mut self,
        stamp: Stamp,
        step: i64,
        values: &[(u32, f32)],
        to: &impl Consumer,
    ) -> Result<(), Full> {
        let words = 3 + values.len() as u64;
        self.reserve(words, to)?;
        self.put(0, STEP << 56 | (values.len() as u64) << 32);
        self.put(1, stamp.to_bits());
        self.put(2, step as u64);
        for (index, (series, value)) in values.iter().enumerate() {
            self.put(
                3 + index as u64,
                u64::from(value.to_bits()) << 32 | u64::from(*series),
            );
        }
        self.publish(words, to);
        Ok(())
    }

    /// Puts anything else. An item larger than the bound is taken when nothing else waits.
    pub(super) fn item(&mut self, item: Item, to: &impl Consumer) -> Result<(), Full> {
        let size = item.size();
        let (ring, bound) = (self.ring.clone(), self.max_item_bytes);
        let fits = || {
            let held = ring.item_bytes.load(Ordering::Relaxed);
            held == 0 || held + size <= bound
        };
        if !fits() {
            self.wait_until(to, fits)?;
        }
        self.reserve(1, to)?;
        self.ring.item_bytes.fetch_add(size, Ordering::Relaxed);
        self.ring
            .items
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(item);
        self.put(0, ITEM << 56);
        self.publish(1, to);
        Ok(())
    }

    /// Takes back what nobody takes any more, and returns how many values it was.
    pub(super) fn take_back(&mut self) -> u64 {
        let mut values = 0;
        self.ring.drain(&mut Vec::new(), |message| {
            values += match message {
                Message::Scalar { .. } => 1,
                Message::Step { values, .. } => values.len() as u64,
                Message::Item(item) => item.values(),
            }
        });
        values
    }

    #[inline]
    fn put(&self, index: u64, word: u64) {
        self.ring
            .word(self.head + index)
            .store(word, Ordering::Relaxed);
    }

    #[inline]
    fn publish(&mut self, words: u64, to: &impl Consumer) {
        let before = self.head;
        self.head += words;
        self.ring.head.0.store(self.head, Ordering::Release);
        // The consumer looks by itself once in a flush interval; a ring that fills faster wakes it.
        const QUARTER: u64 = WORDS as u64 / 4;
        if before / QUARTER != self.head / QUARTER {
            to.wake();
        }
    }

    #[inline]
    fn reserve(&mut self, words: u64, to: &impl Consumer) -> Result<(), Full> {
        if self.head + words - self.tail <= WORDS as u64 {
            return Ok(());
        }
        self.refresh(words, to)
    }

    #[cold]
    fn refresh(&mut self, words: u64, to: &impl Consumer) -> Result<(), Full> {
        let ring = self.ring.clone();
        let head = self.head;
        let used = move || head - ring.tail.0.load(Ordering::Acquire);
        if used() + words > WORDS as u64 {
            // Until half is free, so that a loop that outruns the disk waits seldom and not at each call.
            let target = (WORDS as u64 / 2).min(WORDS as u64 - words);
            let waited = self.wait_until(to, || used() <= target);
            if waited.is_err() && used() + words > WORDS as u64 {
                return Err(Full);
            }
        }
        self.tail = self.ring.tail.0.load(Ordering::Acquire);
        Ok(())
    }

    fn wait_until(&mut self, to: &impl Consumer, done: impl Fn() -> bool) -> Result<(), Full> {
        let position = self.ring.tail.0.load(Ordering::Acquire);
        if self.gave_up_at == Some(position) {
            return Err(Full);
        }
        let since = std::time::Instant::now();
        to.wake();
        while !done() {
            if !to.wait(since) {
                self.gave_up_at = Some(self.ring.tail.0.load(Ordering::Acquire));
                return Err(Full);
            }
        }
        self.gave_up_at = None;
        Ok(())
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.ring.closed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    struct Patient;
    impl Consumer for Patient {
        fn wake(&self) {}
        fn wait(&self, _: Instant) -> bool {
            std::thread::yield_now();
            true
        }
    }

    struct Hasty;
    impl Consumer for Hasty {
        fn wake(&self) {}
        fn wait(&self, since: Instant) -> bool {
            since.elapsed() < Duration::from_millis(2)
        }
    }

    #[test]
    fn messages_arrive_whole_and_in_order_across_the_seam() {
        let mut producer = Producer::new(1 << 20);
        let ring = producer.ring().clone();
        let writer = std::thread::spawn(move || {
            for i in 0..100_000_u32 {
                let (id, step) = (i % 7, i64::from(i));
                if i % 3 == 0 {
                    let values: Vec<_> = (0..i % 50).map(|k| (k, i as f32)).collect();
                    producer
                        .step(Stamp::from_bits(5), step, &values, &Patient)
                        .unwrap();
                } else {
                    producer
                        .scalar(id, Stamp::from_bits(5), step, i as f32, &Patient)
                        .unwrap();
                }
            }
        });
        let mut next = 0_u32;
        let mut scratch = Vec::new();
        while !ring.is_over() {
            ring.drain(&mut scratch, |message| {
                match message {
                    Message::Scalar {
                        series,
                        stamp,
                        step,
                        value,
                    } => {
                        assert_eq!(
                            (series, stamp, step, value),
                            (next % 7, Stamp::from_bits(5), i64::from(next), next as f32)
                        );
                    }
                    Message::Step { step, values, .. } => {
                        assert_eq!((step, values.len() as u32), (i64::from(next), next % 50));
                        assert!(
                            values
                                .iter()
                                .zip(0..)
                                .all(|(&pair, k)| pair == (k, next as f32))
                        );
                    }
                    Message::Item(_) => panic!("none was put"),
                }
                next += 1;
            });
        }
        writer.join().unwrap();
        assert_eq!(next, 100_000);
    }

    #[test]
    fn a_producer_waits_once_for_a_consumer_that_stands_still() {
        let mut producer = Producer::new(1 << 20);
        let mut taken = 0;
        while producer
            .scalar(0, Stamp::from_bits(0), 0, 0.0, &Hasty)
            .is_ok()
        {
            taken += 1;
        }
        assert_eq!(taken, WORDS / 3);
        let start = Instant::now();
        for _ in 0..1000 {
            assert!(
                producer
                    .scalar(0, Stamp::from_bits(0), 0, 0.0, &Hasty)
                    .is_err()
            );
        }
        assert!(
            start.elapsed() < Duration::from_millis(1000),
            "each call waited again"
        );
        producer.ring().clone().drain(&mut Vec::new(), |_| ());
        assert!(
            producer
                .scalar(0, Stamp::from_bits(0), 0, 0.0, &Hasty)
                .is_ok()
        );
    }
}
