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
    out.reserve(payload.len() + HEADER_LEN + FOOTER_LEN);
    begin_record(out, payload.len());
    out.extend_from_slice(payload);
    end_record(out, payload.len());
}

/// Appends the header of a record whose payload of `len` bytes follows.
#[inline]
pub(crate) fn begin_record(out: &mut Vec<u8>, len: usize) {
    let length = (len as u64).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&masked_crc32c(&length).to_le_bytes());
}

/// Appends the footer behind a payload: the last `len` bytes of `out`.
#[inline]
pub(crate) fn end_record(out: &mut Vec<u8>, len: usize) {
    let crc = masked_crc32c(&out[out.len() - len..]);
    out.extend_from_slice(&crc.to_le_bytes());
}
