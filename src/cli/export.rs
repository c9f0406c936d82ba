//! `modelpulse export`: a log as a table.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use super::Verdict;
use super::progress::{Progress, Shown};
use super::select::{Resumed, Select};
use crate::export::{Files, Format, LongTable, backfill, partition_name, wide_table};
use crate::flow::Source;
use crate::log::LogReader;
use crate::types::RunName;

/// Write a log as a table: CSV, JSON lines or Parquet
///
/// Every value is written, none is sampled, but what a resumed run wrote anew counts once: --restart keep-all writes
/// all of it. A row is a value: run, tag, step, wall_time, plugin, and value, content
/// or file, whichever the kind has. Texts are content, histograms, hyperparameters and tensors are content as JSON;
/// images, sounds and graphs become files beside the table.
///
/// With --wide a row is a step, and each tag is a column: scalars only.
///
/// Exit code: 0, or 2 if the log cannot be read or the table cannot be written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory: of one run, or one above many; any TensorBoard log will do
    logdir: PathBuf,

    /// The table: a file, '-' for standard output, or with --by-run a directory; files that are there are replaced
    #[arg(long, short, value_name = "PATH", default_value = "-")]
    output: PathBuf,

    /// csv, jsonl or parquet [default: as the output's name ends, else csv]
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<Format>,

    /// One row a step and one column a tag, scalars only
    #[arg(long)]
    wide: bool,

    /// Time-stamped OpenMetrics, which 'promtool tsdb create-blocks-from openmetrics' loads into Prometheus: scalars only
    #[arg(long, conflicts_with_all = ["format", "wide", "by_run", "files", "no_files"])]
    openmetrics: bool,

    /// One table a run, in directories named run=NAME as Hive, DuckDB and pyarrow know them
    #[arg(long)]
    by_run: bool,

    /// Where images, sounds and graphs go; must be new or empty [default: the output's name with _files behind it]
    #[arg(long, value_name = "DIR", conflicts_with = "wide")]
    files: Option<PathBuf>,

    /// No files of images, sounds and graphs, only their rows
    #[arg(long, conflicts_with = "files")]
    no_files: bool,

    /// Say what was written as one JSON object, on standard error where the table goes to standard output
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    resumed: Resumed,

    #[command(flatten)]
    select: Select,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse export runs > runs.csv
  modelpulse export runs -o runs.parquet --tag '*loss' --steps 1000..
  modelpulse export runs -o table --by-run -f parquet
  duckdb -c \"select run, max(value) from 'table/*/*.parquet' where tag = 'epoch_accuracy' group by run\"
  modelpulse export runs --wide -o wide.csv
  modelpulse export runs --openmetrics -o runs.om
  promtool tsdb create-blocks-from openmetrics runs.om data";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let to_stdout = args.output.as_os_str() == "-";
    if to_stdout && args.by_run {
        bail!("--by-run makes many tables: name a directory by --output");
    }
    let format = match (args.format, args.output.extension()) {
        (Some(format), _) => format,
        (None, Some(extension)) if !args.by_run && !to_stdout && !args.openmetrics => {
            let parsed = extension.to_string_lossy().parse();
            parsed.map_err(|error: String| {
                anyhow!("cannot tell the format by the name of the output: {error}; use --format")
            })?
        }
        _ => Format::Csv,
    };
    let files = files(&args, to_stdout)?;
    let takes = |run: &RunName| args.select.takes_run(run);
    let mut progress = Progress::new("exporting", [&args.logdir], takes)?;
    if to_stdout {
        progress = progress.beside_output();
    }
    let mut job = Job {
        args: &args,
        format,
        files,
        progress,
        values: 0,
        rows: 0,
        tables: 0,
    };
    if args.by_run {
        for run in LogReader::run_names(&args.logdir)? {
            if args.select.takes_run(&run) {
                let name = format!("part-0.{}", format.extension());
                let path = args
                    .output
                    .join(partition_name("run", run.as_str()))
                    .join(name);
                job.table(&path, |name| *name == run)?;
            }
        }
    } else {
        job.table(&args.output, |name| args.select.takes_run(name))?;
    }
    job.progress.end();
    let Job {
        values,
        rows,
        tables,
        ..
    } = job;
    if values == 0 {
        bail!("{} has no such values", args.logdir.display());
    }
    let line = if args.json {
        json!({ "output": args.output, "tables": tables, "values": values, "rows": rows })
            .to_string()
    } else if to_stdout {
        return Ok(Verdict::Well);
    } else {
        format!(
            "{rows} rows of {values} values in {}",
            args.output.display()
        )
    };
    if args.json && !to_stdout {
        writeln!(std::io::stdout(), "{line}")?;
    } else {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    Ok(Verdict::Well)
}

/// Where files go, if anywhere; a table names them relative to itself.
fn files(args: &Args, to_stdout: bool) -> anyhow::Result<Option<Files>> {
    let (dir, shown_as) = match &args.files {
        _ if args.no_files || args.wide || args.openmetrics => return Ok(None),
        Some(dir) => (dir.clone(), dir.to_string_lossy().into_owned()),
        // Nobody asked for files beside a pipe.
        None if to_stdout => return Ok(None),
        None => {
            let mut name = args.output.file_stem().unwrap_or_default().to_owned();
            name.push("_files");
            let up = if args.by_run { "../../" } else { "" };
            let shown_as = format!("{up}{}", name.to_string_lossy());
            (args.output.with_file_name(name), shown_as)
        }
    };
    Ok(Some(Files::new(dir, shown_as)?))
}

struct Job<'a> {
    args: &'a Args,
    format: Format,
    files: Option<Files>,
    progress: Progress,
    values: u64,
    rows: u64,
    tables: u64,
}

impl Job<'_> {
    /// Writes one table of some runs.
    fn table(&mut self, path: &Path, takes: impl Fn(&RunName) -> bool) -> anyhow::Result<()> {
        let Args {
            select,
            resumed,
            logdir,
            ..
        } = self.args;
        let edited = select.open(logdir, resumed, takes)?;
        let mut source = Shown::new(edited, self.progress.clone());
        let out = open(path)?;
        self.rows += if self.args.openmetrics {
            let out = std::io::BufWriter::new(out);
            backfill(&mut source, out).map_err(|error| anyhow!(error))?
        } else if self.args.wide {
            let table = |columns: &[_]| self.format.table(columns, out);
            wide_table(&mut source, table).map_err(|error| anyhow!(error))?
        } else {
            let mut long = LongTable::new(
                self.format.table(&LongTable::columns(), out)?,
                self.files.take(),
            );
            let drained = source.drain_into(&mut long);
            drained.map_err(|error| anyhow!(error))?;
            let rows = long.rows();
            self.files = long.into_files();
            rows
        };
        self.values += source.events();
        self.tables += 1;
        source.warn(|log| log.source().problems());
        Ok(())
    }
}

/// A file, made with its directory, or standard output.
pub(super) fn open(path: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdout()));
    }
    let failed = || format!("cannot write {}", path.display());
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).with_context(failed)?;
    }
    let file = File::create(path).with_context(failed)?;
    Ok(Box::new(file))
}
