//! Points in an order of their own, however many: what does not fit in memory goes to a file without a name.
//!
//! Equal points keep the order in which they came.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Points kept in memory: 40 MB.
const IN_MEMORY: usize = 1 << 20;
/// Points read at once.
const BLOCK: u64 = 2048;

/// A value, small enough to sort a billion of them. The order is that of group, part, step and item; what these mean
/// is up to who sorts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) group: u32,
    pub(crate) part: u32,
    pub(crate) step: i64,
    pub(crate) item: u32,
    pub(crate) wall_time: f64,
    pub(crate) value: f64,
}

impl Point {
    const SIZE: usize = 36;

    fn key(&self) -> (u32, u32, i64, u32) {
        (self.group, self.part, self.step, self.item)
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.group.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.part.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.step.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.item.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.wall_time.to_le_bytes());
        bytes[28..].copy_from_slice(&self.value.to_le_bytes());
        out.write_all(&bytes)
    }

    fn read(source: &mut impl Read) -> io::Result<Self> {
        fn number<const N: usize>(source: &mut impl Read) -> io::Result<[u8; N]> {
            let mut bytes = [0; N];
            source.read_exact(&mut bytes)?;
            Ok(bytes)
        }
        let mut bytes = &number::<{ Self::SIZE }>(source)?[..];
        let source = &mut bytes;
        Ok(Self {
            group: u32::from_le_bytes(number(source)?),
            part: u32::from_le_bytes(number(source)?),
            step: i64::from_le_bytes(number(source)?),
            item: u32::from_le_bytes(number(source)?),
            wall_time: f64::from_le_bytes(number(source)?),
            value: f64::from_le_bytes(number(source)?),
        })
    }
}

/// Takes points.
#[derive(Debug)]
pub(crate) struct Sorter {
    limit: usize,
    points: Vec<Point>,
    /// Sorted stretches in a file.
    spilled: Option<(File, Vec<Range<u64>>)>,
    counts: BTreeMap<(u32, u32), u64>,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::keeping(IN_MEMORY)
    }
}

impl Sorter {
    /// One that keeps at most `limit` points in memory.
    fn keeping(limit: usize) -> Self {
        Self {
            limit,
            points: Vec::new(),
            spilled: None,
            counts: BTreeMap::new(),
        }
    }

    pub(crate) fn push(&mut self, point: Point) -> io::Result<()> {
        *self.counts.entry((point.group, point.part)).or_default() += 1;
        self.points.push(point);
        if self.points.len() >= self.limit {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.points.sort_by_key(Point::key);
        let (file, stretches) = match &mut self.spilled {
            Some(spilled) => spilled,
            None => self.spilled.insert((tempfile::tempfile()?, Vec::new())),
        };
        let start = stretches.last().map_or(0, |last| last.end);
        let mut out = BufWriter::with_capacity(1 << 20, file);
        self.points
            .iter()
            .try_for_each(|point| point.write(&mut out))?;
        out.flush()?;
        stretches.push(start..start + self.points.len() as u64);
        self.points.clear();
        Ok(())
    }

    /// All points, sorted.
    pub(crate) fn finish(mut self) -> io::Result<Sorted> {
        let mut ranges = BTreeMap::new();
        let mut start = 0;
        for (key, count) in std::mem::take(&mut self.counts) {
            ranges.insert(key, start..start + count);
            start += count;
        }
        if self.spilled.is_some() && !self.points.is_empty() {
            self.spill()?;
        }
        let store = match self.spilled {
            None => {
                self.points.sort_by_key(Point::key);
                Store::Memory(self.points)
            }
            Some((file, stretches)) => {
                self.points = Vec::new();
                Store::File(Mutex::new(merged(file, stretches)?))
            }
        };
        Ok(Sorted { store, ranges })
    }
}

/// A file in which the stretches of another are one.
fn merged(file: File, stretches: Vec<Range<u64>>) -> io::Result<File> {
    let file = Mutex::new(file);
    let mut sources: Vec<Cursor<'_>> = stretches
        .into_iter()
        .map(|stretch| Cursor::new(Place::File(&file), stretch))
        .collect();
    let mut heads = BinaryHeap::new();
    for (index, source) in sources.iter_mut().enumerate() {
        // Equal points come in the order of the stretches, which is that in which they were pushed.
        heads.extend(source.peek()?.map(|point| Reverse((point.key(), index))));
    }
    let mut out = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
    while let Some(Reverse((_, index))) = heads.pop() {
        if let Some(point) = sources[index].next()? {
            point.write(&mut out)?;
        }
        let next = sources[index].peek()?;
        heads.extend(next.map(|point| Reverse((point.key(), index))));
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

#[derive(Debug)]
enum Store {
    Memory(Vec<Point>),
    File(Mutex<File>),
}

/// Sorted points.
#[derive(Debug)]
pub(crate) struct Sorted {
    store: Store,
    ranges: BTreeMap<(u32, u32), Range<u64>>,
}

impl Sorted {
    /// The points of one part of a group.
    pub(crate) fn part(&self, group: u32, part: u32) -> Cursor<'_> {
        let range = self.ranges.get(&(group, part)).cloned();
        let place = match &self.store {
            Store::Memory(points) => Place::Memory(points),
            Store::File(file) => Place::File(file),
        };
        Cursor::new(place, range.unwrap_or_default())
    }

    /// The parts of a group that have points.
    pub(crate) fn parts(&self, group: u32) -> impl Iterator<Item = u32> {
        let range = (group, 0)..=(group, u32::MAX);
        self.ranges.range(range).map(|((_, part), _)| *part)
    }
}

#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Memory(&'a [Point]),
    File(&'a Mutex<File>),
}

/// Goes through sorted points.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    place: Place<'a>,
    left: Range<u64>,
    /// Points that were read and not yet given, the next one last.
    block: Vec<Point>,
}

impl<'a> Cursor<'a> {
    fn new(place: Place<'a>, left: Range<u64>) -> Self {
        Self {
            place,
            left,
            block: Vec::new(),
        }
    }

    /// The next point, which stays the next one.
    pub(crate) fn peek(&mut self) -> io::Result<Option<Point>> {
        if self.block.is_empty() {
            self.fill()?;
        }
        Ok(self.block.last().copied())
    }

    /// Takes the next point.
    pub(crate) fn next(&mut self) -> io::Result<Option<Point>> {
        self.peek()?;
        Ok(self.block.pop())
    }

    fn fill(&mut self) -> io::Result<()> {
        let end = self.left.end.min(self.left.start + BLOCK);
        let (from, to) = (self.left.start, end);
        self.left.start = end;
        match self.place {
            Place::Memory(points) => {
                let points = points.get(from as usize..to as usize).unwrap_or_default();
                self.block.extend(points.iter().rev());
            }
            Place::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(from * Point::SIZE as u64))?;
                let bytes = (to - from) * Point::SIZE as u64;
                let mut source = BufReader::with_capacity(1 << 16, (&mut *file).take(bytes));
                for _ in from..to {
                    self.block.push(Point::read(&mut source)?);
                }
                self.block.reverse();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points whose values say in which order they came.
    fn points() -> Vec<Point> {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) % below
        };
        let point = |index| Point {
            group: next(3) as u32,
            part: next(2) as u32,
            step: next(20) as i64 - 10,
            item: next(2) as u32,
            wall_time: f64::NAN,
            value: f64::from(index),
        };
        (0..10_000).map(point).collect()
    }

    #[test]
    fn what_does_not_fit_in_memory_is_sorted_alike() {
        let mut expected = points();
        expected.sort_by_key(Point::key);
        for limit in [usize::MAX, 9_999, 1000, 17] {
            let mut sorter = Sorter::keeping(limit);
            points()
                .into_iter()
                .for_each(|point| sorter.push(point).unwrap());
            let sorted = sorter.finish().unwrap();
            let mut all = Vec::new();
            for group in 0..4 {
                let parts: Vec<u32> = sorted.parts(group).collect();
                assert_eq!(parts, if group < 3 { vec![0, 1] } else { vec![] });
                for part in parts {
                    let mut cursor = sorted.part(group, part);
                    while let Some(point) = cursor.next().unwrap() {
                        all.push(point);
                    }
                }
            }
            assert_eq!(format!("{all:?}"), format!("{expected:?}"), "limit {limit}");
        }
    }

    #[test]
    fn nothing_is_sorted_too() {
        let sorted = Sorter::default().finish().unwrap();
        assert_eq!(sorted.part(0, 0).next().unwrap(), None);
    }
}
