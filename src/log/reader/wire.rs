//! The messages of an event file, read where they lie: nothing is copied, and of pictures and tensors
//! only the frame is looked at.
//!
//! Reads what writers really write. Where a message is anything else (broken, or merged from parts), it
//! is [`Unusual`], and the generated code decides; so a message read here has the meaning it has there.
//! Wire format: <https://protobuf.dev/programming-guides/encoding/>.

use crate::proto::DataType;
use crate::summary::{FILL_LIMIT, STRING_FILL_LIMIT, number, storage};

/// Not a message that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusual;

type Read<T> = Result<T, Unusual>;

/// An event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event<'a> {
    pub(super) wall_time: f64,
    pub(super) step: i64,
    pub(super) what: What<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What<'a> {
    Nothing,
    FileVersion(&'a str),
    Graph,
    RunMetadata {
        tag: &'a str,
    },
    Session {
        status: i32,
    },
    Summary(Summary<'a>),
    /// A log message or a meta graph: no page shows them.
    Unseen,
}

/// A summary, whose values are read one by one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary<'a>(&'a [u8]);

/// A value of a summary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value<'a> {
    /// Checked to be UTF-8 by [`Value::tag`] only, for most are known by their bytes.
    pub(super) tag: &'a [u8],
    pub(super) node_name: &'a str,
    pub(super) metadata: Option<Metadata<'a>>,
    pub(super) field: Field<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Metadata<'a> {
    pub(super) plugin: &'a str,
    pub(super) data_class: i32,
}

/// Which kind a value is of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    Nothing,
    Simple(f32),
    Histogram,
    Image,
    Audio,
    Tensor(Tensor<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tensor<'a> {
    bytes: &'a [u8],
    content: &'a [u8],
    dtype: i32,
    rank: usize,
    /// The product of the sizes; `None` where there is none.
    elements: Option<usize>,
}

/// A number that a tensor of rank 0 holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Single(f32),
    Double(f64),
}

impl<'a> Event<'a> {
    /// Reads an event; its summary's values are still to be read.
    #[inline]
    pub(super) fn read(bytes: &'a [u8]) -> Read<Self> {
        let mut event = Self {
            wall_time: 0.0,
            step: 0,
            what: What::Nothing,
        };
        let mut fields = Fields(bytes);
        while let Some((number, datum)) = fields.next()? {
            let what = match (number, datum) {
                (1, Datum::Eight(bytes)) => {
                    event.wall_time = f64::from_le_bytes(bytes);
                    continue;
                }
                (2, Datum::Varint(step)) => {
                    event.step = step as i64;
                    continue;
                }
                (5, Datum::Bytes(bytes)) => What::Summary(Summary(bytes)),
                (3, Datum::Bytes(bytes)) => What::FileVersion(text(bytes)?),
                (4, Datum::Bytes(_)) => What::Graph,
                (6, Datum::Bytes(bytes)) => {
                    texts(bytes, &[2], &[1])?;
                    What::Unseen
                }
                (7, Datum::Bytes(bytes)) => What::Session {
                    status: texts(bytes, &[2, 3], &[1])? as i32,
                },
                (8, Datum::Bytes(bytes)) => What::RunMetadata {
                    tag: run_metadata(bytes)?,
                },
                (9, Datum::Bytes(_)) => What::Unseen,
                (10, Datum::Bytes(bytes)) => {
                    texts(bytes, &[1], &[])?;
                    continue;
                }
                (1..=10, _) => return Err(Unusual),
                _ => continue,
            };
            if event.what != What::Nothing {
                return Err(Unusual);
            }
            event.what = what;
        }
        Ok(event)
    }
}

impl<'a> Summary<'a> {
    /// The only value, or `None` where there are none or several.
    #[inline]
    pub(super) fn single(self) -> Read<Option<Value<'a>>> {
        let mut fields = Fields(self.0);
        match fields.next()? {
            Some((1, Datum::Bytes(bytes))) if fields.0.is_empty() => Value::read(bytes).map(Some),
            _ => Ok(None),
        }
    }

    /// Calls `each` with each value, in their order.
    pub(super) fn each(self, mut each: impl FnMut(Value<'a>) -> Read<()>) -> Read<()> {
        let mut fields = Fields(self.0);
        while let Some((number, datum)) = fields.next()? {
            match (number, datum) {
                (1, Datum::Bytes(bytes)) => each(Value::read(bytes)?)?,
                (1, _) => return Err(Unusual),
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'a> Value<'a> {
    #[inline]
    fn read(bytes: &'a [u8]) -> Read<Self> {
        let mut value = Self {
            tag: &[],
            node_name: "",
            metadata: None,
            field: Field::Nothing,
        };
        let mut fields = Fields(bytes);
        while let Some((number, datum)) = fields.next()? {
            let field = match (number, datum) {
                // A tag that another one replaces must be text all the same.
                (1, Datum::Bytes(bytes)) if value.tag.is_empty() => {
                    value.tag = bytes;
                    continue;
                }
                (2, Datum::Four(bytes)) => Field::Simple(f32::from_le_bytes(bytes)),
                (7, Datum::Bytes(bytes)) => {
                    value.node_name = text(bytes)?;
                    continue;
                }
                (9, Datum::Bytes(bytes)) if value.metadata.is_none() => {
                    value.metadata = Some(metadata(bytes)?);
                    continue;
                }
                (4, Datum::Bytes(bytes)) => {
                    frame(bytes, b"\0vvvb")?;
                    Field::Image
                }
                (5, Datum::Bytes(bytes)) => {
                    frame(bytes, b"\x0088888DD")?;
                    Field::Histogram
                }
                (6, Datum::Bytes(bytes)) => {
                    frame(bytes, b"\x004vvbs")?;
                    Field::Audio
                }
                (8, Datum::Bytes(bytes)) => Field::Tensor(Tensor::read(bytes)?),
                (1..=2 | 4..=9, _) => return Err(Unusual),
                _ => continue,
            };
            if value.field != Field::Nothing {
                return Err(Unusual);
            }
            value.field = field;
        }
        Ok(value)
    }

    /// The tag as text.
    pub(super) fn tag(&self) -> Read<&'a str> {
        text(self.tag)
    }
}

impl<'a> Tensor<'a> {
    fn read(bytes: &'a [u8]) -> Read<Self> {
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
    pub(super) fn number(&self) -> Option<Number> {
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
    pub(super) fn has_its_shape(&self) -> bool {
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

fn metadata(bytes: &[u8]) -> Read<Metadata<'_>> {
    let mut metadata = Metadata {
        plugin: "",
        data_class: 0,
    };
    let (mut fields, mut named) = (Fields(bytes), false);
    while let Some((number, datum)) = fields.next()? {
        match (number, datum) {
            (1, Datum::Bytes(data)) if !named => {
                named = true;
                frame(data, b"\0sb")?;
                let mut data = Fields(data);
                while let Some((number, datum)) = data.next()? {
                    if let (1, Datum::Bytes(name)) = (number, datum) {
                        metadata.plugin = text(name)?;
                    }
                }
            }
            (2 | 3, Datum::Bytes(bytes)) => drop(text(bytes)?),
            (4, Datum::Varint(class)) => metadata.data_class = class as i32,
            (1..=4, _) => return Err(Unusual),
            _ => {}
        }
    }
    Ok(metadata)
}

fn run_metadata(bytes: &[u8]) -> Read<&str> {
    frame(bytes, b"\0sb")?;
    let (mut fields, mut tag) = (Fields(bytes), "");
    while let Some((number, datum)) = fields.next()? {
        if let (1, Datum::Bytes(bytes)) = (number, datum) {
            tag = text(bytes)?;
        }
    }
    Ok(tag)
}

/// A message of these strings and varints; the last varint.
fn texts(bytes: &[u8], strings: &[u32], varints: &[u32]) -> Read<u64> {
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
fn frame(bytes: &[u8], kinds: &[u8]) -> Read<()> {
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

fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| Unusual)
}

/// The fields of a message.
struct Fields<'a>(&'a [u8]);

#[derive(Debug, Clone, Copy)]
enum Datum<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

impl<'a> Fields<'a> {
    /// The next field's number, and what it holds.
    #[inline]
    fn next(&mut self) -> Read<Option<(u32, Datum<'a>)>> {
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
    fn varint(&mut self) -> Read<u64> {
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
