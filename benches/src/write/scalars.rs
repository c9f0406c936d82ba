//! `scalars` and `step_guard`: a million scalars, one call each, and ten a step.
//!
//! The time is that from the first call until the log is ended and handed to the operating system.

use super::timed;
use crate::contest::{Contender, Work, interleave, rows, set_ratios};
use crate::limit::Limit;
use crate::peers::{Ours, SERIES, Scalars, Synced, TensorboardRs, Tfrecord};
use crate::python;
use crate::report::{Bound, OURS, PEER, Report};

const SCALARS: usize = 1_000_000;
const STEPS: i64 = (SCALARS / SERIES) as i64;

const ONE_BY_ONE: Work = Work {
    name: "scalars",
    items: SCALARS as f64,
    item: "scalars",
};

const BY_STEP: Work = Work {
    name: "step_guard",
    ..ONE_BY_ONE
};

/// Adds the works that are wanted. They share the peer, whose only call is one scalar.
pub(super) fn run(
    report: &mut Report,
    repetitions: usize,
    want_scalars: bool,
    want_steps: bool,
) -> anyhow::Result<()> {
    let mut contenders = vec![one_by_one::<TensorboardRs>()];
    let mut one = vec![0];
    let mut step = vec![0];
    let mut add = |list: &mut Vec<usize>, contender| {
        list.push(contenders.len());
        contenders.push(contender);
    };
    if want_scalars {
        add(&mut one, one_by_one::<Ours>());
        add(&mut one, one_by_one::<Synced>());
        add(&mut one, one_by_one::<Tfrecord>());
        add(&mut one, one_by_one::<Limit>());
        let (found, notes) = python::contenders(SCALARS);
        found
            .into_iter()
            .for_each(|contender| add(&mut one, contender));
        notes.into_iter().for_each(|note| report.note(note));
    }
    if want_steps {
        add(&mut step, by_step::<Ours>());
        add(&mut step, by_step::<Tfrecord>());
        add(&mut step, by_step::<Limit>());
    }
    interleave(repetitions, &mut contenders)?;

    let select = |work, indices: &[usize]| {
        let all = rows(work, &contenders);
        let mut rows: Vec<_> = indices.iter().map(|&index| all[index].clone()).collect();
        set_ratios(&mut rows);
        rows.sort_by_key(|row| row.who != OURS);
        rows
    };
    if want_scalars {
        let mut rows = select(ONE_BY_ONE, &one);
        let ours = &mut rows[0];
        ours.goal("× tensorboard-rs", ours.ratio_to_peer, Bound::AtLeast(35.0));
        ours.goal("× limit", ours.ratio_to_limit, Bound::AtLeast(0.9));
        report.add(rows);
    }
    if want_steps {
        let mut rows = select(BY_STEP, &step);
        let ours = &mut rows[0];
        ours.goal(
            "× tensorboard-rs",
            ours.ratio_to_peer,
            Bound::AtLeast(100.0),
        );
        ours.extra_goal("bytes each", Bound::AtMost(25.0));
        report.add(rows);
        report.note(format!(
            "{PEER} has no call for a step: its row in step_guard is that of scalars"
        ));
    }
    Ok(())
}

fn one_by_one<W: Scalars>() -> Contender<'static> {
    Contender::new(W::NAME, || {
        timed(W::create, SCALARS, |mut writer: W| {
            for step in 0..STEPS {
                for series in 0..SERIES {
                    writer.scalar(series, step, value(step, series));
                }
            }
            writer.finish()
        })
    })
}

fn by_step<W: Scalars>() -> Contender<'static> {
    Contender::new(W::NAME, || {
        timed(W::create, SCALARS, |mut writer: W| {
            for step in 0..STEPS {
                writer.step(step, &std::array::from_fn(|series| value(step, series)));
            }
            writer.finish()
        })
    })
}

fn value(step: i64, series: usize) -> f32 {
    step as f32 * 0.001 + series as f32
}
