//! The bytes of events, written by hand where the loop's speed depends on it.
//!
//! Every function appends one record, equal byte for byte to what prost makes of the same message;
//! the payloads' checksums are filled in for many records at once, by [`seal`](crate::record::seal).

use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::proto::{self, SessionLog, event::What, session_log::SessionStatus, summary};
use crate::record::{FOOTER_LEN, HEADER_LEN, append_unsealed};
use crate::summary::Value;
use crate::types::{Step, WallTime};

/// What a series' scalars have in common: their bytes, in which only numbers change.
#[derive(Debug)]
pub(super) struct ScalarForm {
    /// A `Summary.value` with its key; the last four bytes are the number.
    value: Vec<u8>,
    /// A whole record of one value, at a step whose varint has `step_len` bytes.
    record: Vec<u8>,
    step_len: usize,
}

impl ScalarForm {
    pub(super) fn new(tag: &str) -> Self {
        let mut field = Vec::new();
        if !tag.is_empty() {
            field.push(VALUE_TAG);
            encode_varint(tag.len() as u64, &mut field);
            field.extend_from_slice(tag.as_bytes());
        }
        let mut value = vec![SUMMARY_VALUE];
        encode_varint((field.len() + 5) as u64, &mut value);
        value.append(&mut field);
        value.extend_from_slice(&[VALUE_SIMPLE, 0, 0, 0, 0]);
        Self {
            value,
            record: Vec::new(),
            step_len: 0,
        }
    }

    /// How many bytes a value takes in an event.
    #[inline]
    pub(super) fn value_len(&self) -> usize {
        self.value.len()
    }

    #[inline]
    fn put(&self, out: &mut Vec<u8>, value: f32) {
        out.extend_from_slice(&self.value);
        if let Some(number) = out.last_chunk_mut() {
            *number = value.to_le_bytes();
        }
    }

    /// Appends an event that holds one scalar.
    #[inline]
    pub(super) fn append(&mut self, out: &mut Vec<u8>, wall_time: f64, step: Step, value: f32) {
        let mut varint = [0; 10];
        let step_len = put_varint(&mut varint, step.as_i64() as u64);
        if step_len != self.step_len || wall_time == 0.0 || step == Step::ZERO {
            return self.append_anew(out, wall_time, step, value);
        }
        // Of the record's fixed layout only the numbers change. They are set in the copy: setting them
        // in the form would make the copy wait for each of them.
        const WALL_TIME: usize = HEADER_LEN + 1;
        const STEP: usize = WALL_TIME + 8 + 1;
        let start = out.len();
        out.extend_from_slice(&self.record);
        let record = &mut out[start..];
        let number = record.len() - FOOTER_LEN - 4;
        record[WALL_TIME..WALL_TIME + 8].copy_from_slice(&wall_time.to_le_bytes());
        record[STEP..STEP + step_len].copy_from_slice(&varint[..step_len]);
        record[number..number + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// The same field by field; what comes out serves as the form of the next ones.
    #[cold]
    fn append_anew(&mut self, out: &mut Vec<u8>, wall_time: f64, step: Step, value: f32) {
        let start = out.len();
        event(out, wall_time, step, self.value.len(), |out| {
            self.put(out, value)
        });
        // A field of the value zero is left out, so such a record is no form for others.
        if wall_time != 0.0 && step != Step::ZERO {
            self.record.clear();
            self.record.extend_from_slice(&out[start..]);
            self.step_len = encoded_len_varint(step.as_i64() as u64);
        }
    }
}

/// Appends one event that holds the scalars `values`, given by their forms' index in `forms`.
#[inline]
pub(super) fn scalars(
    out: &mut Vec<u8>,
    wall_time: f64,
    step: Step,
    values: &[(u32, f32)],
    forms: &[ScalarForm],
) {
    let len = values
        .iter()
        .map(|&(id, _)| forms[id as usize].value_len())
        .sum();
    event(out, wall_time, step, len, |out| {
        for &(id, value) in values {
            forms[id as usize].put(out, value);
        }
    });
}

/// Writes `value` as a varint into `bytes`, and returns its length.
#[inline]
fn put_varint(bytes: &mut [u8; 10], mut value: u64) -> usize {
    let mut len = 0;
    while value >= 0x80 {
        bytes[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    bytes[len] = value as u8;
    len + 1
}

/// One event that holds one value of any kind.
pub(super) fn value(out: &mut Vec<u8>, wall_time: f64, step: Step, tag: &str, value: &Value) {
    if let Some(field) = value.own_field(tag) {
        return message(out, wall_time, step, field);
    }
    let value = wire(tag, value);
    let len = value.encoded_len();
    let framed = 1 + encoded_len_varint(len as u64) + len;
    event(out, wall_time, step, framed, |out| {
        out.push(SUMMARY_VALUE);
        encode_varint(len as u64, out);
        value.encode_raw(out);
    });
}

/// A value as a summary holds it.
pub(super) fn wire(tag: &str, value: &Value) -> summary::Value {
    let (metadata, value) = match value {
        Value::Scalar(value) => (None, summary::value::Value::SimpleValue(*value)),
        Value::Tensor(tensor) => (
            Some(tensor.metadata.clone()),
            summary::value::Value::Tensor(tensor.tensor.clone()),
        ),
    };
    summary::Value {
        tag: tag.to_owned(),
        metadata,
        value: Some(value),
        ..summary::Value::default()
    }
}

/// The first record of every file.
pub(super) fn file_version(out: &mut Vec<u8>, now: WallTime) {
    let version = What::FileVersion("brain.Event:2".to_owned());
    message(out, now.as_secs_f64(), Step::ZERO, version);
}

/// Says that a run starts, or starts again, at `step`: earlier values from there on are void.
pub(super) fn session_start(out: &mut Vec<u8>, now: WallTime, step: Step) {
    let start = SessionLog {
        status: SessionStatus::Start.into(),
        ..SessionLog::default()
    };
    message(out, now.as_secs_f64(), step, What::SessionLog(start));
}

fn message(out: &mut Vec<u8>, wall_time: f64, step: Step, what: What) {
    let event = proto::Event {
        wall_time,
        step: step.as_i64(),
        what: Some(what),
        ..proto::Event::default()
    };
    append_unsealed(out, event.encoded_len(), |out| event.encode_raw(out));
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
    append_unsealed(out, payload, |out| {
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
    });
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
    use crate::record::{Item, RecordReader, Tail, append_record, seal};
    use crate::summary::{Graph, Text};

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
                let forms: Vec<_> = tags.iter().map(|tag| ScalarForm::new(tag)).collect();
                let mut out = Vec::new();
                let numbers: Vec<_> = (0..tags.len()).map(|id| (id as u32, 0.5)).collect();
                scalars(&mut out, wall_time, step.into(), &numbers, &forms);
                seal(&mut out);
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
    fn a_form_that_is_used_again_equals_the_bytes_of_prost() {
        let mut form = ScalarForm::new("train/loss");
        let steps = [0, 1, 2, 127, 128, 129, 0, 300, -1, -2, 5, 6];
        for (step, wall_time) in steps.into_iter().zip([1.5, 0.0, 2.5].into_iter().cycle()) {
            let mut out = Vec::new();
            let number = step as f32 / 3.0;
            form.append(&mut out, wall_time, step.into(), number);
            seal(&mut out);
            let value = summary::Value {
                tag: "train/loss".to_owned(),
                value: Some(summary::value::Value::SimpleValue(number)),
                ..summary::Value::default()
            };
            assert_eq!(out, by_prost(wall_time, step, vec![value]));
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
        seal(&mut out);
        assert_eq!(out, by_prost(1.7e9, 7, vec![expected]));
    }

    #[test]
    fn a_graph_takes_a_field_of_its_own() {
        let graph = Graph::of_parameters([("fc.weight", [2, 3])]).unwrap();
        let mut out = Vec::new();
        value(&mut out, 1.7e9, 7.into(), "any", &graph.into());
        seal(&mut out);
        let mut reader = RecordReader::new(&out[..]);
        let Ok(Item::Record(record)) = reader.next(Tail::Final) else {
            panic!()
        };
        let event = proto::Event::decode(record.payload).unwrap();
        assert!(matches!(event.what, Some(What::GraphDef(_))));
        assert_eq!((event.wall_time, event.step), (1.7e9, 7));
    }
}
