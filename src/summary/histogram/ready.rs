//! Ready-made histograms: somebody else counted.
//!
//! What is made here is checked, for the page draws nonsense of bounds in disorder; what a log holds is taken as it is.

use super::Histogram;

/// Why there is no ready-made histogram.
///
/// ```
/// use modelpulse::summary::Histogram;
/// let error = Histogram::from_buckets(vec![[0.0, 1.0, 5.0], [0.5, 2.0, 1.0]]).unwrap_err();
/// assert_eq!(error.to_string(), "bucket 1 begins at 0.5, before bucket 0 ends");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    /// The bounds of a bucket are not finite, or not in order.
    #[error("bucket {bucket} goes from {left} to {right}: bounds are finite and in order")]
    Bounds {
        /// The bucket, counted from 0.
        bucket: usize,
        /// Its left bound.
        left: f64,
        /// Its right bound.
        right: f64,
    },
    /// A bucket begins before the one before it ends.
    #[error("bucket {bucket} begins at {left}, before bucket {} ends", .bucket - 1)]
    Order {
        /// The bucket, counted from 0; not the first.
        bucket: usize,
        /// Its left bound.
        left: f64,
    },
    /// A count is negative, or not finite.
    #[error("bucket {bucket} counts {count}, which is no number from 0 on")]
    Count {
        /// The bucket, counted from 0.
        bucket: usize,
        /// The count.
        count: f64,
    },
    /// There is not one right bound for each count.
    #[error("{limits} right bounds with {counts} counts: give one a bucket")]
    Lengths {
        /// Right bounds given.
        limits: usize,
        /// Counts given.
        counts: usize,
    },
}

impl Histogram {
    /// A ready-made histogram: left bound, right bound and count of each bucket, ascending. Buckets need not adjoin;
    /// none make the histogram of no values.
    ///
    /// # Errors
    /// [`HistogramError::Bounds`], [`HistogramError::Order`], [`HistogramError::Count`].
    pub fn from_buckets(buckets: Vec<[f64; 3]>) -> Result<Self, HistogramError> {
        for (bucket, &[left, right, count]) in buckets.iter().enumerate() {
            if !(left.is_finite() && right.is_finite() && left <= right) {
                return Err(HistogramError::Bounds {
                    bucket,
                    left,
                    right,
                });
            }
            if !(0.0..f64::INFINITY).contains(&count) {
                return Err(HistogramError::Count { bucket, count });
            }
        }
        let disorder = buckets.windows(2).position(|pair| pair[1][0] < pair[0][1]);
        match disorder {
            Some(before) => Err(HistogramError::Order {
                bucket: before + 1,
                left: buckets[before + 1][0],
            }),
            None => Ok(Self::of_buckets(buckets)),
        }
    }

    /// A histogram of the older form: `limits` are the buckets' right bounds, `counts` how many values
    /// each holds. Empty buckets at both ends are left out, and the outer bounds are `min` and `max`, as
    /// TensorBoard reads it.
    ///
    /// ```
    /// use modelpulse::summary::Histogram;
    /// let histogram = Histogram::from_limits(-0.5, 1.5, &[0.0, 1.0, 2.0, f64::MAX], &[2.0, 0.0, 3.0, 0.0])?;
    /// assert_eq!(histogram.buckets(), [[-0.5, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 1.5, 3.0]]);
    /// # Ok::<(), modelpulse::summary::HistogramError>(())
    /// ```
    ///
    /// # Errors
    /// [`HistogramError::Lengths`], and those of [`from_buckets`](Self::from_buckets) for the buckets that are left.
    pub fn from_limits(
        min: f64,
        max: f64,
        limits: &[f64],
        counts: &[f64],
    ) -> Result<Self, HistogramError> {
        if limits.len() != counts.len() {
            return Err(HistogramError::Lengths {
                limits: limits.len(),
                counts: counts.len(),
            });
        }
        // Those at the ends would be left out unseen.
        let bad = |count: &f64| !(0.0..f64::INFINITY).contains(count);
        if let Some(bucket) = counts.iter().position(bad) {
            let count = counts[bucket];
            return Err(HistogramError::Count { bucket, count });
        }
        Self::from_buckets(Self::of_limits(min, max, limits, counts).buckets)
    }

    /// Buckets as a log holds them, unchecked.
    pub(super) fn of_buckets(buckets: Vec<[f64; 3]>) -> Self {
        Self {
            buckets,
            ..Self::default()
        }
    }

    /// As [`from_limits`](Self::from_limits), unchecked.
    pub(crate) fn of_limits(min: f64, max: f64, limits: &[f64], counts: &[f64]) -> Self {
        let filled = |count: &f64| *count > 0.0;
        let (Some(start), Some(end)) = (
            counts.iter().position(filled),
            counts.iter().rposition(filled),
        ) else {
            return Self::default();
        };
        let limit = |index: usize| limits.get(index).copied().unwrap_or(max);
        let bucket = |index: usize| {
            let left = if index == start {
                min
            } else {
                limit(index - 1)
            };
            let right = if index == end { max } else { limit(index) };
            [left, right, counts[index]]
        };
        Self::of_buckets((start..=end).map(bucket).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_histogram_is_said() {
        let said = |buckets: &[[f64; 3]]| {
            let error = Histogram::from_buckets(buckets.to_vec()).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            said(&[[0.0, 1.0, 1.0], [2.0, 1.0, 1.0]]),
            "bucket 1 goes from 2 to 1: bounds are finite and in order"
        );
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(said(&[[bad, 1.0, 1.0]]).contains("finite"));
            assert!(said(&[[0.0, bad, 1.0]]).contains("finite"));
            assert!(said(&[[0.0, 1.0, bad]]).contains("no number"));
        }
        assert!(said(&[[0.0, 1.0, -1.0]]).contains("counts -1"));
        assert!(said(&[[0.0, 1.0, 1.0], [0.9, 2.0, 1.0]]).contains("before bucket 0"));
        let gap = vec![[0.0, 1.0, 1.0], [1.5, 1.5, 0.0], [1.5, 2.0, 3.0]];
        let histogram = Histogram::from_buckets(gap.clone()).unwrap();
        assert_eq!(histogram.buckets(), gap);
        assert_eq!(
            Histogram::from_buckets(Vec::new()),
            Ok(Histogram::default())
        );
    }

    #[test]
    fn limits_and_counts_belong_together() {
        let error = Histogram::from_limits(0.0, 1.0, &[1.0], &[1.0, 2.0]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1 right bounds with 2 counts: give one a bucket"
        );
        let error = |min, max, limits: &[f64], counts: &[f64]| {
            Histogram::from_limits(min, max, limits, counts).unwrap_err()
        };
        let nan = error(0.0, 1.0, &[1.0, 2.0], &[1.0, f64::NAN]);
        assert!(matches!(nan, HistogramError::Count { bucket: 1, .. }));
        let reversed = error(5.0, 6.0, &[1.0, 7.0], &[1.0, 1.0]);
        assert!(matches!(reversed, HistogramError::Bounds { bucket: 0, .. }));
    }
}
