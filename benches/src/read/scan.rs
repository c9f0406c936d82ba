//! The limit scanner: event files gone through by hand, without a library.
//!
//! What a program comes to that is written for exactly these logs: the file mapped into memory, the processor's
//! CRC-32C instruction, and only the four fields taken that a scalar has. It trusts what it reads, and what
//! another process cuts off ends it; so it is a limit and no reader.
#![allow(
    unsafe_code,
    reason = "a file mapped into memory, which is the point of the comparison"
)]

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use memmap2::Mmap;

use crate::limit::masked_crc;

/// Keys: field number × 8 + wire type (0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes).
mod key {
    pub(super) const EVENT_WALL_TIME: u64 = 1 << 3 | 1;
    pub(super) const EVENT_STEP: u64 = 2 << 3;
    pub(super) const EVENT_SUMMARY: u64 = 5 << 3 | 2;
    pub(super) const SUMMARY_VALUE: u64 = 1 << 3 | 2;
    pub(super) const VALUE_TAG: u64 = 1 << 3 | 2;
    pub(super) const VALUE_SIMPLE: u64 = 2 << 3 | 5;
}

/// The points of a series.
#[derive(Debug, Default)]
struct Series {
    tag: Vec<u8>,
    steps: Vec<i64>,
    wall_times: Vec<f64>,
    values: Vec<f32>,
    /// Values that are no numbers.
    others: usize,
    /// The series that came behind this one last; they take turns, mostly.
    next: usize,
}

/// One event file.
#[derive(Debug, Default)]
struct Scan {
    series: Vec<Series>,
    numbers: HashMap<Vec<u8>, usize>,
    last: usize,
}

/// Reads all event files below `dir` with so many threads; how many values there are.
pub(super) fn scan(dir: &Path, threads: usize) -> anyhow::Result<usize> {
    let mut files = Vec::new();
    event_files(dir, &mut files)?;
    let (next, scans) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> anyhow::Result<()> {
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            // SAFETY: nothing changes the file while this program runs: it is one of its own.
            let file = unsafe { Mmap::map(&File::open(path)?) }?;
            let scan = Scan::of(&file).context("a damaged event file")?;
            scans.lock().ok().context("a thread died")?.push(scan);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work()?;
        others
            .into_iter()
            .try_for_each(|thread| thread.join().ok().context("a thread died")?)
    })?;
    let scans = scans.into_inner().ok().context("a thread died")?;
    let series = scans.iter().flat_map(|scan| &scan.series);
    Ok(series
        .map(|series| series.values.len() + series.others)
        .sum())
}

/// The event files at and below `dir`.
pub(super) fn event_files(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            event_files(&path, files)?;
        } else if path.to_string_lossy().contains("tfevents") {
            files.push(path);
        }
    }
    Ok(())
}

impl Scan {
    /// Reads a file; `None` where it is damaged.
    fn of(mut file: &[u8]) -> Option<Self> {
        let mut scan = Self {
            last: usize::MAX,
            ..Self::default()
        };
        while let Some((header, rest)) = file.split_at_checked(12) {
            let (length, crc) = header.split_first_chunk::<8>()?;
            (masked_crc(length).to_le_bytes() == *crc).then_some(())?;
            let (payload, rest) = rest.split_at_checked(u64::from_le_bytes(*length) as usize)?;
            let (crc, rest) = rest.split_first_chunk::<4>()?;
            (masked_crc(payload).to_le_bytes() == *crc).then_some(())?;
            scan.event(payload)?;
            file = rest;
        }
        file.is_empty().then_some(scan)
    }

    #[inline]
    fn event(&mut self, mut bytes: &[u8]) -> Option<()> {
        let (mut wall_time, mut step, mut summary) = (0.0, 0, &[][..]);
        while !bytes.is_empty() {
            match varint(&mut bytes)? {
                key::EVENT_WALL_TIME => wall_time = f64::from_le_bytes(*array(&mut bytes)?),
                key::EVENT_STEP => step = varint(&mut bytes)? as i64,
                key::EVENT_SUMMARY => summary = delimited(&mut bytes)?,
                key => skip(&mut bytes, key)?,
            }
        }
        while !summary.is_empty() {
            match varint(&mut summary)? {
                key::SUMMARY_VALUE => self.value(delimited(&mut summary)?, wall_time, step)?,
                key => skip(&mut summary, key)?,
            }
        }
        Some(())
    }

    #[inline]
    fn value(&mut self, mut bytes: &[u8], wall_time: f64, step: i64) -> Option<()> {
        let (mut tag, mut number) = (&[][..], None);
        while !bytes.is_empty() {
            match varint(&mut bytes)? {
                key::VALUE_TAG => tag = delimited(&mut bytes)?,
                key::VALUE_SIMPLE => number = Some(f32::from_le_bytes(*array(&mut bytes)?)),
                key => skip(&mut bytes, key)?,
            }
        }
        let series = self.series_of(tag);
        match number {
            Some(number) => {
                series.steps.push(step);
                series.wall_times.push(wall_time);
                series.values.push(number);
            }
            None => series.others += 1,
        }
        Some(())
    }

    #[inline]
    fn series_of(&mut self, tag: &[u8]) -> &mut Series {
        let guess = self.series.get(self.last).map_or(0, |last| last.next);
        if self
            .series
            .get(guess)
            .is_none_or(|series| series.tag != tag)
        {
            self.find(tag);
        } else {
            self.last = guess;
        }
        &mut self.series[self.last]
    }

    #[cold]
    fn find(&mut self, tag: &[u8]) {
        let found = *self.numbers.entry(tag.to_vec()).or_insert_with(|| {
            self.series.push(Series {
                tag: tag.to_vec(),
                ..Series::default()
            });
            self.series.len() - 1
        });
        if let Some(last) = self.series.get_mut(self.last) {
            last.next = found;
        }
        self.last = found;
    }
}

#[inline(always)]
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[inline(always)]
fn array<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(array)
}

#[inline(always)]
fn delimited<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = varint(bytes)? as usize;
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

#[inline(always)]
fn skip(bytes: &mut &[u8], key: u64) -> Option<()> {
    match key & 7 {
        0 => varint(bytes).map(drop),
        1 => array::<8>(bytes).map(drop),
        2 => delimited(bytes).map(drop),
        5 => array::<4>(bytes).map(drop),
        _ => None,
    }
}
