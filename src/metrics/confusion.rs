//! The confusion matrix of a classifier, and the scores that are ratios of its counts.
//!
//! The total is the sum of all cells and fits in a `u64`, so no cell, row or column sum can overflow.
//!
//! Formulas: [scikit-learn, "Classification metrics"][1], checked against scikit-learn 1.9.1.
//!
//! [1]: https://scikit-learn.org/stable/modules/model_evaluation.html#classification-metrics

use super::MetricError;

/// Counts of (true label, predicted class) pairs over a fixed number of classes.
///
/// Rows are true labels and columns are predictions, as in scikit-learn. Memory is 8 bytes × classes².
///
/// Scores are fractions in 0..=1, not percent. A score of one class is `None` where it is 0/0; it is also `None`
/// for a class outside the matrix, which holds no samples.
///
/// ```
/// use modelpulse::metrics::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::new(3);
/// for (label, prediction) in [(0, 0), (0, 1), (1, 1), (1, 1)] {
///     matrix.update(label, prediction)?;
/// }
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.accuracy(), Some(0.75));
/// assert_eq!(matrix.precision(1), Some(2.0 / 3.0));
/// assert_eq!(matrix.recall(2), None, "class 2 never occurred");
/// assert_eq!(matrix.macro_recall(), Some(0.75), "so it is not averaged either");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row-major, `classes` × `classes`.
    counts: Vec<u64>,
    total: u64,
}

impl ConfusionMatrix {
    /// An empty matrix of `classes` × `classes` counts.
    ///
    /// # Panics
    ///
    /// If classes² counts are more than an allocation can hold (2³⁰ classes on a 64-bit machine).
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes.saturating_mul(classes)],
            total: 0,
        }
    }

    /// The matrix with these counts: one row a true label, one column a prediction.
    ///
    /// # Errors
    ///
    /// [`MetricError::RowLength`] if the table is not square, [`MetricError::TooManySamples`] if its sum does not
    /// fit in a `u64`.
    pub fn from_rows<R: AsRef<[u64]>>(rows: &[R]) -> Result<Self, MetricError> {
        let mut counts = Vec::with_capacity(rows.len().saturating_mul(rows.len()));
        let mut total = 0u64;
        for (row, cells) in rows.iter().map(AsRef::as_ref).enumerate() {
            if cells.len() != rows.len() {
                return Err(MetricError::RowLength {
                    row,
                    expected: rows.len(),
                    got: cells.len(),
                });
            }
            for &cell in cells {
                total = total.checked_add(cell).ok_or(MetricError::TooManySamples)?;
            }
            counts.extend_from_slice(cells);
        }
        Ok(Self {
            classes: rows.len(),
            counts,
            total,
        })
    }

    /// Counts one sample.
    ///
    /// # Errors
    ///
    /// [`MetricError::LabelOutOfRange`] or [`MetricError::PredictionOutOfRange`]; nothing is counted then.
    pub fn update(&mut self, label: usize, prediction: usize) -> Result<(), MetricError> {
        let classes = self.classes;
        if label >= classes {
            return Err(MetricError::LabelOutOfRange { label, classes });
        }
        if prediction >= classes {
            return Err(MetricError::PredictionOutOfRange {
                prediction,
                classes,
            });
        }
        self.total = self
            .total
            .checked_add(1)
            .ok_or(MetricError::TooManySamples)?;
        self.counts[label * classes + prediction] += 1;
        Ok(())
    }

    /// Adds the counts of another matrix, as if its samples had been counted here.
    ///
    /// # Errors
    ///
    /// [`MetricError::ClassesDiffer`] if the other has another number of classes, [`MetricError::TooManySamples`]
    /// if the sum of both totals does not fit in a `u64`; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.classes != other.classes {
            return Err(MetricError::ClassesDiffer {
                ours: self.classes,
                theirs: other.classes,
            });
        }
        self.total = self
            .total
            .checked_add(other.total)
            .ok_or(MetricError::TooManySamples)?;
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        Ok(())
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of true class `label` were predicted as `prediction`; 0 outside the matrix.
    #[must_use]
    pub fn count(&self, label: usize, prediction: usize) -> u64 {
        if label < self.classes && prediction < self.classes {
            self.counts[label * self.classes + prediction]
        } else {
            0
        }
    }

    /// The number of samples counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The rows from class 0 up: the predictions of the samples that truly are of that class.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u64]> {
        // The chunk size must not be 0; a matrix of no classes has no chunks.
        self.counts.chunks_exact(self.classes.max(1))
    }

    /// The number of samples whose true label is `class` (scikit-learn's *support*).
    #[must_use]
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes).map(|p| self.count(class, p)).sum()
    }

    /// The number of samples predicted as `class`.
    #[must_use]
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|l| self.count(l, class)).sum()
    }

    /// The share of samples whose prediction is their label; `None` if there are no samples.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        let hits = (0..self.classes).map(|c| self.count(c, c)).sum();
        ratio(hits, self.total)
    }

    /// Of the samples predicted as `class`, the share that is; `None` if none was predicted so.
    #[must_use]
    pub fn precision(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), self.predicted(class))
    }

    /// Of the samples that are of `class`, the share predicted so; `None` if there are none.
    #[must_use]
    pub fn recall(&self, class: usize) -> Option<f64> {
        ratio(self.count(class, class), self.support(class))
    }

    /// F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; `None` if `class` occurs neither
    /// as a label nor as a prediction. It is 0, not undefined, where only one of the two is undefined.
    #[must_use]
    pub fn f1(&self, class: usize) -> Option<f64> {
        // Added as f64, because the sum of two counts may pass u64.
        let sum = self.support(class) as f64 + self.predicted(class) as f64;
        (sum > 0.0).then(|| 2.0 * self.count(class, class) as f64 / sum)
    }

    /// The unweighted mean of [`precision`](Self::precision) over the classes; `None` if there are no samples.
    ///
    /// This and the other macro averages are those of [scikit-learn's `precision_recall_fscore_support`][1] with
    /// `average="macro"`, `zero_division=0` and its default label set: the mean runs over the classes that occur
    /// as a label or as a prediction, and a score of such a class that is 0/0 counts as 0.
    ///
    /// [1]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_fscore_support.html
    #[must_use]
    pub fn macro_precision(&self) -> Option<f64> {
        self.macro_mean(|class| self.precision(class))
    }

    /// The unweighted mean of [`recall`](Self::recall) over the classes that occur; see
    /// [`macro_precision`](Self::macro_precision).
    ///
    /// A class that is only ever predicted counts with 0, so this is not scikit-learn's `balanced_accuracy_score`,
    /// which leaves such a class out.
    #[must_use]
    pub fn macro_recall(&self) -> Option<f64> {
        self.macro_mean(|class| self.recall(class))
    }

    /// The unweighted mean of [`f1`](Self::f1) over the classes that occur; see
    /// [`macro_precision`](Self::macro_precision). It is the mean of the F1 scores, not the F1 of the mean precision
    /// and recall.
    #[must_use]
    pub fn macro_f1(&self) -> Option<f64> {
        self.macro_mean(|class| self.f1(class))
    }

    fn macro_mean(&self, score: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let present: Vec<usize> = (0..self.classes)
            .filter(|&class| self.support(class) > 0 || self.predicted(class) > 0)
            .collect();
        let sum: f64 = present
            .iter()
            .map(|&class| score(class).unwrap_or(0.0))
            .sum();
        (!present.is_empty()).then(|| sum / present.len() as f64)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: Option<f64>, expected: f64) {
        let got = got.expect("the score is defined");
        assert!(
            (got - expected).abs() <= 1e-12,
            "got {got}, expected {expected}"
        );
    }

    // Expected values of the tests named `sklearn_*`: scikit-learn 1.9.1, `accuracy_score` and
    // `precision_recall_fscore_support(..., average="macro", zero_division=0)` with its default labels.

    #[test]
    fn sklearn_iris_out_of_fold() {
        let matrix = ConfusionMatrix::from_rows(&[[50, 0, 0], [0, 47, 3], [0, 3, 47]]).unwrap();
        close(matrix.accuracy(), 0.96);
        close(matrix.macro_precision(), 0.96);
        close(matrix.macro_recall(), 0.96);
        close(matrix.macro_f1(), 0.96);
    }

    #[test]
    fn sklearn_class_that_is_predicted_but_never_true() {
        let matrix = ConfusionMatrix::from_rows(&[
            [13, 2, 1, 3, 1],
            [0, 19, 4, 3, 7],
            [2, 6, 14, 19, 0],
            [0, 0, 0, 0, 0],
            [1, 1, 2, 2, 20],
        ])
        .unwrap();
        close(matrix.accuracy(), 0.55);
        close(matrix.macro_precision(), 0.574404761904762);
        close(matrix.macro_recall(), 0.4672903519244983);
        close(matrix.macro_f1(), 0.50750533717218);
        assert_eq!(matrix.recall(3), None);
        assert_eq!(matrix.precision(3), Some(0.0));
        assert_eq!(matrix.f1(3), Some(0.0));
    }

    #[test]
    fn sklearn_classes_that_are_never_predicted() {
        let matrix = ConfusionMatrix::from_rows(&[[1, 0, 0], [2, 0, 0], [1, 0, 0]]).unwrap();
        close(matrix.accuracy(), 0.25);
        close(matrix.macro_precision(), 0.08333333333333333);
        close(matrix.macro_recall(), 0.3333333333333333);
        close(matrix.macro_f1(), 0.13333333333333333);
        assert_eq!(matrix.precision(1), None);
        assert_eq!(matrix.recall(1), Some(0.0));
    }

    #[test]
    fn sklearn_nothing_right_and_one_true_class() {
        let matrix = ConfusionMatrix::from_rows(&[[0, 0, 0], [4, 0, 4], [0, 0, 0]]).unwrap();
        assert_eq!(matrix.accuracy(), Some(0.0));
        assert_eq!(matrix.macro_recall(), Some(0.0));
        assert_eq!(matrix.macro_f1(), Some(0.0));
    }

    #[test]
    fn sklearn_class_that_never_occurs_is_not_averaged() {
        // y_true = [0, 0, 2, 2, 2], y_pred = [0, 2, 2, 2, 0]; class 1 is in neither.
        let mut matrix = ConfusionMatrix::new(3);
        for (label, prediction) in [(0, 0), (0, 2), (2, 2), (2, 2), (2, 0)] {
            matrix.update(label, prediction).unwrap();
        }
        close(matrix.accuracy(), 0.6);
        close(matrix.macro_f1(), 0.5833333333333333);
        assert_eq!(matrix.f1(1), None);
    }

    #[test]
    fn merged_shards_give_the_answer_of_the_joined_data() {
        // The joined counts of reference case `metrics_merge/1`: the mean of the shards' F1 would be 0.5345.
        let mut whole = ConfusionMatrix::new(3);
        for shard in [
            [[10, 0, 1], [9, 40, 0], [0, 2, 2]],
            [[0, 5, 3], [0, 0, 12], [6, 0, 0]],
            [[7, 0, 0], [0, 6, 0], [0, 0, 20]],
        ] {
            whole
                .merge(&ConfusionMatrix::from_rows(&shard).unwrap())
                .unwrap();
        }
        let joined: [[u64; 3]; 3] = [[17, 5, 4], [9, 46, 12], [6, 2, 22]];
        assert_eq!(whole, ConfusionMatrix::from_rows(&joined).unwrap());
        assert!(whole.rows().eq(joined.iter().map(<[u64; 3]>::as_slice)));
        close(whole.accuracy(), 0.6910569105691057);
        close(whole.macro_f1(), 0.6666441289159342);
    }

    #[test]
    fn no_samples_leave_every_score_undefined() {
        for matrix in [ConfusionMatrix::new(4), ConfusionMatrix::new(0)] {
            assert_eq!(matrix.total(), 0);
            assert_eq!(matrix.rows().len(), matrix.classes());
            assert_eq!(matrix.accuracy(), None);
            assert_eq!(matrix.precision(0), None);
            assert_eq!(matrix.recall(0), None);
            assert_eq!(matrix.f1(0), None);
            assert_eq!(matrix.macro_precision().or(matrix.macro_recall()), None);
            assert_eq!(matrix.macro_f1(), None);
        }
    }

    #[test]
    fn bad_input_is_refused_and_changes_nothing() {
        let mut matrix = ConfusionMatrix::from_rows(&[[1, 2], [3, 4]]).unwrap();
        let before = matrix.clone();
        assert_eq!(
            matrix.update(2, 0),
            Err(MetricError::LabelOutOfRange {
                label: 2,
                classes: 2
            })
        );
        assert_eq!(
            matrix.update(0, usize::MAX),
            Err(MetricError::PredictionOutOfRange {
                prediction: usize::MAX,
                classes: 2
            })
        );
        assert_eq!(
            matrix.merge(&ConfusionMatrix::new(3)),
            Err(MetricError::ClassesDiffer { ours: 2, theirs: 3 })
        );
        let full = ConfusionMatrix::from_rows(&[[u64::MAX, 0], [0, 0]]).unwrap();
        assert_eq!(matrix.merge(&full), Err(MetricError::TooManySamples));
        assert_eq!(matrix, before);
        assert_eq!(
            ConfusionMatrix::from_rows(&[vec![1, 2], vec![3]]),
            Err(MetricError::RowLength {
                row: 1,
                expected: 2,
                got: 1
            })
        );
    }

    #[test]
    fn outside_the_matrix_there_is_nothing() {
        let matrix = ConfusionMatrix::from_rows(&[[1, 2], [3, 4]]).unwrap();
        assert_eq!((matrix.count(2, 0), matrix.count(0, 2)), (0, 0));
        assert_eq!(matrix.recall(2), None);
    }

    #[test]
    fn full_counts_do_not_overflow() {
        let full = ConfusionMatrix::from_rows(&[[u64::MAX, 0], [0, 0]]).unwrap();
        assert_eq!((full.accuracy(), full.f1(0)), (Some(1.0), Some(1.0)));
    }
}
