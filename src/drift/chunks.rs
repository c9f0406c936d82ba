//! Values of chunk after chunk against those of the reference's chunks: thresholds and alerts.

use super::data::sample::sum;
use super::data::{Counts, Sample};

/// The limits between which the value of a chunk is as ever.
///
/// ```
/// use modelpulse::drift::chunks::Thresholds;
///
/// let thresholds = Thresholds::three_sigma(&[0.1, 0.12, 0.08, 0.1]).at_least(0.0);
/// assert!(!thresholds.alert(0.14) && thresholds.alert(0.15) && thresholds.alert(0.05));
/// assert!(!thresholds.above_only().alert(0.05));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Below it is an alert.
    pub lower: Option<f64>,
    /// Above it is an alert.
    pub upper: Option<f64>,
}

impl Thresholds {
    /// Three standard deviations (`ddof = 0`) to either side of the mean over the reference's chunks; a value that is
    /// NaN counts nowhere. Without values there are no limits.
    #[must_use]
    pub fn three_sigma(reference: &[f64]) -> Self {
        let values = reference.iter().copied().filter(|value| !value.is_nan());
        let n = values.clone().count() as f64;
        if n == 0.0 {
            return Self {
                lower: None,
                upper: None,
            };
        }
        let mean = sum(values.clone()) / n;
        let deviation = (sum(values.map(|value| (value - mean).powi(2))) / n).sqrt();
        Self {
            lower: Some(mean - 3.0 * deviation),
            upper: Some(mean + 3.0 * deviation),
        }
    }

    /// What no value can be below is no limit below it.
    #[must_use]
    pub fn at_least(mut self, least: f64) -> Self {
        self.lower = self.lower.map(|lower| lower.max(least));
        self
    }

    /// What no value can be above is no limit above it.
    #[must_use]
    pub fn at_most(mut self, most: f64) -> Self {
        self.upper = self.upper.map(|upper| upper.min(most));
        self
    }

    /// Without the lower limit: for distances, of which small ones are good.
    #[must_use]
    pub fn above_only(mut self) -> Self {
        self.lower = None;
        self
    }

    /// Whether a value is beyond a limit; NaN is not.
    #[must_use]
    pub fn alert(&self, value: f64) -> bool {
        self.lower.is_some_and(|lower| value < lower)
            || self.upper.is_some_and(|upper| value > upper)
    }
}

/// How many values are in each bin between two edges, which has the lower one; the last bin has both.
pub(crate) fn between(edges: &[f64], sample: &Sample) -> Vec<u64> {
    let values = sample.values();
    let below = |edge: f64| values.partition_point(|&value| value < edge);
    let last = edges.len().saturating_sub(2);
    let bin = |(at, pair): (usize, &[f64])| {
        let end = if at == last {
            values.partition_point(|&value| value <= pair[1])
        } else {
            below(pair[1])
        };
        (end - below(pair[0])) as u64
    };
    edges.windows(2).enumerate().map(bin).collect()
}

/// Numbers in the bins of a histogram over the reference, or its values where there are few: what NannyML compares
/// chunks by.
///
/// ```
/// use modelpulse::drift::{chunks::Histogram, data::Sample};
///
/// let reference: Vec<f64> = (0..200).map(|i| f64::from(i % 100)).collect();
/// let histogram = Histogram::of(&Sample::new(&reference));
/// let counts = histogram.counts(&Sample::new(&[5.0, 50.0, 1e6]));
/// assert_eq!(counts.current().last(), Some(&1), "what is in no bin is in one of its own");
/// ```
#[derive(Debug, Clone)]
pub struct Histogram {
    bins: Bins,
    reference: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Bins {
    /// Edges, of which each bin has the lower one; the last has both.
    Edges(Vec<f64>),
    Values(Vec<f64>),
}

impl Histogram {
    /// Of more than 50 values, or more than one in ten of all, bins by Doane's rule; else each value is one.
    #[must_use]
    pub fn of(reference: &Sample) -> Self {
        let distinct = reference.distinct();
        let bins = if distinct > 50 || distinct as f64 / reference.len() as f64 > 0.1 {
            Bins::Edges(doane(reference))
        } else {
            let mut values = reference.values().to_vec();
            values.dedup();
            Bins::Values(values)
        };
        let mut histogram = Self {
            bins,
            reference: Vec::new(),
        };
        histogram.reference = histogram.counted(reference);
        histogram
    }

    /// The reference and a chunk; values of the chunk that are in no bin are the last category.
    #[must_use]
    pub fn counts(&self, chunk: &Sample) -> Counts {
        Counts::new(self.reference.clone(), self.counted(chunk))
    }

    fn counted(&self, sample: &Sample) -> Vec<u64> {
        let values = sample.values();
        let mut counts: Vec<u64> = match &self.bins {
            Bins::Edges(edges) => between(edges, sample),
            Bins::Values(kept) => {
                let count = |&kept: &f64| {
                    let upto = values.partition_point(|&value| value <= kept);
                    (upto - values.partition_point(|&value| value < kept)) as u64
                };
                kept.iter().map(count).collect()
            }
        };
        let counted: u64 = counts.iter().sum();
        counts.push(values.len() as u64 - counted);
        counts
    }
}

/// The edges of a histogram by the rule of D. P. Doane (1976, doi 10.1080/00031305.1976.10479172), as numpy has it.
fn doane(sample: &Sample) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (sample.values().first(), sample.values().last()) else {
        return Vec::new();
    };
    let n = sample.len() as f64;
    let deviation = sample.deviation();
    let mut width = 0.0;
    if n > 2.0 && deviation > 0.0 {
        let mean = sample.mean();
        let cubes = sample
            .values()
            .iter()
            .map(|value| ((value - mean) / deviation).powi(3));
        let skewness = sum(cubes) / n;
        let error = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
        width = (last - first) / (1.0 + n.log2() + (1.0 + skewness.abs() / error).log2());
    }
    linear_edges(first, last, width)
}

/// As many bins of about this width as fill a range, with the rounding of `numpy.linspace`.
pub(crate) fn linear_edges(first: f64, last: f64, width: f64) -> Vec<f64> {
    let (first, last) = if first == last {
        (first - 0.5, last + 0.5)
    } else {
        (first, last)
    };
    let bins = if width > 0.0 {
        ((last - first) / width).ceil().max(1.0)
    } else {
        1.0
    };
    if !(last - first).is_finite() {
        return Vec::new();
    }
    let step = (last - first) / bins;
    let mut edges: Vec<f64> = (0..bins as usize)
        .map(|i| i as f64 * step + first)
        .collect();
    edges.push(last);
    edges
}
