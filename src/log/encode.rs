//! The bytes of events, written by hand where the loop's speed depends on it.
//!
//! Every function appends one whole record, equal byte for byte to what prost makes of the same message.

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::proto::{self, SessionLog, event::What, session_log::SessionStatus, summary};
use crate::record::{append_record, begin_record, end_record};
use crate::summary::Value;
use crate::types::{Step, WallTime};

/// All of a scalar's `Summary.value` but the number's four bytes, which follow.
pub(super) fn scalar_prefix(tag: &str) -> Box<[u8]> {
    let mut field = Vec::new();
    if !tag.is_empty() {
        field.push(VALUE_TAG);
        encode_varint(tag.len() as u64, &mut field);
        field.extend_from_slice(tag.as_bytes());
    }
    let mut prefix = vec![SUMMARY_VALUE];
    encode_varint((field.len() + 5) as u64, &mut prefix);
    prefix.append(&mut field);
    prefix.push(VALUE_SIMPLE);
    prefix.into()
}

/// One event that holds the scalars given by their prefixes and numbers; `len` bytes in all.
#[inline]
pub(super) fn scalars<'a>(
    out: &mut Vec<u8>,
    wall_time: f64,
    step: Step,
    len: usize,
    values: impl Iterator<Item = (&'a [u8], f32)>,
) {
    event(out, wall_time, step, len, |out| {
        for (prefix, value) in values {
            out.extend_from_slice(prefix);
            out.extend_from_slice(&value.to_le_bytes());
        }
    });
}

/// One event that holds one value of any kind.
pub(super) fn value(out: &mut Vec<u8>, wall_time: f64, step: Step, tag: &str, value: &Value) {
    let (metadata, value) = match value {
        Value::Scalar(value) => (None, summary::value::Value::SimpleValue(*value)),
        Value::Tensor(tensor) => (
            Some(tensor.metadata.clone()),
            summary::value::Value::Tensor(tensor.tensor.clone()),
        ),
    };
    let value = summary::Value {
        tag: tag.to_owned(),
        metadata,
        value: Some(value),
        ..summary::Value::default()
    };
    let len = value.encoded_len();
    let framed = 1 + encoded_len_varint(len as u64) + len;
    event(out, wall_time, step, framed, |out| {
        out.push(SUMMARY_VALUE);
        encode_varint(len as u64, out);
        value.encode_raw(out);
    });
}

/// The first record of every file.
pub(super) fn file_version(out: &mut Vec<u8>, now: WallTime) {
    message(
        out,
        now,
        Step::ZERO,
        What::FileVersion("brain.Event:2".to_owned()),
    );
}

/// Says that a run starts, or starts again, at `step`: earlier values from there on are void.
pub(super) fn session_start(out: &mut Vec<u8>, now: WallTime, step: Step) {
    let start = SessionLog {
        status: SessionStatus::Start.into(),
        ..SessionLog::default()
    };
    message(out, now, step, What::SessionLog(start));
}

fn message(out: &mut Vec<u8>, now: WallTime, step: Step, what: What) {
    let event = proto::Event {
        wall_time: now.as_secs_f64(),
        step: step.as_i64(),
        what: Some(what),
        ..proto::Event::default()
    };
    append_record(out, &event.encode_to_vec());
}

/// An event around a summary whose values take `len` bytes, which `fill` appends.
#[inline]
fn event(
    out: &mut Vec<u8>,
    wall_time: f64,
    step: Step,
    len: usize,
    fill: impl FnOnce(&mut Vec<u8>),
) {
    let step = step.as_i64() as u64;
    // As prost has it: a field of the value zero is left out.
    let wall_len = if wall_time == 0.0 { 0 } else { 9 };
    let step_len = if step == 0 {
        0
    } else {
        1 + encoded_len_varint(step)
    };
    let payload = wall_len + step_len + 1 + encoded_len_varint(len as u64) + len;
    out.reserve(payload + 16);
    begin_record(out, payload);
    if wall_len > 0 {
        out.push(EVENT_WALL_TIME);
        out.extend_from_slice(&wall_time.to_le_bytes());
    }
    if step_len > 0 {
        out.push(EVENT_STEP);
        encode_varint(step, out);
    }
    out.push(EVENT_SUMMARY);
    encode_varint(len as u64, out);
    fill(out);
    end_record(out, payload);
}

// Keys: field number × 8 + wire type (0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes).
const EVENT_WALL_TIME: u8 = 1 << 3 | 1;
const EVENT_STEP: u8 = 2 << 3;
const EVENT_SUMMARY: u8 = 5 << 3 | 2;
const SUMMARY_VALUE: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 1 << 3 | 2;
const VALUE_SIMPLE: u8 = 2 << 3 | 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Text;

    fn by_prost(wall_time: f64, step: i64, values: Vec<summary::Value>) -> Vec<u8> {
        let what = Some(What::Summary(proto::Summary { value: values }));
        let event = proto::Event {
            wall_time,
            step,
            what,
            ..proto::Event::default()
        };
        let mut out = Vec::new();
        append_record(&mut out, &event.encode_to_vec());
        out
    }

    #[test]
    fn hand_written_bytes_equal_those_of_prost() {
        let long = "tag/".repeat(60);
        for (wall_time, step) in [(1.7e9, 3), (0.0, 0), (-0.0, -1), (1e-300, i64::MAX)] {
            for tags in [vec!["loss"], vec!["", "a", &long]] {
                let prefixes: Vec<_> = tags.iter().map(|tag| scalar_prefix(tag)).collect();
                let len = prefixes.iter().map(|prefix| prefix.len() + 4).sum();
                let mut out = Vec::new();
                let values = prefixes.iter().map(|prefix| (&prefix[..], 0.5));
                scalars(&mut out, wall_time, step.into(), len, values);
                let values = tags.iter().map(|&tag| summary::Value {
                    tag: tag.to_owned(),
                    value: Some(summary::value::Value::SimpleValue(0.5)),
                    ..summary::Value::default()
                });
                assert_eq!(out, by_prost(wall_time, step, values.collect()));
            }
        }
    }

    #[test]
    fn any_value_equals_that_of_prost() {
        let text = Value::from(Text::new("x".repeat(300)));
        let Value::Tensor(tensor) = &text else {
            panic!()
        };
        let expected = summary::Value {
            tag: "note".to_owned(),
            metadata: Some(tensor.metadata.clone()),
            value: Some(summary::value::Value::Tensor(tensor.tensor.clone())),
            ..summary::Value::default()
        };
        let mut out = Vec::new();
        value(&mut out, 1.7e9, 7.into(), "note", &text);
        assert_eq!(out, by_prost(1.7e9, 7, vec![expected]));
    }
}
