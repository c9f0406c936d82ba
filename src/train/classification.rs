//! A classifier's metrics over one split of one epoch.
//!
//! A NaN among the scores makes every metric NaN: a broken model has no accuracy, and one that was
//! counted over the rest would hide it. A metric that the split cannot define is left out.

use std::collections::BTreeMap;

use super::Predictions;
use super::predictions::argmax;
use crate::metrics::{Accumulator, ConfusionMatrix, LabelBatch, macro_roc_auc};

/// Accuracy, macro precision, recall and F1, and macro one-vs-rest AUC-ROC: `accuracy`, `precision`,
/// `recall`, `f1`, `auc_roc`.
///
/// ```
/// use modelpulse::train::{Predictions, classification_metrics};
/// let right = Predictions::new(2, vec![0, 1], vec![0.9, 0.1, 0.2, 0.8], vec![0, 1]).unwrap();
/// assert_eq!(classification_metrics(&right)["accuracy"], 1.0);
/// ```
pub fn classification_metrics(predictions: &Predictions) -> BTreeMap<String, f64> {
    const NAMES: [&str; 5] = ["accuracy", "precision", "recall", "f1", "auc_roc"];
    let values = judged(predictions).unwrap_or([Some(f64::NAN); 5]);
    let named = NAMES.into_iter().zip(values);
    named
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Those five alone: an epoch of a small model is over in milliseconds. Nothing where a score is NaN or a label is of no
/// class.
fn judged(predictions: &Predictions) -> Option<[Option<f64>; 5]> {
    let classes = predictions.classes();
    let labels = predictions.labels();
    // A softmax may come out a little above 1; clamping keeps NaN.
    let scores = predictions.outputs().iter();
    let scores: Vec<f32> = scores.map(|score| score.clamp(0.0, 1.0)).collect();
    let rows = labels.iter().zip(scores.chunks_exact(classes.max(1)));
    let predicted: Vec<usize> = rows.map(|(&label, row)| highest(label, row)).collect();
    let mut matrix = ConfusionMatrix::new(classes);
    let batch = LabelBatch::new(labels, &predicted);
    matrix.update(batch).ok()?;
    if scores.iter().fold(false, |nan, score| nan | score.is_nan()) {
        return None;
    }
    Some([
        matrix.accuracy().ok(),
        matrix.macro_precision().ok(),
        matrix.macro_recall().ok(),
        matrix.macro_f1().ok(),
        macro_roc_auc(classes, labels, &scores).ok(),
    ])
}

/// The class with the highest score, the first of several. Mostly it is the `guess`, which takes one look at each
/// score to see.
fn highest(guess: usize, scores: &[f32]) -> usize {
    let Some(&high) = scores.get(guess) else {
        return argmax(scores);
    };
    let not_below = scores.iter().map(|&score| u32::from(score >= high));
    match not_below.sum::<u32>() {
        1 => guess,
        _ => argmax(scores),
    }
}

/// Counts each item by its label and the class with the highest score, the first of equal ones.
pub fn confusion_matrix(predictions: &Predictions) -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::new(predictions.classes());
    for (_, label, scores) in predictions.iter() {
        // Out of range only where a label is: a trainer refuses such data before it trains.
        let _ = matrix.add(label, argmax(scores));
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_score_makes_every_metric_nan() {
        let good = Predictions::new(2, vec![0, 1], vec![0.9, 0.1, 0.2, 0.8], vec![0, 1]).unwrap();
        assert_eq!(classification_metrics(&good)["accuracy"], 1.0);
        let bad =
            Predictions::new(2, vec![0, 1], vec![0.9, 0.1, f32::NAN, 0.8], vec![0, 1]).unwrap();
        let metrics = classification_metrics(&bad);
        assert_eq!(metrics.len(), 5);
        assert!(metrics.values().all(|value| value.is_nan()));
    }

    #[test]
    fn an_undefined_metric_is_left_out() {
        let one_class =
            Predictions::new(2, vec![0, 0], vec![0.9, 0.1, 0.2, 0.8], vec![0, 1]).unwrap();
        let metrics = classification_metrics(&one_class);
        assert_eq!(metrics["accuracy"], 0.5);
        assert!(!metrics.contains_key("auc_roc"));
    }
}
