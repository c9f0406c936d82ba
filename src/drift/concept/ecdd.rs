//! ECDD-WT: the weighted error rate against the whole one, within a control limit.

use super::Signal;
use super::archive::{Archive, Takes, Watch};
use super::mean::Mean;

/// EWMA for Concept Drift Detection, with warnings: alarms when the exponentially weighted error rate leaves the
/// control limit around the error rate (G. J. Ross et al., 2012, doi 10.1016/j.patrec.2011.08.019).
///
/// The limit is a polynomial that the paper fitted for error rates up to about 0.3 and a weight of 0.2.
///
/// False alarms in 10,000 values: 28, 26 and 0.1 on errors at 10, 30 and 50 %; one in 400, as the run length says, would be 25, and
/// 50 % is beyond the rates that the limit was fitted for.
///
/// ```
/// use modelpulse::drift::concept::{Detector, EcddWt, RunLength, Signal};
///
/// let mut detector = EcddWt::default().run_length(RunLength::R1000);
/// let errors = (0..400).map(|i| f64::from(u8::from(i % 10 == 0 || i >= 300)));
/// let signals: Vec<Signal> = errors.map(|error| detector.update(error)).collect::<Result<_, _>>()?;
/// let first = signals.iter().position(|&signal| signal == Signal::Drift);
/// assert!(first.is_some_and(|i| (300..310).contains(&i)));
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EcddWt {
    min_values: u64,
    lambda: f64,
    run_length: RunLength,
    warning_level: f64,
    rate: Mean,
    weighted: f64,
    signal: Signal,
}

/// How many values there are on average between two false alarms.
///
/// ```
/// use modelpulse::drift::concept::RunLength;
/// assert_eq!(RunLength::default(), RunLength::R400);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RunLength {
    /// 100.
    R100,
    /// 400.
    #[default]
    R400,
    /// 1000.
    R1000,
}

impl RunLength {
    /// The control limit, in standard deviations, at an error rate; table 1 of the paper.
    fn limit(self, rate: f64) -> f64 {
        let [a, b, c, d, e] = match self {
            Self::R100 => [2.76, -6.23, 18.12, -312.45, 1002.18],
            Self::R400 => [3.97, -6.56, 48.73, -330.13, 848.18],
            Self::R1000 => [1.17, 7.56, -21.24, 112.12, -987.23],
        };
        a + b * rate + c * rate.powi(3) + d * rate.powi(5) + e * rate.powi(7)
    }
}

impl Default for EcddWt {
    /// Watches from the 30th value on; a new value weighs 0.2; a false alarm each 400 values; warns at half the limit.
    fn default() -> Self {
        Self {
            min_values: 30,
            lambda: 0.2,
            run_length: RunLength::R400,
            warning_level: 0.5,
            rate: Mean::default(),
            weighted: 0.0,
            signal: Signal::Stable,
        }
    }
}

impl EcddWt {
    /// Says nothing before so many values.
    #[must_use]
    pub fn min_values(mut self, values: u64) -> Self {
        self.min_values = values;
        self
    }

    /// How long it runs between two false alarms.
    #[must_use]
    pub fn run_length(mut self, run_length: RunLength) -> Self {
        self.run_length = run_length;
        self
    }

    /// The share of the limit at which it warns.
    #[must_use]
    pub fn warning_level(mut self, level: f64) -> Self {
        self.warning_level = level;
        self
    }
}

impl Watch for EcddWt {
    const NAME: &'static str = "ecdd-wt";
    const TAKES: Takes = Takes::Unit;

    fn state(&mut self) -> &mut Signal {
        &mut self.signal
    }

    #[inline]
    fn take(&mut self, value: f64) -> Signal {
        self.rate.take_divided(value);
        self.weighted = self.lambda * value + (1.0 - self.lambda) * self.weighted;
        let Mean { n, mean: rate } = self.rate;
        if n < self.min_values as f64 {
            return Signal::Stable;
        }
        let share = self.lambda / (2.0 - self.lambda) * (1.0 - (1.0 - self.lambda).powf(2.0 * n));
        let deviation = (share * (rate * (1.0 - rate))).max(0.0).sqrt();
        let limit = self.run_length.limit(rate);
        if self.weighted > rate + limit * deviation {
            Signal::Drift
        } else if self.weighted > rate + self.warning_level * limit * deviation {
            Signal::Warning
        } else {
            Signal::Stable
        }
    }

    fn clear(&mut self) {
        self.rate = Mean::default();
        self.weighted = 0.0;
    }

    fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.word(&mut self.min_values);
        archive.floats([
            &mut self.lambda,
            &mut self.warning_level,
            &mut self.weighted,
        ]);
        let mut length = match self.run_length {
            RunLength::R100 => 100,
            RunLength::R400 => 400,
            RunLength::R1000 => 1000,
        };
        archive.word(&mut length);
        self.run_length = match length {
            100 => RunLength::R100,
            1000 => RunLength::R1000,
            _ => RunLength::R400,
        };
        self.rate.fields(archive);
    }
}
