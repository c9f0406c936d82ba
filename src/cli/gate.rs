//! `modelpulse gate`: is a candidate as good as the baseline? For pull requests.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{anyhow, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use super::Verdict;
use super::inspect::{escape, short, write_table};
use super::json::number;
use super::progress::{Progress, Shown};
use super::select::Resumed;
use super::wildcard::Wildcard;
use crate::flow::Source;
use crate::health::{Allowance, Courses, Direction, GateVerdict};
use crate::log::PurgedReader;

/// Compare a candidate with a baseline, metric by metric: where each ended, and the best that it came to
///
/// Compared are the metrics of the held-out split, those of all splits if none is named so, whose name tells whether
/// more is better (accuracy, AUC, F1 …) or less (loss, error …); single batches are not. A value that is worse by more
/// than --tol plus --rtol times the baseline's, that is no number, or that is not there fails.
///
/// Exit code: 0 if the candidate passes, 1 if a metric is worse, 2 if a log cannot be read or there is nothing to
/// compare.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory of the version that is good enough
    #[arg(long, value_name = "RUN")]
    baseline: PathBuf,

    /// The log directory of the version that may replace it
    #[arg(long, value_name = "RUN")]
    candidate: PathBuf,

    /// Compare the metrics of this path, run/tag, where '*' stands for anything; may be given several times
    #[arg(long = "metric", value_name = "PATH")]
    metrics: Vec<Wildcard>,

    /// How much worse a value may be, in its own unit: of all metrics, or '[PATH=]TOL' of some; the last that fits counts
    #[arg(long, value_name = "[PATH=]TOL", allow_hyphen_values = true)]
    tol: Vec<Tolerance>,

    /// How much worse a value may be as a part of the baseline's, such as 0.02; likewise
    #[arg(long, value_name = "[PATH=]TOL", allow_hyphen_values = true)]
    rtol: Vec<Tolerance>,

    /// More is better of the metrics of this path, whatever their name says
    #[arg(long, value_name = "PATH")]
    up: Vec<Wildcard>,

    /// Less is better of the metrics of this path
    #[arg(long, value_name = "PATH")]
    down: Vec<Wildcard>,

    /// Which value counts
    #[arg(long, value_enum, default_value_t = Which::Both)]
    value: Which,

    /// Print one JSON object
    #[arg(long, conflicts_with = "markdown")]
    json: bool,

    /// Print a table in Markdown, for a comment on a pull request
    #[arg(long)]
    markdown: bool,

    #[command(flatten)]
    resumed: Resumed,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse gate --baseline runs/main --candidate runs/pr-17
  modelpulse gate --baseline runs/main --candidate runs/pr-17 --rtol 0.02 --tol '*accuracy=0.005'
  modelpulse gate --baseline a --candidate b --metric 'eval/epoch_f1' --metric '*latency_ms' --value final
  modelpulse gate --baseline a --candidate b --metric 'eval/churn' --down 'eval/churn'
  modelpulse gate --baseline a --candidate b --markdown >> \"$GITHUB_STEP_SUMMARY\"";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// The last one
    Final,
    /// The best one
    Best,
    /// Both must hold
    Both,
}

/// `[PATH=]TOL`.
#[derive(Debug, Clone)]
struct Tolerance {
    path: Option<Wildcard>,
    by: f64,
}

impl FromStr for Tolerance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, by) = match text.rsplit_once('=') {
            Some((path, by)) => {
                let Ok(path) = path.parse();
                (Some(path), by)
            }
            None => (None, text),
        };
        match by.parse::<f64>() {
            Ok(by) if by >= 0.0 => Ok(Self { path, by }),
            _ => Err(format!("'{by}' is not a number from 0 on")),
        }
    }
}

impl Tolerance {
    /// What counts for the metric at `path`.
    fn of(all: &[Self], path: &str) -> f64 {
        let fits = |it: &&Self| it.path.as_ref().is_none_or(|it| it.matches(path));
        all.iter().rev().find(fits).map_or(0.0, |it| it.by)
    }
}

/// One value of the candidate beside that of the baseline; NaN where there is none.
struct Row<'a> {
    metric: &'a str,
    direction: Direction,
    /// `final` or `best`.
    value: &'static str,
    baseline: f64,
    candidate: f64,
    allowed: f64,
    verdict: GateVerdict,
    missing: bool,
}

impl Row<'_> {
    fn word(&self) -> &'static str {
        if self.missing {
            "missing"
        } else {
            self.verdict.name()
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let (baseline, candidate) = (
        courses(&args, &args.baseline)?,
        courses(&args, &args.candidate)?,
    );
    let metrics: Vec<&str> = if args.metrics.is_empty() {
        baseline.telling()
    } else {
        let all = baseline.iter().map(|(path, _)| path);
        all.filter(|path| matches(&args.metrics, path)).collect()
    };
    if metrics.is_empty() {
        bail!(
            "{} has no such metrics: name one by --metric, and by --up or --down if its name does not tell which is better; it has {}",
            args.baseline.display(),
            some(baseline.iter().map(|(path, _)| path))
        );
    }
    if !metrics.iter().any(|metric| candidate.get(metric).is_some()) {
        bail!(
            "{} has none of the metrics of {}: {}; it has {}",
            args.candidate.display(),
            args.baseline.display(),
            some(metrics.into_iter()),
            some(candidate.iter().map(|(path, _)| path))
        );
    }
    let mut rows = Vec::new();
    for metric in metrics {
        rows.extend(compare(&args, metric, &baseline, &candidate)?);
    }
    let worse = rows.iter().filter(|row| row.verdict == GateVerdict::Worse);
    let worse = worse.count();
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if args.json {
        writeln!(out, "{}", as_json(&args, &rows, worse == 0))?;
    } else if args.markdown {
        write!(out, "{}", as_markdown(&args, &rows, worse))?;
    } else {
        write_table(&mut out, &table(&rows))?;
    }
    out.flush()?;
    if !args.json && !args.markdown {
        eprintln!("{}", sentence(rows.len(), worse));
    }
    Ok(match worse {
        0 => Verdict::Well,
        _ => Verdict::Unwell,
    })
}

fn courses(args: &Args, dir: &Path) -> anyhow::Result<Courses> {
    let progress = Progress::new("reading", [dir], |_| true)?;
    let log = PurgedReader::open_runs(dir, args.resumed.policy(), |_| true)?;
    let mut source = Shown::new(log, progress.clone());
    let mut courses = Courses::default();
    source
        .drain_into(&mut courses)
        .map_err(|error| anyhow!(error))?;
    source.warn(PurgedReader::problems);
    progress.end();
    Ok(courses)
}

fn matches(patterns: &[Wildcard], path: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

/// A few names.
fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.take(9).collect();
    match names[..] {
        [] => "none".to_owned(),
        [ref shown @ .., _] if names.len() == 9 => format!("{} …", shown.join(", ")),
        _ => names.join(", "),
    }
}

fn compare<'a>(
    args: &Args,
    metric: &'a str,
    baseline: &Courses,
    candidate: &Courses,
) -> anyhow::Result<Vec<Row<'a>>> {
    let direction = match (matches(&args.up, metric), matches(&args.down, metric)) {
        (true, true) => bail!("{metric} is both --up and --down"),
        (true, false) => Direction::Up,
        (false, true) => Direction::Down,
        (false, false) => match Direction::of(metric) {
            Some(direction) => direction,
            None => bail!(
                "the name of {metric} does not tell whether more or less is better: say --up '{metric}' or --down '{metric}'"
            ),
        },
    };
    let allowance = Allowance {
        absolute: Tolerance::of(&args.tol, metric),
        relative: Tolerance::of(&args.rtol, metric),
    };
    let (ours, theirs) = (candidate.get(metric), baseline.get(metric));
    let row = |value, of: &dyn Fn(&crate::health::Course) -> f64| {
        let (baseline, candidate) = (theirs.map_or(f64::NAN, of), ours.map_or(f64::NAN, of));
        Row {
            metric,
            direction,
            value,
            baseline,
            candidate,
            allowed: allowance.at(baseline),
            verdict: allowance.judge(direction, baseline, candidate),
            missing: ours.is_none(),
        }
    };
    let mut rows = Vec::new();
    if args.value != Which::Best {
        rows.push(row("final", &|course| course.last));
    }
    if args.value != Which::Final {
        rows.push(row("best", &|course| course.best(direction)));
    }
    Ok(rows)
}

const HEADING: [&str; 8] = [
    "METRIC",
    "VALUE",
    "BASELINE",
    "CANDIDATE",
    "CHANGE",
    "ALLOWED",
    "BETTER",
    "VERDICT",
];

fn table(rows: &[Row<'_>]) -> Vec<[String; 8]> {
    let mut lines = vec![HEADING.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    lines
}

fn cells(row: &Row<'_>) -> [String; 8] {
    let change = row.candidate - row.baseline;
    let (allowed, sign) = match row.direction {
        Direction::Up => (-row.allowed, "more"),
        Direction::Down => (row.allowed, "less"),
    };
    let signed = |number: f64| match number {
        0.0 => "0".to_owned(),
        number if number > 0.0 => format!("+{}", short(number)),
        number => short(number),
    };
    let candidate = if row.missing {
        "–".to_owned()
    } else {
        short(row.candidate)
    };
    [
        escape(row.metric),
        row.value.to_owned(),
        short(row.baseline),
        candidate,
        if row.missing {
            "–".to_owned()
        } else {
            signed(change)
        },
        signed(allowed),
        sign.to_owned(),
        row.word().to_owned(),
    ]
}

fn sentence(rows: usize, worse: usize) -> String {
    match worse {
        0 => format!("passed: none of {rows} values is worse"),
        _ => format!("failed: {worse} of {rows} values are worse"),
    }
}

fn as_markdown(args: &Args, rows: &[Row<'_>], worse: usize) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let mut cells = cells(row).to_vec();
        if row.verdict == GateVerdict::Worse
            && let Some(verdict) = cells.last_mut()
        {
            *verdict = format!("**{verdict}**");
        }
        cells[0] = format!("`{}`", cells[0].replace('`', "'"));
        lines.push(cells);
    }
    let heading = HEADING.map(str::to_lowercase);
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let table = crate::summary::Text::table(&heading, &lines);
    format!(
        "**modelpulse gate {}**\n\n`{}` against the baseline `{}`\n\n{}",
        sentence(rows.len(), worse),
        args.candidate.display(),
        args.baseline.display(),
        table.markdown()
    )
}

fn as_json(args: &Args, rows: &[Row<'_>], passed: bool) -> Value {
    let row = |row: &Row<'_>| {
        let candidate = match row.missing {
            true => Value::Null,
            false => number(row.candidate),
        };
        json!({
            "metric": row.metric,
            "value": row.value,
            "direction": row.direction.name(),
            "baseline": number(row.baseline),
            "candidate": candidate,
            "allowed": number(row.allowed),
            "verdict": row.word(),
        })
    };
    json!({
        "passed": passed,
        "baseline": args.baseline,
        "candidate": args.candidate,
        "metrics": rows.iter().map(row).collect::<Vec<_>>(),
    })
}
