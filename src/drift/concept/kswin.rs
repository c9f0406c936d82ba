//! KSWIN: the newest values of a window against some of its older ones.

use std::collections::VecDeque;

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use crate::drift::DriftError;
use crate::drift::data::ks;
use crate::metrics::random::SplitMix;

/// Kolmogorov–Smirnov windowing: alarms when the newest values of a window are distributed otherwise than as many that
/// are drawn from its older ones (C. Raab et al., 2020, doi 10.1016/j.neucom.2019.11.111).
///
/// False alarms in 10,000 values: 0, 0.8 and 2.4 on errors at 10, 30 and 50 %, 13 on normal numbers: it tests at each value, and of a
/// p-value of 0.005 many tests make many.
///
/// ```
/// use modelpulse::drift::concept::{Detector, Kswin, Signal};
///
/// let mut detector = Kswin::default();
/// let values = (0..400).map(|i| f64::from(i % 7) + if i < 300 { 0.0 } else { 4.0 });
/// let signals: Vec<Signal> = values.map(|value| detector.update(value)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..330).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Kswin {
    alpha: f64,
    size: usize,
    newest: usize,
    seed: u64,
    random: SplitMix,
    window: VecDeque<f64>,
    /// The newest values in order.
    sorted: Vec<f64>,
    drawn: Vec<f64>,
    places: Vec<usize>,
    /// The least distance, in steps of 1 / `newest`, that alarms.
    critical: usize,
    signal: Signal,
}

impl Default for Kswin {
    /// A window of 100 values, the newest 30 of them against 30 others, at a p-value of 0.005.
    fn default() -> Self {
        Self::of(100, 30)
    }
}

impl Kswin {
    /// Watches a window of `window` values: the newest `newest` against as many of the others.
    ///
    /// # Errors
    ///
    /// [`DriftError::Setting`] unless 0 < `newest` ≤ `window` / 2.
    pub fn windows(window: usize, newest: usize) -> Result<Self, DriftError> {
        if newest == 0 || newest > window / 2 {
            return Err(DriftError::Setting {
                detector: Self::NAME,
                what: "the number of newest values",
                must: "at least 1 and at most half of the window",
                value: newest as f64,
            });
        }
        Ok(Self::of(window, newest))
    }

    fn of(size: usize, newest: usize) -> Self {
        let mut detector = Self {
            alpha: 0.005,
            size,
            newest,
            seed: 0,
            random: SplitMix::new(0),
            window: VecDeque::new(),
            sorted: Vec::new(),
            drawn: Vec::new(),
            places: Vec::new(),
            critical: 0,
            signal: Signal::Stable,
        };
        detector.settle();
        detector
    }

    /// The p-value at or below which it alarms.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self.settle();
        self
    }

    /// The seed of what is drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.random = SplitMix::new(seed);
        self
    }

    /// What follows from the settings.
    fn settle(&mut self) {
        let alarms = |steps: usize| {
            // Distances up to 0.1 never alarm, as in river.
            steps * 10 > self.newest && ks::exact_of_equal(self.newest, steps) <= self.alpha
        };
        self.critical = (1..=self.newest)
            .find(|&steps| alarms(steps))
            .unwrap_or(self.newest + 1);
        self.places = (0..self.size - self.newest).collect();
    }

    /// Draws from the older values, each at most once.
    fn draw(&mut self) {
        self.drawn.clear();
        for at in 0..self.newest {
            let other = at + self.random.below(self.places.len() - at);
            self.places.swap(at, other);
            self.drawn.push(self.window[self.places[at]]);
        }
        self.drawn.sort_unstable_by(f64::total_cmp);
    }

    /// Keeps the newest values in order.
    fn slide(&mut self, value: f64) {
        if self.window.len() > self.newest {
            let left = self.window[self.window.len() - 1 - self.newest];
            let at = self.sorted.partition_point(|&other| other < left);
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|&other| other < value);
        self.sorted.insert(at, value);
    }
}

impl Watch for Kswin {
    const NAME: &'static str = "kswin";
    const TAKES: Takes = Takes::Finite;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    fn take(&mut self, value: f64) -> Signal {
        if self.window.len() == self.size {
            self.window.pop_front();
        }
        // No two zeros, so that equal values have equal bits.
        self.window.push_back(value + 0.0);
        self.slide(value + 0.0);
        if self.window.len() < self.size {
            return Signal::Stable;
        }
        self.draw();
        if ks::steps_of_equal(&self.drawn, &self.sorted) >= self.critical {
            Signal::Drift
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.window.clear();
        self.sorted.clear();
        self.settle();
        self.random = SplitMix::new(self.seed);
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.size(&mut self.size);
        archive.size(&mut self.newest);
        archive.float(&mut self.alpha);
        archive.word(&mut self.seed);
        archive.word(self.random.state());
        archive.list(&mut self.window);
        let mut places: VecDeque<f64> = self.places.iter().map(|&place| place as f64).collect();
        archive.list(&mut places);
        self.places = places.into_iter().map(|place| place as usize).collect();
    }

    fn restored(&mut self) -> bool {
        let older = self.size.saturating_sub(self.newest);
        let mut order = self.places.clone();
        order.sort_unstable();
        if self.newest == 0
            || self.newest > self.size / 2
            || self.window.len() > self.size
            || !order.into_iter().eq(0..older)
            || self.window.iter().any(|value| !value.is_finite())
        {
            return false;
        }
        let places = std::mem::take(&mut self.places);
        self.settle();
        self.places = places;
        let newest = self.window.iter().rev().take(self.newest);
        self.sorted = newest.copied().collect();
        self.sorted.sort_unstable_by(f64::total_cmp);
        true
    }
}
