//! The messages of an event file, read where they lie: nothing is copied, and of pictures and tensors
//! only the frame is looked at.
//!
//! Reads what writers really write. Where a message is anything else (broken, or merged from parts), it
//! is [`Unusual`], and the generated code decides; so a message read here has the meaning it has there.
//! Wire format: <https://protobuf.dev/programming-guides/encoding/>.

mod fields;
mod tensor;

use fields::{Datum, Fields, frame, text, texts};

pub(super) use tensor::{Number, Tensor};

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

/// An event of one number and nothing else, as nearly all of a log are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Simple<'a> {
    pub(super) wall_time: f64,
    pub(super) step: i64,
    /// Not checked to be UTF-8.
    pub(super) tag: &'a [u8],
    pub(super) number: f32,
}

impl<'a> Simple<'a> {
    /// Reads such an event whose fields come in the order of their numbers, without a look at what else there might
    /// be: a third of the time that [`Event::read`] takes. `None` for all else.
    #[inline(always)]
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let [0x09, bytes @ ..] = bytes else {
            return None;
        };
        let (wall_time, bytes) = bytes.split_first_chunk()?;
        let (step, bytes) = match bytes {
            [0x10, bytes @ ..] => short_varint(bytes)?,
            bytes => (0, bytes),
        };
        let value = rest_of(0x0a, rest_of(0x2a, bytes)?)?;
        let (value, number) = value.split_last_chunk()?;
        let (value, [0x15]) = value.split_last_chunk()? else {
            return None;
        };
        Some(Self {
            wall_time: f64::from_le_bytes(*wall_time),
            step: step as i64,
            tag: rest_of(0x0a, value)?,
            number: f32::from_le_bytes(*number),
        })
    }
}

/// What the field with this key holds, if nothing stands behind it.
#[inline(always)]
fn rest_of(key: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (first, rest) = bytes.split_first()?;
    let (len, rest) = short_varint(rest)?;
    (*first == key && len == rest.len() as u64).then_some(rest)
}

/// A varint of up to five bytes, and what follows.
#[inline(always)]
fn short_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for index in 0..5 {
        let byte = *bytes.get(index)?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
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
