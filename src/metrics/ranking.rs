//! How well scores rank positives above negatives: what ROC and precision-recall curves are made of.
//!
//! All scores are kept, none is NaN, and they are put into order before anything is computed: no answer depends on the
//! order of updates or merges, not even in its last bit. The area under the ROC curve of samples without weights is a
//! count of ordered pairs in whole numbers.

use super::batch::{check_length, check_scores, check_weights};
use super::radix::{key, number, sorted_keys};
use super::{
    Accumulator, Answer, Batch, BinaryBatch, MetricError, OwnedBinary, Step, Steps, Undefined,
};

/// The scores of a binary classifier, by label.
///
/// The higher the score, the more positive. Any monotone scale will do (probability, logit): only the order counts.
/// Infinite scores have a rank and are taken (scikit-learn refuses them); NaN has none and is refused.
///
/// Memory is 8 bytes a sample, 16 with weights; asking sorts a copy. [`Accumulator::compute`] gives the
/// [steps](Steps) of the curves, of which everything else is asked.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Ranking};
///
/// let mut ranking = Ranking::new();
/// ranking.update(BinaryBatch::new(&[false, false, true, true], &[0.1, 0.4, 0.35, 0.8]))?;
/// assert_eq!(ranking.roc_auc(), Ok(0.75));
/// assert!(ranking.update(BinaryBatch::new(&[true], &[f64::NAN])).is_err());
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    positives: Side,
    negatives: Side,
}

/// The samples of one label.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    scores: Vec<f64>,
    /// One a score, or none at all where each weighs 1.
    weights: Vec<f64>,
}

impl Side {
    #[inline]
    pub(super) fn push(&mut self, score: f64) {
        // -0.0 ties with 0.0.
        self.scores.push(score + 0.0);
    }

    /// For sides that have weights only.
    pub(super) fn push_weighted(&mut self, score: f64, weight: f64) {
        self.push(score);
        self.weights.push(weight);
    }

    fn weigh(&mut self) {
        if self.weights.len() < self.scores.len() {
            self.weights.resize(self.scores.len(), 1.0);
        }
    }

    fn merge(&mut self, other: &Self) {
        if !(self.weights.is_empty() && other.weights.is_empty()) {
            self.weigh();
            self.weights.extend_from_slice(&other.weights);
        }
        self.scores.extend_from_slice(&other.scores);
        if !self.weights.is_empty() {
            self.weigh();
        }
    }

    fn weighs_nothing(&self) -> bool {
        match self.weights.is_empty() {
            true => self.scores.is_empty(),
            false => self.weights.iter().all(|&weight| weight == 0.0),
        }
    }
}

impl Ranking {
    /// An accumulator that has taken nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The ranking of these positives and negatives; no score may be NaN.
    pub(super) fn of(positives: Side, negatives: Side) -> Self {
        Self {
            positives,
            negatives,
        }
    }

    pub(super) fn set_negatives(&mut self, negatives: Side) {
        self.negatives = negatives;
    }

    fn side(&mut self, positive: bool) -> &mut Side {
        if positive {
            &mut self.positives
        } else {
            &mut self.negatives
        }
    }

    /// Takes samples that were checked.
    pub(super) fn push_checked(&mut self, batch: BinaryBatch<'_>) {
        let samples = batch.labels.iter().zip(batch.scores);
        let Some(weights) = batch.weights else {
            for (&positive, &score) in samples {
                self.side(positive).push(score);
            }
            for side in [&mut self.positives, &mut self.negatives] {
                if !side.weights.is_empty() {
                    side.weigh();
                }
            }
            return;
        };
        self.positives.weigh();
        self.negatives.weigh();
        for ((&positive, &score), &weight) in samples.zip(weights) {
            self.side(positive).push_weighted(score, weight);
        }
    }

    /// The number of samples taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.positives.scores.len() + self.negatives.scores.len()
    }

    /// Whether no sample was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All samples: score, whether positive, weight; in no particular order.
    pub(super) fn samples_kept(&self) -> impl Iterator<Item = (f64, bool, f64)> + '_ {
        fn all(side: &Side, positive: bool) -> impl Iterator<Item = (f64, bool, f64)> + '_ {
            let weight = |i| side.weights.get(i).copied().unwrap_or(1.0);
            let scores = side.scores.iter().enumerate();
            scores.map(move |(i, &score)| (score, positive, weight(i)))
        }
        all(&self.positives, true).chain(all(&self.negatives, false))
    }

    /// The area under the ROC curve, 0..=1: the probability that a random positive scores above a random negative, ties
    /// counting one half (the Mann-Whitney statistic: J. A. Hanley and B. J. McNeil, 1982,
    /// doi 10.1148/radiology.143.1.7063747).
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], [`Undefined::NoPositives`] or [`Undefined::NoNegatives`].
    pub fn roc_auc(&self) -> Answer {
        self.both()?;
        if !(self.positives.weights.is_empty() && self.negatives.weights.is_empty()) {
            return self.compute().roc_auc();
        }
        let positives = sorted_keys(self.positives.scores.iter().copied());
        let negatives = sorted_keys(self.negatives.scores.iter().copied());
        // Counting in half pairs, every positive adds 2 for each negative below it and 1 for each that ties.
        let (mut below, mut not_above) = (0, 0);
        let mut half_pairs = 0u128;
        for positive in &positives {
            while negatives.get(below).is_some_and(|it| it < positive) {
                below += 1;
            }
            not_above = not_above.max(below);
            while negatives.get(not_above).is_some_and(|it| it <= positive) {
                not_above += 1;
            }
            half_pairs += (below + not_above) as u128;
        }
        let pairs = positives.len() as u128 * negatives.len() as u128;
        Ok(half_pairs as f64 / 2.0 / pairs as f64)
    }

    fn both(&self) -> Result<(), Undefined> {
        match (
            self.positives.weighs_nothing(),
            self.negatives.weighs_nothing(),
        ) {
            (true, true) => Err(Undefined::NoSamples),
            (true, false) => Err(Undefined::NoPositives),
            (false, true) => Err(Undefined::NoNegatives),
            (false, false) => Ok(()),
        }
    }
}

impl Accumulator for Ranking {
    type Owned = OwnedBinary;
    type Batch<'a> = BinaryBatch<'a>;
    type Answer = Steps;

    /// [`MetricError::NanScore`], [`MetricError::Lengths`] or [`MetricError::Weight`].
    fn check(&self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        let taken = self.samples();
        check_length("scores", batch.len(), batch.scores.len())?;
        check_weights(batch.weights, batch.len(), taken)?;
        check_scores(batch.scores, 1, 1, taken)?;
        Ok(())
    }

    fn update(&mut self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        self.push_checked(batch);
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        self.positives.merge(&other.positives);
        self.negatives.merge(&other.negatives);
        Ok(())
    }

    fn compute(&self) -> Steps {
        let sides = [&self.positives, &self.negatives].map(descending);
        let [mut positives, mut negatives] = sides.map(|side| side.into_iter().peekable());
        let mut steps = Vec::new();
        loop {
            let heads = [positives.peek(), negatives.peek()];
            let Some(key) = heads.into_iter().flatten().map(|&(key, _)| key).max() else {
                break;
            };
            let [mut up, mut along] = [0.0, 0.0];
            while let Some((_, weight)) = positives.next_if(|it| it.0 == key) {
                up += weight;
            }
            while let Some((_, weight)) = negatives.next_if(|it| it.0 == key) {
                along += weight;
            }
            // Scores of which nothing weighs anything are no step.
            if up + along == 0.0 {
                continue;
            }
            steps.push(Step {
                threshold: number(key),
                positives: up,
                negatives: along,
            });
        }
        Steps::exact(steps)
    }

    fn fresh(&self) -> Self {
        Self::new()
    }

    fn samples(&self) -> u64 {
        self.len() as u64
    }
}

/// The scores as keys with their weights, from the highest down; of equal scores the heaviest first, so that sums do
/// not depend on the order in which samples came.
fn descending(side: &Side) -> Vec<(u64, f64)> {
    if side.weights.is_empty() {
        let keys = sorted_keys(side.scores.iter().copied());
        return keys.into_iter().rev().map(|key| (key, 1.0)).collect();
    }
    let keys = side.scores.iter().map(|&score| key(score));
    let mut pairs: Vec<_> = keys.zip(side.weights.iter().copied()).collect();
    pairs.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    pairs
}
