//! CBPE of two classes.

use super::super::Undefined;
use super::{Calibrate, Confusion, Estimates, Isotonic, Metric, expected_curves, ranking_variance};
use crate::metrics::{Accumulator, BinaryBatch, BinaryMetrics};

/// Estimates how well a classifier of two classes does on rows without labels.
///
/// ```
/// use modelpulse::drift::performance::{Calibrate, Cbpe, Metric};
///
/// // Scores that are twice as sure of themselves as they should be.
/// let scores: Vec<f64> = (0..1000).map(|i| f64::from(i % 100) / 100.0).collect();
/// let labels: Vec<bool> = (0..1000).map(|i| (i * 7919 % 1000) as f64 / 1000.0 < 0.25 + f64::from(i % 100) / 200.0).collect();
/// let cbpe = Cbpe::fit(&labels, &scores, 0.5, Calibrate::Auto)?;
/// assert!(cbpe.calibration().is_some());
/// let estimated = cbpe.estimate(&scores).of(Metric::Accuracy)?;
/// let realised = cbpe.realised(&labels, &scores).of(Metric::Accuracy)?;
/// assert!((estimated - realised).abs() < 0.02);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cbpe {
    threshold: f64,
    calibration: Option<Isotonic>,
    /// Of a chunk of one row.
    variances: [f64; 7],
}

impl Cbpe {
    /// Learns from labelled rows what scores are worth. A score of at least `threshold` is a positive prediction.
    ///
    /// # Errors
    ///
    /// As [`Isotonic::fit`].
    pub fn fit(
        labels: &[bool],
        scores: &[f64],
        threshold: f64,
        calibrate: Calibrate,
    ) -> Result<Self, Undefined> {
        let curve = Isotonic::fit(labels, scores)?;
        let helps = match calibrate {
            Calibrate::Always => true,
            Calibrate::Never => false,
            Calibrate::Auto => Isotonic::helps(labels, scores),
        };
        let known = labels.iter().map(|&label| f64::from(u8::from(label)));
        let confusion = Confusion::of(scores.iter().map(|&score| score >= threshold).zip(known));
        let variances = Metric::ALL.map(|metric| match metric {
            Metric::RocAuc => ranking_variance(labels, scores),
            // NannyML draws by chance here; there is no formula.
            Metric::AveragePrecision => f64::NAN,
            Metric::F1 => {
                // A row counts for as much more as wrong ones count for half.
                let (hits, looked_at) = confusion.looked_at(metric);
                let more = looked_at / (hits + 0.5 * (looked_at - hits));
                more * more * confusion.variance(metric)
            }
            metric => confusion.variance(metric),
        });
        Ok(Self {
            threshold,
            calibration: helps.then_some(curve),
            variances,
        })
    }

    /// The calibration, if scores are calibrated.
    #[must_use]
    pub fn calibration(&self) -> Option<&Isotonic> {
        self.calibration.as_ref()
    }

    /// What is to be expected of a chunk.
    #[must_use]
    pub fn estimate(&self, scores: &[f64]) -> Estimates {
        let probability = |&score: &f64| {
            self.calibration
                .as_ref()
                .map_or(score, |curve| curve.at(score))
        };
        let positive: Vec<f64> = scores.iter().map(probability).collect();
        let predicted = scores.iter().map(|&score| score >= self.threshold);
        let confusion = Confusion::of(predicted.zip(positive.iter().copied()));
        let [area, precision] = expected_curves(scores, &positive);
        Estimates::from_fn(|metric| match metric {
            Metric::RocAuc => area,
            Metric::AveragePrecision => precision,
            metric => confusion.value(metric),
        })
    }

    /// What a chunk turned out to be, once its labels are there.
    #[must_use]
    pub fn realised(&self, labels: &[bool], scores: &[f64]) -> Estimates {
        let known = labels.iter().map(|&label| f64::from(u8::from(label)));
        let predicted = scores.iter().map(|&score| score >= self.threshold);
        let confusion = Confusion::of(predicted.zip(known));
        let mut metrics = BinaryMetrics::new();
        let report = metrics
            .update(BinaryBatch::new(labels, scores))
            .map(|()| metrics.compute());
        Estimates::from_fn(|metric| {
            let ranked = report.as_ref().map_err(|_| Undefined::TooFew);
            match metric {
                Metric::RocAuc => ranked?.roc_auc.map_err(|_| Undefined::Constant),
                Metric::AveragePrecision => {
                    ranked?.average_precision.map_err(|_| Undefined::Constant)
                }
                metric => confusion.value(metric),
            }
        })
    }

    /// The standard deviation by which chance alone moves a metric over chunks of so many rows; none of average
    /// precision.
    #[must_use]
    pub fn sampling_error(&self, metric: Metric, rows: usize) -> Option<f64> {
        let variance = self.variances[metric as usize] / rows as f64;
        variance.is_finite().then(|| variance.sqrt())
    }
}
