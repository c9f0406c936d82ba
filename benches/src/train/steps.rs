//! `steps`: what it costs to have hooks called that need nothing.

use modelpulse::train::{Hook, Loop};

use crate::clock;
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::report::{Bound, Report};

const STEPS: usize = 500_000;
const NS: &str = "ns a step";

/// A hook that needs nothing.
struct Idle;

impl Hook for Idle {}

/// Adds a loop of empty steps, without hooks and with three.
pub(super) fn steps(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    let contender = |who, hooks| Contender::new(who, move || Ok(empty(hooks)));
    let mut contenders = [contender("no hooks", 0), contender("three idle hooks", 3)];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: "steps",
        items: STEPS as f64,
        item: "steps",
    };
    let mut rows = rows(work, &contenders);
    rows[1].extra_goal(NS, Bound::AtMost(50.0));
    report.add(rows);
    Ok(())
}

/// All six points of each step, by the time that this thread runs.
fn empty(hooks: usize) -> Sample {
    let trainee = &mut ();
    let mut fit = (0..hooks).fold(Loop::new(), |fit, _| fit.hook(Idle));
    fit.start(trainee, 1, STEPS);
    fit.epoch_start(trainee);
    let (since, ran) = (std::time::Instant::now(), clock::thread_seconds());
    for _ in 0..STEPS {
        fit.batch_start(trainee, 32);
        if fit.after_loss(trainee, None) && fit.after_backward(trainee) && fit.before_step(trainee)
        {
            fit.after_step(trainee);
        }
        fit.batch_end(trainee);
    }
    let seconds = since.elapsed().as_secs_f64();
    let ran = ran.zip(clock::thread_seconds());
    let ran = ran.map_or(seconds, |(from, to)| to - from);
    Sample::of(seconds).with(NS, ran / STEPS as f64 * 1e9)
}
