//! How far metrics would move with other rows of the same kind: intervals by the bootstrap.

use super::columns::{Columns, Measured};
use super::measure::{Kept, Metrics};
use super::{EvaluationError, Evaluator, Plan, Progress};
use crate::metrics::{Answer, Bootstrap, Interval, Memory, MetricError, PairedDifference};

/// How many scores, or rows, all resamples may have, unless their number is said.
const MOST_DRAWN: usize = 200_000_000;
/// The same for what is not asked for, and so must cost little.
const MOST_DRAWN_UNASKED: usize = 10_000_000;
/// The fewest resamples whose interval says something.
const FEWEST: usize = 200;
const USUAL: usize = 1000;
/// How much an interval holds where that is not said.
const LEVEL: f64 = 0.95;

/// That intervals can be found, if they are asked for.
pub(super) fn check(plan: &Plan, asked: &Evaluator) -> Result<(), EvaluationError> {
    if asked.confidence.is_none() || asked.memory == Memory::Exact {
        return Ok(());
    }
    Err(EvaluationError::NotFor {
        option: "--confidence",
        task: plan.task,
        reason: "it draws from all rows, and bounded memory keeps none",
    })
}

/// How much the intervals of these settings hold.
pub(super) fn level(asked: &Evaluator) -> f64 {
    asked.confidence.unwrap_or(LEVEL)
}

/// What draws from so many rows; nothing where too few resamples could be had in the time of what was not asked for.
fn bootstrap(asked: &Evaluator, rows: &Kept) -> Option<Bootstrap> {
    let size = rows.rows.len().max(rows.columns.scores.len()).max(1);
    let affordable = |most: usize| (most / size).min(USUAL);
    let resamples = match (asked.resamples, asked.confidence) {
        (Some(resamples), _) => resamples,
        (None, Some(_)) => affordable(MOST_DRAWN).max(FEWEST),
        (None, None) => Some(affordable(MOST_DRAWN_UNASKED)).filter(|&it| it >= FEWEST)?,
    };
    let bootstrap = Bootstrap::new(asked.seed).level(level(asked));
    Some(bootstrap.resamples(resamples))
}

/// The interval of every metric, where intervals are asked for.
pub(super) fn around(
    metrics: &Metrics,
    asked: &Evaluator,
    rows: &Kept,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<(&'static str, Interval)>, EvaluationError> {
    let bootstrap = asked.confidence.and(bootstrap(asked, rows));
    let Some(bootstrap) = bootstrap else {
        return Ok(Vec::new());
    };
    fn of<M: Measured>(
        like: &M,
        bootstrap: &Bootstrap,
        rows: &Columns,
        told: impl FnMut(usize, usize),
    ) -> Result<Vec<(&'static str, Interval)>, MetricError> {
        let intervals = bootstrap.intervals_watched(like, like.batch(rows), answers::<M>, told)?;
        Ok(names(like).zip(intervals).collect())
    }
    let rows = &rows.columns;
    let told = |done, of| progress(Progress::Resamples { done, of });
    Ok(match metrics {
        Metrics::Binary(like) => of(&**like, &bootstrap, rows, told),
        Metrics::Multiclass(like) => of(&**like, &bootstrap, rows, told),
        Metrics::Decisions(like) => of(&**like, &bootstrap, rows, told),
        Metrics::Multilabel(like) => of(&**like, &bootstrap, rows, told),
        Metrics::Regression(like) => of(&**like, &bootstrap, rows, told),
    }?)
}

/// How much every metric differs between two models on the same rows; nothing where that would take long and is not
/// asked for.
pub(super) fn between(
    metrics: &Metrics,
    asked: &Evaluator,
    old: &Kept,
    new: &Kept,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<(&'static str, PairedDifference)>, EvaluationError> {
    let Some(bootstrap) = bootstrap(asked, new) else {
        return Ok(Vec::new());
    };
    fn of<M: Measured>(
        like: &M,
        bootstrap: &Bootstrap,
        [old, new]: [&Columns; 2],
        told: impl FnMut(usize, usize),
    ) -> Result<Vec<(&'static str, PairedDifference)>, MetricError> {
        let (old, new) = (like.batch(old), like.batch(new));
        let differences = bootstrap.pairs_watched(like, old, new, answers::<M>, told)?;
        Ok(names(like).zip(differences).collect())
    }
    let both = [&old.columns, &new.columns];
    let told = |done, of| progress(Progress::Resamples { done, of });
    Ok(match metrics {
        Metrics::Binary(like) => of(&**like, &bootstrap, both, told),
        Metrics::Multiclass(like) => of(&**like, &bootstrap, both, told),
        Metrics::Decisions(like) => of(&**like, &bootstrap, both, told),
        Metrics::Multilabel(like) => of(&**like, &bootstrap, both, told),
        Metrics::Regression(like) => of(&**like, &bootstrap, both, told),
    }?)
}

/// The names of what an accumulator answers.
fn names<M: Measured>(like: &M) -> impl Iterator<Item = &'static str> {
    let named = M::named(&like.fresh().compute());
    named.into_iter().map(|(name, _)| name)
}

fn answers<M: Measured>(answer: M::Answer) -> Vec<Answer> {
    let named = M::named(&answer);
    named.into_iter().map(|(_, answer)| answer).collect()
}
