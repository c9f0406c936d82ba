//! `modelpulse diff`: what two logs have that is not the same.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde_json::{Value, json};

use super::Verdict;
use super::json::{number, shown};
use super::progress::{Progress, Shown};
use super::select::{Rename, Resumed, Select};
use crate::flow::Source;
use crate::log::PurgedReader;
use crate::replay::{Differ, Differences, Edited, SeriesDifference, Side, Tolerance};
use crate::types::{RunName, Tag};

/// Compare two logs: missing tags, values that are apart, and where two runs part
///
/// Series are compared by run and tag, value by value at each step; wall times do not count. Texts, images and the
/// like are equal or not. NaN equals NaN.
///
/// Exit code: 0 if there is no difference, 1 if there is one, 2 if a log cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The first log directory
    a: PathBuf,

    /// The second log directory
    b: PathBuf,

    /// How far apart two numbers may be: |a - b| <= TOL
    #[arg(long, value_name = "TOL", default_value_t = 0.0, value_parser = tolerance)]
    tol: f64,

    /// How far apart two numbers may be as a share of the second one, in addition
    #[arg(long, value_name = "TOL", default_value_t = 0.0, value_parser = tolerance)]
    rtol: f64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    resumed: Resumed,

    #[command(flatten)]
    select: Select,

    #[command(flatten)]
    rename: Rename,
}

const EXAMPLES: &str = "\
Names, steps and times are changed in the first log only, so that runs of other names can be compared.

Examples:
  modelpulse diff runs/before runs/after
  modelpulse diff runs/before runs/after --tol 1e-6 --drop-tag 'time/*'
  modelpulse diff runs runs --run 'seed-1*' --rename-run 'seed-1*=seed-2*'";

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(tolerance) if tolerance >= 0.0 => Ok(tolerance),
        _ => Err("must be a number that is not negative".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut differ = Differ::default();
    let progress = Progress::new("comparing", [&args.a, &args.b], |_| true)?;
    for (side, dir) in [(Side::A, &args.a), (Side::B, &args.b)] {
        let edit = match side {
            Side::A => args.select.edit_with(Some(&args.rename)),
            Side::B => args.select.edit_of_renamed(&args.rename),
        };
        let log = PurgedReader::open_runs(dir, args.resumed.policy(), |_| true)?;
        let mut source = Shown::new(Edited::new(log, edit), progress.clone());
        while let Some(instant) = source.next_instant().map_err(|error| anyhow!(error))? {
            for event in &instant {
                differ.add(side, event)?;
            }
        }
        source.warn(|log| log.source().problems());
    }
    progress.end();
    let found = differ.finish(Tolerance {
        absolute: args.tol,
        relative: args.rtol,
    })?;
    if args.json {
        writeln!(std::io::stdout(), "{}", as_json(&found))?;
    } else {
        print(&args, &found)?;
    }
    if found.common == 0 && found.is_empty() {
        anyhow::bail!("neither log has such values");
    }
    Ok(if found.is_empty() {
        Verdict::Well
    } else {
        Verdict::Unwell
    })
}

fn print(args: &Args, found: &Differences) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let only = |dir: &Path, (run, tag, count): &(RunName, Tag, u64)| {
        format!(
            "only in {}: run={run} tag={tag} ({count} values)",
            dir.display()
        )
    };
    for series in &found.only_a {
        writeln!(out, "{}", only(&args.a, series))?;
    }
    for series in &found.only_b {
        writeln!(out, "{}", only(&args.b, series))?;
    }
    for series in &found.series {
        writeln!(out, "{}", line(series))?;
    }
    for run in &found.runs {
        let tags: Vec<&str> = run.tags.iter().map(Tag::as_str).collect();
        writeln!(
            out,
            "run {} parts at step {}: {}",
            run.run,
            run.first_step,
            tags.join(", ")
        )?;
    }
    out.flush()?;
    let missing = found.only_a.len() + found.only_b.len();
    let Differences {
        common, compared, ..
    } = found;
    eprintln!(
        "{compared} values of {common} series compared; {} series differ, {missing} are missing",
        found.series.len()
    );
    Ok(())
}

fn line(series: &SeriesDifference) -> String {
    let SeriesDifference {
        run,
        tag,
        compared,
        apart,
        largest,
        only_a,
        only_b,
        first_step,
        first: (a, b),
        ..
    } = series;
    let mut parts = Vec::new();
    if *apart > 0 {
        let by = if largest.is_nan() {
            String::new()
        } else {
            format!(" by up to {}", shown(*largest))
        };
        parts.push(format!("{apart} of {compared} values apart{by}"));
    }
    for (count, which) in [(only_a, "first"), (only_b, "second")] {
        if *count > 0 {
            parts.push(format!("{count} only in the {which}"));
        }
    }
    let or_none = |value: &Option<f64>| value.map_or_else(|| "-".to_owned(), shown);
    format!(
        "differs: run={run} tag={tag}: {}; first at step {first_step}: {} | {}",
        parts.join(", "),
        or_none(a),
        or_none(b)
    )
}

fn as_json(found: &Differences) -> Value {
    let only = |series: &[(RunName, Tag, u64)]| -> Value {
        let object = |(run, tag, count): &(RunName, Tag, u64)| json!({ "run": run.as_str(), "tag": tag.as_str(), "count": count });
        series.iter().map(object).collect()
    };
    let value = |value: Option<f64>| value.map_or(Value::Null, number);
    let series = |it: &SeriesDifference| {
        json!({
            "run": it.run.as_str(),
            "tag": it.tag.as_str(),
            "compared": it.compared,
            "apart": it.apart,
            "largest": number(it.largest),
            "only_a": it.only_a,
            "only_b": it.only_b,
            "first_step": it.first_step.as_i64(),
            "a": value(it.first.0),
            "b": value(it.first.1),
        })
    };
    let runs = found.runs.iter().map(|it| {
        let tags: Vec<&str> = it.tags.iter().map(Tag::as_str).collect();
        json!({ "run": it.run.as_str(), "first_step": it.first_step.as_i64(), "tags": tags })
    });
    json!({
        "equal": found.is_empty(),
        "compared": { "series": found.common, "values": found.compared },
        "only_a": only(&found.only_a),
        "only_b": only(&found.only_b),
        "series": found.series.iter().map(series).collect::<Vec<_>>(),
        "runs": runs.collect::<Vec<_>>(),
    })
}
