//! Histograms: how many values fall between which bounds.
//!
//! Finite values are counted into equal-width buckets from the exact minimum to the exact maximum;
//! NaN and infinite ones are counted apart, never dropped and never mixed in.

mod count;
mod ready;

use prost::bytes::{BufMut, Bytes, BytesMut};

pub use count::Sample;
pub use ready::HistogramError;

use super::{Tensor, Value, WrongKind, metadata, shape};
use crate::proto::{DataClass, DataType, TensorProto};

/// A histogram as TensorBoard's second generation of summaries stores it.
///
/// ```
/// use modelpulse::summary::Histogram;
/// let histogram = Histogram::of(&[0.0_f32, 1.0, 2.0, 3.0, f32::NAN]);
/// assert_eq!(histogram.count(), 4);
/// assert_eq!((histogram.min(), histogram.max()), (Some(0.0), Some(3.0)));
/// assert_eq!(histogram.nan(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// Left bound, right bound, count; ascending and adjoining. The last bucket holds its right bound.
    buckets: Vec<[f64; 3]>,
    nan: u64,
    positive_infinity: u64,
    negative_infinity: u64,
}

impl Histogram {
    /// As many buckets as TensorBoard's own writer makes.
    pub const BUCKETS: usize = 30;

    /// Counts `values` into [`BUCKETS`](Self::BUCKETS) buckets.
    pub fn of<T: Sample>(values: &[T]) -> Self {
        Self::with_buckets(values, Self::BUCKETS)
    }

    /// Counts `values` into `buckets` buckets, at least one. Equal values make one bucket without width.
    pub fn with_buckets<T: Sample>(values: &[T], buckets: usize) -> Self {
        let mut counts = vec![0; buckets.max(1)];
        match T::count(values, &mut counts) {
            Some((min, max)) => Self::from_counts(min, max, &counts),
            None => Self::of_any(values, counts),
        }
    }

    /// Counts whatever there may be: values that are not finite, all equal, or of any range.
    fn of_any<T: Sample>(values: &[T], mut counts: Vec<u64>) -> Self {
        let (mut min, mut max, mut finite) = (f64::INFINITY, f64::NEG_INFINITY, 0_u64);
        let mut apart = Self::default();
        for value in values.iter().map(|value| value.to_f64()) {
            match value {
                _ if value.is_nan() => apart.nan += 1,
                f64::INFINITY => apart.positive_infinity += 1,
                f64::NEG_INFINITY => apart.negative_infinity += 1,
                _ => {
                    (min, max) = (min.min(value), max.max(value));
                    finite += 1;
                }
            }
        }
        if finite == 0 {
            return apart;
        }
        if min == max {
            apart.buckets = vec![[min, max, finite as f64]];
            return apart;
        }
        // Halved, so that the width of f64::MIN to f64::MAX does not overflow.
        let scale = counts.len() as f64 / (max / 2.0 - min / 2.0);
        let last = counts.len() - 1;
        for value in values.iter().map(|value| value.to_f64()) {
            if value.is_finite() {
                let bucket = (value / 2.0 - min / 2.0) * scale;
                counts[(bucket as usize).min(last)] += 1;
            }
        }
        Self {
            buckets: Self::from_counts(min, max, &counts).buckets,
            ..apart
        }
    }

    fn from_counts(min: f64, max: f64, counts: &[u64]) -> Self {
        let half_width = (max / 2.0 - min / 2.0) / counts.len() as f64;
        let bound = |index: usize| {
            if index == counts.len() {
                max
            } else {
                min + half_width * 2.0 * index as f64
            }
        };
        let bucket =
            |(index, &count): (usize, &u64)| [bound(index), bound(index + 1), count as f64];
        Self::of_buckets(counts.iter().enumerate().map(bucket).collect())
    }

    /// Left bound, right bound and count of each bucket.
    pub fn buckets(&self) -> &[[f64; 3]] {
        &self.buckets
    }

    /// How many finite values were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|[_, _, count]| count).sum::<f64>() as u64
    }

    /// The smallest finite value.
    pub fn min(&self) -> Option<f64> {
        self.buckets.first().map(|[left, _, _]| *left)
    }

    /// The largest finite value.
    pub fn max(&self) -> Option<f64> {
        self.buckets.last().map(|[_, right, _]| *right)
    }

    /// How many values were not a number.
    pub fn nan(&self) -> u64 {
        self.nan
    }

    /// How many values were +∞.
    pub fn positive_infinity(&self) -> u64 {
        self.positive_infinity
    }

    /// How many values were −∞.
    pub fn negative_infinity(&self) -> u64 {
        self.negative_infinity
    }

    /// What a series of its own counts: `nan`, `+inf`, `-inf`, as far as there are such values.
    pub(crate) fn nonfinite_counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let counts = [
            ("nan", self.nan),
            ("+inf", self.positive_infinity),
            ("-inf", self.negative_infinity),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0)
    }
}

/// The buckets alone: counts of non-finite values need series of their own.
impl From<Histogram> for Value {
    fn from(histogram: Histogram) -> Self {
        let buckets = histogram.buckets;
        let mut content = BytesMut::with_capacity(buckets.len() * 24);
        buckets
            .iter()
            .flatten()
            .for_each(|&number| content.put_f64_le(number));
        let tensor = TensorProto {
            dtype: DataType::DtDouble.into(),
            tensor_shape: shape(&[buckets.len(), 3]),
            tensor_content: content.freeze(),
            ..TensorProto::default()
        };
        Tensor {
            metadata: metadata("histograms", DataClass::Tensor, Bytes::new()),
            tensor,
        }
        .into()
    }
}

impl TryFrom<&Value> for Histogram {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let read = || {
            let Value::Tensor(tensor) = value else {
                return None;
            };
            let numbers = match (tensor.plugin(), tensor.tensor.dtype(), &tensor.tensor) {
                (
                    "histograms",
                    DataType::DtDouble,
                    TensorProto {
                        tensor_content,
                        double_val,
                        ..
                    },
                ) => {
                    let (chunks, rest) = tensor_content.as_chunks::<8>();
                    let content = chunks.iter().map(|bytes| f64::from_le_bytes(*bytes));
                    rest.is_empty().then(|| {
                        content
                            .chain(double_val.iter().copied())
                            .collect::<Vec<_>>()
                    })?
                }
                (
                    "histograms",
                    DataType::DtFloat,
                    TensorProto {
                        tensor_content,
                        float_val,
                        ..
                    },
                ) => {
                    let (chunks, rest) = tensor_content.as_chunks::<4>();
                    let content = chunks.iter().map(|bytes| f32::from_le_bytes(*bytes));
                    let all = content.chain(float_val.iter().copied()).map(f64::from);
                    rest.is_empty().then(|| all.collect::<Vec<_>>())?
                }
                _ => return None,
            };
            let (buckets, rest) = numbers.as_chunks::<3>();
            rest.is_empty().then(|| Self::of_buckets(buckets.to_vec()))
        };
        read().ok_or_else(|| WrongKind::new("a histogram", value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_between_the_exact_bounds() {
        let values: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.37).sin() * 5.0).collect();
        let histogram = Histogram::of(&values);
        assert_eq!(histogram.buckets().len(), 30);
        assert_eq!(histogram.count(), 1003);
        let exact =
            |pick: fn(f32, f32) -> f32| f64::from(values.iter().copied().reduce(pick).unwrap());
        assert_eq!(histogram.min(), Some(exact(f32::min)));
        assert_eq!(histogram.max(), Some(exact(f32::max)));
        for [left, right, count] in histogram.buckets() {
            let near = |bound: &f64, value: f64| (bound - value).abs() < 1e-9;
            let inside = values
                .iter()
                .map(|&v| f64::from(v))
                .filter(|v| left <= v && v < right)
                .count() as f64;
            let edge = values
                .iter()
                .filter(|&&v| near(left, v.into()) || near(right, v.into()))
                .count() as f64;
            assert!(
                (count - inside).abs() <= edge,
                "{count} values counted, {inside} seen in {left}..{right}"
            );
        }
    }

    #[test]
    fn values_that_are_not_finite_are_counted_apart() {
        let histogram = Histogram::of(&[
            f64::NAN,
            1.0,
            f64::INFINITY,
            2.0,
            f64::NEG_INFINITY,
            f64::NAN,
        ]);
        assert_eq!(
            (histogram.min(), histogram.max(), histogram.count()),
            (Some(1.0), Some(2.0), 2)
        );
        assert_eq!(
            (
                histogram.nan(),
                histogram.positive_infinity(),
                histogram.negative_infinity()
            ),
            (2, 1, 1)
        );
    }

    #[test]
    fn degenerate_inputs_have_a_histogram() {
        assert_eq!(Histogram::of::<f32>(&[]).buckets(), &[] as &[[f64; 3]]);
        assert_eq!(Histogram::of(&[f32::NAN]).buckets(), &[] as &[[f64; 3]]);
        assert_eq!(Histogram::of(&[7_u8, 7, 7]).buckets(), &[[7.0, 7.0, 3.0]]);
        let widest = Histogram::of(&[f64::MIN, 0.0, f64::MAX]);
        assert_eq!(
            (widest.min(), widest.max(), widest.count()),
            (Some(f64::MIN), Some(f64::MAX), 3)
        );
        let narrowest = Histogram::of(&[0.0, f64::from_bits(1)]);
        assert_eq!(narrowest.count(), 2);
    }

    #[test]
    fn an_older_histogram_loses_its_empty_ends_and_gets_its_bounds() {
        let limits = [-1.0, 0.0, 1.0, 2.0, f64::MAX];
        let histogram = Histogram::of_limits(-0.5, 1.5, &limits, &[0.0, 2.0, 0.0, 3.0, 0.0]);
        let expected = [[-0.5, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 1.5, 3.0]];
        assert_eq!(histogram.buckets(), expected);
        assert!(
            Histogram::of_limits(0.0, 0.0, &[1.0], &[0.0])
                .buckets()
                .is_empty()
        );
    }

    #[test]
    fn the_wire_form_comes_back() {
        let histogram = Histogram::of(&[1, 2, 3, 5, 8, 13]);
        assert_eq!(
            Histogram::try_from(&Value::from(histogram.clone())),
            Ok(histogram)
        );
        assert!(Histogram::try_from(&Value::Scalar(1.0)).is_err());
    }
}
