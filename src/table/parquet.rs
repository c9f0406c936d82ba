//! Tables in [Apache Parquet][1], read column by column, a page in memory at a time.
//!
//! Columns within structs are named `outer.inner`. Lists and maps hold no one value a row and are left out, as is what
//! no text or number stands for (intervals, geometries).
//!
//! [1]: https://parquet.apache.org/docs/file-format/

mod cast;
mod decode;

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::column::reader::ColumnReader;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;

use super::source::{Wanted, open_error};
use super::{Batch, Column, Field, Kind, Schema, TableError};

/// What the stored values of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Bool,
    Int,
    /// Stored as if it were signed.
    Unsigned,
    Float,
    Half,
    /// A whole number of units of 10 to the minus this.
    Decimal(i32),
    /// Days since 1970.
    Date,
    Timestamp(Unit),
    Text,
    Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl Meaning {
    fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int | Self::Unsigned => Kind::Int,
            Self::Float | Self::Half | Self::Decimal(_) => Kind::Float,
            Self::Date | Self::Timestamp(_) => Kind::Timestamp,
            Self::Text | Self::Uuid => Kind::Text,
        }
    }
}

/// `None` where a row has no one value, or one that is neither text nor number.
fn meaning(column: &ColumnDescriptor) -> Option<Meaning> {
    if column.max_rep_level() > 0 {
        return None;
    }
    let (logical, converted) = (column.logical_type_ref(), column.converted_type());
    Some(match column.physical_type() {
        Type::BOOLEAN => Meaning::Bool,
        Type::FLOAT | Type::DOUBLE => Meaning::Float,
        Type::INT96 => Meaning::Timestamp(Unit::Micros),
        Type::INT32 | Type::INT64 => match (logical, converted) {
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Meaning::Date,
            (Some(LogicalType::Timestamp(time)), _) => Meaning::Timestamp(match time.unit {
                TimeUnit::MILLIS => Unit::Millis,
                TimeUnit::MICROS => Unit::Micros,
                TimeUnit::NANOS => Unit::Nanos,
            }),
            (_, ConvertedType::TIMESTAMP_MILLIS) => Meaning::Timestamp(Unit::Millis),
            (_, ConvertedType::TIMESTAMP_MICROS) => Meaning::Timestamp(Unit::Micros),
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => {
                Meaning::Decimal(column.type_scale())
            }
            (Some(LogicalType::Integer(int)), _) if !int.is_signed => Meaning::Unsigned,
            (
                _,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => Meaning::Unsigned,
            _ => Meaning::Int,
        },
        Type::BYTE_ARRAY => match (logical, converted) {
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => {
                Meaning::Decimal(column.type_scale())
            }
            (
                None
                | Some(
                    LogicalType::String
                    | LogicalType::Enum
                    | LogicalType::Json
                    | LogicalType::Unknown,
                ),
                _,
            ) => Meaning::Text,
            _ => return None,
        },
        Type::FIXED_LEN_BYTE_ARRAY => match (logical, converted) {
            (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL) => {
                Meaning::Decimal(column.type_scale())
            }
            (Some(LogicalType::Float16), _) => Meaning::Half,
            (Some(LogicalType::Uuid), _) => Meaning::Uuid,
            _ => return None,
        },
    })
}

/// The columns that can be read: number in the file, name, meaning.
fn leaves(reader: &SerializedFileReader<File>) -> Vec<(usize, String, Meaning)> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = schema.columns().iter().enumerate();
    let columns = columns.filter_map(|(at, column)| {
        let name = column.path().parts().join(".");
        Some((at, name, meaning(column)?))
    });
    columns.collect()
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, TableError> {
    let file = File::open(path).map_err(|source| open_error(path, source))?;
    let length = file
        .metadata()
        .map_err(|source| open_error(path, source))?
        .len();
    let reader = SerializedFileReader::new(file).map_err(|error| malformed(path, &error))?;
    if reader
        .metadata()
        .row_groups()
        .iter()
        .all(|group| is_within(group, length))
    {
        Ok(reader)
    } else {
        let reason = "its footer points outside of the file".to_owned();
        Err(malformed(path, &ParquetError::General(reason)))
    }
}

/// Whether all columns of a row group lie within the file, and its rows can be counted.
fn is_within(group: &RowGroupMetaData, length: u64) -> bool {
    let number = |it: i64| u64::try_from(it).ok();
    let column = |column: &ColumnChunkMetaData| {
        let start = match column.dictionary_page_offset() {
            Some(offset) => number(offset)?.min(number(column.data_page_offset())?),
            None => number(column.data_page_offset())?,
        };
        let end = start.checked_add(number(column.compressed_size())?)?;
        (number(column.num_values()).is_some() && end <= length).then_some(())
    };
    number(group.num_rows()).is_some() && group.columns().iter().all(|it| column(it).is_some())
}

/// The columns, and the number of rows.
pub(super) fn schema(path: &Path) -> Result<(Schema, u64), TableError> {
    let reader = open(path)?;
    let rows = reader.metadata().file_metadata().num_rows();
    let fields = leaves(&reader).into_iter();
    let fields = fields.map(|(_, name, meaning)| Field::new(name, meaning.kind()));
    Ok((fields.collect(), u64::try_from(rows).unwrap_or(0)))
}

/// A column that is read, and how.
struct Leaf {
    /// Its number in the file.
    at: usize,
    meaning: Meaning,
    max_def: i16,
    wanted: Wanted,
}

/// Reads batches; none spans two row groups.
pub(super) struct Rows {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    leaves: Vec<Leaf>,
    /// The columns of the row group that is being read.
    open: Vec<ColumnReader>,
    /// How many of its rows are left.
    left: u64,
    next_group: usize,
    batch_rows: usize,
    row: u64,
}

impl Rows {
    pub(super) fn new(
        path: &Path,
        wanted: Vec<Wanted>,
        batch_rows: usize,
    ) -> Result<Self, TableError> {
        let reader = open(path)?;
        let all = leaves(&reader);
        let schema = reader.metadata().file_metadata().schema_descr();
        let leaves = wanted.into_iter().filter_map(|wanted| {
            let &(at, _, meaning) = all.get(wanted.position)?;
            let max_def = schema.column(at).max_def_level();
            Some(Leaf {
                at,
                meaning,
                max_def,
                wanted,
            })
        });
        let leaves: Vec<Leaf> = leaves.collect();
        Ok(Self {
            path: path.to_owned(),
            leaves,
            reader,
            open: Vec::new(),
            left: 0,
            next_group: 0,
            batch_rows,
            row: 0,
        })
    }

    /// Opens the next row group that has rows; `false` at the end.
    fn open_group(&mut self) -> Result<bool, ParquetError> {
        while self.left == 0 {
            if self.next_group >= self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.next_group)?;
            self.next_group += 1;
            self.left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            let columns = self.leaves.iter();
            self.open = columns
                .map(|leaf| group.get_column_reader(leaf.at))
                .collect::<Result<_, _>>()?;
        }
        Ok(true)
    }
}

impl super::source::Rows for Rows {
    fn next_batch(&mut self) -> Result<Option<Batch>, TableError> {
        let opened = self.open_group();
        if !opened.map_err(|error| malformed(&self.path, &error))? {
            return Ok(None);
        }
        let rows =
            usize::try_from(self.left).map_or(self.batch_rows, |left| left.min(self.batch_rows));
        let mut columns: Vec<Column> = Vec::with_capacity(self.leaves.len());
        for (leaf, reader) in self.leaves.iter().zip(&mut self.open) {
            let column = decode::column(reader, leaf.meaning, leaf.max_def, rows)
                .and_then(|column| cast::column(column, leaf.wanted.kind));
            columns.push(column.map_err(|wrong| wrong.at(&self.path, self.row, &leaf.wanted))?);
        }
        let first_row = self.row;
        self.row += rows as u64;
        self.left -= rows as u64;
        Ok(Some(Batch::new(first_row, columns)))
    }
}

/// Why a column of a batch cannot be had.
enum Wrong {
    Malformed(ParquetError),
    /// The value of a row of the batch does not fit.
    Misfit(usize, String),
}

impl From<ParquetError> for Wrong {
    fn from(error: ParquetError) -> Self {
        Self::Malformed(error)
    }
}

impl Wrong {
    fn at(self, path: &Path, first_row: u64, wanted: &Wanted) -> TableError {
        match self {
            Self::Malformed(error) => malformed(path, &error),
            Self::Misfit(row, value) => {
                let place = super::Place::Row(first_row + row as u64);
                wanted.misfit(path, place, &value, Kind::Text)
            }
        }
    }
}

fn malformed(path: &Path, error: &ParquetError) -> TableError {
    let reason = match error {
        ParquetError::General(reason) | ParquetError::EOF(reason) => {
            format!("not whole, or not Parquet: {reason}")
        }
        ParquetError::NYI(reason) => format!("Parquet of a form that is not read: {reason}"),
        error => error.to_string(),
    };
    TableError::Malformed {
        path: path.to_owned(),
        place: None,
        reason: reason.replace('\n', " "),
    }
}
