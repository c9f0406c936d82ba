//! `modelpulse replay`: an old log through the rules of a live run.

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;

use super::Verdict;
use super::alerting::{self, RuleArgs};
use crate::health::Alerts;
use crate::replay::replay;

/// Replay an old log through rules, and print when alerts would have fired
///
/// A rule is a condition that must not hold, such as SERIES < NUMBER; the series is given by run and tag,
/// or by the end of that path. NaN breaks every rule, if it does not say otherwise.
///
/// Exit code: 0 if no alert fired, 1 if one did, 2 if the log has no such series or is no log.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory: of one run, or one above many; any TensorBoard log will do
    logdir: PathBuf,

    #[command(flatten)]
    rules: RuleArgs,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse replay runs/digits-001 --rule 'eval/epoch_accuracy < 0.9'
  modelpulse replay runs --rule 'epoch_loss > 2' --rule 'batch/batch_loss > 10' --json";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let rules = args.rules.rules()?;
    let rules = rules.ok_or_else(|| anyhow!("no rule: give --rule CONDITION or --rules FILE"))?;
    let (mut fired, mut printed) = (0_u64, Ok(()));
    let mut alerts = Alerts::new(rules, |transition| {
        fired += u64::from(alerting::fires(transition));
        if printed.is_ok() {
            printed = if args.json {
                writeln!(out, "{}", alerting::object(transition))
            } else {
                writeln!(out, "{transition}")
            };
        }
    });
    let replayed = replay(&args.logdir, &mut alerts).map_err(|error| anyhow!(error))?;
    let unseen: Vec<String> = alerts.unseen().map(|rule| format!("'{rule}'")).collect();
    drop(alerts);
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
    eprintln!("{} events read, alerts fired: {fired}", replayed.events);
    if !unseen.is_empty() {
        anyhow::bail!(
            "no series of the log is named by rule {}",
            unseen.join(", ")
        );
    }
    Ok(if fired == 0 {
        Verdict::Well
    } else {
        Verdict::Unwell
    })
}
