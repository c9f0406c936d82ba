//! Labels that are probably wrong, by confident learning.
//!
//! The probabilities must be of a model that did not see the labels when it learned, else it repeats what is wrong in
//! them. C. Northcutt, L. Jiang and I. Chuang, "Confident learning: Estimating uncertainty in dataset labels", JAIR 70,
//! 2021, <https://arxiv.org/abs/1911.00068>; checked against cleanlab 2.9.0.

/// The probabilities that a model gives the classes, row by row.
///
/// ```
/// use modelpulse::health::errors::Scores;
/// let binary = Scores::Positive(&[0.25]);
/// assert_eq!((binary.classes(), binary.probability(0, 0)), (2, 0.75));
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Scores<'a> {
    /// One a row: of class 1 of two.
    Positive(&'a [f64]),
    /// One a class, row-major.
    Classes {
        /// rows × classes numbers.
        probabilities: &'a [f64],
        /// The number of classes.
        classes: usize,
    },
}

impl Scores<'_> {
    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        match *self {
            Self::Positive(_) => 2,
            Self::Classes { classes, .. } => classes,
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match *self {
            Self::Positive(scores) => scores.len(),
            Self::Classes {
                probabilities,
                classes,
            } => probabilities.len() / classes.max(1),
        }
    }

    /// The probability of a class for a row.
    ///
    /// # Panics
    /// If there is no such row or class.
    #[must_use]
    #[inline]
    pub fn probability(&self, row: usize, class: usize) -> f64 {
        match *self {
            Self::Positive(scores) if class == 0 => 1.0 - scores[row],
            Self::Positive(scores) => scores[row],
            Self::Classes {
                probabilities,
                classes,
            } => probabilities[row * classes + class],
        }
    }

    /// The class with the highest probability, the first of equal ones; the label's is raised by `favour`.
    pub(super) fn likeliest(&self, row: usize, label: usize, favour: f64) -> usize {
        let mut best = (0, f64::NEG_INFINITY);
        for class in 0..self.classes() {
            let raise = if class == label { favour } else { 0.0 };
            let probability = self.probability(row, class) + raise;
            if probability > best.1 {
                best = (class, probability);
            }
        }
        best.0
    }
}

/// Why labels and probabilities do not belong together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelledError {
    /// Fewer than two classes.
    #[error("label errors need at least two classes, not {0}")]
    Classes(usize),
    /// Not one row of probabilities a label.
    #[error("{labels} labels for {rows} rows of probabilities")]
    Rows {
        /// The number of labels.
        labels: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A label is not one of the classes.
    #[error(
        "label {label} of row {row} is out of range: there are {classes} classes, counted from 0"
    )]
    Label {
        /// The row, counted from 0.
        row: usize,
        /// The label.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A probability is not within 0..=1.
    #[error("the probability of class {class} of row {row} is {value}, not within 0..=1")]
    Probability {
        /// The row, counted from 0.
        row: usize,
        /// The class.
        class: usize,
        /// What is given.
        value: f64,
    },
}

/// How sure one may be of a label: the lower, the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LabelQuality {
    /// The probability of the label's class.
    SelfConfidence,
    /// How far it is above that of the likeliest other class, brought from -1..=1 to 0..=1.
    NormalizedMargin,
    /// log(1 + x) / x of x = the entropy of all probabilities (1 for equal ones) over the label's.
    ConfidenceWeightedEntropy,
}

/// Which rows' labels are taken for wrong. None does so where the model agrees with the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LabelFilter {
    /// Of each label and each other class, as many rows as the [`ConfidentJoint`](super::ConfidentJoint) counts: those with the widest margin.
    PruneByNoiseRate,
    /// Of each label, as many rows as the [`ConfidentJoint`](super::ConfidentJoint) counts for other classes: those with the lowest
    /// probability of the label.
    PruneByClass,
    /// Those that both take.
    Both,
    /// The rows that the [`ConfidentJoint`](super::ConfidentJoint) counts for another class than their label.
    ConfidentLearning,
    /// The rows where the model decides for another class.
    PredictedNeqGiven,
}

/// Labels, and what a model thinks of the rows that have them.
///
/// ```
/// use modelpulse::health::errors::{LabelFilter, LabelQuality, Labelled, Scores};
///
/// let labels = [0, 0, 0, 0, 1, 1, 1, 1];
/// let scores = [0.1, 0.2, 0.1, 0.95, 0.9, 0.8, 0.9, 0.3];
/// let labelled = Labelled::new(&labels, Scores::Positive(&scores))?;
/// assert_eq!(labelled.issues(LabelFilter::PruneByNoiseRate), [3, 7]);
/// assert_eq!(labelled.quality(LabelQuality::SelfConfidence)[7], 0.3);
/// # Ok::<(), modelpulse::health::errors::LabelledError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    pub(super) labels: &'a [usize],
    pub(super) scores: Scores<'a>,
}

/// What is closer than this is equal.
pub(super) const CLOSE: f64 = 1e-6;

impl<'a> Labelled<'a> {
    /// Labels counted from 0, and the probabilities of the same rows.
    ///
    /// # Errors
    /// [`LabelledError`].
    pub fn new(labels: &'a [usize], scores: Scores<'a>) -> Result<Self, LabelledError> {
        let classes = scores.classes();
        if classes < 2 {
            return Err(LabelledError::Classes(classes));
        }
        let values = match scores {
            Scores::Positive(scores) => scores,
            Scores::Classes { probabilities, .. } => probabilities,
        };
        let width = values.len() / scores.rows().max(1);
        if labels.len() != scores.rows() || values.len() != labels.len() * width {
            return Err(LabelledError::Rows {
                labels: labels.len(),
                rows: scores.rows(),
            });
        }
        if let Some(row) = labels.iter().position(|&label| label >= classes) {
            return Err(LabelledError::Label {
                row,
                label: labels[row],
                classes,
            });
        }
        if let Some(at) = values.iter().position(|it| !(0.0..=1.0).contains(it)) {
            let class = if width == 1 { 1 } else { at % width };
            return Err(LabelledError::Probability {
                row: at / width,
                class,
                value: values[at],
            });
        }
        Ok(Self { labels, scores })
    }

    /// How sure one may be of each row's label, 0..=1.
    #[must_use]
    pub fn quality(&self, by: LabelQuality) -> Vec<f64> {
        (0..self.labels.len())
            .map(|row| self.quality_of(row, by))
            .collect()
    }

    fn quality_of(&self, row: usize, by: LabelQuality) -> f64 {
        let label = self.labels[row];
        let probability = |class| self.scores.probability(row, class);
        let own = probability(label);
        match by {
            LabelQuality::SelfConfidence => own,
            LabelQuality::NormalizedMargin => {
                let others = (0..self.scores.classes()).filter(|&class| class != label);
                let highest = others.map(probability).fold(f64::NEG_INFINITY, f64::max);
                (own - highest + 1.0) / 2.0
            }
            LabelQuality::ConfidenceWeightedEntropy => {
                let classes = self.scores.classes();
                let terms = (0..classes).map(probability).filter(|&it| it > 0.0);
                let entropy = -terms.map(|it| it * it.ln()).sum::<f64>() / (classes as f64).ln();
                let weighted = entropy / own.max(CLOSE);
                (weighted + 1.0).ln() / weighted.max(CLOSE)
            }
        }
    }

    /// The rows whose labels are probably wrong, in order.
    #[must_use]
    pub fn issues(&self, by: LabelFilter) -> Vec<usize> {
        let found = match by {
            LabelFilter::PruneByNoiseRate => self.widest_margins(),
            LabelFilter::PruneByClass => self.lowest_confidences(),
            LabelFilter::Both => {
                let by_class = self.lowest_confidences();
                let mut both = self.widest_margins();
                both.retain(|row| by_class.binary_search(row).is_ok());
                both
            }
            LabelFilter::ConfidentLearning => self.confident_joint().off_diagonal,
            LabelFilter::PredictedNeqGiven => {
                let differs = |&row: &usize| self.predicted(row) != self.labels[row];
                return (0..self.labels.len()).filter(differs).collect();
            }
        };
        let disagrees = |&row: &usize| {
            let label = self.labels[row];
            self.scores.likeliest(row, label, CLOSE) != label
        };
        found.into_iter().filter(disagrees).collect()
    }

    /// [`issues`](Self::issues), the label of the lowest `quality` first.
    #[must_use]
    pub fn ranked_issues(&self, by: LabelFilter, quality: LabelQuality) -> Vec<(usize, f64)> {
        let issues = self.issues(by).into_iter();
        let mut ranked: Vec<(usize, f64)> = issues
            .map(|row| (row, self.quality_of(row, quality)))
            .collect();
        ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
        ranked
    }

    /// The class that the model takes a row for, the first of equally likely ones.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn predicted(&self, row: usize) -> usize {
        self.scores.likeliest(row, self.labels[row], 0.0)
    }
}
