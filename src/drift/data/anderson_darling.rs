//! The Anderson–Darling test of two samples: as Kolmogorov–Smirnov's, but the tails count as much as the middle.

use super::sample::{Sample, steps};
use super::{Test, Undefined, at_least};

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
pub fn test(reference: &Sample, current: &Sample) -> Result<Test, Undefined> {
    at_least(1, [reference, current])?;
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
    let statistic = (raw - 1.0) / variance(n, 1.0 / sizes[0] + 1.0 / sizes[1]).sqrt();
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
