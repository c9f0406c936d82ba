//! The random numbers of resampling.
//!
//! The sequence of a seed is part of what a caller relies on: the same seed gives the same interval on every machine
//! and in every version.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (G. L. Steele et al., "Fast splittable pseudorandom number generators", 2014, doi 10.1145/2660193.2660195).
#[derive(Debug, Clone)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// All that there is of it: one word.
    #[cfg(feature = "drift")]
    pub(crate) fn state(&mut self) -> &mut u64 {
        &mut self.0
    }

    /// Passes over so many numbers.
    pub(crate) fn skip(&mut self, numbers: u64) {
        self.0 = self.0.wrapping_add(STEP.wrapping_mul(numbers));
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`; the bias is below `limit` / 2⁶⁴.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// A number of 0..1.
    #[cfg(any(test, feature = "drift"))]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::SplitMix;

    // The first numbers of seed 1234567 in the reference implementation (https://prng.di.unimi.it/splitmix64.c).
    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = SplitMix::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(first, published);
        let mut random = SplitMix::new(1_234_567);
        random.skip(2);
        assert_eq!(random.next(), published[2]);
    }
}
