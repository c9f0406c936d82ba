//! The search for a whole record among bytes that are none, a byte at a time.
//!
//! Its time is linear in the bytes searched, whatever lengths they claim: the checksum of a long
//! candidate is put together from those of blocks, so that no byte is read again for each claim.

use super::crc::without_prefix;
use super::{DamageKind, crc32c};

/// Since where, and why, a search runs.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) kind: DamageKind,
    /// Where the damage begins, in bytes from the stream's start.
    pub(super) from: u64,
    long: Option<Long>,
}

/// Checksums of blocks, from the first long candidate on.
#[derive(Debug, Clone)]
struct Long {
    from: u64,
    /// The checksum of the bytes from `from` to the end of each block.
    blocks: Vec<u32>,
}

const BLOCK: usize = 4096;
/// Shorter candidates are cheaper to read than to put together.
const LONG: usize = 64 << 10;

impl Search {
    pub(super) fn new(kind: DamageKind, from: u64) -> Self {
        Self {
            kind,
            from,
            long: None,
        }
    }

    /// The first byte that a later call needs, where the search has come to `offset`.
    pub(super) fn needs_from(&self, offset: u64) -> u64 {
        let Some(long) = &self.long else {
            return offset;
        };
        let in_block = (offset - long.from) % BLOCK as u64;
        let built = long.from + (long.blocks.len() * BLOCK) as u64;
        (offset - in_block).min(built)
    }

    /// The CRC-32C of `bytes[start..end]`, where `bytes[0]` lies at `offset` in the stream.
    pub(super) fn crc32c(&mut self, bytes: &[u8], offset: u64, start: usize, end: usize) -> u32 {
        let from = offset + start as u64;
        if end - start < LONG {
            return crc32c(&bytes[start..end]);
        }
        let long = self.long.get_or_insert_with(|| Long {
            from,
            blocks: Vec::new(),
        });
        let before = long.up_to(bytes, offset, from);
        let whole = long.up_to(bytes, offset, offset + end as u64);
        match (before, whole) {
            (Some(before), Some(whole)) => without_prefix(whole, before, end - start),
            _ => crc32c(&bytes[start..end]),
        }
    }
}

impl Long {
    /// The checksum of all bytes from the first candidate to `to`; `None` where some are gone.
    fn up_to(&mut self, bytes: &[u8], offset: u64, to: u64) -> Option<u32> {
        let slice = |from: u64, to: u64| {
            let at = usize::try_from(from.checked_sub(offset)?).ok()?;
            bytes.get(at..at + usize::try_from(to - from).ok()?)
        };
        let whole = usize::try_from(to.checked_sub(self.from)?).ok()? / BLOCK;
        let end_of = |blocks: usize| self.from + (blocks * BLOCK) as u64;
        while self.blocks.len() < whole {
            let begin = end_of(self.blocks.len());
            let block = slice(begin, begin + BLOCK as u64)?;
            let crc = self.blocks.last().copied().unwrap_or(0);
            self.blocks.push(crc32c::crc32c_append(crc, block));
        }
        let crc = whole.checked_sub(1).map_or(0, |last| self.blocks[last]);
        Some(crc32c::crc32c_append(crc, slice(end_of(whole), to)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_from_blocks_is_that_of_the_bytes() {
        let bytes: Vec<u8> = (0..400_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for from in [0, 1, 4000] {
            let mut search = Search::new(DamageKind::Length, 1000 + from);
            search.crc32c(&bytes, 1000, from as usize, 90_000);
            assert!(search.long.is_some());
            for (start, end) in [
                (5000, 100_000),
                (5001, 399_999),
                (9000, 400_000),
                (50_000, 300_000),
                (90_000, 399_990),
            ] {
                // Bytes before what the search needs may be gone.
                let keep = search.needs_from(1000 + start as u64) - 1000;
                let keep = keep as usize;
                let crc =
                    search.crc32c(&bytes[keep..], 1000 + keep as u64, start - keep, end - keep);
                assert_eq!(crc, crc32c(&bytes[start..end]), "{from}: {start}..{end}");
            }
        }
    }
}
