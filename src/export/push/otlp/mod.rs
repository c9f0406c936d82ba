//! OTLP metrics over HTTP: protobuf, gzipped.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/>; what has no like in it is written as
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/> says. Names are those that the
//! meters were given, units those of UCUM; what counts is cumulative since it was registered.

mod wire;

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;

use self::wire::{
    CUMULATIVE, Data, Gauge, Histogram, HistogramPoint, KeyValue, Metric, NO_VALUE, NumberPoint,
    Request, Resource, ResourceMetrics, Response, Scope, ScopeMetrics, Sum, Summary, SummaryPoint,
};
use super::queue::Letter;
use super::remote_write::Say;
use crate::export::samples::{Samples, Shape};
use crate::health::{Meter, Reading, Recorded};

pub(super) const PATH: &str = "/v1/metrics";
pub(super) const HEADERS: [(&str, &str); 2] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "gzip"),
];

/// Points of a request, unless one metric has more.
const MOST: u64 = 2_000;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The statuses behind which one may come again.
pub(super) fn retried(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// What an answer that says well has refused.
pub(super) fn refused(body: &[u8]) -> Option<(u64, String)> {
    let partial = Response::decode(body).ok()?.partial_success?;
    let count = u64::try_from(partial.rejected_data_points).ok()?;
    Some((count, partial.error_message))
}

/// All samples at `time`, in milliseconds since 1970; `labels` and `more` say of what they are.
pub(super) fn letters(
    families: &[Samples<'_>],
    labels: &[(String, String)],
    more: &[(String, String)],
    time: i64,
    say: Say,
) -> Vec<Letter> {
    let resource = resource(labels, more);
    let time = u64::try_from(time).unwrap_or_default() * 1_000_000;
    let (mut letters, mut metrics, mut points) = (Vec::new(), Vec::new(), 0);
    for samples in families {
        let writer = Writer { samples, time, say };
        for (metric, count) in writer.metrics() {
            if points + count > MOST && points > 0 {
                letters.push(letter(&resource, std::mem::take(&mut metrics), points));
                points = 0;
            }
            metrics.push(metric);
            points += count;
        }
    }
    if points > 0 {
        letters.push(letter(&resource, metrics, points));
    }
    letters
}

fn resource(labels: &[(String, String)], more: &[(String, String)]) -> Resource {
    let sdk = [
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.name", "modelpulse"),
        ("telemetry.sdk.version", VERSION),
    ];
    let mut attributes: BTreeMap<&str, &str> = sdk.into();
    for (name, value) in labels.iter().chain(more) {
        let name = match name.as_str() {
            "job" => "service.name",
            "instance" => "service.instance.id",
            name => name,
        };
        match value.as_str() {
            "" => attributes.remove(name),
            value => attributes.insert(name, value),
        };
    }
    let attributes = attributes.into_iter();
    Resource {
        attributes: attributes
            .map(|(name, value)| KeyValue::new(name, value))
            .collect(),
    }
}

fn letter(resource: &Resource, metrics: Vec<Metric>, samples: u64) -> Letter {
    let scope = Scope {
        name: "modelpulse".to_owned(),
        version: VERSION.to_owned(),
    };
    let request = Request {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.clone()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics,
            }],
        }],
    };
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = zipped.write_all(&request.encode_to_vec());
    Letter {
        body: zipped.finish().unwrap_or_default().into(),
        samples,
    }
}

/// Of one family.
struct Writer<'a> {
    samples: &'a Samples<'a>,
    /// In nanoseconds since 1970.
    time: u64,
    say: Say,
}

impl Writer<'_> {
    /// The metrics, and how many points each has.
    fn metrics(&self) -> Vec<(Metric, u64)> {
        let family = self.samples.family;
        let count = self.samples.meters.len() as u64;
        let (suffix, data) = match self.samples.shape {
            Shape::Gauge => {
                let data_points = self.numbers(0);
                ("", Data::Gauge(Gauge { data_points }))
            }
            Shape::Counter => ("", self.sum(true)),
            Shape::Info => ("_info", self.sum(false)),
            Shape::States => ("", self.sum(false)),
            Shape::Histogram => {
                let points = self.recorded(|meter, it| self.histogram(meter, it));
                let histogram = Histogram {
                    data_points: points,
                    aggregation_temporality: CUMULATIVE,
                };
                ("", Data::Histogram(histogram))
            }
            Shape::Summary => {
                let data_points = self.recorded(|meter, it| self.summary(meter, it));
                ("", Data::Summary(Summary { data_points }))
            }
        };
        let count = match &data {
            Data::Sum(sum) => sum.data_points.len() as u64,
            _ => count,
        };
        let metric = |suffix: &str, text: &str, unit, data| Metric {
            name: format!("{}{suffix}", family.name()),
            description: text.to_owned(),
            unit,
            data: Some(data),
        };
        let unit = ucum(family.unit());
        let mut metrics = vec![(metric(suffix, family.description(), unit, data), count)];
        let nans: Vec<NumberPoint> = self
            .samples
            .nans()
            .map(|(meter, count)| self.number(meter, None, count as f64, start(meter)))
            .collect();
        if !nans.is_empty() {
            let count = nans.len() as u64;
            let text = "How many of them were NaN";
            metrics.push((metric("_nan", text, String::new(), sum(nans, true)), count));
        }
        metrics
    }

    fn sum(&self, monotonic: bool) -> Data {
        sum(self.numbers(1), monotonic)
    }

    /// The numbers of a gauge, or of what counts since its meter was registered.
    fn numbers(&self, since: u64) -> Vec<NumberPoint> {
        let mut points = Vec::new();
        for (meter, reading) in &self.samples.meters {
            let start = start(meter) * since;
            self.samples.each(reading, |sample| {
                points.push(self.number(meter, sample.label, sample.value, start));
            });
        }
        points
    }

    fn number(
        &self,
        meter: &Meter,
        label: Option<(&str, &str)>,
        value: f64,
        start: u64,
    ) -> NumberPoint {
        let mut attributes = attributes(meter);
        attributes.extend(label.map(|(name, value)| KeyValue::new(name, value)));
        NumberPoint {
            attributes,
            start_time_unix_nano: start,
            time_unix_nano: self.time,
            as_double: (self.say == Say::Values).then_some(value),
            flags: self.flags(),
        }
    }

    fn recorded<T>(&self, point: impl Fn(&Meter, &Recorded) -> T) -> Vec<T> {
        let meters = self.samples.meters.iter();
        meters
            .filter_map(|(meter, reading)| match reading {
                Reading::Recorded(recorded) => Some(point(meter, recorded)),
                _ => None,
            })
            .collect()
    }

    fn histogram(&self, meter: &Meter, recorded: &Recorded) -> HistogramPoint {
        // Here each bucket counts its own alone.
        let upto = recorded.buckets.iter().map(|(_, count)| *count);
        let upto: Vec<u64> = upto.chain([recorded.count]).collect();
        let below = [0].into_iter().chain(upto.iter().copied());
        let own = upto.iter().zip(below).map(|(upto, below)| upto - below);
        let values = self.say == Say::Values;
        HistogramPoint {
            attributes: attributes(meter),
            start_time_unix_nano: start(meter),
            time_unix_nano: self.time,
            count: if values { recorded.count } else { 0 },
            sum: values.then_some(recorded.sum),
            bucket_counts: if values { own.collect() } else { Vec::new() },
            explicit_bounds: match values {
                true => recorded.buckets.iter().map(|(bound, _)| *bound).collect(),
                false => Vec::new(),
            },
            flags: self.flags(),
        }
    }

    fn summary(&self, meter: &Meter, recorded: &Recorded) -> SummaryPoint {
        let values = self.say == Say::Values;
        SummaryPoint {
            attributes: attributes(meter),
            start_time_unix_nano: start(meter),
            time_unix_nano: self.time,
            count: if values { recorded.count } else { 0 },
            sum: if values { recorded.sum } else { 0.0 },
            flags: self.flags(),
        }
    }

    fn flags(&self) -> u32 {
        match self.say {
            Say::Values => 0,
            Say::Ended => NO_VALUE,
        }
    }
}

fn sum(data_points: Vec<NumberPoint>, is_monotonic: bool) -> Data {
    Data::Sum(Sum {
        data_points,
        aggregation_temporality: CUMULATIVE,
        is_monotonic,
    })
}

/// When a meter was registered, in nanoseconds since 1970.
fn start(meter: &Meter) -> u64 {
    (meter.created() * 1e9) as u64
}

fn attributes(meter: &Meter) -> Vec<KeyValue> {
    let tags = meter.tags().iter().filter(|(_, value)| !value.is_empty());
    tags.map(|(name, value)| KeyValue::new(name, value))
        .collect()
}

/// The unit as UCUM has it, where it is one that metrics have.
fn ucum(unit: &str) -> String {
    let unit = match unit {
        "seconds" => "s",
        "milliseconds" => "ms",
        "bytes" => "By",
        "celsius" => "Cel",
        "watts" => "W",
        "joules" => "J",
        "ratio" => "1",
        "percent" => "%",
        unit => unit,
    };
    unit.to_owned()
}
