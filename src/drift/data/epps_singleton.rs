//! The Epps–Singleton test: the difference of two empirical characteristic functions. It sees discrete distributions as
//! well as continuous ones.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::eigen::{Matrix, symmetric};
use super::sample::{Sample, sum};
use super::{Test, Undefined, finite, tested};

/// Where the characteristic functions are compared, in units of half the interquartile range.
const AT: [f64; 2] = [0.4, 0.8];
const SIZE: usize = 2 * AT.len();

/// The test (T. W. Epps and K. J. Singleton, 1986, doi 10.1080/00949658608810963), with the correction for fewer than
/// 25 values. Degrees of freedom are the rank of the covariance: fewer than four for values of few kinds.
///
/// Each sample has a covariance of its own, as in scipy; where one is much smaller than the other, too few values tell its
/// covariance, and it alarms several times too often: see [`pooled`].
///
/// # Errors
///
/// [`Undefined`] if one has fewer than five values, one is infinite, or the middle half of them are all equal.
pub fn test(reference: &Sample, current: &Sample) -> Result<Test, Undefined> {
    compare(reference, current, false)
}

/// The test with one covariance for both samples, which is what they have if they are of one distribution: at its level
/// for samples of different sizes too.
///
/// # Errors
///
/// As [`test()`].
pub fn pooled(reference: &Sample, current: &Sample) -> Result<Test, Undefined> {
    compare(reference, current, true)
}

fn compare(reference: &Sample, current: &Sample, one: bool) -> Result<Test, Undefined> {
    finite(5, reference, current)?;
    let mut both = reference.values().to_vec();
    both.extend(current.values());
    let both = Sample::new(&both);
    let range = both.quantile(0.75).zip(both.quantile(0.25));
    let scale = range.map_or(0.0, |(high, low)| (high - low) / 2.0);
    if scale <= 0.0 {
        return Err(Undefined::Constant);
    }
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let all = n + m;
    let (mean_a, covariance_a) = moments(reference, scale);
    let (mean_b, covariance_b) = moments(current, scale);
    let pooled = |i: usize, j: usize| {
        let (a, b) = (covariance_a[i][j], covariance_b[i][j]);
        if one {
            (n * a + m * b) / (all - 2.0) * (all / n + all / m)
        } else {
            all / n * a + all / m * b
        }
    };
    let row = |i: usize| (0..SIZE).map(|j| pooled(i, j)).collect();
    let (values, vectors) = symmetric((0..SIZE).map(row).collect());
    let largest = values
        .iter()
        .fold(0.0, |most: f64, value| most.max(value.abs()));
    let (mut statistic, mut rank) = (0.0, 0);
    for (k, &value) in values.iter().enumerate() {
        if value.abs() <= 1e-15 * largest {
            continue;
        }
        let along: f64 = (0..SIZE)
            .map(|i| vectors[i][k] * (mean_a[i] - mean_b[i]))
            .sum();
        statistic += all * along * along / value;
        rank += 1;
    }
    if rank == 0 {
        return Err(Undefined::Constant);
    }
    if n.max(m) < 25.0 {
        statistic /= 1.0 + all.powf(-0.45) + 10.1 * (n.powf(-1.7) + m.powf(-1.7));
    }
    tested(statistic, |statistic| {
        ChiSquared::new(f64::from(rank)).map_or(f64::NAN, |chi| chi.sf(statistic))
    })
}

/// The means of the cosines and sines, and their covariances.
fn moments(sample: &Sample, scale: f64) -> ([f64; SIZE], Matrix) {
    let n = sample.len() as f64;
    let columns: [Vec<f64>; SIZE] = std::array::from_fn(|i| {
        let t = AT[i % AT.len()] / scale;
        let wave = |value: &f64| {
            if i < AT.len() {
                (t * value).cos()
            } else {
                (t * value).sin()
            }
        };
        sample.values().iter().map(wave).collect()
    });
    let means: [f64; SIZE] = std::array::from_fn(|i| sum(columns[i].iter().copied()) / n);
    let product = |i: usize, j: usize| {
        let pairs = columns[i].iter().zip(&columns[j]);
        sum(pairs.map(|(a, b)| (a - means[i]) * (b - means[j]))) / n
    };
    let row = |i: usize| (0..SIZE).map(|j| product(i, j)).collect();
    let covariance = (0..SIZE).map(row).collect();
    (means, covariance)
}
