//! `write`: our writer of logs beside its peers and beside the practical limit.
//!
//! Every repetition has a directory of its own, which is removed before the next one begins.

mod latency;
pub(crate) mod memory;
mod scalars;
mod values;

use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;
use tempfile::TempDir;

use crate::Common;
use crate::clock::processor_seconds;
use crate::contest::Sample;
use crate::report::Report;

/// Our writer of logs beside its peers and beside the practical limit
///
/// Works: 1,000,000 scalars one call each, and ten a step; the latency of each call, at full load and
/// paced; allocations; resident memory; histograms; ready PNGs. 'limit' is a writer by hand: no
/// library, no thread, the processor's CRC instruction. Nothing is dropped, and no writer waits for the
/// disk unless its row says so.
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
  write
  write --quick --only scalars,step-guard
  write --json > write.json
  MODELPULSE_PYTHON=/usr/bin/python3 write --only scalars";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WorkName {
    Scalars,
    #[value(alias = "step_guard")]
    StepGuard,
    #[value(alias = "latency_full")]
    LatencyFull,
    #[value(alias = "latency_paced")]
    LatencyPaced,
    Allocations,
    Memory,
    Histograms,
    Png,
}

/// Runs the works that were asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let repetitions = args.common.repetitions(5);
    let wanted = |work: WorkName| args.only.is_empty() || args.only.contains(&work);
    let begin = |name: &str| eprintln!("measuring {name} …");
    let (scalars, steps) = (wanted(WorkName::Scalars), wanted(WorkName::StepGuard));
    if scalars || steps {
        begin("scalars and step_guard");
        scalars::run(&mut report, repetitions, scalars, steps)?;
    }
    if wanted(WorkName::LatencyFull) {
        begin("latency_full");
        latency::full(&mut report, repetitions)?;
    }
    if wanted(WorkName::LatencyPaced) {
        begin("latency_paced");
        latency::paced(&mut report, repetitions)?;
    }
    if wanted(WorkName::Allocations) {
        begin("allocations");
        memory::allocations(&mut report, repetitions)?;
    }
    if wanted(WorkName::Memory) {
        begin("memory");
        memory::resident(&mut report, repetitions)?;
    }
    if wanted(WorkName::Histograms) {
        begin("histograms");
        values::histograms(&mut report, repetitions)?;
    }
    if wanted(WorkName::Png) {
        begin("png");
        values::pngs(&mut report, repetitions)?;
    }
    Ok(report)
}

/// Times `work` in a directory of its own; by item, also the time that all threads ran, which depends
/// less on what else the machine does, and the bytes that are left there.
pub(crate) fn timed<W>(
    create: impl FnOnce(&Path) -> anyhow::Result<W>,
    items: usize,
    work: impl FnOnce(W) -> anyhow::Result<()>,
) -> anyhow::Result<Sample> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let writer = create(dir.path())?;
    let (began, processor) = (Instant::now(), processor_seconds());
    work(writer)?;
    let mut sample = Sample::of(began.elapsed().as_secs_f64());
    if let (Some(before), Some(now)) = (processor, processor_seconds()) {
        sample = sample.with("CPU ns each", (now - before) * 1e9 / items as f64);
    }
    let bytes = bytes_in(dir.path())? as f64 / items as f64;
    Ok(sample.with("bytes each", bytes))
}

pub(crate) fn bytes_in(dir: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(dir)?
        .map(|entry| Ok(entry?.metadata()?.len()))
        .sum()
}
