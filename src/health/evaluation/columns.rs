//! Columns of rows that can be measured, as accumulators take them.

use crate::metrics::{
    Accumulator, Answer, Batch, BinaryBatch, BinaryMetrics, ConfusionMatrix, LabelBatch,
    MulticlassBatch, MulticlassMetrics, MultilabelBatch, MultilabelMetrics, RegressionBatch,
    RegressionMetrics,
};

/// One value or more a row; what a task does not need is empty.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// True classes.
    pub(super) labels: Vec<usize>,
    /// Predicted classes.
    pub(super) predictions: Vec<usize>,
    /// Rows × labels: whether each is true; for binary tasks one a row.
    pub(super) flags: Vec<bool>,
    /// Rows × scores.
    pub(super) scores: Vec<f64>,
    pub(super) truths: Vec<f64>,
    pub(super) estimates: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
}

impl Columns {
    pub(super) fn extend(&mut self, more: &Self) {
        self.labels.extend_from_slice(&more.labels);
        self.predictions.extend_from_slice(&more.predictions);
        self.flags.extend_from_slice(&more.flags);
        self.scores.extend_from_slice(&more.scores);
        self.truths.extend_from_slice(&more.truths);
        self.estimates.extend_from_slice(&more.estimates);
        if let Some(weights) = &more.weights {
            let all = self.weights.get_or_insert_with(Vec::new);
            all.extend_from_slice(weights);
        }
    }

    /// Whether both have the same truth, row by row.
    pub(super) fn is_paired_with(&self, other: &Self) -> bool {
        self.labels == other.labels && self.flags == other.flags && self.truths == other.truths
    }
}

/// An accumulator of an evaluation.
pub(super) trait Measured: Accumulator {
    /// The columns that it takes, of rows that each weigh 1.
    fn unweighted<'a>(&self, rows: &'a Columns) -> Self::Batch<'a>;

    /// Every answer by its name.
    fn named(answer: &Self::Answer) -> Vec<(&'static str, Answer)>;

    /// The columns that it takes.
    fn batch<'a>(&self, rows: &'a Columns) -> Self::Batch<'a> {
        let batch = self.unweighted(rows);
        match &rows.weights {
            Some(weights) => batch.weighted(weights),
            None => batch,
        }
    }
}

macro_rules! measured {
    ($($accumulator:ident: |$this:ident, $rows:ident| $batch:expr;)+) => {
        $(impl Measured for $accumulator {
            fn unweighted<'a>(&self, $rows: &'a Columns) -> Self::Batch<'a> {
                let $this = self;
                $batch
            }

            fn named(answer: &Self::Answer) -> Vec<(&'static str, Answer)> {
                answer.named()
            }
        })+
    };
}

measured! {
    BinaryMetrics: |_this, rows| BinaryBatch::new(&rows.flags, &rows.scores);
    MulticlassMetrics: |_this, rows| MulticlassBatch::new(&rows.labels, &rows.scores);
    ConfusionMatrix: |_this, rows| LabelBatch::new(&rows.labels, &rows.predictions);
    MultilabelMetrics: |this, rows| MultilabelBatch::new(this.labels(), &rows.flags, &rows.scores);
    RegressionMetrics: |_this, rows| RegressionBatch::new(&rows.truths, &rows.estimates);
}
