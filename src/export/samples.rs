//! The samples of a family, read once: what a page shows of it, and what is pushed.
//!
//! A sample is the family's name with a suffix, the meter's labels, maybe one label more, and a number; all who show
//! a registry show the same ones.

use crate::health::{Family, Kind, Meter, Reading, Recorded};

/// What a family is to those who read samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Counter,
    Gauge,
    Info,
    States,
    /// Of times or sizes, with buckets, and without.
    Histogram,
    Summary,
}

/// A family and what its meters showed when they were read.
#[derive(Debug)]
pub(super) struct Samples<'a> {
    pub(super) family: &'a Family,
    pub(super) shape: Shape,
    pub(super) meters: Vec<(&'a Meter, Reading<'a>)>,
}

/// One number of a meter.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    pub(super) suffix: &'static str,
    /// A label that the meter itself does not have, not escaped.
    pub(super) label: Option<(&'a str, &'a str)>,
    pub(super) value: f64,
}

impl<'a> Sample<'a> {
    pub(super) fn new(suffix: &'static str, label: Option<(&'a str, &'a str)>, value: f64) -> Self {
        Self {
            suffix,
            label,
            value,
        }
    }
}

impl<'a> Samples<'a> {
    pub(super) fn of(family: &'a Family) -> Self {
        let meters = family.meters().map(|meter| (meter, meter.read()));
        let meters: Vec<(&Meter, Reading<'_>)> = meters.collect();
        let bucketed = |(_, reading): &(&Meter, Reading<'_>)| match reading {
            Reading::Recorded(recorded) => !recorded.buckets.is_empty(),
            _ => false,
        };
        let shape = match family.kind() {
            Kind::Counter => Shape::Counter,
            Kind::Gauge => Shape::Gauge,
            Kind::Info => Shape::Info,
            Kind::States => Shape::States,
            Kind::Timer | Kind::Distribution if meters.iter().any(bucketed) => Shape::Histogram,
            Kind::Timer | Kind::Distribution => Shape::Summary,
        };
        Self {
            family,
            shape,
            meters,
        }
    }

    /// What the names of the samples have behind the family's, but for those of a histogram or a summary.
    pub(super) fn suffix(&self) -> &'static str {
        match self.shape {
            Shape::Counter => "_total",
            Shape::Info => "_info",
            _ => "",
        }
    }

    /// Calls `take` with each sample of a meter, in the order of a page.
    pub(super) fn each(&self, reading: &Reading<'_>, mut take: impl FnMut(Sample<'_>)) {
        match reading {
            Reading::Number(value) => take(Sample::new(self.suffix(), None, *value)),
            Reading::State { names, current } => {
                for (at, name) in names.iter().enumerate() {
                    let label = (self.family.prometheus_name(), name.as_str());
                    let value = f64::from(u8::from(at == *current));
                    take(Sample::new("", Some(label), value));
                }
            }
            Reading::Recorded(recorded) => {
                if self.shape == Shape::Histogram {
                    let all = (f64::INFINITY, recorded.count);
                    let mut le = String::new();
                    for &(bound, count) in recorded.buckets.iter().chain([&all]) {
                        le.clear();
                        super::exposition::number(bound, &mut le);
                        take(Sample::new("_bucket", Some(("le", &le)), count as f64));
                    }
                }
                take(Sample::new("_count", None, recorded.count as f64));
                take(Sample::new("_sum", None, recorded.sum));
            }
        }
    }

    /// The meters that recorded NaN, and how many: a family of its own, `_nan`.
    pub(super) fn nans(&self) -> impl Iterator<Item = (&'a Meter, u64)> {
        self.meters
            .iter()
            .filter_map(|(meter, reading)| match reading {
                Reading::Recorded(Recorded { nans, .. }) if *nans > 0 => Some((*meter, *nans)),
                _ => None,
            })
    }
}
