//! `allocations` and `memory`: what a writer asks of the allocator, and what it keeps.
//!
//! Resident memory is measured in a process of its own, from before the writer is made to the most
//! while it works, with the logging threads already there.

use std::sync::{Barrier, OnceLock};

use anyhow::Context;
use tempfile::TempDir;

use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::limit::Limit;
use crate::memory::{self, Allocations, CHILD_VERB};
use crate::peers::{Ours, SERIES, Scalars, TensorboardRs, Tfrecord, tags};
use crate::report::{Bound, Report};
use crate::subprocess;

const WARM_UP_STEPS: i64 = 10_000;
const COUNTED_STEPS: i64 = 20_000;
const RESIDENT_STEPS: i64 = 100_000;

/// Adds the allocations of a scalar, after every tag is known and every buffer has grown.
pub(super) fn allocations(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let mut contenders = [
        allocating::<Ours>(),
        allocating::<TensorboardRs>(),
        allocating::<Tfrecord>(),
        allocating::<Limit>(),
    ];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "allocations",
        items: (COUNTED_STEPS as usize * SERIES) as f64,
        item: "scalars",
    };
    let mut rows = rows(work, &contenders);
    let ours = &mut rows[0];
    ours.extra_goal("a scalar", Bound::AtMost(0.0));
    report.add(rows);
    Ok(())
}

fn allocating<W: Scalars>() -> Contender<'static> {
    Contender::new(W::NAME, || {
        let dir = TempDir::with_prefix("modelpulse-bench-")?;
        let mut writer = W::create(dir.path())?;
        log(&mut writer, 0..WARM_UP_STEPS);
        writer.flush();
        let Allocations { caller, all } = memory::allocations(|| {
            log(&mut writer, WARM_UP_STEPS..WARM_UP_STEPS + COUNTED_STEPS);
            writer.flush();
        });
        writer.finish()?;
        let scalars = (COUNTED_STEPS as usize * SERIES) as f64;
        Ok(Sample::default()
            .with("a scalar", all as f64 / scalars)
            .with("in the caller", caller as f64 / scalars))
    })
}

fn log<W: Scalars>(writer: &mut W, steps: std::ops::Range<i64>) {
    for step in steps {
        for series in 0..SERIES {
            writer.scalar(series, step, step as f32);
        }
    }
}

/// Adds the growth of resident memory by a writer at full load.
pub(super) fn resident(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    if memory::resident_mib().is_none() {
        report.note("memory is not measured: this system does not say what is resident");
        return Ok(());
    }
    let child = |who: &'static str, threads: usize| {
        let name = match threads {
            1 => who.to_owned(),
            threads => format!("{who}, {threads} threads"),
        };
        Contender::new(name, move || {
            let numbers = subprocess::numbers([CHILD_VERB, who, &threads.to_string()])?;
            let mib = numbers.first().context("the child prints MiB")?;
            Ok(Sample::default().with(MIB, *mib))
        })
    };
    let mut contenders = [
        child(Ours::NAME, 1),
        child(Ours::NAME, 8),
        child(TensorboardRs::NAME, 1),
        child(Tfrecord::NAME, 1),
        child(Limit::NAME, 1),
    ];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "memory",
        items: RESIDENT_STEPS as f64 * SERIES as f64,
        item: "scalars",
    };
    let mut rows = rows(work, &contenders);
    for ours in &mut rows[..2] {
        ours.extra_goal(MIB, Bound::AtMost(8.0));
    }
    report.add(rows);
    Ok(())
}

const MIB: &str = "MiB";

/// Print how many MiB the resident memory of a writer, or of a training, grows by
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    /// The writer
    pub(crate) who: String,
    /// How many threads log
    threads: i64,
}

/// The whole of the child process.
pub(crate) fn child(args: &ChildArgs) -> anyhow::Result<()> {
    let mib = match args.who.as_str() {
        Ours::NAME => ours(args.threads),
        TensorboardRs::NAME => alone::<TensorboardRs>(),
        Tfrecord::NAME => alone::<Tfrecord>(),
        Limit::NAME => alone::<Limit>(),
        other => anyhow::bail!("no writer is named '{other}'"),
    }?;
    println!("{mib}");
    Ok(())
}

fn alone<W: Scalars>() -> anyhow::Result<f64> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let before = before()?;
    let mut writer = W::create(dir.path())?;
    log(&mut writer, 0..RESIDENT_STEPS);
    writer.finish()?;
    growth(before)
}

fn ours(threads: i64) -> anyhow::Result<f64> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let (writer, ready) = (OnceLock::new(), Barrier::new(threads as usize + 1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // Once for the thread itself, once for the writer.
                ready.wait();
                ready.wait();
                let Some(Ours { run, .. }) = writer.get() else {
                    return;
                };
                let series: Vec<_> = tags().iter().map(|tag| run.series(tag)).collect();
                for step in 0..RESIDENT_STEPS / threads {
                    series
                        .iter()
                        .for_each(|series| series.scalar(step, step as f64));
                }
            });
        }
        ready.wait();
        let before = before();
        let created = Ours::create(dir.path());
        let created = created.map(|ours| drop(writer.set(ours)));
        ready.wait();
        created?;
        before
    })
    .and_then(|before| {
        writer
            .into_inner()
            .context("the writer was made")?
            .finish()?;
        growth(before)
    })
}

fn before() -> anyhow::Result<f64> {
    memory::forget_peak();
    let (now, _) = memory::resident_mib().context("no resident memory")?;
    Ok(now)
}

fn growth(before: f64) -> anyhow::Result<f64> {
    let (_, peak) = memory::resident_mib().context("no resident memory")?;
    Ok(peak - before)
}
