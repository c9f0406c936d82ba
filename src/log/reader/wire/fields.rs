//! The fields of a message, one by one, and the frame of messages that nothing more is asked of.

use super::{Read, Unusual};

/// The fields of a message.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

#[derive(Debug, Clone, Copy)]
pub(super) enum Datum<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

impl<'a> Fields<'a> {
    /// The next field's number, and what it holds.
    #[inline]
    pub(super) fn next(&mut self) -> Read<Option<(u32, Datum<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| Unusual)?;
        let datum = match key & 7 {
            0 => Datum::Varint(self.varint()?),
            1 => Datum::Eight(*self.array()?),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| Unusual)?;
                let (bytes, rest) = self.0.split_at_checked(len).ok_or(Unusual)?;
                self.0 = rest;
                Datum::Bytes(bytes)
            }
            5 => Datum::Four(*self.array()?),
            _ => return Err(Unusual),
        };
        match key >> 3 {
            0 => Err(Unusual),
            number => Ok(Some((number, datum))),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Unusual)?;
        self.0 = rest;
        Ok(array)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Read<u64> {
        match self.0 {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Read<u64> {
        let mut value = 0;
        for (index, &byte) in self.0.iter().take(10).enumerate() {
            // The tenth byte holds the one bit that is left.
            if index == 9 && byte > 1 {
                return Err(Unusual);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        Err(Unusual)
    }
}

/// A message of these strings and varints; the last varint.
pub(super) fn texts(bytes: &[u8], strings: &[u32], varints: &[u32]) -> Read<u64> {
    let (mut fields, mut last) = (Fields(bytes), 0);
    while let Some((number, datum)) = fields.next()? {
        match datum {
            Datum::Bytes(bytes) if strings.contains(&number) => drop(text(bytes)?),
            Datum::Varint(varint) if varints.contains(&number) => last = varint,
            _ if strings.contains(&number) || varints.contains(&number) => return Err(Unusual),
            _ => {}
        }
    }
    Ok(last)
}

/// Checks that each field is of the kind that `kinds` has at its number: `v` a varint, `4` and `8` as
/// many bytes, `b` bytes, `s` a string, `m` a message; `F`, `D`, `V` four bytes, eight bytes or varints, one
/// by one or packed. Others are passed over.
pub(super) fn frame(bytes: &[u8], kinds: &[u8]) -> Read<()> {
    let mut fields = Fields(bytes);
    while let Some((number, datum)) = fields.next()? {
        let kind = kinds.get(number as usize).copied().unwrap_or(0);
        match (kind, datum) {
            (b'v' | b'V', Datum::Varint(_)) => {}
            (b'4' | b'F', Datum::Four(_)) => {}
            (b'8' | b'D', Datum::Eight(_)) => {}
            (b'b' | b'm', Datum::Bytes(_)) => {}
            (b's', Datum::Bytes(bytes)) => drop(text(bytes)?),
            (b'F', Datum::Bytes(packed)) if packed.len().is_multiple_of(4) => {}
            (b'D', Datum::Bytes(packed)) if packed.len().is_multiple_of(8) => {}
            (b'V', Datum::Bytes(packed)) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    packed.varint()?;
                }
            }
            (0, _) => {}
            _ => return Err(Unusual),
        }
    }
    Ok(())
}

pub(super) fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| Unusual)
}
