//! `modelpulse replay`: an old log through the rules of a live run, to the console, or into a new log.

mod timeline;

use std::cell::Ref;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, anyhow, bail};

use self::timeline::{Placed, Timeline};
use super::Verdict;
use super::alerting::{self, NotifyArgs, RuleArgs};
use super::plot::Picture;
use super::progress::{Progress, Shown};
use super::select::{Rename, Select};
use crate::export::event_as_json;
use crate::flow::{Event, Sink, Source};
use crate::health::drift::{DETECTORS, Detected, Detectors, Watched, WithDetectors};
use crate::health::{Alerts, RuleSet};
use crate::log::LogReader;
use crate::replay::{Copied, LogCopy, Paced};
use crate::summary::Value;
use crate::types::RunName;

/// Replay an old log: through rules and detectors of drift, to the console, into a new log
///
/// A rule is a condition that must not hold, such as SERIES < NUMBER; the series is given by run and tag,
/// or by the end of that path. NaN breaks every rule, if it does not say otherwise. When an alert would have fired
/// is printed. What a detector says of a series (--detect) is printed too, and rules can name it:
/// adwin/epoch_loss/drift_signal is 2 at a drift, 1 where there is a warning, and 0 else.
///
/// A log that is replayed into a new one is read alike, by TensorBoard and by everyone: what is not changed is
/// copied byte for byte, without what is damaged.
///
/// Exit code: 0 if no alert fired and no drift was found, 1 if one did, 2 if a rule or a detector had no series in the log
/// or the input was bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory: of one run, or one above many; any TensorBoard log will do
    logdir: PathBuf,

    #[command(flatten)]
    rules: RuleArgs,

    /// Print the timeline as a table at the end: rule, state, run, tag, step, wall time, value, and where in which file the
    /// event stands
    #[arg(long, conflicts_with_all = ["json", "print"])]
    table: bool,

    /// Draw the timeline, as .svg or .png: of each rule the series, the threshold, and when it was pending and firing
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// Print every event
    #[arg(long)]
    print: bool,

    /// Write a new log to this directory, which must have none
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,

    /// Take the time that the log took, N times faster [default: as fast as possible]
    #[arg(long, value_name = "N", value_parser = speed)]
    speed: Option<f64>,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    select: Select,

    #[command(flatten)]
    rename: Rename,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse replay runs/digits-001 --rule 'eval/epoch_accuracy < 0.9'
  modelpulse replay runs --rule 'epoch_loss > 2' --rule 'batch/batch_loss > 10' --json
  modelpulse replay runs --rules rules.toml --table --plot alerts.svg
  modelpulse replay runs --detect adwin:eval/epoch_loss --detect kswin:batch_loss
  modelpulse replay runs --print --tag '*loss' --steps 100..200
  modelpulse replay runs --to thin --every 10 --drop-tag 'weights/*' --rename-run 'digits-*=d*'
  modelpulse replay runs --to live --speed 60     # an hour in a minute; tensorboard --logdir live
  modelpulse replay runs/a --print --json | modelpulse log --name again";

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(speed),
        _ => Err("must be a positive number".to_owned()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let watching = args.rules.watch(&NotifyArgs::default())?;
    let rules = watching.alerts.map(|(rules, _)| rules);
    let detectors = watching.detectors;
    let shows = args.print || rules.is_some() || !detectors.is_empty();
    if rules.is_none() && (args.table || args.plot.is_some()) {
        bail!("--table and --plot show alerts: give --rule CONDITION or --rules FILE");
    }
    if let Some(path) = &args.plot {
        // Said before a long log is read.
        Picture::of(path)?;
    }
    if !shows && args.to.is_none() {
        bail!(
            "nothing to replay to: give --rule CONDITION or --rules FILE, --detect DETECTOR:SERIES, --print, or --to DIR"
        );
    }
    // A new log is written record by record, the rest sees events; at a given speed both take their time at once.
    std::thread::scope(|scope| {
        let copying = args
            .to
            .is_some()
            .then(|| scope.spawn(|| copy(&args, !shows)));
        let shown = if shows {
            show(&args, rules, detectors)
        } else {
            Ok(Verdict::Well)
        };
        if let Some(copying) = copying {
            let copied = copying.join();
            let copied = copied.map_err(|_| anyhow!("the copy of the log panicked"))??;
            say_copied(&args, !shows, &copied)?;
        }
        shown
    })
}

fn copy(args: &Args, alone: bool) -> anyhow::Result<Copied> {
    let to = args.to.as_deref().context("no directory to write to")?;
    let mut copy = LogCopy::of(&args.logdir)?.edit(args.select.edit_with(Some(&args.rename)));
    if let Some(speed) = args.speed {
        copy = copy.speed(speed);
    }
    let progress = if alone {
        Progress::new("writing", [&args.logdir], |run| args.select.takes_run(run))?
    } else {
        Progress::hidden()
    };
    let copied = copy.write_with(to, |bytes| progress.add(bytes))?;
    progress.end();
    Ok(copied)
}

fn say_copied(args: &Args, alone: bool, copied: &Copied) -> anyhow::Result<()> {
    let to = args.to.as_deref().unwrap_or(&args.logdir);
    if !alone {
        // What is damaged was said already.
        eprintln!(
            "{} values of {} runs written to {}",
            copied.values,
            copied.runs,
            to.display()
        );
        return Ok(());
    }
    super::say_copied(args.json, to, copied)
}

/// Holds the events against rules, and prints them.
fn show(args: &Args, rules: Option<RuleSet>, detectors: Vec<Watched>) -> anyhow::Result<Verdict> {
    let (placed, places) = Placed::new(
        LogReader::open_runs(&args.logdir, |run| args.select.takes_run(run))?,
        args.select.edit_with(Some(&args.rename)),
    );
    let takes = |run: &RunName| args.select.takes_run(run);
    let progress = Progress::new("replaying", [&args.logdir], takes)?.beside_output();
    let mut source = Shown::new(placed, progress.clone());
    let mut lines = Lines::new(args.speed.is_some());
    let (mut fired, mut drifts) = (0_u64, 0_u64);
    let watches = !detectors.is_empty();
    let detected = Mutex::new(Vec::new());
    let detectors = Detectors::new(detectors, |said: &Detected| {
        lock(&detected).push(said.clone())
    });
    let mut watched = WithDetectors::new(&mut source, detectors);
    let changes = Mutex::new(Vec::new());
    let mut alerts = rules
        .clone()
        .map(|rules| Alerts::new(rules, |change| lock(&changes).push(change.clone())));
    let rules = rules.as_ref();
    let mut timeline = rules.map(|rules| Timeline::new(&args.logdir, rules, args.plot.is_some()));
    let tells_places = args.json || args.table || args.plot.is_some();
    let mut tell = |timeline: &mut Timeline<'_>, lines: &mut Lines| {
        for change in std::mem::take(&mut *lock(&changes)) {
            fired += u64::from(alerting::fires(&change));
            if args.json {
                lines.print(&timeline.take(change));
            } else if args.table {
                timeline.take(change);
            } else {
                lines.print(&change);
                if args.plot.is_some() {
                    timeline.take(change);
                }
            }
        }
    };
    {
        let mut paced: Box<dyn Source> = match args.speed {
            Some(speed) => Box::new(Paced::new(&mut watched, speed)),
            None => Box::new(&mut watched),
        };
        while let Some(instant) = paced.next_instant().map_err(|error| anyhow!(error))? {
            for event in instant.iter().filter(|_| args.print) {
                if args.json {
                    lines.print(&event_as_json(event));
                } else {
                    lines.print(&Line(event));
                }
            }
            for said in std::mem::take(&mut *lock(&detected)) {
                drifts += u64::from(said.is_drift());
                if args.json {
                    lines.print(&alerting::detected(&said));
                } else if !args.table {
                    lines.print(&said);
                }
            }
            if let (Some(alerts), Some(timeline)) = (&mut alerts, &mut timeline) {
                if tells_places {
                    // What is said here stands nowhere in the log.
                    let is_said = |event: &Event| event.tag.as_str().starts_with(DETECTORS);
                    let places = match watches && instant.iter().all(is_said) {
                        true => Ref::map(places.borrow(), |_| &[][..]),
                        false => Ref::map(places.borrow(), Vec::as_slice),
                    };
                    timeline.note(&instant, &places);
                }
                alerts.accept(&instant).map_err(|error| anyhow!(error))?;
                tell(timeline, &mut lines);
            }
            if lines.printed.is_err() {
                break;
            }
        }
    }
    let mut unseen = Vec::new();
    if let (Some(mut alerts), Some(timeline)) = (alerts, &mut timeline) {
        alerts.finish().map_err(|error| anyhow!(error))?;
        tell(timeline, &mut lines);
        unseen.extend(alerts.unseen().map(|rule| format!("'{rule}'")));
    }
    let idle = watched.detectors().unseen();
    let idle: Vec<String> = idle.map(|watched| format!("'{watched}'")).collect();
    if let (true, Some(timeline)) = (args.table, &timeline) {
        lines.write(|out| timeline.write_table(out));
    }
    lines.end()?;
    let events = source.events();
    source.warn(Placed::problems);
    progress.end();
    if events == 0 {
        bail!(
            "{} has event files, but they hold no such values",
            args.logdir.display()
        );
    }
    if watches {
        eprintln!("{events} events read, drifts: {drifts}");
    }
    if let Some(timeline) = &timeline {
        eprintln!("{events} events read, alerts fired: {fired}");
        if let Some(path) = &args.plot {
            let charts = timeline.draw(path)?;
            eprintln!("{charts} charts in {}", path.display());
        }
    }
    if !unseen.is_empty() {
        bail!(
            "no series of the log is named by rule {}",
            unseen.join(", ")
        );
    }
    if !idle.is_empty() {
        bail!(
            "no series of the log is named by detector {}",
            idle.join(", ")
        );
    }
    Ok(if fired + drifts == 0 {
        Verdict::Well
    } else {
        Verdict::Unwell
    })
}

/// Standard output, until nobody reads it any more.
struct Lines {
    out: Box<dyn Write + Send>,
    printed: io::Result<()>,
}

impl Lines {
    /// With `at_once`, each line is shown when it is printed.
    fn new(at_once: bool) -> Self {
        let stdout = io::stdout();
        Self {
            out: if at_once {
                Box::new(io::LineWriter::new(stdout))
            } else {
                Box::new(io::BufWriter::new(stdout))
            },
            printed: Ok(()),
        }
    }

    fn print(&mut self, line: &dyn fmt::Display) {
        if self.printed.is_ok() {
            self.printed = writeln!(self.out, "{line}");
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Box<dyn Write + Send>) -> io::Result<()>) {
        if self.printed.is_ok() {
            self.printed = write(&mut self.out);
        }
    }

    fn end(mut self) -> io::Result<()> {
        self.printed.and_then(|()| self.out.flush())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An event as a line, in the form of a breach.
pub(super) struct Line<'a>(pub(super) &'a Event);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event {
            run,
            tag,
            step,
            wall_time,
            value,
            ..
        } = self.0;
        write!(
            f,
            "run={run} tag={tag} step={step} wall_time={wall_time:.6} "
        )?;
        match value {
            Value::Scalar(value) => write!(f, "value={value}"),
            _ => match value.number() {
                Some(value) => write!(f, "value={value}"),
                None => {
                    // As in JSON, but for the names that stand on the line already.
                    let mut json = event_as_json(self.0);
                    if let Some(object) = json.as_object_mut() {
                        for name in ["run", "tag", "step", "wall_time"] {
                            object.shift_remove(name);
                        }
                    }
                    write!(f, "{json}")
                }
            },
        }
    }
}
