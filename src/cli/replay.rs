//! `modelpulse replay`: an old log through the rules of a live run.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;

use super::{Verdict, json};
use crate::health::{Rule, Watch};
use crate::replay::replay;

/// Replay an old log through rules, and print each event that breaks one
///
/// A rule is a condition that must not hold: SERIES < NUMBER, with one of < <= > >= == !=. The series
/// is given by run and tag, or by the end of that path. NaN breaks every rule.
///
/// Exit code: 0 if no rule was broken, 1 if one was, 2 if the log has no such series or is no log.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory: of one run, or one above many; any TensorBoard log will do
    logdir: PathBuf,

    /// A condition that must not hold; may be given several times
    #[arg(long = "rule", value_name = "RULE", required = true, value_parser = parse_rule)]
    rules: Vec<Rule>,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse replay runs/digits-001 --rule 'eval/epoch_accuracy < 0.9'
  modelpulse replay runs --rule 'epoch_loss > 2' --rule 'batch/batch_loss > 10' --json";

pub(super) fn parse_rule(rule: &str) -> Result<Rule, crate::health::ParseRuleError> {
    rule.parse()
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let (mut broken, mut printed) = (0_u64, Ok(()));
    let mut watch = Watch::new(args.rules, |breach| {
        broken += 1;
        if printed.is_ok() {
            printed = if args.json {
                writeln!(out, "{}", json::breach(breach))
            } else {
                writeln!(out, "{breach}")
            };
        }
    });
    let replayed = replay(&args.logdir, &mut watch).map_err(|error| anyhow!(error))?;
    let unseen: Vec<String> = watch.unseen().map(|rule| format!("'{rule}'")).collect();
    drop(watch);
    printed.and_then(|()| out.flush())?;
    for problem in &replayed.problems {
        eprintln!("warning: {problem}");
    }
    if replayed.events == 0 {
        anyhow::bail!(
            "{} has event files, but they hold no values",
            args.logdir.display()
        );
    }
    eprintln!("{} events read, {broken} broke a rule", replayed.events);
    if !unseen.is_empty() {
        anyhow::bail!("no series of the log is named by {}", unseen.join(", "));
    }
    Ok(if broken == 0 {
        Verdict::Well
    } else {
        Verdict::Unwell
    })
}
