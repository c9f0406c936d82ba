//! Page–Hinkley: how far the sum of deviations is from its extreme.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// Page–Hinkley test: alarms when the sum of deviations from the running mean is `threshold` away from where it was at
/// its extreme (E. S. Page, "Continuous inspection schemes", 1954, doi 10.1093/biomet/41.1-2.100).
///
/// `delta` and `threshold` are in the units of the stream.
///
/// False alarms in 10,000 values: 0.03, 0.57 and 0.78 on errors at 10, 30 and 50 %, 5.8 on standard normal numbers, for which the
/// default threshold is low.
///
/// ```
/// use modelpulse::drift::concept::{Detector, Direction, PageHinkley, Signal};
///
/// let mut detector = PageHinkley::default().threshold(10.0).direction(Direction::Up);
/// let values = (0..400).map(|i| f64::from(i % 2) + if i < 300 { 0.0 } else { 1.0 });
/// let signals: Vec<Signal> = values.map(|value| detector.update(value)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..320).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PageHinkley {
    min_values: u64,
    delta: f64,
    threshold: f64,
    alpha: f64,
    direction: Direction,
    from_zero: bool,
    mean: Mean,
    rise: f64,
    lowest: f64,
    fall: f64,
    highest: f64,
    signal: Signal,
}

/// Which changes of the mean alarm.
///
/// ```
/// use modelpulse::drift::concept::Direction;
/// assert_eq!(Direction::default(), Direction::Both);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// A rise.
    Up,
    /// A fall.
    Down,
    /// Either.
    #[default]
    Both,
}

impl Default for PageHinkley {
    /// Watches from the 30th value on, in both directions; `delta` 0.005, `threshold` 50, `alpha` 0.9999.
    fn default() -> Self {
        Self {
            min_values: 30,
            delta: 0.005,
            threshold: 50.0,
            alpha: 1.0 - 0.0001,
            direction: Direction::Both,
            from_zero: false,
            mean: Mean::default(),
            rise: 0.0,
            lowest: f64::INFINITY,
            fall: 0.0,
            highest: f64::NEG_INFINITY,
            signal: Signal::Stable,
        }
    }
}

impl PageHinkley {
    /// Says nothing before so many values.
    #[must_use]
    pub fn min_values(mut self, values: u64) -> Self {
        self.min_values = values;
        self
    }

    /// The change of a value that does not count.
    #[must_use]
    pub fn delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// The sum of changes at which it alarms.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// What remains of the sum at the next value, of 0..=1.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Measures the sums from 0, not from their extremes, as frouros does (which knows but [`Direction::Up`]).
    #[must_use]
    pub fn from_zero(mut self) -> Self {
        self.from_zero = true;
        self.clear();
        self
    }

    /// Which changes alarm.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }
}

impl Watch for PageHinkley {
    const NAME: &'static str = "page-hinkley";
    const TAKES: Takes = Takes::Finite;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.mean.take(value);
        let deviation = value - self.mean.mean;
        self.rise = self.alpha * self.rise + deviation - self.delta;
        self.fall = self.alpha * self.fall + deviation + self.delta;
        if !self.from_zero {
            self.lowest = self.lowest.min(self.rise);
            self.highest = self.highest.max(self.fall);
        }
        let up = self.rise - self.lowest > self.threshold && self.direction != Direction::Down;
        let down = self.highest - self.fall > self.threshold && self.direction != Direction::Up;
        if (up || down) && self.mean.n >= self.min_values as f64 {
            Signal::Drift
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.mean = Mean::default();
        (self.rise, self.fall) = (0.0, 0.0);
        (self.lowest, self.highest) = if self.from_zero {
            (0.0, 0.0)
        } else {
            (f64::INFINITY, f64::NEG_INFINITY)
        };
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.min_values);
        archive.floats([&mut self.delta, &mut self.threshold, &mut self.alpha]);
        let mut up = self.direction != Direction::Down;
        let mut down = self.direction != Direction::Up;
        archive.flag(&mut up);
        archive.flag(&mut down);
        archive.flag(&mut self.from_zero);
        self.direction = match (up, down) {
            (true, false) => Direction::Up,
            (false, true) => Direction::Down,
            _ => Direction::Both,
        };
        self.mean.fields(archive);
        archive.floats([
            &mut self.rise,
            &mut self.lowest,
            &mut self.fall,
            &mut self.highest,
        ]);
    }
}
