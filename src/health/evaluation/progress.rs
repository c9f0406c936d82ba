//! How far an evaluation is.

/// How far an evaluation is.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,0.8\n")?;
/// use modelpulse::health::evaluation::{Evaluator, Progress};
/// let mut last = None;
/// let evaluator = Evaluator::new().confidence(0.9).resamples(20);
/// evaluator.evaluate_watched(&path, |progress| last = Some(progress))?;
/// assert_eq!(last, Some(Progress::Resamples { done: 20, of: 20 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A table is being read.
    Rows {
        /// How many rows were read.
        done: u64,
        /// Of how many, where that is known.
        of: Option<u64>,
    },
    /// Rows are being drawn for intervals.
    Resamples {
        /// How often they were.
        done: usize,
        /// Of how often.
        of: usize,
    },
}
