//! Sums of floating-point numbers without rounding.
//!
//! The sum is held as one wide fixed-point number, so it is exact after every addition: whatever the order of the
//! addends and however they were sharded, [`ExactSum::value`] is the same to the last bit, the `f64` nearest to the
//! true sum. This is the accumulator of U. Kulisch, cut down to the limbs that are in use.
//!
//! Limbs hold 32 bits each in an `i64`, so carries wait for up to 2³⁰ additions (R. M. Neal, "Fast exact summation
//! using small and large superaccumulators", 2015, <https://arxiv.org/abs/1505.05571>).

/// The sum of any number of `f64`, exact until it is read.
///
/// NaN and infinite addends are counted apart and give what IEEE 754 addition would: infinity, or NaN where both signs
/// or a NaN were added.
///
/// Memory is 8 bytes for every 32 bits between the highest and the lowest bit that an addend had, mostly 4 to 8 of them.
///
/// ```
/// use modelpulse::metrics::ExactSum;
///
/// let mut sum = ExactSum::new();
/// for addend in [1e300, 0.1, -1e300] {
///     sum.add(addend);
/// }
/// assert_eq!(sum.value(), 0.1);
/// assert_eq!([1e300, 0.1, -1e300].iter().sum::<f64>(), 0.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ExactSum {
    /// The sum is the sum of `limbs[i]` × 2^(32 × (low + i) - 1074).
    limbs: Vec<i64>,
    low: usize,
    /// Additions since the last carry.
    waiting: u32,
    /// The sum of the addends that are not finite.
    special: f64,
}

/// A limb takes this many additions of less than 2³² before it must be carried.
const MOST_WAITING: u32 = 1 << 30;
const FRACTION: u64 = (1 << 52) - 1;

impl ExactSum {
    /// The empty sum, 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one number.
    #[inline]
    pub fn add(&mut self, addend: f64) {
        let bits = addend.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize;
        if exponent == 0x7ff {
            self.special += addend;
            return;
        }
        // ± mantissa × 2^(place - 1074)
        let (mantissa, place) = match exponent {
            0 => (bits & FRACTION, 0),
            _ => (bits & FRACTION | 1 << 52, exponent - 1),
        };
        if mantissa == 0 {
            return;
        }
        let limb = place / 32;
        if limb < self.low || limb + 3 > self.low + self.limbs.len() {
            self.grow(limb);
        }
        let wide = u128::from(mantissa) << (place % 32);
        let parts = [wide as u32, (wide >> 32) as u32, (wide >> 64) as u32];
        let negative = addend.is_sign_negative();
        let at = limb - self.low;
        for (limb, part) in self.limbs[at..at + 3].iter_mut().zip(parts) {
            let part = i64::from(part);
            *limb += if negative { -part } else { part };
        }
        self.waiting += 1;
        if self.waiting == MOST_WAITING {
            self.carry();
        }
    }

    /// Adds many numbers, several times as fast as one by one.
    pub(super) fn add_all(&mut self, addends: impl Iterator<Item = f64>) {
        // Clearing and emptying the bins takes as long as some additions.
        if addends.size_hint().1.is_some_and(|most| most < 32) {
            return addends.for_each(|addend| self.add(addend));
        }
        let mut bins = Bins::new();
        addends.for_each(|addend| bins.add(addend));
        bins.empty_into(self);
    }

    /// Adds `a` × `b`, without rounding unless the product's last bits are below the range of `f64`.
    #[inline]
    pub(super) fn add_product(&mut self, a: f64, b: f64) {
        // As most weights are.
        if b == 1.0 {
            self.add(a);
            return;
        }
        for part in product(a, b) {
            self.add(part);
        }
    }

    /// Adds `factor` × another sum.
    pub(super) fn add_scaled(&mut self, other: &Self, factor: f64) {
        let mut other = other.clone();
        other.carry();
        for (i, &limb) in other.limbs.iter().enumerate() {
            // Carried limbs are below 2^32, so both factors are exact, as is their product.
            let exponent = 32 * (other.low + i) as i32 - 1074;
            let (half, rest) = (exponent / 2, exponent - exponent / 2);
            let place = limb as f64 * 2f64.powi(half) * 2f64.powi(rest);
            self.add_product(place, factor);
        }
        if other.special != 0.0 {
            self.add(other.special * factor);
        }
    }

    /// Adds a count.
    pub(super) fn add_count(&mut self, count: u64) {
        self.add((count >> 32) as f64 * 4_294_967_296.0);
        self.add((count & 0xffff_ffff) as f64);
    }

    /// Adds all that another sum holds.
    pub fn merge(&mut self, other: &Self) {
        self.special += other.special;
        if other.limbs.is_empty() {
            return;
        }
        let mut other = other.clone();
        other.carry();
        self.carry();
        self.grow(other.low);
        self.grow(other.low + other.limbs.len() - 3);
        let at = other.low - self.low;
        for (limb, part) in self.limbs[at..].iter_mut().zip(&other.limbs) {
            *limb += part;
        }
        self.waiting = 1;
    }

    /// The `f64` nearest to the sum, the even one of two; infinite where the sum is beyond the largest.
    #[must_use]
    pub fn value(&self) -> f64 {
        if self.special != 0.0 {
            return self.special;
        }
        let mut carried = self.clone();
        carried.carry();
        let negative = carried.limbs.last().is_some_and(|&top| top < 0);
        if negative {
            for limb in &mut carried.limbs {
                *limb = -*limb;
            }
            carried.carry();
        }
        let magnitude = nearest(&carried.limbs, carried.low);
        if negative { -magnitude } else { magnitude }
    }

    /// Brings every limb but the top one into 0..2³², so that the top one has the sign of the sum.
    fn carry(&mut self) {
        let mut carry = 0;
        let Some((top, below)) = self.limbs.split_last_mut() else {
            return;
        };
        for limb in below {
            let sum = *limb + carry;
            *limb = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        *top += carry;
        // The top limb must fit 32 bits too, sign apart.
        while let Some(top) = self.limbs.last_mut()
            && (*top < -0xffff_ffff || *top > 0xffff_ffff)
        {
            let carry = *top >> 32;
            *top &= 0xffff_ffff;
            self.limbs.push(carry);
        }
        self.waiting = 0;
    }

    /// What it holds, the same for the same sum whatever made it: where its limbs begin, the limbs, and the sum of what
    /// was not finite.
    #[cfg(feature = "drift")]
    pub(super) fn parts(&self) -> (usize, Vec<i64>, f64) {
        let mut sum = self.clone();
        sum.carry();
        loop {
            match sum.limbs[..] {
                [.., 0] => drop(sum.limbs.pop()),
                // One below zero, and a positive limb: that limb below zero alone.
                [.., ref mut below, -1] if *below > 0 => {
                    *below -= 1 << 32;
                    sum.limbs.pop();
                }
                _ => break,
            }
        }
        let zeros = sum.limbs.iter().take_while(|&&limb| limb == 0).count();
        sum.limbs.drain(..zeros);
        let low = if sum.limbs.is_empty() {
            0
        } else {
            sum.low + zeros
        };
        // Of NaN there are many.
        let special = if sum.special.is_nan() {
            f64::NAN
        } else {
            sum.special
        };
        (low, sum.limbs, special)
    }

    /// A sum of its parts; none if no sum has such.
    #[cfg(feature = "drift")]
    pub(super) fn of_parts(low: usize, mut limbs: Vec<i64>, special: f64) -> Option<Self> {
        let fits = low <= 64 && low + limbs.len() <= 70;
        let carried = limbs.iter().all(|limb| limb.unsigned_abs() < 1 << 32);
        if !(fits && carried && (special == 0.0 || !special.is_finite())) {
            return None;
        }
        if !limbs.is_empty() {
            limbs.resize(limbs.len().max(3), 0);
        }
        Some(Self {
            limbs,
            low,
            waiting: 1,
            special,
        })
    }

    /// Makes room for three limbs from `limb` on.
    #[cold]
    fn grow(&mut self, limb: usize) {
        if self.limbs.is_empty() {
            self.low = limb;
        }
        if limb < self.low {
            let more = self.low - limb;
            self.limbs.splice(0..0, std::iter::repeat_n(0, more));
            self.low = limb;
        }
        let needed = limb + 3 - self.low;
        if needed > self.limbs.len() {
            self.limbs.resize(needed, 0);
        }
    }
}

/// A product as a sum of two numbers, exact unless its last bits are below the range of `f64`.
#[inline]
pub(super) fn product(a: f64, b: f64) -> [f64; 2] {
    let product = a * b;
    let rest = if product.is_finite() {
        a.mul_add(b, -product)
    } else {
        0.0
    };
    [product, rest]
}

/// Many addends on their way into a sum: one wide number for each 32 exponents, so that an addend is one addition.
///
/// An addend is below 2⁸⁵ of its bin, so that there is room for 2⁴² of them.
struct Bins {
    bins: [i128; 2048 / 32],
    special: f64,
}

impl Bins {
    fn new() -> Self {
        Self {
            bins: [0; 64],
            special: 0.0,
        }
    }

    #[inline]
    fn add(&mut self, addend: f64) {
        let bits = addend.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as usize;
        if exponent == 0x7ff {
            self.special += addend;
            return;
        }
        // As in `ExactSum::add`.
        let normal = exponent.min(1);
        let mantissa = (bits & FRACTION | (normal as u64) << 52) as i64;
        let place = exponent - normal;
        let sign = (bits as i64) >> 63;
        let signed = i128::from((mantissa ^ sign) - sign);
        self.bins[place / 32] += signed << (place % 32);
    }

    fn empty_into(self, sum: &mut ExactSum) {
        sum.special += self.special;
        for (limb, bin) in self
            .bins
            .into_iter()
            .enumerate()
            .filter(|(_, bin)| *bin != 0)
        {
            if sum.waiting > MOST_WAITING - 2 {
                sum.carry();
            }
            sum.grow(limb);
            sum.grow(limb + 1);
            let (magnitude, negative) = (bin.unsigned_abs(), bin < 0);
            let at = limb - sum.low;
            for (place, limb) in sum.limbs[at..at + 4].iter_mut().enumerate() {
                let part = i64::from((magnitude >> (32 * place)) as u32);
                *limb += if negative { -part } else { part };
            }
            sum.waiting += 1;
        }
    }
}

/// The `f64` nearest to carried, non-negative limbs.
fn nearest(limbs: &[i64], low: usize) -> f64 {
    let Some(top) = limbs.iter().rposition(|&limb| limb != 0) else {
        return 0.0;
    };
    let digit = |i: usize| limbs.get(i).map_or(0, |&limb| limb as u128);
    // The highest four limbs, and whether any bit is below them.
    let lowest = top.saturating_sub(3);
    let window = (lowest..=top)
        .rev()
        .fold(0u128, |sum, i| sum << 32 | digit(i));
    let sticky = limbs[..lowest].iter().any(|&limb| limb != 0);
    let length = 128 - window.leading_zeros() as usize;
    let place = 32 * (low + lowest);
    if length <= 53 {
        // Nothing is below: with fewer than 53 bits there are no limbs under the window.
        let mantissa = window as u64;
        return scaled(mantissa, place);
    }
    let cut = length - 53;
    let mantissa = (window >> cut) as u64;
    let rest = window & ((1u128 << cut) - 1);
    let half = 1u128 << (cut - 1);
    let up = rest > half || rest == half && (sticky || mantissa & 1 == 1);
    scaled(mantissa + u64::from(up), place + cut)
}

/// `mantissa` × 2^(place - 1074) for a mantissa of at most 2⁵³.
fn scaled(mantissa: u64, place: usize) -> f64 {
    let exponent = place as i32 - 1074;
    // In two steps, none of which rounds: the power itself may be out of range.
    let step = exponent.clamp(-1000, 900);
    mantissa as f64 * 2f64.powi(step) * 2f64.powi(exponent - step)
}

impl PartialEq for ExactSum {
    /// Whether the sums are the same number.
    fn eq(&self, other: &Self) -> bool {
        let mut difference = other.clone();
        difference.carry();
        for limb in &mut difference.limbs {
            *limb = -*limb;
        }
        difference.special = 0.0;
        let mut ours = self.clone();
        ours.special = 0.0;
        ours.merge(&difference);
        ours.value() == 0.0 && self.special.to_bits() == other.special.to_bits()
    }
}

impl Eq for ExactSum {}

impl FromIterator<f64> for ExactSum {
    fn from_iter<T: IntoIterator<Item = f64>>(addends: T) -> Self {
        let mut sum = Self::new();
        sum.add_all(addends.into_iter());
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::random::SplitMix;

    fn sum(addends: &[f64]) -> f64 {
        addends.iter().copied().collect::<ExactSum>().value()
    }

    // Expected values of this test: Python 3.11, `math.fsum`.
    #[test]
    fn python_fsum_agrees() {
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100, 1e-100]), 1.0);
        assert_eq!(sum(&[1.0, 1e-16, 1e-16]), 1.0000000000000002);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[-0.1, -0.2, 0.3]), -2.7755575615628914e-17);
        assert_eq!(sum(&[9007199254740992.0, 1.0]), 9007199254740992.0);
        assert_eq!(sum(&[9007199254740992.0, 1.0, 1e-300]), 9007199254740994.0);
        assert_eq!(sum(&[f64::MAX, -f64::MAX / 2.0]), f64::MAX / 2.0);
        assert_eq!(sum(&[-f64::MAX, f64::MAX, -2.5]), -2.5);
        assert_eq!(
            sum(&[2.2250738585072014e-308, 5e-324]),
            2.225073858507202e-308
        );
    }

    #[test]
    fn beyond_the_range_is_infinite_and_comes_back() {
        let mut sum: ExactSum = [f64::MAX, f64::MAX].into_iter().collect();
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(-f64::MAX);
        assert_eq!(sum.value(), f64::MAX);
    }

    #[test]
    fn what_is_not_finite_is_kept() {
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert!(sum(&[f64::NEG_INFINITY, f64::INFINITY]).is_nan());
        assert!(sum(&[1.0, f64::NAN]).is_nan());
    }

    #[test]
    fn order_and_sharding_do_not_change_a_bit() {
        let mut random = SplitMix::new(1);
        let addends: Vec<f64> = (0..3000)
            .map(|_| f64::from_bits(random.next()))
            .filter(|addend| addend.is_finite())
            .collect();
        let whole: ExactSum = addends.iter().copied().collect();
        let mut backward: Vec<f64> = addends.clone();
        backward.reverse();
        assert_eq!(sum(&backward).to_bits(), whole.value().to_bits());
        for cut in [0, 1, 500, addends.len()] {
            let mut merged: ExactSum = addends[cut..].iter().copied().collect();
            merged.merge(&addends[..cut].iter().copied().collect());
            assert_eq!(merged, whole);
            assert_eq!(merged.value().to_bits(), whole.value().to_bits());
        }
        let mut none = whole.clone();
        none.add_scaled(&whole, -1.0);
        assert_eq!(none.value(), 0.0);
    }

    #[test]
    fn many_at_once_are_the_same_as_one_by_one() {
        let mut random = SplitMix::new(2);
        let any: Vec<f64> = (0..5000).map(|_| f64::from_bits(random.next())).collect();
        let small = (0..5000)
            .map(|_| f64::from_bits(random.next() >> 11))
            .collect();
        let even = (0..5000).map(|_| random.unit() - 0.5).collect();
        for addends in [
            any.into_iter()
                .filter(|it| it.is_finite())
                .collect::<Vec<f64>>(),
            small,
            even,
            [5e-324, -5e-324, 2.2250738585072014e-308, 0.0, -0.0].repeat(9),
            [f64::MAX, f64::MAX, -f64::MAX].repeat(20),
            [&[f64::INFINITY; 40][..], &[1.0]].concat(),
        ] {
            let mut one_by_one = ExactSum::new();
            addends.iter().for_each(|&addend| one_by_one.add(addend));
            let mut at_once = ExactSum::new();
            at_once.add(1.5);
            at_once.add_all(addends.iter().copied());
            at_once.add(-1.5);
            assert_eq!(at_once, one_by_one);
            assert_eq!(at_once.value().to_bits(), one_by_one.value().to_bits());
        }
    }

    #[test]
    fn products_are_exact() {
        let mut sum = ExactSum::new();
        sum.add_product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        sum.add(-1.0);
        sum.add(-2.0 * f64::EPSILON);
        assert_eq!(sum.value(), f64::EPSILON * f64::EPSILON);
        let mut count = ExactSum::new();
        count.add_count(u64::MAX);
        count.add(-18446744073709551616.0);
        assert_eq!(count.value(), -1.0);
    }
}
