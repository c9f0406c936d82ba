//! Columns of lists that all have as many items: as many columns, one for each item.
//!
//! So it is how the scores of a classifier are mostly stored. The first rows tell how many items lists have; columns of
//! texts, and those whose first lists are of unequal length, are left out.

use std::fs::File;

use ::parquet::basic::{ConvertedType, LogicalType, Repetition};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::Wrong;
use crate::table::{Column, Strings, Values};

/// Longer lists are no columns.
const LONGEST: usize = 1000;
/// So many rows are looked at to tell how long lists are.
const FIRST_ROWS: usize = 1000;

/// What lists a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists {
    /// How many items each has.
    pub(super) items: usize,
    /// From which definition level on there is an item, be it null.
    item_level: i16,
}

impl Lists {
    /// Those of column number `at` of a file; `None` where it has none, or where they differ in length.
    pub(super) fn of(file: &SerializedFileReader<File>, at: usize) -> Option<Self> {
        let schema = file.metadata().file_metadata().schema_descr();
        let column = schema.column(at);
        let list = schema.get_column_root(at).get_basic_info();
        let is_list = list.logical_type_ref() == Some(&LogicalType::List)
            || list.converted_type() == ConvertedType::LIST;
        if !is_list || column.max_rep_level() != 1 {
            return None;
        }
        let groups = file.metadata().row_groups();
        let group = groups.iter().position(|group| group.num_rows() > 0)?;
        let mut reader = file.get_row_group(group).ok()?.get_column_reader(at).ok()?;
        let (levels, begins) = first_levels(&mut reader).ok()?;
        let nullable = column.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
        let mut lists = Self {
            items: 0,
            item_level: column.max_def_level() - i16::from(nullable),
        };
        let is_item = |level: &i16| *level >= lists.item_level;
        let first = levels.iter().position(is_item)?;
        let more = begins[first + 1..].iter().take_while(|begin| **begin > 0);
        lists.items = 1 + more.count();
        lists.whole(&levels, &begins).ok()?;
        (lists.items <= LONGEST).then_some(lists)
    }

    /// The levels of all items: a list that is null is one of nulls.
    pub(super) fn whole(self, levels: &[i16], begins: &[i16]) -> Result<Vec<i16>, Wrong> {
        let mut whole = Vec::with_capacity(levels.len());
        let mut entries = levels.iter().zip(begins).peekable();
        let mut row = 0;
        while let Some((&level, _)) = entries.next() {
            let from = whole.len();
            whole.push(level);
            while let Some((&level, _)) = entries.next_if(|(_, begin)| **begin > 0) {
                whole.push(level);
            }
            let items = whole.len() - from;
            // What is shallower than an empty list is none.
            if items == 1 && level + 1 < self.item_level {
                whole.resize(from + self.items, level);
            } else if items != self.items || level < self.item_level {
                return Err(Wrong::Length {
                    row,
                    items: if level < self.item_level { 0 } else { items },
                    others: self.items,
                });
            }
            row += 1;
        }
        Ok(whole)
    }

    /// The column of each item, of all items, one list behind the other.
    pub(super) fn dealt(self, column: Column) -> Vec<Column> {
        fn every<T: Copy>(all: &[T], first: usize, apart: usize) -> Vec<T> {
            all.iter().copied().skip(first).step_by(apart).collect()
        }
        let (values, nulls) = column.into_parts();
        let apart = self.items;
        let of = |item: usize| {
            let values = match &values {
                Values::Bool(all) => Values::Bool(every(all, item, apart)),
                Values::Int(all) => Values::Int(every(all, item, apart)),
                Values::Float(all) => Values::Float(every(all, item, apart)),
                Values::Timestamp(all) => Values::Timestamp(every(all, item, apart)),
                Values::Text(all) => {
                    let mut texts = Strings::default();
                    let own = all.iter().skip(item).step_by(apart);
                    own.for_each(|text| texts.push(text));
                    Values::Text(texts)
                }
            };
            Column::new(values, nulls.as_deref().map(|all| every(all, item, apart)))
        };
        (0..apart).map(of).collect()
    }
}

/// The definition levels of the entries of the first rows, and the repetition levels: 0 where a list begins.
fn first_levels(reader: &mut ColumnReader) -> Result<(Vec<i16>, Vec<i16>), ParquetError> {
    fn read<T: DataType>(
        reader: &mut ColumnReaderImpl<T>,
    ) -> Result<(Vec<i16>, Vec<i16>), ParquetError> {
        let (mut levels, mut begins) = (Vec::new(), Vec::new());
        let (to_levels, to_begins) = (Some(&mut levels), Some(&mut begins));
        reader.read_records(FIRST_ROWS, to_levels, to_begins, &mut Vec::new())?;
        Ok((levels, begins))
    }
    match reader {
        ColumnReader::BoolColumnReader(reader) => read(reader),
        ColumnReader::Int32ColumnReader(reader) => read(reader),
        ColumnReader::Int64ColumnReader(reader) => read(reader),
        ColumnReader::Int96ColumnReader(reader) => read(reader),
        ColumnReader::FloatColumnReader(reader) => read(reader),
        ColumnReader::DoubleColumnReader(reader) => read(reader),
        ColumnReader::ByteArrayColumnReader(reader) => read(reader),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => read(reader),
    }
}
