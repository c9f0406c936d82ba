//! HDDM-W: two exponentially weighted means, held apart by McDiarmid's bound.

use super::Signal;
use super::archive::{Archive, Takes, Watch};

/// Hoeffding Drift Detection Method of weighted averages: as [`HddmA`](super::HddmA), but recent values weigh more
/// (I. Frías-Blanco et al., 2014, doi 10.1109/TKDE.2014.2345382).
///
/// False alarms in 10,000 values: 0, 3.8 and 7.7 on errors at 10, 30 and 50 %.
///
/// ```
/// use modelpulse::drift::concept::{Detector, HddmW, Signal};
///
/// let mut detector = HddmW::default();
/// let errors = (0..400).map(|i| f64::from(u8::from(i % 10 == 0 || i >= 300)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// let first = signals.iter().rposition(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..330).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HddmW {
    drift_confidence: f64,
    warning_confidence: f64,
    lambda: f64,
    two_sided: bool,
    all: Weighted,
    rise: Cut,
    fall: Cut,
    signal: Signal,
}

/// A weighted mean, and the sum of squared weights that McDiarmid's bound needs.
#[derive(Debug, Clone, Copy)]
struct Weighted {
    taken: bool,
    mean: f64,
    squares: f64,
}

impl Weighted {
    const NONE: Self = Self {
        taken: false,
        mean: 0.0,
        squares: 1.0,
    };

    #[inline]
    fn take(&mut self, value: f64, lambda: f64) {
        self.mean = if self.taken {
            lambda * value + (1.0 - lambda) * self.mean
        } else {
            value
        };
        self.taken = true;
        self.squares = lambda * lambda + (1.0 - lambda) * (1.0 - lambda) * self.squares;
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.flag(&mut self.taken);
        archive.floats([&mut self.mean, &mut self.squares]);
    }
}

/// The stream before and after the extreme of its mean.
#[derive(Debug, Clone, Copy)]
struct Cut {
    at: f64,
    before: Weighted,
    after: Weighted,
}

impl Cut {
    const NONE: Self = Self {
        at: f64::INFINITY,
        before: Weighted::NONE,
        after: Weighted::NONE,
    };

    /// `side` is the mean with its bound: the cut moves where that is less than ever.
    #[inline]
    fn take(&mut self, value: f64, lambda: f64, all: Weighted, side: f64) {
        if side < self.at {
            *self = Self {
                at: side,
                before: all,
                after: Weighted::NONE,
            };
        } else {
            self.after.take(value, lambda);
        }
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.float(&mut self.at);
        self.before.fields(archive);
        self.after.fields(archive);
    }
}

impl Default for HddmW {
    /// A new value weighs 0.05. Alarms with a confidence of 0.001 and warns with 0.005, on a rise only.
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            lambda: 0.05,
            two_sided: false,
            all: Weighted::NONE,
            rise: Cut::NONE,
            fall: Cut::NONE,
            signal: Signal::Stable,
        }
    }
}

impl HddmW {
    /// The chance of a false warning and of a false alarm, of 0..1.
    #[must_use]
    pub fn confidence(mut self, warning: f64, drift: f64) -> Self {
        (self.warning_confidence, self.drift_confidence) = (warning, drift);
        self
    }

    /// The weight of a new value, of 0..1.
    #[must_use]
    pub fn lambda(mut self, weight: f64) -> Self {
        self.lambda = weight;
        self
    }

    /// Alarms on a fall of the mean too.
    #[must_use]
    pub fn two_sided(mut self) -> Self {
        self.two_sided = true;
        self
    }

    fn changed(&self, cut: &Cut, distance: f64) -> Signal {
        if !(cut.before.taken && cut.after.taken) || distance <= 0.0 {
            return Signal::Stable;
        }
        let squares = cut.before.squares + cut.after.squares;
        if distance > bound(squares, self.drift_confidence) {
            Signal::Drift
        } else if distance > bound(squares, self.warning_confidence) {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }
}

fn bound(squares: f64, confidence: f64) -> f64 {
    (squares * (1.0 / confidence).ln() / 2.0).sqrt()
}

impl Watch for HddmW {
    const NAME: &'static str = "hddm-w";
    const TAKES: Takes = Takes::Unit;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.all.take(value, self.lambda);
        let (all, lambda) = (self.all, self.lambda);
        let bound = bound(all.squares, self.drift_confidence);
        self.rise.take(value, lambda, all, all.mean + bound);
        let distance = self.rise.after.mean - self.rise.before.mean;
        let mut signal = self.changed(&self.rise, distance);
        if self.two_sided {
            self.fall.take(value, lambda, all, bound - all.mean);
            let distance = self.fall.before.mean - self.fall.after.mean;
            signal = signal.max(self.changed(&self.fall, distance));
        }
        signal
    }

    fn clear(&mut self) {
        self.all = Weighted::NONE;
        (self.rise, self.fall) = (Cut::NONE, Cut::NONE);
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.floats([
            &mut self.drift_confidence,
            &mut self.warning_confidence,
            &mut self.lambda,
        ]);
        archive.flag(&mut self.two_sided);
        self.all.fields(archive);
        self.rise.fields(archive);
        self.fall.fields(archive);
    }
}
