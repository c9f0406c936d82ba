//! Prometheus' remote write 1.0: samples as protobuf, compressed by snappy's block format.
//!
//! Source: <https://prometheus.io/docs/specs/prw/remote_write_spec/>. Labels are sorted, none is empty, times are
//! milliseconds. A NaN of the user's is the ordinary one: another NaN means that a series has ended.

use prost::Message;

use super::queue::Letter;
use crate::export::samples::{Sample as Shown, Samples};
use crate::health::{Meter, label_name};

pub(super) const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

/// Series of a request; Prometheus itself sends as many.
const MOST: usize = 2_000;

/// The NaN that is a value, and the one that ends a series (Prometheus' `model/value/value.go`).
const ORDINARY_NAN: u64 = 0x7ff8_0000_0000_0001;
const STALE_NAN: u64 = 0x7ff0_0000_0000_0002;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    // Always written: what is left out would be 0, and -0 is not.
    #[prost(double, required, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// What the samples of a push say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Their values.
    Values,
    /// That their series have ended.
    Ended,
}

/// All samples at `time`, in milliseconds since 1970, with `labels` where a series has none of that name.
pub(super) fn letters(
    families: &[Samples<'_>],
    labels: &[(String, String)],
    time: i64,
    say: Say,
) -> Vec<Letter> {
    let mut all = Vec::new();
    for samples in families {
        let base = samples.family.prometheus_name();
        for (meter, reading) in &samples.meters {
            let own = labels_of(meter, labels);
            samples.each(reading, |sample| {
                all.push(series(base, &own, &sample, time, say))
            });
        }
        for (meter, count) in samples.nans() {
            let sample = Shown::new("_nan_total", None, count as f64);
            all.push(series(base, &labels_of(meter, labels), &sample, time, say));
        }
    }
    let mut letters = Vec::new();
    while !all.is_empty() {
        let rest = all.split_off(all.len().min(MOST));
        letters.push(letter(std::mem::replace(&mut all, rest)));
    }
    letters
}

fn labels_of(meter: &Meter, more: &[(String, String)]) -> Vec<Label> {
    let own = meter.pairs().into_iter();
    let mut labels: Vec<Label> = own
        .map(|(name, value)| Label {
            name,
            value: value.to_owned(),
        })
        .collect();
    for (name, value) in more {
        let name = label_name(name);
        if !value.is_empty() && labels.iter().all(|label| label.name != name) {
            let value = value.clone();
            labels.push(Label { name, value });
        }
    }
    labels
}

fn series(base: &str, labels: &[Label], shown: &Shown<'_>, time: i64, say: Say) -> TimeSeries {
    let label = |name: &str, value: &str| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let mut labels = labels.to_vec();
    if let Some((name, value)) = shown.label {
        labels.retain(|label| label.name != name);
        labels.push(label(name, value));
    }
    labels.push(label("__name__", &format!("{base}{}", shown.suffix)));
    labels.sort();
    let value = match say {
        Say::Values if shown.value.is_nan() => f64::from_bits(ORDINARY_NAN),
        Say::Values => shown.value,
        Say::Ended => f64::from_bits(STALE_NAN),
    };
    let timestamp = time;
    let samples = vec![Sample { value, timestamp }];
    TimeSeries { labels, samples }
}

fn letter(timeseries: Vec<TimeSeries>) -> Letter {
    let samples = timeseries.len() as u64;
    let message = WriteRequest { timeseries }.encode_to_vec();
    // Fails above 4 GiB alone, which so many series are not.
    let body = snap::raw::Encoder::new().compress_vec(&message);
    let body = body.unwrap_or_default().into();
    Letter { body, samples }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Registry;

    fn letters_of(
        registry: &Registry,
        labels: &[(String, String)],
        time: i64,
        say: Say,
    ) -> Vec<Letter> {
        let families = registry.families();
        let samples: Vec<Samples<'_>> = families.iter().map(Samples::of).collect();
        letters(&samples, labels, time, say)
    }

    fn decoded(letter: &Letter) -> Vec<(Vec<String>, u64, i64)> {
        let message = snap::raw::Decoder::new()
            .decompress_vec(&letter.body)
            .unwrap();
        let request = WriteRequest::decode(&*message).unwrap();
        let series = request.timeseries.into_iter().map(|series| {
            let labels = series.labels.iter();
            let labels = labels.map(|label| format!("{}={}", label.name, label.value));
            let sample = &series.samples[0];
            (labels.collect(), sample.value.to_bits(), sample.timestamp)
        });
        series.collect()
    }

    #[test]
    fn labels_are_sorted_and_none_is_empty_or_there_twice() {
        let registry = Registry::new();
        let meter = registry
            .meter("x")
            .tag("a", "\"\n")
            .tag("job", "own")
            .tag("z", "");
        meter.tag("B", "upper").gauge().set(1.5);
        let labels = [("job", "other"), ("in-st", "h"), ("none", "")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let letters = letters_of(&registry, &labels, 1234, Say::Values);
        assert_eq!(letters.len(), 1);
        let expected = ["B=upper", "__name__=x", "a=\"\n", "in_st=h", "job=own"];
        let expected = expected.map(str::to_owned).to_vec();
        let series = (expected, 1.5_f64.to_bits(), 1234);
        assert_eq!(decoded(&letters[0]), [series]);
    }

    #[test]
    fn every_value_keeps_its_bits_and_nan_is_the_ordinary_one() {
        let odd = f64::from_bits(STALE_NAN);
        for value in [
            0.0,
            -0.0,
            5e-324,
            0.1,
            f64::MAX,
            f64::NEG_INFINITY,
            -f64::NAN,
            odd,
        ] {
            let registry = Registry::new();
            registry.gauge("x", "").set(value);
            let letters = |say| letters_of(&registry, &[], 1, say);
            let expected = match value.is_nan() {
                true => ORDINARY_NAN,
                false => value.to_bits(),
            };
            assert_eq!(decoded(&letters(Say::Values)[0])[0].1, expected, "{value}");
            assert_eq!(decoded(&letters(Say::Ended)[0])[0].1, STALE_NAN);
        }
    }

    #[test]
    fn a_push_is_the_samples_of_a_page() {
        let registry = Registry::new();
        registry.counter("served", "").add(2.0);
        let scores = registry.meter("score").buckets([0.5]).distribution();
        [0.25, f64::NAN, 1.0]
            .iter()
            .for_each(|score| scores.record(*score));
        registry.meter("model").tag("version", "7").info();
        registry.meter("state").states(["UP", "DOWN"]);
        let letters = letters_of(&registry, &[], 1, Say::Values);
        let shown = decoded(&letters[0]);
        let shown: Vec<String> = shown
            .iter()
            .map(|(labels, value, _)| format!("{} {}", labels.join(","), f64::from_bits(*value)))
            .collect();
        assert_eq!(
            shown,
            [
                "__name__=model_info,version=7 1",
                "__name__=score_bucket,le=0.5 1",
                "__name__=score_bucket,le=+Inf 2",
                "__name__=score_count 2",
                "__name__=score_sum 1.25",
                "__name__=score_nan_total 1",
                "__name__=served_total 2",
                "__name__=state,state=UP 1",
                "__name__=state,state=DOWN 0",
            ]
        );
    }

    #[test]
    fn many_series_are_several_requests() {
        let registry = Registry::new();
        for number in 0..MOST * 2 + 1 {
            registry.meter("x").tag("n", number.to_string()).gauge();
        }
        let letters = letters_of(&registry, &[], 1, Say::Values);
        let samples: Vec<u64> = letters.iter().map(|letter| letter.samples).collect();
        assert_eq!(samples, [MOST as u64, MOST as u64, 1]);
        let all: usize = letters.iter().map(|letter| decoded(letter).len()).sum();
        assert_eq!(all, MOST * 2 + 1);
    }
}
