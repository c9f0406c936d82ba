//! What is to be measured, and how; what is not said is found out.

use std::path::Path;

use super::compare::{self, Comparison};
use super::measure;
use super::{Evaluation, EvaluationError, Plan, Progress, Task};
use crate::metrics::Memory;
use crate::table::Table;

/// Measures tables of predictions.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("predictions.jsonl");
/// std::fs::write(&path, "{\"price\": 3, \"guess\": 2.5}\n{\"price\": 5, \"guess\": 5}\n")?;
/// use modelpulse::health::evaluation::{Evaluator, Task};
/// let evaluation = Evaluator::new().label("price").prediction("guess").evaluate(&path)?;
/// assert_eq!((evaluation.task, evaluation.metric("mae")), (Task::Regression, Some(Ok(0.25))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Evaluator {
    pub(super) task: Option<Task>,
    pub(super) labels: Vec<String>,
    pub(super) scores: Vec<String>,
    pub(super) prediction: Option<String>,
    pub(super) weight: Option<String>,
    pub(super) positive: Option<String>,
    pub(super) threshold: f64,
    pub(super) memory: Memory,
    pub(super) skip_invalid: bool,
    pub(super) slices: Vec<String>,
    pub(super) least: u64,
    pub(super) label_errors: Option<usize>,
    pub(super) confidence: Option<f64>,
    pub(super) resamples: Option<usize>,
    pub(super) seed: u64,
}

impl Default for Evaluator {
    fn default() -> Self {
        Self {
            task: None,
            labels: Vec::new(),
            scores: Vec::new(),
            prediction: None,
            weight: None,
            positive: None,
            threshold: 0.5,
            memory: Memory::Exact,
            skip_invalid: false,
            slices: Vec::new(),
            least: Self::LEAST_ROWS,
            label_errors: None,
            confidence: None,
            resamples: None,
            seed: Self::SEED,
        }
    }
}

impl Evaluator {
    /// The rows that a slice has at least.
    pub const LEAST_ROWS: u64 = 20;
    /// The seed from which rows are drawn.
    pub const SEED: u64 = 42;

    /// Finds out everything; the threshold is 0.5, and every score is kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// The model does this.
    pub fn task(mut self, task: Task) -> Self {
        self.task = Some(task);
        self
    }

    /// The truth stands in this column; called several times, one label in each.
    pub fn label(mut self, column: impl Into<String>) -> Self {
        self.labels.push(column.into());
        self
    }

    /// The score of the positive class stands in this column; called several times, of one class or label in each.
    pub fn score(mut self, column: impl Into<String>) -> Self {
        self.scores.push(column.into());
        self
    }

    /// What the model decided on stands in this column.
    pub fn prediction(mut self, column: impl Into<String>) -> Self {
        self.prediction = Some(column.into());
        self
    }

    /// How much each row counts stands in this column.
    pub fn weight(mut self, column: impl Into<String>) -> Self {
        self.weight = Some(column.into());
        self
    }

    /// The label that a binary model looks for.
    pub fn positive(mut self, label: impl Into<String>) -> Self {
        self.positive = Some(label.into());
        self
    }

    /// The score from which on a row is predicted positive.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Keeps every score, or counts only.
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// Leaves rows without a valid score, prediction or weight out, and counts them.
    pub fn skip_invalid(mut self) -> Self {
        self.skip_invalid = true;
        self
    }

    /// Also looks for the slices by these columns, of at least so many rows, that the model errs most on.
    pub fn slices<S: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = S>,
        least: u64,
    ) -> Self {
        self.slices.extend(columns.into_iter().map(Into::into));
        self.least = least;
        self
    }

    /// Also looks for labels that are probably wrong, and tells at most so many.
    pub fn label_errors(mut self, most: usize) -> Self {
        self.label_errors = Some(most);
        self
    }

    /// Also finds the interval around each metric that holds so much of what other rows of the same kind would give, as
    /// 0.95: by the bootstrap, which draws rows with repetition. Compared with a baseline, also around each difference.
    pub fn confidence(mut self, level: f64) -> Self {
        self.confidence = Some(level);
        self
    }

    /// Draws so often for intervals; else from 200 to 1000 times, the less often the more rows there are.
    pub fn resamples(mut self, resamples: usize) -> Self {
        self.resamples = Some(resamples);
        self
    }

    /// Draws from this seed: the same seed gives the same intervals.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Measures a file.
    ///
    /// # Errors
    /// [`EvaluationError`].
    pub fn evaluate(&self, path: impl AsRef<Path>) -> Result<Evaluation, EvaluationError> {
        self.evaluate_watched(path.as_ref(), |_| ())
    }

    /// As [`evaluate`](Self::evaluate), but `progress` is told how far it is.
    ///
    /// # Errors
    /// [`EvaluationError`].
    pub fn evaluate_watched(
        &self,
        path: &Path,
        mut progress: impl FnMut(Progress),
    ) -> Result<Evaluation, EvaluationError> {
        let plan = Plan::new(Table::open(path)?, self)?;
        Ok(measure::measure(&plan, self, false, &mut progress)?.0)
    }

    /// Measures two versions of a model on the same rows: `candidate` against `baseline`.
    ///
    /// Where both files have the same labels in the same order, the difference is tested pair by pair.
    ///
    /// # Errors
    /// [`EvaluationError`], also where the two are not of the same task.
    pub fn compare(
        &self,
        candidate: &Path,
        baseline: &Path,
        mut progress: impl FnMut(Progress),
    ) -> Result<(Evaluation, Comparison), EvaluationError> {
        let plan = Plan::new(Table::open(candidate)?, self)?;
        let keep = self.memory == Memory::Exact;
        let (evaluation, kept) = measure::measure(&plan, self, keep, &mut progress)?;
        // The baseline is measured as the candidate is, but for its own columns.
        let only = Self {
            task: Some(plan.task),
            slices: Vec::new(),
            label_errors: None,
            confidence: None,
            ..self.clone()
        };
        let base_plan = Plan::new(Table::open(baseline)?, &only)?;
        let (base, base_kept) = measure::measure(&base_plan, &only, keep, &mut progress)?;
        let pair = keep.then_some((kept, base_kept));
        let comparison = compare::compare(&evaluation, base, pair, self, &mut progress)?;
        Ok((evaluation, comparison))
    }
}
