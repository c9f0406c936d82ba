//! Mean and variance of a stream, the same to the last bit however it was sharded.

use super::ExactSum;
use super::exact::product;
use super::moments::central;

/// The count, the sum and the sum of squares of finite numbers, without rounding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    count: u64,
    sum: ExactSum,
    squares: ExactSum,
}

impl Spread {
    /// Takes finite numbers.
    pub(crate) fn take(&mut self, values: &[f64]) {
        self.count += values.len() as u64;
        self.sum.add_all(values.iter().copied());
        let squares = values.iter().flat_map(|&value| product(value, value));
        self.squares.add_all(squares);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// NaN of nothing.
    pub(crate) fn mean(&self) -> f64 {
        self.sum.value() / self.count as f64
    }

    /// Σ (value - mean)².
    pub(crate) fn spread(&self) -> f64 {
        let mut weight = ExactSum::new();
        weight.add_count(self.count);
        central(&weight, [&self.sum; 2], &self.squares).max(0.0)
    }

    /// The count and the sums, as [`ExactSum::parts`] has them.
    pub(crate) fn parts(&self) -> (u64, [(usize, Vec<i64>, f64); 2]) {
        (self.count, [self.sum.parts(), self.squares.parts()])
    }

    pub(crate) fn of_parts(count: u64, sums: [(usize, Vec<i64>, f64); 2]) -> Option<Self> {
        let [sum, squares] =
            sums.map(|(low, limbs, special)| ExactSum::of_parts(low, limbs, special));
        Some(Self {
            count,
            sum: sum?,
            squares: squares?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_from_zero_nothing_cancels() {
        let mut spread = Spread::default();
        spread.take(&[1e9 + 1.0, 1e9 + 2.0]);
        let mut more = Spread::default();
        more.take(&[1e9 + 6.0]);
        spread.merge(&more);
        assert_eq!(
            (spread.count(), spread.mean(), spread.spread()),
            (3, 1e9 + 3.0, 14.0)
        );
    }

    #[test]
    fn parts_are_the_same_however_it_was_sharded() {
        let values: Vec<f64> = (0..900)
            .map(|i| f64::from(i % 7 - 3) * 1e3_f64.powi(i % 11 - 5))
            .collect();
        let mut whole = Spread::default();
        whole.take(&values);
        let mut merged = Spread::default();
        for shard in values.chunks(13).rev() {
            let mut spread = Spread::default();
            spread.take(shard);
            merged.merge(&spread);
        }
        assert_eq!(whole.parts(), merged.parts());
        let (count, sums) = whole.parts();
        let mut restored = Spread::of_parts(count, sums).unwrap();
        assert_eq!(restored, whole);
        restored.take(&[0.5]);
        whole.take(&[0.5]);
        assert_eq!(restored.parts(), whole.parts());
        assert_eq!(
            Spread::of_parts(1, [(90, vec![1], 0.0), (0, vec![], 0.0)]),
            None
        );
    }
}
