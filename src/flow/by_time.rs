//! The order in which sources are merged: by wall time, whatever a foreign log holds.
//!
//! Every number has a place, so that no time, NaN included, stops a merge.

/// A wall time in a total order, so that a heap can merge sources by it; NaN comes last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByTime(pub(crate) f64);

impl PartialEq for ByTime {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByTime {}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
