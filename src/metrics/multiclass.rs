//! All metrics of a classifier over many classes, of which a sample has one.

use super::batch::{check_length, check_scores, check_weights};
use super::binary::{Losses, log_loss};
use super::class_scores::{mean, weighted_mean};
use super::confusion::check_labels;
use super::report::report;
use super::rows::Rows;
use super::{
    Accumulator, Answer, Average, Batch, BoundedRanking, Calibration, ClassScores, ConfusionMatrix,
    Edges, ExactSum, Memory, MetricError, MulticlassBatch, OwnedMulticlass, Reliability, Steps,
    Undefined,
};

/// All metrics of a classifier over many classes, from labels and one score a class.
///
/// The class with the highest score is predicted, the first of equal ones. Log-loss, Brier score and calibration take
/// scores as probabilities: they are undefined if one is outside 0..=1 or if those of a sample are more than 0.01 off a
/// sum of 1.
///
/// Memory is 8 bytes × (classes + 1) a sample, 8 more with weights; see [`memory`](Self::memory) for endless streams.
///
/// ```
/// use modelpulse::metrics::{Accumulator, MulticlassBatch, MulticlassMetrics};
///
/// let mut metrics = MulticlassMetrics::new(3);
/// let scores = [0.7, 0.2, 0.1, 0.6, 0.3, 0.1, 0.2, 0.1, 0.7];
/// metrics.update(MulticlassBatch::new(&[0, 1, 1], &scores))?;
/// let report = metrics.compute();
/// assert_eq!(report.classes.accuracy, Ok(1.0 / 3.0));
/// assert_eq!(report.scores.roc_auc_ovr_macro, Ok(0.75), "class 2 has no positives and is left out");
/// assert_eq!(metrics.top_k(2), Ok(2.0 / 3.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MulticlassMetrics {
    classes: usize,
    memory: Memory,
    matrix: ConfusionMatrix,
    losses: Losses,
    calibration: Calibration,
    /// What the samples weigh whose label has the highest score, the second highest, ...
    places: Vec<ExactSum>,
    kept: Kept,
}

/// What the order of scores needs.
#[derive(Debug, Clone)]
enum Kept {
    Rows(Rows),
    /// One a class, against the rest.
    Counts(Vec<BoundedRanking>),
}

impl Kept {
    fn new(classes: usize, memory: Memory) -> Self {
        match memory {
            Memory::Exact => Self::Rows(Rows::new(classes)),
            Memory::Bounded { thresholds } => {
                Self::Counts(vec![BoundedRanking::new(thresholds); classes])
            }
        }
    }
}

impl MulticlassMetrics {
    /// An accumulator over `classes` classes that keeps every score.
    ///
    /// # Panics
    ///
    /// If classes² counts are more than an allocation can hold.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            memory: Memory::Exact,
            matrix: ConfusionMatrix::new(classes),
            losses: Losses::default(),
            calibration: Calibration::new(super::BinaryMetrics::BINS, Edges::Right),
            places: vec![ExactSum::new(); classes],
            kept: Kept::new(classes, Memory::Exact),
        }
    }

    /// With the calibration error over other bins. What was taken is forgotten.
    #[must_use]
    pub fn bins(self, bins: usize, edges: Edges) -> Self {
        let calibration = Calibration::new(bins, edges);
        Self {
            calibration,
            ..self
        }
        .fresh()
    }

    /// Keeps every score, or counts only: 16 bytes × thresholds × classes. What was taken is forgotten.
    #[must_use]
    pub fn memory(self, memory: Memory) -> Self {
        Self { memory, ..self }.fresh()
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The confusion matrix.
    #[must_use]
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.matrix
    }

    /// The reliability diagram of the predicted class (the *top label*).
    #[must_use]
    pub fn reliability(&self) -> Reliability {
        self.calibration.compute()
    }

    /// Log-loss, the mean of -ln of the probability of the true class, in nats, clipped at machine epsilon.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NotProbabilities`].
    pub fn log_loss(&self) -> Answer {
        self.losses
            .mean(&self.losses.log, self.matrix.total_weight())
    }

    /// The Brier score: the mean over samples of the sum over classes of the square of how far each probability is from
    /// what is true, 0..=2. For two classes it is half of that, 0..=1, the score of
    /// [`BinaryMetrics`](super::BinaryMetrics::brier); scikit-learn does the same.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::NotProbabilities`].
    pub fn brier(&self) -> Answer {
        let sum = self
            .losses
            .mean(&self.losses.brier, self.matrix.total_weight())?;
        Ok(if self.classes == 2 { sum / 2.0 } else { sum })
    }

    /// The share of samples whose true class is among the `k` with the highest scores. Of equal scores the class with
    /// the higher number comes first, as in scikit-learn (other than in the prediction, where it is the lower).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn top_k(&self, k: usize) -> Answer {
        let mut hits = ExactSum::new();
        for place in self.places.iter().take(k) {
            hits.merge(place);
        }
        super::class_scores::ratio(
            hits.value(),
            self.matrix.total_weight(),
            Undefined::NoSamples,
        )
    }

    /// The steps of the curves of `class` against the rest.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    #[must_use]
    pub fn steps(&self, class: usize) -> Steps {
        match &self.kept {
            Kept::Rows(rows) => rows.one_vs_rest(class).compute(),
            Kept::Counts(counts) => counts[class].compute(),
        }
    }

    /// The area under the ROC curve of `class` against the rest.
    ///
    /// # Errors
    ///
    /// As [`Steps::roc_auc`].
    ///
    /// # Panics
    ///
    /// If there is no such class.
    pub fn class_auc(&self, class: usize) -> Answer {
        match &self.kept {
            Kept::Rows(rows) => rows.one_vs_rest(class).roc_auc(),
            Kept::Counts(counts) => counts[class].compute().roc_auc(),
        }
    }

    /// The mean over the classes of the area under the ROC curve of each against the rest, as
    /// `roc_auc_score(multi_class="ovr")`.
    ///
    /// The macro and the weighted average are over the classes for which it is defined, so that samples without a rare
    /// class still have an answer; scikit-learn gives NaN there for the macro average.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::OneClass`].
    pub fn roc_auc_ovr(&self, average: Average) -> Answer {
        if average == Average::Micro {
            return self.micro()?.roc_auc();
        }
        self.averaged(
            average,
            (0..self.classes).map(|class| self.class_auc(class)),
        )
    }

    /// The mean over the classes of the average precision of each against the rest, over the classes for which it is
    /// defined.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`].
    pub fn average_precision(&self, average: Average) -> Answer {
        if average == Average::Micro {
            return self.micro()?.average_precision();
        }
        let precisions = (0..self.classes).map(|class| self.steps(class).average_precision());
        self.averaged(average, precisions)
    }

    fn averaged(&self, average: Average, answers: impl Iterator<Item = Answer>) -> Answer {
        if self.samples() == 0 {
            return Err(Undefined::NoSamples);
        }
        let defined = answers
            .enumerate()
            .filter_map(|(class, answer)| Some((class, answer.ok()?)));
        let mean = match average {
            Average::Weighted => {
                weighted_mean(defined.map(|(class, area)| (area, self.matrix.true_weight(class))))
            }
            _ => mean(defined.map(|(_, area)| area)),
        };
        mean.map_err(|_| Undefined::OneClass)
    }

    /// All scores of all samples in one ranking: positive where they are of the true class.
    fn micro(&self) -> Result<Steps, Undefined> {
        match &self.kept {
            Kept::Rows(rows) => Ok(rows.all_in_one().compute()),
            Kept::Counts(counts) => {
                let mut all = counts.first().ok_or(Undefined::NoSamples)?.clone();
                for class in &counts[1..] {
                    // Made with the same thresholds, all of them.
                    all.merge(class).map_err(|_| Undefined::NotKept)?;
                }
                Ok(all.compute())
            }
        }
    }

    /// The mean over all pairs of classes that occur of the area under the ROC curve of one against the other: the mean
    /// of both directions (D. J. Hand and R. J. Till, 2001, doi 10.1023/A:1010920819831), as
    /// `roc_auc_score(multi_class="ovo")`. The weighted average weighs a pair by what its samples weigh.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::OneClass`], [`Undefined::NotKept`] in bounded memory, or
    /// [`Undefined::OutOfDomain`] for the micro average, which there is none of.
    pub fn roc_auc_ovo(&self, average: Average) -> Answer {
        if average == Average::Micro {
            return Err(Undefined::OutOfDomain);
        }
        self.mean_of_pairs(average, &self.pairs()?)
    }

    /// The area of each class that occurs (rows) against each other one, by the scores of the first.
    fn pairs(&self) -> Result<Vec<Vec<f64>>, Undefined> {
        match &self.kept {
            Kept::Counts(_) => Err(Undefined::NotKept),
            Kept::Rows(_) if self.samples() == 0 => Err(Undefined::NoSamples),
            Kept::Rows(rows) => rows.one_vs_one(&self.occurring()),
        }
    }

    fn occurring(&self) -> Vec<usize> {
        let classes = 0..self.classes;
        classes
            .filter(|&class| self.matrix.true_weight(class) > 0.0)
            .collect()
    }

    fn mean_of_pairs(&self, average: Average, areas: &[Vec<f64>]) -> Answer {
        let weights: Vec<f64> = self
            .occurring()
            .into_iter()
            .map(|c| self.matrix.true_weight(c))
            .collect();
        let above = |i: usize| (i + 1..areas.len()).map(move |j| (i, j));
        let pairs = (0..areas.len()).flat_map(above).map(|(i, j)| {
            let weight = match average {
                Average::Weighted => weights[i] + weights[j],
                _ => 1.0,
            };
            ((areas[i][j] + areas[j][i]) / 2.0, weight)
        });
        weighted_mean(pairs).map_err(|_| Undefined::OneClass)
    }
}

impl Accumulator for MulticlassMetrics {
    type Owned = OwnedMulticlass;
    type Batch<'a> = MulticlassBatch<'a>;
    type Answer = MulticlassReport;

    /// [`MetricError::LabelOutOfRange`], [`MetricError::NanScore`], [`MetricError::Lengths`] or
    /// [`MetricError::Weight`]; in bounded memory also [`MetricError::ScoreOutsideUnit`].
    fn check(&self, batch: MulticlassBatch<'_>) -> Result<(), MetricError> {
        let (classes, taken) = (self.classes, self.samples());
        check_length(
            "scores",
            batch.len().saturating_mul(classes),
            batch.scores.len(),
        )?;
        check_weights(batch.weights, batch.len(), taken)?;
        check_labels(batch.labels, classes, taken)?;
        check_scores(batch.scores, classes, 0, taken)?;
        self.memory.check(batch.scores, classes, taken)?;
        self.matrix.check_room(batch.len())?;
        Ok(())
    }

    fn update(&mut self, batch: MulticlassBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        let classes = self.classes;
        let rows = || {
            batch
                .labels
                .iter()
                .copied()
                .zip(batch.scores.chunks_exact(classes.max(1)))
        };
        let predicted: Vec<usize> = rows().map(|(_, scores)| highest(scores)).collect();
        let pairs = batch.labels.iter().copied().zip(predicted.iter().copied());
        self.matrix.count_checked(pairs, batch.weights);
        for (i, (label, scores)) in rows().enumerate() {
            let weight = batch.weights.map_or(1.0, |weights| weights[i]);
            self.places[place(label, scores)].add(weight);
            let top = predicted[i];
            let (mut sum, mut squares, mut proper) = (0.0, 0.0, true);
            for (class, &score) in scores.iter().enumerate() {
                let off = score - f64::from(class == label);
                sum += score;
                squares += off * off;
                proper &= (0.0..=1.0).contains(&score);
            }
            if !proper || (sum - 1.0f64).abs() > 0.01 {
                self.losses.improper += 1;
                self.calibration.push(f64::INFINITY, false, weight);
                continue;
            }
            self.calibration.push(scores[top], top == label, weight);
            self.losses.add(log_loss(scores[label]), squares, weight);
        }
        match &mut self.kept {
            Kept::Rows(kept) => kept.push_checked(batch),
            Kept::Counts(counts) => {
                for (i, (label, scores)) in rows().enumerate() {
                    let weight = batch.weights.map_or(1.0, |weights| weights[i]);
                    for (class, (&score, counts)) in scores.iter().zip(&mut *counts).enumerate() {
                        counts.push(score, class == label, weight);
                    }
                }
            }
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] or [`MetricError::TooManySamples`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.memory != other.memory {
            return Err(MetricError::SettingsDiffer { what: "memory" });
        }
        let mut calibration = self.calibration.clone();
        calibration.merge(&other.calibration)?;
        self.matrix.merge(&other.matrix)?;
        self.calibration = calibration;
        self.losses.merge(&other.losses);
        for (ours, theirs) in self.places.iter_mut().zip(&other.places) {
            ours.merge(theirs);
        }
        match (&mut self.kept, &other.kept) {
            (Kept::Rows(ours), Kept::Rows(theirs)) => ours.merge(theirs),
            (Kept::Counts(ours), Kept::Counts(theirs)) => {
                for (ours, theirs) in ours.iter_mut().zip(theirs) {
                    ours.merge(theirs)?;
                }
            }
            // The memory is the same.
            _ => return Err(MetricError::SettingsDiffer { what: "memory" }),
        }
        Ok(())
    }

    fn compute(&self) -> MulticlassReport {
        let reliability = self.reliability();
        // One class after the other: the steps of all would take several times the memory of the scores.
        let (areas, precisions): (Vec<Answer>, Vec<Answer>) = (0..self.classes)
            .map(|class| self.steps(class))
            .map(|steps| (steps.roc_auc(), steps.average_precision()))
            .unzip();
        let areas = |average| self.averaged(average, areas.iter().copied());
        let pairs = self.pairs();
        let pairs = |average| {
            pairs
                .as_ref()
                .map_err(|e| *e)
                .and_then(|p| self.mean_of_pairs(average, p))
        };
        let scores = MulticlassScores {
            log_loss: self.log_loss(),
            brier: self.brier(),
            top_2: self.top_k(2),
            top_3: self.top_k(3),
            top_5: self.top_k(5),
            roc_auc_ovr_macro: areas(Average::Macro),
            roc_auc_ovr_weighted: areas(Average::Weighted),
            roc_auc_ovr_micro: self.roc_auc_ovr(Average::Micro),
            roc_auc_ovo_macro: pairs(Average::Macro),
            roc_auc_ovo_weighted: pairs(Average::Weighted),
            average_precision_macro: self.averaged(Average::Macro, precisions.into_iter()),
            ece: reliability.ece(),
            mce: reliability.mce(),
        };
        MulticlassReport {
            classes: self.matrix.compute(),
            scores,
        }
    }

    fn fresh(&self) -> Self {
        Self {
            classes: self.classes,
            memory: self.memory,
            matrix: self.matrix.fresh(),
            losses: Losses::default(),
            calibration: self.calibration.fresh(),
            places: vec![ExactSum::new(); self.classes],
            kept: Kept::new(self.classes, self.memory),
        }
    }

    fn samples(&self) -> u64 {
        self.matrix.total()
    }
}

/// The class with the highest score, the first of equal ones.
fn highest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    best
}

/// How many classes come before `label` by score, the later of equal ones first.
fn place(label: usize, scores: &[f64]) -> usize {
    let own = scores[label];
    let (before, behind) = scores.split_at(label);
    before.iter().filter(|&&score| score > own).count()
        + behind[1..].iter().filter(|&&score| score >= own).count()
}

/// The metrics of a classifier over many classes.
///
/// ```
/// use modelpulse::metrics::{Accumulator, MulticlassMetrics};
/// let report = MulticlassMetrics::new(3).compute();
/// assert_eq!(report.named().len(), 30);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MulticlassReport {
    /// Of the confusion matrix.
    pub classes: ClassScores,
    /// Of the scores.
    pub scores: MulticlassScores,
}

impl MulticlassReport {
    /// The answers with their names, which are those of the fields.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, Answer)> {
        let mut named = self.classes.named();
        named.extend(self.scores.named());
        named
    }
}

report! {
    /// The metrics of a classifier over many classes that need its scores.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, MulticlassMetrics, Undefined};
    /// let scores = MulticlassMetrics::new(3).compute().scores;
    /// assert_eq!(scores.log_loss, Err(Undefined::NoSamples));
    /// ```
    MulticlassScores:
    /// See [`MulticlassMetrics::log_loss`].
    log_loss,
    /// See [`MulticlassMetrics::brier`].
    brier,
    /// See [`MulticlassMetrics::top_k`].
    top_2,
    /// See [`MulticlassMetrics::top_k`].
    top_3,
    /// See [`MulticlassMetrics::top_k`].
    top_5,
    /// See [`MulticlassMetrics::roc_auc_ovr`].
    roc_auc_ovr_macro,
    /// See [`MulticlassMetrics::roc_auc_ovr`].
    roc_auc_ovr_weighted,
    /// See [`MulticlassMetrics::roc_auc_ovr`].
    roc_auc_ovr_micro,
    /// See [`MulticlassMetrics::roc_auc_ovo`].
    roc_auc_ovo_macro,
    /// See [`MulticlassMetrics::roc_auc_ovo`].
    roc_auc_ovo_weighted,
    /// See [`MulticlassMetrics::average_precision`].
    average_precision_macro,
    /// See [`Reliability::ece`].
    ece,
    /// See [`Reliability::mce`].
    mce,
}
