//! The recent past of a series, and what can be asked of it.
//!
//! Windows are closed at both ends, and the sums are those of Prometheus 2.42 (`promql/functions.go`:
//! Neumaier's compensated summation), so that an exported rule decides alike to the last bit.

use std::collections::VecDeque;

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Where it lies on the rule's clock: microseconds since 1970, or a step.
    pub(super) at: i64,
    pub(super) value: f64,
}

/// Samples in the order of the rule's clock.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    samples: VecDeque<Sample>,
}

impl History {
    /// Adds a sample, which is not before the last.
    pub(super) fn push(&mut self, sample: Sample) {
        self.samples.push_back(sample);
    }

    /// Forgets what lies at `at` and behind: the series is resumed there.
    pub(super) fn rewind(&mut self, at: i64) {
        while self.samples.back().is_some_and(|last| last.at >= at) {
            self.samples.pop_back();
        }
    }

    /// Forgets what lies before `from`, but for the last `keep` samples.
    pub(super) fn forget_before(&mut self, from: i64, keep: usize) {
        while self.samples.len() > keep && self.samples.front().is_some_and(|first| first.at < from)
        {
            self.samples.pop_front();
        }
    }

    pub(super) fn last(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// The last sample in `[from, to]`.
    pub(super) fn last_in(&self, from: i64, to: i64) -> Option<&Sample> {
        let newest = self.samples.back()?;
        let last = if newest.at <= to {
            // As it nearly always is.
            newest
        } else {
            let end = self.samples.partition_point(|sample| sample.at <= to);
            self.samples.get(end.checked_sub(1)?)?
        };
        (last.at >= from).then_some(last)
    }

    /// The last `count` values, the newest first.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = f64> {
        self.samples
            .iter()
            .rev()
            .take(count)
            .map(|sample| sample.value)
    }

    /// The values in `[from, to]`.
    fn window(&self, from: i64, to: i64) -> impl Iterator<Item = &Sample> + Clone {
        let start = self.samples.partition_point(|sample| sample.at < from);
        self.samples
            .range(start..)
            .take_while(move |sample| sample.at <= to)
    }

    pub(super) fn avg(&self, from: i64, to: i64) -> Option<f64> {
        let (mut sum, mut count) = (Sum::default(), 0.0);
        for sample in self.window(from, to) {
            count += 1.0;
            let mean = sum.value;
            if mean.is_infinite() {
                let value = sample.value;
                let same = value.is_infinite() && (value > 0.0) == (mean > 0.0);
                if same || value.is_finite() {
                    continue;
                }
            }
            sum.add(sample.value / count - mean / count);
        }
        (count > 0.0).then(|| sum.total())
    }

    pub(super) fn min(&self, from: i64, to: i64) -> Option<f64> {
        self.window(from, to)
            .map(|sample| sample.value)
            .reduce(|least, value| {
                if value < least || least.is_nan() {
                    value
                } else {
                    least
                }
            })
    }

    pub(super) fn max(&self, from: i64, to: i64) -> Option<f64> {
        self.window(from, to)
            .map(|sample| sample.value)
            .reduce(|most, value| {
                if value > most || most.is_nan() {
                    value
                } else {
                    most
                }
            })
    }

    /// The population's standard deviation, by Welford's method.
    pub(super) fn stddev(&self, from: i64, to: i64) -> Option<f64> {
        let (mut mean, mut squares, mut count) = (Sum::default(), Sum::default(), 0.0);
        for sample in self.window(from, to) {
            count += 1.0;
            let delta = sample.value - mean.total();
            mean.add(delta / count);
            squares.add(delta * (sample.value - mean.total()));
        }
        (count > 0.0).then(|| (squares.total() / count).sqrt())
    }

    /// The least-squares slope over `[from, to]`, in units a `unit` of the clock; of two samples or more.
    pub(super) fn slope(&self, from: i64, to: i64, unit: f64) -> Option<f64> {
        let mut window = self.window(from, to);
        let first = *window.clone().next()?;
        window.clone().nth(1)?;
        if window.all(|sample| sample.value == first.value) {
            return Some(if first.value.is_infinite() {
                f64::NAN
            } else {
                0.0
            });
        }
        let (mut n, mut x, mut y, mut xy, mut xx) = (
            0.0,
            Sum::default(),
            Sum::default(),
            Sum::default(),
            Sum::default(),
        );
        for sample in self.window(from, to) {
            let at = (sample.at - first.at) as f64 / unit;
            n += 1.0;
            x.add(at);
            y.add(sample.value);
            xy.add(at * sample.value);
            xx.add(at * at);
        }
        let (x, y) = (x.total(), y.total());
        let covariance = xy.total() - x * y / n;
        let variance = xx.total() - x * x / n;
        Some(covariance / variance)
    }
}

/// Neumaier's compensated sum.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    value: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let sum = self.value + term;
        self.lost += if self.value.abs() >= term.abs() {
            (self.value - sum) + term
        } else {
            (term - sum) + self.value
        };
        self.value = sum;
    }

    fn total(self) -> f64 {
        if self.value.is_infinite() {
            self.value
        } else {
            self.value + self.lost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(values: &[f64]) -> History {
        let mut history = History::default();
        for (at, &value) in values.iter().enumerate() {
            let at = at as i64;
            history.push(Sample { at, value });
        }
        history
    }

    #[test]
    fn windows_are_closed_and_ask_no_more_than_they_hold() {
        let history = history(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(history.avg(1, 3), Some(2.0));
        assert_eq!(history.avg(0, 1), Some(2.5));
        assert_eq!(
            (history.min(0, 2), history.max(1, 3)),
            (Some(1.0), Some(3.0))
        );
        assert_eq!(history.avg(9, 12), None);
        assert_eq!(history.last_in(1, 2).map(|sample| sample.value), Some(3.0));
        assert_eq!(history.last_in(4, 9), None);
        assert!((history.stddev(0, 3).unwrap() - 1.25_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_slope_is_that_of_a_line() {
        let line = history(&[1.0, 1.5, 2.0, 2.5]);
        assert_eq!(line.slope(0, 3, 1.0), Some(0.5));
        assert_eq!(line.slope(0, 3, 0.5), Some(0.25));
        assert_eq!(line.slope(3, 3, 1.0), None);
        assert_eq!(history(&[2.0, 2.0]).slope(0, 9, 1.0), Some(0.0));
    }

    #[test]
    fn a_resumed_series_forgets_what_it_voided() {
        let mut history = history(&[1.0, 2.0, 3.0]);
        history.rewind(1);
        history.push(Sample { at: 1, value: 9.0 });
        assert_eq!(history.newest(9).collect::<Vec<_>>(), [9.0, 1.0]);
    }

    #[test]
    fn nan_and_infinity_stay_what_they_are() {
        assert!(history(&[1.0, f64::NAN]).avg(0, 1).unwrap().is_nan());
        assert_eq!(
            history(&[f64::INFINITY, 1.0]).avg(0, 1),
            Some(f64::INFINITY)
        );
        assert!(
            history(&[f64::INFINITY, f64::NEG_INFINITY])
                .avg(0, 1)
                .unwrap()
                .is_nan()
        );
    }
}
