//! Confidence intervals by the bootstrap: how far an answer would move with other samples of the same kind.
//!
//! The same seed gives the same interval on every machine, whatever number of cores it has: each resample has its own
//! part of the seed's sequence. Percentile intervals (B. Efron and R. J. Tibshirani, "An
//! introduction to the bootstrap", 1993, chapter 13).

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::random::SplitMix;
use super::{Accumulator, Answer, Batch, MetricError, Undefined};

/// The answer to nothing asked.
const NONE: Answer = Err(Undefined::NoSamples);

/// How often and from which seed samples are drawn, and how much the interval holds.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Bootstrap};
///
/// let labels = [false, true, false, true, true, false, true, true];
/// let scores = [0.2, 0.9, 0.4, 0.35, 0.8, 0.6, 0.7, 0.55];
/// let batch = BinaryBatch::new(&labels, &scores);
/// let interval = Bootstrap::new(42).interval(&BinaryMetrics::new(), batch, |report| report.accuracy)?;
/// assert_eq!(interval.value, Ok(0.75));
/// assert!(interval.low < 0.75 && 0.75 < interval.high);
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    seed: u64,
    resamples: usize,
    level: f64,
}

/// An answer and the interval around it.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, Bootstrap, Ranking};
/// let batch = BinaryBatch::new(&[true, true], &[0.2, 0.9]);
/// let interval = Bootstrap::new(1).interval(&Ranking::new(), batch, |steps| steps.roc_auc())?;
/// assert!(interval.value.is_err() && interval.low.is_nan());
/// assert_eq!((interval.defined, interval.resamples), (0, 1000));
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// The answer for the samples themselves.
    pub value: Answer,
    /// The lower end; NaN if no resample defined the answer.
    pub low: f64,
    /// The upper end; NaN if no resample defined the answer.
    pub high: f64,
    /// How much of what could have been the interval holds, as 0.95.
    pub level: f64,
    /// Of how many resamples.
    pub resamples: usize,
    /// How many of them defined the answer; the interval is of these only.
    pub defined: usize,
}

/// How much better a candidate is than a baseline on the same samples.
///
/// ```
/// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Bootstrap};
/// let labels = [false, true, false, true, true, false, true, true];
/// let baseline = BinaryBatch::new(&labels, &[0.2, 0.4, 0.7, 0.35, 0.8, 0.6, 0.7, 0.55]);
/// let candidate = BinaryBatch::new(&labels, &[0.2, 0.9, 0.4, 0.55, 0.8, 0.1, 0.7, 0.55]);
/// let gain = Bootstrap::new(42).paired(&BinaryMetrics::new(), baseline, candidate, |report| report.accuracy)?;
/// assert_eq!(gain.difference.value, Ok(0.5));
/// assert!(gain.p_value < 0.05);
/// # Ok::<(), modelpulse::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct PairedDifference {
    /// The answer for the candidate less that for the baseline.
    pub difference: Interval,
    /// Two-sided: how often resamples put the difference on the other side of 0 than it is, twice, with one resample
    /// more than were drawn on either side, so that it is never 0; NaN if no resample defined it.
    pub p_value: f64,
}

impl Bootstrap {
    /// 1000 resamples and a level of 0.95.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            resamples: 1000,
            level: 0.95,
        }
    }

    /// With this many resamples, at least one.
    #[must_use]
    pub fn resamples(self, resamples: usize) -> Self {
        let resamples = resamples.max(1);
        Self { resamples, ..self }
    }

    /// With this level, kept within 0..=1.
    #[must_use]
    pub fn level(self, level: f64) -> Self {
        let level = level.clamp(0.0, 1.0);
        Self { level, ..self }
    }

    /// The interval of an answer over these samples; `like` says with which settings it is computed.
    ///
    /// It takes the time of computing it once for each resample, on all cores.
    ///
    /// # Errors
    ///
    /// As [`Accumulator::update`].
    pub fn interval<A: Accumulator>(
        &self,
        like: &A,
        batch: A::Batch<'_>,
        ask: impl Fn(A::Answer) -> Answer + Sync,
    ) -> Result<Interval, MetricError> {
        let one = self.intervals(like, batch, |answer| [ask(answer)])?;
        Ok(one
            .into_iter()
            .next()
            .unwrap_or_else(|| self.around(NONE, Vec::new())))
    }

    /// The intervals of several answers, from the same resamples: hardly dearer than one.
    ///
    /// ```
    /// use modelpulse::metrics::{BinaryBatch, BinaryMetrics, Bootstrap};
    /// let batch = BinaryBatch::new(&[false, true, true], &[0.2, 0.9, 0.4]);
    /// let ask = |report: modelpulse::metrics::BinaryReport| [report.accuracy, report.recall];
    /// let intervals = Bootstrap::new(42).intervals(&BinaryMetrics::new(), batch, ask)?;
    /// assert_eq!([intervals[0].value, intervals[1].value], [Ok(2.0 / 3.0), Ok(0.5)]);
    /// # Ok::<(), modelpulse::metrics::MetricError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Accumulator::update`].
    pub fn intervals<A: Accumulator, L: AsRef<[Answer]> + Send>(
        &self,
        like: &A,
        batch: A::Batch<'_>,
        ask: impl Fn(A::Answer) -> L + Sync,
    ) -> Result<Vec<Interval>, MetricError> {
        self.intervals_watched(like, batch, ask, |_, _| ())
    }

    /// As [`intervals`](Self::intervals), but `progress` is told how many resamples are done, and of how many.
    pub(crate) fn intervals_watched<A: Accumulator, L: AsRef<[Answer]> + Send>(
        &self,
        like: &A,
        batch: A::Batch<'_>,
        ask: impl Fn(A::Answer) -> L + Sync,
        progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Interval>, MetricError> {
        let values = ask(computed(like, batch)?);
        let drawn = self.drawn(batch.len(), progress, |samples| {
            // Of what was taken as a whole, any part is taken too.
            Ok(ask(computed(like, A::Batch::of(&batch.draw(samples)))?))
        })?;
        let each = values.as_ref().iter().enumerate();
        Ok(each
            .map(|(at, &value)| self.around(value, defined(&drawn, at)))
            .collect())
    }

    /// By how much an answer differs between two models on the same samples: each resample draws the same samples of
    /// both.
    ///
    /// # Errors
    ///
    /// [`MetricError::Lengths`] if one has more samples than the other, and as [`Accumulator::update`].
    pub fn paired<A: Accumulator>(
        &self,
        like: &A,
        baseline: A::Batch<'_>,
        candidate: A::Batch<'_>,
        ask: impl Fn(A::Answer) -> Answer + Sync,
    ) -> Result<PairedDifference, MetricError> {
        let one = self.pairs_watched(like, baseline, candidate, |it| [ask(it)], |_, _| ())?;
        Ok(one
            .into_iter()
            .next()
            .unwrap_or_else(|| self.difference(NONE, Vec::new())))
    }

    /// As [`paired`](Self::paired) of several answers, and `progress` is told how many resamples are done, and of how many.
    pub(crate) fn pairs_watched<A: Accumulator, L: AsRef<[Answer]> + Send>(
        &self,
        like: &A,
        baseline: A::Batch<'_>,
        candidate: A::Batch<'_>,
        ask: impl Fn(A::Answer) -> L + Sync,
        progress: impl FnMut(usize, usize),
    ) -> Result<Vec<PairedDifference>, MetricError> {
        super::batch::check_length("labels of the other model", baseline.len(), candidate.len())?;
        let differences = |baseline: A::Batch<'_>, candidate: A::Batch<'_>| {
            let [baseline, candidate] = [computed(like, baseline)?, computed(like, candidate)?];
            let (baseline, candidate) = (ask(baseline), ask(candidate));
            let pairs = baseline.as_ref().iter().zip(candidate.as_ref());
            let difference = |(&before, &after): (&Answer, &Answer)| Ok(after? - before?);
            Ok(pairs.map(difference).collect::<Vec<Answer>>())
        };
        let values = differences(baseline, candidate)?;
        let drawn = self.drawn(baseline.len(), progress, |samples| {
            let (before, after) = (baseline.draw(samples), candidate.draw(samples));
            differences(A::Batch::of(&before), A::Batch::of(&after))
        })?;
        let each = values.into_iter().enumerate();
        Ok(each
            .map(|(at, value)| self.difference(value, defined(&drawn, at)))
            .collect())
    }

    /// What `ask` makes of each resample: of as many of `samples` samples as there are, with repetition.
    fn drawn<T: Send>(
        &self,
        samples: usize,
        mut progress: impl FnMut(usize, usize),
        ask: impl Fn(&[usize]) -> Result<T, MetricError> + Sync,
    ) -> Result<Vec<T>, MetricError> {
        let next = AtomicUsize::new(0);
        let work = |answers: mpsc::Sender<_>| {
            let mut numbers = vec![0; samples];
            loop {
                let resample = next.fetch_add(1, Ordering::Relaxed);
                if resample >= self.resamples {
                    return;
                }
                let mut random = SplitMix::new(self.seed);
                random.skip(resample as u64 * samples as u64);
                for number in &mut numbers {
                    *number = random.below(samples);
                }
                if answers.send(ask(&numbers)).is_err() {
                    return;
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            let (sender, answers) = mpsc::channel();
            for _ in 0..cores.min(self.resamples) {
                let sender = sender.clone();
                scope.spawn(|| work(sender));
            }
            drop(sender);
            // In whatever order they come: all that is made of them is the same.
            let mut drawn = Vec::with_capacity(self.resamples);
            for answer in answers {
                drawn.push(answer?);
                progress(drawn.len(), self.resamples);
            }
            Ok(drawn)
        })
    }

    fn difference(&self, value: Answer, drawn: Vec<f64>) -> PairedDifference {
        let side = |on: fn(&f64) -> bool| drawn.iter().filter(|value| on(value)).count() + 1;
        let least = side(|&value| value <= 0.0).min(side(|&value| value >= 0.0));
        let p_value = match drawn.len() {
            0 => f64::NAN,
            defined => (2.0 * least as f64 / (defined + 1) as f64).min(1.0),
        };
        PairedDifference {
            difference: self.around(value, drawn),
            p_value,
        }
    }

    fn around(&self, value: Answer, mut drawn: Vec<f64>) -> Interval {
        drawn.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        let end = |share| super::calibration::percentile(&drawn, share);
        let (low, high) = match drawn.is_empty() {
            true => (f64::NAN, f64::NAN),
            false => (end(tail), end(1.0 - tail)),
        };
        Interval {
            value,
            low,
            high,
            level: self.level,
            resamples: self.resamples,
            defined: drawn.len(),
        }
    }
}

fn computed<A: Accumulator>(like: &A, batch: A::Batch<'_>) -> Result<A::Answer, MetricError> {
    let mut accumulator = like.fresh();
    accumulator.update(batch)?;
    Ok(accumulator.compute())
}

/// Of each resample the answer of that number, where it is defined.
fn defined<L: AsRef<[Answer]>>(drawn: &[L], at: usize) -> Vec<f64> {
    let answers = drawn.iter().filter_map(|answers| answers.as_ref().get(at));
    answers.filter_map(|answer| answer.ok()).collect()
}
