//! Why predictions cannot be measured.

use super::Task;
use crate::health::errors::{LabelledError, SlicesError};
use crate::metrics::MetricError;
use crate::table::TableError;

/// Why predictions cannot be measured, and what to do.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("predictions.csv");
/// std::fs::write(&path, "a,b\n1,2\n")?;
/// use modelpulse::health::evaluation::{EvaluationError, Evaluator};
/// let error = Evaluator::new().evaluate(&path).unwrap_err();
/// assert!(matches!(error, EvaluationError::NoRole { .. }));
/// assert_eq!(error.to_string(), "no column is named like the true label: name it with --label; there are 'a', 'b'");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No column has a role that is needed.
    #[error("no column is named like {what}: name it with {option}; there are {columns}")]
    NoRole {
        /// The role.
        what: &'static str,
        /// The option that names its column.
        option: &'static str,
        /// The columns that there are.
        columns: String,
    },
    /// The columns do not fit the task, or do not say which it is.
    #[error("{0}")]
    Task(String),
    /// A value of a row cannot be measured.
    #[error("row {row}, column '{column}': {value} {problem}")]
    Value {
        /// The row, counted from 1.
        row: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// No row could be measured.
    #[error("{}", no_rows(*rows))]
    NoRows {
        /// The rows of the table.
        rows: u64,
    },
    /// An option is not for this task.
    #[error("{option} is not for {task}: {reason}")]
    NotFor {
        /// The option.
        option: &'static str,
        /// The task.
        task: Task,
        /// Why not.
        reason: &'static str,
    },
    /// An accumulator refused the rows.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The slices refused the rows.
    #[error(transparent)]
    Slices(#[from] SlicesError),
    /// Label errors cannot be looked for.
    #[error(transparent)]
    Labelled(#[from] LabelledError),
}

fn no_rows(read: u64) -> String {
    match read {
        0 => "the table names its columns but has no rows".to_owned(),
        read => format!("no row has both a label and a prediction: {read} rows read"),
    }
}
