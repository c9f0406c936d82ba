//! `train`: what hooks cost a training, in-process by turns, and how long the whole program takes.
//!
//! One model, one seed, one data set: repetitions with and without hooks do the same arithmetic, and are
//! compared with the one that ran just before.

use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::summary::SessionStatus;
use modelpulse::train::callbacks::{
    ConfusionMatrices, Curves, Histograms, Pixels, PrCurves, Scalars, WorstExamples,
};
use modelpulse::train::candle::{LabelledTensors, Mlp, Parameters, Pass, Trainer};
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::report::{Bound, Report};

/// What hooks cost a training of the embedded digits
///
/// Three trainings by turns, of 20 epochs each: without hooks, with scalars of each batch and epoch, and
/// with everything that 'modelpulse train' logs. The time is from the session's start until it ended,
/// its log on the disk. If the program 'modelpulse' is there, it is timed too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
}

const EXAMPLES: &str = "\
Examples:
  train
  train --quick --json";

const EPOCHS: usize = 20;
const HOOK_SHARE: &str = "hook percent";
const FIT_SECONDS: &str = "fit seconds";
const WALL_RATIO: &str = "wall ratio";
const FIT_RATIO: &str = "fit ratio";

/// What is hooked into a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hooks {
    None,
    Scalars,
    Everything,
}

/// Runs the trainings, and the program.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let repetitions = args.common.repetitions(9);
    let digits = Digits::new()?;
    let mut contenders = [
        Contender::new("no hooks", || digits.train(Hooks::None)),
        Contender::new("scalars on", || digits.train(Hooks::Scalars)),
        Contender::new("everything on", || digits.train(Hooks::Everything)),
    ];
    eprintln!("measuring train …");
    interleave(repetitions, &mut contenders)?;
    pair(&mut contenders);
    let work = Work {
        name: "train",
        items: EPOCHS as f64,
        item: "epochs",
    };
    let mut rows = rows(work, &contenders);
    let goals = [None, Some(Bound::Below(1.0)), Some(Bound::AtMost(3.0))];
    for (row, goal) in rows.iter_mut().zip(goals) {
        if let Some(bound) = goal {
            row.extra_goal(HOOK_SHARE, bound);
        }
    }
    report.add(rows);
    report
        .note("train: seconds last until the log is on the disk, fit seconds are the loop alone; ratios are to the repetition without hooks just before");
    program(&mut report, repetitions)?;
    Ok(report)
}

/// Compares each repetition with the one without hooks that ran just before it.
fn pair(contenders: &mut [Contender<'_>]) {
    let seconds = |sample: &Sample, name| match name {
        None => sample.seconds.unwrap_or(f64::NAN),
        Some(name) => sample.extra(name),
    };
    for (name, ratio) in [(None, WALL_RATIO), (Some(FIT_SECONDS), FIT_RATIO)] {
        let base = contenders[0].samples_mut().iter();
        let base: Vec<f64> = base.map(|sample| seconds(sample, name)).collect();
        for contender in &mut *contenders {
            for (sample, base) in contender.samples_mut().iter_mut().zip(&base) {
                let value = seconds(sample, name) / base;
                sample.extras.push((ratio, value));
            }
        }
    }
}

/// The data, once for all trainings.
struct Digits {
    data: Dataset,
    train: LabelledTensors,
    eval: LabelledTensors,
}

impl Digits {
    fn new() -> anyhow::Result<Self> {
        let data = Dataset::digits();
        let (train, eval) = (tensors(data.train())?, tensors(data.eval())?);
        Ok(Self { data, train, eval })
    }

    /// Trains as `modelpulse train` does by default.
    fn train(&self, hooks: Hooks) -> anyhow::Result<Sample> {
        let dir = TempDir::with_prefix("modelpulse-bench-")?;
        let began = Instant::now();
        let session = match hooks {
            Hooks::None => None,
            Hooks::Scalars | Hooks::Everything => Some(Session::create(dir.path())?),
        };
        let data = &self.data;
        let pixels = data.train().height() * data.train().width();
        let parameters = Parameters::seeded(42);
        let builder = parameters.builder(DType::F32, &Device::Cpu);
        let model = Mlp::new(&[pixels, 64, data.classes()], builder)?;
        let settings = ParamsAdamW {
            lr: 0.003,
            ..ParamsAdamW::default()
        };
        let mut optimizer = AdamW::new(parameters.vars(), settings)?;
        let trainer = Trainer::new(data.classes()).epochs(EPOCHS).batch_size(32);
        let trainer = match &session {
            Some(session) => self.hook(trainer, session, hooks),
            None => trainer,
        };
        let fit = trainer.fit(
            &parameters,
            |inputs: &Tensor, _: &Pass| model.forward(inputs),
            &mut optimizer,
            &self.train,
            &self.eval,
        )?;
        if let Some(session) = session {
            let report = session.finish_as(SessionStatus::Success)?;
            ensure!(
                report.dropped == 0,
                "{} values were dropped",
                report.dropped
            );
        }
        let share = 100.0 * fit.hook_time.as_secs_f64() / fit.time.as_secs_f64();
        Ok(Sample::of(began.elapsed().as_secs_f64())
            .with(FIT_SECONDS, fit.time.as_secs_f64())
            .with(HOOK_SHARE, share))
    }

    fn hook(&self, trainer: Trainer, session: &Session, hooks: Hooks) -> Trainer {
        let trainer = trainer.hook(Scalars::new(session));
        if hooks != Hooks::Everything {
            return trainer;
        }
        let (eval, names) = (self.data.eval(), || self.data.class_names().to_vec());
        let pixels = Pixels {
            pixels: eval.pixels().into(),
            width: eval.width(),
            height: eval.height(),
            max_value: eval.max_value(),
        };
        trainer
            .hook(Histograms::new(session))
            .hook(ConfusionMatrices::new(session, names()))
            .hook(PrCurves::new(session, names()))
            .hook(Curves::new(session, names()))
            .hook(WorstExamples::new(session, pixels, names()))
    }
}

fn tensors(images: &Images) -> anyhow::Result<LabelledTensors> {
    let size = images.height() * images.width();
    Ok(LabelledTensors::from_bytes(
        images.pixels(),
        size,
        images.max_value(),
        images.labels(),
        &Device::Cpu,
    )?)
}

/// Adds the whole program, from its start to its exit, if it is beside this one.
fn program(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let program = std::env::current_exe()?.with_file_name("modelpulse");
    if !program.exists() {
        report.note(format!(
            "'modelpulse train' is not measured: there is no {}",
            program.display()
        ));
        return Ok(());
    }
    let run = || {
        let dir = TempDir::with_prefix("modelpulse-bench-")?;
        let began = Instant::now();
        let status = Command::new(&program)
            .args(["train", "--quiet", "--logdir"])
            .arg(dir.path())
            .status()?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(status.success(), "'modelpulse train' ended with {status}");
        Ok(Sample::of(seconds))
    };
    let mut contenders = [Contender::new("modelpulse train", run)];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "program",
        items: EPOCHS as f64,
        item: "epochs",
    };
    let mut rows = rows(work, &contenders);
    let ours = &mut rows[0];
    ours.goal("seconds", ours.seconds, Bound::Below(3.0));
    report.add(rows);
    Ok(())
}
