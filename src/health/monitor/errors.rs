//! What is wrong with the rows that a model is asked for: counted by kind, and a few of them kept for the log.
//!
//! A sample holds nothing of a hidden column, nor a text that may repeat one; there are so many a kind between two
//! evaluations, however many rows are wrong.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::meters::Meters;
use super::watch::lock;
use super::{Predictions, Rows};
use crate::summary::Text;
use crate::types::WallTime;

/// What may be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The model failed or panicked.
    Failed,
    /// It could not be read, or has another number of features.
    Malformed,
    /// A NaN came out.
    Nan,
    /// A feature is beyond what the model was trained on, or is no finite number.
    OutOfRange,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Failed, Self::Malformed, Self::Nan, Self::OutOfRange];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Malformed => "malformed",
            Self::Nan => "nan",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// What is known of the features of a model.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) names: Vec<String>,
    /// The least and the most of each.
    pub(super) ranges: Vec<(f32, f32)>,
    /// Names or places of those that are not to be written down.
    pub(super) redacted: Vec<String>,
}

impl Features {
    fn is_hidden(&self, at: usize) -> bool {
        let name = self.names.get(at);
        let named = |hidden: &String| Some(hidden) == name || hidden.parse() == Ok(at);
        self.redacted.iter().any(named)
    }

    fn called(&self, at: usize) -> String {
        let name = self.names.get(at);
        name.map_or_else(|| format!("feature {at}"), |name| format!("'{name}'"))
    }

    /// Where a row is out of range first.
    fn out_of_range(&self, row: &[f32]) -> Option<usize> {
        let within = |(value, (least, most)): (&f32, &(f32, f32))| value >= least && value <= most;
        row.iter().zip(&self.ranges).position(|pair| !within(pair))
    }

    /// The features of a row, but for those that are hidden.
    fn shown(&self, row: &[f32]) -> String {
        const SHOWN: usize = 32;
        let value = |(at, value): (usize, &f32)| match self.is_hidden(at) {
            true => "hidden".to_owned(),
            false => value.to_string(),
        };
        let shown: Vec<String> = row.iter().enumerate().take(SHOWN).map(value).collect();
        match row.len().checked_sub(SHOWN) {
            Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
            _ => shown.join(", "),
        }
    }
}

/// A row that something was wrong with.
#[derive(Debug)]
struct Sample {
    time: f64,
    what: String,
    features: String,
}

/// Counts, and keeps samples.
#[derive(Debug, Default)]
pub(super) struct Errors {
    features: Features,
    samples: Mutex<BTreeMap<Kind, Vec<Sample>>>,
}

/// Of each kind, until the next evaluation.
const SAMPLES: usize = 5;
/// Characters of a text.
const LENGTH: usize = 300;

impl Errors {
    pub(super) fn new(features: Features) -> Self {
        let samples = Mutex::default();
        Self { features, samples }
    }

    /// Takes note of rows that are out of range.
    pub(super) fn look_at(&self, meters: &Meters, rows: Rows<'_>) {
        if self.features.ranges.is_empty() {
            return;
        }
        let mut count = 0;
        for row in rows.iter() {
            let Some(at) = self.features.out_of_range(row) else {
                continue;
            };
            count += 1;
            self.sample(Kind::OutOfRange, || {
                let name = self.features.called(at);
                let what = match (self.features.is_hidden(at), self.features.ranges.get(at)) {
                    (false, Some((least, most))) => {
                        format!("{name} is {}, not within {least} to {most}", row[at])
                    }
                    _ => format!("{name} is out of its range"),
                };
                (what, self.features.shown(row))
            });
        }
        if count > 0 {
            meters.errors(Kind::OutOfRange).add(f64::from(count));
        }
    }

    /// Takes note of rows whose outputs have a NaN.
    pub(super) fn look_at_outputs(&self, meters: &Meters, rows: Rows<'_>, said: &Predictions) {
        let mut count = 0;
        for (row, outputs) in rows.iter().zip(said.iter()) {
            if outputs.iter().any(|value| value.is_nan()) {
                count += 1;
                self.sample(Kind::Nan, || {
                    (
                        "the model returned NaN".to_owned(),
                        self.features.shown(row),
                    )
                });
            }
        }
        if count > 0 {
            meters.errors(Kind::Nan).add(f64::from(count));
        }
    }

    /// Takes note of so many rows that there is no answer to, as far as they could be read.
    pub(super) fn no_answer(
        &self,
        meters: &Meters,
        kind: Kind,
        count: usize,
        why: &str,
        rows: Option<Rows<'_>>,
    ) {
        meters.errors(kind).add(count as f64);
        self.sample(kind, || {
            // It may repeat what is to be hidden.
            let what = match self.features.redacted.is_empty() {
                true => why.chars().take(LENGTH).collect(),
                false => "not shown, for there are hidden columns".to_owned(),
            };
            let first = rows.and_then(|rows| rows.iter().next());
            (
                what,
                first.map_or_else(String::new, |row| self.features.shown(row)),
            )
        });
    }

    fn sample(&self, kind: Kind, make: impl FnOnce() -> (String, String)) {
        let mut samples = lock(&self.samples);
        let samples = samples.entry(kind).or_default();
        if samples.len() < SAMPLES {
            let time = WallTime::now().as_secs_f64();
            let (what, features) = make();
            samples.push(Sample {
                time,
                what,
                features,
            });
        }
    }

    /// The samples since the last call, as a table; `None` where there is none.
    pub(super) fn table(&self) -> Option<Text> {
        let samples = std::mem::take(&mut *lock(&self.samples));
        let mut rows = Vec::new();
        for (kind, samples) in samples {
            for Sample {
                time,
                what,
                features,
            } in samples
            {
                let time = format!("{time:.3}");
                rows.push([kind.name().to_owned(), time, what, features]);
            }
        }
        let head = ["kind", "seconds since 1970", "what", "features"];
        (!rows.is_empty()).then(|| Text::table(&head, &rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Registry;

    fn errors(redacted: &[&str]) -> Errors {
        Errors::new(Features {
            names: ["age", "card", "price"].map(str::to_owned).to_vec(),
            ranges: vec![(0.0, 120.0), (0.0, 1.0), (-1.0, 1.0)],
            redacted: redacted.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    fn markdown(errors: &Errors) -> String {
        errors.table().unwrap().markdown().to_owned()
    }

    #[test]
    fn what_is_out_of_range_is_counted_and_shown() {
        let (registry, errors) = (Registry::new(), errors(&[]));
        let meters = Meters::new(&registry);
        let values = [
            [50.0, 0.0, 1.0],
            [-1.0, 0.5, 0.0],
            [50.0, 0.5, f32::NAN],
            [120.0, f32::INFINITY, 7.0],
        ]
        .concat();
        errors.look_at(&meters, Rows::new(&values, 3).unwrap());
        assert_eq!(meters.errors(Kind::OutOfRange).value(), 3.0);
        let table = markdown(&errors);
        assert!(
            table.contains("'age' is -1, not within 0 to 120 | -1, 0.5, 0 |"),
            "{table}"
        );
        assert!(table.contains("'price' is NaN") && table.contains("'card' is inf"));
        assert_eq!(errors.table(), None);
    }

    #[test]
    fn hidden_columns_are_nowhere_in_a_sample() {
        for hidden in ["card", "1"] {
            let (registry, errors) = (Registry::new(), errors(&[hidden]));
            let meters = Meters::new(&registry);
            let row = [7.0, 4111.0, 0.5];
            let rows = Rows::new(&row, 3).unwrap();
            errors.look_at(&meters, rows);
            errors.look_at_outputs(&meters, rows, &Predictions::new(vec![f32::NAN], 1));
            errors.no_answer(&meters, Kind::Failed, 1, "4111 is too large", Some(rows));
            errors.no_answer(&meters, Kind::Malformed, 1, "invalid type: \"4111\"", None);
            let table = markdown(&errors);
            assert!(
                !table.contains("4111") && table.contains("7, hidden, 0.5"),
                "{table}"
            );
            assert!(table.contains("'card' is out of its range"));
            assert_eq!(table.lines().count(), 2 + 4);
        }
    }

    #[test]
    fn there_are_so_many_samples_and_all_are_counted() {
        let (registry, errors) = (Registry::new(), Errors::default());
        let meters = Meters::new(&registry);
        let long = "x".repeat(5000);
        for _ in 0..1000 {
            errors.no_answer(&meters, Kind::Malformed, 2, &long, None);
        }
        let wide = [0.5; 2000];
        let rows = Rows::new(&wide, 1000).unwrap();
        errors.look_at_outputs(&meters, rows, &Predictions::new(vec![f32::NAN; 2], 1));
        assert_eq!(meters.errors(Kind::Malformed).value(), 2000.0);
        let table = markdown(&errors);
        assert_eq!(table.lines().count(), 2 + SAMPLES + 2);
        assert!(table.len() < 3000 && table.contains("0.5 and 968 more"));
    }
}
