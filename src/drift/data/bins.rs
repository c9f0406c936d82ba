//! Numbers in bins, so that they can be compared as categories are.

use super::{Counts, Distribution};

/// The edges at the quantiles of the reference, `bins` - 1 or fewer of them: equal ones are one.
///
/// A bin holds what is above its lower edge and up to its upper one; the first and the last are open.
///
/// ```
/// use modelpulse::drift::data::{Sample, bins};
///
/// let reference = Sample::new(&[1.0, 2.0, 3.0, 4.0, 5.0]);
/// let edges = bins::quantiles(&reference, 4);
/// assert_eq!(edges, [2.0, 3.0, 4.0]);
/// let counts = bins::counts(&edges, &reference, &Sample::new(&[0.0, 2.5, 9.0]));
/// assert_eq!((counts.reference(), counts.current()), (&[2, 1, 1, 1][..], &[1, 1, 0, 1][..]));
/// ```
#[must_use]
pub fn quantiles(reference: &impl Distribution, bins: usize) -> Vec<f64> {
    let share = |i: usize| reference.quantile(i as f64 / bins as f64);
    let mut edges: Vec<f64> = (1..bins).filter_map(share).collect();
    edges.dedup();
    edges
}

/// How many values of each sample are in each bin of [`quantiles`]; missing ones are in none.
#[must_use]
pub fn counts(edges: &[f64], reference: &impl Distribution, current: &impl Distribution) -> Counts {
    Counts::new(between(edges, reference), between(edges, current))
}

fn between(edges: &[f64], distribution: &impl Distribution) -> Vec<u64> {
    let mut below = 0;
    let upto = edges.iter().map(|&edge| distribution.upto(edge));
    let counted = upto.chain([distribution.len()]).map(|end| {
        let count = end - below;
        below = end;
        count as u64
    });
    counted.collect()
}
