//! Values in order, whether each is kept or only how often it, or one near it, is there.

use super::sample::Sample;

/// What tests and distances look at: values in order, and how many there are up to each.
///
/// A [`Sample`] keeps every value. [`Weighted`] keeps some, each for as many as it stands for: of a
/// [profile](crate::drift::profile).
pub trait Distribution: sealed::Cursor {
    /// How many values are there.
    fn len(&self) -> usize;

    /// Whether no value is there.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are missing.
    fn missing(&self) -> usize;

    /// How many values are below this one.
    fn below(&self, value: f64) -> usize;

    /// How many values are up to this one.
    fn upto(&self, value: f64) -> usize;

    /// The least and the largest value; none of nothing.
    fn ends(&self) -> Option<(f64, f64)>;

    /// A quantile, between values linearly as `numpy.quantile` has it; none of nothing.
    fn quantile(&self, share: f64) -> Option<f64>;

    /// The mean; NaN of nothing.
    fn mean(&self) -> f64;

    /// The sum of squares around the mean.
    fn squares(&self) -> f64;

    /// The standard deviation, of the values themselves (`ddof = 0`); NaN of nothing.
    fn deviation(&self) -> f64 {
        (self.squares() / self.len() as f64).sqrt()
    }

    /// How far the share of values up to any number may be from what it was in the data: 0 if all is kept.
    fn error(&self) -> f64 {
        0.0
    }

    /// Whether no value is ±Inf.
    fn is_finite(&self) -> bool {
        let finite = |(least, most): (f64, f64)| least.is_finite() && most.is_finite();
        self.ends().is_none_or(finite)
    }
}

pub(super) mod sealed {
    /// Walks over distinct values.
    pub trait Cursor {
        /// The value at a place.
        fn at(&self, place: usize) -> Option<f64>;

        /// The place behind those of a value that begin at one, and how many values they are.
        fn pass(&self, place: usize, value: f64) -> (usize, usize);
    }
}

impl sealed::Cursor for Sample {
    fn at(&self, place: usize) -> Option<f64> {
        self.values().get(place).copied()
    }

    #[inline]
    fn pass(&self, place: usize, value: f64) -> (usize, usize) {
        let mut end = place;
        while self.values().get(end) == Some(&value) {
            end += 1;
        }
        (end, end - place)
    }
}

impl Distribution for Sample {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn missing(&self) -> usize {
        Self::missing(self)
    }

    fn below(&self, value: f64) -> usize {
        self.values().partition_point(|&kept| kept < value)
    }

    fn upto(&self, value: f64) -> usize {
        self.values().partition_point(|&kept| kept <= value)
    }

    fn ends(&self) -> Option<(f64, f64)> {
        self.values()
            .first()
            .copied()
            .zip(self.values().last().copied())
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        Self::quantile(self, share)
    }

    fn mean(&self) -> f64 {
        Self::mean(self)
    }

    fn squares(&self) -> f64 {
        Self::squares(self)
    }
}

/// Distinct values in order, each with how many it stands for.
///
/// ```
/// use modelpulse::drift::data::{Distribution, Sample, ks};
/// use modelpulse::drift::{Column, profile::{Field, Profile}};
///
/// let mut profile = Profile::new([Field::numbers("age")])?;
/// profile.update(&[Column::Numbers(&[31.0, 44.0, 31.0, f64::NAN])])?;
/// let ages = profile.features()[0].numbers().unwrap().distribution();
/// assert_eq!((ages.len(), ages.missing(), ages.quantile(0.5)), (3, 1, Some(31.0)));
/// assert_eq!(ages.iter().collect::<Vec<_>>(), [(31.0, 2), (44.0, 1)]);
/// // Tests take it as they take a sample.
/// let distance = ks::Distance::of(&ages, &Sample::new(&[44.0, 50.0]))?;
/// assert!((distance.distance - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    values: Vec<f64>,
    /// How many values are up to each.
    upto: Vec<usize>,
    missing: usize,
    known: Known,
}

/// What is known besides the values that are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    pub(crate) ends: (f64, f64),
    pub(crate) mean: f64,
    pub(crate) squares: f64,
    pub(crate) error: f64,
}

impl Weighted {
    /// Of values that rise, each with how often it is there.
    pub(crate) fn new(
        values: impl IntoIterator<Item = (f64, u64)>,
        missing: u64,
        known: Known,
    ) -> Self {
        let (mut kept, mut upto, mut all) = (Vec::new(), Vec::new(), 0);
        for (value, count) in values {
            all += count as usize;
            kept.push(value);
            upto.push(all);
        }
        Self {
            values: kept,
            upto,
            missing: missing as usize,
            known,
        }
    }

    /// The values that are kept, with how many each stands for.
    pub fn iter(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let before = [0].into_iter().chain(self.upto.iter().copied());
        let counts = self
            .upto
            .iter()
            .zip(before)
            .map(|(end, start)| (end - start) as u64);
        self.values.iter().copied().zip(counts)
    }

    fn counted(&self, kept: usize) -> usize {
        kept.checked_sub(1).map_or(0, |last| self.upto[last])
    }

    /// The value of that number among all, in order.
    fn nth(&self, at: usize) -> Option<f64> {
        let place = self.upto.partition_point(|&upto| upto <= at);
        self.values.get(place).copied()
    }
}

impl sealed::Cursor for Weighted {
    fn at(&self, place: usize) -> Option<f64> {
        self.values.get(place).copied()
    }

    #[inline]
    fn pass(&self, place: usize, value: f64) -> (usize, usize) {
        if self.values.get(place) == Some(&value) {
            let count = self.upto[place] - self.counted(place);
            (place + 1, count)
        } else {
            (place, 0)
        }
    }
}

impl Distribution for Weighted {
    fn len(&self) -> usize {
        self.counted(self.values.len())
    }

    fn missing(&self) -> usize {
        self.missing
    }

    fn below(&self, value: f64) -> usize {
        self.counted(self.values.partition_point(|&kept| kept < value))
    }

    fn upto(&self, value: f64) -> usize {
        self.counted(self.values.partition_point(|&kept| kept <= value))
    }

    fn ends(&self) -> Option<(f64, f64)> {
        (!self.values.is_empty()).then_some(self.known.ends)
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        let place = share.clamp(0.0, 1.0) * last as f64;
        let below = place.floor();
        let (least, most) = self.known.ends;
        let nth = |at: f64| match at as usize {
            0 => Some(least),
            at if at >= last => Some(most),
            at => self.nth(at),
        };
        super::sample::between(nth(below)?, nth(place.ceil())?, place - below)
    }

    fn mean(&self) -> f64 {
        self.known.mean
    }

    fn squares(&self) -> f64 {
        self.known.squares
    }

    fn error(&self) -> f64 {
        self.known.error
    }
}
