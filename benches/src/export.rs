//! `export`: a log as tables.
//!
//! The log is written before the clock starts, and is in the page cache; the table goes to the temporary directory.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use modelpulse::export::{Format, LongTable};
use modelpulse::flow::{Event, Sink, Source};
use modelpulse::log::{LogSink, PurgedReader, Restart};
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::memory;
use crate::noise::Noise;
use crate::report::{Bound, Report};

/// A log of 1,000,000 scalars as a table in each format
///
/// From the event file to a finished table, as `modelpulse export` does it: ten series of normal noise, one row a
/// value. Memory is how much more this process holds at the most while it exports.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
}

const EXAMPLES: &str = "\
Examples:
  export
  export --quick --json";

const SCALARS: i64 = 1_000_000;
const SERIES: i64 = 10;
const MIB: &str = "MiB";
const BYTES: &str = "bytes a row";

/// Runs the work in each format.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let log = dir.path().join("log");
    write(&log)?;
    let mut contenders: Vec<Contender<'_>> = Format::ALL
        .iter()
        .map(|&format| {
            let (log, dir) = (&log, dir.path());
            Contender::new(format.extension(), move || export(log, dir, format))
        })
        .collect();
    interleave(args.common.repetitions(5), &mut contenders)?;
    let work = Work {
        name: "export",
        items: SCALARS as f64,
        item: "rows",
    };
    let mut rows = rows(work, &contenders);
    for row in &mut rows {
        if row.who == Format::Parquet.extension() {
            row.goal("seconds", row.seconds, Bound::AtMost(1.0));
            row.extra_goal(BYTES, Bound::AtMost(8.0));
        }
    }
    report.add(rows);
    Ok(report)
}

/// The log of the baselines of reading: an event a scalar, 10 ms apart.
fn write(dir: &Path) -> anyhow::Result<()> {
    let mut noise = Noise::new(3);
    let mut sink = LogSink::create(dir)?;
    for number in 0..SCALARS {
        let tag = format!("train/metric_{}", number % SERIES);
        let time = 1.7e9 + number as f64 * 0.01;
        let value = noise.normal();
        let event = Event::new("train", tag, number / SERIES, time, value);
        sink.accept(&[event]).map_err(|error| anyhow!(error))?;
    }
    sink.finish().map_err(|error| anyhow!(error))
}

fn export(log: &Path, dir: &Path, format: Format) -> anyhow::Result<Sample> {
    let path = dir.join(format!("table.{}", format.extension()));
    memory::forget_peak();
    let before = memory::resident_mib();
    let began = Instant::now();
    let table = format.table(&LongTable::columns(), File::create(&path)?)?;
    let mut table = LongTable::new(table, None);
    let mut source = PurgedReader::open_runs(log, Restart::default(), |_| true)?;
    source
        .drain_into(&mut table)
        .map_err(|error| anyhow!(error))?;
    anyhow::ensure!(table.rows() == SCALARS as u64, "{} rows", table.rows());
    let seconds = began.elapsed().as_secs_f64();
    let mut sample = Sample::of(seconds);
    if let (Some((before, _)), Some((_, peak))) = (before, memory::resident_mib()) {
        sample = sample.with(MIB, peak - before);
    }
    let bytes = std::fs::metadata(&path)?.len() as f64 / SCALARS as f64;
    std::fs::remove_file(path)?;
    Ok(sample.with(BYTES, bytes))
}
