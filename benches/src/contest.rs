//! Contests: one work, several contenders, side by side.
//!
//! Repetitions are interleaved (A B C A B C …), so that a machine that slows down for a while slows all
//! of them.

use crate::report::{LIMIT, PEER, READER_PEER, Row};
use crate::stats::median;

/// What one repetition came to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) seconds: Option<f64>,
    /// Numbers under names that hold their units; the same names in every repetition.
    pub(crate) extras: Vec<(&'static str, f64)>,
}

impl Sample {
    /// A repetition that took `seconds`.
    pub(crate) fn of(seconds: f64) -> Self {
        Self {
            seconds: Some(seconds),
            extras: Vec::new(),
        }
    }

    /// Adds a number.
    pub(crate) fn with(mut self, name: &'static str, value: f64) -> Self {
        self.extras.push((name, value));
        self
    }

    /// The number under this name; NaN where there is none.
    pub(crate) fn extra(&self, name: &str) -> f64 {
        let found = self.extras.iter().find(|(key, _)| *key == name);
        found.map_or(f64::NAN, |&(_, value)| value)
    }
}

/// A work: its name, how many items it has, and what an item is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) items: f64,
    pub(crate) item: &'static str,
}

/// Who does the work, and how one repetition is run.
pub(crate) struct Contender<'a> {
    who: String,
    run: Box<dyn FnMut() -> anyhow::Result<Sample> + 'a>,
    samples: Vec<Sample>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(
        who: impl Into<String>,
        run: impl FnMut() -> anyhow::Result<Sample> + 'a,
    ) -> Self {
        Self {
            who: who.into(),
            run: Box::new(run),
            samples: Vec::new(),
        }
    }

    /// What the repetitions came to, in their order.
    pub(crate) fn samples_mut(&mut self) -> &mut Vec<Sample> {
        &mut self.samples
    }

    /// The medians of all repetitions.
    pub(crate) fn row(&self, work: Work) -> Row {
        let seconds: Option<Vec<f64>> = self.samples.iter().map(|sample| sample.seconds).collect();
        let seconds = seconds.filter(|all| !all.is_empty()).map(median);
        let names = self.samples.first().map_or(&[][..], |first| &first.extras);
        let extra = |(index, &(name, _)): (usize, &(&'static str, f64))| {
            let values = self.samples.iter().map(|sample| sample.extras[index].1);
            (name, median(values))
        };
        Row {
            work: work.name,
            who: self.who.clone(),
            seconds,
            per_second: seconds.map(|seconds| work.items / seconds),
            item: work.item,
            peer: PEER,
            ratio_to_peer: None,
            ratio_to_limit: None,
            extras: names.iter().enumerate().map(extra).collect(),
            goals: Vec::new(),
        }
    }
}

/// Runs all contenders `repetitions` times, by turns.
pub(crate) fn interleave(
    repetitions: usize,
    contenders: &mut [Contender<'_>],
) -> anyhow::Result<()> {
    for _ in 0..repetitions {
        for contender in &mut *contenders {
            let sample = (contender.run)()?;
            contender.samples.push(sample);
        }
    }
    Ok(())
}

/// The rows of a work, with how many times faster than the peer and the limit each is.
pub(crate) fn rows(work: Work, contenders: &[Contender<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = contenders
        .iter()
        .map(|contender| contender.row(work))
        .collect();
    set_ratios(&mut rows);
    rows
}

/// Compares the rows of one work.
pub(crate) fn set_ratios(rows: &mut [Row]) {
    let seconds_of = |who: &str| rows.iter().find(|row| row.who == who)?.seconds;
    let peer = match seconds_of(READER_PEER) {
        Some(_) => READER_PEER,
        None => PEER,
    };
    let (seconds_of_peer, limit) = (seconds_of(peer), seconds_of(LIMIT));
    for row in rows {
        let times = |other: Option<f64>| Some(other? / row.seconds?);
        (row.ratio_to_peer, row.ratio_to_limit) = (times(seconds_of_peer), times(limit));
        row.peer = peer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_say_how_many_times_faster() -> anyhow::Result<()> {
        let turns = std::cell::RefCell::new(String::new());
        let contender = |who: &'static str, seconds: f64| {
            let turns = &turns;
            Contender::new(who, move || {
                turns.borrow_mut().push_str(&who[..1]);
                Ok(Sample::of(seconds).with("bytes", 2.0))
            })
        };
        let mut contenders = [
            contender("modelpulse", 0.5),
            contender(PEER, 2.0),
            contender(LIMIT, 0.25),
        ];
        interleave(2, &mut contenders)?;
        assert_eq!(*turns.borrow(), "mtlmtl");
        let work = Work {
            name: "w",
            items: 10.0,
            item: "scalars",
        };
        let row = &rows(work, &contenders)[0];
        assert_eq!((row.per_second, row.extra("bytes")), (Some(20.0), 2.0));
        assert_eq!(
            (row.ratio_to_peer, row.ratio_to_limit),
            (Some(4.0), Some(0.5))
        );
        Ok(())
    }
}
