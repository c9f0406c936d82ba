//! Tables in [Apache Parquet][1], read column by column, a page in memory at a time.
//!
//! Columns within structs are named `outer.inner`. A column of lists of numbers that all have as many items is as many
//! columns `list_0`, `list_1` …, so that scores in one list read as the scores of classes. Other lists and maps hold no
//! one value a row and are left out, as is what no text or number stands for (intervals, geometries).
//!
//! [1]: https://parquet.apache.org/docs/file-format/

mod cast;
mod decode;
mod lists;

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
use lists::Lists;

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

/// `None` where a value is neither text nor number.
fn meaning(column: &ColumnDescriptor) -> Option<Meaning> {
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

/// A column of a table: a column of the file, or one item of its lists.
#[derive(Clone)]
struct Leaf {
    name: String,
    /// The column's number in the file.
    at: usize,
    meaning: Meaning,
    max_def: i16,
    lists: Option<Lists>,
    /// Which item.
    item: usize,
}

/// The columns that can be read.
fn leaves(reader: &SerializedFileReader<File>) -> Vec<Leaf> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let mut leaves = Vec::new();
    for (at, column) in schema.columns().iter().enumerate() {
        let Some(meaning) = meaning(column) else {
            continue;
        };
        let leaf = |name, lists, item| Leaf {
            name,
            at,
            meaning,
            max_def: column.max_def_level(),
            lists,
            item,
        };
        if column.max_rep_level() == 0 {
            leaves.push(leaf(column.path().parts().join("."), None, 0));
        } else if meaning.kind() != Kind::Text
            && let Some(lists) = Lists::of(reader, at)
        {
            let list = schema.get_column_root(at).name();
            let items = 0..lists.items;
            leaves.extend(items.map(|item| leaf(format!("{list}_{item}"), Some(lists), item)));
        }
    }
    leaves
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
    let fields = fields.map(|leaf| Field::new(leaf.name, leaf.meaning.kind()));
    Ok((fields.collect(), u64::try_from(rows).unwrap_or(0)))
}

/// Reads batches; none spans two row groups.
pub(super) struct Rows {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// The columns of the file that are read, each once.
    stored: Vec<Leaf>,
    /// The columns that are wanted: of which of these, which item.
    wanted: Vec<(usize, usize, Wanted)>,
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
        let mut stored: Vec<Leaf> = Vec::new();
        let wanted = wanted.into_iter().filter_map(|wanted| {
            let leaf = all.get(wanted.position)?;
            // All items of a list come at once.
            let known = stored
                .iter()
                .position(|it| it.at == leaf.at && leaf.lists.is_some());
            let place = known.unwrap_or(stored.len());
            if known.is_none() {
                stored.push(leaf.clone());
            }
            Some((place, leaf.item, wanted))
        });
        let wanted = wanted.collect();
        Ok(Self {
            path: path.to_owned(),
            stored,
            wanted,
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
            let columns = self.stored.iter();
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
        let mut columns: Vec<Column> = Vec::with_capacity(self.wanted.len());
        let mut items: Vec<Vec<Column>> = vec![Vec::new(); self.stored.len()];
        for &(place, item, ref wanted) in &self.wanted {
            let leaf = &self.stored[place];
            let reader = &mut self.open[place];
            let mut read = || decode::column(reader, leaf.meaning, leaf.max_def, leaf.lists, rows);
            let column = match leaf.lists {
                None => read(),
                Some(_) if !items[place].is_empty() => Ok(items[place][item].clone()),
                Some(lists) => read().map(|all| {
                    items[place] = lists.dealt(all);
                    items[place][item].clone()
                }),
            };
            let column = column.and_then(|column| cast::column(column, wanted.kind));
            columns.push(column.map_err(|wrong| wrong.at(&self.path, self.row, wanted))?);
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
    /// The list of a row has not so many items as others.
    Length {
        row: usize,
        items: usize,
        others: usize,
    },
}

impl From<ParquetError> for Wrong {
    fn from(error: ParquetError) -> Self {
        Self::Malformed(error)
    }
}

impl Wrong {
    fn at(self, path: &Path, first_row: u64, wanted: &Wanted) -> TableError {
        let place = |row| super::Place::Row(first_row + row as u64);
        match self {
            Self::Malformed(error) => malformed(path, &error),
            Self::Misfit(row, value) => wanted.misfit(path, place(row), &value, Kind::Text),
            Self::Length { row, items, others } => TableError::Malformed {
                path: path.to_owned(),
                place: Some(place(row)),
                reason: format!(
                    "the list that '{}' is of has {items} items, and {others} in other rows: \
                     write as many in each",
                    wanted.name
                ),
            },
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
