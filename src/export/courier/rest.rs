//! How long to rest behind a failure.
//!
//! Each rest is up to twice as long as the one before, and a random part of it: many senders that failed together do
//! not come back together. A receiver that says when it wants to be asked again is asked no sooner.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use chrono::DateTime;

/// The rest behind a failure, at first and at most.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A receiver that asks for more has probably lost its clock.
const MOST_ASKED: Duration = Duration::from_secs(60 * 60);

/// The rests of one sender.
#[derive(Debug)]
pub(super) struct Rests {
    next: Duration,
    /// Of a xorshift; never 0.
    random: u64,
}

impl Rests {
    pub(super) fn new() -> Self {
        Self::seeded(RandomState::new().build_hasher().finish())
    }

    fn seeded(seed: u64) -> Self {
        Self {
            next: REST.0,
            random: seed | 1,
        }
    }

    /// Between half of the rest and all of it.
    pub(super) fn next(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let part = self.random as f64 / u64::MAX as f64;
        let rest = self.next.mul_f64(0.5 + part / 2.0);
        self.next = (self.next * 2).min(REST.1);
        rest
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        self.next = REST.0;
    }
}

/// What a header `Retry-After` asks for (RFC 9110, section 10.2.3): seconds, or a date.
pub(super) fn asked(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    let asked = match header.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(header).ok()?;
            let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let date = Duration::from_secs(u64::try_from(date.timestamp()).ok()?);
            date.saturating_sub(now)
        }
    };
    Some(asked.min(MOST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_bound_and_differ() {
        let lengths = |seed| {
            let mut rests = Rests::seeded(seed);
            let lengths: Vec<Duration> = (0..10).map(|_| rests.next()).collect();
            rests.reset();
            assert!(rests.next() <= REST.0);
            lengths
        };
        let (one, other) = (lengths(1), lengths(2));
        assert_ne!(one, other);
        for (number, rest) in one.iter().chain(&other).enumerate() {
            let whole = (REST.0 * (1 << (number % 10))).min(REST.1);
            assert!(*rest >= whole / 2 && *rest <= whole, "{number}: {rest:?}");
        }
    }

    #[test]
    fn a_receiver_asks_for_seconds_or_until_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (header, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            // Long ago.
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999", Some(3600)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                asked(header, now),
                seconds.map(Duration::from_secs),
                "{header}"
            );
        }
    }
}
