//! The slices of a table that a model errs most on.
//!
//! The error of a row is 1 where the decision is not the label (or not all labels), 0 where it is; for numbers it is
//! how far they are apart.

use super::columns::Columns;
use super::dimension::{Cut, cuts};
use super::rows::Rows;
use super::{EvaluationError, Evaluator, Plan, Task};
use crate::health::errors::{Slice, Slices};
use crate::table::{Column, Table};

/// A slice and how the model errs on it.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "a,label,score\nx,1,0.9\ny,0,0.8\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let evaluation = Evaluator::new().slices(["a"], 1).evaluate(&path)?;
/// let slice = &evaluation.slices.unwrap().worst[0];
/// assert_eq!((slice.name().as_str(), slice.rows, slice.error), ("a = y", 1, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SliceOutcome {
    /// Columns and what they hold there.
    pub conditions: Vec<(String, String)>,
    /// The number of rows.
    pub rows: u64,
    /// The mean error; for classes the share of wrong decisions.
    pub error: f64,
    /// Over the mean error of all rows.
    pub lift: f64,
    /// See [`Slice::p_value`].
    pub p_value: f64,
    /// See [`Slice::q_value`].
    pub q_value: f64,
}

impl SliceOutcome {
    /// `country = jp, age ≤ 35`.
    #[must_use]
    pub fn name(&self) -> String {
        let named = self.conditions.iter().map(|(column, value)| {
            // A range begins with its own sign.
            let is_range = value.starts_with("≤ ") || value.starts_with("> ");
            let equals = if is_range { "" } else { "= " };
            format!("{column} {equals}{value}")
        });
        named.collect::<Vec<_>>().join(", ")
    }

    fn new(slice: &Slice<'_>) -> Self {
        let conditions = slice.conditions.iter();
        Self {
            conditions: conditions
                .map(|it| (it.column.to_owned(), it.category.to_owned()))
                .collect(),
            rows: slice.n,
            error: slice.error_rate,
            lift: slice.lift,
            p_value: slice.p_value,
            q_value: slice.q_value,
        }
    }
}

/// The slices that a model errs most on.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("p.csv");
/// # std::fs::write(&path, "a,label,score\nx,1,0.9\ny,0,0.8\n")?;
/// use modelpulse::health::evaluation::Evaluator;
/// let slices = Evaluator::new().slices(["a"], 1).evaluate(&path)?.slices.unwrap();
/// assert_eq!((slices.looked_at, slices.error), (2, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SlicesOutcome {
    /// The columns that were cut.
    pub columns: Vec<String>,
    /// The rows that a slice has at least.
    pub least: u64,
    /// The mean error of all rows.
    pub error: f64,
    /// How many slices of enough rows there are.
    pub looked_at: usize,
    /// Those with a higher mean error than all rows, at most a hundred, the worst first.
    pub worst: Vec<SliceOutcome>,
}

/// The most slices that are told.
const MOST: usize = 100;

pub(super) struct Slicer {
    cuts: Vec<Cut>,
    slices: Slices,
    columns: Vec<String>,
    least: u64,
}

impl Slicer {
    pub(super) fn new(table: &mut Table, asked: &Evaluator) -> Result<Self, EvaluationError> {
        let cuts = match &asked.slices[..] {
            [] => Vec::new(),
            columns => cuts(table, columns, asked.least)?,
        };
        Ok(Self {
            slices: Slices::new(cuts.iter().map(|cut| cut.dimension.clone())),
            cuts,
            columns: asked.slices.clone(),
            least: asked.least,
        })
    }

    pub(super) fn take(
        &mut self,
        columns: &[Column],
        rows: &Rows,
        plan: &Plan,
        asked: &Evaluator,
    ) -> Result<(), EvaluationError> {
        if self.cuts.is_empty() {
            return Ok(());
        }
        let codes: Vec<Vec<Option<u32>>> = self
            .cuts
            .iter()
            .zip(columns)
            .map(|(cut, column)| {
                let codes = cut.codes(column);
                rows.kept.iter().map(|&row| codes[row]).collect()
            })
            .collect();
        let codes: Vec<&[Option<u32>]> = codes.iter().map(Vec::as_slice).collect();
        self.slices
            .update(&codes, &errors(&rows.columns, plan, asked.threshold))?;
        Ok(())
    }

    pub(super) fn finish(self) -> Option<SlicesOutcome> {
        if self.cuts.is_empty() {
            return None;
        }
        let error = self.slices.error_rate()?;
        let ranked = self.slices.ranked(self.least);
        let worse = ranked.iter().filter(|slice| slice.error_rate > error);
        Some(SlicesOutcome {
            error,
            looked_at: ranked.len(),
            worst: worse.take(MOST).map(SliceOutcome::new).collect(),
            columns: self.columns,
            least: self.least,
        })
    }
}

/// How far each row's prediction is off.
fn errors(rows: &Columns, plan: &Plan, threshold: f64) -> Vec<f64> {
    let flag = |wrong: bool| f64::from(u8::from(wrong));
    let width = plan.scores.len().max(1);
    match plan.task {
        Task::Binary => {
            let pairs = rows.flags.iter().zip(&rows.scores);
            pairs
                .map(|(&flag_, &score)| flag(flag_ != (score >= threshold)))
                .collect()
        }
        Task::Multiclass if plan.scores.is_empty() => {
            let pairs = rows.labels.iter().zip(&rows.predictions);
            pairs
                .map(|(label, prediction)| flag(label != prediction))
                .collect()
        }
        Task::Multiclass => {
            let pairs = rows.labels.iter().zip(rows.scores.chunks_exact(width));
            pairs
                .map(|(&label, scores)| flag(label != highest(scores)))
                .collect()
        }
        Task::Multilabel => {
            let pairs = rows
                .flags
                .chunks_exact(width)
                .zip(rows.scores.chunks_exact(width));
            let wrong = |(flags, scores): (&[bool], &[f64])| {
                flags
                    .iter()
                    .zip(scores)
                    .any(|(&flag, &score)| flag != (score >= threshold))
            };
            pairs.map(|pair| flag(wrong(pair))).collect()
        }
        Task::Regression => {
            let pairs = rows.truths.iter().zip(&rows.estimates);
            pairs
                .map(|(truth, estimate)| (estimate - truth).abs())
                .collect()
        }
    }
}

/// The class with the highest score, the first of equal ones.
pub(super) fn highest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    best
}
