//! Scores of a confusion matrix: of one class, and averaged over classes.
//!
//! A score that is 0/0 is undefined and says why; only the macro and weighted averages take it as 0, as
//! scikit-learn does.
//!
//! Formulas: [scikit-learn, "Classification metrics"][1], checked against scikit-learn 1.9.1.
//!
//! [1]: https://scikit-learn.org/stable/modules/model_evaluation.html#classification-metrics

use super::report::report;
use super::{Answer, ConfusionMatrix, Undefined};

/// A score that each class has.
///
/// ```
/// use modelpulse::metrics::{Average, ClassScore, ConfusionMatrix};
/// let matrix = ConfusionMatrix::from_rows(&[[3, 1], [0, 4]])?;
/// assert_eq!(matrix.averaged(ClassScore::Recall, Average::Macro), Ok(0.875));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum ClassScore {
    /// Of what is predicted as the class, the share that is.
    Precision,
    /// Of what is of the class, the share that is predicted so.
    Recall,
    /// The weighted harmonic mean of precision and recall: recall counts β times as much.
    FBeta(f64),
    /// Of what is of the class or predicted so, the share that is both.
    Jaccard,
    /// Of what is not of the class, the share that is not predicted so.
    Specificity,
}

/// How the scores of classes become one.
///
/// ```
/// use modelpulse::metrics::{Average, ClassScore, ConfusionMatrix};
/// let matrix = ConfusionMatrix::from_rows(&[[3, 1], [0, 4]])?;
/// let micro = matrix.averaged(ClassScore::FBeta(1.0), Average::Micro);
/// assert_eq!(micro, matrix.accuracy());
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Average {
    /// The mean over classes.
    Macro,
    /// The score of the pooled counts of all classes.
    Micro,
    /// The mean over classes, each weighed by what is truly of it.
    Weighted,
}

/// By what the cells of a confusion matrix are divided.
///
/// ```
/// use modelpulse::metrics::{ConfusionMatrix, Normalise};
/// let matrix = ConfusionMatrix::from_rows(&[[3, 1], [0, 4]])?;
/// assert_eq!(matrix.share(0, 1, Normalise::Truth), Ok(0.25));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Normalise {
    /// By the sum of their row: all that truly is of the class.
    Truth,
    /// By the sum of their column: all that was predicted so.
    Prediction,
    /// By the sum of all.
    All,
}

/// What one class makes of all samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) tp: f64,
    pub(super) fp: f64,
    pub(super) fn_: f64,
    pub(super) tn: f64,
}

impl Counts {
    pub(super) fn score(self, score: ClassScore) -> Answer {
        let Self { tp, fp, fn_, tn } = self;
        match score {
            ClassScore::Precision => ratio(tp, tp + fp, Undefined::NeverPredicted),
            ClassScore::Recall => ratio(tp, tp + fn_, Undefined::NoPositives),
            ClassScore::Jaccard => ratio(tp, tp + fp + fn_, Undefined::NeverSeen),
            ClassScore::Specificity => ratio(tn, tn + fp, Undefined::NoNegatives),
            ClassScore::FBeta(beta) => {
                let square = beta * beta;
                let hits = (1.0 + square) * tp;
                ratio(hits, hits + square * fn_ + fp, Undefined::NeverSeen)
            }
        }
    }
}

pub(super) fn ratio(part: f64, whole: f64, undefined: Undefined) -> Answer {
    if whole > 0.0 {
        Ok(part / whole)
    } else {
        Err(undefined)
    }
}

impl ConfusionMatrix {
    pub(super) fn true_weight(&self, class: usize) -> f64 {
        (0..self.classes()).map(|p| self.weight(class, p)).sum()
    }

    pub(super) fn predicted_weight(&self, class: usize) -> f64 {
        (0..self.classes()).map(|l| self.weight(l, class)).sum()
    }

    /// What all samples weigh together: their number unless weights were given.
    #[must_use]
    pub fn total_weight(&self) -> f64 {
        (0..self.classes()).map(|l| self.true_weight(l)).sum()
    }

    pub(super) fn diagonal_weight(&self) -> f64 {
        (0..self.classes()).map(|c| self.weight(c, c)).sum()
    }

    fn counts(&self, class: usize, score: ClassScore) -> Counts {
        let tp = self.weight(class, class);
        let others = || (0..self.classes()).filter(|&other| other != class);
        let fn_ = others().map(|other| self.weight(class, other)).sum();
        let fp = others().map(|other| self.weight(other, class)).sum();
        // The only one that needs the whole matrix.
        let tn = if score == ClassScore::Specificity {
            let row = |label| others().map(move |other| self.weight(label, other));
            others().flat_map(row).sum()
        } else {
            0.0
        };
        Counts { tp, fp, fn_, tn }
    }

    /// The share of samples whose prediction is their label.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn accuracy(&self) -> Answer {
        ratio(
            self.diagonal_weight(),
            self.total_weight(),
            Undefined::NoSamples,
        )
    }

    /// The share of samples whose prediction is not their label: the Hamming loss of a classifier with one label a
    /// sample.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn hamming_loss(&self) -> Answer {
        let total = self.total_weight();
        ratio(total - self.diagonal_weight(), total, Undefined::NoSamples)
    }

    /// The mean recall of the classes that occur as labels.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn balanced_accuracy(&self) -> Answer {
        let recalls = (0..self.classes()).filter_map(|class| self.recall(class).ok());
        mean(recalls)
    }

    /// [Balanced accuracy](Self::balanced_accuracy) scaled so that chance gives 0 and a perfect classifier 1
    /// (`adjusted=True` in scikit-learn; with two classes this is Youden's J).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::OneClass`] where labels are all of one class.
    pub fn balanced_accuracy_adjusted(&self) -> Answer {
        let accuracy = self.balanced_accuracy()?;
        let occur = (0..self.classes()).filter(|&class| self.true_weight(class) > 0.0);
        match occur.count() {
            1 => Err(Undefined::OneClass),
            classes => {
                let chance = 1.0 / classes as f64;
                Ok((accuracy - chance) / (1.0 - chance))
            }
        }
    }

    /// A cell as a share; see [`Normalise`].
    ///
    /// # Errors
    ///
    /// [`Undefined::NoPositives`], [`Undefined::NeverPredicted`] or [`Undefined::NoSamples`], where scikit-learn
    /// gives 0.
    pub fn share(&self, label: usize, prediction: usize, normalise: Normalise) -> Answer {
        let (whole, undefined) = match normalise {
            Normalise::Truth => (self.true_weight(label), Undefined::NoPositives),
            Normalise::Prediction => (self.predicted_weight(prediction), Undefined::NeverPredicted),
            Normalise::All => (self.total_weight(), Undefined::NoSamples),
        };
        ratio(self.weight(label, prediction), whole, undefined)
    }

    /// A score of one class.
    ///
    /// # Errors
    ///
    /// Where it is 0/0: [`Undefined::NeverPredicted`] for precision, [`Undefined::NoPositives`] for recall,
    /// [`Undefined::NoNegatives`] for specificity, [`Undefined::NeverSeen`] for the others.
    pub fn class_score(&self, class: usize, score: ClassScore) -> Answer {
        self.counts(class, score).score(score)
    }

    /// Of the samples predicted as `class`, the share that is.
    ///
    /// # Errors
    ///
    /// [`Undefined::NeverPredicted`].
    pub fn precision(&self, class: usize) -> Answer {
        self.class_score(class, ClassScore::Precision)
    }

    /// Of the samples that are of `class`, the share predicted so.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoPositives`].
    pub fn recall(&self, class: usize) -> Answer {
        self.class_score(class, ClassScore::Recall)
    }

    /// F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall. It is 0, not undefined, where only
    /// one of the two is undefined.
    ///
    /// # Errors
    ///
    /// [`Undefined::NeverSeen`].
    pub fn f1(&self, class: usize) -> Answer {
        self.class_score(class, ClassScore::FBeta(1.0))
    }

    /// Of the samples that are not of `class`, the share that is not predicted so.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoNegatives`].
    pub fn specificity(&self, class: usize) -> Answer {
        self.class_score(class, ClassScore::Specificity)
    }

    /// Of the samples that are of `class` or predicted so, the share that is both.
    ///
    /// # Errors
    ///
    /// [`Undefined::NeverSeen`].
    pub fn jaccard(&self, class: usize) -> Answer {
        self.class_score(class, ClassScore::Jaccard)
    }

    /// The classes that occur, as a label or as a prediction.
    pub fn seen(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.classes()).filter(|&class| self.support(class) > 0 || self.predicted(class) > 0)
    }

    /// A score averaged over the classes that [occur](Self::seen).
    ///
    /// This is [scikit-learn's `precision_recall_fscore_support`][1] with `zero_division=0` and its default label
    /// set: a score of such a class that is 0/0 counts as 0 in the macro and weighted averages.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    ///
    /// [1]: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_fscore_support.html
    pub fn averaged(&self, score: ClassScore, average: Average) -> Answer {
        self.averaged_over(score, average, self.seen())
    }

    /// A score averaged over these classes (scikit-learn's `labels`), 0/0 counting as 0.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] over no classes or where nothing is truly of them; see also
    /// [`class_score`](Self::class_score) for the micro average.
    pub fn averaged_over(
        &self,
        score: ClassScore,
        average: Average,
        classes: impl IntoIterator<Item = usize>,
    ) -> Answer {
        let classes = classes.into_iter();
        match average {
            Average::Macro => mean(classes.map(|c| self.class_score(c, score).unwrap_or(0.0))),
            Average::Micro => {
                let mut pooled = Counts::default();
                for counts in classes.map(|class| self.counts(class, score)) {
                    pooled.tp += counts.tp;
                    pooled.fp += counts.fp;
                    pooled.fn_ += counts.fn_;
                    pooled.tn += counts.tn;
                }
                pooled.score(score).map_err(|_| Undefined::NoSamples)
            }
            Average::Weighted => {
                let weighed = classes.map(|class| {
                    let score = self.class_score(class, score).unwrap_or(0.0);
                    (score, self.true_weight(class))
                });
                weighted_mean(weighed)
            }
        }
    }

    /// The unweighted mean of [`precision`](Self::precision) over the classes that occur; see
    /// [`averaged`](Self::averaged).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn macro_precision(&self) -> Answer {
        self.averaged(ClassScore::Precision, Average::Macro)
    }

    /// The unweighted mean of [`recall`](Self::recall) over the classes that occur; see [`averaged`](Self::averaged).
    ///
    /// A class that is only ever predicted counts with 0; [`balanced_accuracy`](Self::balanced_accuracy) leaves it
    /// out.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn macro_recall(&self) -> Answer {
        self.averaged(ClassScore::Recall, Average::Macro)
    }

    /// The unweighted mean of [`f1`](Self::f1) over the classes that occur; see [`averaged`](Self::averaged). It is
    /// the mean of the F1 scores, not the F1 of the mean precision and recall.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn macro_f1(&self) -> Answer {
        self.averaged(ClassScore::FBeta(1.0), Average::Macro)
    }
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Answer {
    weighted_mean(values.map(|value| (value, 1.0)))
}

/// The mean of (value, weight) pairs.
pub(super) fn weighted_mean(pairs: impl Iterator<Item = (f64, f64)>) -> Answer {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (value, weight) in pairs {
        // In this order a weight of 1 changes nothing.
        sum += value * weight;
        weights += weight;
    }
    ratio(sum, weights, Undefined::NoSamples)
}

report! {
    /// The scores of a confusion matrix over all its classes.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, ConfusionMatrix};
    /// let matrix = ConfusionMatrix::from_rows(&[[3, 1], [0, 4]])?;
    /// let scores = matrix.compute();
    /// assert_eq!(scores.accuracy, Ok(0.875));
    /// assert_eq!(scores.named()[0], ("accuracy", Ok(0.875)));
    /// # Ok::<(), modelpulse::metrics::MetricError>(())
    /// ```
    ClassScores:
    /// See [`ConfusionMatrix::accuracy`].
    accuracy,
    /// See [`ConfusionMatrix::balanced_accuracy`].
    balanced_accuracy,
    /// See [`ConfusionMatrix::averaged`].
    precision_macro,
    /// See [`ConfusionMatrix::averaged`].
    recall_macro,
    /// See [`ConfusionMatrix::averaged`].
    f1_macro,
    /// See [`ConfusionMatrix::averaged`].
    jaccard_macro,
    /// See [`ConfusionMatrix::averaged`].
    precision_micro,
    /// See [`ConfusionMatrix::averaged`].
    recall_micro,
    /// See [`ConfusionMatrix::averaged`].
    f1_micro,
    /// See [`ConfusionMatrix::averaged`].
    jaccard_micro,
    /// See [`ConfusionMatrix::averaged`].
    precision_weighted,
    /// See [`ConfusionMatrix::averaged`].
    recall_weighted,
    /// See [`ConfusionMatrix::averaged`].
    f1_weighted,
    /// See [`ConfusionMatrix::averaged`].
    jaccard_weighted,
    /// See [`ConfusionMatrix::hamming_loss`].
    hamming_loss,
    /// See [`ConfusionMatrix::mcc`].
    mcc,
    /// See [`ConfusionMatrix::cohen_kappa`]; disagreements all weigh the same.
    cohen_kappa,
}

impl ClassScores {
    pub(super) fn of(matrix: &ConfusionMatrix) -> Self {
        use Average::{Macro, Micro, Weighted};
        use ClassScore::{FBeta, Jaccard, Precision, Recall};
        let averaged = |score, average| matrix.averaged(score, average);
        Self {
            accuracy: matrix.accuracy(),
            balanced_accuracy: matrix.balanced_accuracy(),
            precision_macro: averaged(Precision, Macro),
            recall_macro: averaged(Recall, Macro),
            f1_macro: averaged(FBeta(1.0), Macro),
            jaccard_macro: averaged(Jaccard, Macro),
            precision_micro: averaged(Precision, Micro),
            recall_micro: averaged(Recall, Micro),
            f1_micro: averaged(FBeta(1.0), Micro),
            jaccard_micro: averaged(Jaccard, Micro),
            precision_weighted: averaged(Precision, Weighted),
            recall_weighted: averaged(Recall, Weighted),
            f1_weighted: averaged(FBeta(1.0), Weighted),
            jaccard_weighted: averaged(Jaccard, Weighted),
            hamming_loss: matrix.hamming_loss(),
            mcc: matrix.mcc(),
            cohen_kappa: matrix.cohen_kappa(super::KappaWeights::None),
        }
    }
}
