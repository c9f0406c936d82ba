//! EDDM: the distance between errors against the longest that it has been.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Early Drift Detection Method: alarms when errors come closer to each other than they did (M. Baena-García et al.,
/// "Early drift detection method", 2006).
///
/// It alarms again and again on streams that do not change, since it compares with a maximum that chance alone reaches;
/// so does every implementation of it. Where that matters take [`HddmA`](super::HddmA) or [`Ddm`](super::Ddm), or lower
/// the thresholds.
///
/// False alarms in 10,000 values: 17, 19 and 10 on errors at 10, 30 and 50 %.
///
/// ```
/// use modelpulse::drift::concept::{Detector, Eddm, Signal};
///
/// let mut detector = Eddm::default().thresholds(0.8, 0.75);
/// let errors = (0..1000).map(|i| f64::from(u8::from(i * i % 23 < 4 || i >= 600)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// assert!(signals[600..].contains(&Signal::Drift));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Eddm {
    warm_start: u64,
    warning_threshold: f64,
    drift_threshold: f64,
    n: u64,
    last_error: u64,
    errors: u64,
    distance: Mean,
    /// The sum of squares around the mean distance.
    squares: f64,
    longest: f64,
    signal: Signal,
}

impl Default for Eddm {
    /// Watches from the 31st error on; warns at 0.95 and alarms at 0.9 of the longest distance.
    fn default() -> Self {
        Self {
            warm_start: 30,
            warning_threshold: 0.95,
            drift_threshold: 0.9,
            n: 0,
            last_error: 0,
            errors: 0,
            distance: Mean::default(),
            squares: 0.0,
            longest: -1.0,
            signal: Signal::Stable,
        }
    }
}

impl Eddm {
    /// Says nothing about the first `values`, nor before so many errors.
    #[must_use]
    pub fn warm_start(mut self, values: u64) -> Self {
        self.warm_start = values;
        self
    }

    /// Below which share of the longest distance it warns and alarms.
    #[must_use]
    pub fn thresholds(mut self, warning: f64, drift: f64) -> Self {
        (self.warning_threshold, self.drift_threshold) = (warning, drift);
        self
    }
}

impl Watch for Eddm {
    const NAME: &'static str = "eddm";
    const TAKES: Takes = Takes::Bits;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.n += 1;
        if value == 0.0 {
            return self.signal;
        }
        self.errors += 1;
        let distance = (self.n - self.last_error) as f64;
        self.last_error = self.n;
        let before = self.distance.mean;
        self.distance.take(distance);
        self.squares += (distance - before) * (distance - self.distance.mean);
        if self.n <= self.warm_start {
            return self.signal;
        }
        let variance = if self.errors > 1 {
            self.squares / (self.errors - 1) as f64
        } else {
            0.0
        };
        let reach = self.distance.mean + 2.0 * variance.max(0.0).sqrt();
        if reach > self.longest {
            self.longest = reach;
            return self.signal;
        }
        if self.errors <= self.warm_start {
            return self.signal;
        }
        let level = reach / self.longest;
        if level < self.drift_threshold {
            Signal::Drift
        } else if level < self.warning_threshold {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        *self = Self::default()
            .warm_start(self.warm_start)
            .thresholds(self.warning_threshold, self.drift_threshold);
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.warm_start);
        archive.floats([&mut self.warning_threshold, &mut self.drift_threshold]);
        for count in [&mut self.n, &mut self.last_error, &mut self.errors] {
            archive.word(count);
        }
        self.distance.fields(archive);
        archive.floats([&mut self.squares, &mut self.longest]);
    }

    fn restored(&mut self) -> bool {
        self.last_error <= self.n && self.errors <= self.n
    }
}
