//! How likely it is that a slice errs so much more than the rest by chance.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::metrics::significance::Hypergeometric;

/// Samples, the sum of their errors, and the sum of the errors' squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) n: u64,
    pub(super) sum: f64,
    pub(super) squares: f64,
}

impl Moments {
    #[inline]
    pub(super) fn add(&mut self, error: f64) {
        self.n += 1;
        self.sum += error;
        self.squares += error * error;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }

    /// The unbiased variance.
    fn variance(&self) -> f64 {
        let mean = self.mean();
        ((self.squares - self.n as f64 * mean * mean) / (self.n as f64 - 1.0)).max(0.0)
    }

    /// Whether every error is 0 or 1, as far as the sums tell: only then are they and their squares alike.
    pub(super) fn are_counts(&self) -> bool {
        self.sum == self.squares && self.sum.fract() == 0.0
    }
}

/// The probability that a slice drawn at random errs at least as much, `slice` being part of `all`.
///
/// Errors that are 0 or 1: [Fisher's exact test][1], one-sided. Other errors: [Welch's test][2], one-sided. 1 where the
/// slice is all there is, or nothing varies.
///
/// [1]: https://en.wikipedia.org/wiki/Fisher%27s_exact_test
/// [2]: https://en.wikipedia.org/wiki/Welch%27s_t-test
pub(super) fn p_value(slice: &Moments, all: &Moments, counts: bool) -> f64 {
    let rest = Moments {
        n: all.n - slice.n,
        sum: all.sum - slice.sum,
        squares: all.squares - slice.squares,
    };
    if slice.n == 0 || rest.n == 0 {
        return 1.0;
    }
    if counts {
        let drawn = Hypergeometric::new(slice.n, all.sum as u64, all.n);
        return drawn.at_least(slice.sum as u64);
    }
    if slice.n < 2 || rest.n < 2 {
        return 1.0;
    }
    let (a, b) = (
        slice.variance() / slice.n as f64,
        rest.variance() / rest.n as f64,
    );
    // Sums of squares: never negative, and NaN in no case.
    if a + b <= 0.0 {
        return 1.0;
    }
    let t = (slice.mean() - rest.mean()) / (a + b).sqrt();
    let freedom =
        (a + b) * (a + b) / (a * a / (slice.n as f64 - 1.0) + b * b / (rest.n as f64 - 1.0));
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |distribution| distribution.sf(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!(
            (got - expected).abs() <= 1e-9 * expected.abs(),
            "{got} is not {expected}"
        );
    }

    // Expected values: SciPy 1.17.1, `ttest_ind(..., equal_var=False, alternative="greater")`.
    #[test]
    fn scipy_welch_agrees() {
        let moments = |errors: &[f64]| {
            let mut moments = Moments::default();
            errors.iter().for_each(|&error| moments.add(error));
            moments
        };
        let (slice, rest) = (
            [0.9, 1.4, 0.7, 2.2, 1.1],
            [0.3, 0.8, 0.5, 0.1, 0.9, 0.4, 0.6],
        );
        let all = moments(&[&slice[..], &rest].concat());
        close(p_value(&moments(&slice), &all, false), 0.021643138632053246);
    }
}
