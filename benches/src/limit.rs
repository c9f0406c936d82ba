//! The practical limit: events encoded by hand, without a library, a thread or a flush.
//!
//! What a program comes to that is written for exactly these events and this machine: one buffer, the
//! processor's CRC-32C instruction, one system call for 256 KiB.
#![allow(
    unsafe_code,
    reason = "the CRC32 instruction, which is the point of the comparison"
)]

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::path::Path;

use crate::buckets::{BUCKETS, buckets};
use crate::clock;

const BUFFER: usize = 256 << 10;

/// Keys: field number × 8 + wire type (0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes).
mod key {
    pub(super) const EVENT_WALL_TIME: u8 = 1 << 3 | 1;
    pub(super) const EVENT_STEP: u8 = 2 << 3;
    pub(super) const EVENT_FILE_VERSION: u8 = 3 << 3 | 2;
    pub(super) const EVENT_SUMMARY: u8 = 5 << 3 | 2;
    pub(super) const SUMMARY_VALUE: u8 = 1 << 3 | 2;
    pub(super) const VALUE_TAG: u8 = 1 << 3 | 2;
    pub(super) const VALUE_SIMPLE: u8 = 2 << 3 | 5;
    pub(super) const VALUE_TENSOR: u8 = 8 << 3 | 2;
    pub(super) const VALUE_METADATA: u8 = 9 << 3 | 2;
    pub(super) const TENSOR_CONTENT: u8 = 4 << 3 | 2;
    pub(super) const TENSOR_STRING: u8 = 8 << 3 | 2;
}

/// Writes one event file.
#[derive(Debug)]
pub(crate) struct Limit {
    file: File,
    buffer: Vec<u8>,
    tags: Vec<Vec<u8>>,
    /// The first write that failed.
    failure: Option<io::Error>,
}

impl Limit {
    /// A file in `dir`, for series of these tags.
    pub(crate) fn create(dir: &Path, tags: &[String]) -> io::Result<Self> {
        let name = format!(
            "events.out.tfevents.{:010}.limit",
            clock::wall_time() as u64
        );
        let mut limit = Self {
            file: File::create(dir.join(name))?,
            buffer: Vec::with_capacity(BUFFER + (64 << 10)),
            tags: tags.iter().map(|tag| tag.clone().into_bytes()).collect(),
            failure: None,
        };
        let mut version = vec![key::EVENT_WALL_TIME];
        version.extend_from_slice(&clock::wall_time().to_le_bytes());
        bytes(&mut version, key::EVENT_FILE_VERSION, b"brain.Event:2");
        begin_record(&mut limit.buffer, version.len());
        limit.buffer.extend_from_slice(&version);
        end_record(&mut limit.buffer, version.len());
        Ok(limit)
    }

    /// One event with one scalar.
    #[inline]
    pub(crate) fn scalar(&mut self, series: usize, step: i64, value: f32) {
        let tag = &self.tags[series];
        let len = scalar_len(tag);
        event(&mut self.buffer, step, framed_len(len), |out| {
            scalar(out, tag, len, value);
        });
        self.write_when_full();
    }

    /// One event with a scalar of each series.
    #[inline]
    pub(crate) fn step(&mut self, step: i64, values: &[f32]) {
        let each = || self.tags.iter().zip(values);
        let len = each().map(|(tag, _)| framed_len(scalar_len(tag))).sum();
        event(&mut self.buffer, step, len, |out| {
            each().for_each(|(tag, &value)| scalar(out, tag, scalar_len(tag), value));
        });
        self.write_when_full();
    }

    /// One event with a histogram of the first series.
    pub(crate) fn histogram(&mut self, step: i64, values: &[f32]) {
        let mut tensor = vec![0x08, 2 /* double */, 0x12, 8 /* 30 × 3 */];
        tensor.extend_from_slice(&[0x12, 2, 0x08, BUCKETS as u8, 0x12, 2, 0x08, 3]);
        tensor.push(key::TENSOR_CONTENT);
        varint(&mut tensor, BUCKETS as u64 * 24);
        for number in buckets(values).as_flattened() {
            tensor.extend_from_slice(&number.to_le_bytes());
        }
        let mut value = value_head(&self.tags[0], "histograms", 2 /* tensor */);
        bytes(&mut value, key::VALUE_TENSOR, &tensor);
        event(&mut self.buffer, step, framed_len(value.len()), |out| {
            bytes(out, key::SUMMARY_VALUE, &value);
        });
        self.write_when_full();
    }

    /// One event with a PNG of the first series, which is not copied: the system call gathers it.
    pub(crate) fn png(&mut self, step: i64, (width, height): (u32, u32), png: &[u8]) {
        let mut tensor = vec![
            0x08, 7, /* string */
            0x12, 4, /* 3 */
            0x12, 2, 0x08, 3,
        ];
        bytes(
            &mut tensor,
            key::TENSOR_STRING,
            width.to_string().as_bytes(),
        );
        bytes(
            &mut tensor,
            key::TENSOR_STRING,
            height.to_string().as_bytes(),
        );
        tensor.push(key::TENSOR_STRING);
        varint(&mut tensor, png.len() as u64);
        let mut value = value_head(&self.tags[0], "images", 3 /* blob sequence */);
        value.push(key::VALUE_TENSOR);
        varint(&mut value, (tensor.len() + png.len()) as u64);
        value.append(&mut tensor);
        let value_len = value.len() + png.len();

        let mut head = event_head(step, framed_len(value_len));
        head.push(key::SUMMARY_VALUE);
        varint(&mut head, value_len as u64);
        head.append(&mut value);
        begin_record(&mut self.buffer, head.len() + png.len());
        self.buffer.extend_from_slice(&head);
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head), png);
        let footer = masked(crc).to_le_bytes();
        let parts = &mut [
            IoSlice::new(&self.buffer),
            IoSlice::new(png),
            IoSlice::new(&footer),
        ];
        let written = write_all(&mut self.file, parts);
        self.keep_failure(written);
        self.buffer.clear();
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write();
        self.failure.map_or(Ok(()), Err)
    }

    /// Writes all so far.
    pub(crate) fn write(&mut self) {
        let written = self.file.write_all(&self.buffer);
        self.keep_failure(written);
        self.buffer.clear();
    }

    #[inline]
    fn write_when_full(&mut self) {
        if self.buffer.len() >= BUFFER {
            self.write();
        }
    }

    fn keep_failure(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }
}

fn write_all(file: &mut File, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !parts.is_empty() {
        match file.write_vectored(parts)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => IoSlice::advance_slices(&mut parts, count),
        }
    }
    Ok(())
}

/// One record around an event around a summary whose values take `len` bytes, which `fill` appends.
#[inline(always)]
fn event(out: &mut Vec<u8>, step: i64, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    let payload = 9 + 1 + varint_len(step as u64) + framed_len(len);
    out.reserve(payload + 16);
    begin_record(out, payload);
    put_event_head(out, step, len);
    fill(out);
    end_record(out, payload);
}

fn event_head(step: i64, len: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(256);
    put_event_head(&mut head, step, len);
    head
}

#[inline(always)]
fn put_event_head(out: &mut Vec<u8>, step: i64, len: usize) {
    out.push(key::EVENT_WALL_TIME);
    out.extend_from_slice(&clock::wall_time().to_le_bytes());
    out.push(key::EVENT_STEP);
    varint(out, step as u64);
    out.push(key::EVENT_SUMMARY);
    varint(out, len as u64);
}

fn scalar_len(tag: &[u8]) -> usize {
    framed_len(tag.len()) + 5
}

#[inline(always)]
fn scalar(out: &mut Vec<u8>, tag: &[u8], len: usize, value: f32) {
    out.push(key::SUMMARY_VALUE);
    varint(out, len as u64);
    bytes(out, key::VALUE_TAG, tag);
    out.push(key::VALUE_SIMPLE);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A value's tag and metadata: the plugin and the class of its data.
fn value_head(tag: &[u8], plugin: &str, class: u8) -> Vec<u8> {
    let (mut plugin_data, mut metadata, mut value) = (Vec::new(), Vec::new(), Vec::new());
    bytes(&mut plugin_data, 0x0a, plugin.as_bytes());
    bytes(&mut metadata, 0x0a, &plugin_data);
    metadata.extend_from_slice(&[0x20, class]);
    bytes(&mut value, key::VALUE_TAG, tag);
    bytes(&mut value, key::VALUE_METADATA, &metadata);
    value
}

#[inline(always)]
fn begin_record(out: &mut Vec<u8>, len: usize) {
    let length = (len as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc(&length).to_le_bytes());
}

#[inline(always)]
fn end_record(out: &mut Vec<u8>, len: usize) {
    let crc = masked_crc(&out[out.len() - len..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

#[inline(always)]
fn bytes(out: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    out.push(key);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[inline(always)]
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    ((70 - (value | 1).leading_zeros()) / 7) as usize
}

/// Key, length and bytes.
fn framed_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// The checksum as a record has it.
#[inline(always)]
pub(crate) fn masked_crc(data: &[u8]) -> u32 {
    masked(crc(data))
}

fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[inline(always)]
fn crc(data: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if data.len() < 512 && std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor was just seen to have SSE 4.2, all that `short_crc` requires.
        return unsafe { short_crc(data) };
    }
    crc32c::crc32c(data)
}

/// One stream of the instruction: faster than several for records as short as those of scalars.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
#[inline]
fn short_crc(data: &[u8]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u64};
    let (words, rest) = data.as_chunks::<8>();
    let step = |crc, word: &[u8; 8]| _mm_crc32_u64(crc, u64::from_le_bytes(*word));
    let crc = words.iter().fold(u64::from(!0_u32), step) as u32;
    !rest.iter().fold(crc, |crc, &byte| _mm_crc32_u8(crc, byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelpulse::flow::{Event, Source};
    use modelpulse::log::LogReader;
    use modelpulse::summary::{Histogram, Image};

    /// What our reader finds in the log that `write` makes.
    fn read_back(write: impl FnOnce(&mut Limit)) -> anyhow::Result<Vec<Event>> {
        let dir = tempfile::tempdir()?;
        let mut limit = Limit::create(dir.path(), &["a".to_owned(), "b".to_owned()])?;
        write(&mut limit);
        limit.finish()?;
        let mut log = LogReader::open(dir.path())?;
        let mut events = Vec::new();
        while let Some(instant) = log.next_instant().map_err(anyhow::Error::from_boxed)? {
            events.extend(instant);
        }
        assert_eq!(log.problems(), []);
        Ok(events)
    }

    #[test]
    fn scalars_written_by_hand_are_read_back() -> anyhow::Result<()> {
        let events = read_back(|limit| {
            limit.scalar(1, 300, 0.5);
            limit.step(301, &[1.5, 2.5]);
        })?;
        let simple = |event: &Event| (event.step.as_i64(), event.value.scalar());
        let found: Vec<_> = events.iter().map(simple).collect();
        assert_eq!(
            found,
            [(300, Some(0.5)), (301, Some(1.5)), (301, Some(2.5))]
        );
        let tags: Vec<_> = events.iter().map(|event| event.tag.as_str()).collect();
        assert_eq!(tags, ["b", "a", "b"]);
        Ok(())
    }

    #[test]
    fn larger_values_written_by_hand_are_read_back() -> anyhow::Result<()> {
        let values: Vec<f32> = (0..1003).map(|i| (i as f32).sin()).collect();
        let events = read_back(|limit| limit.histogram(302, &values))?;
        assert_eq!(Histogram::try_from(&events[0].value)?.count(), 1003);

        let image = Image::grey(3, 2, &[0, 50, 100, 150, 200, 250])?;
        let events = read_back(|limit| limit.png(303, (3, 2), image.png()))?;
        assert_eq!(Image::try_from(&events[0].value)?, image);
        Ok(())
    }
}
