//! All metrics of a classifier whose labels do not exclude each other.

use super::batch::{check_length, check_scores, check_weights};
use super::class_scores::{Counts, mean, ratio, weighted_mean};
use super::ranks::Ranks;
use super::report::report;
use super::{
    Accumulator, Answer, Average, Batch, BinaryBatch, ClassScore, ConfusionMatrix, ExactSum,
    Memory, MetricError, MultilabelBatch, OwnedMultilabel, Steps, Undefined,
};

/// All metrics of a classifier whose samples have any number of labels at once.
///
/// A label is predicted if its score is at least the threshold, 0.5 unless it is set.
///
/// Memory is 8 bytes × labels a sample, twice that with weights; see [`memory`](Self::memory) for endless streams.
///
/// ```
/// use modelpulse::metrics::{Accumulator, MultilabelBatch, MultilabelMetrics};
///
/// let mut metrics = MultilabelMetrics::new(2);
/// let labels = [true, false, true, true, false, true];
/// let scores = [0.9, 0.2, 0.4, 0.8, 0.3, 0.7];
/// metrics.update(MultilabelBatch::new(2, &labels, &scores))?;
/// let report = metrics.compute();
/// assert_eq!(report.subset_accuracy, Ok(2.0 / 3.0));
/// assert_eq!(report.roc_auc_macro, Ok(1.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MultilabelMetrics {
    threshold: f64,
    memory: Memory,
    /// One a label, of two classes.
    matrices: Vec<ConfusionMatrix>,
    ranks: Vec<Ranks>,
    sums: Sums,
    samples: u64,
}

/// Sums over samples of what is computed within each; addends are multiplied by the weight of their sample.
#[derive(Debug, Clone, Default)]
struct Sums {
    weight: ExactSum,
    /// Of samples whose labels are all right.
    subset: ExactSum,
    precision: ExactSum,
    recall: ExactSum,
    f1: ExactSum,
    jaccard: ExactSum,
    average_precision: ExactSum,
    label_ranking: ExactSum,
    coverage: ExactSum,
    ranking_loss: ExactSum,
}

impl Sums {
    fn all(&mut self) -> [&mut ExactSum; 10] {
        [
            &mut self.weight,
            &mut self.subset,
            &mut self.precision,
            &mut self.recall,
            &mut self.f1,
            &mut self.jaccard,
            &mut self.average_precision,
            &mut self.label_ranking,
            &mut self.coverage,
            &mut self.ranking_loss,
        ]
    }

    /// Adds a sample: its labels, which of them are predicted, and their scores.
    fn add(&mut self, labels: &[bool], scores: &[f64], threshold: f64, weight: f64) {
        let mut counts = Counts::default();
        for (&label, &score) in labels.iter().zip(scores) {
            match (label, score >= threshold) {
                (true, true) => counts.tp += 1.0,
                (true, false) => counts.fn_ += 1.0,
                (false, true) => counts.fp += 1.0,
                (false, false) => counts.tn += 1.0,
            }
        }
        self.weight.add(weight);
        if counts.fp + counts.fn_ == 0.0 {
            self.subset.add(weight);
        }
        for (sum, score) in [
            (&mut self.precision, ClassScore::Precision),
            (&mut self.recall, ClassScore::Recall),
            (&mut self.f1, ClassScore::FBeta(1.0)),
            (&mut self.jaccard, ClassScore::Jaccard),
        ] {
            sum.add_product(counts.score(score).unwrap_or(0.0), weight);
        }
        let own = labels.iter().filter(|&&label| label).count();
        let order = order(labels, scores);
        self.average_precision.add_product(order.precision, weight);
        let trivial = own == 0 || own == labels.len();
        let label_ranking = if trivial { 1.0 } else { order.precision };
        self.label_ranking.add_product(label_ranking, weight);
        self.coverage.add_product(order.coverage as f64, weight);
        if !trivial {
            let pairs = (own * (labels.len() - own)) as f64;
            self.ranking_loss
                .add_product(order.wrong as f64 / pairs, weight);
        }
    }
}

/// How a sample's own labels stand in the order of its scores.
struct Order {
    /// The mean over them of the share of own labels among all that score at least as high; 0 without any.
    precision: f64,
    /// How far down the lowest of them is.
    coverage: usize,
    /// Pairs of an own label and another one that scores as high or higher.
    wrong: u64,
}

fn order(labels: &[bool], scores: &[f64]) -> Order {
    let mut sorted: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    sorted.sort_unstable_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)));
    let (mut own, mut others, mut sum) = (0usize, 0usize, 0.0);
    let (mut coverage, mut wrong) = (0, 0u64);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        let hits = ties.iter().filter(|it| it.1).count();
        own += hits;
        others += ties.len() - hits;
        if hits > 0 {
            sum += (hits * own) as f64 / (own + others) as f64;
            coverage = own + others;
            wrong += (hits * others) as u64;
        }
    }
    Order {
        precision: if own > 0 { sum / own as f64 } else { 0.0 },
        coverage,
        wrong,
    }
}

impl MultilabelMetrics {
    /// An accumulator over `labels` labels with the threshold 0.5 that keeps every score.
    #[must_use]
    pub fn new(labels: usize) -> Self {
        Self {
            threshold: 0.5,
            memory: Memory::Exact,
            matrices: vec![ConfusionMatrix::new(2); labels],
            ranks: vec![Memory::Exact.ranks(); labels],
            sums: Sums::default(),
            samples: 0,
        }
    }

    /// With another threshold. What was taken is forgotten.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }.fresh()
    }

    /// Keeps every score, or counts only. What was taken is forgotten.
    #[must_use]
    pub fn memory(self, memory: Memory) -> Self {
        let ranks = vec![memory.ranks(); self.matrices.len()];
        Self {
            memory,
            ranks,
            ..self
        }
        .fresh()
    }

    /// The number of labels.
    #[must_use]
    pub fn labels(&self) -> usize {
        self.matrices.len()
    }

    /// The confusion matrix of each label; class 1 is having it.
    #[must_use]
    pub fn confusion(&self) -> &[ConfusionMatrix] {
        &self.matrices
    }

    /// The steps of the curves of one label.
    ///
    /// # Panics
    ///
    /// If there is no such label.
    #[must_use]
    pub fn steps(&self, label: usize) -> Steps {
        self.ranks[label].steps()
    }

    /// A score of the labels, averaged over them, 0/0 counting as 0.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`]; for the weighted average also if no sample has any label.
    pub fn averaged(&self, score: ClassScore, average: Average) -> Answer {
        self.some()?;
        let scores = self.matrices.iter().map(|matrix| {
            let own = matrix.class_score(1, score).unwrap_or(0.0);
            (own, matrix.true_weight(1))
        });
        match average {
            Average::Macro => mean(scores.map(|(score, _)| score)),
            Average::Weighted => weighted_mean(scores),
            Average::Micro => self.pooled()?.class_score(1, score),
        }
    }

    fn some(&self) -> Result<(), Undefined> {
        match self.sums.weight.value() > 0.0 && !self.matrices.is_empty() {
            true => Ok(()),
            false => Err(Undefined::NoSamples),
        }
    }

    /// The matrices of all labels in one.
    fn pooled(&self) -> Result<ConfusionMatrix, Undefined> {
        let mut pooled = ConfusionMatrix::new(2);
        for matrix in &self.matrices {
            // The number of cells may pass what a count holds.
            pooled.merge(matrix).map_err(|_| Undefined::Overflow)?;
        }
        Ok(pooled)
    }

    /// The mean over labels of what the curves of each give, over the labels for which it is defined.
    fn over_curves(&self, average: Average, of: impl Fn(&Steps) -> Answer) -> Answer {
        self.some()?;
        if average == Average::Micro {
            let mut all = self.ranks[0].clone();
            for ranks in &self.ranks[1..] {
                // Made with the same memory, all of them.
                all.merge(ranks).map_err(|_| Undefined::NotKept)?;
            }
            return of(&all.steps());
        }
        let each = self.ranks.iter().zip(&self.matrices);
        let defined = each.filter_map(|(ranks, matrix)| {
            let weight = match average {
                Average::Weighted => matrix.true_weight(1),
                _ => 1.0,
            };
            Some((of(&ranks.steps()).ok()?, weight))
        });
        weighted_mean(defined).map_err(|_| Undefined::OneClass)
    }

    /// The area under the ROC curve over the labels; macro and weighted over those for which it is defined.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::OneClass`].
    pub fn roc_auc(&self, average: Average) -> Answer {
        self.over_curves(average, Steps::roc_auc)
    }

    /// The average precision over the labels; macro and weighted over those for which it is defined.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`] or [`Undefined::OneClass`].
    pub fn average_precision(&self, average: Average) -> Answer {
        self.over_curves(average, Steps::average_precision)
    }

    fn per_sample(&self, sum: &ExactSum) -> Answer {
        ratio(sum.value(), self.sums.weight.value(), Undefined::NoSamples)
    }
}

impl Accumulator for MultilabelMetrics {
    type Owned = OwnedMultilabel;
    type Batch<'a> = MultilabelBatch<'a>;
    type Answer = MultilabelReport;

    /// [`MetricError::NanScore`], [`MetricError::Lengths`] or [`MetricError::Weight`]; in bounded memory also
    /// [`MetricError::ScoreOutsideUnit`].
    fn check(&self, batch: MultilabelBatch<'_>) -> Result<(), MetricError> {
        let (width, rows, taken) = (self.labels(), batch.len(), self.samples);
        check_length("labels a sample", width, batch.width)?;
        check_length("labels", rows.saturating_mul(width), batch.labels.len())?;
        check_length("scores", batch.labels.len(), batch.scores.len())?;
        check_weights(batch.weights, rows, taken)?;
        check_scores(batch.scores, width.max(1), 0, taken)?;
        self.memory.check(batch.scores, width.max(1), taken)?;
        for matrix in &self.matrices {
            matrix.check_room(rows)?;
        }
        Ok(())
    }

    fn update(&mut self, batch: MultilabelBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        let (width, rows) = (self.labels(), batch.len());
        self.samples += rows as u64;
        let each = batch.labels.chunks_exact(width.max(1));
        for (i, (labels, scores)) in each
            .zip(batch.scores.chunks_exact(width.max(1)))
            .enumerate()
        {
            let weight = batch.weights.map_or(1.0, |weights| weights[i]);
            self.sums.add(labels, scores, self.threshold, weight);
        }
        let mut column = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (label, (matrix, ranks)) in self.matrices.iter_mut().zip(&mut self.ranks).enumerate() {
            column.0.clear();
            column
                .0
                .extend(batch.labels.iter().skip(label).step_by(width));
            column.1.clear();
            column
                .1
                .extend(batch.scores.iter().skip(label).step_by(width));
            let mut column = BinaryBatch::new(&column.0, &column.1);
            column.weights = batch.weights;
            let threshold = self.threshold;
            let pairs = column.labels.iter().zip(column.scores);
            let pairs =
                pairs.map(|(&own, &score)| (usize::from(own), usize::from(score >= threshold)));
            matrix.count_checked(pairs, batch.weights);
            ranks.push(column);
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] or [`MetricError::TooManySamples`].
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        let differ = |what| Err(MetricError::SettingsDiffer { what });
        if self.labels() != other.labels() {
            return differ("labels");
        }
        if self.threshold.to_bits() != other.threshold.to_bits() {
            return differ("thresholds");
        }
        if self.memory != other.memory {
            return differ("memory");
        }
        if self.samples.checked_add(other.samples).is_none() {
            return Err(MetricError::TooManySamples);
        }
        self.samples += other.samples;
        for (ours, theirs) in self.matrices.iter_mut().zip(&other.matrices) {
            ours.merge(theirs)?;
        }
        for (ours, theirs) in self.ranks.iter_mut().zip(&other.ranks) {
            ours.merge(theirs)?;
        }
        let mut sums = other.sums.clone();
        for (ours, theirs) in self.sums.all().into_iter().zip(sums.all()) {
            ours.merge(theirs);
        }
        Ok(())
    }

    fn compute(&self) -> MultilabelReport {
        use Average::{Macro, Micro, Weighted};
        use ClassScore::{FBeta, Jaccard, Precision, Recall};
        let sums = &self.sums;
        let wrong = self.pooled().and_then(|pooled| pooled.hamming_loss());
        MultilabelReport {
            subset_accuracy: self.per_sample(&sums.subset),
            hamming_loss: wrong,
            precision_macro: self.averaged(Precision, Macro),
            recall_macro: self.averaged(Recall, Macro),
            f1_macro: self.averaged(FBeta(1.0), Macro),
            jaccard_macro: self.averaged(Jaccard, Macro),
            precision_micro: self.averaged(Precision, Micro),
            recall_micro: self.averaged(Recall, Micro),
            f1_micro: self.averaged(FBeta(1.0), Micro),
            jaccard_micro: self.averaged(Jaccard, Micro),
            precision_weighted: self.averaged(Precision, Weighted),
            recall_weighted: self.averaged(Recall, Weighted),
            f1_weighted: self.averaged(FBeta(1.0), Weighted),
            jaccard_weighted: self.averaged(Jaccard, Weighted),
            precision_samples: self.per_sample(&sums.precision),
            recall_samples: self.per_sample(&sums.recall),
            f1_samples: self.per_sample(&sums.f1),
            jaccard_samples: self.per_sample(&sums.jaccard),
            roc_auc_macro: self.roc_auc(Macro),
            roc_auc_micro: self.roc_auc(Micro),
            roc_auc_weighted: self.roc_auc(Weighted),
            average_precision_macro: self.average_precision(Macro),
            average_precision_micro: self.average_precision(Micro),
            average_precision_weighted: self.average_precision(Weighted),
            average_precision_samples: self.per_sample(&sums.average_precision),
            label_ranking_average_precision: self.per_sample(&sums.label_ranking),
            coverage_error: self.per_sample(&sums.coverage),
            ranking_loss: self.per_sample(&sums.ranking_loss),
        }
    }

    fn fresh(&self) -> Self {
        Self {
            threshold: self.threshold,
            memory: self.memory,
            matrices: self.matrices.iter().map(Accumulator::fresh).collect(),
            ranks: self.ranks.iter().map(Ranks::fresh).collect(),
            sums: Sums::default(),
            samples: 0,
        }
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}

report! {
    /// The metrics of a classifier whose labels do not exclude each other. Macro and weighted averages are over labels,
    /// `samples` averages are of what is computed within each sample.
    ///
    /// ```
    /// use modelpulse::metrics::{Accumulator, MultilabelMetrics, Undefined};
    /// let report = MultilabelMetrics::new(3).compute();
    /// assert_eq!(report.subset_accuracy, Err(Undefined::NoSamples));
    /// ```
    MultilabelReport:
    /// The share of samples whose labels are all right, and no other predicted.
    subset_accuracy,
    /// The share of wrong predictions over all samples and labels.
    hamming_loss,
    /// See [`MultilabelMetrics::averaged`].
    precision_macro,
    /// See [`MultilabelMetrics::averaged`].
    recall_macro,
    /// See [`MultilabelMetrics::averaged`].
    f1_macro,
    /// See [`MultilabelMetrics::averaged`].
    jaccard_macro,
    /// See [`MultilabelMetrics::averaged`].
    precision_micro,
    /// See [`MultilabelMetrics::averaged`].
    recall_micro,
    /// See [`MultilabelMetrics::averaged`].
    f1_micro,
    /// See [`MultilabelMetrics::averaged`].
    jaccard_micro,
    /// See [`MultilabelMetrics::averaged`].
    precision_weighted,
    /// See [`MultilabelMetrics::averaged`].
    recall_weighted,
    /// See [`MultilabelMetrics::averaged`].
    f1_weighted,
    /// See [`MultilabelMetrics::averaged`].
    jaccard_weighted,
    /// Of the labels predicted for a sample, the share that it has; 0 without any.
    precision_samples,
    /// Of the labels of a sample, the share that is predicted; 0 without any.
    recall_samples,
    /// The harmonic mean of both within a sample.
    f1_samples,
    /// Of the labels that a sample has or that are predicted for it, the share that is both.
    jaccard_samples,
    /// See [`MultilabelMetrics::roc_auc`].
    roc_auc_macro,
    /// See [`MultilabelMetrics::roc_auc`].
    roc_auc_micro,
    /// See [`MultilabelMetrics::roc_auc`].
    roc_auc_weighted,
    /// See [`MultilabelMetrics::average_precision`].
    average_precision_macro,
    /// See [`MultilabelMetrics::average_precision`].
    average_precision_micro,
    /// See [`MultilabelMetrics::average_precision`].
    average_precision_weighted,
    /// The average precision of the labels of a sample among its scores; 0 without any.
    average_precision_samples,
    /// As above, but 1 for a sample with no label or all (scikit-learn's LRAP).
    label_ranking_average_precision,
    /// How many labels, from the highest score down, cover all that a sample has.
    coverage_error,
    /// Of the pairs of a label that a sample has and one that it has not, the share in which the latter scores as high
    /// or higher; 0 where there are none.
    ranking_loss,
}
