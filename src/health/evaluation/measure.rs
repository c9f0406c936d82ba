//! The pass over the rows: every batch goes through the metrics, the slices and what the charts need.

use super::columns::{Columns, Measured};
use super::curves::ChartData;
use super::outcome::{Evaluation, class_outcomes, outcome};
use super::rows::{Rows, Sorter};
use super::slicing::Slicer;
use super::{EvaluationError, Evaluator, Plan, Progress, RowCounts, Task};
use super::{intervals, label_errors};
use crate::metrics::{
    Accumulator, BinaryMetrics, ConfusionMatrix, Memory, MulticlassMetrics, MultilabelMetrics,
    RegressionMetrics,
};

/// The accumulator of a task; boxed, as they differ much in size.
#[derive(Debug)]
pub(super) enum Metrics {
    Binary(Box<BinaryMetrics>),
    Multiclass(Box<MulticlassMetrics>),
    /// Of predicted classes without scores.
    Decisions(Box<ConfusionMatrix>),
    Multilabel(Box<MultilabelMetrics>),
    Regression(Box<RegressionMetrics>),
}

impl Metrics {
    pub(super) fn new(plan: &Plan, asked: &Evaluator) -> Self {
        let (classes, memory) = (plan.classes.len(), asked.memory);
        match plan.task {
            Task::Binary => {
                let metrics = BinaryMetrics::new().threshold(asked.threshold);
                Self::Binary(Box::new(metrics.memory(memory)))
            }
            Task::Multiclass if plan.scores.is_empty() => {
                Self::Decisions(Box::new(ConfusionMatrix::new(classes)))
            }
            Task::Multiclass => {
                Self::Multiclass(Box::new(MulticlassMetrics::new(classes).memory(memory)))
            }
            Task::Multilabel => {
                let metrics = MultilabelMetrics::new(classes).threshold(asked.threshold);
                Self::Multilabel(Box::new(metrics.memory(memory)))
            }
            Task::Regression => Self::Regression(Box::new(RegressionMetrics::new().memory(memory))),
        }
    }

    fn update(&mut self, rows: &Columns) -> Result<(), EvaluationError> {
        match self {
            Self::Binary(metrics) => metrics.update(metrics.batch(rows)),
            Self::Multiclass(metrics) => metrics.update(metrics.batch(rows)),
            Self::Decisions(matrix) => matrix.update(matrix.batch(rows)),
            Self::Multilabel(metrics) => metrics.update(metrics.batch(rows)),
            Self::Regression(metrics) => metrics.update(metrics.batch(rows)),
        }?;
        Ok(())
    }
}

/// The measured rows of a table, where they are needed again: to draw from, pair by pair with another model's, or for
/// label errors.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The numbers of the rows in the table, where any was left out before.
    pub(super) rows: Vec<u64>,
    pub(super) columns: Columns,
}

impl Kept {
    fn extend(&mut self, first_row: u64, rows: &Rows) {
        let numbers = rows.kept.iter().map(|&row| first_row + row as u64);
        self.rows.extend(numbers);
        self.columns.extend(&rows.columns);
    }
}

/// Measures the rows of a plan; keeps them where `keep` says so.
pub(super) fn measure(
    plan: &Plan,
    asked: &Evaluator,
    keep: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Evaluation, Kept), EvaluationError> {
    label_errors::check(plan, asked)?;
    intervals::check(plan, asked)?;
    let keep = keep || asked.label_errors.is_some() || asked.confidence.is_some();
    let mut table = plan.table.clone();
    let mut slicer = Slicer::new(&mut table, asked)?;
    let mut columns = plan.columns();
    let own = columns.len();
    columns.extend(asked.slices.iter().cloned());

    let mut metrics = Metrics::new(plan, asked);
    let mut charts = ChartData::new(plan.task);
    let mut kept = Kept::default();
    let mut sorter = Sorter {
        plan,
        skip_invalid: asked.skip_invalid,
        unit: asked.memory != Memory::Exact && !plan.scores.is_empty(),
        counts: RowCounts::default(),
    };
    for batch in table.read(&columns)? {
        let batch = batch?;
        let rows = sorter.rows(&batch)?;
        metrics.update(&rows.columns)?;
        charts.take(&rows.columns);
        slicer.take(&batch.columns()[own..], &rows, plan, asked)?;
        if keep {
            kept.extend(batch.first_row(), &rows);
        }
        progress(Progress::Rows {
            done: sorter.counts.read,
            of: table.rows(),
        });
    }
    let counts = sorter.counts;
    if counts.used == 0 {
        return Err(EvaluationError::NoRows { rows: counts.read });
    }
    let mut evaluation = outcome(plan, asked, &metrics, charts, counts);
    evaluation.per_class = class_outcomes(plan, &metrics);
    evaluation.slices = slicer.finish();
    evaluation.label_errors = label_errors::find(plan, asked, &kept)?;
    evaluation.intervals = intervals::around(&metrics, asked, &kept, progress)?;
    Ok((evaluation, kept))
}
