//! What is no precision–recall curve.

/// Why there is no curve.
///
/// ```
/// use modelpulse::summary::PrCurve;
/// let error = PrCurve::of(&[0.5, f32::NAN], &[true, false]).unwrap_err();
/// assert_eq!(error.to_string(), "score 1 is NaN, not a number from 0 to 1");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrCurveError {
    /// Two lists that go together have different lengths.
    #[error("{left} has {left_len} values, {right} has {right_len}")]
    Lengths {
        /// The first list.
        left: &'static str,
        /// Its length.
        left_len: usize,
        /// The second list.
        right: &'static str,
        /// Its length.
        right_len: usize,
    },
    /// No scores.
    #[error("a curve needs at least one score")]
    Empty,
    /// Fewer than two thresholds, or more than single precision tells apart.
    #[error("a curve has 2 to {MAX_THRESHOLDS} thresholds, not {thresholds}")]
    Thresholds {
        /// Thresholds asked for.
        thresholds: usize,
    },
    /// A score that is not a number from 0 to 1.
    #[error("score {index} is {score}, not a number from 0 to 1")]
    Score {
        /// Where it is.
        index: usize,
        /// The score.
        score: f64,
    },
    /// A weight or a count that is negative or not finite.
    #[error("{what} {index} is {value}, not a finite number of at least 0")]
    Amount {
        /// The list.
        what: &'static str,
        /// Where it is in the list.
        index: usize,
        /// The weight or count.
        value: f64,
    },
}

/// Up to here `f32` has every integer.
const MAX_THRESHOLDS: usize = 1 << 24;

pub(super) fn check_thresholds(thresholds: usize) -> Result<(), PrCurveError> {
    if !(2..=MAX_THRESHOLDS).contains(&thresholds) {
        return Err(PrCurveError::Thresholds { thresholds });
    }
    Ok(())
}

pub(super) fn same_length(
    (left, left_len): (&'static str, usize),
    (right, right_len): (&'static str, usize),
) -> Result<(), PrCurveError> {
    if left_len == right_len {
        return Ok(());
    }
    Err(PrCurveError::Lengths {
        left,
        left_len,
        right,
        right_len,
    })
}

pub(super) fn amounts(what: &'static str, values: &[f64]) -> Result<(), PrCurveError> {
    let bad = |value: &f64| !(value.is_finite() && *value >= 0.0);
    match values.iter().position(bad) {
        Some(index) => Err(PrCurveError::Amount {
            what,
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}
