//! `metrics`: the metrics of a million rows beside scikit-learn and torchmetrics, each on one core.
//!
//! All contenders have the same rows, and what they answer is compared: who is fast and wrong is no contender.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use modelpulse::metrics::{
    Accumulator, Average, BinaryBatch, BinaryMetrics, Memory, MulticlassBatch, MulticlassMetrics,
    RegressionBatch, RegressionMetrics,
};
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::python;
use crate::report::{Bound, OURS, Report};

/// The metrics of a million rows, beside scikit-learn and torchmetrics
///
/// The time is of taking the rows and answering, on one core; reading them and starting a Python are not in it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// How many rows
    #[arg(long, default_value_t = 1_000_000)]
    rows: usize,
}

const EXAMPLES: &str = "\
Examples:
  metrics
  metrics --rows 100000 --quick
  MODELPULSE_PYTHON=/usr/bin/python3 metrics";

const SCRIPT: &str = include_str!("metrics.py");
const CLASSES: usize = 10;
const RATIO: &str = "share of scikit-learn's time";
const SKLEARN: &str = "scikit-learn";

/// A task: its name, what the peers compute of it, and how long modelpulse may take beside scikit-learn.
struct Task {
    name: &'static str,
    key: &'static str,
    goal: Option<f64>,
}

const TASKS: [Task; 3] = [
    Task {
        name: "two classes: accuracy, F1, AUC-ROC, log-loss",
        key: "binary",
        goal: Some(0.15),
    },
    Task {
        name: "ten classes: log-loss, one-vs-rest AUC-ROC",
        key: "multiclass",
        goal: Some(0.2),
    },
    Task {
        name: "regression: MAE, MSE, R², median absolute error",
        key: "regression",
        goal: None,
    },
];

/// The rows of all tasks.
struct Data {
    labels: Vec<bool>,
    scores: Vec<f64>,
    classes: Vec<usize>,
    proba: Vec<f64>,
    truths: Vec<f64>,
    predictions: Vec<f64>,
}

impl Data {
    fn new(rows: usize) -> Self {
        // xorshift64*
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut unit = || {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut data = Self {
            labels: Vec::with_capacity(rows),
            scores: Vec::with_capacity(rows),
            classes: Vec::with_capacity(rows),
            proba: Vec::with_capacity(rows * CLASSES),
            truths: Vec::with_capacity(rows),
            predictions: Vec::with_capacity(rows),
        };
        for _ in 0..rows {
            let positive = unit() < 0.3;
            // About normal: the sum of twelve.
            let noise: f64 = (0..12).map(|_| unit()).sum::<f64>() - 6.0;
            let logit = (f64::from(positive) - 0.5) * 2.0 + noise;
            data.labels.push(positive);
            data.scores.push(1.0 / (1.0 + (-logit).exp()));
            let class = (unit() * CLASSES as f64) as usize;
            let row: [f64; CLASSES] = std::array::from_fn(|c| unit() + 0.3 * f64::from(c == class));
            let sum: f64 = row.iter().sum();
            data.classes.push(class);
            data.proba.extend(row.map(|score| score / sum));
            data.truths.push(10.0 * unit() + noise);
            data.predictions.push(10.0 * unit() + noise);
        }
        data
    }

    fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let floats = |name: &str, values: &[f64]| {
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            fs::write(dir.join(name), bytes)
        };
        fs::write(
            dir.join("labels"),
            self.labels
                .iter()
                .map(|&it| u8::from(it))
                .collect::<Vec<u8>>(),
        )?;
        fs::write(
            dir.join("classes"),
            self.classes.iter().map(|&it| it as u8).collect::<Vec<u8>>(),
        )?;
        floats("scores", &self.scores)?;
        floats("proba", &self.proba)?;
        floats("truths", &self.truths)?;
        floats("predictions", &self.predictions)?;
        Ok(())
    }

    /// The seconds that modelpulse takes for a task, and what it answers.
    fn run(&self, task: &str, memory: Memory) -> anyhow::Result<(f64, Vec<f64>)> {
        let began = Instant::now();
        let answers = match task {
            "binary" => {
                let mut metrics = BinaryMetrics::new().memory(memory);
                metrics.update(BinaryBatch::new(&self.labels, &self.scores))?;
                let matrix = metrics.confusion();
                let area = match metrics.ranking() {
                    Ok(ranking) => ranking.roc_auc()?,
                    Err(_) => metrics.steps().roc_auc()?,
                };
                vec![matrix.accuracy()?, matrix.f1(1)?, area, metrics.log_loss()?]
            }
            "multiclass" => {
                let mut metrics = MulticlassMetrics::new(CLASSES).memory(memory);
                metrics.update(MulticlassBatch::new(&self.classes, &self.proba))?;
                vec![metrics.log_loss()?, metrics.roc_auc_ovr(Average::Macro)?]
            }
            _ => {
                let mut metrics = RegressionMetrics::new().memory(memory);
                metrics.update(RegressionBatch::new(&self.truths, &self.predictions))?;
                let median = metrics.median_absolute_error()?;
                vec![metrics.mae()?, metrics.mse()?, metrics.r2()?, median]
            }
        };
        Ok((began.elapsed().as_secs_f64(), answers))
    }
}

/// Runs all tasks.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let repetitions = args.common.repetitions(5);
    let data = Data::new(args.rows);
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    data.write(dir.path())?;
    let python = python::python();
    let mut peers = Vec::new();
    for module in ["sklearn", "torchmetrics"] {
        match python::run(SCRIPT, &python, &[module]) {
            Ok(version) => {
                let name = if module == "sklearn" { SKLEARN } else { module };
                peers.push((module, format!("{name} {version}")));
            }
            Err(_) => report.note(format!(
                "{module} is not measured: {} does not have it; 'pip install scikit-learn torch torchmetrics' \
                 into a venv, and MODELPULSE_PYTHON=VENV/bin/python, have it",
                python.display()
            )),
        }
    }
    for task in &TASKS {
        eprintln!("measuring {} …", task.name);
        let (_, expected) = data.run(task.key, Memory::Exact)?;
        let ours = |memory| {
            let data = &data;
            move || Ok(Sample::of(data.run(task.key, memory)?.0))
        };
        let mut contenders = vec![
            Contender::new(OURS, ours(Memory::Exact)),
            Contender::new(format!("{OURS}, bounded memory"), ours(Memory::bounded())),
        ];
        for (module, who) in &peers {
            let folder = python::path(dir.path())?;
            let (python, expected) = (&python, &expected);
            contenders.push(Contender::new(who, move || {
                let printed = python::run(SCRIPT, python, &[module, task.key, folder])?;
                let numbers = printed.split(' ').map(str::parse);
                let numbers: Vec<f64> = numbers
                    .collect::<Result<_, _>>()
                    .context("the script prints numbers")?;
                let (seconds, answers) =
                    numbers.split_first().context("the script prints seconds")?;
                // torchmetrics works in f32.
                let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-4 * b.abs();
                ensure!(
                    answers.iter().zip(expected).all(near),
                    "{module} says {answers:?} and modelpulse {expected:?}"
                );
                Ok(Sample::of(*seconds))
            }));
        }
        interleave(repetitions, &mut contenders)?;
        let work = Work {
            name: task.name,
            items: args.rows as f64,
            item: "rows",
        };
        let mut rows = rows(work, &contenders);
        let peer = rows.iter().find(|row| row.who.starts_with(SKLEARN));
        if let Some(seconds) = peer.and_then(|row| row.seconds) {
            for row in &mut rows {
                let share = row.seconds.unwrap_or(f64::NAN) / seconds;
                row.extras.push((RATIO, share));
            }
            if let Some(goal) = task.goal {
                rows[0].extra_goal(RATIO, Bound::AtMost(goal));
            }
        }
        report.add(rows);
    }
    report.note("modelpulse takes the rows for all its metrics, of which the answers here are a part; all answers agree");
    Ok(report)
}
