//! What other tools would say of a column, defects included.

use super::load::{Held, Names};
use crate::drift::chunks::Histogram;
use crate::drift::data::{Counts, Sample};
use crate::drift::evidently::Method;
use crate::drift::{Column, Undefined};

/// Another tool.
///
/// ```
/// use modelpulse::health::drift_report::Compat;
/// assert_eq!("evidently".parse(), Ok(Compat::Evidently));
/// assert_eq!(Compat::NannyMl.to_string(), "NannyML");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compat {
    /// Evidently 0.7: its default test by type and the rows of the reference, its thresholds; half of the columns make
    /// drift of the data.
    Evidently,
    /// NannyML 0.13: the Jensen–Shannon distance of each tenth of the current rows; one above 0.1 is an alert.
    NannyMl,
}

impl std::str::FromStr for Compat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "evidently" => Ok(Self::Evidently),
            "nannyml" => Ok(Self::NannyMl),
            _ => Err("it is evidently or nannyml".to_owned()),
        }
    }
}

impl std::fmt::Display for Compat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Evidently => "Evidently",
            Self::NannyMl => "NannyML",
        })
    }
}

/// What another tool would say of a column.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CompatScore {
    /// Its name for the test.
    pub method: &'static str,
    /// The score, of chunks the largest; or why there is none.
    pub score: Result<f64, Undefined>,
    /// Its threshold.
    pub threshold: f64,
    /// Whether it says that the column has drifted.
    pub drifted: bool,
    /// Of how many chunks how many are beyond the threshold, where it looks at chunks.
    pub alerts: Option<(usize, usize)>,
}

impl Compat {
    pub(super) fn score(
        self,
        reference: &Held,
        current: &Held,
        asked: Option<Method>,
    ) -> CompatScore {
        match self {
            Self::Evidently => evidently(reference, current, asked),
            Self::NannyMl => nannyml(reference, current),
        }
    }
}

fn evidently(reference: &Held, current: &Held, asked: Option<Method>) -> CompatScore {
    let names = [reference, current].map(|side| match side {
        Held::Numbers(_) => Vec::new(),
        Held::Names(names) => names.iter().collect::<Vec<Option<&str>>>(),
    });
    let [a, b] = [(reference, &names[0]), (current, &names[1])].map(|(held, names)| match held {
        Held::Numbers(numbers) => Column::Numbers(numbers),
        Held::Names(_) => Column::Categories(names),
    });
    let method = asked.unwrap_or_else(|| Method::default_for(&a, &b));
    let score = method.score(&a, &b);
    CompatScore {
        method: method.name(),
        score,
        threshold: method.threshold(),
        drifted: score.is_ok_and(|score| method.drifted(score)),
        alerts: None,
    }
}

/// So many chunks of one size, and one more if rows are left.
const CHUNKS: usize = 10;
const LIMIT: f64 = 0.1;

fn nannyml(reference: &Held, current: &Held) -> CompatScore {
    let scores: Vec<Result<f64, Undefined>> = match (reference, current) {
        (Held::Numbers(reference), Held::Numbers(current)) => {
            let histogram = Histogram::of(&Sample::new(reference));
            let chunks = current.chunks((current.len() / CHUNKS).max(1));
            let score = |chunk| histogram.counts(&Sample::new(chunk)).jensen_shannon_bits();
            chunks.map(score).collect()
        }
        (Held::Names(reference), Held::Names(current)) => {
            let all: Vec<Option<&str>> = current.iter().collect();
            let chunks = all.chunks((all.len() / CHUNKS).max(1));
            chunks.map(|chunk| of_names(reference, chunk)).collect()
        }
        _ => vec![Err(Undefined::Categories)],
    };
    let defined = scores.iter().filter_map(|score| score.ok());
    let alerts = defined.clone().filter(|&score| score > LIMIT).count();
    let most = defined.fold(f64::NAN, f64::max);
    CompatScore {
        method: "jensen_shannon",
        score: if most.is_nan() {
            scores
                .iter()
                .find_map(|score| score.err())
                .map_or(Err(Undefined::TooFew), Err)
        } else {
            Ok(most)
        },
        threshold: LIMIT,
        drifted: alerts > 0,
        alerts: Some((alerts, scores.len())),
    }
}

fn of_names(reference: &Names, chunk: &[Option<&str>]) -> Result<f64, Undefined> {
    let present: Vec<&str> = chunk.iter().flatten().copied().collect();
    let mut here: Vec<u64> = Vec::with_capacity(reference.names.len());
    let mut there = reference.counts();
    let mut counted: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for name in present {
        *counted.entry(name).or_default() += 1;
    }
    for name in &reference.names {
        here.push(counted.remove(name.as_str()).unwrap_or(0));
    }
    for (_, count) in counted {
        here.push(count);
        there.push(0);
    }
    Counts::new(there, here).jensen_shannon_bits()
}
