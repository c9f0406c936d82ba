//! `drift`: tests, verdicts, detectors and profiles beside scipy, Evidently and river.
//!
//! All contenders have the same values. A Python peer has one core; verdicts have all of them, as they have by default.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use modelpulse::drift::Column;
use modelpulse::drift::concept::{Adwin, Detector, HddmA, Kswin, PageHinkley, Signal};
use modelpulse::drift::data::{Sample as Values, ks};
use modelpulse::drift::profile::{Field, Profile};
use modelpulse::drift::verdict::{Feature, Policy, Verdict};
use tempfile::TempDir;

use crate::Common;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::memory;
use crate::noise::Noise;
use crate::python;
use crate::report::{Bound, OURS, Report, Row};
use crate::subprocess;

/// Drift tests, verdicts on a table, detectors and a profile, beside scipy, Evidently and river
///
/// Reading the values and starting a Python are not in the times. River's detectors take a part of the stream, and their
/// time is scaled up. Memory is the most that the process holds above its data.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,

    /// How many rows the table of 20 features has on either side
    #[arg(long, default_value_t = 100_000)]
    rows: usize,

    /// How many values the samples of the test have, and the streams of the detectors
    #[arg(long, default_value_t = 1_000_000)]
    values: usize,
}

const EXAMPLES: &str = "\
Examples:
  drift
  drift --quick --json
  MODELPULSE_PYTHON=peers/bin/python drift";

/// The verb under which this program judges a table in a process of its own.
pub(crate) const CHILD_VERB: &str = "drift-child";
const SCRIPT: &str = include_str!("drift.py");
const MIB: &str = "MiB above the data";
const SHARE: &str = "share of the peer's time";
const TIMES: &str = "times the peer's rate";
const NUMBERS: usize = 15;
const KINDS: usize = 5;
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const DETECTORS: [(&str, f64); 4] = [
    ("ADWIN", 7.0),
    ("Page-Hinkley", 20.0),
    ("KSWIN", 200.0),
    ("HDDM-A", 50.0),
];
/// Values that a profile takes at once.
const CHUNK: usize = 4096;

/// Print the seconds of judging a table, and the MiB above its data
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    dir: PathBuf,
}

/// Runs all works.
pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report::new();
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    write(dir.path(), args)?;
    let python = python::python();
    let versions = ["scipy", "evidently", "river"].map(|module| {
        let version = python::run(SCRIPT, &python, &[module]);
        if version.is_err() {
            report.note(format!(
                "{module} is not measured: {} does not have it; \"pip install scipy evidently river 'pandas<3'\" into a \
                 venv, and MODELPULSE_PYTHON=VENV/bin/python, have it",
                python.display()
            ));
        }
        version.ok().map(|version| format!("{module} {version}"))
    });
    let [scipy, evidently, river] = versions;
    let peer = |who: &Option<String>, work: &'static str| {
        let (python, dir) = (python.clone(), dir.path().to_owned());
        let who = who.clone()?;
        let module = who.split(' ').next().unwrap_or_default().to_owned();
        Some(Contender::new(who, move || {
            let printed = python::run(SCRIPT, &python, &[&module, work, python::path(&dir)?])?;
            let numbers: Vec<f64> = (printed.split(' ').map(str::parse))
                .collect::<Result<_, _>>()
                .context("the script prints numbers")?;
            let [seconds, more @ ..] = numbers.as_slice() else {
                anyhow::bail!("the script prints seconds");
            };
            Ok(match (work, more) {
                ("table", [mib, ..]) => Sample::of(*seconds).with(MIB, *mib),
                _ => Sample::of(*seconds),
            })
        }))
    };
    let repetitions = args.common.repetitions(5);
    let measure = |work: Work, ours: Contender<'_>, peer: Option<Contender<'_>>| {
        eprintln!("measuring {} …", work.name);
        let mut contenders: Vec<Contender<'_>> = [Some(ours), peer].into_iter().flatten().collect();
        interleave(repetitions, &mut contenders)?;
        anyhow::Ok(rows(work, &contenders))
    };

    let work = Work {
        name: "Kolmogorov–Smirnov of two samples",
        items: 2.0 * args.values as f64,
        item: "values",
    };
    let [a, b] = ["before", "after"].map(|name| read(&dir.path().join(name)));
    let (a, b) = (a?, b?);
    let ours = Contender::new(OURS, || {
        let began = Instant::now();
        let test = ks::auto(&Values::new(&a), &Values::new(&b))?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(test.p_value < 0.5, "a shift is seen: {test:?}");
        Ok(Sample::of(seconds))
    });
    let mut told = measure(work, ours, peer(&scipy, "ks"))?;
    compare(&mut told, SHARE, Bound::AtMost(0.15));
    report.add(told);

    let work = Work {
        name: "verdicts on a table of 20 features",
        items: 2.0 * args.rows as f64,
        item: "rows",
    };
    let ours = Contender::new(OURS, || judged_apart(dir.path()));
    let mut told = measure(work, ours, peer(&evidently, "table"))?;
    compare(&mut told, SHARE, Bound::AtMost(1.0 / 35.0));
    told[0].extra_goal(MIB, Bound::AtMost(64.0));
    report.add(told);

    for (name, goal) in DETECTORS {
        let stream = if name == "KSWIN" { "stream" } else { "errors" };
        let values = read(&dir.path().join(stream))?;
        let work = Work {
            name,
            items: values.len() as f64,
            item: "updates",
        };
        let ours = Contender::new(OURS, || match name {
            "ADWIN" => updates(Adwin::default(), &values),
            "Page-Hinkley" => updates(PageHinkley::default(), &values),
            "KSWIN" => updates(Kswin::default(), &values),
            _ => updates(HddmA::default(), &values),
        });
        let mut told = measure(work, ours, peer(&river, name))?;
        compare(&mut told, TIMES, Bound::AtLeast(goal));
        report.add(told);
    }

    let values = 20 * a.len();
    let work = Work {
        name: "a profile of a stream",
        items: values as f64,
        item: "values",
    };
    let ours = Contender::new(OURS, || {
        let mut profile = Profile::new([Field::numbers("x")])?;
        memory::forget_peak();
        let before = memory::resident_mib();
        let began = Instant::now();
        for _ in 0..20 {
            for chunk in a.chunks(CHUNK) {
                profile.update(&[Column::Numbers(chunk)])?;
            }
        }
        let sample = Sample::of(began.elapsed().as_secs_f64());
        ensure!(profile.rows() == values as u64);
        let grown = before
            .zip(memory::resident_mib())
            .map(|(before, after)| after.1 - before.0);
        Ok(match grown {
            Some(mib) => sample.with(MIB, mib),
            None => sample,
        })
    });
    let mut told = measure(work, ours, None)?;
    let rate = told[0].per_second;
    told[0].goal("values/s", rate, Bound::AtLeast(1e7));
    report.add(told);
    report.note("the goals are those of the default sizes; an Evidently run is that of its preset, without the page");
    Ok(report)
}

/// What our row is beside that of the peer.
fn compare(rows: &mut [Row], what: &'static str, bound: Bound) {
    let [ours, peer] = rows else { return };
    let share = ours
        .seconds
        .zip(peer.seconds)
        .map_or(f64::NAN, |(ours, peer)| ours / peer);
    let value = if what == SHARE { share } else { 1.0 / share };
    ours.extras.push((what, value));
    ours.extra_goal(what, bound);
}

fn updates<D: Detector>(mut detector: D, values: &[f64]) -> anyhow::Result<Sample> {
    let began = Instant::now();
    let mut alarms = 0_usize;
    for &value in values {
        alarms += usize::from(detector.update(value)? == Signal::Drift);
    }
    black_box(alarms);
    Ok(Sample::of(began.elapsed().as_secs_f64()))
}

fn write(dir: &Path, args: &Args) -> anyhow::Result<()> {
    let mut noise = Noise::new(7);
    let mut numbers = |name: String, length: usize, shift: f64| {
        let values = (0..length)
            .map(|_| f64::from(noise.normal()) + f64::from(noise.normal()) * 1e-6 + shift);
        let bytes: Vec<u8> = values.flat_map(f64::to_le_bytes).collect();
        fs::write(dir.join(name), bytes)
    };
    for (side, shift) in [("before", 0.0), ("after", 0.01), ("stream", 0.0)] {
        numbers(side.to_owned(), args.values, shift)?;
    }
    for (side, shift) in [("before", 0.0), ("after", 0.3)] {
        numbers(format!("{side}_numbers"), NUMBERS * args.rows, shift)?;
    }
    let mut noise = Noise::new(8);
    for side in ["before", "after"] {
        let kinds = (0..KINDS * args.rows).map(|_| (noise.next() % 8) as u8);
        fs::write(
            dir.join(format!("{side}_kinds")),
            kinds.collect::<Vec<u8>>(),
        )?;
    }
    let errors = (0..args.values).map(|_| f64::from(u8::from(noise.next().is_multiple_of(5))));
    let bytes: Vec<u8> = errors.flat_map(f64::to_le_bytes).collect();
    fs::write(dir.join("errors"), bytes)?;
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Vec<f64>> {
    let bytes = fs::read(path)?;
    let words = bytes
        .chunks_exact(8)
        .map(|word| word.try_into().map(f64::from_le_bytes));
    Ok(words.collect::<Result<_, _>>()?)
}

fn judged_apart(dir: &Path) -> anyhow::Result<Sample> {
    let mut numbers = subprocess::numbers([CHILD_VERB.as_ref(), dir.as_os_str()])?.into_iter();
    let seconds = numbers.next().context("the child prints seconds")?;
    let mib = numbers.next().unwrap_or(f64::NAN);
    Ok(Sample::of(seconds).with(MIB, mib))
}

/// Judges the table in this process.
pub(crate) fn child(args: &ChildArgs) -> anyhow::Result<()> {
    let sides = ["before", "after"];
    let mut numbers = Vec::new();
    let mut kinds: Vec<Vec<Option<&str>>> = Vec::new();
    for side in sides {
        numbers.push(read(&args.dir.join(format!("{side}_numbers")))?);
        let bytes = fs::read(args.dir.join(format!("{side}_kinds")))?;
        let name = |&kind: &u8| NAMES.get(usize::from(kind)).copied();
        kinds.push(bytes.iter().map(name).collect());
    }
    let rows = numbers[0].len() / NUMBERS;
    let features: Vec<Feature<'_>> = (0..NUMBERS + KINDS)
        .map(|at| {
            let column = |side: usize| match at.checked_sub(NUMBERS) {
                None => Column::Numbers(&numbers[side][at * rows..][..rows]),
                Some(at) => Column::Categories(&kinds[side][at * rows..][..rows]),
            };
            Feature::new("feature", column(0), column(1))
        })
        .collect();
    memory::forget_peak();
    let before = memory::resident_mib();
    let began = Instant::now();
    let judged = Policy::default().judge(&features);
    let seconds = began.elapsed().as_secs_f64();
    let drifted = judged
        .iter()
        .filter(|feature| feature.verdict == Verdict::Drift);
    ensure!(drifted.count() == NUMBERS, "what was shifted has drifted");
    print!("{seconds}");
    if let Some((before, after)) = before.zip(memory::resident_mib()) {
        print!(" {}", after.1 - before.0);
    }
    println!();
    Ok(())
}
