//! What a training is judged by: a metric of one split, and whether less or more of it is better.
//!
//! A value that is NaN is never better than another.

use super::{EpochEnd, Split};

/// Whether less or more of a metric is better.
///
/// ```
/// use modelpulse::train::Mode;
/// assert!(Mode::Min.improves(0.4, 0.5, 0.05));
/// assert!(!Mode::Max.improves(0.54, 0.5, 0.05));
/// assert!(!Mode::Min.improves(f64::NAN, Mode::Min.worst(), 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Less is better: a loss.
    Min,
    /// More is better: an accuracy.
    Max,
}

impl Mode {
    /// Whether `value` is better than `best` by more than `by`.
    pub fn improves(self, value: f64, best: f64, by: f64) -> bool {
        match self {
            Self::Min => value < best - by,
            Self::Max => value > best + by,
        }
    }

    /// What every number is better than.
    pub fn worst(self) -> f64 {
        match self {
            Self::Min => f64::INFINITY,
            Self::Max => f64::NEG_INFINITY,
        }
    }
}

/// A metric to judge by.
///
/// ```
/// use modelpulse::train::{Mode, Monitor, Split};
/// let loss = Monitor::default();
/// assert_eq!(loss, Monitor::new(Split::Eval, "loss", Mode::Min));
/// assert_eq!(loss.to_string(), "eval/epoch_loss");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Monitor {
    split: Split,
    metric: String,
    mode: Mode,
}

impl Monitor {
    /// The metric of this name, of this split, as an epoch reports it: `loss`, `accuracy` …
    pub fn new(split: Split, metric: impl Into<String>, mode: Mode) -> Self {
        let metric = metric.into();
        Self {
            split,
            metric,
            mode,
        }
    }

    /// Whether less or more is better.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The metric's value in this epoch, if the epoch has it.
    pub fn read(&self, end: &EpochEnd<'_>) -> Option<f64> {
        end.outcome(self.split).metrics.get(&self.metric).copied()
    }
}

/// The loss of the held-out split.
impl Default for Monitor {
    fn default() -> Self {
        Self::new(Split::Eval, "loss", Mode::Min)
    }
}

/// The path of the series in the log.
impl std::fmt::Display for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/epoch_{}", self.split.run(), self.metric)
    }
}
