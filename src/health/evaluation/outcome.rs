//! What an evaluation found.

use super::curves::{ChartData, Charts};
use super::label_errors::LabelErrors;
use super::measure::Metrics;
use super::slicing::SlicesOutcome;
use super::{Evaluator, Plan, RowCounts, Task};
use crate::metrics::{
    Accumulator, Answer, ClassScore, ConfusionMatrix, Interval, KappaWeights, Memory, Steps,
};

/// What an evaluation found: all metrics of the task, and what the charts of a report show.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,score\n1,0.9\n1,0.8\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// use modelpulse::metrics::Undefined;
/// let evaluation = Evaluator::new().evaluate(&path)?;
/// assert_eq!(evaluation.metric("recall"), Some(Ok(1.0)));
/// assert_eq!(evaluation.metric("roc_auc"), Some(Err(Undefined::NoNegatives)));
/// assert_eq!(evaluation.metric("rmse"), None, "which is for numbers");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Evaluation {
    /// What the model does.
    pub task: Task,
    /// What was read, and how.
    pub plan: Plan,
    /// The score from which on a row was predicted positive.
    pub threshold: f64,
    /// Whether every score was kept.
    pub memory: Memory,
    /// The rows.
    pub rows: RowCounts,
    /// Every metric of the task by its name, or why there is none.
    pub metrics: Vec<(&'static str, Answer)>,
    /// Within which bounds metrics are known, where bounded memory cannot tell them exactly: name, lower, upper.
    pub bounds: Vec<(&'static str, f64, f64)>,
    /// The interval around each metric, where intervals were asked for.
    pub intervals: Vec<(&'static str, Interval)>,
    /// The confusion matrix; of a multilabel task there is one a label.
    pub confusion: Vec<ConfusionMatrix>,
    /// Each class or label; none for a regression.
    pub per_class: Vec<ClassOutcome>,
    /// What the charts show.
    pub charts: Charts,
    /// The slices, where they were asked for.
    pub slices: Option<SlicesOutcome>,
    /// The labels that are probably wrong, where they were asked for.
    pub label_errors: Option<LabelErrors>,
}

/// One class against the rest, or one label.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "label,prediction\ncat,cat\ncat,dog\ndog,dog\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let evaluation = Evaluator::new().evaluate(&path)?;
/// let cat = &evaluation.per_class[0];
/// assert_eq!((cat.name.as_str(), cat.support, cat.recall), ("cat", 2, Ok(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClassOutcome {
    /// Its name.
    pub name: String,
    /// The number of rows of it.
    pub support: u64,
    /// See [`ConfusionMatrix::precision`].
    pub precision: Answer,
    /// See [`ConfusionMatrix::recall`].
    pub recall: Answer,
    /// See [`ConfusionMatrix::f1`].
    pub f1: Answer,
    /// The area under its ROC curve; `None` without scores.
    pub roc_auc: Option<Answer>,
    /// Its average precision; `None` without scores.
    pub average_precision: Option<Answer>,
}

impl Evaluation {
    /// The metric of that name; `None` if the task has none so named.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Answer> {
        self.metrics
            .iter()
            .find(|metric| metric.0 == name)
            .map(|metric| metric.1)
    }

    /// The interval around the metric of that name; `None` if it was not asked for, or if no resample defined the metric.
    #[must_use]
    pub fn interval(&self, name: &str) -> Option<Interval> {
        let mut intervals = self.intervals.iter().filter(|it| it.0 == name);
        let found = intervals.next().map(|it| it.1);
        found.filter(|interval| interval.defined > 0)
    }
}

/// Whether a lower value of the metric of that name is the better one.
///
/// ```
/// use modelpulse::health::evaluation::lower_is_better;
/// assert!(lower_is_better("log_loss") && !lower_is_better("accuracy"));
/// ```
#[must_use]
pub fn lower_is_better(metric: &str) -> bool {
    const LOWER: [&str; 10] = [
        "loss", "error", "deviance", "brier", "ece", "mce", "mae", "mse", "mape", "msle",
    ];
    LOWER.iter().any(|word| metric.contains(word))
}

/// All but what is per class, of slices and of label errors.
pub(super) fn outcome(
    plan: &Plan,
    asked: &Evaluator,
    metrics: &Metrics,
    charts: ChartData,
    rows: RowCounts,
) -> Evaluation {
    let mut charts = charts.finish();
    let mut bounds = Vec::new();
    let name = |class: usize| plan.classes.get(class).map_or("", String::as_str);
    let (named, confusion) = match metrics {
        Metrics::Binary(metrics) => {
            let steps = metrics.steps();
            charts.add_curves("", &steps);
            charts.reliability = Some(metrics.reliability());
            if asked.memory != Memory::Exact {
                bounds = known_within(&steps);
            }
            (metrics.compute().named(), vec![metrics.confusion().clone()])
        }
        Metrics::Multiclass(metrics) => {
            for class in 0..metrics.classes() {
                charts.add_curves(name(class), &metrics.steps(class));
            }
            charts.reliability = Some(metrics.reliability());
            (metrics.compute().named(), vec![metrics.confusion().clone()])
        }
        Metrics::Decisions(matrix) => {
            let mut named = matrix.compute().named();
            named.push((
                "cohen_kappa_linear",
                matrix.cohen_kappa(KappaWeights::Linear),
            ));
            named.push((
                "cohen_kappa_quadratic",
                matrix.cohen_kappa(KappaWeights::Quadratic),
            ));
            (named, vec![ConfusionMatrix::clone(matrix)])
        }
        Metrics::Multilabel(metrics) => {
            for label in 0..metrics.labels() {
                charts.add_curves(name(label), &metrics.steps(label));
            }
            (metrics.compute().named(), metrics.confusion().to_vec())
        }
        Metrics::Regression(metrics) => (metrics.compute().named(), Vec::new()),
    };
    Evaluation {
        task: plan.task,
        plan: plan.clone(),
        threshold: asked.threshold,
        memory: asked.memory,
        rows,
        metrics: named,
        bounds,
        intervals: Vec::new(),
        confusion,
        per_class: Vec::new(),
        charts,
        slices: None,
        label_errors: None,
    }
}

fn known_within(steps: &Steps) -> Vec<(&'static str, f64, f64)> {
    let known = [
        ("roc_auc", steps.roc_auc_bounds()),
        ("average_precision", steps.average_precision_bounds()),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, bounds)| bounds.ok().map(|(low, high)| (name, low, high)))
        .collect()
}

pub(super) fn class_outcomes(plan: &Plan, metrics: &Metrics) -> Vec<ClassOutcome> {
    let outcome =
        |matrix: &ConfusionMatrix, class: usize, at: usize, steps: Option<Steps>| ClassOutcome {
            name: plan.classes.get(at).cloned().unwrap_or_default(),
            support: matrix.support(class),
            precision: matrix.class_score(class, ClassScore::Precision),
            recall: matrix.class_score(class, ClassScore::Recall),
            f1: matrix.class_score(class, ClassScore::FBeta(1.0)),
            roc_auc: steps.as_ref().map(Steps::roc_auc),
            average_precision: steps.as_ref().map(Steps::average_precision),
        };
    match metrics {
        Metrics::Binary(metrics) => (0..2)
            .map(|class| outcome(metrics.confusion(), class, class, None))
            .collect(),
        Metrics::Multiclass(metrics) => {
            let of = |class| {
                outcome(
                    metrics.confusion(),
                    class,
                    class,
                    Some(metrics.steps(class)),
                )
            };
            (0..metrics.classes()).map(of).collect()
        }
        Metrics::Decisions(matrix) => (0..matrix.classes())
            .map(|class| outcome(matrix, class, class, None))
            .collect(),
        Metrics::Multilabel(metrics) => {
            let matrices = metrics.confusion().iter().enumerate();
            matrices
                .map(|(at, matrix)| outcome(matrix, 1, at, Some(metrics.steps(at))))
                .collect()
        }
        Metrics::Regression(_) => Vec::new(),
    }
}
