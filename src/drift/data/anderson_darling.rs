//! The Anderson–Darling test of two samples: as Kolmogorov–Smirnov's, but the tails count as much as the middle.

use std::f64::consts::PI;

use super::quadratic::{self, Tail};
use super::sample::steps;
use super::{Distribution, Test, Undefined, at_least};

/// The variance of the statistic for very many values: 2 (π² - 9) / 3.
const LIMIT_VARIANCE: f64 = 0.579_736_267_392_905_8;

/// The weights of the squares are 1 / (j (j + 1)).
const TAIL: Tail = Tail {
    scale: 1.732_050_807_568_877_2,
    slope: 11.0 / 18.0,
};

/// The natural logarithm of the level as a polynomial of the statistic: a least-squares fit to the seven critical values
/// that F. W. Scholz and M. A. Stephens (1987, doi 10.1080/01621459.1987.10478517) give for two samples, table 1.
const LN_LEVEL: [f64; 3] = [-1.077770279820484, -1.0082265644652515, 0.01819809457411147];
/// The critical values of the levels 0.25 and 0.001: the table says nothing beyond.
const ENDS: [f64; 2] = [0.325, 6.546];

/// The test with midranks for ties. The statistic is normalised; the p-value, from a table, is of 0.001..=0.25.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty or both together are less than four, [`Undefined::Constant`].
pub fn test(reference: &impl Distribution, current: &impl Distribution) -> Result<Test, Undefined> {
    let statistic = statistic(reference, current)?;
    let [a, b, c] = LN_LEVEL;
    let p_value = if statistic < ENDS[0] {
        0.25
    } else if statistic > ENDS[1] {
        0.001
    } else {
        (a + statistic * (b + statistic * c)).exp()
    };
    Ok(Test { statistic, p_value })
}

/// The test with the p-value of the limiting distribution, matched in mean and variance: neither cut off at 0.001 nor
/// at 0.25. It has its level from some ten values on: the variance is that of samples with these ties, which is larger
/// the fewer kinds of values there are.
///
/// # Errors
///
/// As [`test()`].
pub fn asymptotic(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    let statistic = statistic(reference, current)?;
    let more = of_ties(reference, current);
    let p_value = survival(1.0 + statistic * (LIMIT_VARIANCE / more).sqrt());
    Ok(Test { statistic, p_value })
}

/// The chance of a larger statistic for very many values (T. W. Anderson and D. A. Darling, 1954,
/// doi 10.1080/01621459.1954.10501232).
fn survival(z: f64) -> f64 {
    const STEP: f64 = 1.0 / 64.0;
    if z < 0.02 {
        return 1.0;
    }
    if z > quadratic::FROM {
        return TAIL.survival(z);
    }
    let mut within = 0.0;
    // (-1/2 choose j).
    let mut choose = 1.0;
    for j in 0..40 {
        let k = f64::from(4 * j + 1);
        let rate = k * k * PI * PI / (8.0 * z);
        // By the trapezoid rule, which converges for such integrals faster than any power of the step; what stands
        // before the integral is taken into it, so that nothing overflows.
        let at = |w: f64| (z / (8.0 * (w * w + 1.0)) - rate * (w * w + 1.0)).exp();
        // The integrand is a bell of this width.
        let width = 1.0 / rate.sqrt();
        let mut integral = at(0.0) / 2.0;
        for i in 1.. {
            let part = at(STEP * width * f64::from(i));
            integral += part;
            if part <= 1e-18 * integral {
                break;
            }
        }
        let term = choose * k * integral * STEP * width;
        within += term;
        if term.abs() < 1e-18 {
            break;
        }
        choose *= -(f64::from(j) + 0.5) / f64::from(j + 1);
    }
    (1.0 - (2.0 * PI).sqrt() / z * within).clamp(0.0, 1.0)
}

/// The normalised statistic.
fn statistic(reference: &impl Distribution, current: &impl Distribution) -> Result<f64, Undefined> {
    at_least(1, reference, current)?;
    let sizes = [reference.len() as f64, current.len() as f64];
    let n = sizes[0] + sizes[1];
    if n < 4.0 {
        return Err(Undefined::TooFew);
    }
    let mut sums = [0.0; 2];
    let mut distinct = 0_u64;
    for step in steps(reference, current) {
        let ties = step.ties();
        let middle = (step.below[0] + step.below[1]) as f64 + ties / 2.0;
        let weight = ties / n / (middle * (n - middle) - n * ties / 4.0);
        for side in 0..2 {
            let rank = step.below[side] as f64 + step.here[side] as f64 / 2.0;
            sums[side] += weight * (n * rank - middle * sizes[side]).powi(2);
        }
        distinct += 1;
    }
    if distinct < 2 {
        return Err(Undefined::Constant);
    }
    let raw = (n - 1.0) / n * (sums[0] / sizes[0] + sums[1] / sizes[1]);
    Ok((raw - 1.0) / variance(n, 1.0 / sizes[0] + 1.0 / sizes[1]).sqrt())
}

/// How many times as large ties make the variance of the statistic.
///
/// The raw statistic is a weighted sum, over the distinct values, of squares of mean 1. With B values up to the middle of
/// one, of all N, its rank in a sample has variance in proportion to B (N - B) - N t / 4 for t ties, and its covariance
/// with that of a later one is in proportion to B (N - B'); twice the weighted sum of all squared correlations is the
/// variance of the whole, as of squares of normal numbers.
fn of_ties(reference: &impl Distribution, current: &impl Distribution) -> f64 {
    let all = reference.len() + current.len();
    let n = all as f64;
    let variance = |groups: &mut dyn Iterator<Item = f64>| {
        let (mut below, mut before, mut total) = (0.0, 0.0, 0.0);
        for ties in groups {
            let middle = below + ties / 2.0;
            let own = middle * (n - middle) - n * ties / 4.0;
            total += ties * (ties + 2.0 * before * (n - middle).powi(2) / own);
            before += ties * middle * middle / own;
            below += ties;
        }
        total
    };
    let mut distinct = 0;
    let groups = steps(reference, current).map(|step| step.ties());
    let tied = variance(&mut groups.inspect(|_| distinct += 1));
    if distinct == all {
        return 1.0;
    }
    tied / variance(&mut std::iter::repeat_n(1.0, all))
}

/// Of the raw statistic, for two samples that have `n` values together; equation 4 of the paper.
fn variance(n: f64, inverse_sizes: f64) -> f64 {
    let (mut h, mut g) = (0.0, 0.0);
    let mut i = n - 1.0;
    while i > 1.0 {
        h += 1.0 / i;
        g += h / (n + 1.0 - i);
        i -= 1.0;
    }
    h += 1.0;
    let s = inverse_sizes;
    let a = 4.0 * g - 6.0 + (10.0 - 6.0 * g) * s;
    let b = 4.0 * (2.0 * g - 4.0) + 8.0 * h + (2.0 * g - 14.0 * h - 4.0) * s + 4.0 * g - 6.0;
    let c = 4.0 * (6.0 * h + 2.0 * g - 2.0)
        + 2.0 * (4.0 * h - 4.0 * g + 6.0)
        + (2.0 * h - 6.0) * s
        + 4.0 * h;
    let d = 4.0 * (2.0 * h + 6.0) - 8.0 * h;
    (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_goes_on_where_the_series_ends() {
        quadratic::tests::goes_on(survival, quadratic::FROM);
    }
}
