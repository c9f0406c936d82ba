//! Pushes that a receiver did not take yet.
//!
//! They go out in the order in which they were made, and are kept within a bound of bytes: past it the oldest are
//! dropped, for the newest say how things are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use prost::bytes::Bytes;

use crate::export::courier::Outbox;

/// A request's body, and how many samples it holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) body: Bytes,
    pub(super) samples: u64,
}

#[derive(Debug)]
pub(super) struct Queue {
    letters: VecDeque<Letter>,
    /// What is on its way; it is not dropped, and sent again until the receiver has it.
    current: Option<Letter>,
    bytes: usize,
    samples: u64,
    limit: usize,
}

impl Queue {
    /// With room for so many bytes, the letter on its way apart.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            letters: VecDeque::new(),
            current: None,
            bytes: 0,
            samples: 0,
            limit,
        }
    }

    /// Puts a letter behind the others; says how many samples were dropped for it.
    pub(super) fn add(&mut self, letter: Letter) -> u64 {
        let mut dropped = 0;
        self.bytes += letter.body.len();
        self.samples += letter.samples;
        self.letters.push_back(letter);
        while self.bytes > self.limit
            && let Some(oldest) = self.take()
        {
            self.samples -= oldest.samples;
            dropped += oldest.samples;
        }
        dropped
    }

    fn take(&mut self) -> Option<Letter> {
        let oldest = self.letters.pop_front()?;
        self.bytes -= oldest.body.len();
        Some(oldest)
    }
}

impl Outbox for Queue {
    const THINGS: &'static str = "samples";
    const GATHER: Duration = Duration::ZERO;

    fn due(&self, now: Instant) -> Option<Instant> {
        (self.samples > 0).then_some(now)
    }

    fn waiting(&self) -> u64 {
        self.samples
    }

    fn letter(&mut self, _: Instant) -> Bytes {
        if self.current.is_none() {
            self.current = self.take();
        }
        let body = self.current.as_ref().map(|letter| letter.body.clone());
        body.unwrap_or_default()
    }

    fn settle(&mut self, _: Instant) -> u64 {
        let samples = self.current.take().map_or(0, |letter| letter.samples);
        self.samples -= samples;
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(body: &'static [u8]) -> Letter {
        let samples = 10;
        let body = Bytes::from_static(body);
        Letter { body, samples }
    }

    #[test]
    fn the_oldest_that_is_not_on_its_way_makes_room() {
        let now = Instant::now();
        let mut queue = Queue::new(6);
        assert_eq!(queue.due(now), None);
        for body in [b"aa", b"bb", b"cc"] {
            assert_eq!(queue.add(letter(body)), 0);
        }
        assert_eq!(queue.letter(now), "aa");
        assert_eq!(queue.add(letter(b"dd")), 0);
        assert_eq!(queue.add(letter(b"eee")), 20);
        assert_eq!(queue.letter(now), "aa");
        assert_eq!((queue.settle(now), queue.waiting()), (10, 20));
        assert_eq!(queue.letter(now), "dd");
        assert_eq!(queue.settle(now), 10);
        assert_eq!(queue.letter(now), "eee");
        assert_eq!(queue.settle(now), 10);
        assert_eq!((queue.due(now), queue.waiting(), queue.bytes), (None, 0, 0));
    }

    #[test]
    fn what_is_larger_than_all_room_is_dropped() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.add(letter(b"abc")), 10);
        assert_eq!((queue.waiting(), queue.bytes), (0, 0));
    }
}
