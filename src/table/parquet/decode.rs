//! Stored values to columns.
//!
//! Parquet stores no value for a null: a level says of each row whether there is one.

use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use ::parquet::errors::ParquetError;

use super::super::{Column, Strings, Values};
use super::{Lists, Meaning, Unit, Wrong};

/// The next `rows` rows of a column; of one of lists, all items of so many lists, one list behind the other.
pub(super) fn column(
    reader: &mut ColumnReader,
    meaning: Meaning,
    max_def: i16,
    lists: Option<Lists>,
    rows: usize,
) -> Result<Column, Wrong> {
    let stored = Request {
        max_def,
        lists,
        rows,
    };
    match reader {
        ColumnReader::BoolColumnReader(reader) => stored.column(reader, Values::Bool),
        ColumnReader::DoubleColumnReader(reader) => stored.column(reader, Values::Float),
        ColumnReader::FloatColumnReader(reader) => stored.column(reader, |values| {
            Values::Float(values.into_iter().map(f64::from).collect())
        }),
        ColumnReader::Int32ColumnReader(reader) => stored.column(reader, |values: Vec<i32>| {
            let wide = values.into_iter();
            match meaning {
                Meaning::Unsigned => Values::Int(wide.map(|it| i64::from(it as u32)).collect()),
                _ => integers(wide.map(i64::from).collect(), meaning),
            }
        }),
        ColumnReader::Int64ColumnReader(reader) => {
            let (values, nulls) = stored.read(reader)?;
            if let (Meaning::Unsigned, Some(row)) = (meaning, values.iter().position(|&it| it < 0))
            {
                let value = (values[row] as u64).to_string();
                return Err(Wrong::Misfit(stored.row(row), value));
            }
            Ok(Column::new(integers(values, meaning), nulls))
        }
        ColumnReader::Int96ColumnReader(reader) => stored.column(reader, |values: Vec<Int96>| {
            Values::Timestamp(values.iter().map(Int96::to_micros).collect())
        }),
        ColumnReader::ByteArrayColumnReader(reader) => {
            let (values, nulls) = stored.read(reader)?;
            let values = match meaning {
                Meaning::Decimal(scale) => {
                    Values::Float(values.iter().map(|it| decimal(it.data(), scale)).collect())
                }
                _ => {
                    let mut texts = Strings::default();
                    for (row, value) in values.iter().enumerate() {
                        let text = std::str::from_utf8(value.data());
                        texts.push(text.map_err(|_| {
                            let value = String::from_utf8_lossy(value.data()).into_owned();
                            Wrong::Misfit(row, value)
                        })?);
                    }
                    Values::Text(texts)
                }
            };
            Ok(Column::new(values, nulls))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            stored.column(reader, |values: Vec<FixedLenByteArray>| match meaning {
                Meaning::Half => Values::Float(values.iter().map(|it| half(it.data())).collect()),
                Meaning::Decimal(scale) => {
                    Values::Float(values.iter().map(|it| decimal(it.data(), scale)).collect())
                }
                _ => {
                    let mut texts = Strings::default();
                    for value in &values {
                        texts.push(&uuid(value.data()));
                    }
                    Values::Text(texts)
                }
            })
        }
    }
}

/// Values, and which of them are null; `None` where none is.
type Stored<T> = (Vec<T>, Option<Vec<bool>>);

struct Request {
    max_def: i16,
    lists: Option<Lists>,
    rows: usize,
}

impl Request {
    /// The row of value number `at`.
    fn row(&self, at: usize) -> usize {
        at / self.lists.map_or(1, |lists| lists.items)
    }

    fn column<T: DataType>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        values: impl FnOnce(Vec<T::T>) -> Values,
    ) -> Result<Column, Wrong>
    where
        T::T: Placeholder,
    {
        let (stored, nulls) = self.read(reader)?;
        Ok(Column::new(values(stored), nulls))
    }

    /// One value a row, or so many as each list has; a placeholder where there is none.
    fn read<T: DataType>(&self, reader: &mut ColumnReaderImpl<T>) -> Result<Stored<T::T>, Wrong>
    where
        T::T: Placeholder,
    {
        let (mut values, mut levels) = (Vec::with_capacity(self.rows), Vec::new());
        let (mut begins, mut rows) = (Vec::new(), 0);
        while rows < self.rows {
            let want_levels = (self.max_def > 0).then_some(&mut levels);
            let want_begins = self.lists.map(|_| &mut begins);
            let (read, _, _) =
                reader.read_records(self.rows - rows, want_levels, want_begins, &mut values)?;
            if read == 0 {
                let reason = format!("a column ends {} rows early", self.rows - rows);
                return Err(ParquetError::EOF(reason).into());
            }
            rows += read;
        }
        let (levels, expected) = match self.lists {
            Some(lists) => (lists.whole(&levels, &begins)?, rows * lists.items),
            None => (levels, rows),
        };
        if values.len() == expected {
            return Ok((values, None));
        }
        let nulls: Vec<bool> = levels.iter().map(|&level| level < self.max_def).collect();
        let stored = nulls.iter().filter(|&&null| !null).count();
        if nulls.len() != expected || stored != values.len() {
            let reason = "a column has more or fewer values than its levels say".to_owned();
            return Err(ParquetError::General(reason).into());
        }
        let mut stored = values.into_iter();
        let spread = nulls.iter().map(|&null| {
            let value = if null { None } else { stored.next() };
            value.unwrap_or_else(T::T::placeholder)
        });
        Ok((spread.collect(), Some(nulls)))
    }
}

/// What stands where a value is null.
trait Placeholder {
    fn placeholder() -> Self;
}

macro_rules! placeholders {
    ($($stored:ty => $value:expr),* $(,)?) => {$(
        impl Placeholder for $stored {
            fn placeholder() -> Self {
                $value
            }
        }
    )*};
}

placeholders! {
    bool => false,
    i32 => 0,
    i64 => 0,
    f32 => f32::NAN,
    f64 => f64::NAN,
    Int96 => Self::new(),
    ByteArray => Self::from(Vec::new()),
    FixedLenByteArray => Self::from(ByteArray::from(Vec::new())),
}

fn integers(values: Vec<i64>, meaning: Meaning) -> Values {
    const DAY: i64 = 86_400_000_000;
    let times = |micros: fn(i64) -> i64| values.iter().map(|&it| micros(it)).collect();
    match meaning {
        Meaning::Date => Values::Timestamp(times(|days| days.saturating_mul(DAY))),
        Meaning::Timestamp(Unit::Millis) => Values::Timestamp(times(|it| it.saturating_mul(1000))),
        Meaning::Timestamp(Unit::Nanos) => Values::Timestamp(times(|it| it.div_euclid(1000))),
        Meaning::Timestamp(Unit::Micros) => Values::Timestamp(values),
        Meaning::Decimal(scale) => {
            let unit = 10f64.powi(scale);
            Values::Float(values.iter().map(|&it| it as f64 / unit).collect())
        }
        _ => Values::Int(values),
    }
}

/// A whole number of units, two's complement, the highest byte first; NaN, as a null, of no bytes.
fn decimal(bytes: &[u8], scale: i32) -> f64 {
    let Some(&first) = bytes.first() else {
        return f64::NAN;
    };
    let start = if first < 0x80 { 0.0 } else { -1.0 };
    let units = bytes
        .iter()
        .fold(start, |sum: f64, &byte| sum.mul_add(256.0, f64::from(byte)));
    units / 10f64.powi(scale)
}

/// [IEEE 754 binary16](https://en.wikipedia.org/wiki/Half-precision_floating-point_format), the lowest byte first.
fn half(bytes: &[u8]) -> f64 {
    let &[low, high] = bytes else {
        return f64::NAN;
    };
    let bits = u16::from_le_bytes([low, high]);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match (bits >> 10) & 0x1f {
        0 => fraction * 2f64.powi(-14),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    };
    if bits < 0x8000 { magnitude } else { -magnitude }
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_and_decimals_are_numbers() {
        let of = |bits: u16| half(&bits.to_le_bytes());
        assert_eq!(
            (of(0x3c00), of(0xc000), of(0x3555)),
            (1.0, -2.0, 0.333251953125)
        );
        assert_eq!(
            (of(0x0001), of(0xfc00)),
            (2f64.powi(-24), f64::NEG_INFINITY)
        );
        assert!(of(0x7e00).is_nan());
        assert_eq!(decimal(&[0x01, 0x00], 2), 2.56);
        assert_eq!(decimal(&[0xff, 0xfe], 1), -0.2);
    }
}
