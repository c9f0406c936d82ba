//! What the charts of a report show, thinned to what an eye can see.

use super::Task;
use super::columns::Columns;
use super::dimension::Thinned;
use crate::metrics::{Reliability, Steps};

/// Points that are nearer than this in both directions are one.
const NEAR: f64 = 1.0 / 400.0;
/// The bars of a histogram of scores.
const BARS: usize = 40;
/// The points of a scatter chart.
const POINTS: usize = 2000;

/// A line, with its name.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,0.8\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let charts = Evaluator::new().evaluate(&path)?.charts;
/// assert_eq!(charts.roc[0].points, [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Curve {
    /// The class; empty where there is one curve only.
    pub name: String,
    /// x and y, each 0..=1.
    pub points: Vec<(f64, f64)>,
    /// The area that belongs to it; NaN where it is undefined.
    pub area: f64,
}

/// How many scores of negatives and positives are in each of equally wide ranges from 0 to 1.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,1.0\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let histogram = Evaluator::new().evaluate(&path)?.charts.scores.unwrap();
/// assert_eq!((histogram.negatives[39], histogram.positives[36], histogram.outside), (1, 1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScoreHistogram {
    /// Of rows that are not of the positive class.
    pub negatives: Vec<u64>,
    /// Of those that are.
    pub positives: Vec<u64>,
    /// Scores outside 0..=1.
    pub outside: u64,
}

/// True and predicted values of an even choice of rows.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "y_true,y_pred\n1.5,1.25\n3.5,4\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let scatter = Evaluator::new().evaluate(&path)?.charts.scatter.unwrap();
/// assert_eq!(scatter.points, [(1.5, 1.25), (3.5, 4.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Scatter {
    /// True value, predicted value; at most two thousand.
    pub points: Vec<(f64, f64)>,
}

/// What the charts of a report show.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n0,0.8\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let charts = Evaluator::new().evaluate(&path)?.charts;
/// assert_eq!(charts.precision_recall.len(), 1);
/// assert!(charts.reliability.is_some() && charts.scatter.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Charts {
    /// ROC curves: false and true positive rate.
    pub roc: Vec<Curve>,
    /// Precision-recall curves: recall and precision.
    pub precision_recall: Vec<Curve>,
    /// How confidence and accuracy agree.
    pub reliability: Option<Reliability>,
    /// The scores of a binary model.
    pub scores: Option<ScoreHistogram>,
    /// The predictions of a regression.
    pub scatter: Option<Scatter>,
}

impl Charts {
    /// Adds the curves of a class; an area of NaN stands for one that is undefined.
    pub(super) fn add_curves(&mut self, name: &str, steps: &Steps) {
        let curve = |points: Vec<(f64, f64)>, area: Option<f64>| Curve {
            name: name.to_owned(),
            points: thinned(points),
            area: area.unwrap_or(f64::NAN),
        };
        self.roc.extend(
            steps
                .roc_curve()
                .ok()
                .map(|it| curve(it, steps.roc_auc().ok())),
        );
        let precision = steps.average_precision().ok();
        self.precision_recall
            .extend(steps.pr_curve().ok().map(|it| curve(it, precision)));
    }
}

/// Without the points that nobody could tell from the one before.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let last = points.len().saturating_sub(1);
    for (at, point) in points.into_iter().enumerate() {
        let near = |before: &(f64, f64)| {
            (point.0 - before.0).abs() < NEAR && (point.1 - before.1).abs() < NEAR
        };
        if at == last || !kept.last().is_some_and(near) {
            kept.push(point);
        }
    }
    kept
}

/// What charts need of the rows themselves.
pub(super) struct ChartData {
    task: Task,
    scores: ScoreHistogram,
    scatter: Thinned<(f64, f64)>,
}

impl ChartData {
    pub(super) fn new(task: Task) -> Self {
        Self {
            task,
            scores: ScoreHistogram {
                negatives: vec![0; BARS],
                positives: vec![0; BARS],
                outside: 0,
            },
            scatter: Thinned::new(POINTS),
        }
    }

    pub(super) fn take(&mut self, rows: &Columns) {
        if self.task == Task::Binary {
            for (&positive, &score) in rows.flags.iter().zip(&rows.scores) {
                if !(0.0..=1.0).contains(&score) {
                    self.scores.outside += 1;
                    continue;
                }
                let bar = ((score * BARS as f64) as usize).min(BARS - 1);
                let bars = if positive {
                    &mut self.scores.positives
                } else {
                    &mut self.scores.negatives
                };
                bars[bar] += 1;
            }
        }
        for (&truth, &estimate) in rows.truths.iter().zip(&rows.estimates) {
            self.scatter.push((truth, estimate));
        }
    }

    pub(super) fn finish(self) -> Charts {
        let is = |task| self.task == task;
        Charts {
            scores: is(Task::Binary).then_some(self.scores),
            scatter: is(Task::Regression).then(|| Scatter {
                points: self.scatter.into_kept(),
            }),
            ..Charts::default()
        }
    }
}
