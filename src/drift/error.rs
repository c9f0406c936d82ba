//! Why drift could not be computed.

/// Input that a test or a detector refuses; what refused it is as it was before.
///
/// ```
/// use modelpulse::drift::{DriftError, concept::{Detector, Ddm}};
///
/// let error = Ddm::default().update(f64::NAN).unwrap_err();
/// assert!(matches!(error, DriftError::Value { .. }));
/// assert_eq!(error.to_string(), "ddm takes numbers of 0..=1, such as 1 for an error and 0 for none, not NaN");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DriftError {
    /// A detector was given a value that it has no answer to.
    #[error("{detector} takes {takes}, not {value}")]
    Value {
        /// The detector.
        detector: &'static str,
        /// What it takes.
        takes: &'static str,
        /// What it was given.
        value: f64,
    },
    /// A setting is out of its range.
    #[error("{what} of {detector} must be {must}, not {value}")]
    Setting {
        /// The detector.
        detector: &'static str,
        /// The setting.
        what: &'static str,
        /// Its range.
        must: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// Numbers that are no rows of the width given.
    #[error("{numbers} numbers are no rows of {width}: give as many for each row")]
    Width {
        /// How many numbers a row should have.
        width: usize,
        /// How many there are.
        numbers: usize,
    },
    /// Bytes that are no snapshot of this detector.
    #[error("no snapshot of {detector}: {why}")]
    Snapshot {
        /// The detector that should have been restored.
        detector: &'static str,
        /// What is wrong with them.
        why: &'static str,
    },
}

/// Why samples do not define a test or a distance.
///
/// ```
/// use modelpulse::drift::{Undefined, data::{Sample, t_test}};
///
/// let (reference, current) = (Sample::new(&[1.0, 1.0]), Sample::new(&[1.0, f64::NAN]));
/// assert_eq!(t_test::student(&reference, &current), Err(Undefined::Constant));
/// assert_eq!(Undefined::Constant.to_string(), "all values are equal");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// A sample has fewer values than it needs.
    #[error("too few values")]
    TooFew,
    /// All values are equal, or as good as equal where it looks.
    #[error("all values are equal")]
    Constant,
    /// A value is ±Inf, or too large to be squared, and it needs finite ones.
    #[error("a value is infinite or too large")]
    Infinite,
    /// It compares samples of one size, and these are not.
    #[error("samples of different sizes")]
    Sizes,
    /// It compares two categories, and there are more.
    #[error("more than two categories")]
    Categories,
}
