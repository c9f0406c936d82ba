//! Rows whose labels are probably wrong.

use super::measure::Kept;
use super::{EvaluationError, Evaluator, Plan, Task};
use crate::health::errors::{LabelFilter, LabelQuality, Labelled, Scores};
use crate::metrics::Memory;

/// A row whose label is probably wrong.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n1,0.95\n0,0.98\n0,0.1\n0,0.05\n1,0.9\n0,0.1\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let found = Evaluator::new().label_errors(10).evaluate(&path)?.label_errors.unwrap();
/// assert_eq!((found.count, found.worst[0].row, found.worst[0].suggested.as_str()), (1, 3, "1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LabelError {
    /// The row, counted from 1.
    pub row: u64,
    /// The label that it has.
    pub label: String,
    /// The class that the model takes it for.
    pub suggested: String,
    /// The probability that the model gives the label it has, 0..=1.
    pub confidence: f64,
}

/// The rows whose labels are probably wrong: confident learning, pruned by noise rate.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,0.05\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let found = Evaluator::new().label_errors(10).evaluate(&path)?.label_errors.unwrap();
/// assert_eq!(found.count, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LabelErrors {
    /// How many there are.
    pub count: usize,
    /// The most certain of them first, as many as were asked for.
    pub worst: Vec<LabelError>,
}

/// That label errors can be looked for, if they are asked for.
pub(super) fn check(plan: &Plan, asked: &Evaluator) -> Result<(), EvaluationError> {
    if asked.label_errors.is_none() {
        return Ok(());
    }
    let classes = matches!(plan.task, Task::Binary | Task::Multiclass);
    let reason = if !classes || plan.scores.is_empty() {
        "it needs one label of several classes and their scores"
    } else if asked.memory != Memory::Exact {
        "it needs every score, and bounded memory keeps none"
    } else {
        return Ok(());
    };
    Err(EvaluationError::NotFor {
        option: "--label-errors",
        task: plan.task,
        reason,
    })
}

pub(super) fn find(
    plan: &Plan,
    asked: &Evaluator,
    kept: &Kept,
) -> Result<Option<LabelErrors>, EvaluationError> {
    let Some(most) = asked.label_errors else {
        return Ok(None);
    };
    let from_flags: Vec<usize>;
    let (labels, scores) = match plan.task {
        Task::Binary => {
            from_flags = kept
                .columns
                .flags
                .iter()
                .map(|&flag| usize::from(flag))
                .collect();
            (&from_flags, Scores::Positive(&kept.columns.scores))
        }
        _ => {
            let classes = plan.classes.len();
            (
                &kept.columns.labels,
                Scores::Classes {
                    probabilities: &kept.columns.scores,
                    classes,
                },
            )
        }
    };
    let labelled = Labelled::new(labels, scores)?;
    let ranked =
        labelled.ranked_issues(LabelFilter::PruneByNoiseRate, LabelQuality::SelfConfidence);
    let name = |class: usize| plan.classes.get(class).cloned().unwrap_or_default();
    let worst = ranked
        .iter()
        .take(most)
        .map(|&(row, confidence)| LabelError {
            row: kept.rows[row] + 1,
            label: name(labels[row]),
            suggested: name(labelled.predicted(row)),
            confidence,
        });
    Ok(Some(LabelErrors {
        count: ranked.len(),
        worst: worst.collect(),
    }))
}
