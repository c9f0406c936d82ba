//! The confusion matrix of a classifier: how often, and how heavily, each class was taken for each.
//!
//! The total is the sum of all counts and fits in a `u64`, so no cell, row or column sum can overflow. Weights are
//! summed exactly. So merging shards, in any order, gives the matrix of the joined data bit for bit.
//!
//! What can be asked of it is in `class_scores` and `agreement`.

use super::batch::{check_length, check_weights};
use super::{Accumulator, Batch, ClassScores, ExactSum, LabelBatch, MetricError, OwnedLabels};

/// Counts of (true label, predicted class) pairs over a fixed number of classes.
///
/// Rows are true labels and columns are predictions, as in scikit-learn. Memory is 8 bytes × classes², and about ten
/// times that once samples have weights.
///
/// Once a batch came with weights, scores are of the weights; samples that came without weigh 1.
///
/// ```
/// use modelpulse::metrics::{Accumulator, ConfusionMatrix, LabelBatch, Undefined};
///
/// let mut matrix = ConfusionMatrix::new(3);
/// matrix.update(LabelBatch::new(&[0, 0, 1, 1], &[0, 1, 1, 1]))?;
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.accuracy(), Ok(0.75));
/// assert_eq!(matrix.precision(1), Ok(2.0 / 3.0));
/// assert_eq!(matrix.recall(2), Err(Undefined::NoPositives), "class 2 never occurred");
/// assert_eq!(matrix.macro_recall(), Ok(0.75), "so it is not averaged either");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row-major, `classes` × `classes`.
    counts: Vec<u64>,
    /// The same of weights, where there are any.
    weights: Option<Vec<ExactSum>>,
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
            weights: None,
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
            weights: None,
            total,
        })
    }

    /// Counts one sample, of weight 1.
    ///
    /// # Errors
    ///
    /// [`MetricError::LabelOutOfRange`] or [`MetricError::PredictionOutOfRange`]; nothing is counted then.
    pub fn add(&mut self, label: usize, prediction: usize) -> Result<(), MetricError> {
        self.update(LabelBatch::new(&[label], &[prediction]))
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of true class `label` were predicted as `prediction`; 0 outside the matrix.
    #[must_use]
    pub fn count(&self, label: usize, prediction: usize) -> u64 {
        self.place(label, prediction)
            .map_or(0, |place| self.counts[place])
    }

    /// How much the samples of true class `label` weigh that were predicted as `prediction`: their number unless
    /// weights were given; 0 outside the matrix.
    #[must_use]
    pub fn weight(&self, label: usize, prediction: usize) -> f64 {
        self.place(label, prediction)
            .map_or(0.0, |place| match &self.weights {
                Some(weights) => weights[place].value(),
                None => self.counts[place] as f64,
            })
    }

    fn place(&self, label: usize, prediction: usize) -> Option<usize> {
        (label < self.classes && prediction < self.classes)
            .then_some(label * self.classes + prediction)
    }

    /// The number of samples counted, whatever they weigh.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The rows of counts from class 0 up: the predictions of the samples that truly are of that class.
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

    /// The weights, made from the counts where there are none yet.
    fn weigh(&mut self) -> &mut Vec<ExactSum> {
        let counts = &self.counts;
        self.weights.get_or_insert_with(|| {
            let weigh = |&count| {
                let mut sum = ExactSum::new();
                sum.add_count(count);
                sum
            };
            counts.iter().map(weigh).collect()
        })
    }

    /// Counts samples that were checked.
    pub(super) fn count_checked(
        &mut self,
        samples: impl ExactSizeIterator<Item = (usize, usize)>,
        weights: Option<&[f64]>,
    ) {
        self.total += samples.len() as u64;
        let classes = self.classes;
        let places = samples.map(|(label, prediction)| label * classes + prediction);
        if weights.is_none() && self.weights.is_none() {
            for place in places {
                self.counts[place] += 1;
            }
            return;
        }
        self.weigh();
        let sums = self.weights.as_deref_mut().unwrap_or_default();
        for (i, place) in places.enumerate() {
            self.counts[place] += 1;
            sums[place].add(weights.map_or(1.0, |weights| weights[i]));
        }
    }

    /// That this many more samples can be counted.
    pub(super) fn check_room(&self, samples: usize) -> Result<(), MetricError> {
        match self.total.checked_add(samples as u64) {
            Some(_) => Ok(()),
            None => Err(MetricError::TooManySamples),
        }
    }
}

impl Accumulator for ConfusionMatrix {
    type Owned = OwnedLabels;
    type Batch<'a> = LabelBatch<'a>;
    type Answer = ClassScores;

    /// [`MetricError::LabelOutOfRange`], [`MetricError::PredictionOutOfRange`], [`MetricError::Lengths`] or
    /// [`MetricError::Weight`].
    fn check(&self, batch: LabelBatch<'_>) -> Result<(), MetricError> {
        let (classes, taken) = (self.classes, self.total);
        check_length("predictions", batch.len(), batch.predictions.len())?;
        check_weights(batch.weights, batch.len(), taken)?;
        check_labels(batch.labels, classes, taken)?;
        if let Some(at) = batch.predictions.iter().position(|&p| p >= classes) {
            return Err(MetricError::PredictionOutOfRange {
                sample: taken + at as u64,
                prediction: batch.predictions[at],
                classes,
            });
        }
        self.check_room(batch.len())?;
        Ok(())
    }

    fn update(&mut self, batch: LabelBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        let pairs = batch.labels.iter().copied();
        self.count_checked(pairs.zip(batch.predictions.iter().copied()), batch.weights);
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] if the other has another number of classes.
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.classes != other.classes {
            return Err(MetricError::SettingsDiffer { what: "classes" });
        }
        self.total = self
            .total
            .checked_add(other.total)
            .ok_or(MetricError::TooManySamples)?;
        if self.weights.is_some() || other.weights.is_some() {
            let mut other = other.clone();
            let theirs = std::mem::take(other.weigh());
            for (ours, theirs) in self.weigh().iter_mut().zip(&theirs) {
                ours.merge(theirs);
            }
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        Ok(())
    }

    fn compute(&self) -> ClassScores {
        ClassScores::of(self)
    }

    fn fresh(&self) -> Self {
        Self::new(self.classes)
    }

    fn samples(&self) -> u64 {
        self.total
    }
}

/// That all labels are classes; `taken` samples came before.
pub(super) fn check_labels(
    labels: &[usize],
    classes: usize,
    taken: u64,
) -> Result<(), MetricError> {
    match labels.iter().position(|&label| label >= classes) {
        Some(at) => Err(MetricError::LabelOutOfRange {
            sample: taken + at as u64,
            label: labels[at],
            classes,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Answer, Undefined};

    fn close(got: Answer, expected: f64) {
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
        assert_eq!(matrix.recall(3), Err(Undefined::NoPositives));
        assert_eq!(matrix.precision(3), Ok(0.0));
        assert_eq!(matrix.f1(3), Ok(0.0));
    }

    #[test]
    fn sklearn_classes_that_are_never_predicted() {
        let matrix = ConfusionMatrix::from_rows(&[[1, 0, 0], [2, 0, 0], [1, 0, 0]]).unwrap();
        close(matrix.accuracy(), 0.25);
        close(matrix.macro_precision(), 0.08333333333333333);
        close(matrix.macro_recall(), 0.3333333333333333);
        close(matrix.macro_f1(), 0.13333333333333333);
        assert_eq!(matrix.precision(1), Err(Undefined::NeverPredicted));
        assert_eq!(matrix.recall(1), Ok(0.0));
    }

    #[test]
    fn sklearn_nothing_right_and_one_true_class() {
        let matrix = ConfusionMatrix::from_rows(&[[0, 0, 0], [4, 0, 4], [0, 0, 0]]).unwrap();
        assert_eq!(matrix.accuracy(), Ok(0.0));
        assert_eq!(matrix.macro_recall(), Ok(0.0));
        assert_eq!(matrix.macro_f1(), Ok(0.0));
    }

    #[test]
    fn sklearn_class_that_never_occurs_is_not_averaged() {
        // y_true = [0, 0, 2, 2, 2], y_pred = [0, 2, 2, 2, 0]; class 1 is in neither.
        let mut matrix = ConfusionMatrix::new(3);
        for (label, prediction) in [(0, 0), (0, 2), (2, 2), (2, 2), (2, 0)] {
            matrix.add(label, prediction).unwrap();
        }
        close(matrix.accuracy(), 0.6);
        close(matrix.macro_f1(), 0.5833333333333333);
        assert_eq!(matrix.f1(1), Err(Undefined::NeverSeen));
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
            assert_eq!(matrix.precision(0), Err(Undefined::NeverPredicted));
            assert_eq!(matrix.recall(0), Err(Undefined::NoPositives));
            assert_eq!(matrix.f1(0), Err(Undefined::NeverSeen));
            let scores = matrix.compute().named();
            assert!(
                scores
                    .iter()
                    .all(|(_, score)| *score == Err(Undefined::NoSamples))
            );
        }
    }

    #[test]
    fn bad_input_is_refused_and_changes_nothing() {
        let mut matrix = ConfusionMatrix::from_rows(&[[1, 2], [3, 4]]).unwrap();
        let before = matrix.clone();
        assert_eq!(
            matrix.add(2, 0),
            Err(MetricError::LabelOutOfRange {
                sample: 10,
                label: 2,
                classes: 2
            })
        );
        assert_eq!(
            matrix.add(0, usize::MAX),
            Err(MetricError::PredictionOutOfRange {
                sample: 10,
                prediction: usize::MAX,
                classes: 2
            })
        );
        assert_eq!(
            matrix.merge(&ConfusionMatrix::new(3)),
            Err(MetricError::SettingsDiffer { what: "classes" })
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
        assert_eq!(matrix.recall(2), Err(Undefined::NoPositives));
    }

    #[test]
    fn full_counts_do_not_overflow() {
        let full = ConfusionMatrix::from_rows(&[[u64::MAX, 0], [0, 0]]).unwrap();
        assert_eq!((full.accuracy(), full.f1(0)), (Ok(1.0), Ok(1.0)));
    }
}
