//! Reads records from a byte stream that may still grow, and finds the whole records behind damage.
//!
//! A payload is handed out only if its checksum is right, and memory stays within what the stream
//! really holds, whatever a length field claims.

use std::io::{self, Read};

use super::crc::mask;
use super::search::Search;
use super::{FOOTER_LEN, HEADER_LEN, crc32c, masked_crc32c};

/// What the end of the stream means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// A writer may still append: an unfinished record is waited for.
    Growing,
    /// Nothing more comes: an unfinished record is damage.
    Final,
}

/// What [`RecordReader::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A whole record, both checksums right.
    Record(Record<'a>),
    /// A stretch that holds no whole record.
    Damage(Damage),
    /// The end of what is there now; after [`Tail::Growing`] the caller may ask again.
    End,
}

/// A whole record.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where its header begins, in bytes from the stream's start.
    pub offset: u64,
    /// The bytes that it frames.
    pub payload: &'a [u8],
}

/// A stretch of the stream that holds no whole record: behind it, each byte was tried for the begin of
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong at its begin.
    pub kind: DamageKind,
    /// Where it begins, in bytes from the stream's start.
    pub offset: u64,
    /// How many bytes were passed over.
    pub length: u64,
}

/// What is wrong where a damaged stretch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The length field fails its checksum.
    Length,
    /// The payload fails its checksum.
    Payload,
    /// The stream ends inside a record, or a record claims more bytes than any has.
    Truncated,
}

impl DamageKind {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "wrong length checksum",
            Self::Payload => "wrong payload checksum",
            Self::Truncated => "truncated record",
        }
    }
}

impl std::fmt::Display for DamageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads records from `R`.
///
/// ```
/// use modelpulse::record::{append_record, Item, RecordReader, Tail};
/// let mut bytes = Vec::new();
/// append_record(&mut bytes, b"event");
/// let mut reader = RecordReader::new(&bytes[..]);
/// let Item::Record(record) = reader.next(Tail::Final)? else { panic!("a record") };
/// assert_eq!(record.payload, b"event");
/// assert_eq!(reader.next(Tail::Final)?, Item::End);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct RecordReader<R> {
    source: R,
    /// Bytes read and not yet passed are `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `buffer[start]` lies in the stream.
    offset: u64,
    /// Bytes asked of the source at a time.
    chunk: usize,
    search: Option<Search>,
}

/// Bytes asked of the source at a time, unless the caller knows better.
const CHUNK: usize = 256 << 10;

/// No event is longer: a protobuf message has less than 2 GiB. So a length beyond that is no length,
/// whatever its checksum says, and nobody waits for its end.
const LONGEST: u64 = i32::MAX as u64;

impl<R: Read> RecordReader<R> {
    /// A reader at the start of `source`.
    pub fn new(source: R) -> Self {
        Self::with_chunk(source, CHUNK)
    }

    /// A reader at the start of `source`, which it asks for `chunk` bytes at a time.
    pub fn with_chunk(source: R, chunk: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            chunk: chunk.max(64),
            search: None,
        }
    }

    /// Takes the source's next byte for number `offset` of the stream.
    pub fn begin_at(&mut self, offset: u64) {
        (self.start, self.end, self.offset, self.search) = (0, 0, offset, None);
    }

    /// The source.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// The source; what is read from it here is lost to the reader.
    pub fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// The record that `next` returned last, by its offset and the length of its payload.
    #[inline]
    pub(crate) fn last(&self, offset: u64, len: usize) -> Option<Record<'_>> {
        let end = self.start.checked_sub(FOOTER_LEN)?;
        let payload = self.buffer.get(end.checked_sub(len)?..end)?;
        Some(Record { offset, payload })
    }

    /// How many bytes were taken from the source.
    pub fn taken(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    /// The next record, the next damaged stretch, or the end.
    ///
    /// # Errors
    /// Only what the source itself fails with; damage is an [`Item`].
    #[allow(
        clippy::should_implement_trait,
        reason = "lends from the buffer, which Iterator cannot"
    )]
    #[inline]
    pub fn next(&mut self, tail: Tail) -> io::Result<Item<'_>> {
        // Nearly always a whole record lies ready.
        if self.search.is_none()
            && let Look::Whole(len) = whole(&self.buffer[self.start..self.end])
        {
            return Ok(self.take(len));
        }
        self.next_slowly(tail)
    }

    /// As `next`, where bytes must be read or something is wrong.
    fn next_slowly(&mut self, tail: Tail) -> io::Result<Item<'_>> {
        loop {
            match self.look(tail)? {
                Look::Whole(len) => {
                    return Ok(match self.end_search() {
                        Some(damage) => Item::Damage(damage),
                        None => self.take(len),
                    });
                }
                Look::Broken(kind) => {
                    let from = self.offset;
                    self.search.get_or_insert_with(|| Search::new(kind, from));
                    self.advance(1);
                }
                Look::End => return Ok(self.end_search().map_or(Item::End, Item::Damage)),
                Look::Wait => return Ok(Item::End),
            }
        }
    }

    /// What stands at the current offset, once enough bytes are there to say.
    fn look(&mut self, tail: Tail) -> io::Result<Look> {
        if !self.fill(HEADER_LEN)? {
            return Ok(match (tail, self.end - self.start) {
                (_, 0) if self.search.is_none() => Look::End,
                (Tail::Growing, _) => Look::Wait,
                (Tail::Final, 0) => Look::End,
                (Tail::Final, _) => Look::Broken(DamageKind::Truncated),
            });
        }
        let header = &self.buffer[self.start..self.start + HEADER_LEN];
        let Some(payload) = payload_len(header, self.search.is_some()) else {
            return Ok(Look::Broken(DamageKind::Length));
        };
        let len = match usize::try_from(payload) {
            Ok(len) if payload <= LONGEST => len + HEADER_LEN + FOOTER_LEN,
            _ => return Ok(Look::Broken(DamageKind::Truncated)),
        };
        if !self.fill(len)? {
            return Ok(match tail {
                Tail::Growing => Look::Wait,
                Tail::Final => Look::Broken(DamageKind::Truncated),
            });
        }
        let (from, to) = (self.start + HEADER_LEN, self.start + len - FOOTER_LEN);
        let crc = match &mut self.search {
            // What lies before `start` is kept as far as the search needs it.
            Some(search) => {
                let first = self.offset - self.start as u64;
                search.crc32c(&self.buffer[..self.end], first, from, to)
            }
            None => crc32c(&self.buffer[from..to]),
        };
        Ok(
            if self.buffer[to..to + FOOTER_LEN] == mask(crc).to_le_bytes() {
                Look::Whole(len)
            } else {
                Look::Broken(DamageKind::Payload)
            },
        )
    }

    fn end_search(&mut self) -> Option<Damage> {
        let Search { kind, from, .. } = self.search.take()?;
        Some(Damage {
            kind,
            offset: from,
            length: self.offset - from,
        })
    }

    /// Hands out the whole record of `len` bytes that stands at the current offset.
    #[inline]
    fn take(&mut self, len: usize) -> Item<'_> {
        let (offset, start) = (self.offset, self.start);
        self.advance(len);
        let payload = &self.buffer[start + HEADER_LEN..start + len - FOOTER_LEN];
        Item::Record(Record { offset, payload })
    }

    #[inline]
    fn advance(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Whether `wanted` bytes are there, after reading as far as the source goes.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.end - self.start < wanted {
            self.discard();
            if self.buffer.len() - self.end < self.chunk.min(wanted) {
                // By steps: a length that lies costs no more memory than the stream has bytes.
                let step = wanted.clamp(self.chunk, 16 * self.chunk.max(CHUNK / 16));
                self.buffer.resize(self.end + step, 0);
            }
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    if self.end == 0 {
                        // Thousands of files may be followed at once.
                        self.buffer = Vec::new();
                    }
                    return Ok(false);
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Forgets what was passed.
    fn discard(&mut self) {
        let keep = match &self.search {
            Some(search) => (self.offset - search.needs_from(self.offset)) as usize,
            None => 0,
        };
        let gone = self.start.saturating_sub(keep);
        // A step through a long buffer must not move all of it.
        if gone > 0 && (gone == self.end || gone >= self.chunk.min(self.buffer.len() / 2)) {
            self.buffer.copy_within(gone..self.end, 0);
            self.start -= gone;
            self.end -= gone;
        }
    }
}

/// The length that a record's header names, if its checksum is right.
#[inline]
fn payload_len(header: &[u8], searching: bool) -> Option<u64> {
    let (length, crc) = header.split_first_chunk::<8>()?;
    let payload = u64::from_le_bytes(*length);
    // A search passes by each byte: what cannot be a length needs no checksum. A record without payload
    // says nothing, so a search does not count it as found.
    if searching && (payload == 0 || payload > LONGEST) {
        return None;
    }
    (*crc == masked_crc32c(length).to_le_bytes()).then_some(payload)
}

/// Whether a whole record stands at the start of `bytes`.
#[inline(always)]
fn whole(bytes: &[u8]) -> Look {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_LEN>() else {
        return Look::Wait;
    };
    let len = match payload_len(header, false).map(usize::try_from) {
        Some(Ok(len)) => len,
        _ => return Look::Wait,
    };
    let Some((payload, footer)) = rest.split_at_checked(len) else {
        return Look::Wait;
    };
    match footer.first_chunk::<FOOTER_LEN>() {
        Some(crc) if *crc == masked_crc32c(payload).to_le_bytes() => {
            Look::Whole(len + HEADER_LEN + FOOTER_LEN)
        }
        _ => Look::Wait,
    }
}

enum Look {
    Whole(usize),
    /// Not a record; what follows is searched.
    Broken(DamageKind),
    /// More bytes must come before it can be said.
    Wait,
    End,
}

#[cfg(test)]
mod tests {
    use super::super::append_record;
    use super::*;

    fn stream(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        payloads
            .iter()
            .for_each(|payload| append_record(&mut bytes, payload));
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<Damage>) {
        let (mut records, mut damages) = (Vec::new(), Vec::new());
        let mut reader = RecordReader::new(bytes);
        loop {
            match reader.next(Tail::Final).unwrap() {
                Item::Record(record) => records.push(record.payload.to_vec()),
                Item::Damage(damage) => damages.push(damage),
                Item::End => return (records, damages),
            }
        }
    }

    /// A stream of which only the first bytes are there yet.
    struct Script<'a>(&'a [u8], &'a std::cell::Cell<usize>, usize);
    impl Read for Script<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(self.1.get() - self.2);
            buf[..n].copy_from_slice(&self.0[self.2..self.2 + n]);
            self.2 += n;
            Ok(n)
        }
    }

    #[test]
    fn whole_records_come_back() {
        let long = vec![7; 3 * CHUNK];
        let (records, damages) = read(&stream(&[b"one", b"", &long, b"three"]));
        assert_eq!(records, [&b"one"[..], b"", &long, b"three"]);
        assert!(damages.is_empty());
    }

    #[test]
    fn any_flipped_bit_costs_one_record_and_is_reported() {
        let clean = stream(&[b"first", b"second", b"third"]);
        let second = stream(&[b"first"]).len()..stream(&[b"first", b"second"]).len();
        for byte in second.clone() {
            for bit in 0..8 {
                let mut bytes = clean.clone();
                bytes[byte] ^= 1 << bit;
                let (records, damages) = read(&bytes);
                assert_eq!(records, [&b"first"[..], b"third"], "byte {byte} bit {bit}");
                assert_eq!(damages.len(), 1);
                assert_eq!(
                    (damages[0].offset, damages[0].length),
                    (second.start as u64, second.len() as u64)
                );
            }
        }
    }

    #[test]
    fn records_behind_a_lying_length_are_found() {
        let mut bytes = stream(&[b"first"]);
        let lie = (1_u64 << 40).to_le_bytes();
        bytes.extend(lie);
        bytes.extend(masked_crc32c(&lie).to_le_bytes());
        bytes.extend(b"junk");
        bytes.extend(stream(&[b"second"]));
        let (records, damages) = read(&bytes);
        assert_eq!(records, [&b"first"[..], b"second"]);
        assert_eq!(
            damages,
            [Damage {
                kind: DamageKind::Truncated,
                offset: 21,
                length: 16
            }]
        );
    }

    #[test]
    fn truncated_record_resumes() {
        let bytes = stream(&[b"first", b"second"]);
        let visible = std::cell::Cell::new(0);
        let mut reader = RecordReader::new(Script(&bytes, &visible, 0));
        let mut seen = Vec::new();
        for end in 0..=bytes.len() {
            visible.set(end);
            while let Item::Record(record) = reader.next(Tail::Growing).unwrap() {
                seen.push((end, record.payload.to_vec()));
            }
        }
        assert_eq!(
            seen,
            [(21, b"first".to_vec()), (bytes.len(), b"second".to_vec())]
        );
    }

    #[test]
    fn a_torn_tail_is_reported_once_offline() {
        let bytes = stream(&[b"first", b"second"]);
        for end in 22..bytes.len() {
            let (records, damages) = read(&bytes[..end]);
            assert_eq!(records.len(), 1);
            let length = end as u64 - 21;
            assert_eq!(
                damages,
                [Damage {
                    kind: DamageKind::Truncated,
                    offset: 21,
                    length
                }]
            );
        }
    }

    #[test]
    fn records_under_a_length_that_lies_with_a_right_checksum_are_found() {
        for lie in [40_u64, 60, 200_000] {
            let mut bytes = stream(&[b"first"]);
            bytes.extend(lie.to_le_bytes());
            bytes.extend(masked_crc32c(&lie.to_le_bytes()).to_le_bytes());
            let long = vec![7; 150_000];
            bytes.extend(stream(&[b"second", &long, b"third", &long]));
            let (records, damages) = read(&bytes);
            assert_eq!(records, [&b"first"[..], b"second", &long, b"third", &long]);
            let expected = Damage {
                kind: DamageKind::Payload,
                offset: 21,
                length: 12,
            };
            assert_eq!(damages, [expected], "{lie}");
        }
    }

    #[test]
    fn many_headers_that_claim_all_the_rest_cost_linear_time() {
        let mut bytes = Vec::new();
        const HEADERS: u64 = 100_000;
        for index in 0..HEADERS {
            let claim = ((HEADERS - index - 1) * 12).max(100).to_le_bytes();
            bytes.extend(claim);
            bytes.extend(masked_crc32c(&claim).to_le_bytes());
        }
        bytes.extend(stream(&[b"found"]));
        // 60 GB of checksums if each claim were read.
        let began = std::time::Instant::now();
        let (records, damages) = read(&bytes);
        assert_eq!(records, [b"found"]);
        assert_eq!(damages.len(), 1);
        assert!(began.elapsed().as_secs() < 20);
    }

    #[test]
    fn what_is_read_in_parts_equals_what_is_read_at_once() {
        let mut bytes = stream(&[b"first", b"second"]);
        bytes[30] ^= 1;
        bytes.extend([0; 40]);
        bytes.extend(stream(&[b"third", b""]));
        let lie = u64::MAX.to_le_bytes();
        bytes.extend(lie);
        bytes.extend(masked_crc32c(&lie).to_le_bytes());
        bytes.extend(stream(&[b"fourth", &[9; 100]]));
        bytes.extend(&stream(&[b"torn"])[..9]);
        let all = read(&bytes);
        assert_eq!((all.0.len(), all.1.len()), (5, 3));
        for chunk in [1, 7, 64, 1000] {
            let part = std::cell::Cell::new(0);
            let mut reader = RecordReader::with_chunk(Script(&bytes, &part, 0), chunk);
            let (mut records, mut damages) = (Vec::new(), Vec::new());
            loop {
                let tail = if part.get() < bytes.len() {
                    Tail::Growing
                } else {
                    Tail::Final
                };
                match reader.next(tail).unwrap() {
                    Item::Record(record) => records.push(record.payload.to_vec()),
                    Item::Damage(damage) => damages.push(damage),
                    Item::End if tail == Tail::Final => break,
                    Item::End => part.set((part.get() + chunk).min(bytes.len())),
                }
            }
            assert_eq!((records, damages), all, "{chunk}");
        }
    }
}
