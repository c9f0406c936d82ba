//! HDDM-A: two means, held apart by Hoeffding's bound.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Hoeffding Drift Detection Method of averages: alarms when the mean has risen above what it was at its lowest by
/// more than Hoeffding's inequality allows (I. Frías-Blanco et al., 2014, doi 10.1109/TKDE.2014.2345382).
///
/// False alarms in 10,000 values: 0.02, 0.23 and 0.17 on errors at 10, 30 and 50 %.
///
/// ```
/// use modelpulse::drift::concept::{Detector, HddmA, Signal};
///
/// let mut detector = HddmA::default();
/// let errors = (0..400).map(|i| f64::from(u8::from(i % 10 == 0 || i >= 300)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..330).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HddmA {
    drift_confidence: f64,
    warning_confidence: f64,
    two_sided: bool,
    all: Mean,
    low: Cut,
    high: Cut,
    logs: Logs,
    signal: Signal,
}

/// A mean at which the stream was cut, and its bound.
#[derive(Debug, Clone, Copy, Default)]
struct Cut {
    mean: Mean,
    bound: f64,
}

/// What follows from the settings.
#[derive(Debug, Clone, Copy)]
struct Logs {
    bound: f64,
    drift: f64,
    warning: f64,
}

impl Logs {
    fn of(drift: f64, warning: f64) -> Self {
        Self {
            bound: (1.0 / drift).ln(),
            drift: (2.0 / drift).ln(),
            warning: (2.0 / warning).ln(),
        }
    }
}

impl Default for HddmA {
    /// Alarms with a confidence of 0.001 and warns with 0.005, on a rise only.
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            two_sided: false,
            all: Mean::default(),
            low: Cut::default(),
            high: Cut::default(),
            logs: Logs::of(0.001, 0.005),
            signal: Signal::Stable,
        }
    }
}

impl HddmA {
    /// The chance of a false warning and of a false alarm, of 0..1.
    #[must_use]
    pub fn confidence(mut self, warning: f64, drift: f64) -> Self {
        (self.warning_confidence, self.drift_confidence) = (warning, drift);
        self.logs = Logs::of(drift, warning);
        self
    }

    /// Alarms on a fall of the mean too.
    #[must_use]
    pub fn two_sided(mut self) -> Self {
        self.two_sided = true;
        self
    }

    fn changed(&self, cut: &Mean, rise: f64) -> Signal {
        let n = self.all.n;
        if cut.n == n {
            return Signal::Stable;
        }
        // No alarm is possible below the least of both bounds; most values need no root.
        let m = (n - cut.n) / cut.n * (1.0 / n);
        if rise <= 0.0 {
            return Signal::Stable;
        }
        if rise >= (m / 2.0 * self.logs.drift).sqrt() {
            Signal::Drift
        } else if rise >= (m / 2.0 * self.logs.warning).sqrt() {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}

impl Watch for HddmA {
    const NAME: &'static str = "hddm-a";
    const TAKES: Takes = Takes::Unit;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.all.take(value);
        let bound = (1.0 / (2.0 * self.all.n) * self.logs.bound).sqrt();
        let now = Cut {
            mean: self.all,
            bound,
        };
        if self.low.mean.n == 0.0 {
            (self.low, self.high) = (now, now);
        }
        if self.low.mean.mean + self.low.bound >= self.all.mean + bound {
            self.low = now;
        }
        let mut signal = self.changed(&self.low.mean, self.all.mean - self.low.mean.mean);
        if self.two_sided {
            if self.high.mean.mean - self.high.bound <= self.all.mean - bound {
                self.high = now;
            }
            let fall = self.changed(&self.high.mean, self.high.mean.mean - self.all.mean);
            signal = signal.max(fall);
        }
        signal
    }

    fn clear(&mut self) {
        self.all = Mean::default();
        (self.low, self.high) = (Cut::default(), Cut::default());
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.floats([&mut self.drift_confidence, &mut self.warning_confidence]);
        archive.flag(&mut self.two_sided);
        self.all.fields(archive);
        for cut in [&mut self.low, &mut self.high] {
            cut.mean.fields(archive);
            archive.float(&mut cut.bound);
        }
    }

    fn restored(&mut self) -> bool {
        self.logs = Logs::of(self.drift_confidence, self.warning_confidence);
        true
    }
}
