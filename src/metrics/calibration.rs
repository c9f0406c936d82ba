//! Calibration: whether a model is as often right as it says it is sure.
//!
//! Samples are counted in bins of their confidence. Expected and maximum calibration error after Guo et al., "On
//! calibration of modern neural networks", 2017, <https://arxiv.org/abs/1706.04599>, equations 3 and 5.
//!
//! Bins keep exact sums, so neither the order of samples nor their sharding changes a bit of an answer.

use super::batch::{check_length, check_scores, check_weights};
use super::{
    Accumulator, Answer, Batch, BinaryBatch, ExactSum, MetricError, OwnedBinary, Undefined,
};

/// To which of two bins a confidence on the edge between them belongs.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Calibration, Edges};
/// for (edges, low, high) in [(Edges::Right, 1, 0), (Edges::Left, 0, 1)] {
///     let mut calibration = Calibration::new(2, edges);
///     calibration.update(BinaryBatch::new(&[true], &[0.5]))?;
///     let bins = calibration.compute().bins;
///     assert_eq!((bins[0].count, bins[1].count), (low, high));
/// }
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edges {
    /// To the lower: bins are (a, b], the first \[a, b\]. So scikit-learn's `calibration_curve` and Guo et al.
    Right,
    /// To the upper: bins are [a, b), the last \[a, b\]. So torchmetrics, but that it has a bin of its own for 1.
    Left,
}

/// Counts predictions by their confidence, and how many of them came true.
///
/// For a binary classifier a sample is whether it is positive and the probability of that, as in scikit-learn's
/// `calibration_curve`; for a multiclass one, whether the prediction is right and the probability of it.
///
/// Memory is about 200 bytes a bin. Bins are of equal width; for bins of equally many samples, which need all of them,
/// see [`Reliability::quantiles`].
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Calibration, Edges};
///
/// let mut calibration = Calibration::new(10, Edges::Right);
/// calibration.update(BinaryBatch::new(&[true, false, true, true], &[0.75, 0.75, 0.9, 0.9]))?;
/// let reliability = calibration.compute();
/// assert!((reliability.ece().unwrap() - 0.175).abs() < 1e-15);
/// assert_eq!(reliability.mce(), Ok(0.25));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibration {
    edges: Edges,
    bins: Vec<Sums>,
    samples: u64,
    /// Samples whose confidence is not in 0..=1.
    improper: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sums {
    count: u64,
    hits: u64,
    confidence: ExactSum,
    /// Of weights and of those of the hits; kept from the first sample on that does not weigh 1.
    weights: Option<(ExactSum, ExactSum)>,
}

impl Sums {
    #[inline]
    fn add(&mut self, confidence: f64, hit: bool, weight: f64) {
        if weight == 1.0 && self.weights.is_none() {
            self.confidence.add(confidence);
        } else {
            self.confidence.add_product(confidence, weight);
            let (all, hits) = self.weigh();
            all.add(weight);
            if hit {
                hits.add(weight);
            }
        }
        self.count += 1;
        self.hits += u64::from(hit);
    }

    fn weigh(&mut self) -> &mut (ExactSum, ExactSum) {
        let (count, hits) = (self.count, self.hits);
        self.weights.get_or_insert_with(|| {
            let mut sums = (ExactSum::new(), ExactSum::new());
            sums.0.add_count(count);
            sums.1.add_count(hits);
            sums
        })
    }

    fn merge(&mut self, other: &Self) {
        if self.weights.is_some() || other.weights.is_some() {
            let mut other = other.clone();
            let theirs = std::mem::take(other.weigh());
            let ours = self.weigh();
            ours.0.merge(&theirs.0);
            ours.1.merge(&theirs.1);
        }
        self.confidence.merge(&other.confidence);
        self.count += other.count;
        self.hits += other.hits;
    }

    fn bin(&self) -> Bin {
        let (weight, hits) = match &self.weights {
            Some((all, hits)) => (all.value(), hits.value()),
            None => (self.count as f64, self.hits as f64),
        };
        Bin {
            count: self.count,
            weight,
            confidence: self.confidence.value() / weight,
            accuracy: hits / weight,
        }
    }
}

impl Calibration {
    /// An accumulator with this many bins of equal width, at least one.
    #[must_use]
    pub fn new(bins: usize, edges: Edges) -> Self {
        Self {
            edges,
            bins: vec![Sums::default(); bins.max(1)],
            samples: 0,
            improper: 0,
        }
    }

    /// Counts a sample that was checked.
    #[inline]
    pub(super) fn push(&mut self, confidence: f64, hit: bool, weight: f64) {
        self.samples += 1;
        match place(confidence, self.bins.len(), self.edges) {
            Some(bin) => self.bins[bin].add(confidence, hit, weight),
            None => self.improper += 1,
        }
    }
}

/// The bin of a confidence; none outside 0..=1.
///
/// Edges are i × (1 / bins), as numpy's and torch's `linspace` have them: not i / bins, which differs in the last bit.
#[inline]
fn place(confidence: f64, bins: usize, edges: Edges) -> Option<usize> {
    if !(0.0..=1.0).contains(&confidence) {
        return None;
    }
    let step = 1.0 / bins as f64;
    let edge = |i: usize| match edges {
        Edges::Right => i as f64 * step,
        // From the far end in the upper half, as torch does.
        Edges::Left if i <= bins / 2 => i as f64 * step,
        Edges::Left => 1.0 - (bins - i) as f64 * step,
    };
    let above = |edge: f64| match edges {
        Edges::Right => confidence > edge,
        Edges::Left => confidence >= edge,
    };
    let mut bin = ((confidence * bins as f64) as usize).min(bins - 1);
    // Rounding may have led one bin astray.
    while bin > 0 && !above(edge(bin)) {
        bin -= 1;
    }
    while bin + 1 < bins && above(edge(bin + 1)) {
        bin += 1;
    }
    Some(bin)
}

impl Accumulator for Calibration {
    type Owned = OwnedBinary;
    type Batch<'a> = BinaryBatch<'a>;
    type Answer = Reliability;

    /// [`MetricError::NanScore`], [`MetricError::Lengths`] or [`MetricError::Weight`]. A score outside 0..=1 is taken,
    /// and leaves the answers undefined.
    fn check(&self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        check_length("scores", batch.len(), batch.scores.len())?;
        check_weights(batch.weights, batch.len(), self.samples)?;
        check_scores(batch.scores, 1, 1, self.samples)?;
        Ok(())
    }

    fn update(&mut self, batch: BinaryBatch<'_>) -> Result<(), MetricError> {
        self.check(batch)?;
        for (i, (&hit, &confidence)) in batch.labels.iter().zip(batch.scores).enumerate() {
            self.push(
                confidence,
                hit,
                batch.weights.map_or(1.0, |weights| weights[i]),
            );
        }
        Ok(())
    }

    /// [`MetricError::SettingsDiffer`] if the other has other bins.
    fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        if (self.bins.len(), self.edges) != (other.bins.len(), other.edges) {
            return Err(MetricError::SettingsDiffer { what: "bins" });
        }
        for (ours, theirs) in self.bins.iter_mut().zip(&other.bins) {
            ours.merge(theirs);
        }
        self.samples += other.samples;
        self.improper += other.improper;
        Ok(())
    }

    fn compute(&self) -> Reliability {
        Reliability {
            bins: self.bins.iter().map(Sums::bin).collect(),
            improper: self.improper,
        }
    }

    fn fresh(&self) -> Self {
        Self::new(self.bins.len(), self.edges)
    }

    fn samples(&self) -> u64 {
        self.samples
    }
}

/// What came of the predictions whose confidence is in one bin.
///
/// ```
/// use modelpulse::metrics::{Accumulator, BinaryBatch, Calibration, Edges};
/// let mut calibration = Calibration::new(2, Edges::Right);
/// calibration.update(BinaryBatch::new(&[true, false], &[0.75, 0.75]))?;
/// let bin = calibration.compute().bins[1];
/// assert_eq!((bin.count, bin.confidence, bin.accuracy), (2, 0.75, 0.5));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Bin {
    /// How many predictions there are.
    pub count: u64,
    /// What they weigh.
    pub weight: f64,
    /// Their mean confidence; NaN without any.
    pub confidence: f64,
    /// The share of them that came true; NaN without any.
    pub accuracy: f64,
}

/// A reliability diagram as numbers: the bins from the lowest confidence up, and the errors over them.
///
/// ```
/// use modelpulse::metrics::Reliability;
/// let samples = [(0.2, false, 1.0), (0.4, true, 1.0), (0.6, false, 1.0), (0.8, true, 1.0)];
/// let halves = Reliability::quantiles(samples, 2);
/// assert_eq!(halves.bins[0].accuracy, 0.5);
/// assert!((halves.ece().unwrap() - 0.2).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reliability {
    /// The bins, empty ones too.
    pub bins: Vec<Bin>,
    /// How many samples had a confidence outside 0..=1; any leaves the errors undefined.
    pub improper: u64,
}

impl Reliability {
    /// Bins with equally many samples each, as far as ties allow: (confidence, came true, weight) of all samples.
    ///
    /// Edges are the quantiles of the confidences (weights apart), and a confidence on an edge belongs to the lower
    /// bin: `calibration_curve(strategy="quantile")` of scikit-learn.
    #[must_use]
    pub fn quantiles(samples: impl IntoIterator<Item = (f64, bool, f64)>, bins: usize) -> Self {
        let samples: Vec<_> = samples.into_iter().collect();
        let mut confidences: Vec<f64> = samples.iter().map(|sample| sample.0).collect();
        confidences.sort_unstable_by(f64::total_cmp);
        let bins = bins.max(1);
        let edges: Vec<f64> = (1..bins)
            .map(|i| percentile(&confidences, i as f64 * (1.0 / bins as f64)))
            .collect();
        let mut sums = vec![Sums::default(); bins];
        let mut improper = 0;
        for (confidence, hit, weight) in samples {
            if (0.0..=1.0).contains(&confidence) {
                let bin = edges.partition_point(|&edge| edge < confidence);
                sums[bin].add(confidence, hit, weight);
            } else {
                improper += 1;
            }
        }
        Self {
            bins: sums.iter().map(Sums::bin).collect(),
            improper,
        }
    }

    /// The bins that have samples.
    fn filled(&self) -> Result<impl Iterator<Item = &Bin>, Undefined> {
        if self.improper > 0 {
            return Err(Undefined::NotProbabilities);
        }
        if self.bins.iter().all(|bin| bin.weight <= 0.0) {
            return Err(Undefined::NoSamples);
        }
        Ok(self.bins.iter().filter(|bin| bin.weight > 0.0))
    }

    /// The expected calibration error, 0..=1: the mean over samples of how far confidence and accuracy of their bin are
    /// apart.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoSamples`], or [`Undefined::NotProbabilities`] if a confidence was outside 0..=1.
    pub fn ece(&self) -> Answer {
        let total: f64 = self.filled()?.map(|bin| bin.weight).sum();
        let gaps = self.filled()?.map(|bin| bin.weight / total * gap(bin));
        Ok(gaps.sum())
    }

    /// The root of the mean square over samples of how far confidence and accuracy of their bin are apart.
    ///
    /// # Errors
    ///
    /// As [`ece`](Self::ece).
    pub fn rmsce(&self) -> Answer {
        let total: f64 = self.filled()?.map(|bin| bin.weight).sum();
        let squares = self
            .filled()?
            .map(|bin| bin.weight / total * gap(bin).powi(2));
        Ok(squares.sum::<f64>().sqrt())
    }

    /// The maximum calibration error, 0..=1: how far confidence and accuracy are apart in the worst bin.
    ///
    /// # Errors
    ///
    /// As [`ece`](Self::ece).
    pub fn mce(&self) -> Answer {
        Ok(self.filled()?.map(gap).fold(0.0, f64::max))
    }
}

fn gap(bin: &Bin) -> f64 {
    (bin.accuracy - bin.confidence).abs()
}

/// The quantile of sorted numbers, linear between two of them, as numpy's default.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = share * last as f64;
    let low = (place as usize).min(last);
    let (a, b) = (sorted[low], sorted[(low + 1).min(last)]);
    let t = place - low as f64;
    // From the nearer end, as numpy does, so that both give the same bits.
    if t >= 0.5 {
        b - (b - a) * (1.0 - t)
    } else {
        a + (b - a) * t
    }
}
