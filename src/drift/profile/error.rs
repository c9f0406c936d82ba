//! What is wrong with a profile, or with what it is given.

use std::path::PathBuf;

use super::Kind;

/// Why a profile could not be made, merged, saved or loaded.
///
/// ```
/// use modelpulse::drift::profile::{Profile, ProfileError};
///
/// let error = Profile::from_bytes(b"age,country\n31,fr\n").unwrap_err();
/// assert!(matches!(error, ProfileError::Foreign));
/// assert_eq!(error.to_string(), "no profile: it does not begin as one does");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Two fields have the same name.
    #[error("two columns are named '{name}': name them apart")]
    SameName {
        /// The name.
        name: String,
    },
    /// There are not as many columns as fields.
    #[error("{got} columns where the profile has {expected} fields")]
    Columns {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A column is longer or shorter than the first.
    #[error("column '{name}' has {got} values where the first has {expected}")]
    Lengths {
        /// The column.
        name: String,
        /// How many it should have.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// A column does not hold what its field says.
    #[error("the values of column '{name}' are not the {expected} that the profile has of it")]
    Values {
        /// The column.
        name: String,
        /// What it should hold.
        expected: Kind,
    },
    /// Two profiles are of different fields.
    #[error("profiles of different columns cannot be merged: {what}")]
    Fields {
        /// What is different.
        what: String,
    },
    /// Bytes that are none of a profile.
    #[error("no profile: it does not begin as one does")]
    Foreign,
    /// A profile of a later version.
    #[error(
        "a profile of version {version}, and this program knows those up to {known}: update it"
    )]
    Newer {
        /// Its version.
        version: u32,
        /// The last that is known.
        known: u32,
    },
    /// A profile that is not whole.
    #[error("a profile that was not written to its end: {got} of {whole} bytes; make it again")]
    Torn {
        /// How many bytes it should have.
        whole: u64,
        /// How many there are.
        got: u64,
    },
    /// A profile that is not as it was written.
    #[error("a damaged profile: {why}; make it again, or take a copy")]
    Damaged {
        /// How that is known.
        why: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no whole profile of a known version.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Self>,
    },
}
