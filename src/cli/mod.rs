//! The `modelpulse` program: one file a subcommand; each parses, calls the library and prints.
//!
//! Results go to standard output, everything else to standard error. A failure is one line, and the
//! exit code says of which kind: 1 where the model is unwell, 2 where the input is bad.

mod aggregate;
mod alerting;
mod completions;
mod console;
mod diff;
mod doctor;
mod drift;
mod evaluate;
mod export;
mod gate;
mod inspect;
mod json;
mod log;
mod merge;
mod monitor;
mod plot;
mod power;
mod profile;
mod progress;
mod pushing;
mod repair;
mod replay;
mod report;
mod rules;
mod rundir;
mod select;
mod tail;
mod tensor;
mod train;
mod wildcard;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::log::Problem;
use crate::replay::Copied;

/// Model health monitoring on TensorBoard event logs.
#[derive(Debug, Parser)]
#[command(name = "modelpulse", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse train                                        train on the embedded digits, log to runs/
  modelpulse monitor --model runs/digits-001              watch what it made: Prometheus, /evaluate, TensorBoard
  python train.py | modelpulse log                        log a loop that prints JSON lines
  modelpulse inspect runs                                 what a log holds, and what is wrong with it
  modelpulse tail runs                                    follow it while it grows
  modelpulse replay runs --rule 'eval/epoch_accuracy < 0.9'   ask an old log whether it was healthy
  modelpulse doctor runs                                  what is wrong with a training, and what to try
  modelpulse gate --baseline runs/main --candidate runs/pr-17   is the new one as good?
  modelpulse evaluate --predictions p.parquet             how good predictions are, and where not
  modelpulse drift --reference train.csv --current today.csv   has the data changed?
  modelpulse export runs -o runs.parquet                  take it to pandas, DuckDB, a spreadsheet
  modelpulse plot runs --tag epoch_loss                   look at it here
  tensorboard --logdir runs                               look at it there";

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Args),
    Monitor(monitor::Args),
    Log(log::Args),
    Inspect(inspect::Args),
    Tail(tail::Args),
    Repair(repair::Args),
    Replay(replay::Args),
    Evaluate(evaluate::Args),
    Drift(drift::Args),
    Profile(profile::Args),
    Rules(rules::Args),
    Doctor(doctor::Args),
    Gate(gate::Args),
    Merge(merge::Args),
    Export(export::Args),
    Aggregate(aggregate::Args),
    Diff(diff::Args),
    Plot(plot::Args),
    Power(power::Args),
    Completions(completions::Args),
}

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// 0.
    Well,
    /// 1.
    Unwell,
    /// 2: nothing can be said.
    Unknown,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error)
            if error.use_stderr()
                && error.kind()
                    != clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand =>
        {
            // clap's first line says it all; the usage below it hides it.
            let text = error.render().to_string();
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or("error: bad arguments");
            // A list of what is missing stands on lines of its own.
            let rest: Vec<&str> = if first.ends_with(':') {
                lines
                    .take_while(|line| !line.starts_with("Usage"))
                    .collect()
            } else {
                // As is one of what would do.
                lines
                    .take_while(|line| line.starts_with("[possible"))
                    .collect()
            };
            eprintln!(
                "{first}{}{} (see --help)",
                if rest.is_empty() { "" } else { " " },
                rest.join(" ")
            );
            return ExitCode::from(2);
        }
        Err(error) => error.exit(),
    };
    let result = match cli.command {
        Command::Train(args) => train::run(args),
        Command::Monitor(args) => monitor::run(args),
        Command::Log(args) => log::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Tail(args) => tail::run(args),
        Command::Repair(args) => repair::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Drift(args) => drift::run(args),
        Command::Profile(args) => profile::run(args),
        Command::Rules(args) => rules::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Gate(args) => gate::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Export(args) => export::run(args),
        Command::Aggregate(args) => aggregate::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Plot(args) => plot::run(args),
        Command::Power(args) => power::run(args),
        Command::Completions(args) => completions::run(&args),
    };
    match result {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::Unwell) => ExitCode::from(1),
        Ok(Verdict::Unknown) => ExitCode::from(2),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// Says what of a log could not be read.
fn warn_of(problems: &[Problem]) {
    for problem in problems {
        eprintln!("warning: {problem}");
    }
}

/// Says what was written to a new log.
fn say_copied(json: bool, to: &Path, copied: &Copied) -> anyhow::Result<()> {
    warn_of(&copied.problems);
    let Copied { values, runs, .. } = copied;
    if json {
        let problems = copied.problems.len();
        let object =
            serde_json::json!({ "to": to, "runs": runs, "values": values, "problems": problems });
        writeln!(std::io::stdout(), "{object}")?;
    } else {
        eprintln!("{values} values of {runs} runs written to {}", to.display());
    }
    Ok(())
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.into_iter()
        .any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// An error and its causes, without those that it repeats.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error
        .chain()
        .map(|cause| cause.to_string().replace('\n', " "))
    {
        if !line.contains(&cause) {
            line += if line.is_empty() { "" } else { ": " };
            line += &cause;
        }
    }
    line
}
