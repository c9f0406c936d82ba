//! How a training ended, for people and for scripts.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::json;
use crate::datasets::Dataset;
use crate::log;
use crate::train::candle::{EpochOutcome, FitReport};
use crate::train::confusion_matrix;

/// What is to be told of a training, and how.
pub(super) struct Ending<'a> {
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) dir: &'a Path,
    pub(super) data: &'a Dataset,
    pub(super) seed: u64,
    pub(super) parameters: usize,
    pub(super) report: &'a FitReport,
    pub(super) alerts: Vec<Value>,
    pub(super) findings: Vec<Value>,
    pub(super) written: Option<&'a log::Report>,
}

pub(super) fn print(ending: Ending<'_>) -> anyhow::Result<()> {
    let Ending {
        dir, data, report, ..
    } = ending;
    let mut out = std::io::stdout().lock();
    let matrix = confusion_matrix(&report.predictions);
    if ending.json {
        let epoch = |(number, epoch): (usize, &EpochOutcome)| {
            json!({
                "epoch": number,
                "learning_rate": epoch.learning_rate,
                "train": json::numbers(&epoch.train),
                "eval": json::numbers(&epoch.eval),
            })
        };
        let object = json!({
            "run": dir,
            "data": {
                "name": data.name(),
                "crc32": format!("{:08x}", data.crc32()),
                "train_images": data.train().len(),
                "eval_images": data.eval().len(),
                "classes": data.class_names(),
            },
            "seed": ending.seed,
            "parameters": ending.parameters,
            "steps": report.steps,
            "epochs": report.epochs.iter().enumerate().map(epoch).collect::<Vec<_>>(),
            "confusion_matrix": matrix.rows().map(<[u64]>::to_vec).collect::<Vec<_>>(),
            "diverged": report.diverged,
            "stopped": report.stopped,
            "alerts": ending.alerts,
            "findings": ending.findings,
            "seconds": seconds(report.time),
            "hook_seconds": seconds(report.hook_time),
            "log": ending.written.map(|log| json!({ "written": log.written, "dropped": log.dropped, "bytes": log.bytes })),
        });
        writeln!(out, "{object}")?;
    } else if !ending.quiet {
        let last = report.epochs.last();
        let metric = |name: &str| {
            last.and_then(|epoch| epoch.eval.get(name))
                .copied()
                .unwrap_or(f64::NAN)
        };
        let (right, total) = (
            (0..matrix.classes())
                .map(|class| matrix.count(class, class))
                .sum::<u64>(),
            matrix.total(),
        );
        writeln!(
            out,
            "\n{} epochs in {:.2} s: {right} of {total} held-out images right, accuracy {:.4}, AUC-ROC {:.4}",
            report.epochs.len(),
            seconds(report.time),
            metric("accuracy"),
            metric("auc_roc"),
        )?;
        writeln!(out, "log        {}", dir.display())?;
        let logdir = dir.parent().filter(|logdir| !logdir.as_os_str().is_empty());
        let logdir = logdir.unwrap_or(Path::new("."));
        writeln!(out, "look at it tensorboard --logdir {}", logdir.display())?;
    }
    Ok(())
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
