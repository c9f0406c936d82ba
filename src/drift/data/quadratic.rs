//! The upper tail of statistics that are weighted sums of squares of normal numbers, as those of Anderson–Darling and
//! Cramér–von Mises are for very many values. There series of the whole distribution are of no use: what they sum up to is
//! 1 but for rounding, or less than that where they are cut off.

use statrs::function::erf::erfc;

/// From here on, of [`Tail::survival`], the tail is exact to a thousandth; it is 1e-9 there.
pub(super) const FROM: f64 = 20.0;

/// A sum of squares of which the largest weight is 1/2 and stands once.
pub(super) struct Tail {
    /// The product of 1 / √(1 - r) over the other weights r / 2.
    pub(super) scale: f64,
    /// Half the sum of r / (1 - r) over them.
    pub(super) slope: f64,
}

impl Tail {
    /// The chance of a larger sum: that of the heaviest square alone, times what the others add, to second order in 1/x
    /// (V. M. Zolotarev, 1961, doi 10.1137/1106026).
    pub(super) fn survival(&self, x: f64) -> f64 {
        self.scale * erfc(x.sqrt()) * (1.0 + self.slope / (2.0 * x))
    }
}

#[cfg(test)]
pub(super) mod tests {
    /// A distribution's upper tail takes over from its series at `from` without a step, and falls until it is 0.
    pub(in super::super) fn goes_on(survival: fn(f64) -> f64, from: f64) {
        let [series, tail] = [from * (1.0 - 1e-9), from * (1.0 + 1e-9)].map(survival);
        assert!((tail / series - 1.0).abs() < 1e-3, "{series} {tail}");
        let mut before = tail;
        for power in 1..200 {
            let now = survival(from * 1.1_f64.powi(power));
            assert!(now < before || now == 0.0, "{power}: {now} {before}");
            before = now;
        }
        assert_eq!(before, 0.0);
    }
}
