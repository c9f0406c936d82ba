//! The rows of a batch that can be measured, as accumulators take them.
//!
//! A row without a label is left out and counted. One without a valid score or prediction is an error, or left out and
//! counted where that is asked for.

use super::columns::Columns;
use super::{EvaluationError, Plan, Task};
use crate::table::{Batch, Column, Values};

/// Rows of a batch.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Their numbers in the batch.
    pub(super) kept: Vec<usize>,
    pub(super) columns: Columns,
}

/// How many rows were left out, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowCounts {
    /// The rows of the table.
    pub read: u64,
    /// Those that were measured.
    pub used: u64,
    /// Those without a label.
    pub unlabelled: u64,
    /// Those left out because a score, prediction or weight is missing or NaN.
    pub invalid: u64,
}

/// What is wrong with a row.
struct Fault {
    column: usize,
    value: String,
    problem: &'static str,
}

const NO_SCORE: &str =
    "has no rank: mend the model's output, or leave such rows out with --skip-invalid";
const NO_CLASS: &str =
    "is no class of the labels: mend it, or leave such rows out with --skip-invalid";
const NO_NUMBER: &str =
    "is not finite: mend the model's output, or leave such rows out with --skip-invalid";
const NO_WEIGHT: &str = "is no weight, which is finite and at least 0: mend it, or leave such rows out with --skip-invalid";
const NO_UNIT: &str = "is not in 0..=1, as bounded memory needs: give probabilities, or all memory";
const NO_FLAG: &str = "is neither 0 nor 1, true nor false";

/// Sorts the rows of batches.
pub(super) struct Sorter<'a> {
    pub(super) plan: &'a Plan,
    pub(super) skip_invalid: bool,
    /// Whether scores must be in 0..=1.
    pub(super) unit: bool,
    pub(super) counts: RowCounts,
}

/// Where the columns of a plan stand in its batches.
impl Plan {
    /// The columns that are read, in this order: labels, scores, prediction, weight.
    pub(super) fn columns(&self) -> Vec<String> {
        let all = self
            .labels
            .iter()
            .chain(&self.scores)
            .chain(&self.prediction);
        all.chain(&self.weight).cloned().collect()
    }
}

impl Sorter<'_> {
    pub(super) fn rows(&mut self, batch: &Batch) -> Result<Rows, EvaluationError> {
        let plan = self.plan;
        let (labels, rest) = batch.columns().split_at(plan.labels.len());
        let (scores, rest) = rest.split_at(plan.scores.len());
        let prediction = plan.prediction.as_ref().map(|_| &rest[0]);
        let weight = plan
            .weight
            .as_ref()
            .map(|_| &rest[usize::from(prediction.is_some())]);

        // Codes of labels and predictions, for all rows at once.
        let coded = |column: &Column| plan.coder.as_ref().map(|coder| coder.codes(column));
        let label_codes: Vec<Vec<Option<u32>>> = labels.iter().filter_map(coded).collect();
        let prediction_codes = prediction.and_then(coded);
        let scores: Vec<&[f64]> = scores.iter().map(numbers).collect();
        let weights = weight.map(numbers);
        let truths = labels.first().map_or(&[][..], numbers);
        let estimates = prediction.map_or(&[][..], numbers);

        let count = batch.rows();
        let mut kept = Vec::with_capacity(count);
        let mut columns = Columns {
            weights: weights.map(|_| Vec::with_capacity(count)),
            ..Columns::default()
        };
        columns.scores.reserve(count * scores.len());
        self.counts.read += count as u64;
        for row in 0..count {
            let unlabelled = match plan.task {
                Task::Regression => truths[row].is_nan(),
                _ => labels
                    .iter()
                    .any(|label| label.is_null(row) || is_nan(label, row)),
            };
            if unlabelled {
                self.counts.unlabelled += 1;
                continue;
            }
            let fault = self.fault(
                row,
                &label_codes,
                &scores,
                prediction_codes.as_deref(),
                estimates,
                truths,
                weights,
            );
            if let Some(fault) = fault {
                if self.skip_invalid && fault.problem != NO_FLAG && fault.problem != NO_UNIT {
                    self.counts.invalid += 1;
                    continue;
                }
                let names = plan.columns();
                let value = match columns_value(&names, batch, &fault, row) {
                    Some(value) => value,
                    None => fault.value,
                };
                return Err(EvaluationError::Value {
                    row: batch.first_row() + row as u64 + 1,
                    column: names.get(fault.column).cloned().unwrap_or_default(),
                    value,
                    problem: fault.problem,
                });
            }
            kept.push(row);
            columns
                .scores
                .extend(scores.iter().map(|column| column[row]));
            if let (Some(own), Some(weights)) = (&mut columns.weights, weights) {
                own.push(weights[row]);
            }
            let code = |codes: &[Option<u32>]| codes[row].map_or(0, |code| code as usize);
            match plan.task {
                Task::Regression => {
                    columns.truths.push(truths[row]);
                    columns.estimates.push(estimates[row]);
                }
                Task::Multiclass => {
                    columns.labels.push(code(&label_codes[0]));
                    columns
                        .predictions
                        .extend(prediction_codes.as_deref().map(code));
                }
                Task::Binary | Task::Multilabel => {
                    columns
                        .flags
                        .extend(label_codes.iter().map(|codes| code(codes) == 1));
                }
            }
        }
        self.counts.used += kept.len() as u64;
        Ok(Rows { kept, columns })
    }

    #[allow(clippy::too_many_arguments, reason = "each a column of the same row")]
    #[inline]
    fn fault(
        &self,
        row: usize,
        label_codes: &[Vec<Option<u32>>],
        scores: &[&[f64]],
        predictions: Option<&[Option<u32>]>,
        estimates: &[f64],
        truths: &[f64],
        weights: Option<&[f64]>,
    ) -> Option<Fault> {
        let fault = |column, value: f64, problem| {
            Some(Fault {
                column,
                value: value.to_string(),
                problem,
            })
        };
        let labels = self.plan.labels.len();
        if let Some(column) = label_codes.iter().position(|codes| codes[row].is_none()) {
            let problem = if self.plan.task == Task::Multilabel {
                NO_FLAG
            } else {
                NO_CLASS
            };
            return fault(column, f64::NAN, problem);
        }
        for (at, column) in scores.iter().enumerate() {
            let score = column[row];
            if score.is_nan() {
                return fault(labels + at, score, NO_SCORE);
            }
            if self.unit && !(0.0..=1.0).contains(&score) {
                return fault(labels + at, score, NO_UNIT);
            }
        }
        let behind = labels + scores.len();
        if self.plan.task == Task::Regression {
            if !truths[row].is_finite() {
                return fault(0, truths[row], NO_NUMBER);
            }
            if !estimates[row].is_finite() {
                return fault(behind, estimates[row], NO_NUMBER);
            }
        } else if predictions.is_some_and(|codes| codes[row].is_none()) {
            return fault(behind, f64::NAN, NO_CLASS);
        }
        let weight = weights.map(|weights| weights[row]);
        let wrong = weight.filter(|weight| !(weight.is_finite() && *weight >= 0.0))?;
        fault(
            behind + usize::from(self.plan.prediction.is_some()),
            wrong,
            NO_WEIGHT,
        )
    }
}

/// What stands where something is wrong, as text; `None` where it is a number.
fn columns_value(columns: &[String], batch: &Batch, fault: &Fault, row: usize) -> Option<String> {
    columns.get(fault.column)?;
    let column = batch.columns().get(fault.column)?;
    Some(match column.values() {
        _ if column.is_null(row) => "nothing".to_owned(),
        Values::Text(values) => format!("'{}'", values.get(row)?),
        Values::Int(values) => values.get(row)?.to_string(),
        Values::Bool(values) => values.get(row)?.to_string(),
        _ => return None,
    })
}

fn numbers(column: &Column) -> &[f64] {
    match column.values() {
        Values::Float(values) => values,
        _ => &[],
    }
}

fn is_nan(column: &Column, row: usize) -> bool {
    matches!(column.values(), Values::Float(values) if values[row].is_nan())
}
