//! `modelpulse rules`: makes, checks, tests and exports rule files.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::{Verdict, alerting};

/// Make, check, test and export rule files
///
/// A rule is a condition that must not hold, and how long it may. `modelpulse train --rules FILE` holds a
/// run against it while it trains, `modelpulse replay --rules FILE LOGDIR` an old log, with the same result.
#[derive(Debug, clap::Args)]
#[command(after_help = GRAMMAR)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

const GRAMMAR: &str = r#"Conditions:
  eval/epoch_accuracy < 0.9              the last value; also <= > >= == !=
  avg(batch_loss, 5m) > 1                the mean of a window; also min, max, stddev
  change(eval/epoch_loss, 10m) > 0.1     the value less the one of ten minutes ago
  slope(batch_loss, 10m) > 0             the trend, in units a second (a step in rules by step)
  zscore(latency_ms, 1h) > 4             how far from the window's mean, in standard deviations
  gap(eval/epoch_loss, train/epoch_loss) > 0.3     one series less another at the same step; the
                                         other may be that of a reference run, by its whole path
  nan(batch_loss)   nonfinite(*)         NaN; NaN or infinite
  absent(batch_loss, 10m)                no value for so long
  adwin/loss/drift_signal >= 2           a detector says drift (1: it warns), see [[detector]]
A series is named by the end of its path, '*' is any text, and names with one of < > = ! , ( ) stand in
double quotes.

Examples:
  modelpulse rules init training > rules.toml
  modelpulse rules check rules.toml
  modelpulse rules test rules.toml
  modelpulse rules export rules.toml > prometheus-rules.yml"#;

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a set of rules to start from, with comments
    Init {
        /// For what
        #[arg(value_enum, default_value = "training")]
        purpose: Purpose,

        /// Write to this file, which must not exist yet, instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Read rule files, and say what is wrong with them
    Check {
        /// The rule files
        #[arg(required = true)]
        files: Vec<PathBuf>,

        /// Print one JSON object a file
        #[arg(long)]
        json: bool,
    },
    /// Go through the scenarios of rule files
    ///
    /// Exit code: 0 if all are as expected, 1 if one is not, 2 if a file is bad or has no scenario.
    Test {
        /// The rule files
        #[arg(required = true)]
        files: Vec<PathBuf>,

        /// Print one JSON object a scenario
        #[arg(long)]
        json: bool,
    },
    /// Print the rules as a Prometheus rule file
    ///
    /// What Prometheus cannot evaluate is said on standard error.
    Export {
        /// The rule file
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Purpose {
    /// Rules by step, for a model that trains
    Training,
    /// Rules by time, for a model that is deployed
    Serving,
}

impl Purpose {
    fn text(self) -> &'static str {
        match self {
            Self::Training => include_str!("rules/training.toml"),
            Self::Serving => include_str!("rules/serving.toml"),
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    match args.command {
        Command::Init { purpose, output } => init(purpose, output),
        Command::Check { files, json } => check(&files, json),
        Command::Test { files, json } => test(&files, json),
        Command::Export { file } => {
            let (yaml, left_out) = alerting::read(&file)?.rules.to_prometheus();
            for note in left_out {
                eprintln!("warning: {note}");
            }
            write!(std::io::stdout(), "{yaml}")?;
            Ok(Verdict::Well)
        }
    }
}

fn init(purpose: Purpose, output: Option<PathBuf>) -> anyhow::Result<Verdict> {
    let text = purpose.text();
    match output {
        None => write!(std::io::stdout(), "{text}")?,
        Some(path) => {
            let new = OpenOptions::new().write(true).create_new(true).open(&path);
            let written = new.and_then(|mut file| file.write_all(text.as_bytes()));
            written.with_context(|| format!("cannot make {}", path.display()))?;
        }
    }
    Ok(Verdict::Well)
}

fn check(files: &[PathBuf], as_json: bool) -> anyhow::Result<Verdict> {
    let mut bad = None;
    for path in files {
        let read = alerting::read(path);
        let mut out = std::io::stdout().lock();
        match (&read, as_json) {
            (Ok(file), true) => {
                let names: Vec<&str> = file.rules.iter().map(|rule| rule.name()).collect();
                let detectors: Vec<&str> = file.detectors.iter().map(|it| it.name()).collect();
                let tests = file.scenarios.len();
                let object =
                    json!({"file": path, "rules": names, "detectors": detectors, "tests": tests});
                writeln!(out, "{object}")?;
            }
            (Ok(file), false) => {
                let (rules, tests) = (file.rules.iter().count(), file.scenarios.len());
                let detectors = match file.detectors.len() {
                    0 => String::new(),
                    count => format!("{count} detectors, "),
                };
                writeln!(
                    out,
                    "{}: {rules} rules, {detectors}{tests} tests",
                    path.display()
                )?;
            }
            (Err(error), true) => {
                let object = json!({"file": path, "error": super::one_line(error)});
                writeln!(out, "{object}")?;
            }
            (Err(_), false) => {}
        }
        if let Err(error) = read {
            if bad.is_some() && !as_json {
                eprintln!("error: {}", super::one_line(&error));
            } else {
                bad = bad.or(Some(error));
            }
        }
    }
    bad.map_or(Ok(Verdict::Well), Err)
}

fn test(files: &[PathBuf], as_json: bool) -> anyhow::Result<Verdict> {
    let (mut count, mut failed) = (0, 0);
    for path in files {
        let file = alerting::read(path)?;
        for scenario in &file.scenarios {
            let mismatches = scenario.run(&file.rules);
            count += 1;
            failed += usize::from(!mismatches.is_empty());
            let mut out = std::io::stdout().lock();
            if as_json {
                let problems: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
                let object = json!({"file": path, "test": scenario.name(), "problems": problems});
                writeln!(out, "{object}")?;
            } else {
                let word = if mismatches.is_empty() {
                    "ok"
                } else {
                    "FAILED"
                };
                writeln!(out, "{word}: {}", scenario.name())?;
                for mismatch in mismatches {
                    writeln!(out, "  {mismatch}")?;
                }
            }
        }
    }
    if count == 0 {
        bail!("no [[test]] in the files");
    }
    Ok(if failed == 0 {
        Verdict::Well
    } else {
        Verdict::Unwell
    })
}
