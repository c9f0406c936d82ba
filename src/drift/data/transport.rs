//! Distances that see how far values have moved.

use super::sample::{steps, sum};
use super::{Distribution, Undefined, at_least};

/// The Wasserstein distance of order one: how far values must move on average, in their own unit. Infinite if an
/// infinite value has to.
///
/// ```
/// use modelpulse::drift::data::{Sample, transport};
///
/// let (reference, current) = (Sample::new(&[0.0, 1.0, 3.0]), Sample::new(&[5.0, 6.0, 8.0]));
/// assert!((transport::wasserstein(&reference, &current)? - 5.0).abs() < 1e-12);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn wasserstein(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<f64, Undefined> {
    at_least(1, reference, current)?;
    Ok(sum(
        areas(reference, current).map(|(apart, width)| apart.abs() * width)
    ))
}

/// The energy distance (G. J. Székely and M. L. Rizzo, 2013, doi 10.1016/j.jspi.2013.03.018).
///
/// # Errors
///
/// [`Undefined::TooFew`] if one is empty.
pub fn energy(
    reference: &impl Distribution,
    current: &impl Distribution,
) -> Result<f64, Undefined> {
    at_least(1, reference, current)?;
    let squares = sum(areas(reference, current).map(|(apart, width)| apart * apart * width));
    Ok((2.0 * squares).sqrt())
}

/// How far apart the distribution functions are between two values, and how far those are.
fn areas<'a>(
    a: &'a impl Distribution,
    b: &'a impl Distribution,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let mut before: Option<(f64, f64)> = None;
    steps(a, b).filter_map(move |step| {
        let apart = step.upto(0) as f64 / n - step.upto(1) as f64 / m;
        let area = before.map(|(value, apart)| (apart, step.value - value));
        before = Some((step.value, apart));
        // Where they are together it does not matter how far it is.
        area.filter(|&(apart, _)| apart != 0.0)
    })
}
