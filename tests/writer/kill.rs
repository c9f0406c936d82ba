//! Killed again and again at random moments, a resumed log is one curve without a gap.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use modelpulse::log::{Error, LogReader, ProblemKind, Writer, last_steps};
use modelpulse::summary::Histogram;

use crate::support::{
    NEVER, Points, Program, Random, View, assert_curve, number, say, shown, starts, until, value,
};

const CYCLES_OF_A_LOG: u64 = 10;
/// A histogram is logged each so many steps.
const SPARSE: i64 = 8;
/// Scalars by run and tag: the numbers of their curves.
const CURVES: [(&str, &str, u64); 4] = [
    ("train", "a", 0),
    ("train", "b", 1),
    ("train", "c", 2),
    ("eval", "d", 3),
];
const RUNS: [&str; 2] = ["train", "eval"];

const SEED: &str = "MODELPULSE_TEST_SEED";
/// Where not 0, the child ends well after so many steps.
const STEPS: &str = "MODELPULSE_TEST_STEPS";
/// Where 1, the child resumes where its checkpoint was made, and not where its log stopped.
const FROM_CHECKPOINT: &str = "MODELPULSE_TEST_FROM_CHECKPOINT";

/// Where 1, the child's files are small and many.
const ROTATE: &str = "MODELPULSE_TEST_ROTATE";

/// The child: resumes, says where; logs, and says what was flushed.
pub fn log_curves(dir: &Path) {
    let mut random = Random(number(SEED));
    let (steps, from_checkpoint) = (number(STEPS), number(FROM_CHECKPOINT) == 1);
    let checkpoint = dir.with_extension("checkpoint");
    let stopped = match last_steps(dir) {
        Ok(stopped) => stopped,
        Err(Error::NoEvents { .. } | Error::Read { .. }) => BTreeMap::default(),
        Err(error) => panic!("{error}"),
    };
    let saved = std::fs::read_to_string(&checkpoint).ok();
    let saved = saved.and_then(|text| text.parse().ok()).unwrap_or(0);
    // The last step of all may have been cut after its first event, so it is logged again.
    let first = RUNS.map(|run| match stopped.get(run) {
        _ if from_checkpoint => saved,
        Some(step) => step.as_i64(),
        None => 0,
    });
    say(&format!("resumes {} {}", first[0], first[1]));
    let writer = Writer::builder(dir)
        .flush_interval(Duration::from_millis(20))
        .on_warning(|line| say(&format!("warning {line}")))
        .rotate_at([u64::MAX, 4 << 10][number(ROTATE) as usize])
        .start()
        .unwrap();
    let [train, eval] = RUNS.map(|run| writer.run(run));
    if !stopped.is_empty() || saved > 0 {
        train.resume_at(first[0]);
        eval.resume_at(first[1]);
    }
    let series = CURVES.map(|(run, tag, _)| writer.run(run).series(tag));
    let begin = first[0].min(first[1]);
    for step in begin.. {
        if step >= first[0] {
            let mut guard = train.step(step);
            guard.scalar(&series[0], value(0, step));
            guard.scalar(&series[1], value(1, step));
            drop(guard);
            series[2].scalar(step, value(2, step));
            if step % SPARSE == 0 {
                let values = vec![0.5_f32; 1 + step as usize % 100];
                train.log("h", step, Histogram::of(&values));
            }
        }
        if step >= first[1] {
            series[3].scalar(step, value(3, step));
        }
        if random.below(24) == 0 {
            writer.flush();
            say(&format!("flushed {step}"));
        }
        if step % 32 == 0 {
            writer.flush();
            let new = checkpoint.with_extension("new");
            std::fs::write(&new, step.to_string()).unwrap();
            std::fs::rename(new, &checkpoint).unwrap();
        }
        if steps > 0 && step >= begin + steps as i64 {
            break;
        }
        // As long as a short training step takes.
        std::thread::sleep(Duration::from_micros(500));
    }
    writer.finish().unwrap();
    say(&format!("finished {}", begin + steps as i64));
}

/// What the parent knows of a log.
#[derive(Debug, Default, Clone)]
struct Known {
    /// Each run's steps below these are there for every reader.
    whole_to: [i64; 2],
    /// The last step known to be there for a reader that keeps what was voided.
    flushed: Option<i64>,
}

impl Known {
    fn learn(&mut self, said: &[String]) {
        for line in said {
            let (word, rest) = line.split_once(' ').unwrap();
            let numbers: Vec<i64> = rest.split(' ').flat_map(str::parse).collect();
            match word {
                // A START voids the step resumed at, until it is logged again.
                "resumes" => self.whole_to = [numbers[0], numbers[1]],
                "flushed" | "finished" => {
                    self.whole_to = [numbers[0] + 1; 2];
                    self.flushed = self.flushed.max(Some(numbers[0]));
                }
                _ => panic!("the child said: {line}"),
            }
        }
    }
}

fn start(dir: &Path, log: u64, seed: u64, steps: u64) -> Program {
    let env = [
        (SEED, seed.to_string()),
        (STEPS, steps.to_string()),
        (FROM_CHECKPOINT, (log % 2).to_string()),
        (ROTATE, (log / 2 % 2).to_string()),
    ];
    Program::start_after(":", "curves", dir, &env)
}

/// Kills a log's children one after the other; returns what must be there.
fn killed_again_and_again(root: &Path, log: u64) -> Known {
    let dir = root.join(format!("log-{log}"));
    let mut random = Random(log);
    let mut known = Known::default();
    for _ in 0..CYCLES_OF_A_LOG {
        let mut child = start(&dir, log, random.below(u64::MAX), 0);
        // A quarter is killed while starting.
        if random.below(4) > 0 {
            child.until_said("resumes");
        }
        std::thread::sleep(Duration::from_micros(5_000 + random.below(55_000)));
        known.learn(&child.kill());
        everything_flushed_is_there(&dir, &known);
    }
    known
}

/// Asks the crate's own reader, which keeps what a START voids.
fn everything_flushed_is_there(dir: &Path, known: &Known) {
    let Some(flushed) = known.flushed else { return };
    let mut reader = LogReader::open(dir).unwrap();
    let mut seen: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    while let Some(instant) = reader.instant().unwrap() {
        for event in instant {
            let seen = seen.entry(event.path()).or_default();
            let step = event.step.as_i64() as usize;
            seen.resize(seen.len().max(step + 1), false);
            seen[step] = true;
        }
    }
    for (run, tag, _) in CURVES {
        let seen = &seen[&format!("{run}/{tag}")];
        let missing = (0..=flushed as usize).find(|&step| !seen[step]);
        assert_eq!(missing, None, "{run}/{tag} was flushed to step {flushed}");
    }
    for problem in reader.problems() {
        assert_eq!(problem.kind, ProblemKind::Truncated, "{problem}");
    }
}

/// Holds a loader's curves of a log to their values and to no gap, at least to what was flushed.
fn is_gapless(loader: &str, view: &View, log: u64, known: &Known) {
    let nothing = Points::new();
    for (run, tag, curve) in CURVES {
        let whole_to = known.whole_to[usize::from(run == "eval")];
        let name = (format!("log-{log}/{run}"), tag.to_owned());
        let points = view.scalars.get(&name).unwrap_or(&nothing);
        let what = format!("{loader} {name:?}");
        assert_curve(&what, points, curve, 0..points.len() as i64);
        assert!(
            points.len() as i64 >= whole_to,
            "{what}: {} of {whole_to}",
            points.len()
        );
    }
    let name = (format!("log-{log}/train"), "h".to_owned());
    let points = view.histograms.get(&name).unwrap_or(&nothing);
    let expected = (0..).map(|index| index * SPARSE);
    for (point, step) in points.iter().zip(expected) {
        assert_eq!(*point, (step, (1 + step % 100) as f32), "{loader} {name:?}");
    }
    assert!(
        points.len() as i64 * SPARSE >= known.whole_to[0],
        "{loader} {name:?}"
    );
}

#[test]
fn a_log_killed_and_resumed_at_random_moments_is_one_curve() {
    let cycles = match std::env::var("MODELPULSE_KILL_CYCLES") {
        Ok(cycles) => cycles.parse().expect("MODELPULSE_KILL_CYCLES is a number"),
        Err(_) => 200,
    };
    let logs: u64 = u64::div_ceil(cycles, CYCLES_OF_A_LOG);
    let dir = tempfile::tempdir().unwrap();
    let (next, known) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    let lane = || {
        loop {
            let log = next.fetch_add(1, Ordering::Relaxed);
            if log >= logs {
                return;
            }
            let what = killed_again_and_again(dir.path(), log);
            known.lock().unwrap().insert(log, what);
        }
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..3).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().for_each(|lane| lane.join().unwrap());
    });
    let mut known = known.into_inner().unwrap();
    let killed = shown(dir.path());
    for (loader, view) in killed.both() {
        (0..logs).for_each(|log| is_gapless(loader, view, log, &known[&log]));
    }
    // One child of each log comes to its end: what was voided is logged again.
    for log in 0..logs {
        let child = start(&dir.path().join(format!("log-{log}")), log, log, 100);
        known.get_mut(&log).unwrap().learn(&child.ended_well());
    }
    let view = shown(dir.path()).agreed();
    for (log, known) in known {
        is_gapless("each", &view, log, &known);
        let len = view.scalar(&format!("log-{log}/train"), "a").len() as i64;
        assert!(len >= known.whole_to[0] && len > 100, "log {log}: {len}");
        let starts = starts(&dir.path().join(format!("log-{log}/train")));
        assert_eq!(starts[0], 0, "log {log}");
    }
}

/// The child: logs, and then only waits.
pub fn log_and_be_quiet(dir: &Path) {
    let writer = Writer::builder(dir)
        .flush_interval(Duration::from_millis(20))
        .start()
        .unwrap();
    let x = writer.run(".").series("x");
    (0..1000).for_each(|step| x.scalar(step, value(0, step)));
    say("logged 1000");
    std::thread::sleep(NEVER);
}

#[test]
fn what_is_older_than_a_flush_interval_survives_a_kill_without_any_flush() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Program::start("quiet", dir.path());
    child.until_said("logged");
    until("1000 scalars in the file", || {
        let last = last_steps(dir.path());
        last.is_ok_and(|last| last.get(".").is_some_and(|step| step.as_i64() == 999))
    });
    child.kill();
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..1000);
}
