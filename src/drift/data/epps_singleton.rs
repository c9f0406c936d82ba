//! The Epps–Singleton test: the difference of two empirical characteristic functions. It sees discrete distributions as
//! well as continuous ones.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::sample::{Sample, sum};
use super::{Test, Undefined, finite};

/// Where the characteristic functions are compared, in units of half the interquartile range.
const AT: [f64; 2] = [0.4, 0.8];
const SIZE: usize = 2 * AT.len();
type Matrix = [[f64; SIZE]; SIZE];

/// The test (T. W. Epps and K. J. Singleton, 1986, doi 10.1080/00949658608810963), with the correction for fewer than
/// 25 values. Degrees of freedom are the rank of the covariance: fewer than four for values of few kinds.
///
/// # Errors
///
/// [`Undefined`] if one has fewer than five values, one is infinite, or the middle half of them are all equal.
pub fn test(reference: &Sample, current: &Sample) -> Result<Test, Undefined> {
    finite(5, [reference, current])?;
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
    let mut covariance = [[0.0; SIZE]; SIZE];
    for i in 0..SIZE {
        for j in 0..SIZE {
            covariance[i][j] = all / n * covariance_a[i][j] + all / m * covariance_b[i][j];
        }
    }
    let (values, vectors) = eigen(covariance);
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
    let p_value = ChiSquared::new(f64::from(rank)).map_or(0.0, |chi| chi.sf(statistic));
    Ok(Test { statistic, p_value })
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
    let means = std::array::from_fn(|i| sum(columns[i].iter().copied()) / n);
    let mut covariance = [[0.0; SIZE]; SIZE];
    for i in 0..SIZE {
        for j in 0..=i {
            let pairs = columns[i].iter().zip(&columns[j]);
            covariance[i][j] = sum(pairs.map(|(a, b)| (a - means[i]) * (b - means[j]))) / n;
            covariance[j][i] = covariance[i][j];
        }
    }
    (means, covariance)
}

/// Eigenvalues and, in columns, eigenvectors of a symmetric matrix: Jacobi's rotations.
fn eigen(mut a: Matrix) -> ([f64; SIZE], Matrix) {
    let mut vectors = [[0.0; SIZE]; SIZE];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    let turn = |row: &mut [f64; SIZE], (p, q): (usize, usize), (cosine, sine): (f64, f64)| {
        (row[p], row[q]) = (
            cosine * row[p] - sine * row[q],
            sine * row[p] + cosine * row[q],
        );
    };
    let transposed = |a: Matrix| -> Matrix { std::array::from_fn(|i| a.map(|row| row[i])) };
    for _ in 0..64 {
        let mut off = 0.0;
        for p in 0..SIZE {
            for q in p + 1..SIZE {
                off += a[p][q] * a[p][q];
                if a[p][q] == 0.0 {
                    continue;
                }
                let ratio = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let tangent = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let angle = (cosine, tangent * cosine);
                a.iter_mut().for_each(|row| turn(row, (p, q), angle));
                a = transposed(a);
                a.iter_mut().for_each(|row| turn(row, (p, q), angle));
                a = transposed(a);
                vectors.iter_mut().for_each(|row| turn(row, (p, q), angle));
            }
        }
        if off == 0.0 {
            break;
        }
    }
    (std::array::from_fn(|i| a[i][i]), vectors)
}
