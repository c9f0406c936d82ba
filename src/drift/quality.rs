//! The quality of data: missing values, new categories, values out of range, duplicates, and a summary of a column.

use std::collections::HashSet;
use std::hash::Hash;

use super::data::Sample;

/// The share of values that are missing; NaN of none.
///
/// ```
/// use modelpulse::drift::quality;
/// assert_eq!(quality::missing_rate([Some(1.0), None, None, Some(2.0)]), 0.5);
/// ```
pub fn missing_rate<T>(values: impl IntoIterator<Item = Option<T>>) -> f64 {
    rate(values, Option::is_none)
}

/// The share of values that are none of the reference's categories; what is missing is no new category.
///
/// ```
/// use std::collections::HashSet;
/// use modelpulse::drift::quality;
///
/// let seen = HashSet::from(["a", "b"]);
/// assert_eq!(quality::unseen_rate(&seen, [Some("a"), Some("c"), None, Some("b")]), 0.25);
/// ```
pub fn unseen_rate<T: Hash + Eq>(
    reference: &HashSet<T>,
    values: impl IntoIterator<Item = Option<T>>,
) -> f64 {
    rate(values, |value| {
        value
            .as_ref()
            .is_some_and(|value| !reference.contains(value))
    })
}

/// The share of values that are below the least or above the largest of the reference.
///
/// ```
/// use modelpulse::drift::{data::Sample, quality};
///
/// let reference = Sample::new(&[1.0, 5.0, 3.0]);
/// assert_eq!(quality::out_of_range_rate(&reference, &[0.9, 1.0, 5.0, f64::NAN]), 0.25);
/// ```
#[must_use]
pub fn out_of_range_rate(reference: &Sample, values: &[f64]) -> f64 {
    let ends = reference.values().first().zip(reference.values().last());
    rate(values, |&&value| {
        ends.is_some_and(|(least, most)| value < *least || value > *most)
    })
}

fn rate<T>(values: impl IntoIterator<Item = T>, of: impl Fn(&T) -> bool) -> f64 {
    let (mut counted, mut all) = (0_u64, 0_u64);
    for value in values {
        counted += u64::from(of(&value));
        all += 1;
    }
    counted as f64 / all as f64
}

/// The standard deviation of a rate over chunks of `chunk` values: how far chance alone moves it.
///
/// ```
/// use modelpulse::drift::quality;
/// assert!((quality::sampling_error(0.2, 100) - 0.04).abs() < 1e-12);
/// ```
#[must_use]
pub fn sampling_error(reference_rate: f64, chunk: usize) -> f64 {
    (reference_rate * (1.0 - reference_rate) / chunk as f64).sqrt()
}

/// How many rows are equal to one before them.
///
/// ```
/// use modelpulse::drift::quality;
/// assert_eq!(quality::duplicates([(1, "a"), (2, "b"), (1, "a"), (1, "a")]), 2);
/// ```
pub fn duplicates<T: Hash + Eq>(rows: impl IntoIterator<Item = T>) -> usize {
    let mut seen = HashSet::new();
    rows.into_iter()
        .filter_map(|row| (!seen.insert(row)).then_some(()))
        .count()
}

/// A column of numbers in a few.
///
/// ```
/// use modelpulse::drift::{data::Sample, quality::Summary};
///
/// let summary = Summary::of(&Sample::new(&[4.0, 1.0, f64::NAN, 2.0, 3.0]));
/// assert_eq!((summary.count, summary.missing, summary.median), (4, 1, 2.5));
/// assert!(!summary.constant);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Values that are there.
    pub count: usize,
    /// Values that are missing.
    pub missing: usize,
    /// Values unlike all others.
    pub distinct: usize,
    /// Whether there are values, and all are equal.
    pub constant: bool,
    /// The mean; NaN where there is nothing, as all that follow.
    pub mean: f64,
    /// The standard deviation of what they are drawn from (`ddof = 1`).
    pub deviation: f64,
    /// The least.
    pub least: f64,
    /// The lower quartile.
    pub lower_quartile: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub upper_quartile: f64,
    /// The largest.
    pub most: f64,
}

impl Summary {
    /// Sums up a column.
    #[must_use]
    pub fn of(sample: &Sample) -> Self {
        let quantile = |share| sample.quantile(share).unwrap_or(f64::NAN);
        let n = sample.len() as f64;
        Self {
            count: sample.len(),
            missing: sample.missing(),
            distinct: sample.distinct(),
            constant: sample.distinct() == 1,
            mean: sample.mean(),
            deviation: (sample.squares() / (n - 1.0)).sqrt(),
            least: quantile(0.0),
            lower_quartile: quantile(0.25),
            median: quantile(0.5),
            upper_quartile: quantile(0.75),
            most: quantile(1.0),
        }
    }
}
