//! `train memory`: how far resident memory grows over a hundred thousand steps, in a process of its own.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use modelpulse::train::{BatchEnd, Control, Hook, HookError};

use super::fit::{Digits, Hooks, Shape};
use crate::contest::{Contender, Sample, Work, interleave, rows};
use crate::memory::{CHILD_VERB, forget_peak, resident_mib};
use crate::report::{Bound, Report};
use crate::subprocess;

/// By what the child is asked for this.
pub(crate) const WHO: &str = "training";

/// Every series is known by then, and every buffer has grown.
const WARM_UP: usize = 10_000;
const STEPS: usize = 100_000;
const GROWTH: &str = "MiB more";
const PEAK: &str = "MiB more at its peak";

/// 360 steps an epoch.
const SHAPE: Shape = Shape {
    name: "train memory",
    epochs: (WARM_UP + STEPS) / 360 + 2,
    batch_size: 4,
    ..Shape::DEFAULT
};

/// Adds the growth between step 10,000 and step 110,000 of a training with everything on.
pub(super) fn resident(report: &mut Report, repetitions: usize) -> anyhow::Result<()> {
    if resident_mib().is_none() {
        report.note("memory is not measured: this system does not say what is resident");
        return Ok(());
    }
    let run = || {
        let numbers = subprocess::numbers([CHILD_VERB, WHO, "1"])?;
        let [growth, peak] = numbers[..] else {
            bail!("the child prints two numbers, not {numbers:?}");
        };
        Ok(Sample::default().with(GROWTH, growth).with(PEAK, peak))
    };
    let mut contenders = [Contender::new("everything on", run)];
    interleave(repetitions, &mut contenders)?;
    let work = Work {
        name: SHAPE.name,
        items: STEPS as f64,
        item: "steps",
    };
    let mut rows = rows(work, &contenders);
    rows[0].extra_goal(GROWTH, Bound::AtMost(2.0));
    report.add(rows);
    Ok(())
}

/// Looks at the memory of this process twice.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Seen>>);

#[derive(Clone, Copy, Default)]
struct Seen {
    before: Option<f64>,
    after: Option<(f64, f64)>,
}

impl Hook for Watch {
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.step == WARM_UP {
            forget_peak();
            seen.before = resident_mib().map(|(now, _)| now);
        } else if at.step == WARM_UP + STEPS {
            seen.after = resident_mib();
            return Ok(Control::Stop("long enough".to_owned()));
        }
        Ok(Control::Continue)
    }
}

/// The whole of the child process: prints how many MiB there are more, now and at the peak.
pub(crate) fn child() -> anyhow::Result<()> {
    let watch = Watch::default();
    let hook = watch.clone();
    Digits::new()?.train_with(SHAPE, Hooks::Everything, |trainer| trainer.hook(hook))?;
    let seen = *watch.0.lock().unwrap_or_else(PoisonError::into_inner);
    let (before, (after, peak)) = seen.before.zip(seen.after).context("no resident memory")?;
    println!("{} {}", after - before, peak - before);
    Ok(())
}
