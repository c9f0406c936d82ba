//! `modelpulse power`: how often drift tests and detectors alarm, at nothing and at a change.

use std::io::Write;
use std::ops::ControlFlow;
use std::str::FromStr;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::Verdict;
use super::json::number;
use crate::drift::power::{Heard, Plan, Rate, StreamPlan};

/// Measure how often each drift test and detector alarms: at nothing, and at a change that is there
///
/// Samples are drawn at random, so each rate has a standard error; the same seed gives the same rates on every machine.
/// A test alarms at a p-value of at most --level, a distance at the threshold that is usual for it; the verdict is that
/// of 'modelpulse drift'. Detectors have their defaults. All of it takes some minutes on all cores.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Measure only these
    #[arg(long, value_enum)]
    only: Option<Part>,

    /// The sizes of the reference and of the current sample, such as 1000/100; may be given several times
    #[arg(long = "size", value_name = "N/M")]
    sizes: Vec<Sizes>,

    /// How often samples are drawn where nothing changes; less often where that takes long, or something changes
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// The seed of what is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// The nominal level of the tests
    #[arg(long, default_value_t = 0.05)]
    level: f64,

    /// A look in seconds: few runs, no large samples
    #[arg(long, conflicts_with = "runs")]
    quick: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse power --quick
  modelpulse power --only tests --size 5000/200 --size 200/5000
  modelpulse power --only detectors --json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Tests and verdicts on samples of one feature
    Tests,
    /// Those on samples of several features
    Several,
    /// Detectors on streams
    Detectors,
}

#[derive(Debug, Clone, Copy)]
struct Sizes([usize; 2]);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sizes = text.split_once('/').and_then(|(n, m)| {
            let size = |text: &str| text.parse().ok().filter(|n| (1..=MOST).contains(n));
            Some([size(n)?, size(m)?])
        });
        let sizes = sizes.map(Self);
        sizes.ok_or_else(|| format!("two sizes of 1 to {MOST}, such as 1000/100"))
    }
}

/// The largest sample that is drawn.
const MOST: usize = 10_000_000;
/// Of `--quick`: how many runs, and up to which size.
const QUICK: (u32, usize) = (400, 1_001);

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    ensure!(
        args.level > 0.0 && args.level < 1.0,
        "--level must be between 0 and 1, not {}",
        args.level
    );
    let runs = if args.quick { QUICK.0 } else { args.runs };
    let mut plan = Plan::default().runs(runs).seed(args.seed).level(args.level);
    if !args.sizes.is_empty() {
        plan = plan.sizes(args.sizes.iter().map(|sizes| sizes.0));
    } else if args.quick {
        plan.sizes.retain(|sizes| sizes[0].max(sizes[1]) <= QUICK.1);
    }
    // A stream is as good as many samples.
    let streams = StreamPlan::default()
        .runs(runs.div_ceil(50))
        .seed(args.seed);

    let wanted = |part| args.only.is_none_or(|only| only == part);
    plan.scenarios.retain(|(population, _)| {
        wanted(match population.is_of_several() {
            true => Part::Several,
            false => Part::Tests,
        })
    });
    let rates = with_progress("tests", |progress| plan.measure(progress));
    let heard = if wanted(Part::Detectors) {
        with_progress("detectors", |progress| streams.measure(progress))
    } else {
        Vec::new()
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let tests: Vec<Value> = rates.iter().map(of_test).collect();
        let detectors: Vec<Value> = heard.iter().map(of_detector).collect();
        let object = json!({
            "level": args.level, "seed": args.seed, "tests": tests, "detectors": detectors,
        });
        writeln!(out, "{object}").context("standard output")?;
        return Ok(Verdict::Well);
    }
    if !rates.is_empty() {
        writeln!(
            out,
            "Tests: alarms in % of all runs, ± standard error, at a nominal level of {} %, by sizes of reference/current",
            args.level * 100.0
        )?;
    }
    let scenario = |rate: &Rate| (rate.population, rate.change);
    for rates in rates.chunk_by(|a, b| scenario(a) == scenario(b)) {
        let [first, ..] = rates else { continue };
        writeln!(out, "\n{}, {}", first.population, first.change)?;
        write_table(&mut out, &of_tests(rates))?;
    }
    if !heard.is_empty() {
        let between = if rates.is_empty() { "" } else { "\n" };
        writeln!(
            out,
            "{between}Detectors on streams that do not change: alarms in 10,000 values, ± standard error"
        )?;
        write_table(&mut out, &still(&heard))?;
        writeln!(
            out,
            "\nDetectors on streams that change after {} values: % found within {} values, after how many on average",
            streams.change, streams.within
        )?;
        write_table(&mut out, &changing(&heard))?;
    }
    Ok(Verdict::Well)
}

/// A bar on a terminal, nothing elsewhere.
fn with_progress<T>(
    what: &'static str,
    work: impl FnOnce(&(dyn Fn(u64, u64) -> ControlFlow<()> + Sync)) -> T,
) -> T {
    let style = ProgressStyle::with_template("{msg} {bar:30} {percent}% of {len} runs  {eta}");
    let bar = ProgressBar::new(0)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what);
    let answer = work(&|done, all| {
        bar.set_length(all);
        bar.set_position(done);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    answer
}

fn of_test(rate: &Rate) -> Value {
    let [reference, current] = rate.sizes;
    json!({
        "test": rate.test.trim_start(), "population": rate.population.to_string(), "change": rate.change.to_string(),
        "reference": reference, "current": current, "runs": rate.runs, "undefined": rate.undefined,
        "alarms": rate.alarms, "rate": number(rate.rate()), "standard_error": number(rate.standard_error()),
    })
}

fn of_detector(heard: &Heard) -> Value {
    json!({
        "detector": heard.detector, "stream": heard.stream.to_string(), "runs": heard.runs,
        "values": heard.values, "alarms": heard.alarms, "per_10_000": number(heard.per_10_000()),
        "standard_error": number(heard.standard_error()),
        "found": heard.power(), "delay": heard.delay(),
    })
}

/// A line a test, a column a size.
fn of_tests(rates: &[Rate]) -> Vec<Vec<String>> {
    let mut names: Vec<&str> = Vec::new();
    for rate in rates {
        if !names.contains(&rate.test) {
            names.push(rate.test);
        }
    }
    let columns: Vec<&[Rate]> = rates.chunk_by(|a, b| a.sizes == b.sizes).collect();
    let cell = |column: &[Rate], name: &str| {
        let rate = column.iter().find(|rate| rate.test == name)?;
        let [share, error] = [rate.rate(), rate.standard_error()].map(|it| it * 100.0);
        (rate.runs > 0).then(|| format!("{share:.1}±{error:.1}"))
    };
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(columns.iter().map(|column| {
        let sizes = column.first().map_or([0, 0], |rate| rate.sizes);
        sizes.map(short).join("/")
    }));
    lines.extend(names.into_iter().map(|name| {
        let cells = columns
            .iter()
            .map(|column| cell(column, name).unwrap_or_else(|| "–".to_owned()));
        [name.to_owned()].into_iter().chain(cells).collect()
    }));
    lines
}

/// 100000 as 100k.
fn short(size: usize) -> String {
    if size >= 10_000 && size.is_multiple_of(1000) {
        format!("{}k", size / 1000)
    } else {
        size.to_string()
    }
}

fn still(heard: &[Heard]) -> Vec<Vec<String>> {
    of_detectors(heard.iter().filter(|it| it.stream.is_stationary()), |it| {
        format!("{:.2}±{:.2}", it.per_10_000(), it.standard_error())
    })
}

fn changing(heard: &[Heard]) -> Vec<Vec<String>> {
    of_detectors(heard.iter().filter(|it| !it.stream.is_stationary()), |it| {
        let found = it.power().unwrap_or(f64::NAN) * 100.0;
        let delay = it
            .delay()
            .map_or_else(String::new, |delay| format!(", {delay:.0}"));
        format!("{found:.0}{delay}")
    })
}

/// A line a detector, a column a stream.
fn of_detectors<'a>(
    heard: impl Iterator<Item = &'a Heard>,
    cell: impl Fn(&Heard) -> String,
) -> Vec<Vec<String>> {
    let heard: Vec<&Heard> = heard.collect();
    let (mut streams, mut names) = (Vec::new(), Vec::new());
    for it in &heard {
        if !streams.contains(&it.stream) {
            streams.push(it.stream);
        }
        if !names.contains(&it.detector) {
            names.push(it.detector);
        }
    }
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(streams.iter().map(ToString::to_string));
    lines.extend(names.into_iter().map(|name| {
        let of = |stream| {
            heard
                .iter()
                .find(|it| it.detector == name && it.stream == stream)
        };
        let cells = streams
            .iter()
            .map(|&stream| of(stream).map_or_else(|| "–".to_owned(), |it| cell(it)));
        [name.to_owned()].into_iter().chain(cells).collect()
    }));
    lines
}

/// Names to the left, numbers to the right.
fn write_table(out: &mut impl Write, lines: &[Vec<String>]) -> std::io::Result<()> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    for line in lines {
        let mut text = String::new();
        for (at, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            text += &match at {
                0 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
