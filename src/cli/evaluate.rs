//! `modelpulse evaluate`: how good the predictions of a table are.

mod json;
mod text;

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use super::Verdict;
use super::report::{Found, ReportArgs};
use crate::Session;
use crate::health::evaluation::{Comparison, Evaluation, Evaluator, Progress, Task, page};
use crate::metrics::Memory;

/// Measure a table of labels and predictions by all metrics of its task
///
/// The table is CSV, JSON lines (both also gzipped) or Parquet. What its columns are for is told by their names
/// (label, y_true, target …; score, proba_0, score_cat …; prediction, y_pred …; weight), what the model does by their
/// values; options say otherwise. Scores of all classes may stand in one column of lists.
///
/// Rows without a label are left out and counted. A row without a valid score or prediction ends the evaluation, unless
/// --skip-invalid has such rows left out and counted too.
///
/// Exit code: 0 if the table could be measured, 2 if not.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The table to measure
    #[arg(long, value_name = "FILE")]
    predictions: PathBuf,

    /// Another version's predictions for the same rows, to compare with
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// What the model does: binary, multiclass, multilabel or regression [default: found out]
    #[arg(long, value_parser = Task::from_str)]
    task: Option<Task>,

    /// The column of the truth; for multilabel one a label
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    label: Vec<String>,

    /// The column of the score; one a class or label, in order
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    score: Vec<String>,

    /// The column of what the model decided on: a class, or a number
    #[arg(long, value_name = "COLUMN")]
    prediction: Option<String>,

    /// The column of how much each row counts
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,

    /// The positive label of a binary task [default: 1, true, yes …, else the last in order]
    #[arg(long, value_name = "LABEL")]
    positive: Option<String>,

    /// The score from which on a row is positive
    #[arg(long, value_name = "SCORE", default_value_t = 0.5)]
    threshold: f64,

    /// Find the slices by these columns, and each two of them, that the model errs most on
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    slices: Vec<String>,

    /// The rows that a slice has at least
    #[arg(long, value_name = "ROWS", default_value_t = Evaluator::LEAST_ROWS)]
    slice_rows: u64,

    /// Find labels that are probably wrong, and tell so many
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20")]
    label_errors: Option<usize>,

    /// Find the interval around each metric that holds so much of what other rows of the same kind would give
    ///
    /// By the bootstrap: rows are drawn with repetition, as many as there are, again and again. It takes the time of
    /// computing all metrics for each time, on all cores. With a baseline the intervals shown are of the differences.
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, default_missing_value = "0.95", value_parser = level)]
    confidence: Option<f64>,

    /// How often rows are drawn [default: 1000, down to 200 where there are more than 200000 rows or scores]
    #[arg(long, value_name = "N", requires = "confidence", value_parser = clap::value_parser!(u32).range(1..))]
    resamples: Option<u32>,

    /// The seed from which rows are drawn: the same one gives the same intervals
    #[arg(long, value_name = "N", default_value_t = Evaluator::SEED)]
    seed: u64,

    /// Keep counts instead of every score: memory stays small however many rows there are
    #[arg(long)]
    bounded: bool,

    /// Leave rows without a valid score or prediction out, and count them
    #[arg(long)]
    skip_invalid: bool,

    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse evaluate --predictions predictions.parquet
  modelpulse evaluate --predictions new.csv --baseline old.csv --html report.html
  modelpulse evaluate --predictions p.csv --slices country,device,age --label-errors
  modelpulse evaluate --predictions p.csv --confidence 0.9 --resamples 500
  modelpulse evaluate --predictions p.csv --task regression --label price --prediction guess
  modelpulse evaluate --predictions p.jsonl --json | jq .metrics.roc_auc
  modelpulse evaluate --predictions p.parquet --logdir runs; tensorboard --logdir runs";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let evaluator = evaluator(&args);
    let bar = args.report.bar();
    let told = |progress| match progress {
        Progress::Resamples { done, of } => bar.at(done as u64, Some(of as u64), "resamples"),
        Progress::Rows { done, of } => bar.at(done, of, "rows"),
    };
    let (evaluation, comparison) = match &args.baseline {
        Some(baseline) => {
            let (evaluation, comparison) = evaluator.compare(&args.predictions, baseline, told)?;
            (evaluation, Some(comparison))
        }
        None => (evaluator.evaluate_watched(&args.predictions, told)?, None),
    };
    bar.end();
    args.report.leave(&Measured {
        evaluation,
        comparison,
    })?;
    Ok(Verdict::Well)
}

/// What was measured, beside a baseline where there is one.
struct Measured {
    evaluation: Evaluation,
    comparison: Option<Comparison>,
}

impl Found for Measured {
    const COMMAND: &'static str = "evaluate";

    fn json(&self) -> serde_json::Value {
        json::report(&self.evaluation, self.comparison.as_ref())
    }

    fn text(&self, mut out: &mut dyn Write) -> std::io::Result<()> {
        text::report(&mut out, &self.evaluation, self.comparison.as_ref())
    }

    fn page(&self) -> String {
        page::html(&self.evaluation, self.comparison.as_ref())
    }

    fn log_to(&self, session: &Session, step: i64) {
        let run = match self.comparison {
            Some(_) => "candidate",
            None => ".",
        };
        self.evaluation.log_to(session, run, step);
        if let Some(comparison) = &self.comparison {
            comparison.baseline.log_to(session, "baseline", step);
        }
    }
}

fn evaluator(args: &Args) -> Evaluator {
    let mut evaluator = Evaluator::new().threshold(args.threshold).seed(args.seed);
    if let Some(task) = args.task {
        evaluator = evaluator.task(task);
    }
    for label in &args.label {
        evaluator = evaluator.label(label);
    }
    for score in &args.score {
        evaluator = evaluator.score(score);
    }
    if let Some(prediction) = &args.prediction {
        evaluator = evaluator.prediction(prediction);
    }
    if let Some(weight) = &args.weight {
        evaluator = evaluator.weight(weight);
    }
    if let Some(positive) = &args.positive {
        evaluator = evaluator.positive(positive);
    }
    if !args.slices.is_empty() {
        evaluator = evaluator.slices(&args.slices, args.slice_rows);
    }
    if let Some(most) = args.label_errors {
        evaluator = evaluator.label_errors(most);
    }
    if let Some(level) = args.confidence {
        evaluator = evaluator.confidence(level);
    }
    if let Some(resamples) = args.resamples {
        evaluator = evaluator.resamples(resamples as usize);
    }
    if args.bounded {
        evaluator = evaluator.memory(Memory::bounded());
    }
    if args.skip_invalid {
        evaluator = evaluator.skip_invalid();
    }
    evaluator
}

/// How much an interval holds.
fn level(text: &str) -> Result<f64, String> {
    let level = text.parse().ok();
    let level = level.filter(|level| 0.0 < *level && *level < 1.0);
    level.ok_or_else(|| "a number between 0 and 1, as 0.95".to_owned())
}
