//! Noise for values that no encoder or cache can guess.

/// A generator of the same noise each time.
#[derive(Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// About normal: a sum of uniform numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..6)
            .map(|_| self.next() as f32 / (1_u64 << 31) as f32)
            .sum::<f32>()
            - 3.0
    }
}
