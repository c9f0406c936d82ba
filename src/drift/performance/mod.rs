//! How well a model does without labels: confidence-based performance estimation (CBPE), as NannyML does it.
//!
//! A calibrated probability says how likely a prediction is right; so the counts of a confusion matrix are known in
//! expectation before any label is. That holds as long as the concept is the one of the reference: it sees what a shift of
//! the inputs does, not a change of what they mean. Labels that come late give the realised values beside it.

mod binary;
mod isotonic;
mod multiclass;

pub use binary::Cbpe;
pub use isotonic::Isotonic;
pub use multiclass::MulticlassCbpe;

use super::Undefined;

/// A metric that is estimated.
///
/// ```
/// use modelpulse::drift::performance::Metric;
/// assert_eq!(Metric::named("roc_auc"), Some(Metric::RocAuc));
/// assert_eq!(Metric::F1.name(), "f1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// The area under the ROC curve.
    RocAuc,
    /// Average precision.
    AveragePrecision,
    /// F1.
    F1,
    /// Precision.
    Precision,
    /// Recall.
    Recall,
    /// Specificity.
    Specificity,
    /// Accuracy.
    Accuracy,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RocAuc,
        Self::AveragePrecision,
        Self::F1,
        Self::Precision,
        Self::Recall,
        Self::Specificity,
        Self::Accuracy,
    ];

    /// Its name in NannyML, and in scikit-learn.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RocAuc => "roc_auc",
            Self::AveragePrecision => "average_precision",
            Self::F1 => "f1",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Specificity => "specificity",
            Self::Accuracy => "accuracy",
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// A value for each metric, or why there is none.
///
/// ```
/// use modelpulse::drift::performance::{Calibrate, Cbpe, Metric};
///
/// let labels = [false, false, true, true];
/// let scores = [0.1, 0.4, 0.35, 0.8];
/// let cbpe = Cbpe::fit(&labels, &scores, 0.5, Calibrate::Never)?;
/// let estimates = cbpe.estimate(&[0.9, 0.2]);
/// assert!((estimates.of(Metric::Accuracy)? - 0.85).abs() < 1e-12);
/// # Ok::<(), modelpulse::drift::Undefined>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates([Result<f64, Undefined>; 7]);

impl Estimates {
    fn from_fn(of: impl Fn(Metric) -> Result<f64, Undefined>) -> Self {
        Self(Metric::ALL.map(of))
    }

    /// Of one metric.
    ///
    /// # Errors
    ///
    /// [`Undefined`] where the chunk does not define it.
    pub fn of(&self, metric: Metric) -> Result<f64, Undefined> {
        self.0[metric as usize]
    }
}

/// Whether scores are made probabilities before they are believed.
///
/// ```
/// use modelpulse::drift::performance::Calibrate;
/// assert_eq!(Calibrate::default(), Calibrate::Auto);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Calibrate {
    /// If that makes them better probabilities of rows that the calibration has not seen.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A confusion matrix of shares of rows.
#[derive(Debug, Clone, Copy, Default)]
struct Confusion {
    true_positive: f64,
    false_positive: f64,
    false_negative: f64,
    true_negative: f64,
}

impl Confusion {
    /// Of what was predicted, and how likely each row is positive: 0 or 1 where that is known.
    fn of(rows: impl Iterator<Item = (bool, f64)>) -> Self {
        let mut counts = Self::default();
        for (predicted, positive) in rows {
            if predicted {
                counts.true_positive += positive;
                counts.false_positive += 1.0 - positive;
            } else {
                counts.false_negative += positive;
                counts.true_negative += 1.0 - positive;
            }
        }
        counts
    }

    fn all(&self) -> f64 {
        self.true_positive + self.false_positive + self.false_negative + self.true_negative
    }

    /// The rows that a metric looks at: those that count for it, and how many there are.
    fn looked_at(&self, metric: Metric) -> (f64, f64) {
        let Self {
            true_positive: tp,
            false_positive: fp,
            false_negative: fng,
            true_negative: tn,
        } = *self;
        match metric {
            Metric::F1 => (tp, tp + fp + fng),
            Metric::Precision => (tp, tp + fp),
            Metric::Recall => (tp, tp + fng),
            Metric::Specificity => (tn, tn + fp),
            _ => (tp + tn, self.all()),
        }
    }

    fn value(&self, metric: Metric) -> Result<f64, Undefined> {
        let (right, looked_at) = match metric {
            Metric::F1 => {
                let wrong = self.false_positive + self.false_negative;
                (self.true_positive, self.true_positive + 0.5 * wrong)
            }
            metric => self.looked_at(metric),
        };
        if looked_at > 0.0 {
            Ok(right / looked_at)
        } else {
            Err(Undefined::TooFew)
        }
    }

    /// The variance of a row that a metric looks at, by the share of such rows.
    fn variance(&self, metric: Metric) -> f64 {
        let (right, looked_at) = self.looked_at(metric);
        let rate = right / looked_at;
        rate * (1.0 - rate) / (looked_at / self.all())
    }
}

/// The area under the expected ROC curve, and the expected average precision, of rows in the order of their scores.
fn expected_curves(scores: &[f64], positive: &[f64]) -> [Result<f64, Undefined>; 2] {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    // To five digits, as NannyML has it: so a chunk that is all of one class is seen to be.
    let rounded = |value: f64| (value * 1e5).round_ties_even() / 1e5;
    let mut hits = 0.0;
    let curve: Vec<(f64, f64)> = (1_usize..)
        .zip(&order)
        .map(|(rank, &row)| {
            hits += positive[row];
            (rounded(hits), rounded(rank as f64 - hits))
        })
        .collect();
    let Some(&(all_hits, all_misses)) = curve.last() else {
        return [Err(Undefined::TooFew); 2];
    };
    let (mut area, mut precision) = (0.0, 0.0);
    let (mut before, mut corner) = ((0.0, 0.0), (0.0, 0.0));
    for (at, &(hits, misses)) in curve.iter().enumerate() {
        precision += (hits / all_hits - before.0 / all_hits) * hits / (at + 1) as f64;
        before = (hits, misses);
        // Rows of one score are one step: they are half ahead of each other.
        let next = order.get(at + 1).map(|&row| scores[row]);
        if next != Some(scores[order[at]]) {
            let across = misses / all_misses - corner.1 / all_misses;
            area += across * (corner.0 / all_hits + hits / all_hits) / 2.0;
            corner = (hits, misses);
        }
    }
    let defined = |value: f64, is: bool| {
        if is {
            Ok(value)
        } else {
            Err(Undefined::Constant)
        }
    };
    [
        defined(area, all_hits > 0.0 && all_misses > 0.0),
        defined(precision, all_hits > 0.0),
    ]
}

/// The variance of the share of negatives that a positive is ahead of, by the share of positives: of the area under the
/// ROC curve as a Mann–Whitney statistic. Where positives are more than half, negatives are looked at.
fn ranking_variance(labels: &[bool], scores: &[f64]) -> f64 {
    let positives = labels.iter().filter(|&&label| label).count();
    let flipped = 2 * positives > labels.len();
    let rare = labels.iter().map(|&label| label != flipped);
    let mut others: Vec<f64> = rare
        .clone()
        .zip(scores)
        .filter(|(rare, _)| !rare)
        .map(|(_, &score)| score)
        .collect();
    others.sort_unstable_by(f64::total_cmp);
    let n = others.len() as f64;
    let ahead: Vec<f64> = rare
        .zip(scores)
        .filter(|(rare, _)| *rare)
        .map(|(_, &score)| {
            let below = others.partition_point(|&other| other < score);
            let upto = others.partition_point(|&other| other <= score);
            // An equal one is half behind.
            (below + upto) as f64 / 2.0 / n
        })
        .collect();
    let count = ahead.len() as f64;
    let mean = ahead.iter().sum::<f64>() / count;
    let variance = ahead
        .iter()
        .map(|share| (share - mean).powi(2))
        .sum::<f64>()
        / count;
    variance / (count / labels.len() as f64)
}
