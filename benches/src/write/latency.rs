//! `latency_full` and `latency_paced`: how long each single call keeps its loop waiting.
//!
//! A call is timed by the processor's counter, so each number has the cost of reading it in it; at full
//! load the median of an empty timed call is subtracted next to it.

use std::hint::spin_loop;

use tempfile::TempDir;

use crate::clock::{tick_ns, ticks};
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::limit::Limit;
use crate::peers::{Clock, Nothing, Ours, SERIES, Scalars, TensorboardRs, Tfrecord};
use crate::report::{Bound, OURS, Report, Row};
use crate::stats::quantile;

const FULL_STEPS: usize = 100_000;
const PACED_STEPS: usize = 2_000;
const P50: &str = "p50 ns";
const P99: &str = "p99 ns";
const P999: &str = "p99.9 ns";

/// Adds the latencies of a million calls, one behind the other.
pub(super) fn full(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let mut rows = measure("latency_full", repetitions, FULL_STEPS, 0.0, |pause| {
        vec![
            contender::<Ours>(FULL_STEPS, pause),
            contender::<TensorboardRs>(FULL_STEPS, pause),
            contender::<Tfrecord>(FULL_STEPS, pause),
            contender::<Limit>(FULL_STEPS, pause),
            contender::<Clock>(FULL_STEPS, pause),
            contender::<Nothing>(FULL_STEPS, pause),
        ]
    })?;
    let empty = rows.iter().find(|row| row.who == Nothing::NAME);
    let empty = empty.map_or(f64::NAN, |row| row.extra(P50));
    const OVER: [(&str, &str, f64); 3] = [
        (P50, "p50 ns over empty", 30.0),
        (P99, "p99 ns over empty", 80.0),
        (P999, "p99.9 ns over empty", 350.0),
    ];
    for row in &mut rows {
        for (raw, over, bound) in OVER {
            let value = row.extra(raw) - empty;
            row.extras.push((over, value));
            if row.who == OURS {
                row.goal(over, Some(value), Bound::AtMost(bound));
            }
        }
    }
    report.add(rows);
    report.note("latency_full: an empty timed call's p50 is subtracted in the columns 'over empty'; the wall clock, which each value needs, is not");
    Ok(())
}

/// Adds the latencies of ten calls a millisecond.
pub(super) fn paced(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let mut rows = measure("latency_paced", repetitions, PACED_STEPS, 1e6, |pause| {
        vec![
            contender::<Ours>(PACED_STEPS, pause),
            contender::<TensorboardRs>(PACED_STEPS, pause),
            contender::<Tfrecord>(PACED_STEPS, pause),
            contender::<Limit>(PACED_STEPS, pause),
        ]
    })?;
    let ours = &mut rows[0];
    ours.extra_goal(P99, Bound::AtMost(2500.0));
    report.add(rows);
    Ok(())
}

/// `pause_ns` of busy waiting lie between the steps; `contenders` is given them in ticks.
fn measure(
    name: &'static str,
    repetitions: usize,
    steps: usize,
    pause_ns: f64,
    contenders: impl FnOnce(u64) -> Vec<Contender<'static>>,
) -> anyhow::Result<Vec<Row>> {
    let mut contenders = contenders((pause_ns / tick_ns()) as u64);
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name,
        items: (steps * SERIES) as f64,
        item: "scalars",
    };
    Ok(rows(work, &contenders))
}

fn contender<W: Scalars>(steps: usize, pause: u64) -> Contender<'static> {
    Contender::new(W::NAME, move || latencies::<W>(steps, pause))
}

fn latencies<W: Scalars>(steps: usize, pause: u64) -> anyhow::Result<Sample> {
    let dir = TempDir::with_prefix("modelpulse-bench-")?;
    let mut writer = W::create(dir.path())?;
    // Written once before, so that no page of it is new while a call is timed.
    let mut latencies = vec![u32::MAX; steps * SERIES];
    for (step, latencies) in latencies.chunks_exact_mut(SERIES).enumerate() {
        for (series, latency) in latencies.iter_mut().enumerate() {
            let value = step as f32 * 0.001 + series as f32;
            let before = ticks();
            writer.scalar(series, step as i64, value);
            *latency = u32::try_from(ticks() - before).unwrap_or(u32::MAX);
        }
        let since = ticks();
        while ticks() - since < pause {
            spin_loop();
        }
    }
    writer.finish()?;
    latencies.sort_unstable();
    let ns = |q| quantile(&latencies, q) * tick_ns();
    Ok(Sample::default()
        .with(P50, ns(0.5))
        .with(P99, ns(0.99))
        .with(P999, ns(0.999)))
}
