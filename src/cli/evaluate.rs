//! `modelpulse evaluate`: how good the predictions of a table are.

mod json;
mod text;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Verdict, rundir};
use crate::Session;
use crate::health::evaluation::{Comparison, Evaluation, Evaluator, Progress, Task, page};
use crate::metrics::Memory;
use crate::train::Ranks;

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

    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    /// Write a report with charts: one page that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Log metrics and pictures as a run in this directory, for TensorBoard
    #[arg(long, value_name = "DIR")]
    logdir: Option<PathBuf>,

    /// The run's directory in the log directory [default: evaluate and a number]
    #[arg(long, requires = "logdir")]
    name: Option<String>,

    /// The step that the run's values belong to
    #[arg(long, requires = "logdir", default_value_t = 0)]
    step: i64,

    /// No progress, and no word of where files went
    #[arg(long, short)]
    quiet: bool,
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
    let progress = Shown::new(&args);
    let told = |done| progress.told(done);
    let (evaluation, comparison) = match &args.baseline {
        Some(baseline) => {
            let (evaluation, comparison) = evaluator.compare(&args.predictions, baseline, told)?;
            (evaluation, Some(comparison))
        }
        None => (evaluator.evaluate_watched(&args.predictions, told)?, None),
    };
    progress.bar.finish_and_clear();
    if let Some(file) = &args.html {
        write_page(file, &evaluation, comparison.as_ref())?;
    }
    let run = args
        .logdir
        .as_deref()
        .map(|logdir| log(logdir, &args, &evaluation, comparison.as_ref()));
    let run = run.transpose()?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if args.json {
        writeln!(out, "{}", json::report(&evaluation, comparison.as_ref()))?;
    } else {
        text::report(&mut out, &evaluation, comparison.as_ref())?;
    }
    out.flush()?;
    if !args.quiet {
        if let Some(file) = &args.html {
            eprintln!("report written to {}", file.display());
        }
        if let (Some(run), Some(logdir)) = (run, &args.logdir) {
            eprintln!(
                "logged to {}; see: tensorboard --logdir {}",
                run.display(),
                logdir.display()
            );
        }
    }
    Ok(Verdict::Well)
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

/// A page is whole or is not there.
fn write_page(
    file: &Path,
    evaluation: &Evaluation,
    comparison: Option<&Comparison>,
) -> anyhow::Result<()> {
    let html = page::html(evaluation, comparison);
    super::drift::write_whole(file, html.as_bytes())
}

/// As other files are made, and not for oneself alone.
pub(super) fn readable() -> std::fs::Permissions {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::from_mode(0o644);
    #[cfg(not(unix))]
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|it| it.permissions())
        .expect("a temporary file")
}

/// Logs the run, and the baseline's below it.
fn log(
    logdir: &Path,
    args: &Args,
    evaluation: &Evaluation,
    comparison: Option<&Comparison>,
) -> anyhow::Result<PathBuf> {
    let dir = rundir::claim(logdir, args.name.as_deref(), "evaluate")?;
    let session = Session::builder(&dir).ranks(Ranks::Any).start()?;
    let candidate = if comparison.is_some() {
        "candidate"
    } else {
        "."
    };
    evaluation.log_to(&session, candidate, args.step);
    if let Some(comparison) = comparison {
        comparison.baseline.log_to(&session, "baseline", args.step);
    }
    session.finish().context("the log is not whole")?;
    Ok(dir)
}

/// A bar on a terminal.
struct Shown {
    bar: ProgressBar,
}

impl Shown {
    fn new(args: &Args) -> Self {
        let bar = ProgressBar::no_length();
        if args.quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bar }
    }

    fn told(&self, progress: Progress) {
        if self.bar.is_hidden() {
            return;
        }
        let (done, of, what) = match progress {
            Progress::Resamples { done, of } => (done as u64, Some(of as u64), "resamples"),
            Progress::Rows { done, of } => (done, of, "rows"),
        };
        let form = match of {
            Some(of) if self.bar.length() != Some(of) => {
                self.bar.set_length(of);
                self.bar.reset_eta();
                Some("{bar:40} {percent:>3} %  {human_pos} of {human_len} {msg}  {eta} left")
            }
            None if done == 0 => Some("{spinner} {human_pos} {msg}  {per_sec}"),
            _ => None,
        };
        if let Some(style) = form.and_then(|form| ProgressStyle::with_template(form).ok()) {
            self.bar.set_style(style);
            self.bar.set_message(what);
        }
        self.bar.set_position(done);
    }
}
