//! `modelpulse tail`: the values of a log as they come.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Verdict;
use super::replay::Line;
use super::select::Select;
use crate::export::event_as_json;
use crate::flow::Event;
use crate::log::{Changes, Follower};

/// Print the last values of a log, and each new one as it is written
///
/// New runs and files are followed too, and the log need not be there yet. Ends at an interrupt, or with
/// --idle after a while without news.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The log directory, of one run or one above many; or one event file
    logdir: PathBuf,

    /// How many of the values that are there already are printed first
    #[arg(short = 'n', long = "last", value_name = "N", default_value_t = 10)]
    last: usize,

    /// End when nothing new came for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    idle: Option<Duration>,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    select: Select,
}

const EXAMPLES: &str = "\
Examples:
  modelpulse tail runs
  modelpulse tail runs --tag '*loss' -n 0
  modelpulse tail runs --json | jq -r 'select(.value > 10) | .tag'
  modelpulse tail runs --idle 0                         the last values that are there, and no more";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(super) fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut out = BufWriter::new(io::stdout());
    let mut edit = args.select.edit();
    // First the watch and then the look, so that no change falls between them.
    let mut changes = Changes::of(&args.logdir);
    let mut follower = Follower::of(&args.logdir);
    if !args.logdir.exists() {
        eprintln!("waiting for {}", args.logdir.display());
    }
    let mut last: VecDeque<Event> = VecDeque::new();
    loop {
        let events = follower.next_events()?;
        if events.is_empty() {
            break;
        }
        last.extend(events.into_iter().filter_map(|event| edit.apply(event)));
        last.drain(..last.len().saturating_sub(args.last));
    }
    for event in &last {
        print(&mut out, &args, event)?;
    }
    drop(last);
    let mut news = Instant::now();
    loop {
        out.flush()?;
        for problem in follower.take_problems() {
            eprintln!("warning: {problem}");
        }
        let left = match args.idle {
            Some(idle) => match idle.checked_sub(news.elapsed()) {
                Some(left) if !left.is_zero() => left,
                _ => return Ok(Verdict::Well),
            },
            None => Duration::MAX,
        };
        changes.wait(left);
        loop {
            let events = follower.next_events()?;
            if events.is_empty() {
                break;
            }
            news = Instant::now();
            for event in events.into_iter().filter_map(|event| edit.apply(event)) {
                print(&mut out, &args, &event)?;
            }
        }
    }
}

fn print(out: &mut impl Write, args: &Args, event: &Event) -> io::Result<()> {
    if args.json {
        writeln!(out, "{}", event_as_json(event))
    } else {
        writeln!(out, "{}", Line(event))
    }
}
