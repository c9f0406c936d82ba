//! How good predictions are: all metrics of the task.
//!
//! A NaN among the outputs makes every metric NaN; a metric that the rows cannot define is left out.

use std::collections::BTreeMap;

use super::rows::{MonitorError, Predictions, Targets};
use crate::metrics::{
    Accumulator, Answer, BinaryBatch, BinaryMetrics, ConfusionMatrix, MulticlassBatch,
    MulticlassMetrics, MultilabelBatch, MultilabelMetrics, RegressionBatch, RegressionMetrics,
};
use crate::train::Task;

/// The metrics that are defined, by their names.
pub(super) fn measure(
    task: Task,
    targets: &Targets,
    said: &Predictions,
) -> Result<BTreeMap<String, f64>, MonitorError> {
    let broken = said.nans() > 0;
    let answers = match (task, targets) {
        (Task::Binary, Targets::Classes(labels)) => {
            let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
            let scores: Vec<f64> = said
                .iter()
                .filter_map(|row| row.last().copied().map(f64::from))
                .collect();
            let mut metrics = BinaryMetrics::new();
            if !broken {
                metrics.update(BinaryBatch::new(&labels, &scores))?;
            }
            metrics.compute().named()
        }
        (Task::Multiclass { classes }, Targets::Classes(labels)) if said.width() == 1 => {
            let mut matrix = ConfusionMatrix::new(classes);
            for (label, class) in labels.iter().zip(said.outputs()) {
                if !broken {
                    // Saturates: what is no class is out of range, and said to be.
                    matrix.add(*label, class as usize)?;
                }
            }
            matrix.compute().named()
        }
        (Task::Multiclass { classes }, Targets::Classes(labels)) => {
            // A softmax may come out a little above 1.
            let proper = |score: f64| {
                if (1.0..1.0001).contains(&score) {
                    1.0
                } else {
                    score
                }
            };
            let scores: Vec<f64> = said.outputs().map(proper).collect();
            let mut metrics = MulticlassMetrics::new(classes);
            if !broken {
                metrics.update(MulticlassBatch::new(labels, &scores))?;
            }
            metrics.compute().named()
        }
        (Task::Multilabel { labels: width }, Targets::Numbers(targets)) => {
            let labels: Vec<bool> = targets.iter().map(|target| *target > 0.5).collect();
            let scores: Vec<f64> = said.outputs().collect();
            let mut metrics = MultilabelMetrics::new(width);
            if !broken {
                metrics.update(MultilabelBatch::new(width, &labels, &scores))?;
            }
            metrics.compute().named()
        }
        (Task::Regression { .. }, Targets::Numbers(targets)) => {
            let truths: Vec<f64> = targets.iter().copied().map(f64::from).collect();
            let said: Vec<f64> = said.outputs().collect();
            let mut metrics = RegressionMetrics::new();
            if !broken {
                metrics.update(RegressionBatch::new(&truths, &said))?;
            }
            metrics.compute().named()
        }
        (task, Targets::Classes(_)) => {
            return Err(format!("{task:?} is judged by numbers, and the data have classes").into());
        }
        (task, Targets::Numbers(_)) => {
            return Err(format!("{task:?} is judged by classes, and the data have numbers").into());
        }
    };
    let value = |(name, answer): (&str, Answer)| {
        let value = if broken { f64::NAN } else { answer.ok()? };
        Some((name.to_owned(), value))
    };
    Ok(answers.into_iter().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::LabelledRows;

    fn measured(
        task: Task,
        data: LabelledRows,
        outputs: Vec<f32>,
    ) -> Result<BTreeMap<String, f64>, String> {
        let said = Predictions::of(task, data.rows().len(), outputs);
        let measured = said.and_then(|said| measure(task, &data.targets, &said));
        measured.map_err(|error| error.to_string())
    }

    fn classes(labels: &[usize]) -> LabelledRows {
        LabelledRows::classes(vec![0.0; labels.len()], 1, labels.to_vec()).unwrap()
    }

    #[test]
    fn scores_and_classes_give_the_same_accuracy() {
        let task = Task::Multiclass { classes: 3 };
        let scores = vec![0.8, 0.1, 0.1, 0.2, 0.3, 0.5, 0.0, 1.0, 0.0];
        let by_scores = measured(task, classes(&[0, 2, 2]), scores).unwrap();
        let by_class = measured(task, classes(&[0, 2, 2]), vec![0.0, 2.0, 1.0]).unwrap();
        assert_eq!(by_scores["accuracy"], 2.0 / 3.0);
        assert_eq!(by_class["accuracy"], 2.0 / 3.0);
        assert!(by_scores.contains_key("log_loss") && !by_class.contains_key("log_loss"));
        let binary = measured(Task::Binary, classes(&[0, 1]), vec![0.3, 0.7, 0.6, 0.4]).unwrap();
        assert_eq!(binary["accuracy"], 0.0);
    }

    #[test]
    fn a_nan_makes_every_metric_nan() {
        let numbers = LabelledRows::numbers(vec![0.0; 2], 1, vec![1.0, 2.0]).unwrap();
        let all = measured(
            Task::Regression { outputs: 1 },
            numbers,
            vec![1.0, f32::NAN],
        )
        .unwrap();
        assert!(all.len() > 5 && all.values().all(|value| value.is_nan()));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let task = Task::Multiclass { classes: 3 };
        let error = measured(task, classes(&[0, 1]), vec![0.5; 5]).unwrap_err();
        assert!(
            error.contains("5 numbers for 2 rows, expected 3 or 1"),
            "{error}"
        );
        let error = measured(task, classes(&[0, 7]), vec![0.5; 6]).unwrap_err();
        assert!(error.contains('7'), "{error}");
        let error = measured(task, classes(&[0, 1]), vec![0.0, 9.0]).unwrap_err();
        assert!(error.contains('9'), "{error}");
        let regression = Task::Regression { outputs: 1 };
        let error = measured(regression, classes(&[0]), vec![0.5]).unwrap_err();
        assert!(error.contains("judged by numbers"), "{error}");
    }
}
