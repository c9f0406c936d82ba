//! All metrics of a binary classifier.

use super::batch::{check_length, check_scores, check_weights};
use super::ranks::Ranks;
use super::report::report;
use super::{
    Accumulator, Answer, Batch, BinaryBatch, Calibration, ClassScore, ConfusionMatrix, Edges,
    ExactSum, KappaWeights, Memory, MetricError, OwnedBinary, Ranking, Reliability, Steps,
    Undefined,
};

/// All metrics of a binary classifier, from labels and scores.
///
/// A sample is predicted positive if its score is at least the threshold, 0.5 unless it is set. Log-loss, Brier score
/// and calibration take scores as probabilities, and are undefined if one is outside 0..=1.
///
/// Memory is 8 bytes a sample, 16 with weights; see [`memory`](Self::memory) for endless streams.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, BinaryMetrics, Undefined};
///
/// let mut metrics = BinaryMetrics::new();
/// metrics.update(BinaryBatch::new(&[false, false, true, true], &[0.1, 0.6, 0.35, 0.8]))?;
/// let report = metrics.compute();
/// assert_eq!(report.accuracy, Ok(0.5));
/// assert_eq!(report.roc_auc, Ok(0.75));
///
/// let mut one_class = metrics.fresh();
/// one_class.update(BinaryBatch::new(&[true], &[0.8]))?;
/// assert_eq!(one_class.compute().roc_auc, Err(Undefined::NoNegatives));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BinaryMetrics {
    threshold: f64,
    memory: Memory,
    matrix: ConfusionMatrix,
    losses: Losses,
    calibration: Calibration,
    ranks: Ranks,
}

/// Sums over samples whose score is a probability, and how many have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    pub(super) log: ExactSum,
    pub(super) brier: ExactSum,
    pub(super) improper: u64,
}

impl Losses {
    #[inline]
    pub(super) fn add(&mut self, log: f64, brier: f64, weight: f64) {
        if weight == 1.0 {
            self.log.add(log);
            self.brier.add(brier);
        } else {
            self.log.add_product(log, weight);
            self.brier.add_product(brier, weight);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.log.merge(&other.log);
        self.brier.merge(&other.brier);
        self.improper += other.improper;
    }

    pub(super) fn mean(&self, sum: &ExactSum, weight: f64) -> Answer {
        if self.improper > 0 {
            Err(Undefined::NotProbabilities)
        } else if weight > 0.0 {
            Ok(sum.value() / weight)
        } else {
            Err(Undefined::NoSamples)
        }
    }
}

/// -ln of a probability, which is clipped to machine epsilon and its complement as scikit-learn does, so that a
/// certainty that is wrong costs 36.04 and not infinity.
#[inline]
pub(super) fn log_loss(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

impl Default for BinaryMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl BinaryMetrics {
    /// The bins of the calibration error.
    pub const BINS: usize = 15;

    /// An accumulator with the threshold 0.5 that keeps every score.
    #[must_use]
    pub fn new() -> Self {
        Self {
            threshold: 0.5,
            memory: Memory::Exact,
            matrix: ConfusionMatrix::new(2),
            losses: Losses::default(),
            calibration: Calibration::new(Self::BINS, Edges::Right),
            ranks: Memory::Exact.ranks(),
        }
    }

    /// With another threshold. What was taken is forgotten.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }.fresh()
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

    /// Keeps every score, or counts only. What was taken is forgotten.
    #[must_use]
    pub fn memory(self, memory: Memory) -> Self {
        let ranks = memory.ranks();
        Self {
            memory,
            ranks,
            ..self
        }
        .fresh()
    }

    /// The confusion matrix at the threshold; class 1 is the positive one.
    #[must_use]
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.matrix
    }

    /// The steps of the ROC and the precision-recall curve.
    #[must_use]
    pub fn steps(&self) -> Steps {
        self.ranks.steps()
    }

    /// The reliability diagram, over the bins of [`bins`](Self::bins).
    #[must_use]
    pub fn reliability(&self) -> Reliability {
        self.calibration.compute()
    }

    /// The reliability diagram over bins of equally many samples; see [`Reliability::quantiles`].
    ///
    /// # Errors
    ///
    /// [`Undefined::NotKept`] in bounded memory.
    pub fn reliability_quantiles(&self, bins: usize) -> Result<Reliability, Undefined> {
        match &self.ranks {
            Ranks::Exact(ranking) => Ok(Reliability::quantiles(ranking.samples_kept(), bins)),
            Ranks::Bounded(_) => Err(Undefined::NotKept),
        }
    }

    /// The scores kept.
    ///
    /// # Errors
    ///
    /// [`Undefined::NotKept`] in bounded memory.
    pub fn ranking(&self) -> Result<&Ranking, Undefined> {
        match &self.ranks {
            Ranks::Exact(ranking) => Ok(ranking),
            Ranks::Bounded(_) => Err(Undefined::NotKept),
        }
    }

    /// Log-loss, the mean of -ln of the probability of the true label, in nats, clipped at machine epsilon.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::NotProbabilities`] if a score was outside 0..=1.
    pub fn log_loss(&self) -> Answer {
        self.losses
            .mean(&self.losses.log, self.matrix.total_weight())
    }

    /// The Brier score, the mean square of how far the probability of the positive class is from the label.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::NotProbabilities`] if a score was outside 0..=1.
    pub fn brier(&self) -> Answer {
        self.losses
            .mean(&self.losses.brier, self.matrix.total_weight())
    }
}

impl Accumulator for BinaryMetrics {
    type Owned = OwnedBinary;
    type Batch<'a> = BinaryBatch<'a>;
    type Answer = BinaryReport;

    /// [`MetricError::NanScore`], [`MetricError::Lengths`] or [`MetricError::Weight`]; in bounded memory also
    /// [`MetricError::ScoreOutsideUnit`].
    fn check(&self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        let taken = self.samples();
        check_length("scores", batch.len(), batch.scores.len())?;
        check_weights(batch.weights, batch.len(), taken)?;
        check_scores(batch.scores, 1, 1, taken)?;
        self.memory.check(batch.scores, 1, taken)?;
        self.matrix.check_room(batch.len())?;
        Ok(())
    }

    fn update(&mut self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        let threshold = self.threshold;
        let samples = batch.labels.iter().zip(batch.scores);
        let classes = samples
            .clone()
            .map(|(&positive, &score)| (usize::from(positive), usize::from(score >= threshold)));
        self.matrix.count_checked(classes, batch.weights);
        for (i, (&positive, &score)) in samples.enumerate() {
            let weight = batch.weights.map_or(1.0, |weights| weights[i]);
            self.calibration.push(score, positive, weight);
            if !(0.0..=1.0).contains(&score) {
                self.losses.improper += 1;
                continue;
            }
            let log = log_loss(if positive { score } else { 1.0 - score });
            let off = score - f64::from(positive);
            self.losses.add(log, off * off, weight);
        }
        self.ranks.push(batch);
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] or [`MetricError::TooManySamples`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.threshold.to_bits() != other.threshold.to_bits() {
            return Err(MetricError::SettingsDiffer { what: "thresholds" });
        }
        if self.memory != other.memory {
            return Err(MetricError::SettingsDiffer { what: "memory" });
        }
        let mut calibration = self.calibration.clone();
        calibration.merge(&other.calibration)?;
        self.matrix.merge(&other.matrix)?;
        self.calibration = calibration;
        self.losses.merge(&other.losses);
        self.ranks.merge(&other.ranks)
    }

    fn compute(&self) -> BinaryReport {
        let steps = self.steps();
        let reliability = self.reliability();
        let matrix = &self.matrix;
        let positive = |score| matrix.class_score(1, score);
        BinaryReport {
            accuracy: matrix.accuracy(),
            balanced_accuracy: matrix.balanced_accuracy(),
            precision: positive(ClassScore::Precision),
            recall: positive(ClassScore::Recall),
            f1: positive(ClassScore::FBeta(1.0)),
            specificity: positive(ClassScore::Specificity),
            npv: matrix.precision(0),
            jaccard: positive(ClassScore::Jaccard),
            hamming_loss: matrix.hamming_loss(),
            mcc: matrix.mcc(),
            cohen_kappa: matrix.cohen_kappa(KappaWeights::None),
            log_loss: self.log_loss(),
            brier: self.brier(),
            roc_auc: steps.roc_auc(),
            average_precision: steps.average_precision(),
            pr_auc_trapezoid: steps.pr_auc_trapezoid(),
            ks_separation: steps.ks_separation(),
            ece: reliability.ece(),
            mce: reliability.mce(),
        }
    }

    fn fresh(&self) -> Self {
        Self {
            threshold: self.threshold,
            memory: self.memory,
            matrix: self.matrix.fresh(),
            losses: Losses::default(),
            calibration: self.calibration.fresh(),
            ranks: self.ranks.fresh(),
        }
    }

    fn samples(&self) -> u64 {
        self.matrix.total()
    }
}

report! {
    /// The metrics of a binary classifier. Those of one class are of the positive one.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, BinaryMetrics, Undefined};
    /// let report = BinaryMetrics::new().compute();
    /// assert_eq!(report.accuracy, Err(Undefined::NoSamples));
    /// assert!(report.named().iter().any(|(name, _)| *name == "roc_auc"));
    /// ```
    BinaryReport:
    /// See [`ConfusionMatrix::accuracy`].
    accuracy,
    /// See [`ConfusionMatrix::balanced_accuracy`].
    balanced_accuracy,
    /// See [`ConfusionMatrix::precision`].
    precision,
    /// See [`ConfusionMatrix::recall`].
    recall,
    /// See [`ConfusionMatrix::f1`].
    f1,
    /// See [`ConfusionMatrix::specificity`].
    specificity,
    /// The negative predictive value: the precision of the negative class.
    npv,
    /// See [`ConfusionMatrix::jaccard`].
    jaccard,
    /// See [`ConfusionMatrix::hamming_loss`].
    hamming_loss,
    /// See [`ConfusionMatrix::mcc`].
    mcc,
    /// See [`ConfusionMatrix::cohen_kappa`].
    cohen_kappa,
    /// See [`BinaryMetrics::log_loss`].
    log_loss,
    /// See [`BinaryMetrics::brier`].
    brier,
    /// See [`Steps::roc_auc`].
    roc_auc,
    /// See [`Steps::average_precision`].
    average_precision,
    /// See [`Steps::pr_auc_trapezoid`].
    pr_auc_trapezoid,
    /// See [`Steps::ks_separation`].
    ks_separation,
    /// See [`Reliability::ece`].
    ece,
    /// See [`Reliability::mce`].
    mce,
}
