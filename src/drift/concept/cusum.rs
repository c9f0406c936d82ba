//! CUSUM: the sum of rises above the running mean.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Cumulative sum: alarms when rises above the running mean add up to `threshold` (E. S. Page, "Continuous inspection
/// schemes", 1954, doi 10.1093/biomet/41.1-2.100).
///
/// False alarms in 10,000 values: 0.01, 0.23 and 0.38 on errors at 10, 30 and 50 %, 2.9 on standard normal numbers.
///
/// ```
/// use modelpulse::drift::concept::{Cusum, Detector, Signal};
///
/// let mut detector = Cusum::default().threshold(10.0);
/// let values = (0..400).map(|i| f64::from(i % 2) + if i < 300 { 0.0 } else { 1.0 });
/// let signals: Vec<Signal> = values.map(|value| detector.update(value)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..320).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cusum {
    min_values: u64,
    delta: f64,
    threshold: f64,
    mean: Mean,
    sum: f64,
    signal: Signal,
}

impl Default for Cusum {
    /// Watches from the 30th value on; `delta` 0.005, `threshold` 50.
    fn default() -> Self {
        Self {
            min_values: 30,
            delta: 0.005,
            threshold: 50.0,
            mean: Mean::default(),
            sum: 0.0,
            signal: Signal::Stable,
        }
    }
}

impl Cusum {
    /// Says nothing before so many values.
    #[must_use]
    pub fn min_values(mut self, values: u64) -> Self {
        self.min_values = values;
        self
    }

    /// The rise of a value that does not count.
    #[must_use]
    pub fn delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// The sum above which it alarms.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

impl Watch for Cusum {
    const NAME: &'static str = "cusum";
    const TAKES: Takes = Takes::Finite;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.mean.take_divided(value);
        self.sum = (self.sum + value - self.mean.mean - self.delta).max(0.0);
        if self.mean.n >= self.min_values as f64 && self.sum > self.threshold {
            Signal::Drift
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.mean = Mean::default();
        self.sum = 0.0;
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.min_values);
        archive.floats([&mut self.delta, &mut self.threshold, &mut self.sum]);
        self.mean.fields(archive);
    }
}
