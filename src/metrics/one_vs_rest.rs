//! The area under the ROC curve over many classes, each against the rest.
//!
//! A sample is taken for all classes or for none, and the answer does not depend on the order of updates or merges.

use super::MetricError;
use super::auc::area;

/// ROC AUC of a classifier over many classes, each class against the rest.
///
/// A sample is its true label and one score a class; scores need not sum to 1. They are kept and compared as `f32`, as
/// models give them: probabilities that differ in `f64` only tie.
///
/// Memory is 4 bytes × classes + 8 bytes a sample; asking sorts one class at a time.
///
/// ```
/// use modelpulse::metrics::OneVsRestAuc;
///
/// let mut auc = OneVsRestAuc::new(3);
/// auc.update(0, &[0.7, 0.2, 0.1])?;
/// auc.update(1, &[0.6, 0.3, 0.1])?;
/// auc.update(1, &[0.2, 0.1, 0.7])?;
/// assert_eq!(auc.class_auc(0), Some(1.0));
/// assert_eq!(auc.class_auc(1), Some(0.5));
/// assert_eq!(auc.class_auc(2), None, "class 2 has no positives");
/// assert_eq!(auc.macro_auc(), Some(0.75));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct OneVsRestAuc {
    classes: usize,
    labels: Vec<usize>,
    /// Row-major, one row of `classes` scores a label.
    scores: Vec<f32>,
}

impl OneVsRestAuc {
    /// An accumulator over `classes` classes that has taken nothing.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            labels: Vec::new(),
            scores: Vec::new(),
        }
    }

    /// Takes one sample: its true label and its score for each class, the highest meaning the most likely.
    ///
    /// # Errors
    ///
    /// [`MetricError::LabelOutOfRange`], [`MetricError::ScoreCount`] or [`MetricError::NanScore`]; the sample is not
    /// taken then, for any class.
    pub fn update(&mut self, label: usize, scores: &[f32]) -> Result<(), MetricError> {
        let classes = self.classes;
        if label >= classes {
            return Err(MetricError::LabelOutOfRange { label, classes });
        }
        let sample = self.len();
        if scores.len() != classes {
            return Err(MetricError::ScoreCount {
                sample,
                expected: classes,
                got: scores.len(),
            });
        }
        if let Some(class) = scores.iter().position(|score| score.is_nan()) {
            return Err(MetricError::NanScore { sample, class });
        }
        self.labels.push(label);
        self.scores.extend_from_slice(scores);
        Ok(())
    }

    /// Takes all samples of another accumulator.
    ///
    /// # Errors
    ///
    /// [`MetricError::ClassesDiffer`] if the other has another number of classes; nothing is taken then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.classes != other.classes {
            return Err(MetricError::ClassesDiffer {
                ours: self.classes,
                theirs: other.classes,
            });
        }
        self.labels.extend_from_slice(&other.labels);
        self.scores.extend_from_slice(&other.scores);
        Ok(())
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of samples taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether no sample was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The area for `class` against all others; `None` unless samples of both kinds were taken, or if there is no
    /// such class.
    #[must_use]
    pub fn class_auc(&self, class: usize) -> Option<f64> {
        if class >= self.classes {
            return None;
        }
        let mut positives = Vec::new();
        let mut negatives = Vec::new();
        for (&label, scores) in self
            .labels
            .iter()
            .zip(self.scores.chunks_exact(self.classes))
        {
            let side = if label == class {
                &mut positives
            } else {
                &mut negatives
            };
            side.push(f64::from(scores[class]));
        }
        area(positives, negatives)
    }

    /// The unweighted mean of [`class_auc`](Self::class_auc) over the classes for which it is defined; `None` if it
    /// is for none.
    ///
    /// Where all classes occur this is scikit-learn's
    /// [`roc_auc_score(..., multi_class="ovr", average="macro")`][1]. Where one does not, scikit-learn raises or
    /// warns and answers NaN; here the mean is over the rest, so that an evaluation set without a rare class still has
    /// an answer.
    ///
    /// [1]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_auc_score.html
    #[must_use]
    pub fn macro_auc(&self) -> Option<f64> {
        let areas: Vec<f64> = (0..self.classes)
            .filter_map(|class| self.class_auc(class))
            .collect();
        let sum: f64 = areas.iter().sum();
        (!areas.is_empty()).then(|| sum / areas.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: scikit-learn 1.9.1, `roc_auc_score` of each class against the rest, and with
    // `multi_class="ovr", average="macro"`.

    #[test]
    fn sklearn_one_vs_rest_over_three_classes() {
        let mut auc = OneVsRestAuc::new(3);
        let mut other = OneVsRestAuc::new(3);
        for (i, (label, scores)) in [
            (0, [0.3, 0.5, 0.2]),
            (1, [0.1, 0.4, 0.5]),
            (2, [0.3, 0.6, 0.1]),
            (2, [0.5, 0.0, 0.5]),
            (1, [0.4, 0.1, 0.5]),
            (0, [0.5, 0.0, 0.5]),
            (1, [0.3, 0.5, 0.2]),
            (2, [0.6, 0.3, 0.1]),
        ]
        .into_iter()
        .enumerate()
        {
            let shard = if i % 3 == 0 { &mut other } else { &mut auc };
            shard.update(label, &scores).unwrap();
        }
        auc.merge(&other).unwrap();
        for (class, expected) in [0.5416666666666666, 0.5666666666666667, 0.23333333333333334]
            .into_iter()
            .enumerate()
        {
            let got = auc.class_auc(class).unwrap();
            assert!((got - expected).abs() < 1e-12, "class {class}: {got}");
        }
        let got = auc.macro_auc().unwrap();
        assert!((got - 0.44722222222222224).abs() < 1e-12, "{got}");
    }

    #[test]
    fn bad_input_is_refused_and_changes_nothing() {
        let mut auc = OneVsRestAuc::new(3);
        auc.update(2, &[0.1, 0.2, 0.7]).unwrap();
        assert_eq!(
            auc.update(0, &[0.1, 0.2, f32::NAN]),
            Err(MetricError::NanScore {
                sample: 1,
                class: 2
            })
        );
        assert_eq!(
            auc.update(0, &[0.1, 0.2]),
            Err(MetricError::ScoreCount {
                sample: 1,
                expected: 3,
                got: 2
            })
        );
        assert_eq!(
            auc.update(3, &[0.1, 0.2, 0.7]),
            Err(MetricError::LabelOutOfRange {
                label: 3,
                classes: 3
            })
        );
        assert_eq!(
            auc.merge(&OneVsRestAuc::new(2)),
            Err(MetricError::ClassesDiffer { ours: 3, theirs: 2 })
        );
        assert_eq!(auc.len(), 1);
    }

    #[test]
    fn no_class_with_both_kinds_leaves_the_mean_undefined() {
        assert_eq!(OneVsRestAuc::new(0).macro_auc(), None);
        let mut auc = OneVsRestAuc::new(2);
        assert_eq!(auc.macro_auc(), None);
        auc.update(1, &[0.5, 0.5]).unwrap();
        assert_eq!(auc.macro_auc(), None);
        assert_eq!(auc.class_auc(2), None);
    }
}
