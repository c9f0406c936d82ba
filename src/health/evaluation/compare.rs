//! Two versions of a model on the same rows.
//!
//! Only versions that were asked about the same rows in the same order are tested pair by pair; of others the
//! difference is told, and why there is no test.

use super::measure::Kept;
use super::slicing::highest;
use super::{Evaluation, EvaluationError, Evaluator, Task};
use crate::metrics::{
    Answer, BinaryBatch, BinaryMetrics, Bootstrap, DeLong, McNemar, MulticlassBatch,
    MulticlassMetrics, PairedDifference, RegressionBatch, RegressionMetrics,
};

/// A candidate beside its baseline.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let (old, new) = (dir.path().join("old.csv"), dir.path().join("new.csv"));
/// std::fs::write(&old, "label,score\n1,0.4\n0,0.2\n")?;
/// std::fs::write(&new, "label,score\n1,0.9\n0,0.2\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let (_, comparison) = Evaluator::new().compare(&new, &old, |_, _| ())?;
/// assert_eq!(comparison.change("accuracy").unwrap().difference(), Some(0.5));
/// assert_eq!(comparison.tests[0].name, "McNemar's test: decisions");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// The baseline by itself.
    pub baseline: Evaluation,
    /// Every metric of both.
    pub changes: Vec<MetricChange>,
    /// What is tested pair by pair.
    pub tests: Vec<PairedTest>,
    /// Why nothing is tested, where that is so.
    pub untested: Option<String>,
}

impl Comparison {
    /// The metric of that name.
    #[must_use]
    pub fn change(&self, name: &str) -> Option<&MetricChange> {
        self.changes.iter().find(|change| change.name == name)
    }
}

/// A metric of both versions.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.4\n0,0.2\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let (_, comparison) = Evaluator::new().compare(&path, &path, |_, _| ())?;
/// assert_eq!(comparison.changes[0].name, "accuracy");
/// assert_eq!(comparison.changes[0].difference(), Some(0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricChange {
    /// Its name.
    pub name: &'static str,
    /// Of the baseline.
    pub baseline: Answer,
    /// Of the candidate.
    pub candidate: Answer,
}

impl MetricChange {
    /// The candidate's less the baseline's; `None` unless both are defined.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        Some(self.candidate.ok()? - self.baseline.ok()?)
    }
}

/// A test of the difference, pair by pair.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.4\n0,0.2\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let (_, comparison) = Evaluator::new().compare(&path, &path, |_, _| ())?;
/// assert_eq!(comparison.tests[0].p_value, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PairedTest {
    /// The test, and what it is of.
    pub name: &'static str,
    /// The difference; for McNemar's test of accuracy.
    pub difference: f64,
    /// Its 95 % interval, where the test has one.
    pub interval: Option<(f64, f64)>,
    /// The probability of so large a difference where there is none, two-sided.
    pub p_value: f64,
}

/// How many samples all resamples of a bootstrap may have.
const MOST_DRAWN: usize = 10_000_000;
/// The fewest resamples whose interval says something.
const FEWEST_RESAMPLES: usize = 200;
const SEED: u64 = 42;

pub(super) fn compare(
    candidate: &Evaluation,
    baseline: Evaluation,
    kept: Option<(Kept, Kept)>,
    asked: &Evaluator,
) -> Result<Comparison, EvaluationError> {
    if candidate.plan.classes != baseline.plan.classes {
        return Err(EvaluationError::Task(format!(
            "the classes of the baseline are not those of the candidate: {} and {}",
            baseline.plan.classes.join(", "),
            candidate.plan.classes.join(", ")
        )));
    }
    let changes = candidate
        .metrics
        .iter()
        .map(|&(name, answer)| MetricChange {
            name,
            baseline: baseline.metric(name).unwrap_or(answer),
            candidate: answer,
        });
    let changes = changes.collect();
    let (tests, untested) = match &kept {
        None => (Vec::new(), Some("bounded memory keeps no pairs".to_owned())),
        Some((new, old)) if !new.is_paired_with(old) => {
            let reason =
                "the labels of the two files are not the same, row by row: sort both alike";
            (Vec::new(), Some(reason.to_owned()))
        }
        Some((new, old)) => (paired(candidate, old, new, asked)?, None),
    };
    Ok(Comparison {
        baseline,
        changes,
        tests,
        untested,
    })
}

fn paired(
    evaluation: &Evaluation,
    old: &Kept,
    new: &Kept,
    asked: &Evaluator,
) -> Result<Vec<PairedTest>, EvaluationError> {
    let mut tests = Vec::new();
    let classes = evaluation.plan.classes.len();
    if let Some([labels, before, after]) = decisions(evaluation, old, new, asked.threshold) {
        let test = McNemar::of(&labels, &before, &after)?;
        let gained = test.only_candidate as f64 - test.only_baseline as f64;
        tests.push(PairedTest {
            name: "McNemar's test: decisions",
            difference: gained / labels.len() as f64,
            interval: None,
            p_value: test.p_value(),
        });
    }
    if evaluation.task == Task::Binary
        && let Ok(test) = DeLong::of(&new.flags, &old.scores, &new.scores)?
    {
        tests.push(PairedTest {
            name: "DeLong's test: roc_auc",
            difference: test.difference(),
            interval: Some(test.interval(0.95)),
            p_value: test.p_value(),
        });
    }
    let resamples = (MOST_DRAWN / new.rows.len().max(1)).min(1000);
    if resamples < FEWEST_RESAMPLES {
        return Ok(tests);
    }
    let bootstrap = Bootstrap::new(SEED).resamples(resamples);
    let mut add = |name, paired: PairedDifference| {
        // Where it is undefined there is no difference to tell.
        if let Ok(difference) = paired.difference.value {
            tests.push(PairedTest {
                name,
                difference,
                interval: Some((paired.difference.low, paired.difference.high)),
                p_value: paired.p_value,
            });
        }
    };
    match evaluation.task {
        Task::Binary => {
            let like = BinaryMetrics::new().threshold(asked.threshold);
            let (before, after) = (binary(old), binary(new));
            let f1 = bootstrap.paired(&like, before, after, |it| it.f1)?;
            add("paired bootstrap: f1", f1);
            let log_loss = bootstrap.paired(&like, before, after, |it| it.log_loss)?;
            add("paired bootstrap: log_loss", log_loss);
        }
        Task::Multiclass if !new.scores.is_empty() => {
            let like = MulticlassMetrics::new(classes);
            let (before, after) = (multiclass(old), multiclass(new));
            let f1 = bootstrap.paired(&like, before, after, |it| it.classes.f1_macro)?;
            add("paired bootstrap: f1_macro", f1);
        }
        Task::Regression => {
            let like = RegressionMetrics::new();
            let (before, after) = (regression(old), regression(new));
            let mae = bootstrap.paired(&like, before, after, |it| it.mae)?;
            add("paired bootstrap: mae", mae);
            let rmse = bootstrap.paired(&like, before, after, |it| it.rmse)?;
            add("paired bootstrap: rmse", rmse);
        }
        _ => {}
    }
    Ok(tests)
}

fn binary(kept: &Kept) -> BinaryBatch<'_> {
    BinaryBatch {
        weights: kept.weights.as_deref(),
        ..BinaryBatch::new(&kept.flags, &kept.scores)
    }
}

fn multiclass(kept: &Kept) -> MulticlassBatch<'_> {
    MulticlassBatch {
        weights: kept.weights.as_deref(),
        ..MulticlassBatch::new(&kept.labels, &kept.scores)
    }
}

fn regression(kept: &Kept) -> RegressionBatch<'_> {
    RegressionBatch {
        weights: kept.weights.as_deref(),
        ..RegressionBatch::new(&kept.truths, &kept.estimates)
    }
}

/// Labels, and what the baseline and the candidate decided on; `None` where a row has no one label.
fn decisions(
    evaluation: &Evaluation,
    old: &Kept,
    new: &Kept,
    threshold: f64,
) -> Option<[Vec<usize>; 3]> {
    let of = |kept: &Kept| -> Vec<usize> {
        let scores = &kept.scores;
        match evaluation.task {
            Task::Binary => scores
                .iter()
                .map(|&score| usize::from(score >= threshold))
                .collect(),
            _ if scores.is_empty() => kept.predictions.clone(),
            _ => {
                let classes = evaluation.plan.classes.len().max(1);
                scores.chunks_exact(classes).map(highest).collect()
            }
        }
    };
    match evaluation.task {
        Task::Binary => {
            let labels = new.flags.iter().map(|&flag| usize::from(flag));
            Some([labels.collect(), of(old), of(new)])
        }
        Task::Multiclass => Some([new.labels.clone(), of(old), of(new)]),
        _ => None,
    }
}
