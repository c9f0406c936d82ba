//! `modelpulse repair`: a clean copy of a damaged log.

use std::path::PathBuf;

use serde_json::{Map, json};

use super::Verdict;
use super::inspect::{problem_json, relative};
use super::progress::Progress;
use crate::log::{Repaired, repair};

/// Write a clean copy of a log: its whole records byte for byte, without damage
///
/// What makes TensorBoard stop or fail is left out: damaged records, junk, records that are no events,
/// tensors whose shapes lie. Compressed files become plain ones. The log itself is only read.
///
/// Exit code: 0, or 2 if the log cannot be read or the copy cannot be written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory, of one run or one above many; or one event file
    logdir: PathBuf,

    /// The new log directory; it must have no event files yet, and not lie in the other
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// Say what was done as one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse inspect runs                               what is wrong?
  modelpulse repair runs --to runs-repaired
  tensorboard --logdir runs-repaired";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let progress = Progress::new("repairing", [&args.logdir], |_| true)?;
    let repaired = repair(&args.logdir, &args.to, |bytes| progress.add(bytes))?;
    progress.end();
    if args.json {
        let files = repaired.iter().map(|file| {
            let object = json!({
                "records": file.records,
                "recovered": file.recovered,
                "left_out": file.left_out,
                "problems": file.problems.iter().map(problem_json).collect::<Vec<_>>(),
            });
            (relative(&args.logdir, &file.from), object)
        });
        println!("{}", json!({ "files": files.collect::<Map<_, _>>() }));
        return Ok(Verdict::Well);
    }
    for problem in repaired.iter().flat_map(|file| &file.problems) {
        eprintln!("left out: {problem}");
    }
    let sum = |of: fn(&Repaired) -> u64| repaired.iter().map(of).sum::<u64>();
    println!(
        "{} records in {} files written to {}: {} recovered from behind damage, {} left out",
        sum(|file| file.records),
        repaired.iter().filter(|file| file.records > 0).count(),
        args.to.display(),
        sum(|file| file.recovered),
        sum(|file| file.left_out),
    );
    Ok(Verdict::Well)
}
