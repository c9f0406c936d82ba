//! The geometric moving average of deviations from the running mean.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Geometric moving average: alarms when the exponentially weighted mean of deviations from the running mean is above
/// `threshold` (S. W. Roberts, "Control chart tests based on geometric moving averages", 1959, doi 10.2307/1266443).
///
/// It raised no false alarm in 1 million values of any kind; nor does the default threshold let it find a rise from 10 to 30 %,
/// or of one standard deviation.
///
/// ```
/// use modelpulse::drift::concept::{Detector, MovingAverage, Signal};
///
/// let mut detector = MovingAverage::default().threshold(0.3);
/// let values = (0..400).map(|i| f64::from(i % 2) + if i < 300 { 0.0 } else { 1.0 });
/// let signals: Vec<Signal> = values.map(|value| detector.update(value)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (320..350).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MovingAverage {
    min_values: u64,
    alpha: f64,
    threshold: f64,
    mean: Mean,
    average: f64,
    signal: Signal,
}

impl Default for MovingAverage {
    /// Watches from the 30th value on; `alpha` 0.99, `threshold` 1.
    fn default() -> Self {
        Self {
            min_values: 30,
            alpha: 0.99,
            threshold: 1.0,
            mean: Mean::default(),
            average: 0.0,
            signal: Signal::Stable,
        }
    }
}

impl MovingAverage {
    /// Says nothing before so many values.
    #[must_use]
    pub fn min_values(mut self, values: u64) -> Self {
        self.min_values = values;
        self
    }

    /// The weight of what was before a new value, of 0..=1.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// The average above which it alarms.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

impl Watch for MovingAverage {
    const NAME: &'static str = "moving-average";
    const TAKES: Takes = Takes::Finite;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.mean.take_divided(value);
        let deviation = value - self.mean.mean;
        self.average = self.alpha * self.average + (1.0 - self.alpha) * deviation;
        if self.mean.n >= self.min_values as f64 && self.average > self.threshold {
            Signal::Drift
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.mean = Mean::default();
        self.average = 0.0;
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.min_values);
        archive.floats([&mut self.alpha, &mut self.threshold, &mut self.average]);
        self.mean.fields(archive);
    }
}
