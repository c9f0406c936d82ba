//! The handles that a program updates: each update is a few atomic instructions, and allocates nothing.
//!
//! A handle is as good as the meter: clones update the same one, from any thread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A number that threads share.
#[derive(Debug, Default)]
pub(super) struct Number(AtomicU64);

impl Number {
    fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    pub(super) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    fn add(&self, amount: f64) {
        let sum = |bits| Some((f64::from_bits(bits) + amount).to_bits());
        // The closure never declines.
        let _ = self.0.fetch_update(Relaxed, Relaxed, sum);
    }

    /// Becomes `value` where that is more.
    fn raise(&self, value: f64) {
        if value > self.get() {
            let more = |bits| (value > f64::from_bits(bits)).then_some(value.to_bits());
            let _ = self.0.fetch_update(Relaxed, Relaxed, more);
        }
    }
}

/// Counts what happens; only ever goes up.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let served = registry.meter("predictions").tag("model", "iris").counter();
/// served.increment();
/// served.add(31.0);
/// assert_eq!(served.value(), 32.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Counter(pub(super) Arc<Number>);

impl Counter {
    /// One more.
    #[inline]
    pub fn increment(&self) {
        self.0.add(1.0);
    }

    /// So many more. What is negative or NaN is not added: a counter goes up.
    #[inline]
    pub fn add(&self, amount: f64) {
        if amount > 0.0 {
            self.0.add(amount);
        }
    }

    /// How many there were.
    pub fn value(&self) -> f64 {
        self.0.get()
    }
}

/// A number that goes up and down. NaN and infinities are shown as they are.
///
/// The registry keeps the gauge, and the gauge its value: it does not vanish with what it measured.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let accuracy = registry.gauge("model.accuracy", "Accuracy of the model");
/// accuracy.set(0.9375);
/// assert_eq!(registry.gauge("model.accuracy", "").value(), 0.9375);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gauge(pub(super) Arc<Number>);

impl Gauge {
    /// Shows `value` from now on.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Adds `amount`, which may be negative.
    #[inline]
    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    /// What it shows.
    pub fn value(&self) -> f64 {
        self.0.get()
    }
}

/// For so long a maximum is shown at least; Micrometer's default.
const MAX_KEPT: Duration = Duration::from_secs(60);

/// What was recorded, by its size. Without bounds there is one bucket, of everything.
#[derive(Debug)]
pub(super) struct Record {
    bounds: Box<[f64]>,
    /// One a bound, and one for what is above them all.
    counts: Box<[AtomicU64]>,
    sum: Number,
    nans: AtomicU64,
    max: Number,
    /// The maximum before, and until when it is shown; moved on by who reads, so that recording needs no clock.
    earlier: Mutex<(f64, Instant)>,
}

impl Record {
    /// `bounds` are sorted; what cannot be one, and what is there twice, is left out.
    pub(super) fn new(bounds: &[f64]) -> Self {
        let mut bounds: Vec<f64> = bounds.to_vec();
        bounds.retain(|bound| !bound.is_nan() && *bound < f64::INFINITY);
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        Self {
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            bounds: bounds.into(),
            sum: Number::new(0.0),
            nans: AtomicU64::new(0),
            max: Number::new(f64::NEG_INFINITY),
            earlier: Mutex::new((f64::NEG_INFINITY, Instant::now() + MAX_KEPT)),
        }
    }

    #[inline]
    fn record(&self, value: f64) {
        if value.is_nan() {
            self.nans.fetch_add(1, Relaxed);
            return;
        }
        let bucket = match self.bounds.len() {
            0 => 0,
            _ => self.bounds.partition_point(|bound| *bound < value),
        };
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.add(value);
        self.max.raise(value);
    }

    pub(super) fn read(&self) -> Recorded {
        let mut count = 0;
        let mut cumulative = self.counts.iter().map(|bucket| {
            count += bucket.load(Relaxed);
            count
        });
        let buckets: Vec<(f64, u64)> = self
            .bounds
            .iter()
            .copied()
            .zip(cumulative.by_ref())
            .collect();
        let count = cumulative.last().unwrap_or(0);
        Recorded {
            buckets,
            count,
            sum: self.sum.get(),
            nans: self.nans.load(Relaxed),
            max: self.recent_max(Instant::now()),
        }
    }

    fn recent_max(&self, now: Instant) -> f64 {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.max.get();
        let max = current.max(earlier.0);
        if now >= earlier.1 {
            *earlier = (current, now + MAX_KEPT);
            self.max.set(f64::NEG_INFINITY);
        }
        if max == f64::NEG_INFINITY { 0.0 } else { max }
    }
}

/// What a timer or a distribution recorded so far.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let scores = registry.meter("score").buckets([0.5, 0.9]).distribution();
/// [0.1, 0.5, 0.7, 2.0, f64::NAN].iter().for_each(|score| scores.record(*score));
/// let recorded = scores.recorded();
/// assert_eq!(recorded.buckets, [(0.5, 2), (0.9, 3)]);
/// assert_eq!((recorded.count, recorded.nans, recorded.max), (4, 1, 2.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// Upper bound, and how many values are not above it; the last bucket, of all values, is `count`.
    pub buckets: Vec<(f64, u64)>,
    /// How many values there were, without NaN.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// How many NaN there were; they are neither counted nor summed up with the others, which they would hide.
    pub nans: u64,
    /// The largest value of the last minute or two; 0 where there was none.
    pub max: f64,
}

/// Records how long something takes, in seconds.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let latency = registry.meter("predict").buckets([0.001, 0.01, 0.1]).timer();
/// let answer = latency.time(|| 42);
/// latency.record(std::time::Duration::from_millis(5));
/// assert_eq!((answer, latency.recorded().count), (42, 2));
/// ```
#[derive(Debug, Clone)]
pub struct Timer(pub(super) Arc<Record>);

impl Timer {
    /// Something took so long.
    #[inline]
    pub fn record(&self, time: Duration) {
        self.0.record(time.as_secs_f64());
    }

    /// Calls `call` and records how long it takes.
    pub fn time<T>(&self, call: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        let result = call();
        self.record(since.elapsed());
        result
    }

    /// What it recorded, in seconds.
    pub fn recorded(&self) -> Recorded {
        self.0.read()
    }
}

/// Records values by their size: scores, batch sizes, lengths. Micrometer's distribution summary.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let sizes = registry.meter("batch.size").distribution();
/// sizes.record(64.0);
/// sizes.record(32.0);
/// assert_eq!((sizes.recorded().count, sizes.recorded().sum), (2, 96.0));
/// ```
#[derive(Debug, Clone)]
pub struct Distribution(pub(super) Arc<Record>);

impl Distribution {
    /// One value more.
    #[inline]
    pub fn record(&self, value: f64) {
        self.0.record(value);
    }

    /// What it recorded.
    pub fn recorded(&self) -> Recorded {
        self.0.read()
    }
}

/// One of several states, such as UP and DOWN.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let state = registry.meter("model.state").states(["UP", "DEGRADED", "DOWN"]);
/// assert!(state.set("DEGRADED") && !state.set("SIDEWAYS"));
/// assert_eq!(state.get(), "DEGRADED");
/// ```
#[derive(Debug, Clone)]
pub struct States(pub(super) Arc<StateCell>);

#[derive(Debug)]
pub(super) struct StateCell {
    pub(super) names: Vec<String>,
    pub(super) current: AtomicUsize,
}

impl States {
    /// Is in the state of this name from now on; false where there is no such state, and nothing has changed.
    pub fn set(&self, name: &str) -> bool {
        let found = self.0.names.iter().position(|state| state == name);
        if let Some(at) = found {
            self.0.current.store(at, Relaxed);
        }
        found.is_some()
    }

    /// The state that it is in.
    pub fn get(&self) -> &str {
        let at = self.0.current.load(Relaxed);
        self.0.names.get(at).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maximum_is_forgotten_after_its_time() {
        let record = Record::new(&[]);
        let start = Instant::now();
        record.record(5.0);
        record.record(3.0);
        assert_eq!(record.recent_max(start), 5.0);
        let later = |minutes: u32| start + MAX_KEPT * minutes + Duration::from_secs(1);
        assert_eq!(record.recent_max(later(1)), 5.0);
        record.record(1.0);
        assert_eq!(record.recent_max(later(1)), 5.0);
        assert_eq!(record.recent_max(later(2)), 5.0);
        assert_eq!(record.recent_max(later(3)), 1.0);
        assert_eq!(record.recent_max(later(4)), 0.0);
    }

    #[test]
    fn what_threads_add_is_all_there() {
        let (counter, gauge) = (Counter::default(), Gauge::default());
        let record = Arc::new(Record::new(&[1.0]));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        counter.increment();
                        gauge.add(-0.5);
                        record.record(1.0);
                    }
                });
            }
        });
        counter.add(-1.0);
        counter.add(f64::NAN);
        assert_eq!((counter.value(), gauge.value()), (40_000.0, -20_000.0));
        let read = record.read();
        assert_eq!((read.count, read.sum), (40_000, 40_000.0));
        assert_eq!(read.buckets, [(1.0, 40_000)]);
    }

    #[test]
    fn bounds_are_put_in_order() {
        let record = Record::new(&[2.0, f64::NAN, 1.0, f64::INFINITY, 2.0]);
        for value in [0.5, 1.0, 1.5, f64::INFINITY] {
            record.record(value);
        }
        let read = record.read();
        assert_eq!(read.buckets, [(1.0, 2), (2.0, 3)]);
        assert_eq!((read.count, read.sum), (4, f64::INFINITY));
    }
}
