//! RDDM: DDM that forgets what is old, so that it stays quick in long concepts.

use std::collections::VecDeque;

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::ddm::Lowest;
use super::mean::Mean;

/// Reactive Drift Detection Method: as [`Ddm`](super::Ddm) with narrower limits; a concept that lasts longer than
/// 40,000 values is measured anew on its last 7,000, and a warning that lasts longer than 1,400 is a drift
/// (R. S. M. Barros et al., 2017, doi 10.1016/j.eswa.2017.08.023).
///
/// False alarms in 10,000 values: 3.0, 1.6 and 1.6 on errors at 10, 30 and 50 %.
///
/// ```
/// use modelpulse::drift::concept::{Detector, Rddm, Signal};
///
/// let mut detector = Rddm::default();
/// let errors = (0..400).map(|i| f64::from(u8::from(i % 10 == 0 || i >= 300)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..320).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rddm {
    warning_threshold: f64,
    drift_threshold: f64,
    longest_concept: u64,
    shortest_concept: usize,
    longest_warning: u64,
    min_values: u64,
    rate: Mean,
    lowest: Lowest,
    warnings: u64,
    /// The next value measures the concept anew.
    old: bool,
    last: VecDeque<bool>,
    signal: Signal,
}

impl Default for Rddm {
    /// Watches from the 129th value on; warns at 1.773 and alarms at 2.258 standard deviations.
    fn default() -> Self {
        Self {
            warning_threshold: 1.773,
            drift_threshold: 2.258,
            longest_concept: 40_000,
            shortest_concept: 7_000,
            longest_warning: 1_400,
            min_values: 129,
            rate: Mean::default(),
            lowest: Lowest::NONE,
            warnings: 0,
            old: false,
            last: VecDeque::new(),
            signal: Signal::Stable,
        }
    }
}

impl Rddm {
    /// Says nothing before so many values.
    #[must_use]
    pub fn min_values(mut self, values: u64) -> Self {
        self.min_values = values;
        self
    }

    /// How many standard deviations above the minimum it warns and alarms.
    #[must_use]
    pub fn thresholds(mut self, warning: f64, drift: f64) -> Self {
        (self.warning_threshold, self.drift_threshold) = (warning, drift);
        self
    }

    /// After how many values a concept is measured anew, and on how many of the last.
    #[must_use]
    pub fn concept(mut self, longest: u64, shortest: usize) -> Self {
        (self.longest_concept, self.shortest_concept) = (longest, shortest.max(1));
        self.last.clear();
        self
    }

    /// How many warnings in a row are a drift.
    #[must_use]
    pub fn longest_warning(mut self, values: u64) -> Self {
        self.longest_warning = values;
        self
    }

    fn forget(&mut self) {
        self.rate = Mean::default();
        self.lowest = Lowest::NONE;
        self.old = false;
    }

    /// Keeps but the last value.
    fn drop_old(&mut self) {
        let newest = self.last.pop_back();
        self.last.clear();
        self.last.extend(newest);
    }

    fn measure_anew(&mut self) {
        self.forget();
        self.warnings = 0;
        for &error in &self.last {
            self.rate.take_divided(f64::from(u8::from(error)));
        }
    }
}

impl Watch for Rddm {
    const NAME: &'static str = "rddm";
    const TAKES: Takes = Takes::Bits;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        if self.old {
            self.measure_anew();
        }
        if self.last.len() == self.shortest_concept {
            self.last.pop_front();
        }
        self.last.push_back(value == 1.0);
        self.rate.take_divided(value);
        let Mean { n, mean: rate } = self.rate;
        if n < self.min_values as f64 {
            return Signal::Stable;
        }
        let deviation = (rate * (1.0 - rate) / n).max(0.0).sqrt();
        let sum = rate + deviation;
        if sum < self.lowest.rate + self.lowest.deviation {
            self.lowest = Lowest { rate, deviation };
        }
        if self.lowest.exceeded(sum, self.drift_threshold) {
            if self.warnings == 0 {
                self.drop_old();
            }
            return Signal::Drift;
        }
        if self.lowest.exceeded(sum, self.warning_threshold) {
            if self.warnings >= self.longest_warning {
                self.drop_old();
                return Signal::Drift;
            }
            self.warnings += 1;
            return Signal::Warning;
        }
        self.warnings = 0;
        self.old = n >= self.longest_concept as f64;
        Signal::Stable
    }

    fn clear(&mut self) {
        self.forget();
        self.warnings = 0;
        self.last.clear();
    }

    /// The warnings and the last values outlive a drift, as they do in frouros.
    fn restart(&mut self) {
        self.forget();
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.floats([&mut self.warning_threshold, &mut self.drift_threshold]);
        for count in [
            &mut self.longest_concept,
            &mut self.longest_warning,
            &mut self.min_values,
            &mut self.warnings,
        ] {
            archive.word(count);
        }
        archive.size(&mut self.shortest_concept);
        self.rate.fields(archive);
        self.lowest.fields(archive);
        archive.flag(&mut self.old);
        archive.bits(&mut self.last);
    }

    fn restored(&mut self) -> bool {
        self.shortest_concept > 0 && self.last.len() <= self.shortest_concept
    }
}
