//! `train`: what hooks cost a training, in-process by turns, and how long the whole program takes.
//!
//! One model, one seed, one data set: repetitions with and without hooks do the same arithmetic, and are
//! compared with the one that ran just before.

mod fit;
pub(crate) mod memory;
mod steps;

use std::process::Command;
use std::time::Instant;

use anyhow::ensure;
use clap::ValueEnum;
use tempfile::TempDir;

use self::fit::{Digits, Hooks, Shape};
use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::report::{Bound, Report};

/// What hooks cost a training of the embedded digits
///
/// First a step of a loop with three hooks that need nothing. Then trainings by turns, without hooks and with them:
/// 20 epochs of the default model, with histograms each epoch; and 5 epochs of one of a million parameters, with
/// histograms every 100 steps. 'Everything' is what 'modelpulse train' logs. The time is from the session's start
/// until it ended, its log on the disk. Then how far memory grows in 100,000 steps; and if the program
/// 'modelpulse' is there, it is timed too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// Only these works
    #[arg(long, value_name = "WORK,…", value_delimiter = ',')]
    only: Vec<WorkName>,
}

const EXAMPLES: &str = "\
Examples:
  train
  train --quick --json
  train --only steps,digits";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorkName {
    Steps,
    Digits,
    Million,
    Memory,
    Program,
}

const HOOK_SHARE: &str = "hook percent";
/// Of an epoch, what its metrics of both splits take.
const METRICS_SHARE: &str = "metrics percent";
const FIT_SECONDS: &str = "fit seconds";
const LOOP_SECONDS: &str = "loop processor seconds";
const WALL_RATIO: &str = "wall ratio";
const FIT_RATIO: &str = "fit ratio";
const LOOP_RATIO: &str = "loop ratio";

/// Runs the trainings, and the program.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let wanted = |work: WorkName| args.only.is_empty() || args.only.contains(&work);
    let repetitions = |full| args.common.repetitions(full);
    eprintln!("measuring train …");
    if wanted(WorkName::Steps) {
        steps::steps(&mut report, repetitions(15))?;
    }
    let digits = Digits::new()?;
    let all = [Hooks::None, Hooks::Scalars, Hooks::Everything];
    if wanted(WorkName::Digits) {
        let most = Bound::AtMost(1.03);
        trainings(
            &mut report,
            &digits,
            Shape::DEFAULT,
            &all,
            most,
            repetitions(9),
        )?;
    }
    if wanted(WorkName::Million) {
        let (hooks, most) = ([Hooks::None, Hooks::Everything], Bound::AtMost(1.01));
        trainings(
            &mut report,
            &digits,
            Shape::MILLION,
            &hooks,
            most,
            repetitions(3),
        )?;
    }
    if wanted(WorkName::Memory) {
        memory::resident(&mut report, repetitions(1))?;
    }
    report.note("train: seconds last until the log is on the disk, fit seconds are the loop alone, loop processor seconds what its thread ran");
    report.note("train: ratios are to the repetition without hooks just before; on a busy machine only the loop ratio says something");
    if wanted(WorkName::Program) {
        program(&mut report, repetitions(9))?;
    }
    Ok(report)
}

/// Adds trainings with and without hooks; with everything on, they may take so many times as long.
fn trainings(
    report: &mut Report,
    digits: &Digits,
    shape: Shape,
    hooks: &[Hooks],
    most: Bound,
    repetitions: usize,
) -> anyhow::Result<()> {
    let contender = |&hooks: &Hooks| {
        let who = match hooks {
            Hooks::None => "no hooks",
            Hooks::Scalars => "scalars on",
            Hooks::Everything => "everything on",
        };
        Contender::new(who, move || digits.train(shape, hooks))
    };
    let mut contenders: Vec<_> = hooks.iter().map(contender).collect();
    interleave(repetitions, &mut contenders)?;
    pair(&mut contenders);
    let work = Work {
        name: shape.name,
        items: shape.epochs as f64,
        item: "epochs",
    };
    let mut rows = rows(work, &contenders);
    rows[0].extra_goal(METRICS_SHARE, Bound::AtMost(1.0));
    if let Some(everything) = rows.last_mut() {
        for ratio in [FIT_RATIO, LOOP_RATIO] {
            everything.extra_goal(ratio, most);
        }
    }
    report.add(rows);
    Ok(())
}

/// Compares each repetition with the one without hooks that ran just before it.
fn pair(contenders: &mut [Contender<'_>]) {
    let seconds = |sample: &Sample, name| match name {
        None => sample.seconds.unwrap_or(f64::NAN),
        Some(name) => sample.extra(name),
    };
    for (name, ratio) in [
        (None, WALL_RATIO),
        (Some(FIT_SECONDS), FIT_RATIO),
        (Some(LOOP_SECONDS), LOOP_RATIO),
    ] {
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
        items: Shape::DEFAULT.epochs as f64,
        item: "epochs",
    };
    let mut rows = rows(work, &contenders);
    let ours = &mut rows[0];
    ours.goal("seconds", ours.seconds, Bound::Below(3.0));
    report.add(rows);
    Ok(())
}
