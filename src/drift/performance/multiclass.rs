//! CBPE of many classes: each against the rest, and the mean over them.

use super::super::Undefined;
use super::{Calibrate, Confusion, Estimates, Isotonic, Metric, expected_curves, ranking_variance};
use crate::metrics::{Accumulator, BinaryBatch, BinaryMetrics};

/// Estimates how well a classifier of many classes does on rows without labels.
///
/// ```
/// use modelpulse::drift::performance::{Calibrate, Metric, MulticlassCbpe};
///
/// let labels = [0, 1, 2, 0];
/// let probabilities = [0.8, 0.1, 0.1, 0.2, 0.6, 0.2, 0.1, 0.2, 0.7, 0.5, 0.4, 0.1];
/// let cbpe = MulticlassCbpe::fit(&labels, &probabilities, 3, Calibrate::Never)?;
/// let estimated = cbpe.estimate(&probabilities).of(Metric::Accuracy)?;
/// assert!((estimated - (0.8 + 0.6 + 0.7 + 0.5) / 4.0).abs() < 1e-12);
/// assert_eq!(cbpe.realised(&labels, &probabilities).of(Metric::Accuracy), Ok(1.0));
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone)]
pub struct MulticlassCbpe {
    classes: usize,
    calibrations: Vec<Option<Isotonic>>,
    variances: [f64; 7],
}

impl MulticlassCbpe {
    /// Learns from labelled rows, each with as many probabilities as there are classes, one row behind the other.
    ///
    /// # Errors
    ///
    /// As [`Isotonic::fit`]; [`Undefined::TooFew`] too for a label that is no class.
    pub fn fit(
        labels: &[usize],
        probabilities: &[f64],
        classes: usize,
        calibrate: Calibrate,
    ) -> Result<Self, Undefined> {
        let whole = classes > 1 && probabilities.len() == labels.len() * classes;
        if !whole || labels.iter().any(|&label| label >= classes) {
            return Err(Undefined::TooFew);
        }
        let predicted = predicted(probabilities, classes);
        let mut calibrations = Vec::with_capacity(classes);
        let mut sums = [0.0; 7];
        let mut right = Confusion::default();
        for class in 0..classes {
            let is = is_class(labels, class);
            let scores = column(probabilities, classes, class);
            let curve = Isotonic::fit(&is, &scores)?;
            let helps = match calibrate {
                Calibrate::Always => true,
                Calibrate::Never => false,
                Calibrate::Auto => Isotonic::helps(&is, &scores),
            };
            calibrations.push(helps.then_some(curve));
            let known = is.iter().map(|&is| f64::from(u8::from(is)));
            let confusion = Confusion::of(predicted.iter().map(|&at| at == class).zip(known));
            right.true_positive += confusion.true_positive;
            for (sum, metric) in sums.iter_mut().zip(Metric::ALL) {
                *sum += match metric {
                    // NannyML's allowance for classes that hang together.
                    Metric::RocAuc => 1.2 * 1.2 * ranking_variance(&is, &scores),
                    Metric::AveragePrecision => f64::NAN,
                    metric => confusion.variance(metric),
                };
            }
        }
        let mut variances = sums.map(|sum| sum / (classes * classes) as f64);
        right.false_positive = labels.len() as f64 - right.true_positive;
        variances[Metric::Accuracy as usize] = right.variance(Metric::Accuracy);
        Ok(Self {
            classes,
            calibrations,
            variances,
        })
    }

    /// What is to be expected of a chunk.
    #[must_use]
    pub fn estimate(&self, probabilities: &[f64]) -> Estimates {
        let mut calibrated = probabilities.to_vec();
        if self.calibrations.iter().any(Option::is_some) {
            for row in calibrated.chunks_exact_mut(self.classes) {
                for (value, curve) in row.iter_mut().zip(&self.calibrations) {
                    *value = curve.as_ref().map_or(*value, |curve| curve.at(*value));
                }
                let all: f64 = row.iter().sum();
                let none = 1.0 / self.classes as f64;
                row.iter_mut()
                    .for_each(|value| *value = if all > 0.0 { *value / all } else { none });
            }
        }
        self.mean(probabilities, |class| {
            let positive = column(&calibrated, self.classes, class);
            let curves = expected_curves(&column(probabilities, self.classes, class), &positive);
            (positive, curves)
        })
    }

    /// What a chunk turned out to be, once its labels are there.
    #[must_use]
    pub fn realised(&self, labels: &[usize], probabilities: &[f64]) -> Estimates {
        self.mean(probabilities, |class| {
            let is = is_class(labels, class);
            let scores = column(probabilities, self.classes, class);
            let mut metrics = BinaryMetrics::new();
            let report = metrics
                .update(BinaryBatch::new(&is, &scores))
                .map(|()| metrics.compute());
            let curves = match report {
                Ok(report) => [
                    report.roc_auc.map_err(|_| Undefined::Constant),
                    report.average_precision.map_err(|_| Undefined::Constant),
                ],
                Err(_) => [Err(Undefined::TooFew); 2],
            };
            let known = is.iter().map(|&is| f64::from(u8::from(is))).collect();
            (known, curves)
        })
    }

    /// As [`Cbpe::sampling_error`](super::Cbpe::sampling_error).
    #[must_use]
    pub fn sampling_error(&self, metric: Metric, rows: usize) -> Option<f64> {
        let variance = self.variances[metric as usize] / rows as f64;
        variance.is_finite().then(|| variance.sqrt())
    }

    /// The mean over classes; of each, how likely each row is one of it, and its curves.
    fn mean(
        &self,
        probabilities: &[f64],
        of: impl Fn(usize) -> (Vec<f64>, [Result<f64, Undefined>; 2]),
    ) -> Estimates {
        let predicted = predicted(probabilities, self.classes);
        let classes: Vec<OfClass> = (0..self.classes)
            .map(|class| {
                let (positive, curves) = of(class);
                let is = predicted.iter().map(|&at| at == class);
                (Confusion::of(is.zip(positive)), curves)
            })
            .collect();
        let mean = |value: &dyn Fn(&OfClass) -> Result<f64, Undefined>| {
            let mut sum = 0.0;
            for class in &classes {
                sum += value(class)?;
            }
            Ok(sum / self.classes as f64)
        };
        Estimates::from_fn(|metric| match metric {
            Metric::RocAuc => mean(&|class| class.1[0]),
            Metric::AveragePrecision => mean(&|class| class.1[1]),
            Metric::Accuracy => {
                let right: f64 = classes.iter().map(|class| class.0.true_positive).sum();
                if predicted.is_empty() {
                    return Err(Undefined::TooFew);
                }
                Ok(right / predicted.len() as f64)
            }
            metric => mean(&|class| class.0.value(metric)),
        })
    }
}

/// The confusion of a class with the rest, and its curves.
type OfClass = (Confusion, [Result<f64, Undefined>; 2]);

/// The class of the largest probability of each row, the first of equal ones.
fn predicted(probabilities: &[f64], classes: usize) -> Vec<usize> {
    let largest = |row: &[f64]| {
        let first = (0, f64::NEG_INFINITY);
        let better = |best: (usize, f64), (at, &value): (usize, &f64)| {
            if value > best.1 { (at, value) } else { best }
        };
        row.iter().enumerate().fold(first, better).0
    };
    probabilities.chunks_exact(classes).map(largest).collect()
}

fn column(probabilities: &[f64], classes: usize, class: usize) -> Vec<f64> {
    probabilities
        .iter()
        .copied()
        .skip(class)
        .step_by(classes)
        .collect()
}

fn is_class(labels: &[usize], class: usize) -> Vec<bool> {
    labels.iter().map(|&label| label == class).collect()
}
