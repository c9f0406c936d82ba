//! Either kind of ranking: of all scores, or in bounded memory.

use super::bounded::{BoundedRanking, check_unit};
use super::{Accumulator, BinaryBatch, MetricError, Ranking, Steps};

/// How much of a stream an accumulator keeps.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, BinaryMetrics, Memory};
/// let mut metrics = BinaryMetrics::new().memory(Memory::Bounded { thresholds: 1001 });
/// metrics.update(BinaryBatch::new(&[false, true], &[0.2, 0.7]))?;
/// assert_eq!(metrics.compute().roc_auc, Ok(1.0));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// All of it: every answer is exact.
    #[default]
    Exact,
    /// Counts only, so that a stream may be endless. What is a sum or a count stays exact; what needs the order of
    /// scores is known up to bounds; what needs every sample is [not kept](super::Undefined::NotKept).
    Bounded {
        /// The number of thresholds from 0 to 1 between which scores are counted; see [`BoundedRanking`].
        thresholds: usize,
    },
}

impl Memory {
    /// Bounded memory with [`BoundedRanking::THRESHOLDS`] thresholds.
    #[must_use]
    pub fn bounded() -> Self {
        Self::Bounded {
            thresholds: BoundedRanking::THRESHOLDS,
        }
    }

    pub(super) fn ranks(self) -> Ranks {
        match self {
            Self::Exact => Ranks::Exact(Ranking::new()),
            Self::Bounded { thresholds } => Ranks::Bounded(BoundedRanking::new(thresholds)),
        }
    }

    /// That bounded memory can take these scores.
    pub(super) fn check(self, scores: &[f64], width: usize, taken: u64) -> Result<(), MetricError> {
        match self {
            Self::Exact => Ok(()),
            Self::Bounded { .. } => check_unit(scores, width, taken),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Ranks {
    Exact(Ranking),
    Bounded(BoundedRanking),
}

impl Ranks {
    /// Takes samples that were checked.
    pub(super) fn push(&mut self, batch: BinaryBatch<'_>) {
        match self {
            Self::Exact(ranking) => ranking.push_checked(batch),
            Self::Bounded(ranking) => {
                for (i, (&positive, &score)) in batch.labels.iter().zip(batch.scores).enumerate() {
                    let weight = batch.weights.map_or(1.0, |weights| weights[i]);
                    ranking.push(score, positive, weight);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        match (self, other) {
            (Self::Exact(ours), Self::Exact(theirs)) => ours.merge(theirs),
            (Self::Bounded(ours), Self::Bounded(theirs)) => ours.merge(theirs),
            _ => Err(MetricError::SettingsDiffer { what: "memory" }),
        }
    }

    pub(super) fn steps(&self) -> Steps {
        match self {
            Self::Exact(ranking) => ranking.compute(),
            Self::Bounded(ranking) => ranking.compute(),
        }
    }

    pub(super) fn fresh(&self) -> Self {
        match self {
            Self::Exact(ranking) => Self::Exact(ranking.fresh()),
            Self::Bounded(ranking) => Self::Bounded(ranking.fresh()),
        }
    }
}
