//! Reads records from a byte stream that may still grow, and finds the whole records behind damage.
//!
//! A payload is handed out only if its checksum is right, and memory stays within what the stream
//! really holds, whatever a length field claims.

use std::io::{self, Read};

use super::{FOOTER_LEN, HEADER_LEN, masked_crc32c};

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

/// A stretch of the stream that holds no whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong there.
    pub kind: DamageKind,
    /// Where it begins, in bytes from the stream's start.
    pub offset: u64,
    /// How many bytes were passed over.
    pub length: u64,
}

/// What is wrong with a damaged stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The length field fails its checksum; what follows was searched byte by byte.
    Length,
    /// The payload fails its checksum.
    Payload,
    /// The stream ends inside a record.
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
    /// Bytes read and not yet passed: `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    /// Where `buffer[start]` lies in the stream.
    offset: u64,
    /// Since where, and why, a search for the next whole record runs.
    search: Option<Search>,
}

#[derive(Debug, Clone, Copy)]
struct Search {
    kind: DamageKind,
    from: u64,
}

/// Bytes asked of the source at a time.
const CHUNK: usize = 256 << 10;

impl<R: Read> RecordReader<R> {
    /// A reader at the start of `source`.
    pub fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            search: None,
        }
    }

    /// The next record, the next damaged stretch, or the end.
    ///
    /// # Errors
    /// Only what the source itself fails with; damage is an [`Item`].
    #[allow(
        clippy::should_implement_trait,
        reason = "lends from the buffer, which Iterator cannot"
    )]
    pub fn next(&mut self, tail: Tail) -> io::Result<Item<'_>> {
        let found = loop {
            match self.look(tail)? {
                Look::Whole(len) => {
                    break self.end_search().map_or(Found::Record(len), Found::Damage);
                }
                Look::Broken(kind) => {
                    self.search.get_or_insert(Search {
                        kind,
                        from: self.offset,
                    });
                    self.advance(1);
                }
                Look::BadPayload(len) if self.search.is_none() => {
                    let damage = Damage {
                        kind: DamageKind::Payload,
                        offset: self.offset,
                        length: len as u64,
                    };
                    self.advance(len);
                    break Found::Damage(damage);
                }
                Look::BadPayload(_) => self.advance(1),
                Look::End => break self.end_search().map_or(Found::End, Found::Damage),
                Look::Wait => break Found::End,
            }
        };
        Ok(match found {
            Found::Record(len) => {
                let (offset, start) = (self.offset, self.start);
                self.advance(len);
                let payload = &self.buffer[start + HEADER_LEN..start + len - FOOTER_LEN];
                Item::Record(Record { offset, payload })
            }
            Found::Damage(damage) => Item::Damage(damage),
            Found::End => Item::End,
        })
    }

    /// What stands at the current offset.
    fn look(&mut self, tail: Tail) -> io::Result<Look> {
        if !self.fill(HEADER_LEN)? {
            return Ok(match (tail, self.available()) {
                (_, 0) if self.search.is_none() => Look::End,
                (Tail::Growing, _) => Look::Wait,
                (Tail::Final, 0) => Look::End,
                (Tail::Final, _) => Look::Broken(DamageKind::Truncated),
            });
        }
        let header = &self.buffer[self.start..self.start + HEADER_LEN];
        let (Some((length, rest)), searching) =
            (header.split_first_chunk::<8>(), self.search.is_some())
        else {
            return Ok(Look::Broken(DamageKind::Length));
        };
        if rest != masked_crc32c(length).to_le_bytes() {
            return Ok(Look::Broken(DamageKind::Length));
        }
        let payload = u64::from_le_bytes(*length);
        // A record without payload says nothing, so a search does not count it as found.
        if searching && payload == 0 {
            return Ok(Look::Broken(DamageKind::Length));
        }
        let whole = usize::try_from(payload)
            .ok()
            .and_then(|len| len.checked_add(HEADER_LEN + FOOTER_LEN));
        let Some(whole) = whole else {
            return Ok(Look::Broken(DamageKind::Truncated));
        };
        if !self.fill(whole)? {
            return Ok(match tail {
                // A search that waited for a length it merely stumbled on would never end.
                Tail::Growing if !searching => Look::Wait,
                _ => Look::Broken(DamageKind::Truncated),
            });
        }
        let record = &self.buffer[self.start..self.start + whole];
        let (payload, crc) = record[HEADER_LEN..].split_at(whole - HEADER_LEN - FOOTER_LEN);
        Ok(if crc == masked_crc32c(payload).to_le_bytes() {
            Look::Whole(whole)
        } else {
            Look::BadPayload(whole)
        })
    }

    fn end_search(&mut self) -> Option<Damage> {
        let Search { kind, from } = self.search.take()?;
        Some(Damage {
            kind,
            offset: from,
            length: self.offset - from,
        })
    }

    fn available(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn advance(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Whether `wanted` bytes are there, after reading as far as the source goes.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.available() < wanted {
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            // By chunks: a length that lies costs no more memory than the stream has bytes.
            let ask = (wanted - self.available()).clamp(CHUNK, 16 * CHUNK) as u64;
            if self
                .source
                .by_ref()
                .take(ask)
                .read_to_end(&mut self.buffer)?
                == 0
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

enum Look {
    Whole(usize),
    BadPayload(usize),
    Broken(DamageKind),
    Wait,
    End,
}

enum Found {
    Record(usize),
    Damage(Damage),
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
        struct Script<'a>(&'a [u8], &'a std::cell::Cell<usize>, usize);
        impl Read for Script<'_> {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let n = buf.len().min(self.1.get() - self.2);
                buf[..n].copy_from_slice(&self.0[self.2..self.2 + n]);
                self.2 += n;
                Ok(n)
            }
        }
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
}
