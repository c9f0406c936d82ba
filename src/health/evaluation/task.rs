//! What a model does, and so what its predictions are measured by.

use std::fmt;
use std::str::FromStr;

/// What a model does.
///
/// ```
/// use modelpulse::health::evaluation::Task;
/// assert_eq!("multiclass".parse(), Ok(Task::Multiclass));
/// assert_eq!(Task::Regression.to_string(), "regression");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Task {
    /// Says how sure it is of one of two classes.
    Binary,
    /// Decides for one of many classes.
    Multiclass,
    /// Decides of each label whether a row has it.
    Multilabel,
    /// Predicts a number.
    Regression,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Binary,
        Self::Multiclass,
        Self::Multilabel,
        Self::Regression,
    ];
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Multilabel => "multilabel",
            Self::Regression => "regression",
        })
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|task| task.to_string() == text);
        found.ok_or_else(|| "one of binary, multiclass, multilabel, regression".to_owned())
    }
}
