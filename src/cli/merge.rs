//! `modelpulse merge`: several logs become one.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::progress::Progress;
use super::select::{Rename, Select};
use super::{Verdict, say_copied};
use crate::replay::LogCopy;
use crate::types::RunName;

/// Merge logs into a new one
///
/// Runs of one name become one run, in the order of wall times: what several machines or sessions logged of it. With
/// --beside each log's runs stay apart, below its directory's name; --rename-run '*=all' makes one run of all.
///
/// What is not changed is copied byte for byte, without what is damaged. The logs themselves are only read.
///
/// Exit code: 0, or 2 if a log cannot be read or the new one cannot be written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directories
    #[arg(required = true)]
    logdirs: Vec<PathBuf>,

    /// The new log directory; it must have no event files yet
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// Keep the runs of each log below its directory's name
    #[arg(long)]
    beside: bool,

    /// Say what was written as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    select: Select,

    #[command(flatten)]
    rename: Rename,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse merge host-a/runs host-b/runs --to runs
  modelpulse merge monday tuesday --to week --beside
  modelpulse merge run run-resumed --to whole";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut copy = LogCopy::default();
    let mut names: Vec<String> = Vec::new();
    for dir in &args.logdirs {
        let below = if args.beside {
            let real = dir.canonicalize();
            let real = real.with_context(|| format!("cannot read {}", dir.display()))?;
            let name = real
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if names.contains(&name) {
                bail!(
                    "two of the logs are named '{name}': merge them without --beside, or rename one"
                );
            }
            names.push(name);
            names.last().map(String::as_str)
        } else {
            None
        };
        copy = copy.and(dir, below)?;
    }
    let takes = |run: &RunName| args.select.takes_run(run);
    let progress = Progress::new("merging", &args.logdirs, takes)?;
    let copied = copy
        .edit(args.select.edit_with(Some(&args.rename)))
        .write_with(&args.to, |bytes| progress.add(bytes))?;
    progress.end();
    say_copied(args.json, &args.to, &copied)?;
    Ok(Verdict::Well)
}
