//! `modelpulse plot`: curves of a log as PNG or SVG, or on the terminal.

pub(super) mod chart;
mod reduced;
mod terminal;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

pub(super) use self::reduced::Line;
use super::Verdict;
use super::json::number;
use super::progress::{Progress, Shown};
use super::select::{Resumed, Select};
use crate::flow::Source;
use crate::replay::{Names, Point, Smoothing, Sorted, Sorter};
use crate::types::{RunName, Tag};

/// Plot scalars: as a picture (PNG or SVG), or on the terminal
///
/// Each tag is a chart, each run a line in it. Smoothing is TensorBoard's; behind a smoothed line the values
/// themselves are drawn faintly. NaN and infinite values leave a gap and a mark.
///
/// Exit code: 0, or 2 if the log cannot be read or has no such scalars.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory: of one run, or one above many; any TensorBoard log will do
    logdir: PathBuf,

    /// A picture, whose name ends in .png or .svg [default: the chart is drawn on the terminal]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The weight of what came before, from 0 up to less than 1; TensorBoard's own default is 0.6
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0, value_parser = weight)]
    smooth: f64,

    /// What is to the right
    #[arg(long, value_enum, default_value_t = Horizontal::Step)]
    x: Horizontal,

    /// The size of each chart: pixels of a picture [default: 800x400], characters on a terminal
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    size: Option<(u32, u32)>,

    /// Print what was plotted as one JSON object instead of the terminal's chart
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    resumed: Resumed,

    #[command(flatten)]
    select: Select,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse plot runs --tag epoch_loss
  modelpulse plot runs --tag '*loss' --smooth 0.6 -o loss.svg
  modelpulse plot runs --tag epoch_accuracy --run '*eval' --x time --size 1200x600 -o accuracy.png";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Horizontal {
    /// The step
    Step,
    /// Seconds since the first value of each line
    Time,
}

/// More charts than one looks at.
pub(super) const MOST_CHARTS: usize = 16;
/// More lines than one tells apart.
pub(super) const MOST_LINES: usize = 50;

fn weight(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(weight) if (0.0..1.0).contains(&weight) => Ok(weight),
        _ => Err("must be from 0 up to less than 1".to_owned()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parsed = text
        .split_once('x')
        .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match parsed {
        Some((width, height)) if (8..=8000).contains(&width) && (4..=8000).contains(&height) => {
            Ok((width, height))
        }
        _ => Err("write WIDTHxHEIGHT, such as 800x400".to_owned()),
    }
}

/// A chart: a tag, and a line a run.
pub(super) struct Chart {
    pub(super) tag: Tag,
    pub(super) lines: Vec<Line>,
    pub(super) overlay: Overlay,
}

/// What a picture shows behind the lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    /// What is to the right, if that is another thing than in other charts.
    pub(super) x: Option<&'static str>,
    /// A value that must not be passed.
    pub(super) threshold: Option<f64>,
    /// From where to where an alert was on, and whether it fired.
    pub(super) spans: Vec<(f64, f64, bool)>,
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let picture = args.output.as_deref().map(Picture::of).transpose()?;
    let charts = charts(&args)?;
    let x = match args.x {
        Horizontal::Step => "step",
        Horizontal::Time => "seconds",
    };
    if let (Some(path), Some(picture)) = (&args.output, picture) {
        let size = args.size.unwrap_or((800, 400));
        let bytes = match picture {
            Picture::Png => chart::png(&charts, x, size)?,
            Picture::Svg => chart::svg(&charts, x, size)?.into_bytes(),
        };
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout());
    if args.json {
        writeln!(out, "{}", as_json(&args, &charts))?;
    } else if args.output.is_none() {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let size = args.size.unwrap_or_else(terminal::size);
        for chart in &charts {
            write!(out, "{}", terminal::draw(chart, x, size, colours))?;
        }
    }
    out.flush()?;
    if let Some(path) = &args.output
        && !args.json
    {
        eprintln!("{} charts in {}", charts.len(), path.display());
    }
    Ok(Verdict::Well)
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Picture {
    Png,
    Svg,
}

impl Picture {
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => bail!("cannot draw {}: name it .png or .svg", path.display()),
        }
    }
}

fn charts(args: &Args) -> anyhow::Result<Vec<Chart>> {
    let select = &args.select;
    let takes = |run: &RunName| select.takes_run(run);
    let progress = Progress::new("reading", [&args.logdir], takes)?;
    let log = select.open(&args.logdir, &args.resumed, takes)?;
    let mut source = Shown::new(log, progress.clone());
    let (mut series, mut sorter) = (Names::default(), Sorter::default());
    while let Some(instant) = source.next_instant().map_err(|error| anyhow!(error))? {
        for event in instant {
            if let Some(value) = event.value.number() {
                sorter.push(Point {
                    group: series.number(&(event.tag.clone(), event.run.clone())),
                    part: 0,
                    step: event.step.as_i64(),
                    item: 0,
                    wall_time: event.wall_time,
                    value,
                })?;
            }
        }
    }
    source.warn(|log| log.source().problems());
    progress.end();
    let mut by_tag: BTreeMap<&Tag, Vec<(&RunName, u32)>> = BTreeMap::new();
    let series = series.sorted();
    for ((tag, run), number) in &series {
        by_tag.entry(tag).or_default().push((run, *number));
    }
    let many = by_tag.values().map(Vec::len).max().unwrap_or_default();
    if by_tag.is_empty() {
        bail!("{} has no such scalars", args.logdir.display());
    }
    if by_tag.len() > MOST_CHARTS {
        let some: Vec<&str> = by_tag.keys().take(8).map(|tag| tag.as_str()).collect();
        let count = by_tag.len();
        bail!(
            "{count} tags are more than the {MOST_CHARTS} that are drawn: choose by --tag, such as {}",
            some.join(", ")
        );
    }
    if many > MOST_LINES {
        bail!("{many} runs are more than the {MOST_LINES} that are drawn: choose by --run");
    }
    let sorted = sorter.finish()?;
    let mut charts = Vec::new();
    for (tag, runs) in by_tag {
        let mut lines = Vec::new();
        for (run, number) in runs {
            lines.push(line(args, &sorted, run, number)?);
        }
        let tag = tag.clone();
        let overlay = Overlay::default();
        charts.push(Chart {
            tag,
            lines,
            overlay,
        });
    }
    Ok(charts)
}

/// The points of a series, as many as can be seen.
fn line(args: &Args, sorted: &Sorted, run: &RunName, number: u32) -> anyhow::Result<Line> {
    let mut first_time = None;
    let mut place = |point: &Point| match args.x {
        Horizontal::Step => point.step as f64,
        Horizontal::Time => point.wall_time - *first_time.get_or_insert(point.wall_time),
    };
    let mut line = Line::new(run.clone(), args.smooth > 0.0);
    // Once for its range, once for its points.
    let mut points = sorted.part(number, 0);
    while let Some(point) = points.next()? {
        line.widen(place(&point));
    }
    let mut smoothing = Smoothing::new(args.smooth);
    let mut points = sorted.part(number, 0);
    while let Some(point) = points.next()? {
        line.add(place(&point), point.value, smoothing.next(point.value));
    }
    Ok(line)
}

fn as_json(args: &Args, charts: &[Chart]) -> Value {
    let line = |line: &Line| {
        json!({
            "run": line.run.as_str(),
            "count": line.count,
            "nonfinite": line.nonfinite,
            "min": line.bounds().map_or(Value::Null, |it| number(it.0)),
            "max": line.bounds().map_or(Value::Null, |it| number(it.1)),
            "last": number(line.last),
            "smoothed": number(line.last_smoothed),
        })
    };
    let chart = |chart: &Chart| {
        json!({
            "tag": chart.tag.as_str(),
            "lines": chart.lines.iter().map(line).collect::<Vec<_>>(),
        })
    };
    json!({
        "output": args.output,
        "smooth": args.smooth,
        "charts": charts.iter().map(chart).collect::<Vec<_>>(),
    })
}
