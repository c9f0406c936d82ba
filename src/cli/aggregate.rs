//! `modelpulse aggregate`: the same series of several runs, such as those of several seeds, as statistics.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::ValueEnum;
use serde_json::json;

use super::Verdict;
use super::export::open;
use super::progress::{Progress, Shown};
use super::select::{Resumed, Select};
use crate::export::{Cell, Column, ExportError, Format, Kind, Table};
use crate::flow::{Event, Sink, Source};
use crate::log::LogSink;
use crate::replay::{Aggregate, Aggregator, Align};
use crate::types::RunName;

/// Aggregate runs, such as those of several seeds: mean, standard deviation, extremes and quantiles at each step
///
/// Each log directory is a replicate, and their runs of one name belong together. Of a single directory, the
/// directories in it are the replicates: of runs/seed-1/train and runs/seed-2/train the run train.
///
/// The result is a table, or with --to a log in which each statistic is a run: train/mean, train/std, train/min …,
/// which TensorBoard shows side by side. NaN is never left out: the mean of a NaN is NaN.
///
/// Exit code: 0, or 2 if a log cannot be read or has no such scalars.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directories
    #[arg(required = true)]
    logdirs: Vec<PathBuf>,

    /// What is done at a step that not every replicate has
    #[arg(long, value_enum, default_value_t = AlignBy::Interpolate)]
    align: AlignBy,

    /// The quantiles, each from 0 to 1
    #[arg(long, value_name = "Q,…", value_delimiter = ',', default_value = "0.25,0.5,0.75", value_parser = share)]
    quantiles: Vec<f64>,

    /// The table: a file, or '-' for standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "-",
        conflicts_with = "to"
    )]
    output: PathBuf,

    /// csv, jsonl or parquet [default: as the output's name ends, else csv]
    #[arg(long, short, value_name = "FORMAT", conflicts_with = "to")]
    format: Option<Format>,

    /// Write a log to this directory, which must have none, instead of a table
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Print JSON lines; with --output or --to, one object that says what was written
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    resumed: Resumed,

    #[command(flatten)]
    select: Select,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse aggregate runs --tag epoch_accuracy
  modelpulse aggregate runs/seed-* --to runs-mean && tensorboard --logdir runs-mean
  modelpulse aggregate a b c -o seeds.parquet --quantiles 0.1,0.9 --align intersect";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AlignBy {
    /// A value between two steps of a replicate is linear between theirs; none before its first and behind its last
    Interpolate,
    /// The replicates that have the step count
    Union,
    /// The step is left out
    Intersect,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be from 0 to 1".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let aggregator = gather(&args)?;
    let replicates = aggregator.replicates();
    let align = match args.align {
        AlignBy::Interpolate => Align::Interpolate,
        AlignBy::Union => Align::Union,
        AlignBy::Intersect => Align::Intersect,
    };
    let to_stdout = args.output.as_os_str() == "-" && args.to.is_none();
    let mut rows = 0_u64;
    if let Some(dir) = &args.to {
        let mut log = StatisticsLog::create(dir, &args.quantiles)?;
        aggregator.finish(align, &args.quantiles, |row| {
            rows += 1;
            log.row(row)
        })?;
        log.finish()?;
    } else {
        let mut table = StatisticsTable::create(&args, to_stdout)?;
        aggregator.finish(align, &args.quantiles, |row| {
            rows += 1;
            table.row(row)
        })?;
        table.table.finish()?;
    }
    if rows == 0 {
        bail!("no step is left that the replicates have in common, or they have no such scalars");
    }
    let output = args.to.as_ref().unwrap_or(&args.output);
    if args.json && !to_stdout {
        let object = json!({ "output": output, "replicates": replicates, "rows": rows });
        writeln!(std::io::stdout(), "{object}")?;
    } else {
        eprintln!("{rows} rows of {replicates} replicates");
    }
    Ok(Verdict::Well)
}

fn gather(args: &Args) -> anyhow::Result<Aggregator> {
    let mut aggregator = Aggregator::default();
    let takes = |run: &RunName| args.select.takes_run(run);
    let progress = Progress::new("reading", &args.logdirs, takes)?;
    for dir in &args.logdirs {
        let select = &args.select;
        let log = select.open(dir, &args.resumed, takes)?;
        let mut source = Shown::new(log, progress.clone());
        let name = dir.to_string_lossy();
        while let Some(instant) = source.next_instant().map_err(|error| anyhow!(error))? {
            for mut event in instant {
                if args.logdirs.len() > 1 {
                    aggregator.add(&name, &event)?;
                    continue;
                }
                let run = event.run.clone();
                let (replicate, below) =
                    run.as_str().split_once('/').unwrap_or((run.as_str(), "."));
                event.run = RunName::from(below);
                aggregator.add(replicate, &event)?;
            }
        }
        source.warn(|log| log.source().problems());
    }
    progress.end();
    match aggregator.replicates() {
        0 => bail!("the logs have no such scalars"),
        1 => eprintln!("warning: there is only one replicate; name the directories of several"),
        _ => {}
    }
    Ok(aggregator)
}

/// A quantile's name: `q0.25`.
fn name_of(quantile: f64) -> String {
    format!("q{quantile}")
}

struct StatisticsTable {
    table: Box<dyn Table>,
}

impl StatisticsTable {
    fn create(args: &Args, to_stdout: bool) -> anyhow::Result<Self> {
        let by_name = || args.output.extension()?.to_string_lossy().parse().ok();
        let format = match args.format {
            Some(format) => format,
            None if to_stdout && args.json => Format::JsonLines,
            None => by_name().unwrap_or(Format::Csv),
        };
        let mut columns = Vec::new();
        for (name, kind) in [
            ("run", Kind::Text),
            ("tag", Kind::Text),
            ("step", Kind::Integer),
            ("wall_time", Kind::Number),
            ("count", Kind::Integer),
            ("mean", Kind::Number),
            ("std", Kind::Number),
            ("min", Kind::Number),
            ("max", Kind::Number),
        ] {
            columns.push(Column::new(name, kind));
        }
        let quantiles = args.quantiles.iter().copied().map(name_of);
        columns.extend(quantiles.map(|name| Column::new(name, Kind::Number)));
        let table = format.table(&columns, open(&args.output)?)?;
        Ok(Self { table })
    }

    fn row(&mut self, row: &Aggregate<'_>) -> Result<(), ExportError> {
        let mut cells = vec![
            Cell::Text(row.run.as_str()),
            Cell::Text(row.tag.as_str()),
            Cell::Integer(row.step.as_i64()),
            Cell::Number(row.wall_time),
            Cell::Integer(row.count as i64),
            Cell::Number(row.mean),
            row.std.into(),
            Cell::Number(row.min),
            Cell::Number(row.max),
        ];
        cells.extend(row.quantiles.iter().map(|&it| Cell::Number(it)));
        self.table.row(&cells)
    }
}

/// A log in which each statistic is a run.
struct StatisticsLog {
    sink: LogSink,
    quantiles: Vec<String>,
    runs: BTreeMap<(RunName, String), RunName>,
}

impl StatisticsLog {
    fn create(dir: &Path, quantiles: &[f64]) -> anyhow::Result<Self> {
        Ok(Self {
            sink: LogSink::create(dir)?,
            quantiles: quantiles.iter().copied().map(name_of).collect(),
            runs: BTreeMap::new(),
        })
    }

    fn row(&mut self, row: &Aggregate<'_>) -> anyhow::Result<()> {
        let single = [
            ("mean", Some(row.mean)),
            ("std", row.std),
            ("min", Some(row.min)),
            ("max", Some(row.max)),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let quantiles = self.quantiles.iter().map(String::as_str);
        let all: Vec<(String, f64)> = single
            .chain(quantiles.zip(row.quantiles.iter().copied()))
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let runs = &mut self.runs;
        let events: Vec<Event> = all
            .into_iter()
            .map(|(name, value)| {
                let run = runs
                    .entry((row.run.clone(), name))
                    .or_insert_with_key(|(run, name)| RunName::from(run.path_of(name)));
                Event::new(run.clone(), row.tag.clone(), row.step, row.wall_time, value)
            })
            .collect();
        self.sink.accept(&events).map_err(|error| anyhow!(error))
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.sink.finish().map_err(|error| anyhow!(error))
    }
}
