//! The profile of a feature of numbers.

use super::sketch::Sketch;
use crate::drift::data::{Known, Weighted};
use crate::metrics::radix;
use crate::metrics::spread::Spread;

/// What is kept of numbers: counts, ends, mean and variance exactly; the distribution exactly as long as no more than
/// 4096 values are different, and else in levels of which each is half of the one before.
///
/// [`Profile`](super::Profile) has the memory that it takes and how far off it may be.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    pub(super) missing: u64,
    /// How often -Inf and Inf are there.
    pub(super) infinite: [u64; 2],
    /// The least and the largest, once there is one.
    pub(super) ends: Option<(f64, f64)>,
    pub(super) spread: Spread,
    pub(super) sketch: Sketch,
}

/// So many values are looked at together: they fit the fastest cache.
const TOGETHER: usize = 1024;

impl Numbers {
    /// Takes values; NaN is one that is missing.
    pub(super) fn take(&mut self, values: &[f64]) {
        let mut present = Vec::with_capacity(TOGETHER.min(values.len()));
        for values in values.chunks(TOGETHER) {
            if values.iter().all(|value| value.is_finite()) {
                self.take_finite(values);
                continue;
            }
            present.clear();
            present.extend(values.iter().copied().filter(|value| value.is_infinite()));
            for &value in &present {
                self.infinite[usize::from(value > 0.0)] += 1;
                self.reach(value, value);
            }
            self.sketch.take(&present);
            let infinite = present.len();
            present.clear();
            present.extend(values.iter().copied().filter(|value| value.is_finite()));
            self.missing += (values.len() - infinite - present.len()) as u64;
            if !present.is_empty() {
                self.take_finite(&present);
            }
        }
    }

    fn take_finite(&mut self, values: &[f64]) {
        let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in values {
            ends = (ends.0.min(value), ends.1.max(value));
        }
        self.reach(ends.0, ends.1);
        self.spread.take(values);
        self.sketch.take(values);
    }

    fn reach(&mut self, least: f64, most: f64) {
        let (a, b) = self.ends.unwrap_or((least, most));
        self.ends = Some((a.min(least) + 0.0, b.max(most) + 0.0));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.infinite[0] += other.infinite[0];
        self.infinite[1] += other.infinite[1];
        if let Some((least, most)) = other.ends {
            self.reach(least, most);
        }
        self.spread.merge(&other.spread);
        self.sketch.merge(&other.sketch);
    }

    /// How many values are there, ±Inf among them.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.spread.count() + self.infinite[0] + self.infinite[1]
    }

    /// How many are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How often -Inf and Inf are there.
    #[must_use]
    pub fn infinite(&self) -> [u64; 2] {
        self.infinite
    }

    /// The least and the largest; none of nothing.
    #[must_use]
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.ends
    }

    /// The mean of finite values; NaN of nothing.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.spread.mean()
    }

    /// The variance of what finite values are drawn from (`ddof = 1`); NaN of fewer than two.
    #[must_use]
    pub fn variance(&self) -> f64 {
        match self.spread.count() {
            0 | 1 => f64::NAN,
            count => self.spread.spread() / (count - 1) as f64,
        }
    }

    /// The distribution, as tests and distances take it.
    #[must_use]
    pub fn distribution(&self) -> Weighted {
        let mut sketch = self.sketch.clone();
        sketch.settle();
        let counts = sketch.counts();
        let infinite = self.infinite != [0; 2];
        let known = Known {
            ends: self.ends.unwrap_or((f64::NAN, f64::NAN)),
            mean: if infinite {
                self.infinite_mean()
            } else {
                self.spread.mean()
            },
            squares: if infinite {
                f64::NAN
            } else {
                self.spread.spread()
            },
            error: sketch.error() as f64 / self.count().max(1) as f64,
        };
        let values = counts.into_iter();
        let values = values.map(|(key, count)| (radix::number(key), count));
        Weighted::new(values, self.missing, known)
    }

    fn infinite_mean(&self) -> f64 {
        match self.infinite {
            [_, 0] => f64::NEG_INFINITY,
            [0, _] => f64::INFINITY,
            _ => f64::NAN,
        }
    }
}
