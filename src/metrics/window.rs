//! Windows over a stream: the metrics of what came of late.
//!
//! Every window is made of accumulators of the kind that it is given, so whatever can be computed can be computed over a
//! window, and the answers are those of the accumulator over the same samples.

use std::collections::VecDeque;

use super::{Accumulator, Batch, MetricError};

/// Windows of equally many samples, one behind the other: each sample is in one.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Tumbling};
///
/// let mut window = Tumbling::new(BinaryMetrics::new(), 2);
/// let labels = [true, true, false, true, false];
/// let ended = window.update(BinaryBatch::new(&labels, &[0.9, 0.2, 0.1, 0.8, 0.3]))?;
/// assert_eq!(ended.len(), 2);
/// assert_eq!((ended[0].accuracy, ended[1].accuracy), (Ok(0.5), Ok(1.0)));
/// assert_eq!(window.compute().accuracy, Ok(1.0), "the window that has begun");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tumbling<A> {
    current: A,
    size: usize,
}

impl<A: Accumulator> Tumbling<A> {
    /// Windows of `size` samples, at least one, with the settings of `like`.
    #[must_use]
    pub fn new(like: A, size: usize) -> Self {
        Self {
            current: like.fresh(),
            size: size.max(1),
        }
    }

    /// Takes a batch, and answers for each window that it has ended.
    ///
    /// # Errors
    ///
    /// As [`Accumulator::update`]; nothing was taken then.
    pub fn update(&mut self, batch: A::Batch<'_>) -> Result<Vec<A::Answer>, MetricError> {
        self.current.check(batch)?;
        let mut ended = Vec::new();
        let mut start = 0;
        while start < batch.len() {
            let room = self.size - self.current.samples() as usize;
            let end = batch.len().min(start + room);
            self.current.update(batch.slice(start, end))?;
            start = end;
            if self.current.samples() as usize == self.size {
                ended.push(self.current.compute());
                self.current = self.current.fresh();
            }
        }
        Ok(ended)
    }

    /// Answers from the window that has begun.
    pub fn compute(&self) -> A::Answer {
        self.current.compute()
    }
}

/// The last samples, in panes: a full window slides on by a pane at a time.
///
/// Its answers are of between `panes` - 1 and `panes` panes of samples, once there were as many; with panes of one
/// sample, of exactly `panes` samples. Memory and the time of an answer are those of `panes` accumulators.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Sliding};
///
/// let mut window = Sliding::new(BinaryMetrics::new(), 3, 1);
/// window.update(BinaryBatch::new(&[true, true, false, true], &[0.2, 0.9, 0.1, 0.8]))?;
/// assert_eq!(window.samples(), 3);
/// assert_eq!(window.compute().accuracy, Ok(1.0), "the first, wrong, has left");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sliding<A> {
    like: A,
    panes: VecDeque<A>,
    most: usize,
    size: usize,
}

impl<A: Accumulator> Sliding<A> {
    /// A window of `panes` panes of `size` samples, each at least one, with the settings of `like`.
    #[must_use]
    pub fn new(like: A, panes: usize, size: usize) -> Self {
        Self {
            like: like.fresh(),
            panes: VecDeque::new(),
            most: panes.max(1),
            size: size.max(1),
        }
    }

    /// Takes a batch, and lets go of panes that have left the window.
    ///
    /// # Errors
    ///
    /// As [`Accumulator::update`]; nothing was taken then.
    pub fn update(&mut self, batch: A::Batch<'_>) -> Result<(), MetricError> {
        self.like.check(batch)?;
        let mut start = 0;
        while start < batch.len() {
            let full = |pane: &A| pane.samples() as usize == self.size;
            if self.panes.back().is_none_or(full) {
                if self.panes.len() == self.most {
                    self.panes.pop_front();
                }
                self.panes.push_back(self.like.fresh());
            }
            let Some(pane) = self.panes.back_mut() else {
                break;
            };
            let end = batch.len().min(start + self.size - pane.samples() as usize);
            pane.update(batch.slice(start, end))?;
            start = end;
        }
        Ok(())
    }

    /// The number of samples in the window.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.panes.iter().map(A::samples).sum()
    }

    /// Answers from all samples in the window.
    pub fn compute(&self) -> A::Answer {
        let mut all = self.like.fresh();
        for pane in &self.panes {
            // All panes were made alike, and hold fewer samples than a count can.
            let merged = all.merge(pane);
            debug_assert!(merged.is_ok(), "{merged:?}");
        }
        all.compute()
    }
}

/// All samples, each weighing half as much after every `half_life` further ones.
///
/// Weights grow instead of shrinking, which no ratio notices (G. Cormode et al., "Forward decay", 2009,
/// doi 10.1109/ICDE.2009.65); what is older than 64 half-lives, and so weighs less than 2⁻⁶⁴ of the newest, is let go at
/// the latest after 128. So memory is that of the accumulator over 128 half-lives, and half as much again.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Decayed};
///
/// let mut window = Decayed::new(BinaryMetrics::new(), 1.0);
/// window.update(BinaryBatch::new(&[true, true], &[0.2, 0.9]))?;
/// assert_eq!(window.compute().accuracy, Ok(2.0 / 3.0), "the second, right, weighs twice as much");
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decayed<A> {
    /// Answers are from this; weights are 2^((number - base) / half-life).
    current: A,
    /// Takes over when `current` has lived for two lives; its base is one life later.
    next: A,
    /// The number of the sample that weighs 1 in `current`.
    base: u64,
    taken: u64,
    half_life: f64,
    /// 64 half-lives.
    life: u64,
}

/// After so many half-lives a sample weighs nothing to an `f64`.
const LIVES: f64 = 64.0;

impl<A: Accumulator> Decayed<A> {
    /// Samples that weigh half as much after `half_life` further ones (at least 0.0625), with the settings of `like`.
    #[must_use]
    pub fn new(like: A, half_life: f64) -> Self {
        let half_life = half_life.max(0.0625);
        Self {
            current: like.fresh(),
            next: like.fresh(),
            base: 0,
            taken: 0,
            half_life,
            life: (LIVES * half_life).ceil() as u64,
        }
    }

    /// Takes a batch; its own weights count too.
    ///
    /// # Errors
    ///
    /// As [`Accumulator::update`]; nothing was taken then.
    pub fn update(&mut self, batch: A::Batch<'_>) -> Result<(), MetricError> {
        self.current.check(batch)?;
        let mut start = 0;
        while start < batch.len() {
            let age = self.taken - self.base;
            let second = age >= self.life;
            let ends = if second { 2 * self.life } else { self.life };
            let room = usize::try_from(ends - age).unwrap_or(usize::MAX);
            let end = batch.len().min(start.saturating_add(room));
            // Copied, because weights as long-lived as the caller's batch cannot be made here.
            let numbers: Vec<usize> = (start..end).collect();
            let owned = batch.draw(&numbers);
            let part = A::Batch::of(&owned);
            let weigh = |base: u64| -> Vec<f64> {
                let own = |i: usize| part.weights().map_or(1.0, |weights| weights[i]);
                let age = |i: usize| (self.taken + i as u64 - base) as f64 / self.half_life;
                (0..part.len()).map(|i| own(i) * age(i).exp2()).collect()
            };
            let weights = weigh(self.base);
            let later = second.then(|| weigh(self.base + self.life));
            self.current
                .update(A::Batch::of(&owned).weighted(&weights))?;
            if let Some(later) = later {
                self.next.update(A::Batch::of(&owned).weighted(&later))?;
            }
            self.taken += part.len() as u64;
            start = end;
            if self.taken - self.base == 2 * self.life {
                let fresh = self.next.fresh();
                self.current = std::mem::replace(&mut self.next, fresh);
                self.base += self.life;
            }
        }
        Ok(())
    }

    /// Answers from all samples, the newest weighing the most.
    pub fn compute(&self) -> A::Answer {
        self.current.compute()
    }
}
