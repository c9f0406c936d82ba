//! The distributions of a column on both sides, in bins that both share.

use crate::drift::data::Distribution;

/// What the bars of a histogram are of.
#[derive(Debug, Clone, PartialEq)]
pub enum Bins {
    /// Numbers between edges, of which there is one more than bars; what is beyond the ends is in the outer bars.
    Edges(Vec<f64>),
    /// Kinds, the most frequent first; the last may be all others.
    Names(Vec<String>),
}

/// How many values of either side are in each bin.
///
/// ```
/// use modelpulse::health::drift_report::{Bins, Histogram};
/// let histogram = Histogram { bins: Bins::Names(vec!["a".into()]), counts: [vec![3], vec![0]] };
/// assert_eq!(histogram.shares(0), [1.0]);
/// assert_eq!(histogram.shares(1), [0.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The bins.
    pub bins: Bins,
    /// Of the reference and of the current side.
    pub counts: [Vec<u64>; 2],
}

/// So many bars have numbers, and kinds.
const BARS: usize = 24;
const KINDS: usize = 10;
/// So much of either side may be in the outer bars, so that a few far away do not squeeze all others.
const BEYOND: f64 = 0.005;

impl Histogram {
    /// The shares of a side's values, the reference being 0; 0 of nothing.
    #[must_use]
    pub fn shares(&self, side: usize) -> Vec<f64> {
        let counts = &self.counts[side.min(1)];
        let all = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|&count| count as f64 / all).collect()
    }

    pub(super) fn of_numbers(a: &impl Distribution, b: &impl Distribution) -> Self {
        let quantiles = |share| [a.quantile(share), b.quantile(share)].into_iter().flatten();
        let finite = |value: &f64| value.is_finite();
        let low = quantiles(BEYOND)
            .filter(finite)
            .fold(f64::INFINITY, f64::min);
        let high = quantiles(1.0 - BEYOND)
            .filter(finite)
            .fold(f64::NEG_INFINITY, f64::max);
        if low > high || !(high / 2.0 - low / 2.0).is_finite() {
            return Self {
                bins: Bins::Edges(Vec::new()),
                counts: [Vec::new(), Vec::new()],
            };
        }
        let bars = if low == high { 1 } else { BARS };
        let edge = |at: usize| {
            let part = at as f64 / bars as f64;
            low * (1.0 - part) + high * part
        };
        let edges: Vec<f64> = (0..=bars).map(edge).collect();
        let inner = &edges[1..bars];
        Self {
            counts: [between(a, inner), between(b, inner)],
            bins: Bins::Edges(edges),
        }
    }

    /// Of names with how often each is there on either side.
    pub(super) fn of_names(mut all: Vec<(String, [u64; 2])>, others: [u64; 2]) -> Self {
        let totals = [0, 1].map(|side| {
            let counted: u64 = all.iter().map(|(_, counts)| counts[side]).sum();
            (counted + others[side]).max(1) as f64
        });
        let share =
            |counts: &[u64; 2]| (counts[0] as f64 / totals[0]).max(counts[1] as f64 / totals[1]);
        all.sort_by(|a, b| {
            share(&b.1)
                .total_cmp(&share(&a.1))
                .then_with(|| a.0.cmp(&b.0))
        });
        let kept = if all.len() > KINDS || others != [0; 2] {
            (KINDS - 1).min(all.len())
        } else {
            all.len()
        };
        let rest = all.split_off(kept);
        let rest_counts = [0, 1]
            .map(|side| rest.iter().map(|(_, counts)| counts[side]).sum::<u64>() + others[side]);
        if rest_counts != [0; 2] {
            let more = if others == [0; 2] {
                format!("{} others", rest.len())
            } else {
                "all others".to_owned()
            };
            all.push((more, rest_counts));
        }
        let counts = [0, 1].map(|side| all.iter().map(|(_, counts)| counts[side]).collect());
        Self {
            bins: Bins::Names(all.into_iter().map(|(name, _)| name).collect()),
            counts,
        }
    }
}

/// How many values are below the first edge, from each on, and from the last on.
fn between(distribution: &impl Distribution, inner: &[f64]) -> Vec<u64> {
    let mut before = 0;
    let ends = inner.iter().map(|&edge| distribution.below(edge));
    let counts = ends.chain([distribution.len()]).map(|end| {
        let count = end - before;
        before = end;
        count as u64
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::data::Sample;

    #[test]
    fn what_is_far_away_is_in_the_outer_bars() {
        let mut values: Vec<f64> = (0..999).map(f64::from).collect();
        values.push(1e12);
        let histogram = Histogram::of_numbers(&Sample::new(&values), &Sample::new(&[5.0, -3.0]));
        let Bins::Edges(edges) = &histogram.bins else {
            panic!("edges");
        };
        assert!(edges.len() == BARS + 1 && (edges[0] + 2.96).abs() < 1e-9);
        assert!(edges[BARS] < 1000.0);
        assert_eq!(histogram.counts[0].iter().sum::<u64>(), 1000);
        assert_eq!(histogram.counts[1].iter().sum::<u64>(), 2);
        let one = Sample::new(&[2.0, 2.0]);
        assert_eq!(
            Histogram::of_numbers(&one, &one).counts,
            [[2], [2]].map(Vec::from)
        );
        let none = Sample::new(&[]);
        let [before, now] = Histogram::of_numbers(&none, &none).counts;
        assert!(before.is_empty() && now.is_empty());
    }

    #[test]
    fn rare_names_are_taken_together() {
        let names = (0..30)
            .map(|i| (format!("n{i:02}"), [100 - i, 0]))
            .collect();
        let histogram = Histogram::of_names(names, [0, 7]);
        let Bins::Names(names) = &histogram.bins else {
            panic!("names");
        };
        assert_eq!(names.len(), KINDS);
        assert_eq!(
            (names[0].as_str(), names[9].as_str()),
            ("n00", "all others")
        );
        assert_eq!(histogram.counts[1].last(), Some(&7));
    }
}
