//! By what an epoch is judged, for each task.
//!
//! Names are short and the same for all classifiers. A NaN among the outputs makes every metric NaN; a
//! metric that the split cannot define is left out.

use std::collections::BTreeMap;

use super::{Predictions, Task, classification_metrics};
use crate::metrics::{
    Accumulator, Answer, Average, BinaryBatch, BinaryMetrics, ClassScore, MetricError,
    MultilabelBatch, MultilabelMetrics, RegressionBatch, RegressionMetrics,
};

/// The metrics of a task, over what a model said of a split.
///
/// | task | metrics |
/// |---|---|
/// | [`Binary`](Task::Binary) | `accuracy`, and of class 1 `precision`, `recall`, `f1`, `auc_roc` |
/// | [`Multiclass`](Task::Multiclass) | `accuracy`, and the means over classes of `precision`, `recall`, `f1`, `auc_roc` (one against the rest) |
/// | [`Multilabel`](Task::Multilabel) | `accuracy` of all labels of an item at once, and the means over labels of `precision`, `recall`, `f1`, `auc_roc` |
/// | [`Regression`](Task::Regression) | `mae`, `rmse`, `r2`, over all outputs together |
///
/// ```
/// use modelpulse::train::{Predictions, Task, task_metrics};
/// let said = Predictions::numbers(1, vec![1.0, 3.0], vec![1.5, 3.5], vec![0, 1]).unwrap();
/// let metrics = task_metrics(Task::Regression { outputs: 1 }, &said);
/// assert_eq!((metrics["mae"], metrics["rmse"], metrics["r2"]), (0.5, 0.5, 0.75));
/// ```
pub fn task_metrics(task: Task, predictions: &Predictions) -> BTreeMap<String, f64> {
    match task {
        Task::Multiclass { .. } => classification_metrics(predictions),
        Task::Binary => named(CLASSIFIER, binary(predictions)),
        Task::Multilabel { labels } => named(CLASSIFIER, multilabel(labels, predictions)),
        Task::Regression { .. } => named(["mae", "rmse", "r2"], regression(predictions)),
    }
}

const CLASSIFIER: [&str; 5] = ["accuracy", "precision", "recall", "f1", "auc_roc"];

fn named<const N: usize>(
    names: [&str; N],
    answers: Result<[Answer; N], MetricError>,
) -> BTreeMap<String, f64> {
    let answers = answers.unwrap_or([Ok(f64::NAN); N]);
    let named = names.into_iter().zip(answers);
    named
        .filter_map(|(name, answer)| Some((name.to_owned(), answer.ok()?)))
        .collect()
}

fn binary(predictions: &Predictions) -> Result<[Answer; 5], MetricError> {
    let (labels, scores): (Vec<bool>, Vec<f64>) = predictions
        .iter()
        .map(|(_, label, scores)| (label == 1, scores.last().copied().map_or(0.0, f64::from)))
        .unzip();
    let mut metrics = BinaryMetrics::new();
    metrics.update(BinaryBatch::new(&labels, &scores))?;
    let all = metrics.compute();
    Ok([all.accuracy, all.precision, all.recall, all.f1, all.roc_auc])
}

fn multilabel(count: usize, predictions: &Predictions) -> Result<[Answer; 5], MetricError> {
    let (mut labels, mut scores) = (Vec::new(), Vec::new());
    for (_, targets, outputs) in predictions.rows() {
        labels.extend(targets.iter().map(|&target| target > 0.5));
        scores.extend(outputs.iter().copied().map(f64::from));
    }
    let mut metrics = MultilabelMetrics::new(count);
    metrics.update(MultilabelBatch::new(count, &labels, &scores))?;
    let mean = |score| metrics.averaged(score, Average::Macro);
    Ok([
        metrics.compute().subset_accuracy,
        mean(ClassScore::Precision),
        mean(ClassScore::Recall),
        mean(ClassScore::FBeta(1.0)),
        metrics.roc_auc(Average::Macro),
    ])
}

fn regression(predictions: &Predictions) -> Result<[Answer; 3], MetricError> {
    let (mut truths, mut said) = (Vec::new(), Vec::new());
    for (_, targets, outputs) in predictions.rows() {
        truths.extend(targets.iter().copied().map(f64::from));
        said.extend(outputs.iter().copied().map(f64::from));
    }
    let mut metrics = RegressionMetrics::new();
    metrics.update(RegressionBatch::new(&truths, &said))?;
    let all = metrics.compute();
    Ok([all.mae, all.rmse, all.r2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_metrics_are_of_class_one() {
        // Of three that are 1, two are found; of four that are 0, one is taken for 1.
        let yes = [0.9, 0.8, 0.2, 0.7, 0.1, 0.3, 0.4_f32];
        let scores = yes.iter().flat_map(|&yes| [1.0 - yes, yes]).collect();
        let labels = vec![1, 1, 1, 0, 0, 0, 0];
        let said = Predictions::new(2, labels, scores, (0..7).collect()).unwrap();
        let metrics = task_metrics(Task::Binary, &said);
        assert_eq!(metrics["precision"], 2.0 / 3.0);
        assert_eq!(metrics["recall"], 2.0 / 3.0);
        assert_eq!(metrics["accuracy"], 5.0 / 7.0);
        // Of 12 pairs, nine in order: 0.2 is behind 0.7, 0.3 and 0.4.
        assert_eq!(metrics["auc_roc"], 9.0 / 12.0);
    }

    #[test]
    fn labels_are_judged_one_by_one_and_items_by_all_of_them() {
        let targets = vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
        let outputs = vec![0.9, 0.1, 0.2, 0.8, 0.7, 0.4];
        let said = Predictions::numbers(2, targets, outputs, vec![0, 1, 2]).unwrap();
        let metrics = task_metrics(Task::Multilabel { labels: 2 }, &said);
        assert_eq!(metrics["accuracy"], 2.0 / 3.0);
        assert_eq!((metrics["precision"], metrics["recall"]), (1.0, 0.75));
        assert_eq!(metrics["auc_roc"], 1.0);
    }

    #[test]
    fn a_nan_output_makes_every_metric_nan() {
        let said = Predictions::numbers(1, vec![1.0], vec![f32::NAN], vec![0]).unwrap();
        for (task, count) in [
            (Task::Regression { outputs: 1 }, 3),
            (Task::Multilabel { labels: 1 }, 5),
        ] {
            let metrics = task_metrics(task, &said);
            assert_eq!(metrics.len(), count);
            assert!(metrics.values().all(|value| value.is_nan()), "{metrics:?}");
        }
    }
}
