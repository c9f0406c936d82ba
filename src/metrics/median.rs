//! The median of magnitudes: of all of them, or in bounded memory.

use std::collections::BTreeMap;

use super::ExactSum;
use super::radix::{key, number};

/// The median of (value, weight) pairs: the value up to which half of the weight lies, and the mean of it and the next
/// one where that is exactly half; none where nothing weighs anything.
///
/// Without weights this is the usual median; with them it is what scikit-learn uses since 1.7.
pub(super) fn median(pairs: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let mut sorted: Vec<(u64, f64)> = pairs
        .filter(|&(_, weight)| weight > 0.0)
        .map(|(value, weight)| (key(value + 0.0), weight))
        .collect();
    // By weight too, so that sums do not depend on the order in which samples came.
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    halfway(sorted.iter().map(|&(key, weight)| (number(key), weight)))
}

/// The same where each value weighs 1, without sorting them all.
pub(super) fn plain_median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut keys: Vec<u64> = values.map(|value| key(value + 0.0)).collect();
    let middle = keys.len().checked_sub(1)? / 2;
    let odd = keys.len() % 2 == 1;
    let (_, &mut low, above) = keys.select_nth_unstable(middle);
    let low = number(low);
    let next = above.iter().min().filter(|_| !odd);
    Some(next.map_or(low, |&next| low / 2.0 + number(next) / 2.0))
}

/// The same of sorted pairs.
fn halfway(sorted: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    let total: f64 = sorted.clone().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let mut sorted = sorted.peekable();
    while let Some((value, weight)) = sorted.next() {
        below += weight;
        if below * 2.0 >= total {
            let next = sorted.peek().filter(|_| below * 2.0 == total);
            return Some(next.map_or(value, |next| value / 2.0 + next.0 / 2.0));
        }
    }
    None
}

/// Magnitudes counted in intervals that divide each power of two in 128.
///
/// An interval's middle is within 2⁻⁸ of any magnitude in it, relatively. Counts are exact, so merging shards gives the
/// same bits as one pass. Memory is about 100 bytes × 128 for each power of two that occurs.
#[derive(Debug, Clone, Default)]
pub(super) struct Magnitudes {
    weights: BTreeMap<u32, ExactSum>,
}

/// The bits of a magnitude that do not tell its interval.
const LOST: u32 = 52 - 7;

impl Magnitudes {
    pub(super) fn add(&mut self, magnitude: f64, weight: f64) {
        let interval = (magnitude.abs().to_bits() >> LOST) as u32;
        self.weights.entry(interval).or_default().add(weight);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (&interval, weight) in &other.weights {
            self.weights.entry(interval).or_default().merge(weight);
        }
    }

    /// The median, within 2⁻⁸ (0.4 %) of itself.
    pub(super) fn median(&self) -> Option<f64> {
        let middle = |interval: u32| {
            let low = f64::from_bits(u64::from(interval) << LOST);
            let high = f64::from_bits((u64::from(interval) + 1) << LOST);
            // The lowest interval, of 0 and what is below every other number of note, stands for 0.
            if interval == 0 {
                0.0
            } else {
                low / 2.0 + high / 2.0
            }
        };
        let intervals = self.weights.iter();
        halfway(intervals.map(|(&interval, weight)| (middle(interval), weight.value())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;

    #[test]
    fn half_of_the_weight_is_below() {
        let ones = |values: &[f64]| median(values.iter().map(|&value| (value, 1.0)));
        assert_eq!(ones(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(ones(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(ones(&[]), None);
        let pairs = [(1.0, 0.0), (5.0, 3.0), (2.0, 1.0), (7.0, 1.0)];
        assert_eq!(median(pairs.into_iter()), Some(5.0));
        assert_eq!(median([(1.0, 2.0), (9.0, 2.0)].into_iter()), Some(5.0));
    }

    #[test]
    fn the_bounded_median_is_within_its_bound() {
        let mut random = SplitMix::new(5);
        for count in [1, 2, 7, 1000] {
            let values: Vec<f64> = (0..count)
                .map(|_| (40.0 * random.unit() - 20.0).exp())
                .collect();
            let mut magnitudes = Magnitudes::default();
            for &value in &values {
                magnitudes.add(value, 1.0);
            }
            let exact = median(values.iter().map(|&value| (value, 1.0))).unwrap();
            let bounded = magnitudes.median().unwrap();
            assert!(
                (bounded - exact).abs() <= exact / 256.0,
                "{bounded} for {exact}"
            );
        }
    }
}
