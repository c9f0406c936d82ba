//! The Kolmogorov–Smirnov test: the largest distance between two empirical distribution functions.

use super::kolmogorov;
use super::sample::steps;
use super::{Distribution, Test, Undefined, at_least};

/// The largest distance, and where it is.
///
/// ```
/// use modelpulse::drift::data::{Sample, ks::Distance};
///
/// let distance = Distance::of(&Sample::new(&[1.0, 2.0]), &Sample::new(&[1.0, 3.0]))?;
/// assert_eq!((distance.distance, distance.location, distance.above), (0.5, 2.0, true));
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The distance, of 0..=1.
    pub distance: f64,
    /// The value at which it is.
    pub location: f64,
    /// Whether more of the reference than of the current sample is up to there: the current values are larger.
    pub above: bool,
}

impl Distance {
    /// The distance of two samples.
    ///
    /// # Errors
    ///
    /// [`Undefined::TooFew`] if one is empty.
    pub fn of(
        reference: &impl Distribution,
        current: &impl Distribution,
    ) -> Result<Self, Undefined> {
        at_least(1, reference, current)?;
        let (n, m) = (reference.len() as f64, current.len() as f64);
        // The extremes at values of the reference, then at those of the current sample: scipy takes the first.
        let mut highest = [(f64::NEG_INFINITY, 0.0); 2];
        let mut lowest = [(f64::INFINITY, 0.0); 2];
        for step in steps(reference, current) {
            let apart = step.upto(0) as f64 / n - step.upto(1) as f64 / m;
            for side in 0..2 {
                if step.here[side] > 0 {
                    if apart > highest[side].0 {
                        highest[side] = (apart, step.value);
                    }
                    if apart < lowest[side].0 {
                        lowest[side] = (apart, step.value);
                    }
                }
            }
        }
        let high = if highest[1].0 > highest[0].0 {
            highest[1]
        } else {
            highest[0]
        };
        let low = if lowest[1].0 < lowest[0].0 {
            lowest[1]
        } else {
            lowest[0]
        };
        let above = high.0 >= -low.0;
        let (distance, location) = if above { high } else { (-low.0, low.1) };
        Ok(Self {
            distance: distance.clamp(0.0, 1.0),
            location,
            above,
        })
    }
}

/// Up to so many values in the larger sample the exact p-value is taken, as in scipy.
pub const EXACT: usize = 10_000;

/// The test with the exact p-value for samples of up to [`EXACT`] values, and the asymptotic one beyond.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn auto(reference: &impl Distribution, current: &impl Distribution) -> Result<Test, Undefined> {
    if reference.len().max(current.len()) <= EXACT {
        exact(reference, current)
    } else {
        asymptotic(reference, current)
    }
}

/// The test with its exact p-value, by counting lattice paths (J. L. Hodges, 1958): for samples of sizes n and m in
/// O(n m) at worst.
///
/// Exact for continuous distributions; with ties the p-value is too large.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn exact(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    let statistic = Distance::of(reference, current)?.distance;
    let (n, m) = (reference.len(), current.len());
    let common = n / gcd(n, m) * m;
    let steps = (statistic * common as f64).round();
    let p_value = if steps == 0.0 {
        1.0
    } else if n == m {
        exact_of_equal(n, steps as usize)
    } else {
        outside(n.max(m), n.min(m), steps)
    };
    Ok(Test { statistic, p_value })
}

/// The test with the p-value of one sample of size n m / (n + m), rounded, as in scipy.
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn asymptotic(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<Test, Undefined> {
    let statistic = Distance::of(reference, current)?.distance;
    let (n, m) = (reference.len() as f64, current.len() as f64);
    // Halves are rounded to even, as numpy does it.
    let size = (n * m / (n + m)).round_ties_even();
    let p_value = kolmogorov::survival(size as usize, statistic);
    Ok(Test { statistic, p_value })
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The share of lattice paths from (0, 0) to (n, m) that reach a distance of `steps` / lcm(n, m) from the diagonal.
///
/// Along rows: the share of the paths to (x, y) that have reached it. All terms are positive, so small shares are as
/// exact as large ones.
fn outside(n: usize, m: usize, steps: f64) -> f64 {
    let shared = gcd(n, m);
    let (across, up) = ((m / shared) as f64, (n / shared) as f64);
    // Of row y, the x at which |x · across - y · up| < steps; left and right of them all paths are out.
    let inside = |y: usize| {
        let middle = y as f64 * up;
        let first = ((middle - steps) / across).floor() + 1.0;
        let end = ((middle + steps) / across).ceil();
        (first.max(0.0) as usize, (end as usize).min(n + 1))
    };
    let mut row = vec![1.0; n + 1];
    for y in 0..=m {
        let (first, end) = inside(y);
        if first >= end {
            return 1.0;
        }
        let mut left = if first == 0 { 0.0 } else { 1.0 };
        for (x, here) in (first..).zip(&mut row[first..end]) {
            let below = if y == 0 { 0.0 } else { *here };
            let (x, y) = (x as f64, y as f64);
            if x + y == 0.0 {
                *here = 0.0;
            } else {
                *here = (left * x + below * y) / (x + y);
            }
            left = *here;
        }
    }
    row[n].clamp(0.0, 1.0)
}

/// The chance that the distance of two samples of `n` values each is at least `steps` / `n`, both of one continuous
/// distribution (B. V. Gnedenko and V. S. Korolyuk, 1951).
pub(crate) fn exact_of_equal(n: usize, steps: usize) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    let (size, step) = (n as f64, steps as f64);
    let mut outside = 0.0;
    for k in (0..=n / steps).rev() {
        let reached = k as f64 * step;
        let mut paths = 1.0;
        for j in 0..steps {
            let j = j as f64;
            paths *= (size - reached - j) / (size + reached + j + 1.0);
        }
        outside = paths * (1.0 - outside);
    }
    (2.0 * outside).clamp(0.0, 1.0)
}

/// The distance of two sorted samples of the same length, in steps of 1 / length.
pub(crate) fn steps_of_equal(a: &[f64], b: &[f64]) -> usize {
    let (mut i, mut j, mut most) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        while a.get(i) == Some(&value) {
            i += 1;
        }
        while b.get(j) == Some(&value) {
            j += 1;
        }
        most = most.max(i.abs_diff(j));
    }
    most
}
