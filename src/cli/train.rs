//! `modelpulse train`: trains a perceptron on images and logs its health.
//!
//! A run that was killed goes on from its last checkpoint as if nothing had happened: what decides it stands in
//! its [file](run_file), written before the first step.

mod card;
mod ending;
mod reference;
mod run_file;
mod settings;
mod steering;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use candle_core::{DType, Device};
use candle_nn::ParamsAdamW;
use serde_json::Value;

use self::card::{command_line, hparams, model_card};
use self::ending::Ending;
pub(super) use self::reference::NAME as REFERENCE;
pub(super) use self::run_file::RunFile;
use self::settings::Settings;
use self::steering::Training;
use super::alerting::{self, Watching};
use super::pushing::{self, PushArgs};
use super::{Verdict, console::EpochLines, json, rundir::claim};
use crate::Session;
use crate::datasets::{Dataset, Images};
use crate::health::{EventGauges, Finding, Registry};
use crate::log::Overflow;
use crate::summary::{SessionStatus, Text};
use crate::train::Ranks;
use crate::train::callbacks::{
    Checkpoint, ConfusionMatrices, Curves, Histograms, Pixels, Progress, Scalars, Screen,
    WorstExamples,
};
use crate::train::candle::{
    AdamW, CheckpointInfo, FitReport, LabelledTensors, Mlp, Parameters, Trainer,
};

/// Train a perceptron on images, and log its health for TensorBoard
///
/// Without --data it trains on the embedded UCI digits (1,797 images of 8 × 8 pixels, a fifth of them
/// held out). The same seed gives the same series, but for times; so does a run that was killed and resumed.
///
/// Exit code: 0 if it trained, 1 if it diverged, 2 if the input was bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Settings,

    /// Where runs go
    #[arg(long, value_name = "DIR", default_value = "runs")]
    logdir: PathBuf,

    /// The run's directory in the log directory; must not exist yet [default: the data's name and a number]
    #[arg(long)]
    name: Option<String>,

    /// Go on with a run that was killed, from its last checkpoint, or from the start if it has none; seed,
    /// settings and data are those that it began with
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "data", "epochs", "batch_size", "learning_rate", "hidden", "seed", "checkpoint_every", "keep_checkpoints", "best_checkpoint", "rule", "file", "alertmanager", "webhook", "logdir", "name",
        "schedule", "warm_up", "clip_norm", "clip_value", "early_stop", "restore_best", "on_nan", "also",
    ])]
    resume: Option<PathBuf>,

    #[command(flatten)]
    push: PushArgs,

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
  modelpulse train --schedule cosine --warm-up 100 --clip-norm 1 --early-stop 5 --restore-best
  modelpulse train --rule 'eval/epoch_accuracy < 0.9' --json
  modelpulse train --rules rules.toml --alertmanager http://localhost:9093
  modelpulse train --remote-write http://localhost:9090
  modelpulse train --resume runs/digits-001     go on where it was killed

Then: tensorboard --logdir runs";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let resumed = args
        .resume
        .as_deref()
        .map(|dir| RunFile::read(dir, "resume"))
        .transpose()?;
    let settings = resumed
        .as_ref()
        .map_or(&args.settings, |file| &file.settings)
        .clone();
    let data = match &settings.data {
        Some(dir) => Dataset::from_dir(dir)?,
        None => Dataset::digits(),
    };
    if let (Some(file), Some(dir)) = (&resumed, &args.resume) {
        file.check(dir, &data)?;
    }
    let device = Device::Cpu;
    let (train, eval) = (
        tensors(data.train(), &device)?,
        tensors(data.eval(), &device)?,
    );
    let pixels = data.train().height() * data.train().width();
    let sizes = [&[pixels], &settings.hidden[..], &[data.classes()]].concat();
    let parameters = Parameters::seeded(settings.seed);
    let model = Mlp::new(&sizes, parameters.builder(DType::F32, &device))?;
    let optimizer_settings = ParamsAdamW {
        lr: settings.learning_rate,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::of(&parameters, optimizer_settings.clone())?;

    let watching = settings.rules.watch(&settings.notify)?;
    let targets = args.push.targets()?;
    // Nothing that could still be refused comes behind this: what is left there is a run.
    let (dir, held) = match (resumed, &args.resume) {
        (Some(file), Some(dir)) => (dir.clone(), Some(file.hold(dir)?)),
        _ => (
            claim(&args.logdir, args.name.as_deref(), data.name())?,
            None,
        ),
    };
    let checkpoints = dir.join("checkpoints");
    let checkpoint = checkpoint_of(&checkpoints)?;
    let progress = match args.quiet || args.json || !std::io::stderr().is_terminal() {
        true => Progress::hidden(),
        false => Progress::bar(),
    };
    let [alerts, findings]: [Arc<Mutex<Vec<Value>>>; 2] = Default::default();
    let screen = progress.screen();
    let registry = Registry::new();
    let shown = (!targets.is_empty()).then(|| registry.sink());
    let session = session(&args, &settings, &dir, watching, shown, &screen, &alerts)?;
    session
        .flush_on_signal()
        .context("cannot listen to signals")?;
    let pusher = args.push.start(targets, &registry, &dir, false)?;
    if let Some(pusher) = &pusher {
        // Behind the log, whose sinks then have seen everything.
        pusher
            .finish_on_signal()
            .context("cannot listen to signals")?;
    }
    if held.is_some() {
        let (epochs, steps) = checkpoint
            .as_ref()
            .map_or((0, 0), |(_, it)| (it.epochs, it.steps));
        session.resume_at(epochs, steps);
    }
    session.hparams(&hparams(&settings, &data, &optimizer_settings));
    let command = held
        .as_ref()
        .map_or_else(command_line, |held| held.command().to_owned());
    if checkpoint.is_none() {
        let card = model_card(&settings, &command, &data, &parameters, &optimizer_settings);
        session.run(".").log("model_card", 0, card);
    }
    let held = match held {
        Some(held) => held,
        None => {
            // What comes before the first step is not logged again: it is in the log before the run can be resumed.
            session.flush();
            reference::of(&data)?.save(dir.join(reference::NAME))?;
            RunFile::new(settings.clone(), command, &data).create(&dir)?
        }
    };
    let training = Training {
        learning_rate: settings.learning_rate,
        steps: settings.epochs * data.train().len().div_ceil(settings.batch_size),
        class_names: data.class_names(),
        pixels: grey(data.eval()),
    };
    let silent = args.quiet || args.json;
    let found = findings.clone();
    let report = move |finding: &Finding| {
        lock(&found).push(json::finding(finding));
        if !silent {
            print_line(&screen, format_args!("found: {finding}"));
        }
    };
    let names = data.class_names().to_vec();
    let mut trainer = Trainer::new(data.classes())
        .epochs(settings.epochs)
        .batch_size(settings.batch_size)
        .seed(settings.seed)
        .session(&session)
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session))
        .hook(ConfusionMatrices::new(&session, names.clone()))
        .hook(Curves::new(&session, names.clone()))
        .hook(WorstExamples::new(&session, training.pixels.clone(), names))
        .hook(settings.steering.hooks(&session, &training, report))
        .hook(settings.checkpoints(&checkpoints))
        .hook(progress);
    if let Some(clip) = settings.steering.clip() {
        trainer = trainer.clip(clip);
    }
    if let Some((path, _)) = checkpoint {
        trainer = trainer.resume(path);
    }
    let report = trainer.fit(
        &parameters,
        |inputs, pass| model.forward_in(inputs, pass),
        &mut optimizer,
        &train,
        &eval,
    )?;

    if let Some(reason) = divergence(&report) {
        session
            .run(".")
            .log("health/divergence", report.epochs.len(), Text::new(reason));
    }
    let written = session.finish_as(match report.diverged {
        true => SessionStatus::Failure,
        false => SessionStatus::Success,
    });
    pushing::finish(pusher.as_ref());
    held.finish()?;
    for failure in &report.hook_failures {
        eprintln!("warning: {failure}; it was not called again");
    }
    ending::print(Ending {
        json: args.json,
        quiet: args.quiet,
        dir: &dir,
        data: &data,
        seed: settings.seed,
        parameters: parameters.count(),
        report: &report,
        alerts: std::mem::take(&mut *lock(&alerts)),
        findings: std::mem::take(&mut *lock(&findings)),
        written: written.as_ref().ok(),
    })?;
    // Said last, so that it is seen: the model is trained, its log is not whole.
    written.context("the log is not whole")?;
    if let Some(reason) = divergence(&report) {
        eprintln!("{reason}; try a smaller --learning-rate");
        return Ok(Verdict::Unwell);
    }
    Ok(Verdict::Well)
}

/// Why the training diverged, if it did; a guard may have stopped it before the trainer saw it.
fn divergence(report: &FitReport) -> Option<String> {
    let reason = report.stopped.as_deref().filter(|_| report.diverged)?;
    let plain = reason.trim_start_matches("diverged: ");
    Some(format!("diverged: {plain}"))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints what is not to wait for the end. Nobody may be reading any more; the training goes on.
fn print_line(screen: &Screen, line: std::fmt::Arguments<'_>) {
    screen.print(|| drop(writeln!(std::io::stdout(), "{line}")));
}

/// The checkpoint to go on from, if the run has one.
fn checkpoint_of(dir: &Path) -> anyhow::Result<Option<(PathBuf, CheckpointInfo)>> {
    let path = Checkpoint::last_in(dir);
    if !path
        .try_exists()
        .with_context(|| path.display().to_string())?
    {
        return Ok(None);
    }
    let info = CheckpointInfo::read(&path)?;
    Ok(Some((path, info)))
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

fn session(
    args: &Args,
    settings: &Settings,
    dir: &Path,
    watching: Watching,
    shown: Option<EventGauges>,
    screen: &Screen,
    alerts: &Arc<Mutex<Vec<Value>>>,
) -> anyhow::Result<Session> {
    // One seed gives one log, on a busy machine too: what cannot be kept is waited for, not dropped.
    let builder = Session::builder(dir).ranks(Ranks::Any);
    let mut builder = builder.log(|log| log.overflow(Overflow::Wait));
    if let Some(gauges) = shown {
        builder = builder.sink(gauges);
    }
    if !args.quiet && !args.json && !std::io::stderr().is_terminal() {
        builder = builder.sink(EpochLines::new(settings.epochs));
    }
    if !watching.detectors.is_empty() {
        let (as_json, screen) = (args.json, screen.clone());
        builder = builder.detectors_with(watching.detectors, move |detected| {
            if !as_json {
                print_line(&screen, format_args!("{detected}"));
            }
        });
    }
    if let Some((rules, notify)) = watching.alerts {
        let (as_json, screen, alerts) = (args.json, screen.clone(), alerts.clone());
        let notifier = notify.notifier(dir)?;
        builder = builder.rules_notifying(rules, notifier, move |transition| {
            if as_json {
                lock(&alerts).push(alerting::object(transition));
            } else {
                print_line(&screen, format_args!("{transition}"));
            }
        });
    }
    Ok(builder.start()?)
}
