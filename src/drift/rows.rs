//! Drift of several features at once: maximum mean discrepancy, energy distance, and how well principal components of
//! the reference reconstruct what is current.

use super::data::eigen::symmetric;
use super::data::mann_whitney::{self, Side};
use super::data::sample::sum;
use super::data::{Sample, Test};
use super::{DriftError, Undefined};
use crate::metrics::random::SplitMix;

/// Rows of as many finite numbers each.
///
/// ```
/// use modelpulse::drift::rows::Rows;
///
/// let rows = Rows::new(2, vec![1.0, 2.0, 3.0, 4.0])?;
/// assert_eq!((rows.len(), rows.width()), (2, 2));
/// assert!(Rows::new(2, vec![1.0, 2.0, 3.0]).is_err());
/// # Ok::<(), modelpulse::drift::DriftError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    width: usize,
    values: Vec<f64>,
}

impl Rows {
    /// Rows of `width` numbers, one behind the other. NaN is a value that is missing; what needs all says so.
    ///
    /// # Errors
    ///
    /// [`DriftError::Width`] if the last row is not whole, or rows have no numbers.
    pub fn new(width: usize, values: Vec<f64>) -> Result<Self, DriftError> {
        if width == 0 || !values.len().is_multiple_of(width) {
            let numbers = values.len();
            return Err(DriftError::Width { width, numbers });
        }
        Ok(Self { width, values })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many numbers each has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> + Clone {
        self.values.chunks_exact(self.width)
    }

    /// Those of these places, all of which are there.
    fn chosen(&self, places: &[usize]) -> Self {
        let values = places.iter().flat_map(|&at| self.row(at));
        Self {
            width: self.width,
            values: values.copied().collect(),
        }
    }

    /// A row that is there.
    pub(super) fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..][..self.width]
    }

    pub(super) fn column(&self, at: usize) -> impl Iterator<Item = f64> + '_ {
        self.iter().map(move |row| row[at])
    }
}

/// Squared distances of all rows of two samples; the reference first.
#[derive(Debug)]
struct Distances {
    n: usize,
    all: usize,
    squares: Vec<f64>,
}

impl Distances {
    fn of(reference: &Rows, current: &Rows) -> Result<Self, Undefined> {
        if reference.len() < 2 || current.len() < 2 || reference.width != current.width {
            return Err(Undefined::TooFew);
        }
        let rows: Vec<&[f64]> = reference.iter().chain(current.iter()).collect();
        if !rows
            .iter()
            .all(|row| row.iter().all(|value| value.is_finite()))
        {
            return Err(Undefined::Infinite);
        }
        let squared = |a: &[f64], b: &[f64]| {
            let differences = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
            differences.sum::<f64>()
        };
        let mut squares = Vec::with_capacity(rows.len() * rows.len());
        for a in &rows {
            squares.extend(rows.iter().map(|b| squared(a, b)));
        }
        Ok(Self {
            n: reference.len(),
            all: rows.len(),
            squares,
        })
    }

    /// Half the median of those of different rows.
    fn bandwidth(&self) -> f64 {
        let mut above = Vec::with_capacity(self.all * (self.all - 1) / 2);
        for (i, row) in self.squares.chunks_exact(self.all).enumerate() {
            above.extend_from_slice(&row[i + 1..]);
        }
        Sample::new(&above).quantile(0.5).unwrap_or(0.0) / 2.0
    }

    fn map(mut self, of: impl Fn(f64) -> f64) -> Self {
        for square in &mut self.squares {
            *square = of(*square);
        }
        self
    }

    /// The sums within the reference, within the current sample, and across, for any order of the rows.
    fn sums(&self, is_reference: &[bool]) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for (row, &here) in self.squares.chunks_exact(self.all).zip(is_reference) {
            let mut within = [0.0; 2];
            for (&value, &there) in row.iter().zip(is_reference) {
                within[usize::from(!there)] += value;
            }
            if here {
                sums[0] += within[0];
                sums[2] += within[1];
            } else {
                sums[1] += within[1];
            }
        }
        sums
    }

    fn order(&self) -> Vec<bool> {
        (0..self.all).map(|at| at < self.n).collect()
    }
}

/// The maximum mean discrepancy with a Gaussian kernel (A. Gretton et al., "A kernel two-sample test", 2012).
///
/// ```
/// use modelpulse::drift::rows::{Mmd, Rows};
///
/// let reference = Rows::new(1, (0..40).map(f64::from).collect())?;
/// let current = Rows::new(1, (0..40).map(|i| f64::from(i) + 30.0).collect())?;
/// let mmd = Mmd::of(&reference, &current)?;
/// assert!(mmd.test(200, 7).p_value < 0.01);
/// assert_eq!(mmd.test(200, 7), mmd.test(200, 7), "the same seed, the same answer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Mmd {
    kernel: Distances,
    bandwidth: f64,
}

impl Mmd {
    /// Takes two samples, with half the median squared distance of their rows as the bandwidth.
    ///
    /// Memory and time grow with the square of all rows: draw some thousand of more.
    ///
    /// # Errors
    ///
    /// [`Undefined`] if one has fewer than two rows or rows of another width, a number is not finite, or at least half
    /// of the rows are equal.
    pub fn of(reference: &Rows, current: &Rows) -> Result<Self, Undefined> {
        let distances = Distances::of(reference, current)?;
        let bandwidth = distances.bandwidth();
        if bandwidth <= 0.0 {
            return Err(Undefined::Constant);
        }
        Ok(Self {
            kernel: distances.map(|square| (-square / (2.0 * bandwidth)).exp()),
            bandwidth,
        })
    }

    /// σ² of the kernel exp(-d² / 2σ²).
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
        self.bandwidth
    }

    /// The squared discrepancy, without bias: below 0 by chance where there is none.
    #[must_use]
    pub fn unbiased(&self) -> f64 {
        self.unbiased_of(&self.kernel.order())
    }

    fn unbiased_of(&self, is_reference: &[bool]) -> f64 {
        let (n, m) = (
            self.kernel.n as f64,
            (self.kernel.all - self.kernel.n) as f64,
        );
        let [a, b, across] = self.kernel.sums(is_reference);
        // Of a row and itself the kernel is 1.
        (a - n) / (n * (n - 1.0)) + (b - m) / (m * (m - 1.0)) - 2.0 * across / (n * m)
    }

    /// The squared discrepancy of the samples themselves, never below 0.
    #[must_use]
    pub fn biased(&self) -> f64 {
        let (n, m) = (
            self.kernel.n as f64,
            (self.kernel.all - self.kernel.n) as f64,
        );
        let [a, b, across] = self.kernel.sums(&self.kernel.order());
        a / (n * n) + b / (m * m) - 2.0 * across / (n * m)
    }

    /// The test by permutations of the rows: their number bounds the p-value from below.
    #[must_use]
    pub fn test(&self, permutations: usize, seed: u64) -> Test {
        let mut random = SplitMix::new(seed);
        let mut order = self.kernel.order();
        let statistic = self.unbiased();
        let mut as_extreme = 0;
        for _ in 0..permutations {
            for at in (1..order.len()).rev() {
                order.swap(at, random.below(at + 1));
            }
            as_extreme += usize::from(self.unbiased_of(&order) >= statistic);
        }
        Test {
            statistic,
            p_value: (as_extreme + 1) as f64 / (permutations + 1) as f64,
        }
    }
}

/// The squared energy distance of rows: 2 E|X - Y| - E|X - X'| - E|Y - Y'| (G. J. Székely and M. L. Rizzo, 2013,
/// doi 10.1016/j.jspi.2013.03.018).
///
/// # Errors
///
/// As [`Mmd::of`].
pub fn energy(reference: &Rows, current: &Rows) -> Result<f64, Undefined> {
    let distances = Distances::of(reference, current)?.map(f64::sqrt);
    let (n, m) = (distances.n as f64, (distances.all - distances.n) as f64);
    let [a, b, across] = distances.sums(&distances.order());
    Ok(2.0 * across / (n * m) - a / (n * n) - b / (m * m))
}

/// Principal components of the reference: rows in which features no longer hang together as they did are reconstructed
/// less well.
///
/// ```
/// use modelpulse::drift::rows::{Components, Rows};
///
/// // Two features that are as good as one, and then are not.
/// let together = (0..50).flat_map(|i| [f64::from(i), f64::from(2 * i + i % 2)]).collect();
/// let apart = (0..50).flat_map(|i| [f64::from(i), f64::from(100 - 2 * i)]).collect();
/// let reference = Rows::new(2, together)?;
/// let components = Components::fit(&reference, 0.65)?;
/// assert_eq!(components.kept(), 1);
/// let mean = |rows: &Rows| components.errors(rows).map(|e| e.iter().sum::<f64>() / e.len() as f64);
/// assert!(mean(&Rows::new(2, apart)?)? > 10.0 * mean(&reference)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Components {
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// Those kept, each of as many numbers as a row.
    axes: Vec<Vec<f64>>,
}

impl Components {
    /// Scales each feature to mean 0 and deviation 1, and keeps as many components as explain more than `share` of the
    /// variance. Missing values count as the mean of their feature.
    ///
    /// # Errors
    ///
    /// [`Undefined`] for fewer than two rows, an infinite number, or features that are all constant.
    pub fn fit(reference: &Rows, share: f64) -> Result<Self, Undefined> {
        if reference.len() < 2 {
            return Err(Undefined::TooFew);
        }
        let width = reference.width;
        let n = reference.len() as f64;
        let mut means = Vec::with_capacity(width);
        let mut deviations = Vec::with_capacity(width);
        for at in 0..width {
            let column: Vec<f64> = reference.column(at).collect();
            let column = Sample::new(&column);
            if !column.is_finite() {
                return Err(Undefined::Infinite);
            }
            means.push(if column.is_empty() {
                0.0
            } else {
                column.mean()
            });
            // Over all rows: a missing value counts as the mean.
            let deviation = (column.squares() / n).sqrt();
            deviations.push(if deviation > 0.0 { deviation } else { 1.0 });
        }
        let mut fitted = Self {
            means,
            deviations,
            axes: Vec::new(),
        };
        let scaled: Vec<Vec<f64>> = reference.iter().map(|row| fitted.scaled(row)).collect();
        let covariance = |i: usize, j: usize| sum(scaled.iter().map(|row| row[i] * row[j])) / n;
        let row = |i: usize| (0..width).map(|j| covariance(i, j)).collect();
        let (values, vectors) = symmetric((0..width).map(row).collect());
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let all: f64 = values.iter().sum();
        if all <= 0.0 {
            return Err(Undefined::Constant);
        }
        let mut explained = 0.0;
        for at in order {
            fitted
                .axes
                .push(vectors.iter().map(|row| row[at]).collect());
            explained += values[at] / all;
            if explained > share {
                break;
            }
        }
        Ok(fitted)
    }

    /// How many components are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.axes.len()
    }

    fn scaled(&self, row: &[f64]) -> Vec<f64> {
        let scales = self.means.iter().zip(&self.deviations);
        let scaled = row.iter().zip(scales).map(|(value, (mean, deviation))| {
            if value.is_nan() {
                0.0
            } else {
                (value - mean) / deviation
            }
        });
        scaled.collect()
    }

    /// Whether the current rows are reconstructed as well as those of the reference, or worse: components are fitted to
    /// one half of the reference, drawn by `seed`, and the errors of the other half are compared with those of the
    /// current rows by the Mann–Whitney test. As neither was fitted to, the test has its level.
    ///
    /// # Errors
    ///
    /// [`Undefined`] as of [`fit`](Self::fit) and [`errors`](Self::errors), of half of the rows.
    pub fn test(
        reference: &Rows,
        current: &Rows,
        share: f64,
        seed: u64,
    ) -> Result<Test, Undefined> {
        let mut random = SplitMix::new(seed);
        let mut order: Vec<usize> = (0..reference.len()).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let (fitted, held_out) = order.split_at(order.len() / 2);
        let components = Self::fit(&reference.chosen(fitted), share)?;
        let [a, b] = [
            components.errors(&reference.chosen(held_out))?,
            components.errors(current)?,
        ];
        mann_whitney::auto(&Sample::new(&a), &Sample::new(&b), Side::Both)
    }

    /// How far each row is from its reconstruction, in deviations of the reference.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] for rows of another width, [`Undefined::Infinite`].
    pub fn errors(&self, rows: &Rows) -> Result<Vec<f64>, Undefined> {
        if rows.width != self.means.len() {
            return Err(Undefined::TooFew);
        }
        let errors: Vec<f64> = rows
            .iter()
            .map(|row| {
                let scaled = self.scaled(row);
                let mut rest = scaled.clone();
                for axis in &self.axes {
                    let along: f64 = axis.iter().zip(&scaled).map(|(a, b)| a * b).sum();
                    for (rest, part) in rest.iter_mut().zip(axis) {
                        *rest -= along * part;
                    }
                }
                rest.iter().map(|value| value * value).sum::<f64>().sqrt()
            })
            .collect();
        if errors.iter().all(|error| error.is_finite()) {
            Ok(errors)
        } else {
            Err(Undefined::Infinite)
        }
    }
}
