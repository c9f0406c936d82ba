//! Exact sums over pairs of a truth and a prediction, and what is made of them without cancellation.
//!
//! Every sum is exact until it is read, so its last bit depends neither on the order of samples nor on their sharding.

use super::exact::product;
use super::{Batch, ExactSum, RegressionBatch};

/// Sums over samples; each addend is multiplied by the weight of its sample.
///
/// Each `take_…` takes the sums that are named like it, and no other.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    pub(super) samples: u64,
    pub(super) weight: ExactSum,
    pub(super) truth: ExactSum,
    pub(super) truth_squared: ExactSum,
    pub(super) prediction: ExactSum,
    pub(super) prediction_squared: ExactSum,
    pub(super) cross: ExactSum,
    /// Of prediction - truth.
    pub(super) error: ExactSum,
    pub(super) error_squared: ExactSum,
    /// Of how far predictions are above and below the truth.
    pub(super) above: ExactSum,
    pub(super) below: ExactSum,
    pub(super) largest_error: f64,
    pub(super) relative: ExactSum,
    pub(super) symmetric: ExactSum,
    pub(super) log_squared: Within,
    pub(super) poisson: Within,
    pub(super) gamma: Within,
}

/// A sum over the samples for which its addend is defined, and how many others there were.
#[derive(Debug, Clone, Default)]
pub(super) struct Within {
    pub(super) sum: ExactSum,
    pub(super) outside: u64,
}

impl Moments {
    fn sums(&mut self) -> [&mut ExactSum; 15] {
        [
            &mut self.weight,
            &mut self.truth,
            &mut self.truth_squared,
            &mut self.prediction,
            &mut self.prediction_squared,
            &mut self.cross,
            &mut self.error,
            &mut self.error_squared,
            &mut self.above,
            &mut self.below,
            &mut self.relative,
            &mut self.symmetric,
            &mut self.log_squared.sum,
            &mut self.poisson.sum,
            &mut self.gamma.sum,
        ]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        for (ours, theirs) in self.sums().into_iter().zip(other.sums()) {
            ours.merge(theirs);
        }
        self.samples += other.samples;
        self.largest_error = self.largest_error.max(other.largest_error);
        self.log_squared.outside += other.log_squared.outside;
        self.poisson.outside += other.poisson.outside;
        self.gamma.outside += other.gamma.outside;
    }

    /// All but [`take_samples`](Self::take_samples).
    pub(super) fn take_all(&mut self, batch: RegressionBatch<'_>) {
        self.take_truths(batch);
        self.take_predictions(batch);
        self.take_errors(batch);
        self.take_sides(batch);
        self.take_largest(batch);
        self.take_ratios(batch);
        self.take_logs(batch);
        self.take_deviances(batch);
    }

    /// What every answer needs: how many samples there are, and what they weigh.
    pub(super) fn take_samples(&mut self, batch: RegressionBatch<'_>) {
        self.samples += batch.len() as u64;
        match batch.weights {
            Some(weights) => self.weight.add_all(weights.iter().copied()),
            None => self.weight.add_count(batch.len() as u64),
        }
    }

    pub(super) fn take_truths(&mut self, batch: RegressionBatch<'_>) {
        add(&mut self.truth, batch, |truth, _| truth);
        add_products(&mut self.truth_squared, batch, |truth, _| [truth; 2]);
    }

    pub(super) fn take_predictions(&mut self, batch: RegressionBatch<'_>) {
        add(&mut self.prediction, batch, |_, prediction| prediction);
        add_products(&mut self.prediction_squared, batch, |_, it| [it; 2]);
        add_products(&mut self.cross, batch, |truth, it| [truth, it]);
    }

    pub(super) fn take_errors(&mut self, batch: RegressionBatch<'_>) {
        add(&mut self.error, batch, |truth, it| it - truth);
        add_products(&mut self.error_squared, batch, |truth, it| [it - truth; 2]);
    }

    pub(super) fn take_sides(&mut self, batch: RegressionBatch<'_>) {
        add(&mut self.above, batch, |truth, it| (it - truth).max(0.0));
        add(&mut self.below, batch, |truth, it| (truth - it).max(0.0));
    }

    fn take_largest(&mut self, batch: RegressionBatch<'_>) {
        let errors = samples(batch).filter(|&(.., weight)| weight > 0.0);
        let errors = errors.map(|(truth, it, _)| (it - truth).abs());
        self.largest_error = errors.fold(self.largest_error, f64::max);
    }

    fn take_ratios(&mut self, batch: RegressionBatch<'_>) {
        add(&mut self.relative, batch, |truth, it| {
            (it - truth).abs() / truth.abs().max(f64::EPSILON)
        });
        add(&mut self.symmetric, batch, |truth, it| {
            let error = it - truth;
            match error {
                0.0 => 0.0,
                _ => 2.0 * error.abs() / (truth.abs() + it.abs()),
            }
        });
    }

    fn take_logs(&mut self, batch: RegressionBatch<'_>) {
        self.log_squared.take(
            batch,
            |truth, it| truth > -1.0 && it > -1.0,
            |truth, it| {
                let log = truth.ln_1p() - it.ln_1p();
                log * log
            },
        );
    }

    fn take_deviances(&mut self, batch: RegressionBatch<'_>) {
        self.poisson.take(
            batch,
            |truth, it| truth >= 0.0 && it > 0.0,
            |truth, it| match truth {
                0.0 => 2.0 * it,
                _ => 2.0 * (truth * excess((it - truth) / truth)),
            },
        );
        self.gamma.take(
            batch,
            |truth, it| truth > 0.0 && it > 0.0,
            |truth, it| 2.0 * excess(-(it - truth) / it),
        );
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

impl Within {
    fn take(
        &mut self,
        batch: RegressionBatch<'_>,
        within: impl Fn(f64, f64) -> bool,
        value: impl Fn(f64, f64) -> f64,
    ) {
        let mut outside = 0;
        add(&mut self.sum, batch, |truth, prediction| {
            if within(truth, prediction) {
                return value(truth, prediction);
            }
            outside += 1;
            0.0
        });
        self.outside += outside;
    }
}

/// Truth, prediction, weight.
pub(super) fn samples(
    batch: RegressionBatch<'_>,
) -> impl Iterator<Item = (f64, f64, f64)> + Clone + '_ {
    let pairs = batch.truths.iter().zip(batch.predictions).enumerate();
    pairs.map(move |(at, (&truth, &prediction))| {
        let weight = batch.weights.map_or(1.0, |weights| weights[at]);
        (truth, prediction, weight)
    })
}

/// Σ w value(truth, prediction).
fn add(sum: &mut ExactSum, batch: RegressionBatch<'_>, mut value: impl FnMut(f64, f64) -> f64) {
    let pairs = batch.truths.iter().zip(batch.predictions);
    let values = pairs.map(|(&truth, &prediction)| value(truth, prediction));
    match batch.weights {
        None => sum.add_all(values),
        Some(weights) => sum.add_all(values.zip(weights).flat_map(|(it, &w)| product(it, w))),
    }
}

/// Σ w a b of [a, b] = values(truth, prediction).
fn add_products(
    sum: &mut ExactSum,
    batch: RegressionBatch<'_>,
    values: impl Fn(f64, f64) -> [f64; 2],
) {
    let pairs = batch.truths.iter().zip(batch.predictions);
    let values = pairs.map(|(&truth, &prediction)| values(truth, prediction));
    match batch.weights {
        None => sum.add_all(values.flat_map(|[a, b]| product(a, b))),
        Some(weights) => sum.add_all(values.zip(weights).flat_map(|([a, b], &weight)| {
            let [high, low] = product(a, weight);
            let [[a, b], [c, d]] = [product(high, b), product(low, b)];
            [a, b, c, d]
        })),
    }
}

/// Σ w (a - mean a) (b - mean b) of the sums of w, w a, w b and w a b.
///
/// The textbook difference Σ w a b - mean a Σ w b cancels where the means are large; here it is formed in exact sums
/// around rounded means, and then corrected for that rounding.
pub(super) fn central(weight: &ExactSum, [a, b]: [&ExactSum; 2], product: &ExactSum) -> f64 {
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
        let truths = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 6.0];
        let predictions = truths.map(|truth| truth + 1.0);
        let batch = RegressionBatch::new(&truths, &predictions);
        moments.take_samples(batch);
        moments.take_all(batch);
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
