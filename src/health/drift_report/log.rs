//! A comparison as a run of a log, for TensorBoard.

use super::{Bins, Column, Report};
use crate::drift::performance::Metric;
use crate::drift::verdict::Verdict;
use crate::summary;
use crate::train::Session;
use crate::types::Step;

impl Report {
    /// Logs, of each column, a scalar `drift/COLUMN/…` for what was found, and its distribution as a histogram
    /// `drift/COLUMN`, of the reference to the run `reference` and of the current side to `current`; over all columns
    /// `drift/share`.
    pub fn log_to(&self, session: &Session, step: impl Into<Step>) {
        let step = step.into();
        let mut instant = session.instant();
        let drifted = self.drifted().count() as f64;
        let share = drifted / self.columns.len().max(1) as f64;
        instant.scalar("current", "drift/share", step, share);
        for column in &self.columns {
            let tag = |what: &str| format!("drift/{}/{what}", column.name());
            let drifted = f64::from(u8::from(column.verdict() == Verdict::Drift));
            instant.scalar("current", &tag("drifted"), step, drifted);
            if let Ok(found) = column.judged.distribution {
                instant.scalar("current", &tag("effect"), step, found.effect);
                instant.scalar("current", &tag("statistic"), step, found.statistic);
                if found.threshold.is_none() {
                    instant.scalar("current", &tag("p_value"), step, found.adjusted);
                }
            }
            for (side, run) in ["reference", "current"].into_iter().enumerate() {
                let missing = column.judged.missing_rates[side];
                instant.scalar(run, &tag("missing"), step, missing);
                if let Some(histogram) = column.logged(side) {
                    instant.log(run, &format!("drift/{}", column.name()), step, histogram);
                }
            }
        }
        if let Some(performance) = &self.performance {
            for metric in Metric::ALL {
                let tag = |what: &str| format!("performance/{}/{what}", metric.name());
                if let Ok(value) = performance.reference.of(metric) {
                    instant.scalar("reference", &tag("realised"), step, value);
                }
                if let Ok(value) = performance.estimated.of(metric) {
                    instant.scalar("current", &tag("estimated"), step, value);
                }
                let realised = performance.realised.as_ref();
                if let Some(Ok(value)) = realised.map(|it| it.of(metric)) {
                    instant.scalar("current", &tag("realised"), step, value);
                }
            }
        }
    }
}

impl Column {
    /// The bars of a side; of kinds, their numbers in order.
    fn logged(&self, side: usize) -> Option<summary::Histogram> {
        let counts = self.histogram.counts.get(side)?;
        let edges: Vec<f64> = match &self.histogram.bins {
            Bins::Edges(edges) if edges.len() > 1 => edges.clone(),
            Bins::Edges(_) => return None,
            Bins::Names(names) => (0..=names.len()).map(|at| at as f64 - 0.5).collect(),
        };
        let ends = edges.windows(2).zip(counts);
        let buckets = ends.map(|(ends, &count)| [ends[0], ends[1], count as f64]);
        summary::Histogram::from_buckets(buckets.collect::<Vec<_>>()).ok()
    }
}
