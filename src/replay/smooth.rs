//! The smoothing of TensorBoard's charts: an exponential moving average without the bias of its beginning.
//!
//! What is not finite comes through as it is, and leaves no trace in what follows
//! (TensorBoard, `components/vz_line_chart2/line-chart.ts`, `resmoothDataset`).

/// Smooths a series, value by value.
///
/// ```
/// use modelpulse::replay::Smoothing;
/// let mut smoothing = Smoothing::new(0.5);
/// let smoothed = [1.0, 2.0, f64::NAN, 2.0].map(|value| smoothing.next(value));
/// assert_eq!(smoothed[..2], [1.0, 5.0 / 3.0]);
/// assert!(smoothed[2].is_nan());
/// assert!((smoothed[3] - 13.0 / 7.0).abs() < 1e-15);
/// ```
#[derive(Debug, Clone)]
pub struct Smoothing {
    weight: f64,
    last: f64,
    /// The weight of the beginning that is still missing: weight to the power of the number of values.
    bias: f64,
    /// The value that all had so far.
    constant: Option<f64>,
    begun: bool,
}

impl Smoothing {
    /// With this weight of what came before, from 0 (nothing is smoothed) up to less than 1.
    pub fn new(weight: f64) -> Self {
        Self {
            weight: weight.clamp(0.0, 1.0_f64.next_down()),
            last: 0.0,
            bias: 1.0,
            constant: None,
            begun: false,
        }
    }

    /// The smoothed value at the place of `value`.
    pub fn next(&mut self, value: f64) -> f64 {
        if !value.is_finite() {
            return value;
        }
        self.constant = match self.constant {
            _ if !self.begun => Some(value),
            Some(constant) if constant == value => Some(constant),
            _ => None,
        };
        self.begun = true;
        self.last = self.last * self.weight + (1.0 - self.weight) * value;
        self.bias *= self.weight;
        // A constant stays one to the last bit.
        self.constant.unwrap_or(self.last / (1.0 - self.bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_constant() {
        let mut smoothing = Smoothing::new(0.999);
        for _ in 0..1000 {
            assert_eq!(smoothing.next(0.1), 0.1);
        }
    }

    #[test]
    fn nothing_is_smoothed_by_nothing() {
        let mut smoothing = Smoothing::new(0.0);
        for value in [3.0, -1.5, f64::INFINITY, 1e300, 7.0] {
            assert_eq!(smoothing.next(value), value);
        }
    }

    #[test]
    fn the_weights_sum_to_one() {
        let values = [0.5, 4.0, -2.0, 8.0, 1.0];
        let mut smoothing = Smoothing::new(0.6);
        for (index, &value) in values.iter().enumerate() {
            let weights = (0..=index).map(|it| 0.6_f64.powi((index - it) as i32));
            let total: f64 = weights.clone().sum();
            let expected: f64 = weights.zip(values).map(|(w, v)| w * v).sum::<f64>() / total;
            assert!((smoothing.next(value) - expected).abs() < 1e-14);
        }
    }
}
