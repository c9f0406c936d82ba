//! Drift of embeddings: rows of numbers that mean nothing one by one.
//!
//! How far the means of both samples are apart, by permutations, and in how many components something has changed.
//! [`Mmd`](super::rows::Mmd) sees any change of some thousand rows, and `candle` trains a model to tell
//! the samples apart.

use super::data::Test;
use super::rows::Rows;
use super::verdict::{Feature, Policy, Verdict};
use super::{Column, Undefined};
use crate::metrics::random::SplitMix;

/// A distance of the means of two samples of embeddings.
///
/// ```
/// use modelpulse::drift::{embedding::Means, rows::Rows};
///
/// let reference = Rows::new(2, (0..80).map(|i| f64::from(i * 37 % 11)).collect())?;
/// let current = Rows::new(2, (0..60).map(|i| f64::from(i * 37 % 11 + i % 2 * 4)).collect())?;
/// let test = Means::Squared.test(&reference, &current, 199, 1)?;
/// assert!(test.statistic > 10.0 && test.p_value == 1.0 / 200.0);
/// assert!(Means::Cosine.test(&reference, &reference, 199, 1)?.p_value > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Means {
    /// The squared Euclidean distance; that of unit vectors is twice their cosine distance.
    Squared,
    /// The cosine distance, 1 less the cosine of the angle between both means, of 0..=2.
    Cosine,
}

impl Means {
    /// The distance.
    ///
    /// # Errors
    ///
    /// [`Undefined`] if a sample is empty, rows have different widths, a number is not finite, or, of cosines, a mean is
    /// zero.
    pub fn distance(self, reference: &Rows, current: &Rows) -> Result<f64, Undefined> {
        let [a, b] = [sums(reference)?, sums(current)?];
        if a.len() != b.len() {
            return Err(Undefined::TooFew);
        }
        self.of_sums(&a, reference.len(), &b, current.len())
            .ok_or(Undefined::Constant)
    }

    /// The distance and the share of permutations of all rows in which it is as large (R. A. Fisher, "The Design of
    /// Experiments", 1935, §21): of its level whatever the distribution, and at least 1 / (`permutations` + 1).
    ///
    /// Time grows with permutations, the rows of the smaller sample and their width; memory is that of the rows.
    ///
    /// # Errors
    ///
    /// As [`distance`](Self::distance).
    pub fn test(
        self,
        reference: &Rows,
        current: &Rows,
        permutations: usize,
        seed: u64,
    ) -> Result<Test, Undefined> {
        let statistic = self.distance(reference, current)?;
        let rows: Vec<&[f64]> = reference.iter().chain(current.iter()).collect();
        let all = sums(reference)?;
        let all: Vec<f64> = all.iter().zip(sums(current)?).map(|(a, b)| a + b).collect();
        let few = reference.len().min(current.len());
        let mut random = SplitMix::new(seed);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut part = vec![0.0; all.len()];
        let mut as_far = 0;
        // What another order of summing rounds is no difference.
        let reached = statistic * (1.0 - 1e-9);
        for _ in 0..permutations {
            part.fill(0.0);
            for at in 0..few {
                let other = at + random.below(order.len() - at);
                order.swap(at, other);
                for (sum, value) in part.iter_mut().zip(rows[order[at]]) {
                    *sum += value;
                }
            }
            let rest: Vec<f64> = all
                .iter()
                .zip(&part)
                .map(|(all, part)| all - part)
                .collect();
            let distance = self.of_sums(&part, few, &rest, rows.len() - few);
            as_far += usize::from(distance.is_none_or(|distance| distance >= reached));
        }
        Ok(Test {
            statistic,
            p_value: (as_far + 1) as f64 / (permutations + 1) as f64,
        })
    }

    fn of_sums(self, a: &[f64], n: usize, b: &[f64], m: usize) -> Option<f64> {
        let (n, m) = (n as f64, m as f64);
        let pairs = a.iter().zip(b).map(|(a, b)| (a / n, b / m));
        match self {
            Self::Squared => Some(pairs.map(|(a, b)| (a - b).powi(2)).sum()),
            Self::Cosine => {
                let (mut product, mut squares) = (0.0, [0.0; 2]);
                for (a, b) in pairs {
                    product += a * b;
                    squares[0] += a * a;
                    squares[1] += b * b;
                }
                let lengths = (squares[0] * squares[1]).sqrt();
                (lengths > 0.0).then(|| (1.0 - product / lengths).max(0.0))
            }
        }
    }
}

fn sums(rows: &Rows) -> Result<Vec<f64>, Undefined> {
    if rows.is_empty() {
        return Err(Undefined::TooFew);
    }
    let mut sums = vec![0.0; rows.width()];
    for row in rows.iter() {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    if sums.iter().all(|sum| sum.is_finite()) {
        Ok(sums)
    } else {
        Err(Undefined::Infinite)
    }
}

/// The share of components that have drifted, each judged as a feature and all together: of a policy's `level` only as
/// many are false.
///
/// ```
/// use modelpulse::drift::{embedding, rows::Rows, verdict::Policy};
///
/// let reference = Rows::new(2, (0..400).map(|i| f64::from(i * 7919 % 400)).collect())?;
/// let moved = (0..400).map(|i| f64::from(i * 7919 % 400) + f64::from(i % 2) * 100.0).collect();
/// assert_eq!(embedding::drifted_share(&reference, &Rows::new(2, moved)?, &Policy::default())?, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Undefined::TooFew`] if rows have different widths or there are fewer than the policy needs.
pub fn drifted_share(reference: &Rows, current: &Rows, policy: &Policy) -> Result<f64, Undefined> {
    let width = reference.width();
    if current.width() != width {
        return Err(Undefined::TooFew);
    }
    let columns =
        |rows: &Rows| -> Vec<Vec<f64>> { (0..width).map(|at| rows.column(at).collect()).collect() };
    let (a, b) = (columns(reference), columns(current));
    let pairs = a.iter().zip(&b);
    let features: Vec<Feature<'_>> = pairs
        .map(|(a, b)| Feature::new("", Column::Numbers(a), Column::Numbers(b)))
        .collect();
    let judged = policy.judge(&features);
    if judged
        .iter()
        .all(|feature| feature.verdict == Verdict::NotEnoughData)
    {
        return Err(Undefined::TooFew);
    }
    let drifted = judged
        .iter()
        .filter(|feature| feature.verdict == Verdict::Drift);
    Ok(drifted.count() as f64 / width as f64)
}
