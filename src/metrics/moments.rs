//! Exact sums over pairs of a truth and a prediction, and what is made of them without cancellation.
//!
//! Every sum is exact until it is read, so its last bit depends neither on the order of samples nor on their sharding.

use super::ExactSum;

/// Sums over samples; each addend is multiplied by the weight of its sample.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    pub(super) weight: ExactSum,
    pub(super) truth: ExactSum,
    pub(super) prediction: ExactSum,
    pub(super) truth_squared: ExactSum,
    pub(super) prediction_squared: ExactSum,
    pub(super) cross: ExactSum,
    /// Of prediction - truth.
    pub(super) error: ExactSum,
    pub(super) error_squared: ExactSum,
    /// Of how far predictions are above and below the truth.
    pub(super) above: ExactSum,
    pub(super) below: ExactSum,
    pub(super) relative: ExactSum,
    pub(super) symmetric: ExactSum,
    pub(super) log_squared: ExactSum,
    pub(super) poisson: ExactSum,
    pub(super) gamma: ExactSum,
}

impl Moments {
    fn all(&mut self) -> [&mut ExactSum; 15] {
        [
            &mut self.weight,
            &mut self.truth,
            &mut self.prediction,
            &mut self.truth_squared,
            &mut self.prediction_squared,
            &mut self.cross,
            &mut self.error,
            &mut self.error_squared,
            &mut self.above,
            &mut self.below,
            &mut self.relative,
            &mut self.symmetric,
            &mut self.log_squared,
            &mut self.poisson,
            &mut self.gamma,
        ]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        for (ours, theirs) in self.all().into_iter().zip(other.all()) {
            ours.merge(theirs);
        }
    }

    /// Adds what every sample has.
    pub(super) fn add(&mut self, truth: f64, prediction: f64, weight: f64) {
        let error = prediction - truth;
        self.weight.add(weight);
        self.truth.add_product(truth, weight);
        self.prediction.add_product(prediction, weight);
        add_triple(&mut self.truth_squared, truth, truth, weight);
        add_triple(&mut self.prediction_squared, prediction, prediction, weight);
        add_triple(&mut self.cross, truth, prediction, weight);
        self.error.add_product(error, weight);
        add_triple(&mut self.error_squared, error, error, weight);
        let side = if error > 0.0 {
            &mut self.above
        } else {
            &mut self.below
        };
        side.add_product(error.abs(), weight);
    }

    /// Σ w (truth - mean)².
    pub(super) fn truth_spread(&self) -> f64 {
        central(&self.weight, [&self.truth; 2], &self.truth_squared)
    }

    /// Σ w (prediction - mean)².
    pub(super) fn prediction_spread(&self) -> f64 {
        central(
            &self.weight,
            [&self.prediction; 2],
            &self.prediction_squared,
        )
    }

    /// Σ w (truth - mean) (prediction - mean).
    pub(super) fn covariance(&self) -> f64 {
        central(&self.weight, [&self.truth, &self.prediction], &self.cross)
    }

    /// Σ w (error - mean)².
    pub(super) fn error_spread(&self) -> f64 {
        central(&self.weight, [&self.error; 2], &self.error_squared)
    }
}

fn add_triple(sum: &mut ExactSum, a: f64, b: f64, weight: f64) {
    if weight == 1.0 {
        sum.add_product(a, b);
        return;
    }
    let high = a * weight;
    sum.add_product(high, b);
    if high.is_finite() {
        sum.add_product(a.mul_add(weight, -high), b);
    }
}

/// Σ w (a - mean a) (b - mean b) of the sums of w, w a, w b and w a b.
///
/// The textbook difference Σ w a b - mean a Σ w b cancels where the means are large; here it is formed in exact sums
/// around rounded means, and then corrected for that rounding.
fn central(weight: &ExactSum, [a, b]: [&ExactSum; 2], product: &ExactSum) -> f64 {
    let total = weight.value();
    if total <= 0.0 {
        return 0.0;
    }
    let (mean_a, mean_b) = (a.value() / total, b.value() / total);
    let mut sum = product.clone();
    sum.add_scaled(b, -mean_a);
    sum.add_scaled(a, -mean_b);
    let square = mean_a * mean_b;
    sum.add_scaled(weight, square);
    if square.is_finite() {
        sum.add_scaled(weight, mean_a.mul_add(mean_b, -square));
    }
    let rest = |sum: &ExactSum, mean: f64| {
        let mut rest = sum.clone();
        rest.add_scaled(weight, -mean);
        rest.value()
    };
    sum.add(-(rest(a, mean_a) * (rest(b, mean_b) / total)));
    sum.value()
}

/// r - ln(1 + r), at least 0, without cancellation near 0.
pub(super) fn excess(r: f64) -> f64 {
    if r.abs() > 0.03125 {
        return r - r.ln_1p();
    }
    // r²/2 - r³/3 + r⁴/4 - …; the first term left out is below 2^-55 of the sum.
    let series = (2..=13)
        .rev()
        .fold(0.0, |rest, n| 1.0 / f64::from(n) - r * rest);
    r * r * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_far_from_zero_does_not_cancel() {
        let mut moments = Moments::default();
        for truth in [1e9 + 1.0, 1e9 + 2.0, 1e9 + 6.0] {
            moments.add(truth, truth + 1.0, 1.0);
        }
        assert_eq!(moments.truth_spread(), 14.0);
        assert_eq!(moments.covariance(), 14.0);
        assert_eq!(moments.error_spread(), 0.0);
    }

    // Expected values: Python's `decimal`, r - ln(1 + r) in 50 digits.
    #[test]
    fn excess_is_exact_near_zero() {
        for (r, expected) in [
            (1e-9, 4.999999996666667e-19),
            (-1e-3, 5.003335835335002e-7),
            (0.03, 0.00044119775845559724),
            (0.5, 0.09453489189183562),
        ] {
            let got = excess(r);
            assert!((got / expected - 1.0).abs() < 1e-12, "{r}: {got}");
        }
    }
}
