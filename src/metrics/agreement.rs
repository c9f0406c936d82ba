//! Agreement of labels and predictions beyond chance: Matthews' correlation and Cohen's kappa.
//!
//! Both are undefined, not 0, where there is nothing to correlate.

use super::{Answer, ConfusionMatrix, Undefined};

/// How much a disagreement between two classes weighs in Cohen's kappa.
///
/// ```
/// use modelpulse::metrics::{ConfusionMatrix, KappaWeights};
/// let matrix = ConfusionMatrix::from_rows(&[[50, 0, 0], [0, 47, 3], [0, 3, 47]])?;
/// let kappa = matrix.cohen_kappa(KappaWeights::Linear).unwrap();
/// assert!((kappa - 0.955).abs() < 1e-12);
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KappaWeights {
    /// All weigh the same.
    None,
    /// By how far the classes are apart in their order.
    Linear,
    /// By the square of that.
    Quadratic,
}

impl ConfusionMatrix {
    /// Matthews' correlation coefficient, -1..=1; for many classes the R_K of Gorodkin (2004,
    /// doi 10.1016/j.compbiolchem.2004.09.006).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::Constant`] where labels or predictions are all of one class;
    /// scikit-learn gives 0 there.
    pub fn mcc(&self) -> Answer {
        let total = self.total_weight();
        if total <= 0.0 {
            return Err(Undefined::NoSamples);
        }
        // Not as shares of the total: products of counts are whole numbers, so that chance is exactly 0.
        let (mut chance, mut labels, mut predictions) = (0.0, 0.0, 0.0);
        for class in 0..self.classes() {
            let (label, predicted) = (self.true_weight(class), self.predicted_weight(class));
            if label == total || predicted == total {
                return Err(Undefined::Constant);
            }
            chance += label * predicted;
            labels += label * label;
            predictions += predicted * predicted;
        }
        let square = total * total;
        let covariance = self.diagonal_weight() * total - chance;
        Ok(covariance / ((square - labels).sqrt() * (square - predictions).sqrt()))
    }

    /// Cohen's kappa, at most 1: how much more labels and predictions agree than they would by chance.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::Constant`] where labels and predictions are all of the same class.
    pub fn cohen_kappa(&self, weights: KappaWeights) -> Answer {
        let total = self.total_weight();
        if total <= 0.0 {
            return Err(Undefined::NoSamples);
        }
        let classes = 0..self.classes();
        let labels: Vec<f64> = classes.clone().map(|c| self.true_weight(c)).collect();
        let predicted: Vec<f64> = classes.clone().map(|c| self.predicted_weight(c)).collect();
        let (mut observed, mut expected) = (0.0, 0.0);
        for label in classes.clone() {
            for prediction in classes.clone() {
                let apart = label.abs_diff(prediction) as f64;
                let weight = match weights {
                    KappaWeights::None => f64::from(label != prediction),
                    KappaWeights::Linear => apart,
                    KappaWeights::Quadratic => apart * apart,
                };
                observed += weight * self.weight(label, prediction);
                expected += weight * (labels[label] * (predicted[prediction] / total));
            }
        }
        if expected > 0.0 {
            Ok(1.0 - observed / expected)
        } else {
            Err(Undefined::Constant)
        }
    }
}
