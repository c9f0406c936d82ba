//! Medians and quantiles.
//!
//! A quantile is one of the values, never a mean of two, so that a rare long wait stays as long as it was.

/// The median; of an even number of values, the upper one of the middle two. NaN where there is none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// The quantile `q` of ascending `values`. NaN where there is none.
pub(crate) fn quantile<T: Copy + Into<f64>>(values: &[T], q: f64) -> f64 {
    let last = values.len().saturating_sub(1);
    let index = (last as f64 * q).round() as usize;
    values.get(index).map_or(f64::NAN, |&value| value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([2.0, 1.0]), 2.0);
        assert!(median([]).is_nan());
        let ascending: Vec<u32> = (0..=1000).collect();
        assert_eq!(quantile(&ascending, 0.999), 999.0);
    }
}
