//! Where metrics are kept between two samples: counters and gauges as atomics, histograms as values.
//!
//! Memory is bounded: of the values of one histogram between two samples so many are kept, and all counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::atomics::AtomicU64;
use metrics::{HistogramFn, Key};
use metrics_util::registry::{AtomicStorage, Storage};

/// The values that one histogram keeps between two samples: 8 MiB.
pub(super) const MAX_VALUES: usize = 1 << 20;

/// Makes counters, gauges and histograms.
#[derive(Debug)]
pub(super) struct Samples;

impl Storage<Key> for Samples {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Values>;

    fn counter(&self, key: &Key) -> Self::Counter {
        AtomicStorage.counter(key)
    }

    fn gauge(&self, key: &Key) -> Self::Gauge {
        AtomicStorage.gauge(key)
    }

    fn histogram(&self, _: &Key) -> Self::Histogram {
        Arc::default()
    }
}

/// The values of one histogram since the last sample.
#[derive(Debug, Default)]
pub(super) struct Values {
    since: Mutex<Since>,
}

#[derive(Debug, Default)]
pub(super) struct Since {
    /// The first of them.
    pub(super) values: Vec<f64>,
    /// How many there were.
    pub(super) count: u64,
}

impl Values {
    /// What came since the last call.
    pub(super) fn take(&self) -> Since {
        std::mem::take(&mut self.since())
    }

    fn since(&self) -> MutexGuard<'_, Since> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        let mut since = self.since();
        let kept = count.min(MAX_VALUES - since.values.len());
        since.values.extend(std::iter::repeat_n(value, kept));
        since.count = since.count.saturating_add(count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let values = Values::default();
        values.record(0.5);
        values.record_many(1.0, 3 * MAX_VALUES);
        values.record(2.0);
        let since = values.take();
        assert_eq!(since.values.len(), MAX_VALUES);
        assert_eq!(since.count, 3 * MAX_VALUES as u64 + 2);
        assert_eq!(since.values[..2], [0.5, 1.0]);
        let since = values.take();
        assert_eq!((since.values.len(), since.count), (0, 0));
    }
}
