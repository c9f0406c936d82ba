//! Whole numbers near given ones, with the sum that those have.

/// Each number rounded, those that lose or gain most by it rounded the other way until the sum is right.
pub(super) fn preserving_sum(values: &[f64]) -> Vec<i64> {
    let mut whole: Vec<f64> = values.iter().map(|value| value.round_ties_even()).collect();
    let sum = values.iter().sum::<f64>().round_ties_even();
    loop {
        let off = sum - whole.iter().sum::<f64>().round_ties_even();
        if off == 0.0 || values.is_empty() || !off.is_finite() {
            return whole.into_iter().map(|value| value as i64).collect();
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| (values[a] - whole[a]).total_cmp(&(values[b] - whole[b])));
        if off > 0.0 {
            order.reverse();
        }
        for &at in order.iter().take(off.abs() as usize) {
            whole[at] += off.signum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_stays() {
        assert_eq!(preserving_sum(&[0.4, 0.4, 0.2]), [0, 1, 0]);
        assert_eq!(preserving_sum(&[1.5, 2.5, 3.0]), [2, 2, 3]);
        assert_eq!(preserving_sum(&[0.6, 0.7, 0.7]), [0, 1, 1]);
        assert_eq!(preserving_sum(&[]), [] as [i64; 0]);
    }
}
