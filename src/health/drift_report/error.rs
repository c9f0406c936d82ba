//! Why two tables could not be compared.

use std::path::PathBuf;

use crate::drift::profile::ProfileError;
use crate::table::TableError;

/// Why there is no report.
///
/// ```
/// use modelpulse::health::drift_report::{DriftCheck, DriftReportError};
///
/// let error = DriftCheck::new().compare("none.csv", "none.csv").unwrap_err();
/// assert!(matches!(error, DriftReportError::Table(_)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriftReportError {
    /// A table could not be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A profile could not be read, or a table does not fit it.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A column that was asked for is not there.
    #[error("{path} has no column '{column}'; it has {has}", path = path.display())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        column: String,
        /// What it has.
        has: String,
    },
    /// Nothing can be compared.
    #[error("{reference} and {current} have no column in common to compare", reference = reference.display(), current = current.display())]
    NothingInCommon {
        /// The one.
        reference: PathBuf,
        /// The other.
        current: PathBuf,
    },
    /// A side has no rows.
    #[error("{path} has no rows", path = path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// What needs every value does not work with a profile.
    #[error("{what} needs every value, and {path} is a profile: give the table", path = path.display())]
    NeedsTable {
        /// What was asked for.
        what: &'static str,
        /// The profile.
        path: PathBuf,
    },
}
