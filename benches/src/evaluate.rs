//! `evaluate`: a table of ten million predictions, measured.
//!
//! The table is written before the clock starts, and is in the page cache; each repetition is a process of its own, so
//! that its memory is that of one evaluation.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use modelpulse::export::{Column, Format, Kind};
use modelpulse::health::evaluation::Evaluator;
use modelpulse::metrics::Memory;
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::memory;
use crate::noise::Noise;
use crate::report::{Bound, OURS, Report};
use crate::subprocess;

/// A Parquet file of 10,000,000 labels and scores, measured by all metrics of a binary task
///
/// From the file to the answers, as `modelpulse evaluate` does it, with every score kept and in bounded memory. Memory is
/// the most that the process holds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// How many rows
    #[arg(long, default_value_t = 10_000_000)]
    rows: u32,
}

const EXAMPLES: &str = "\
Examples:
  evaluate
  evaluate --rows 1000000 --quick";

/// The verb under which this program measures an evaluation in a process of its own.
pub(crate) const CHILD_VERB: &str = "evaluate-child";
const MIB: &str = "MiB";

/// Print the seconds and MiB of one evaluation
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    file: PathBuf,
    #[arg(long)]
    bounded: bool,
}

/// Runs both kinds of memory.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let file = dir.path().join("predictions.parquet");
    eprintln!("writing {} rows …", args.rows);
    write(&file, args.rows)?;
    eprintln!("measuring evaluate …");
    let mut contenders = [
        Contender::new(OURS, || measure(&file, &[])),
        Contender::new(format!("{OURS}, bounded memory"), || {
            measure(&file, &["--bounded"])
        }),
    ];
    interleave(args.common.repetitions(3), &mut contenders)?;
    let work = Work {
        name: "evaluate",
        items: f64::from(args.rows),
        item: "rows",
    };
    let mut rows = rows(work, &contenders);
    for (row, most) in rows.iter_mut().zip([1024.0, 128.0]) {
        row.goal("seconds", row.seconds, Bound::AtMost(10.0));
        row.extra_goal(MIB, Bound::AtMost(most));
    }
    report.add(rows);
    report.note("the goals are those of 10,000,000 rows");
    Ok(report)
}

fn write(file: &Path, rows: u32) -> anyhow::Result<()> {
    let columns = [
        Column::new("label", Kind::Integer),
        Column::new("score", Kind::Number),
    ];
    let mut table = Format::Parquet.table(&columns, File::create(file)?)?;
    let mut noise = Noise::new(5);
    for row in 0..rows {
        let label = i64::from(row % 10 < 3);
        let logit = 2.0 * label as f64 - 1.0 + f64::from(noise.normal());
        let score = 1.0 / (1.0 + (-logit).exp());
        table.row(&[label.into(), score.into()])?;
    }
    table.finish()?;
    Ok(())
}

fn measure(file: &Path, more: &[&str]) -> anyhow::Result<Sample> {
    let arguments = [CHILD_VERB.as_ref(), file.as_os_str()];
    let arguments = arguments.into_iter().chain(more.iter().map(OsStr::new));
    let mut numbers = subprocess::numbers(arguments)?.into_iter();
    let seconds = numbers.next().context("the child prints seconds")?;
    let sample = Sample::of(seconds);
    Ok(match numbers.next() {
        Some(mib) => sample.with(MIB, mib),
        None => sample,
    })
}

/// Measures in this process.
pub(crate) fn child(args: &ChildArgs) -> anyhow::Result<()> {
    let evaluator = match args.bounded {
        true => Evaluator::new().memory(Memory::bounded()),
        false => Evaluator::new(),
    };
    let began = Instant::now();
    let evaluation = evaluator.evaluate(&args.file)?;
    let seconds = began.elapsed().as_secs_f64();
    let area = evaluation.metric("roc_auc").context("a binary task")?;
    // Of two about normal distributions of variance 1/2 that are 2 apart: Φ(2).
    ensure!((area? - 0.977).abs() < 0.01, "the area is {area:?}");
    print!("{seconds}");
    if let Some((_, peak)) = memory::resident_mib() {
        print!(" {peak}");
    }
    println!();
    Ok(())
}
