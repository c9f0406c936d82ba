//! The pass over the rows: every batch goes through the metrics, the slices and what the charts need.

use super::curves::ChartData;
use super::label_errors;
use super::outcome::{Evaluation, class_outcomes, outcome};
use super::rows::{Rows, Sorter};
use super::slicing::Slicer;
use super::{EvaluationError, Evaluator, Plan, RowCounts, Task};
use crate::metrics::{
    Accumulator, BinaryBatch, BinaryMetrics, ConfusionMatrix, LabelBatch, Memory, MulticlassBatch,
    MulticlassMetrics, MultilabelBatch, MultilabelMetrics, RegressionBatch, RegressionMetrics,
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

    pub(super) fn update(&mut self, rows: &Rows) -> Result<(), EvaluationError> {
        let weights = rows.weights.as_deref();
        match self {
            Self::Binary(metrics) => metrics.update(BinaryBatch {
                weights,
                ..BinaryBatch::new(&rows.flags, &rows.scores)
            }),
            Self::Multiclass(metrics) => metrics.update(MulticlassBatch {
                weights,
                ..MulticlassBatch::new(&rows.labels, &rows.scores)
            }),
            Self::Decisions(matrix) => matrix.update(LabelBatch {
                weights,
                ..LabelBatch::new(&rows.labels, &rows.predictions)
            }),
            Self::Multilabel(metrics) => {
                let batch = MultilabelBatch::new(metrics.labels(), &rows.flags, &rows.scores);
                metrics.update(MultilabelBatch { weights, ..batch })
            }
            Self::Regression(metrics) => metrics.update(RegressionBatch {
                weights,
                ..RegressionBatch::new(&rows.truths, &rows.estimates)
            }),
        }?;
        Ok(())
    }
}

/// The measured rows of a table, where they are needed again: pair by pair with another model's, or for label errors.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The numbers of the rows in the table, where any was left out before.
    pub(super) rows: Vec<u64>,
    pub(super) labels: Vec<usize>,
    pub(super) predictions: Vec<usize>,
    pub(super) flags: Vec<bool>,
    pub(super) scores: Vec<f64>,
    pub(super) truths: Vec<f64>,
    pub(super) estimates: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
}

impl Kept {
    fn extend(&mut self, first_row: u64, rows: &Rows) {
        self.rows
            .extend(rows.kept.iter().map(|&row| first_row + row as u64));
        self.labels.extend_from_slice(&rows.labels);
        self.predictions.extend_from_slice(&rows.predictions);
        self.flags.extend_from_slice(&rows.flags);
        self.scores.extend_from_slice(&rows.scores);
        self.truths.extend_from_slice(&rows.truths);
        self.estimates.extend_from_slice(&rows.estimates);
        if let Some(weights) = &rows.weights {
            self.weights
                .get_or_insert_with(Vec::new)
                .extend_from_slice(weights);
        }
    }
}

/// Measures the rows of a plan; keeps them where `keep` says so.
pub(super) fn measure(
    plan: &Plan,
    asked: &Evaluator,
    keep: bool,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(Evaluation, Kept), EvaluationError> {
    label_errors::check(plan, asked)?;
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
        metrics.update(&rows)?;
        charts.take(&rows);
        slicer.take(&batch.columns()[own..], &rows, plan, asked)?;
        if keep || asked.label_errors.is_some() {
            kept.extend(batch.first_row(), &rows);
        }
        progress(sorter.counts.read, table.rows());
    }
    let counts = sorter.counts;
    if counts.used == 0 {
        return Err(EvaluationError::NoRows { rows: counts.read });
    }
    let mut evaluation = outcome(plan, asked, &metrics, charts, counts);
    evaluation.per_class = class_outcomes(plan, &metrics);
    evaluation.slices = slicer.finish();
    evaluation.label_errors = label_errors::find(plan, asked, &kept)?;
    Ok((evaluation, kept))
}
