//! `live`: from a flush to the line that `modelpulse tail` prints.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use modelpulse::log::Writer;
use tempfile::TempDir;

use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::report::{Bound, OURS, Report};
use crate::stats::quantile;

const VALUES: i64 = 100;
/// As a training loop takes its time between two steps.
const PAUSE: Duration = Duration::from_millis(10);
const MEDIAN: &str = "ms";
const LONGEST: &str = "longest ms";

/// Adds how long it takes.
pub(super) fn run(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let Some(program) = program() else {
        report.note("live is not measured: there is no modelpulse beside this program; cargo build --release makes it");
        return Ok(());
    };
    let mut contenders = [Contender::new(OURS, || once(&program))];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "live",
        items: VALUES as f64,
        item: "values",
    };
    let mut rows = rows(work, &contenders);
    rows.iter_mut()
        .for_each(|row| row.extra_goal(LONGEST, Bound::AtMost(50.0)));
    report.add(rows);
    Ok(())
}

/// The `modelpulse` that was built with this program.
fn program() -> Option<PathBuf> {
    let name = format!("modelpulse{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::current_exe().ok()?.with_file_name(name);
    path.is_file().then_some(path)
}

/// A process that is ended with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn once(program: &PathBuf) -> anyhow::Result<Sample> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let writer = Writer::create(dir.path())?;
    let run = writer.run("train");
    let mut tail = Ended(
        Command::new(program)
            .arg("tail")
            .arg(dir.path())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let stdout = tail.0.stdout.take().context("a pipe")?;
    let mut lines = BufReader::new(stdout).lines();
    let mut waits = Vec::new();
    // The first value waits for the program to start.
    for step in 0..=VALUES {
        std::thread::sleep(PAUSE);
        run.scalar("loss", step, 0.5);
        let began = Instant::now();
        writer.flush();
        let line = lines.next().context("tail ended")??;
        waits.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(
            line.contains(&format!("step={step}")),
            "tail showed '{line}'"
        );
    }
    let waits = &mut waits[1..];
    waits.sort_by(f64::total_cmp);
    Ok(Sample::default()
        .with(MEDIAN, quantile(waits, 0.5))
        .with(LONGEST, quantile(waits, 1.0)))
}
