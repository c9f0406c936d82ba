//! `modelpulse inspect`: what a log holds, and what is wrong with it.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::progress::Progress;
use super::{Verdict, json, tensor};
use crate::log::{
    FileSummary, Inspection, Log, LogRun, Problem, Restart, RunSummary, SeriesSummary,
};
use crate::proto::DataClass;

mod text;

pub(super) use text::{escape, short, write_table};

/// Show what a log holds: runs, tags, kinds, steps, values, files, and damage
///
/// Any TensorBoard log will do, and any damage: what cannot be read is passed over and said, and all
/// whole records behind it are read. MIN and MAX are those of the finite numbers.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory, of one run or one above many; or one event file
    logdir: PathBuf,

    /// What a resumed run leaves out of the points that it wrote anew
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = clap::value_parser!(Restart))]
    restart: Restart,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// With --json: all points of each tag, as [step, wall time, value]
    #[arg(long, requires = "json")]
    points: bool,
}

const EXAMPLES: &str = "\
Policies for resumed runs (--restart):
  tensorboard   as TensorBoard's Python loader: a session's START voids earlier points at its step or
                later, but a run's first START voids nothing
  data-server   as TensorBoard's data server: in each tag, a point voids earlier ones at its step or later
  keep-all      everything that was written
  purge         every START voids earlier points at its step or later, as the writer meant it

Examples:
  modelpulse inspect runs
  modelpulse inspect runs/digits-001 --restart keep-all
  modelpulse inspect runs --json | jq '.runs[].tags | keys'
  modelpulse inspect runs --json --points > points.json";

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut out = BufWriter::new(std::io::stdout());
    let logdir = &args.logdir;
    let progress = Progress::new("reading", [logdir], |_| true)?;
    if args.points {
        let log = Log::open_with(logdir, |bytes| progress.add(bytes))?;
        progress.end();
        write_points(&mut out, &args, &log)?;
        out.flush()?;
        warn(log.problems());
        return Ok(Verdict::Well);
    }
    let found = Inspection::of(logdir, args.restart, |bytes| progress.add(bytes))?;
    progress.end();
    if args.json {
        let object = json!({
            "runs": found.runs.iter().map(|(name, run)| (name.to_string(), run_json(run)))
                .collect::<Map<_, _>>(),
            "files": found.files.iter().map(|file| (relative(logdir, &file.path), file_json(file)))
                .collect::<Map<_, _>>(),
        });
        serde_json::to_writer(&mut out, &object)?;
        writeln!(out)?;
    } else {
        text::write(&mut out, logdir, &found)?;
    }
    out.flush()?;
    warn(found.problems());
    Ok(Verdict::Well)
}

fn warn<'a>(problems: impl Iterator<Item = &'a Problem>) {
    const SHOWN: usize = 20;
    let mut more = 0;
    for (index, problem) in problems.enumerate() {
        if index < SHOWN {
            eprintln!("warning: {problem}");
        } else {
            more += 1;
        }
    }
    if more > 0 {
        eprintln!("warning: {more} more problems");
    }
}

/// A file's path below the log directory.
pub(super) fn relative(logdir: &Path, path: &Path) -> String {
    match path.strip_prefix(logdir) {
        Ok(below) if !below.as_os_str().is_empty() => below.to_string_lossy().into_owned(),
        _ => path.file_name().map_or_else(
            || path.to_string_lossy().into_owned(),
            |name| name.to_string_lossy().into_owned(),
        ),
    }
}

fn run_json(run: &RunSummary) -> Value {
    let tags = run.series.iter();
    let tags = tags.map(|(tag, series)| (tag.to_string(), Value::Object(series_json(series))));
    json!({
        "start_time": run.start_time.map(json::number),
        "tags": tags.collect::<Map<_, _>>(),
    })
}

pub(super) fn class_name(class: DataClass) -> &'static str {
    match class {
        DataClass::Unknown => "UNKNOWN",
        DataClass::Scalar => "SCALAR",
        DataClass::Tensor => "TENSOR",
        DataClass::BlobSequence => "BLOB_SEQUENCE",
    }
}

fn series_json(series: &SeriesSummary) -> Map<String, Value> {
    let (first, last) = (series.first(), series.last());
    let step = |end: Option<(crate::Step, f64)>| end.map(|(step, _)| step.as_i64());
    let time = |end: Option<(crate::Step, f64)>| end.map(|(_, time)| json::number(time));
    let fields: [(&str, Value); 11] = [
        ("plugin", series.plugin.as_str().into()),
        ("data_class", class_name(series.data_class).into()),
        ("count", series.count().into()),
        ("first_step", step(first).into()),
        ("last_step", step(last).into()),
        ("first_wall_time", time(first).into()),
        ("last_wall_time", time(last).into()),
        ("min", series.min().map(json::number).into()),
        ("max", series.max().map(json::number).into()),
        ("last", series.last_number().map(json::number).into()),
        ("nonfinite", series.nonfinite().into()),
    ];
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn file_json(file: &FileSummary) -> Value {
    file_parts(file.bytes, file.records, &file.problems, file.recovered)
}

fn file_parts(bytes: u64, records: u64, problems: &[Problem], recovered: u64) -> Value {
    json!({
        "bytes": bytes,
        "records": records,
        "problems": problems.iter().map(problem_json).collect::<Vec<_>>(),
        "recovered": recovered,
    })
}

pub(super) fn problem_json(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind.name(),
        "offset": problem.offset,
        "length": problem.length,
        "message": problem.kind.to_string(),
        "step_before": problem.before.map(crate::Step::as_i64),
        "step_after": problem.after.map(crate::Step::as_i64),
    })
}

/// The same object with all points, written as they are read.
fn write_points(out: &mut impl Write, args: &Args, log: &Log) -> anyhow::Result<()> {
    write!(out, "{{\"runs\":{{")?;
    for (index, run) in log.runs(args.restart).enumerate() {
        separate(out, index)?;
        let start_time = serde_json::to_string(&run.start_time().map(json::number))?;
        let name = serde_json::to_string(run.name().as_str())?;
        write!(out, "{name}:{{\"start_time\":{start_time},\"tags\":{{")?;
        for (index, (tag, series)) in RunSummary::from(&run).series.iter().enumerate() {
            separate(out, index)?;
            write!(out, "{}:{{", serde_json::to_string(tag.as_str())?)?;
            for (key, value) in series_json(series) {
                write!(out, "\"{key}\":{value},")?;
            }
            write!(out, "\"points\":[")?;
            write_series(out, &run, tag.as_str())?;
            write!(out, "]}}")?;
        }
        write!(out, "}}}}")?;
    }
    write!(out, "}},\"files\":{{")?;
    for (index, file) in log.files().enumerate() {
        separate(out, index)?;
        let path = serde_json::to_string(&relative(&args.logdir, file.path()))?;
        let (problems, recovered) = (file.problems(), file.recovered());
        let file = file_parts(file.bytes(), file.records(), problems, recovered);
        write!(out, "{path}:{file}")?;
    }
    writeln!(out, "}}}}")?;
    Ok(())
}

fn write_series(out: &mut impl Write, run: &LogRun<'_>, tag: &str) -> anyhow::Result<()> {
    let Some(series) = run.series(tag) else {
        return Ok(());
    };
    let mut values = series.values();
    for (index, point) in series.points().enumerate() {
        separate(out, index)?;
        let value = match point.number {
            Some(number) => json::number(number),
            None => match values.read(&point) {
                Ok(value) => tensor::json(&value),
                Err(error) => json!({ "error": error.to_string() }),
            },
        };
        let wall_time = json::number(point.wall_time);
        write!(out, "[{},{wall_time},{value}]", point.step)?;
    }
    Ok(())
}

fn separate(out: &mut impl Write, index: usize) -> std::io::Result<()> {
    if index > 0 {
        write!(out, ",")?;
    }
    Ok(())
}
