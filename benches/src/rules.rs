//! `rules`: a log held against a thousand rules, and what rules cost that concern nothing in it.
//!
//! The log is written before the clock starts, and is in the page cache.

use std::path::Path;
use std::time::Instant;

use anyhow::{anyhow, ensure};
use modelpulse::flow::{Event, Sink, Source};
use modelpulse::health::{Alerts, Rule, RuleSet, Span};
use modelpulse::log::{LogReader, LogSink};
use tempfile::TempDir;

use crate::Common;
use crate::clock;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::noise::Noise;
use crate::report::{Bound, Report};
use crate::stats::median;

/// 1,000,000 events against 1,000 rules, of which each event concerns ten
///
/// From the event file to the last alert, as `modelpulse replay --rules` does it without printing: 100 series of normal
/// noise, each with a value a second, ten rules on each: its last value, the mean, the extremes, the deviation, the
/// change, the trend and the z-score of its last minute, NaN. And the same log against 1,000 rules that speak of no series
/// in it, beside reading it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
}

const EXAMPLES: &str = "\
Examples:
  rules
  rules --quick --json";

const EVENTS: i64 = 1_000_000;
const SERIES: i64 = 100;
const ALERTS: &str = "alerts";
/// What of the time the thread ran: on a busy machine only its ratio says something.
const PROCESSOR: &str = "processor seconds";
const RATIO: &str = "× reading";
const READING: &str = "reading alone";
const NO_MATCH: &str = "1,000 rules, none on any event";

/// The conditions on a series.
const CONDITIONS: [&str; 10] = [
    "{} > 4",
    "{} < -4",
    "avg({}, 1m) > 0.5",
    "min({}, 1m) > 0",
    "max({}, 1m) < 0",
    "stddev({}, 1m) > 1.5",
    "change({}, 1m) > 5",
    "slope({}, 1m) > 0.05",
    "zscore({}, 1m) > 4",
    "nonfinite({})",
];

/// Runs the work.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let log = dir.path().join("log");
    write(&log)?;
    let rules = |run: &str| -> anyhow::Result<RuleSet> {
        let mut rules = Vec::new();
        for series in 0..SERIES {
            for condition in CONDITIONS {
                let condition = condition.replace("{}", &format!("{run}/metric_{series:03}"));
                let name = condition.clone();
                rules.push(Rule::new(name, condition.parse()?).hold_for(Span::seconds(2)));
            }
        }
        Ok(RuleSet::new(rules)?)
    };
    let (all, none) = (rules("serve")?, rules("other")?);
    let mut contenders = vec![
        Contender::new(READING, || replay(&log, None)),
        Contender::new(NO_MATCH, || replay(&log, Some(&none))),
        Contender::new("1,000 rules, ten on each event", || {
            replay(&log, Some(&all))
        }),
    ];
    interleave(args.common.repetitions(7), &mut contenders)?;
    // Each repetition beside the one of its turn.
    let seconds = |contender: &mut Contender<'_>| -> Vec<f64> {
        let samples = contender.samples_mut().iter();
        samples.map(|sample| sample.extra(PROCESSOR)).collect()
    };
    let [reading, none, _] = &mut contenders[..] else {
        anyhow::bail!("three contenders");
    };
    let pairs = seconds(none).into_iter().zip(seconds(reading));
    let ratio = median(pairs.map(|(none, reading)| none / reading));
    let work = Work {
        name: "rules",
        items: EVENTS as f64,
        item: "events",
    };
    let mut rows = rows(work, &contenders);
    for row in &mut rows {
        if row.who == NO_MATCH {
            row.extras.push((RATIO, ratio));
            row.extra_goal(RATIO, Bound::AtMost(1.05));
        } else if row.who != READING {
            row.goal("seconds", row.seconds, Bound::AtMost(5.0));
        }
    }
    report.add(rows);
    Ok(report)
}

fn write(dir: &Path) -> anyhow::Result<()> {
    let mut noise = Noise::new(3);
    let mut sink = LogSink::create(dir)?;
    for number in 0..EVENTS {
        let tag = format!("metric_{:03}", number % SERIES);
        let time = 1.7e9 + number as f64 / SERIES as f64;
        let event = Event::new("serve", tag, number / SERIES, time, noise.normal());
        sink.accept(&[event]).map_err(|error| anyhow!(error))?;
    }
    sink.finish().map_err(|error| anyhow!(error))
}

fn replay(log: &Path, rules: Option<&RuleSet>) -> anyhow::Result<Sample> {
    let (began, ran) = (Instant::now(), clock::thread_seconds());
    let mut reader = LogReader::open(log)?;
    let (mut events, mut changes) = (0, 0_u32);
    let mut alerts = rules.map(|rules| Alerts::new(rules.clone(), |_| changes += 1));
    while let Some(instant) = reader.next_instant().map_err(|error| anyhow!(error))? {
        events += instant.len();
        if let Some(alerts) = &mut alerts {
            alerts.accept(&instant).map_err(|error| anyhow!(error))?;
        }
    }
    drop(alerts);
    let seconds = began.elapsed().as_secs_f64();
    // Without a clock of its own, a thread's processor time is the time that went by.
    let ran = ran.zip(clock::thread_seconds());
    let ran = ran.map_or(seconds, |(from, to)| to - from);
    ensure!(events == EVENTS as usize, "{events} events");
    Ok(Sample::of(seconds)
        .with(PROCESSOR, ran)
        .with(ALERTS, f64::from(changes)))
}
