//! `modelpulse train`: trains a perceptron on images and logs its health.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use candle_core::{DType, Device, Module};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::alerting::{self, RuleArgs};
use super::{Verdict, console::EpochLines, json, rundir::claim};
use crate::datasets::{Dataset, Images};
use crate::health::Alerts;
use crate::log::Overflow;
use crate::summary::{HParams, SessionStatus, Text};
use crate::train::callbacks::{ConfusionMatrices, Histograms, Pixels, Scalars, WorstExamples};
use crate::train::candle::{FitReport, LabelledTensors, Mlp, Parameters, Trainer};
use crate::train::{
    BatchEnd, Control, EpochEnd, EpochStart, FitEnd, FitStart, Hook, HookError, confusion_matrix,
};
use crate::{Session, log};

/// Train a perceptron on images, and log its health for TensorBoard
///
/// Without --data it trains on the embedded UCI digits (1,797 images of 8 × 8 pixels, a fifth of them
/// held out). The same seed gives the same series, but for times.
///
/// Exit code: 0 if it trained, 1 if it diverged, 2 if the input was bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A directory with IDX files as MNIST and Fashion-MNIST come, plain or gzip [default: the embedded digits]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// How often each training image is seen
    #[arg(long, value_name = "N", default_value = "20", value_parser = positive)]
    epochs: usize,

    /// Images a training step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    batch_size: usize,

    /// The step size of AdamW
    #[arg(long, value_name = "RATE", default_value = "0.003", value_parser = learning_rate)]
    learning_rate: f64,

    /// Units of each hidden layer, separated by commas
    #[arg(long, value_name = "N,…", default_value = "64", value_delimiter = ',', value_parser = positive)]
    hidden: Vec<usize>,

    /// Decides the first weights and the order of the data
    #[arg(long, value_name = "SEED", default_value = "42")]
    seed: u64,

    /// Where runs go
    #[arg(long, value_name = "DIR", default_value = "runs")]
    logdir: PathBuf,

    /// The run's directory in the log directory; must not exist yet [default: the data's name and a number]
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    rules: RuleArgs,

    /// Print neither progress nor result
    #[arg(long, short)]
    quiet: bool,

    /// Print one JSON object at the end, and nothing else
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse train
  modelpulse train --epochs 50 --hidden 128,64 --learning-rate 1e-3 --name wide
  modelpulse train --data /usr/share/datasets/fashion-mnist --epochs 5 --batch-size 128
  modelpulse train --rule 'eval/epoch_accuracy < 0.9' --json

Then: tensorboard --logdir runs";

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Ok(_) => Err("must be a positive number".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let data = match &args.data {
        Some(dir) => Dataset::from_dir(dir)?,
        None => Dataset::digits(),
    };
    let device = Device::Cpu;
    let (train, eval) = (
        tensors(data.train(), &device)?,
        tensors(data.eval(), &device)?,
    );
    let pixels = data.train().height() * data.train().width();
    let sizes = [&[pixels], &args.hidden[..], &[data.classes()]].concat();
    let parameters = Parameters::seeded(args.seed);
    let model = Mlp::new(&sizes, parameters.builder(DType::F32, &device))?;
    let settings = ParamsAdamW {
        lr: args.learning_rate,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(parameters.vars(), settings.clone())?;

    // Nothing that could still be refused comes behind this: what is left there is a run.
    let dir = claim(&args.logdir, args.name.as_deref(), data.name())?;
    let bar = bar(&args);
    let alerts = Arc::new(Mutex::new(Vec::new()));
    let session = session(&args, &dir, &bar, &alerts)?;
    session
        .flush_on_signal()
        .context("cannot listen to signals")?;
    session.hparams(&hparams(&args, &data, &settings));
    session.run(".").log(
        "model_card",
        0,
        model_card(&args, &data, &parameters, &settings),
    );
    let trainer = Trainer::new(data.classes())
        .epochs(args.epochs)
        .batch_size(args.batch_size)
        .seed(args.seed)
        .session(&session)
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session))
        .hook(ConfusionMatrices::new(
            &session,
            data.class_names().to_vec(),
        ))
        .hook(WorstExamples::new(
            &session,
            grey(data.eval()),
            data.class_names().to_vec(),
        ))
        .hook(Progress {
            bar,
            epochs: 0,
            last: String::new(),
        });
    let report = trainer.fit(
        &parameters,
        |inputs, _| model.forward(inputs),
        &mut optimizer,
        &train,
        &eval,
    )?;

    if let Some(reason) = report.stopped.as_deref().filter(|_| report.diverged) {
        session
            .run(".")
            .log("health/divergence", report.epochs.len(), Text::new(reason));
    }
    let status = if report.diverged {
        SessionStatus::Failure
    } else {
        SessionStatus::Success
    };
    let written = session.finish_as(status);
    for failure in &report.hook_failures {
        eprintln!("warning: {failure}; it was not called again");
    }
    let alerts = std::mem::take(&mut *alerts.lock().unwrap_or_else(PoisonError::into_inner));
    print_result(
        &args,
        &dir,
        &data,
        &parameters,
        &report,
        alerts,
        written.as_ref().ok(),
    )?;
    // Said last, so that it is seen: the model is trained, its log is not whole.
    written.context("the log is not whole")?;
    if let Some(reason) = report.stopped.as_deref().filter(|_| report.diverged) {
        eprintln!("{reason}; try a smaller --learning-rate");
        return Ok(Verdict::Unwell);
    }
    Ok(Verdict::Well)
}

fn tensors(images: &Images, device: &Device) -> anyhow::Result<LabelledTensors> {
    let size = images.height() * images.width();
    Ok(LabelledTensors::from_bytes(
        images.pixels(),
        size,
        images.max_value(),
        images.labels(),
        device,
    )?)
}

fn grey(images: &Images) -> Pixels {
    Pixels {
        pixels: images.pixels().into(),
        width: images.width(),
        height: images.height(),
        max_value: images.max_value(),
    }
}

/// A bar on a terminal; hidden elsewhere, and where the output is for a script or for nobody.
fn bar(args: &Args) -> ProgressBar {
    if args.quiet || args.json || !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {elapsed} (left {eta})");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn session(
    args: &Args,
    dir: &Path,
    bar: &ProgressBar,
    alerts: &Arc<Mutex<Vec<Value>>>,
) -> anyhow::Result<Session> {
    // One seed gives one log, on a busy machine too: what cannot be kept is waited for, not dropped.
    let mut builder = Session::builder(dir).log(|log| log.overflow(Overflow::Wait));
    if !args.quiet && !args.json && bar.is_hidden() {
        builder = builder.sink(EpochLines::new(args.epochs));
    }
    if let Some(rules) = args.rules.rules()? {
        let (as_json, bar, alerts) = (args.json, bar.clone(), alerts.clone());
        builder = builder.sink(Alerts::new(rules, move |transition| {
            if as_json {
                alerts
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(alerting::object(transition));
            } else {
                // Nobody may be reading any more; the training goes on.
                bar.suspend(|| drop(writeln!(std::io::stdout(), "{transition}")));
            }
        }));
    }
    Ok(builder.start()?)
}

/// Moves the bar.
struct Progress {
    bar: ProgressBar,
    epochs: usize,
    /// What the last epoch came to.
    last: String,
}

impl Hook for Progress {
    fn fit_start(&mut self, start: &FitStart<'_>) -> Result<Control, HookError> {
        self.epochs = start.epochs;
        self.bar.set_length((start.epochs * start.batches) as u64);
        Ok(Control::Continue)
    }

    fn epoch_start(&mut self, start: &EpochStart<'_>) -> Result<Control, HookError> {
        let Self { bar, epochs, last } = self;
        bar.set_message(format!("epoch {}/{epochs}{last}", start.epoch + 1));
        Ok(Control::Continue)
    }

    fn batch_end(&mut self, _: &BatchEnd<'_>) -> Result<Control, HookError> {
        self.bar.inc(1);
        Ok(Control::Continue)
    }

    fn epoch_end(&mut self, end: &EpochEnd<'_>) -> Result<Control, HookError> {
        let metric = |name: &str| end.eval.metrics.get(name).copied().unwrap_or(f64::NAN);
        let (loss, accuracy) = (metric("loss"), metric("accuracy"));
        self.last = format!("  eval loss {loss:.4} accuracy {accuracy:.4}");
        Ok(Control::Continue)
    }

    fn fit_end(&mut self, end: &FitEnd<'_>) -> Result<(), HookError> {
        let last = &self.last;
        self.bar
            .finish_with_message(format!("{} epochs{last}", end.epochs));
        Ok(())
    }
}

fn hparams(args: &Args, data: &Dataset, settings: &ParamsAdamW) -> HParams {
    HParams::new()
        .set("learning_rate", args.learning_rate)
        .set("batch_size", args.batch_size)
        .set("hidden", hidden(args))
        .set("epochs", args.epochs)
        .set("optimizer", "adamw")
        .set("weight_decay", settings.weight_decay)
        .set("seed", args.seed)
        .set("data", data.name())
        .metric("eval", "epoch_accuracy")
        .metric("eval", "epoch_loss")
        .metric("eval", "epoch_auc_roc")
}

fn hidden(args: &Args) -> String {
    args.hidden
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// What was trained on what, and how to do it again.
fn model_card(
    args: &Args,
    data: &Dataset,
    parameters: &Parameters,
    settings: &ParamsAdamW,
) -> Text {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    row(
        "model",
        "multi-layer perceptron: linear layers with ReLU between them".to_owned(),
    );
    for (name, shape) in parameters.shapes() {
        row(&name, format!("{shape:?}"));
    }
    row("parameters", parameters.count().to_string());
    row("data", data.source().to_owned());
    let (train, eval) = (data.train(), data.eval());
    row(
        "images",
        format!(
            "{} to train, {} held out, {} × {} pixels",
            train.len(),
            eval.len(),
            eval.width(),
            eval.height()
        ),
    );
    row("classes", data.class_names().join(", "));
    row("data hash (CRC-32)", format!("{:08x}", data.crc32()));
    let ParamsAdamW {
        lr,
        beta1,
        beta2,
        eps,
        weight_decay,
    } = settings;
    row(
        "optimizer",
        format!(
            "AdamW, learning rate {lr}, betas {beta1} {beta2}, epsilon {eps}, weight decay {weight_decay}"
        ),
    );
    row("loss", "cross-entropy".to_owned());
    row("batch size", args.batch_size.to_string());
    row("epochs", args.epochs.to_string());
    row("seed", args.seed.to_string());
    row("command line", format!("`{}`", command_line()));
    row("modelpulse", env!("CARGO_PKG_VERSION").to_owned());
    Text::table(&["what", "value"], &rows)
}

/// The program's arguments as a shell would read them.
fn command_line() -> String {
    let quote = |argument: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
        if !argument.is_empty() && argument.chars().all(plain) {
            argument
        } else {
            format!("'{}'", argument.replace('\'', "'\\''"))
        }
    };
    let arguments = std::env::args_os()
        .skip(1)
        .map(|argument| quote(argument.to_string_lossy().into_owned()));
    std::iter::once("modelpulse".to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn print_result(
    args: &Args,
    dir: &Path,
    data: &Dataset,
    parameters: &Parameters,
    report: &FitReport,
    alerts: Vec<Value>,
    written: Option<&log::Report>,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let matrix = confusion_matrix(&report.predictions);
    if args.json {
        let epoch = |(number, epoch): (usize, &crate::train::candle::EpochOutcome)| {
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
            "seed": args.seed,
            "parameters": parameters.count(),
            "steps": report.steps,
            "epochs": report.epochs.iter().enumerate().map(epoch).collect::<Vec<_>>(),
            "confusion_matrix": matrix.rows().map(<[u64]>::to_vec).collect::<Vec<_>>(),
            "diverged": report.diverged,
            "stopped": report.stopped,
            "alerts": alerts,
            "seconds": seconds(report.time),
            "hook_seconds": seconds(report.hook_time),
            "log": written.map(|log| json!({ "written": log.written, "dropped": log.dropped, "bytes": log.bytes })),
        });
        writeln!(out, "{object}")?;
    } else if !args.quiet {
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
        writeln!(
            out,
            "look at it tensorboard --logdir {}",
            args.logdir.display()
        )?;
    }
    Ok(())
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
