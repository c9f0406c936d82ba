//! CRC-32C (Castagnoli), as RFC 3720 defines it, and the masked form that TFRecord stores.
//!
//! Every path, hardware or table, gives the same value.
//!
//! A scalar's record is about 50 bytes. There the instruction used inline costs half of what a call
//! into the `crc32c` crate does; from [`INLINE_BELOW`] bytes on the crate's interleaved streams win.

/// TFRecord stores checksums masked, so that the checksum of data that holds checksums stays sound:
/// rotated right by 15 bits, plus a constant.
#[inline]
pub fn masked_crc32c(data: &[u8]) -> u32 {
    mask(crc32c(data))
}

#[inline]
pub(super) fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The CRC-32C of `data`.
///
/// ```
/// assert_eq!(modelpulse::record::crc32c(b"123456789"), 0xe306_9283);
/// ```
#[inline]
pub fn crc32c(data: &[u8]) -> u32 {
    if data.len() >= INLINE_BELOW {
        return crc32c::crc32c(data);
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        #[allow(
            unsafe_code,
            reason = "the CRC32 instruction; twice the speed of the crate at 64 bytes"
        )]
        // SAFETY: the processor was just seen to have SSE 4.2, all that `hardware` requires.
        return unsafe { hardware(data) };
    }
    software(data)
}

/// The CRC-32C of bytes, from that of the `len` bytes themselves with others before them, and that of
/// those others.
pub(super) fn without_prefix(whole: u32, prefix: u32, len: usize) -> u32 {
    // A checksum is linear: zero bytes behind the prefix move its checksum to where the sum has it.
    let mut moved = prefix;
    for (bit, zeros) in ZEROS.iter().enumerate() {
        if len >> bit & 1 == 1 {
            moved = apply(zeros, moved);
        }
    }
    whole ^ moved
}

/// What 2ⁿ zero bytes do to each bit of a checksum.
static ZEROS: [[u32; 32]; usize::BITS as usize] = {
    let mut zeros = [[0; 32]; usize::BITS as usize];
    let mut bit = 0;
    while bit < 32 {
        let crc: u32 = 1 << bit;
        zeros[0][bit] = (crc >> 8) ^ TABLE[(crc & 0xff) as usize];
        bit += 1;
    }
    let mut power = 1;
    while power < zeros.len() {
        let mut bit = 0;
        while bit < 32 {
            zeros[power][bit] = apply(&zeros[power - 1], zeros[power - 1][bit]);
            bit += 1;
        }
        power += 1;
    }
    zeros
};

const fn apply(matrix: &[u32; 32], crc: u32) -> u32 {
    let (mut sum, mut rest) = (0, crc);
    while rest != 0 {
        sum ^= matrix[rest.trailing_zeros() as usize];
        rest &= rest - 1;
    }
    sum
}

/// Where the crate's three interleaved streams begin to pay for the call.
const INLINE_BELOW: usize = 512;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse4.2")]
#[inline]
fn hardware(data: &[u8]) -> u32 {
    use std::arch::x86_64::{_mm_crc32_u8, _mm_crc32_u32, _mm_crc32_u64};
    let (words, rest) = data.as_chunks::<8>();
    let mut crc = u64::from(!0_u32);
    for word in words {
        crc = _mm_crc32_u64(crc, u64::from_le_bytes(*word));
    }
    let mut crc = crc as u32;
    let (words, rest) = rest.as_chunks::<4>();
    for word in words {
        crc = _mm_crc32_u32(crc, u32::from_le_bytes(*word));
    }
    for &byte in rest {
        crc = _mm_crc32_u8(crc, byte);
    }
    !crc
}

fn software(data: &[u8]) -> u32 {
    let step = |crc: u32, &byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)];
    !data.iter().fold(!0, step)
}

/// The CRC of each byte, by the reflected polynomial 0x82f63b78.
static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_rfc_3720_come_out() {
        let ascending: Vec<u8> = (0..32).collect();
        for (data, crc) in [
            (&b"123456789"[..], 0xe306_9283),
            (&[0; 32], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
            (&[], 0),
        ] {
            assert_eq!(crc32c(data), crc);
            assert_eq!(software(data), crc);
        }
    }

    #[test]
    fn a_checksum_comes_out_of_that_of_more_bytes() {
        let data: Vec<u8> = (0..9000_u32).map(|i| ((i * i) >> 5) as u8).collect();
        for (start, end) in [(0, 0), (1, 2), (5, 8999), (4096, 4099), (7, 4103)] {
            let (prefix, whole) = (crc32c(&data[..start]), crc32c(&data[..end]));
            let part = without_prefix(whole, prefix, end - start);
            assert_eq!(part, crc32c(&data[start..end]), "{start}..{end}");
        }
    }

    #[test]
    fn hardware_software_and_the_crate_agree_at_every_length() {
        let data: Vec<u8> = (0..2048_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for len in (0..1100).chain([2047, 2048]) {
            let data = &data[..len];
            let expected = crc32c::crc32c(data);
            assert_eq!(crc32c(data), expected, "at {len} bytes");
            assert_eq!(software(data), expected, "in software at {len} bytes");
        }
    }
}
