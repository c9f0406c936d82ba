//! Logs as tables: CSV, JSON lines, Parquet (feature `parquet`); a registry as a page for Prometheus, or pushed by remote
//! write and OTLP (features `push`, `otlp`); alerts for an Alertmanager and for webhooks (feature `push`).
//!
//! Rows go out as they come in: no cap, no sampling, and memory for no more than a block of rows. Every format keeps
//! every value: NaN and infinities, texts in any script, steps at full width.

#[cfg(feature = "push")]
mod alerts;
mod backfill;
mod content;
#[cfg(feature = "push")]
mod courier;
mod csv;
mod exposition;
mod files;
mod json_lines;
mod long;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "push")]
mod push;
mod samples;
mod wide;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

#[cfg(feature = "cli")]
pub(crate) use alerts::check_receiver;
#[cfg(feature = "push")]
pub use alerts::{Notified, Notifier, NotifierBuilder, NotifierError};
pub use backfill::backfill;
pub use content::event_as_json;
#[cfg(feature = "serve")]
pub(crate) use content::number as json_number;
pub use exposition::Exposition;
pub use files::{Files, partition_name};
pub use long::LongTable;
#[cfg(feature = "push")]
pub use push::{EventPush, PushError, Pushed, Pusher, PusherBuilder, Target};
pub use wide::wide_table;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text, UTF-8.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A number of double precision.
    Number,
}

/// A column of a table. Every column may have empty cells.
///
/// ```
/// use modelpulse::export::{Column, Kind};
/// assert_eq!(Column::new("step", Kind::Integer).name, "step");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header; the names of a table are unique.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        Self { name, kind }
    }
}

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// Nothing; not the same as NaN.
    Empty,
    /// A text.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A number.
    Number(f64),
}

impl<T: Into<Self>> From<Option<T>> for Cell<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Takes rows.
pub trait Table: Send {
    /// Takes a row: a cell for each column, of its kind or empty.
    ///
    /// # Errors
    /// [`ExportError::Row`] where the cells do not fit the columns, and whatever writing fails with.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError>;

    /// Writes all that is left, and the end.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    fn finish(&mut self) -> Result<(), ExportError>;
}

impl fmt::Debug for dyn Table + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }
}

/// The format of a table.
///
/// ```
/// use modelpulse::export::{Cell, Column, Format, Kind};
/// let columns = [Column::new("tag", Kind::Text), Column::new("value", Kind::Number)];
/// let mut bytes = Vec::new();
/// let mut table = Format::Csv.table(&columns, &mut bytes)?;
/// table.row(&[Cell::Text("a, b"), Cell::Number(f64::NEG_INFINITY)])?;
/// table.finish()?;
/// drop(table);
/// assert_eq!(bytes, b"tag,value\n\"a, b\",-inf\n");
/// # Ok::<(), modelpulse::export::ExportError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values (RFC 4180, with `\n`), headed by the columns' names; `NaN`, `inf`, `-inf`.
    Csv,
    /// One JSON object a line, without its empty cells; "NaN", "Infinity", "-Infinity".
    JsonLines,
    /// Apache Parquet, compressed by zstd.
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// All formats.
    pub const ALL: &'static [Self] = &[
        Self::Csv,
        Self::JsonLines,
        #[cfg(feature = "parquet")]
        Self::Parquet,
    ];

    /// What the names of its files end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            #[cfg(feature = "parquet")]
            Self::Parquet => "parquet",
        }
    }

    /// An empty table that is written to `out`.
    ///
    /// # Errors
    /// What writing fails with.
    pub fn table<'w>(
        self,
        columns: &[Column],
        out: impl Write + Send + 'w,
    ) -> Result<Box<dyn Table + 'w>, ExportError> {
        Ok(match self {
            Self::Csv => Box::new(csv::CsvTable::new(columns, out)?),
            Self::JsonLines => Box::new(json_lines::JsonLines::new(columns, out)),
            #[cfg(feature = "parquet")]
            Self::Parquet => Box::new(parquet::ParquetTable::new(columns, out)?),
        })
    }
}

/// By the name or the extension.
impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "jsonl" | "ndjson" | "json" => Ok(Self::JsonLines),
            #[cfg(feature = "parquet")]
            "parquet" | "pq" => Ok(Self::Parquet),
            _ => {
                let known: Vec<_> = Self::ALL.iter().map(|it| it.extension()).collect();
                Err(format!("'{text}' is none of {}", known.join(", ")))
            }
        }
    }
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Writing failed.
    #[error("cannot write the table: {0}")]
    Write(#[from] io::Error),
    /// A file beside the table could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row does not fit the columns.
    #[error("cell {cell} of a row does not fit its column, or there is no such column")]
    Row {
        /// The cell, counted from 0.
        cell: usize,
    },
    /// The Parquet library refuses the table.
    #[cfg(feature = "parquet")]
    #[error("cannot write Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

/// Whether the cells of a row are of the kinds of their columns.
fn check(kinds: &[Kind], cells: &[Cell<'_>]) -> Result<(), ExportError> {
    let fits = |(kind, cell): (&Kind, &Cell<'_>)| match cell {
        Cell::Empty => true,
        Cell::Text(_) => *kind == Kind::Text,
        Cell::Integer(_) => *kind == Kind::Integer,
        Cell::Number(_) => *kind == Kind::Number,
    };
    match kinds.iter().zip(cells).position(|it| !fits(it)) {
        Some(cell) => Err(ExportError::Row { cell }),
        None if kinds.len() != cells.len() => Err(ExportError::Row {
            cell: kinds.len().min(cells.len()),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod conformance;
