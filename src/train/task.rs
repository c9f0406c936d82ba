//! What a model is to learn: the form of its outputs and targets.
//!
//! The task decides the loss, and by which metrics an epoch is judged.

/// What a model is to learn.
///
/// ```
/// use modelpulse::train::Task;
/// assert_eq!(Task::from(10), Task::Multiclass { classes: 10 });
/// assert_eq!(Task::Multilabel { labels: 3 }.outputs(), 3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Yes or no: one logit an item, targets 0 and 1, loss binary cross-entropy.
    Binary,
    /// One of several classes: one logit a class, targets counted from 0, loss cross-entropy.
    Multiclass {
        /// How many.
        classes: usize,
    },
    /// Any of several labels: one logit a label, targets 0 and 1 a label, loss binary cross-entropy.
    Multilabel {
        /// How many.
        labels: usize,
    },
    /// Numbers: loss mean squared error.
    Regression {
        /// How many an item.
        outputs: usize,
    },
}

impl Task {
    /// How many numbers the model gives for an item.
    pub fn outputs(self) -> usize {
        match self {
            Self::Binary => 1,
            Self::Multiclass { classes } => classes,
            Self::Multilabel { labels } => labels,
            Self::Regression { outputs } => outputs,
        }
    }

    /// How many classes a target is one of, if it is one.
    pub fn classes(self) -> Option<usize> {
        match self {
            Self::Binary => Some(2),
            Self::Multiclass { classes } => Some(classes),
            Self::Multilabel { .. } | Self::Regression { .. } => None,
        }
    }
}

/// So many classes.
impl From<usize> for Task {
    fn from(classes: usize) -> Self {
        Self::Multiclass { classes }
    }
}
