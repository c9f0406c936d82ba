//! The Cramér–von Mises test: the mean squared distance between two empirical distribution functions.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use statrs::function::factorial::ln_binomial;
use statrs::function::gamma::ln_gamma;

use super::quadratic::{self, Tail};
use super::sample::{steps, sum};
use super::{Distribution, Test, Undefined, at_least};

/// The weights of the squares are 1 / (π j)², here as multiples of twice the first.
const TAIL: Tail = Tail {
    scale: std::f64::consts::SQRT_2,
    slope: 3.0 / 8.0,
};

/// Up to so many values in the larger sample the exact p-value is taken, as in scipy.
pub const EXACT: usize = 20;

/// The test with the exact p-value for samples of up to [`EXACT`] values, and the asymptotic one beyond.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one has fewer than two values.
pub fn auto(reference: &impl Distribution, current: &impl Distribution) -> Result<Test, Undefined> {
    if reference.len().max(current.len()) <= EXACT {
        exact(reference, current)
    } else {
        asymptotic(reference, current)
    }
}

/// The test with the p-value of the limiting distribution, matched in mean and variance (T. W. Anderson, 1962,
/// doi 10.1214/aoms/1177704477).
///
/// # Errors
///
/// [`Undefined::TooFew`] if one has fewer than two values.
pub fn asymptotic(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    let statistic = statistic(reference, current)?.1;
    Ok(limiting(statistic, reference, current))
}

/// The test for values of which many are equal: the statistic is taken from the distribution functions, which ties do not
/// move. Without ties it is that of [`asymptotic`]; with them that one, which is scipy's, has ranks that are none, and
/// alarms at large samples whatever they are.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one has fewer than two values.
pub fn tied(reference: &impl Distribution, current: &impl Distribution) -> Result<Test, Undefined> {
    at_least(2, reference, current)?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let squares = steps(reference, current).map(|step| {
        let apart = step.upto(0) as f64 / n - step.upto(1) as f64 / m;
        step.ties() * apart * apart
    });
    let statistic = n * m / ((n + m) * (n + m)) * sum(squares);
    Ok(limiting(statistic, reference, current))
}

/// A statistic with the p-value of the limiting distribution.
fn limiting(statistic: f64, reference: &impl Distribution, current: &impl Distribution) -> Test {
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let (all, k) = (n + m, n * m);
    let mean = (1.0 + 1.0 / all) / 6.0;
    let variance = (all + 1.0) * (4.0 * k * all - 3.0 * (n * n + m * m) - 2.0 * k)
        / (45.0 * all * all * 4.0 * k);
    let matched = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    let p_value = survival(matched);
    Test { statistic, p_value }
}

/// The test with its exact p-value, by counting all orders of the values (Y. Xiao et al., 2006,
/// doi 10.18637/jss.v017.i08); for small samples.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one has fewer than two values.
pub fn exact(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    let (u, statistic) = statistic(reference, current)?;
    let (n, m) = (reference.len() as i128, current.len() as i128);
    let (mut a, mut b) = (n, m);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let common = n / a * m;
    let (across, up) = (common / n, common / m);
    let product = (n * m) as f64;
    let reached = (common * common * (n + m)) as f64 * (6.0 * u - product * (4.0 * product - 1.0))
        / (6.0 * product * product);
    // Rounding in midranks is far below a half.
    let reached = (reached + 1e-6).floor() as i128;
    // Of the orders of the first values: how many have which sum of squares.
    let mut rows: Vec<BTreeMap<i128, f64>> = vec![BTreeMap::new(); reference.len() + 1];
    rows[0].insert(0, 1.0);
    for below in 0..=m {
        let mut before: BTreeMap<i128, f64> = BTreeMap::new();
        for (at, row) in rows.iter_mut().enumerate() {
            let step = (across * at as i128 - up * below).pow(2);
            let mut sums = std::mem::take(row);
            for (&sum, &orders) in &before {
                *sums.entry(sum).or_insert(0.0) += orders;
            }
            before = sums
                .into_iter()
                .map(|(sum, orders)| (sum + step, orders))
                .collect();
            row.clone_from(&before);
        }
    }
    let last = &rows[reference.len()];
    let extreme = sum(last.range(reached..).map(|(_, &orders)| orders));
    let all = ln_binomial(n as u64 + m as u64, n as u64);
    Ok(Test {
        statistic,
        p_value: (extreme.ln() - all).exp().min(1.0),
    })
}

/// The sum of squares of ranks, with midranks for ties, and the statistic.
fn statistic(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<(f64, f64), Undefined> {
    at_least(2, reference, current)?;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    let mut sums = [0.0; 2];
    for step in steps(reference, current) {
        let below = (step.below[0] + step.below[1]) as f64;
        let rank = below + (step.ties() + 1.0) / 2.0;
        for ((sum, &below), &count) in sums.iter_mut().zip(&step.below).zip(&step.here) {
            // The ranks within the sample: first + 1, …, first + count, of which each is `rank` apart.
            let count = count as f64;
            let apart = rank - (below as f64 + (count + 1.0) / 2.0);
            *sum += count * apart * apart + count * (count * count - 1.0) / 12.0;
        }
    }
    let (k, all) = (n * m, n + m);
    let u = n * sums[0] + m * sums[1];
    Ok((u, u / (k * all) - (4.0 * k - 1.0) / (6.0 * all)))
}

/// The chance of a larger statistic for very many values (S. Csörgő and J. Faraway, 1996,
/// doi 10.1111/j.2517-6161.1996.tb02077.x).
fn survival(x: f64) -> f64 {
    if x < 0.003 {
        return 1.0;
    }
    let halves = PI * PI / 2.0 * x;
    if halves > quadratic::FROM {
        return TAIL.survival(halves);
    }
    let mut within = 0.0;
    for k in 0..1000 {
        let k = f64::from(k);
        let y = 4.0 * k + 1.0;
        let q = y * y / (16.0 * x);
        let weight = (ln_gamma(k + 0.5) - ln_gamma(k + 1.0)).exp() / (PI.powf(1.5) * x.sqrt());
        let term = weight * y.sqrt() * scaled_bessel(q);
        within += term;
        if term < 1e-17 {
            break;
        }
    }
    (1.0 - within).clamp(0.0, 1.0)
}

/// exp(-q) K(q), the modified Bessel function of order 1/4, by the trapezoid rule on its integral, which converges
/// faster than any power of the step.
fn scaled_bessel(q: f64) -> f64 {
    const STEP: f64 = 0.0625;
    let at = |t: f64| (-q * (1.0 + t.cosh())).exp() * (0.25 * t).cosh();
    let mut total = at(0.0) / 2.0;
    for i in 1.. {
        let part = at(STEP * f64::from(i));
        total += part;
        if part < 1e-18 * total || part == 0.0 {
            break;
        }
    }
    STEP * total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_goes_on_where_the_series_ends() {
        quadratic::tests::goes_on(survival, quadratic::FROM / (PI * PI / 2.0));
    }
}
