//! DDM: the error rate against the best that it has been.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Drift Detection Method: alarms when the error rate has risen `drift_threshold` standard deviations above its
/// minimum (J. Gama et al., "Learning with drift detection", 2004, doi 10.1007/978-3-540-28645-5_29).
///
/// False alarms in 10,000 values: 0.94, 0.32 and 0.19 on errors at 10, 30 and 50 %.
///
/// ```
/// use modelpulse::drift::concept::{Ddm, Detector, Signal};
///
/// let mut detector = Ddm::default();
/// let errors = (0..400).map(|i| f64::from(u8::from(i % 10 == 0 || i >= 300)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// assert_eq!(signals.iter().position(|&signal| signal == Signal::Drift), Some(311));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ddm {
    warm_start: u64,
    warning_threshold: f64,
    drift_threshold: f64,
    rate: Mean,
    lowest: Lowest,
    signal: Signal,
}

/// The rate and its deviation where their sum was least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lowest {
    pub(super) rate: f64,
    pub(super) deviation: f64,
}

impl Lowest {
    pub(super) const NONE: Self = Self {
        rate: f64::INFINITY,
        deviation: f64::INFINITY,
    };

    pub(super) fn exceeded(&self, sum: f64, deviations: f64) -> bool {
        sum > self.rate + deviations * self.deviation
    }

    pub(super) fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.floats([&mut self.rate, &mut self.deviation]);
    }
}

impl Default for Ddm {
    /// Watches from the 31st value on; warns at 2 and alarms at 3 standard deviations.
    fn default() -> Self {
        Self {
            warm_start: 30,
            warning_threshold: 2.0,
            drift_threshold: 3.0,
            rate: Mean::default(),
            lowest: Lowest::NONE,
            signal: Signal::Stable,
        }
    }
}

impl Ddm {
    /// Says nothing about the first `values`.
    #[must_use]
    pub fn warm_start(mut self, values: u64) -> Self {
        self.warm_start = values;
        self
    }

    /// How many standard deviations above the minimum it warns and alarms.
    #[must_use]
    pub fn thresholds(mut self, warning: f64, drift: f64) -> Self {
        (self.warning_threshold, self.drift_threshold) = (warning, drift);
        self
    }
}

impl Watch for Ddm {
    const NAME: &'static str = "ddm";
    const TAKES: Takes = Takes::Unit;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.rate.take(value);
        let Mean { n, mean: rate } = self.rate;
        if n <= self.warm_start as f64 {
            return self.signal;
        }
        let deviation = (rate * (1.0 - rate) / n).max(0.0).sqrt();
        let sum = rate + deviation;
        if sum <= self.lowest.rate + self.lowest.deviation {
            self.lowest = Lowest { rate, deviation };
        }
        if self.lowest.exceeded(sum, self.drift_threshold) {
            Signal::Drift
        } else if self.lowest.exceeded(sum, self.warning_threshold) {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.rate = Mean::default();
        self.lowest = Lowest::NONE;
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.warm_start);
        archive.floats([&mut self.warning_threshold, &mut self.drift_threshold]);
        self.rate.fields(archive);
        self.lowest.fields(archive);
    }
}
