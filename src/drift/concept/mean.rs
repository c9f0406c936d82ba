//! Running means, each with the rounding of the program whose alarms are reproduced.

use super::archive::Archive;

/// The mean of what was taken, as river keeps it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Mean {
    pub(super) n: f64,
    pub(super) mean: f64,
}

impl Mean {
    #[inline]
    pub(super) fn take(&mut self, value: f64) {
        self.n += 1.0;
        self.mean += 1.0 / self.n * (value - self.mean);
    }

    /// As frouros keeps it: one division, one rounding less.
    #[inline]
    pub(super) fn take_divided(&mut self, value: f64) {
        self.n += 1.0;
        self.mean += (value - self.mean) / self.n;
    }

    pub(super) fn fields(&mut self, archive: &mut Archive<'_>) {
        archive.floats([&mut self.n, &mut self.mean]);
    }
}
