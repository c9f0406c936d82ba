//! Ranking in bounded memory: scores are counted in intervals instead of being kept.
//!
//! Counts are whole numbers and weights are summed exactly, so merging shards gives the same bits as one pass; the
//! answers differ from those of all scores by at most the bounds that [`Steps`] states.

use super::batch::{check_length, check_scores, check_weights};
use super::{Accumulator, Batch, BinaryBatch, ExactSum, MetricError, OwnedBinary, Step, Steps};

/// The scores of a binary classifier, counted between evenly spaced thresholds from 0 to 1.
///
/// Memory is 16 bytes a threshold however many samples there are (about ten times that with weights). Only the order of
/// scores between two neighbouring thresholds is lost: see [`Steps::roc_auc_bounds`] and
/// [`Steps::average_precision_bounds`] for how much that can be; with thresholds that no two samples share an interval
/// of, the answers are those of [`Ranking`](super::Ranking).
///
/// With n thresholds the area under the ROC curve is that of torchmetrics with `thresholds=n`.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, BoundedRanking};
///
/// let mut ranking = BoundedRanking::new(201);
/// ranking.update(BinaryBatch::new(&[false, false, true, true], &[0.101, 0.4, 0.104, 0.8]))?;
/// let steps = ranking.compute();
/// assert_eq!(steps.roc_auc(), Ok(0.625), "0.101 and 0.104 share an interval");
/// assert_eq!(steps.roc_auc_bounds(), Ok((0.5, 0.75)));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BoundedRanking {
    /// Negatives and positives between each threshold and the next.
    counts: Vec<[u64; 2]>,
    /// The same of weights, where there are any.
    weights: Option<Vec<[ExactSum; 2]>>,
    samples: u64,
}

impl BoundedRanking {
    /// The thresholds that accumulators of bounded memory have by default: 128 KiB.
    pub const THRESHOLDS: usize = 8193;

    /// An accumulator with this many thresholds, at least two.
    #[must_use]
    pub fn new(thresholds: usize) -> Self {
        Self {
            counts: vec![[0; 2]; thresholds.max(2)],
            weights: None,
            samples: 0,
        }
    }

    /// The number of thresholds.
    #[must_use]
    pub fn thresholds(&self) -> usize {
        self.counts.len()
    }

    fn threshold(&self, i: usize) -> f64 {
        let last = self.counts.len() - 1;
        let step = 1.0 / last as f64;
        // From the nearer end, as torch's `linspace` does.
        if i <= last / 2 {
            i as f64 * step
        } else {
            1.0 - (last - i) as f64 * step
        }
    }

    #[inline]
    fn place(&self, score: f64) -> usize {
        let last = self.counts.len() - 1;
        let mut place = ((score * last as f64) as usize).min(last);
        // Rounding may have led one interval astray.
        while place > 0 && score < self.threshold(place) {
            place -= 1;
        }
        while place < last && score >= self.threshold(place + 1) {
            place += 1;
        }
        place
    }

    fn weigh(&mut self) -> &mut Vec<[ExactSum; 2]> {
        let counts = &self.counts;
        self.weights.get_or_insert_with(|| {
            let weigh = |count| {
                let mut sum = ExactSum::new();
                sum.add_count(count);
                sum
            };
            counts.iter().map(|pair| pair.map(weigh)).collect()
        })
    }

    /// Counts a sample that was checked.
    #[inline]
    pub(super) fn push(&mut self, score: f64, positive: bool, weight: f64) {
        let place = self.place(score);
        if weight != 1.0 || self.weights.is_some() {
            self.weigh()[place][usize::from(positive)].add(weight);
        }
        self.counts[place][usize::from(positive)] += 1;
        self.samples += 1;
    }
}

/// That all scores are in 0..=1; `width` of them are a sample's.
pub(super) fn check_unit(scores: &[f64], width: usize, taken: u64) -> Result<(), MetricError> {
    let outside = |score: &f64| !(0.0..=1.0).contains(score);
    match scores.iter().position(outside) {
        Some(at) => Err(MetricError::ScoreOutsideUnit {
            sample: taken + (at / width) as u64,
        }),
        None => Ok(()),
    }
}

impl Accumulator for BoundedRanking {
    type Owned = OwnedBinary;
    type Batch<'a> = BinaryBatch<'a>;
    type Answer = Steps;

    /// [`MetricError::NanScore`], [`MetricError::ScoreOutsideUnit`], [`MetricError::Lengths`] or
    /// [`MetricError::Weight`].
    fn check(&self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        check_length("scores", batch.len(), batch.scores.len())?;
        check_weights(batch.weights, batch.len(), self.samples)?;
        check_scores(batch.scores, 1, 1, self.samples)?;
        check_unit(batch.scores, 1, self.samples)?;
        Ok(())
    }

    fn update(&mut self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        for (i, (&positive, &score)) in batch.labels.iter().zip(batch.scores).enumerate() {
            self.push(
                score,
                positive,
                batch.weights.map_or(1.0, |weights| weights[i]),
            );
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] if the other has another number of thresholds.
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if self.counts.len() != other.counts.len() {
            return Err(MetricError::SettingsDiffer { what: "thresholds" });
        }
        if self.weights.is_some() || other.weights.is_some() {
            let mut other = other.clone();
            let theirs = std::mem::take(other.weigh());
            let pairs = self.weigh().iter_mut().flatten();
            for (ours, theirs) in pairs.zip(theirs.iter().flatten()) {
                ours.merge(theirs);
            }
        }
        let pairs = self.counts.iter_mut().flatten();
        for (ours, theirs) in pairs.zip(other.counts.iter().flatten()) {
            *ours += theirs;
        }
        self.samples += other.samples;
        Ok(())
    }

    fn compute(&self) -> Steps {
        let step = |i: usize| {
            let [negatives, positives] = match &self.weights {
                Some(weights) => [weights[i][0].value(), weights[i][1].value()],
                None => self.counts[i].map(|count| count as f64),
            };
            Step {
                threshold: self.threshold(i),
                positives,
                negatives,
            }
        };
        Steps::binned((0..self.counts.len()).rev().map(step).collect())
    }

    fn fresh(&self) -> Self {
        Self::new(self.counts.len())
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}
