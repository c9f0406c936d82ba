//! A tensor where it lies: its shape, whether its elements are as many, and its number if it is one.

use super::fields::{Datum, Fields, frame, texts};
use super::{Read, Unusual};
use crate::proto::DataType;
use crate::summary::{FILL_LIMIT, STRING_FILL_LIMIT, number, storage};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::log::reader) struct Tensor<'a> {
    bytes: &'a [u8],
    content: &'a [u8],
    dtype: i32,
    rank: usize,
    /// The product of the sizes; `None` where there is none.
    elements: Option<usize>,
}

/// A number that a tensor of rank 0 holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::log::reader) enum Number {
    Single(f32),
    Double(f64),
}

impl<'a> Tensor<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Read<Self> {
        let mut tensor = Self {
            bytes,
            content: &[],
            dtype: 0,
            rank: 0,
            elements: Some(1),
        };
        // The kinds of all fields, by their numbers.
        frame(bytes, b"\0vmvbFDVbFVVDV\0\0VVb")?;
        let (mut fields, mut shaped) = (Fields(bytes), false);
        while let Some((number, datum)) = fields.next()? {
            match (number, datum) {
                (1, Datum::Varint(dtype)) => tensor.dtype = dtype as i32,
                (2, Datum::Bytes(bytes)) if !shaped => {
                    (tensor.rank, tensor.elements) = shape(bytes)?;
                    shaped = true;
                }
                (2, _) => return Err(Unusual),
                (4, Datum::Bytes(bytes)) => tensor.content = bytes,
                _ => {}
            }
        }
        Ok(tensor)
    }

    fn dtype(&self) -> DataType {
        DataType::try_from(self.dtype).unwrap_or_default()
    }

    /// The elements that are listed in the field for the type: how many, and the first.
    fn listed(&self, field: u32) -> Read<(usize, u64)> {
        let (mut count, mut first) = (0, None);
        let mut fields = Fields(self.bytes);
        while let Some((number, datum)) = fields.next()? {
            if number != field {
                continue;
            }
            let mut add = |bits: u64| {
                first.get_or_insert(bits);
                count += 1;
            };
            match (field, datum) {
                (8, _) => add(0),
                (_, Datum::Varint(bits)) => add(bits),
                (_, Datum::Eight(bytes)) => add(u64::from_le_bytes(bytes)),
                (_, Datum::Four(bytes)) => add(u32::from_le_bytes(bytes).into()),
                (5 | 9, Datum::Bytes(packed)) => {
                    let (elements, _) = packed.as_chunks();
                    elements
                        .iter()
                        .for_each(|&bytes| add(u32::from_le_bytes(bytes).into()));
                }
                (6 | 12, Datum::Bytes(packed)) => {
                    let (elements, _) = packed.as_chunks();
                    elements
                        .iter()
                        .for_each(|&bytes| add(u64::from_le_bytes(bytes)));
                }
                (_, Datum::Bytes(packed)) => {
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        add(packed.varint()?);
                    }
                }
            }
        }
        Ok((count, first.unwrap_or(0)))
    }

    /// The number of a tensor of rank 0; `None` where it has another rank, holds none, or is none.
    pub(in crate::log::reader) fn number(&self) -> Option<Number> {
        if self.rank != 0 || self.elements != Some(1) {
            return None;
        }
        let (size, field) = storage(self.dtype())?;
        let bits = match self.content {
            [] => match self.listed(field) {
                Ok((1, bits)) => bits,
                _ => return None,
            },
            content if content.len() == size && size <= 8 => {
                let mut bytes = [0; 8];
                bytes[..size].copy_from_slice(content);
                u64::from_le_bytes(bytes)
            }
            _ => return None,
        };
        match self.dtype() {
            DataType::DtFloat => Some(Number::Single(f32::from_bits(bits as u32))),
            dtype => number(dtype, bits).map(Number::Double),
        }
    }

    /// Whether there are as many elements as the shape says; true where that cannot be known.
    pub(in crate::log::reader) fn has_its_shape(&self) -> bool {
        let Some(expected) = self.elements else {
            return false;
        };
        let (size, field) = match storage(self.dtype()) {
            Some(storage) => storage,
            None if self.dtype() == DataType::DtString => (0, 8),
            None => return true,
        };
        if !self.content.is_empty() {
            return expected.checked_mul(size) == Some(self.content.len());
        }
        let limit = if size == 0 {
            STRING_FILL_LIMIT
        } else {
            FILL_LIMIT
        };
        let parts = if matches!(field, 9 | 12) { 2 } else { 1 };
        let Ok((listed, _)) = self.listed(field) else {
            return false;
        };
        listed == expected.saturating_mul(parts) || (listed == parts && expected <= limit)
    }
}

/// The rank and the number of elements of a shape.
fn shape(bytes: &[u8]) -> Read<(usize, Option<usize>)> {
    let (mut rank, mut elements, mut empty, mut known) = (0, Some(1_usize), false, true);
    let mut fields = Fields(bytes);
    while let Some((number, datum)) = fields.next()? {
        match (number, datum) {
            (2, Datum::Bytes(dim)) => {
                let size = texts(dim, &[2], &[1])? as i64;
                rank += 1;
                empty |= size == 0;
                known &= size >= 0;
                let size = usize::try_from(size).ok();
                elements = elements.zip(size).and_then(|(n, size)| n.checked_mul(size));
            }
            (3, Datum::Varint(unknown)) => known &= unknown == 0,
            (2 | 3, _) => return Err(Unusual),
            _ => {}
        }
    }
    Ok(match (known, empty) {
        (false, _) => (rank, None),
        // A size of 0 makes any other size harmless.
        (true, true) => (rank, Some(0)),
        (true, false) => (rank, elements),
    })
}
