//! Two versions of a model on the same rows.
//!
//! Only versions that were asked about the same rows in the same order are tested pair by pair; of others the
//! difference is told, and why there is no test.

use super::columns::Columns;
use super::measure::{Kept, Metrics};
use super::slicing::highest;
use super::{Evaluation, EvaluationError, Evaluator, Progress, Task, intervals};
use crate::metrics::{Answer, DeLong, McNemar, PairedDifference};

/// A candidate beside its baseline.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let (old, new) = (dir.path().join("old.csv"), dir.path().join("new.csv"));
/// std::fs::write(&old, "label,score\n1,0.4\n0,0.2\n")?;
/// std::fs::write(&new, "label,score\n1,0.9\n0,0.2\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let (_, comparison) = Evaluator::new().compare(&new, &old, |_| ())?;
/// assert_eq!(comparison.change("accuracy").unwrap().difference(), Some(0.5));
/// assert_eq!(comparison.tests[0].name, "McNemar's test: decisions");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// The baseline by itself.
    pub baseline: Evaluation,
    /// How much intervals hold, as 0.95.
    pub level: f64,
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
/// let (_, comparison) = Evaluator::new().compare(&path, &path, |_| ())?;
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
    /// The interval around the difference, by the paired bootstrap: where it is asked for or the rows are few enough.
    pub interval: Option<(f64, f64)>,
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
/// let (_, comparison) = Evaluator::new().compare(&path, &path, |_| ())?;
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
    /// Its interval, where the test has one; it holds as much as [`Comparison::level`] says.
    pub interval: Option<(f64, f64)>,
    /// The probability of so large a difference where there is none, two-sided.
    pub p_value: f64,
}

pub(super) fn compare(
    candidate: &Evaluation,
    baseline: Evaluation,
    kept: Option<(Kept, Kept)>,
    asked: &Evaluator,
    progress: &mut dyn FnMut(Progress),
) -> Result<Comparison, EvaluationError> {
    if candidate.plan.classes != baseline.plan.classes {
        return Err(EvaluationError::Task(format!(
            "the classes of the baseline are not those of the candidate: {} and {}",
            baseline.plan.classes.join(", "),
            candidate.plan.classes.join(", ")
        )));
    }
    let mut changes: Vec<MetricChange> = candidate
        .metrics
        .iter()
        .map(|&(name, answer)| MetricChange {
            name,
            baseline: baseline.metric(name).unwrap_or(answer),
            candidate: answer,
            interval: None,
        })
        .collect();
    let (tests, untested) = match &kept {
        None => (Vec::new(), Some("bounded memory keeps no pairs".to_owned())),
        Some((new, old)) if !new.columns.is_paired_with(&old.columns) => {
            let reason =
                "the labels of the two files are not the same, row by row: sort both alike";
            (Vec::new(), Some(reason.to_owned()))
        }
        Some((new, old)) => {
            let metrics = Metrics::new(&candidate.plan, asked);
            let differences = intervals::between(&metrics, asked, old, new, progress)?;
            for change in &mut changes {
                let of = differences.iter().find(|it| it.0 == change.name);
                let defined = of.map(|it| it.1.difference).filter(|it| it.defined > 0);
                change.interval = defined.map(|it| (it.low, it.high));
            }
            let (old, new) = (&old.columns, &new.columns);
            (tests(candidate, old, new, &differences, asked)?, None)
        }
    };
    Ok(Comparison {
        baseline,
        level: intervals::level(asked),
        changes,
        tests,
        untested,
    })
}

/// The metrics whose difference is told with its significance.
fn tested(task: Task) -> &'static [(&'static str, &'static str)] {
    match task {
        Task::Binary => &[
            ("f1", "paired bootstrap: f1"),
            ("log_loss", "paired bootstrap: log_loss"),
        ],
        Task::Multiclass => &[
            ("f1_macro", "paired bootstrap: f1_macro"),
            ("log_loss", "paired bootstrap: log_loss"),
        ],
        Task::Multilabel => &[
            ("f1_macro", "paired bootstrap: f1_macro"),
            ("roc_auc_macro", "paired bootstrap: roc_auc_macro"),
        ],
        Task::Regression => &[
            ("mae", "paired bootstrap: mae"),
            ("rmse", "paired bootstrap: rmse"),
        ],
    }
}

fn tests(
    evaluation: &Evaluation,
    old: &Columns,
    new: &Columns,
    differences: &[(&'static str, PairedDifference)],
    asked: &Evaluator,
) -> Result<Vec<PairedTest>, EvaluationError> {
    let mut tests = Vec::new();
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
            interval: Some(test.interval(intervals::level(asked))),
            p_value: test.p_value(),
        });
    }
    for &(metric, name) in tested(evaluation.task) {
        let of = differences.iter().find(|it| it.0 == metric);
        // Where it is undefined there is no difference to tell.
        if let Some((_, paired)) = of
            && let Ok(difference) = paired.difference.value
        {
            tests.push(PairedTest {
                name,
                difference,
                interval: Some((paired.difference.low, paired.difference.high)),
                p_value: paired.p_value,
            });
        }
    }
    Ok(tests)
}

/// Labels, and what the baseline and the candidate decided on; `None` where a row has no one label.
fn decisions(
    evaluation: &Evaluation,
    old: &Columns,
    new: &Columns,
    threshold: f64,
) -> Option<[Vec<usize>; 3]> {
    let of = |rows: &Columns| -> Vec<usize> {
        let scores = &rows.scores;
        match evaluation.task {
            Task::Binary => scores
                .iter()
                .map(|&score| usize::from(score >= threshold))
                .collect(),
            _ if scores.is_empty() => rows.predictions.clone(),
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
