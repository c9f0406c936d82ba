//! Tests of means and of spread: Student's and Welch's t, Z, and Levene's around the median.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};
use statrs::function::erf::erfc;

use super::sample::{Sample, sum};
use super::{Distribution, Test, Undefined, finite, tested};

/// Student's t for samples of equal variance, two-sided.
///
/// # Errors
///
/// [`Undefined`] if one is empty, both have one value, one is infinite, or all are equal.
pub fn student(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    finite(1, reference, current)?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let freedom = n + m - 2.0;
    if freedom < 1.0 {
        return Err(Undefined::TooFew);
    }
    let pooled = (reference.squares() + current.squares()) / freedom;
    t(reference, current, pooled * (1.0 / n + 1.0 / m), freedom)
}

/// Welch's t for samples of any variance, two-sided.
///
/// # Errors
///
/// [`Undefined`] if one has fewer than two values, one is infinite, or all are equal.
pub fn welch(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    finite(2, reference, current)?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let a = reference.squares() / (n - 1.0) / n;
    let b = current.squares() / (m - 1.0) / m;
    // Of shares, whose squares are no larger than a number can be.
    let share = a / (a + b);
    let freedom = 1.0 / (share * share / (n - 1.0) + (1.0 - share).powi(2) / (m - 1.0));
    t(reference, current, a + b, freedom)
}

fn t(
    reference: &impl Distribution,
    current: &impl Distribution,
    variance: f64,
    freedom: f64,
) -> Result<Test, Undefined> {
    let difference = reference.mean() - current.mean();
    if variance <= 0.0 && difference == 0.0 {
        return Err(Undefined::Constant);
    }
    tested(difference / variance.sqrt(), |statistic| {
        let tail = StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.sf(statistic.abs()));
        (2.0 * tail).min(1.0)
    })
}

/// Z of two means, two-sided: [`welch`] with the normal distribution, for large samples.
///
/// # Errors
///
/// [`Undefined`] if one has fewer than two values, one is infinite, or all are equal.
pub fn z(reference: &impl Distribution, current: &impl Distribution) -> Result<Test, Undefined> {
    let statistic = welch(reference, current)?.statistic;
    Ok(Test {
        statistic,
        p_value: (2.0 * normal_survival(statistic.abs())).min(1.0),
    })
}

/// Levene's test of equal spread around the median (M. B. Brown and A. B. Forsythe, 1974,
/// doi 10.1080/01621459.1974.10482955).
///
/// # Errors
///
/// [`Undefined`] if one is empty, both have one value, one is infinite, or all are as far from their median.
pub fn levene(reference: &Sample, current: &Sample) -> Result<Test, Undefined> {
    finite(1, reference, current)?;
    let spread = |sample: &Sample| {
        let median = sample.quantile(0.5).unwrap_or(f64::NAN);
        let values = sample.values().iter().map(|value| (value - median).abs());
        Sample::new(&values.collect::<Vec<f64>>())
    };
    let (a, b) = (spread(reference), spread(current));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let freedom = n + m - 2.0;
    if freedom < 1.0 {
        return Err(Undefined::TooFew);
    }
    let all = sum([n * a.mean(), m * b.mean()].into_iter()) / (n + m);
    let between = n * (a.mean() - all).powi(2) + m * (b.mean() - all).powi(2);
    let within = a.squares() + b.squares();
    if within <= 0.0 && between <= 0.0 {
        return Err(Undefined::Constant);
    }
    tested(freedom * between / within, |statistic| {
        FisherSnedecor::new(1.0, freedom).map_or(f64::NAN, |f| f.sf(statistic))
    })
}

/// The chance that a standard normal variable is above `z`.
pub(crate) fn normal_survival(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}
