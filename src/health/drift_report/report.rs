//! What is said of every column, and of all together.

use std::path::PathBuf;

use super::{Compat, CompatScore, Histogram, Performance};
use crate::drift::data::Distribution;
use crate::drift::profile::Field;
use crate::drift::verdict::{Judged, Policy, Verdict};

/// A comparison.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The files: the reference and what is compared with it.
    pub files: [PathBuf; 2],
    /// The rows of either.
    pub rows: [u64; 2],
    /// How it was judged.
    pub policy: Policy,
    /// Whose verdicts these are, if not ours.
    pub compat: Option<Compat>,
    /// Whether it is of profiles.
    pub profiles: bool,
    /// What was found, in the order of the reference.
    pub columns: Vec<Column>,
    /// Features that are only in the reference: that is drift.
    pub gone: Vec<String>,
    /// Columns that are only in the current data.
    pub added: Vec<String>,
    /// Columns that were not compared, and why.
    pub left_out: Vec<(String, &'static str)>,
    /// How well the model does, where labels and scores tell.
    pub performance: Option<Performance>,
}

/// What is said of a column.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Column {
    /// What it is on either side.
    pub fields: [Field; 2],
    /// What is said, and why.
    pub judged: Judged,
    /// What another tool would say; its verdict counts then.
    pub compat: Option<CompatScore>,
    /// Numbers in a few, where it is of numbers on that side.
    pub summaries: [Option<Summary>; 2],
    /// How good its values are.
    pub quality: Quality,
    /// Its distributions.
    pub histogram: Histogram,
}

/// A column of numbers in a few; NaN where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of what they are drawn from (`ddof = 1`).
    pub deviation: f64,
    /// The least.
    pub least: f64,
    /// The lower quartile.
    pub lower_quartile: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub upper_quartile: f64,
    /// The largest.
    pub most: f64,
}

impl Summary {
    pub(super) fn of(distribution: &impl Distribution) -> Self {
        let quantile = |share| distribution.quantile(share).unwrap_or(f64::NAN);
        let n = distribution.len() as f64;
        Self {
            mean: distribution.mean(),
            deviation: (distribution.squares() / (n - 1.0)).sqrt(),
            least: quantile(0.0),
            lower_quartile: quantile(0.25),
            median: quantile(0.5),
            upper_quartile: quantile(0.75),
            most: quantile(1.0),
        }
    }
}

/// How good the values of a column are, beside what was there before.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Quality {
    /// The share of current values that are below the least or above the largest of the reference, of numbers.
    pub out_of_range: Option<f64>,
    /// The share of current values that are categories that the reference has not, of categories that are all told
    /// apart.
    pub unseen: Option<f64>,
    /// Some of them, the most frequent first.
    pub new_categories: Vec<String>,
    /// Whether all values of a side are equal.
    pub constant: [bool; 2],
    /// How many values of a side are ±Inf.
    pub infinite: [u64; 2],
}

impl Column {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.fields[0].name()
    }

    /// What is said of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.compat {
            Some(compat) if compat.drifted => Verdict::Drift,
            Some(compat) if compat.score.is_ok() => Verdict::NoDrift,
            Some(_) => Verdict::NotEnoughData,
            None => self.judged.verdict,
        }
    }

    /// How large the change is, of 0..=1; NaN where that is not known.
    #[must_use]
    pub fn effect(&self) -> f64 {
        self.judged
            .distribution
            .map_or(f64::NAN, |found| found.effect)
    }

    /// Why it is said that it has drifted, in words; empty where it has not.
    #[must_use]
    pub fn reasons(&self) -> Vec<&'static str> {
        if self.compat.is_some() {
            return Vec::new();
        }
        let judged = &self.judged;
        let reasons = [
            (judged.type_changed, "another type"),
            (judged.distribution_drifted, "distribution"),
            (judged.missing_drifted, "missing values"),
        ];
        reasons
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, reason)| reason)
            .collect()
    }
}

impl Report {
    /// Drift if a column has drifted or a feature is gone; not enough data if nothing can be said of any column.
    ///
    /// In the manner of Evidently, drift if half of the columns have drifted.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let drifted = self.drifted().count();
        let judged = self
            .columns
            .iter()
            .filter(|column| column.verdict() != Verdict::NotEnoughData);
        let drift = match self.compat {
            Some(Compat::Evidently) => drifted > 0 && drifted * 2 >= self.columns.len(),
            Some(Compat::NannyMl) => drifted > 0,
            None => drifted > 0 || !self.gone.is_empty(),
        };
        if drift {
            Verdict::Drift
        } else if judged.count() > 0 {
            Verdict::NoDrift
        } else {
            Verdict::NotEnoughData
        }
    }

    /// The columns that have drifted.
    pub fn drifted(&self) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(|column| column.verdict() == Verdict::Drift)
    }

    /// The columns as one looks at them: those that have drifted first, the largest change first.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Column> {
        let mut columns: Vec<&Column> = self.columns.iter().collect();
        let class = |column: &Column| match column.verdict() {
            Verdict::Drift => 0,
            Verdict::NotEnoughData => 1,
            Verdict::NoDrift => 2,
        };
        // NaN is no change.
        let effect = |column: &Column| {
            Some(column.effect())
                .filter(|it| !it.is_nan())
                .unwrap_or(-1.0)
        };
        columns.sort_by(|a, b| {
            let classes = class(a).cmp(&class(b));
            classes.then_with(|| effect(b).total_cmp(&effect(a)))
        });
        columns
    }
}
