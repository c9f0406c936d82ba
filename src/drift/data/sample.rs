//! A sample in order, and two samples side by side.

use super::distribution::Distribution;
use crate::metrics::radix;

/// The values of one feature, in order; NaN is a value that is missing.
///
/// ```
/// use modelpulse::drift::data::Sample;
///
/// let sample = Sample::new(&[3.0, f64::NAN, 1.0, 2.0, 2.0]);
/// assert_eq!((sample.values(), sample.missing()), (&[1.0, 2.0, 2.0, 3.0][..], 1));
/// assert_eq!(sample.quantile(0.5), Some(2.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
    missing: usize,
}

impl Sample {
    /// Sorts the values; `-0.0` becomes `0.0`.
    #[must_use]
    pub fn new(values: &[f64]) -> Self {
        let present = values.iter().filter(|value| !value.is_nan());
        let keys = radix::sorted_keys(present.map(|value| value + 0.0));
        let sorted: Vec<f64> = keys.into_iter().map(radix::number).collect();
        Self {
            missing: values.len() - sorted.len(),
            sorted,
        }
    }

    /// The values that are there, in order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// How many values are there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether no value is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// How many values are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Whether no value is ±Inf.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let ends = [self.sorted.first(), self.sorted.last()];
        ends.into_iter().flatten().all(|value| value.is_finite())
    }

    /// How many values are unlike all before them.
    #[must_use]
    pub fn distinct(&self) -> usize {
        let steps = self.sorted.windows(2).filter(|pair| pair[0] != pair[1]);
        steps.count() + usize::from(!self.is_empty())
    }

    /// A quantile, between values linearly as `numpy.quantile` has it; none of nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = share.clamp(0.0, 1.0) * last as f64;
        let below = place.floor();
        let (low, high) = (
            self.sorted[below as usize],
            self.sorted[place.ceil() as usize],
        );
        between(low, high, place - below)
    }

    /// The mean; NaN of nothing.
    #[must_use]
    pub fn mean(&self) -> f64 {
        sum(self.sorted.iter().copied()) / self.sorted.len() as f64
    }

    /// The sum of squares around the mean.
    #[must_use]
    pub fn squares(&self) -> f64 {
        let mean = self.mean();
        sum(self.sorted.iter().map(|value| (value - mean).powi(2)))
    }

    /// The standard deviation, of the values themselves (`ddof = 0`); NaN of nothing.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        (self.squares() / self.sorted.len() as f64).sqrt()
    }
}

/// What lies between two values at a part of the way.
pub(super) fn between(low: f64, high: f64, part: f64) -> Option<f64> {
    // The side that is nearer is the one that is exact.
    Some(if low == high {
        low
    } else if part < 0.5 {
        low + (high - low) * part
    } else {
        high - (high - low) * (1.0 - part)
    })
}

/// A sum whose rounding does not grow with its length (A. Neumaier, 1974, doi 10.1002/zamm.19740540106).
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        let rounded = if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        // ±Inf leaves a NaN behind, which is no rounding.
        if rounded.is_finite() {
            lost += rounded;
        }
        total = next;
    }
    total + lost
}

/// One value of two samples: how often each has it, and how many of each are below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) value: f64,
    pub(crate) below: [usize; 2],
    pub(crate) here: [usize; 2],
}

impl Step {
    /// How many of a sample are up to here.
    pub(crate) fn upto(&self, side: usize) -> usize {
        self.below[side] + self.here[side]
    }

    pub(crate) fn ties(&self) -> f64 {
        (self.here[0] + self.here[1]) as f64
    }
}

/// The distinct values of two distributions, in order.
pub(crate) fn steps<'a>(
    a: &'a impl Distribution,
    b: &'a impl Distribution,
) -> impl Iterator<Item = Step> + 'a {
    let mut at = [0, 0];
    let mut below = [0, 0];
    std::iter::from_fn(move || {
        let value = match (a.at(at[0]), b.at(at[1])) {
            (Some(left), Some(right)) => left.min(right),
            (left, right) => left.or(right)?,
        };
        let (left, right) = (a.pass(at[0], value), b.pass(at[1], value));
        at = [left.0, right.0];
        let step = Step {
            value,
            below,
            here: [left.1, right.1],
        };
        below = [step.upto(0), step.upto(1)];
        Some(step)
    })
}
