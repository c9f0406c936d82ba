//! Apache Parquet, by the typed column writers of arrow-rs.
//!
//! Texts are dictionaries, integers are differences, and the bytes of numbers are stored by their place, so that those
//! which are alike stand together; zstd makes the most of it.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel,
};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{ColumnPath, Type};

use super::{Cell, Column, ExportError, Kind, Table, check};

/// Rows of a row group, which is what a reader reads at once.
const ROWS: usize = 128 << 10;
/// Bytes of texts at which a row group ends before.
const TEXT: usize = 32 << 20;
/// Texts up to this length are kept once for all of their rows.
const SHORT: usize = 128;

pub(super) struct ParquetTable<W: Write + Send> {
    kinds: Vec<Kind>,
    columns: Vec<Values>,
    rows: usize,
    text: usize,
    /// `None` once it was ended.
    writer: Option<SerializedFileWriter<W>>,
    known: HashMap<Box<str>, ByteArray>,
}

/// The rows of a column that wait: for each whether it has a value (1) or not (0), and the values.
#[derive(Default)]
struct Values {
    there: Vec<i16>,
    texts: Vec<ByteArray>,
    integers: Vec<i64>,
    numbers: Vec<f64>,
}

impl<W: Write + Send> ParquetTable<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Result<Self, ExportError> {
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_created_by(concat!("modelpulse ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let mut fields = Vec::new();
        for column in columns {
            let path = ColumnPath::new(vec![column.name.clone()]);
            let (physical, logical, encoding) = match column.kind {
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), None),
                Kind::Integer => (Physical::INT64, None, Some(Encoding::DELTA_BINARY_PACKED)),
                Kind::Number => (Physical::DOUBLE, None, Some(Encoding::BYTE_STREAM_SPLIT)),
            };
            if let Some(encoding) = encoding {
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, encoding);
            }
            let field = Type::primitive_type_builder(&column.name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()?;
            fields.push(Arc::new(field));
        }
        let schema = Type::group_type_builder("schema")
            .with_fields(fields)
            .build()?;
        let writer =
            SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self {
            kinds: columns.iter().map(|column| column.kind).collect(),
            columns: columns.iter().map(|_| Values::default()).collect(),
            rows: 0,
            text: 0,
            writer: Some(writer),
            known: HashMap::new(),
        })
    }

    /// Writes the rows that wait as a row group.
    fn flush(&mut self) -> Result<(), ExportError> {
        let Some(writer) = self.writer.as_mut().filter(|_| self.rows > 0) else {
            return Ok(());
        };
        let mut group = writer.next_row_group()?;
        for (kind, values) in self.kinds.iter().zip(&mut self.columns) {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            let there = Some(&values.there[..]);
            match kind {
                Kind::Text => {
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&values.texts, there, None)?
                }
                Kind::Integer => {
                    column
                        .typed::<Int64Type>()
                        .write_batch(&values.integers, there, None)?
                }
                Kind::Number => {
                    column
                        .typed::<DoubleType>()
                        .write_batch(&values.numbers, there, None)?
                }
            };
            column.close()?;
            values.there.clear();
            values.texts.clear();
            values.integers.clear();
            values.numbers.clear();
        }
        group.close()?;
        (self.rows, self.text) = (0, 0);
        self.known.clear();
        Ok(())
    }
}

impl<W: Write + Send> Table for ParquetTable<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        check(&self.kinds, cells)?;
        for (values, cell) in self.columns.iter_mut().zip(cells) {
            values.there.push((*cell != Cell::Empty).into());
            match *cell {
                Cell::Empty => (),
                Cell::Integer(number) => values.integers.push(number),
                Cell::Number(number) => values.numbers.push(number),
                Cell::Text(text) if text.len() > SHORT => {
                    self.text += text.len();
                    values.texts.push(text.into());
                }
                Cell::Text(text) => {
                    // Runs and tags: the same few over and over, often the one of the row before.
                    let known = match self.known.get(text) {
                        Some(known) => known,
                        None => {
                            self.text += text.len();
                            self.known.entry(text.into()).or_insert_with(|| text.into())
                        }
                    };
                    values.texts.push(known.clone());
                }
            }
        }
        self.rows += 1;
        if self.rows >= ROWS || self.text >= TEXT {
            self.flush()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        if let Some(writer) = self.writer.take() {
            writer.close()?;
        }
        Ok(())
    }
}
