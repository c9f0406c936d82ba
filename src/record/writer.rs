//! Appends records to a buffer.
//!
//! What was appended is whole: a buffer never holds half a record when a call returns.

use super::{FOOTER_LEN, HEADER_LEN, masked_crc32c};

/// Appends one record with `payload` to `out`.
///
/// ```
/// let mut out = Vec::new();
/// modelpulse::record::append_record(&mut out, b"event");
/// assert_eq!(out.len(), 12 + 5 + 4);
/// ```
pub fn append_record(out: &mut Vec<u8>, payload: &[u8]) {
    let start = out.len();
    append_unsealed(out, payload.len(), |out| out.extend_from_slice(payload));
    seal(&mut out[start..]);
}

/// Appends a record without its payload's checksum, which [`seal`] fills in; `fill` appends the payload
/// of `len` bytes.
#[inline]
pub(crate) fn append_unsealed(out: &mut Vec<u8>, len: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    out.reserve(len + HEADER_LEN + FOOTER_LEN);
    let length = (len as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc32c(&length).to_le_bytes());
    fill(out);
    out.extend_from_slice(&[0; FOOTER_LEN]);
}

/// Fills in the payloads' checksums of the records that `records` consists of.
///
/// Done for many at once, behind their writing: a checksum that reads bytes just written, by smaller
/// stores than its own loads, waits for each of them.
pub(crate) fn seal(mut records: &mut [u8]) {
    while let Some((length, rest)) = records.split_first_chunk_mut::<8>() {
        let len = u64::from_le_bytes(*length) as usize;
        let Some((record, behind)) = rest.split_at_mut_checked(len + HEADER_LEN - 8 + FOOTER_LEN)
        else {
            return;
        };
        let (payload, footer) = record[HEADER_LEN - 8..].split_at_mut(len);
        footer.copy_from_slice(&masked_crc32c(payload).to_le_bytes());
        records = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_records_equal_those_appended_whole() {
        let (mut whole, mut sealed) = (Vec::new(), Vec::new());
        for payload in [&b"one"[..], b"", &[7; 3000], b"four"] {
            append_record(&mut whole, payload);
            append_unsealed(&mut sealed, payload.len(), |out| {
                out.extend_from_slice(payload)
            });
        }
        seal(&mut sealed);
        assert_eq!(sealed, whole);
    }
}
