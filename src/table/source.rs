//! Opening a table, whatever its format.
//!
//! The format is told by what the file begins with, never by its name alone; gzip is looked through.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::{Batch, Kind, Place, Schema, TableError, csv, json_lines};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values, or separated by tabs, semicolons or bars.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet (feature `parquet`).
    Parquet,
}

/// How a table is read.
///
/// ```
/// use modelpulse::table::{Format, Options};
/// let options = Options::default().format(Format::Csv).delimiter(b';').batch_rows(1000);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    format: Option<Format>,
    delimiter: Option<u8>,
    infer_rows: usize,
    batch_rows: usize,
}

impl Default for Options {
    /// Format and delimiter from what the file begins with, kinds from the first 10,000 rows, batches of 16,384.
    fn default() -> Self {
        Self {
            format: None,
            delimiter: None,
            infer_rows: 10_000,
            batch_rows: 1 << 14,
        }
    }
}

impl Options {
    /// The file is of this format, whatever it begins with.
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// What stands between the cells of CSV.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// The kinds of the columns of CSV and JSON lines are guessed from so many rows.
    pub fn infer_rows(mut self, rows: usize) -> Self {
        self.infer_rows = rows.max(1);
        self
    }

    /// The most rows of a batch.
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.batch_rows = rows.max(1);
        self
    }
}

/// A file of rows: its columns are known, its values are read when asked for, as often as one likes.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("lines.jsonl");
/// std::fs::write(&path, "{\"user\": 7, \"score\": [0.25, 0.75]}\n")?;
/// use modelpulse::table::{Kind, Table};
/// let table = Table::open(&path)?.with_kind("user", Kind::Text)?;
/// assert!(table.schema().names().eq(["user", "score_0", "score_1"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    format: Format,
    delimiter: u8,
    options: Options,
    schema: Schema,
    /// Of each column, whether its kind was guessed.
    guessed: Vec<bool>,
    rows: Option<u64>,
}

impl Table {
    /// Opens a file; its format and the kinds of its columns are found out.
    ///
    /// # Errors
    /// [`TableError::Open`] and [`TableError::Malformed`]; [`TableError::NoParquet`] without the feature `parquet`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TableError> {
        Self::open_with(path, Options::default())
    }

    /// Opens a file as the options say.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, TableError> {
        let path = path.as_ref();
        let cannot = |source| open_error(path, source);
        let mut beginning = vec![0; 64 << 10];
        let read = fill(&mut input(path)?, &mut beginning).map_err(cannot)?;
        beginning.truncate(read);
        let format = options.format.unwrap_or_else(|| format(path, &beginning));
        let mut table = Self {
            path: path.to_owned(),
            format,
            delimiter: b',',
            schema: Schema::default(),
            guessed: Vec::new(),
            rows: None,
            options,
        };
        let rows = table.options.infer_rows;
        match format {
            Format::Csv => {
                let first = beginning.split(|&byte| byte == b'\n').next();
                let told = table.options.delimiter;
                table.delimiter = told.unwrap_or_else(|| csv::delimiter(first.unwrap_or_default()));
                table.schema = csv::schema(path, input(path)?, table.delimiter, rows)?;
            }
            Format::JsonLines => table.schema = json_lines::schema(path, input(path)?, rows)?,
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let (schema, rows) = super::parquet::schema(path)?;
                table.schema = schema;
                table.rows = Some(rows);
            }
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                return Err(TableError::NoParquet {
                    path: path.to_owned(),
                });
            }
        }
        table.guessed = vec![format != Format::Parquet; table.schema.fields.len()];
        Ok(table)
    }

    /// Has a column read as another kind: numbers as text, whole numbers as numbers.
    ///
    /// # Errors
    /// [`TableError::NoColumn`]. Whether every value fits shows when it is read.
    pub fn with_kind(mut self, column: &str, kind: Kind) -> Result<Self, TableError> {
        let at = self.position(column)?;
        self.schema.fields[at].kind = kind;
        self.guessed[at] = false;
        Ok(self)
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The number of rows, where the file says it: Parquet does.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// Reads these columns from the first row on.
    ///
    /// # Errors
    /// [`TableError::NoColumn`] and [`TableError::Open`].
    pub fn read<S: AsRef<str>>(&self, columns: &[S]) -> Result<Batches, TableError> {
        let wanted = columns.iter().map(|name| {
            let position = self.position(name.as_ref())?;
            Ok(Wanted {
                name: name.as_ref().to_owned(),
                position,
                kind: self.schema.fields[position].kind,
                guessed: self.guessed[position],
            })
        });
        let wanted: Vec<Wanted> = wanted.collect::<Result<_, TableError>>()?;
        let (path, rows) = (&self.path, self.options.batch_rows);
        let rows: Box<dyn Rows + Send> = match self.format {
            Format::Csv => Box::new(csv::Rows::new(
                path,
                input(path)?,
                self.delimiter,
                wanted,
                rows,
            )),
            Format::JsonLines => Box::new(json_lines::Rows::new(path, input(path)?, wanted, rows)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(super::parquet::Rows::new(path, wanted, rows)?),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => return Err(TableError::NoParquet { path: path.clone() }),
        };
        Ok(Batches { rows: Some(rows) })
    }

    fn position(&self, column: &str) -> Result<usize, TableError> {
        self.schema
            .position(column)
            .ok_or_else(|| TableError::NoColumn {
                path: self.path.clone(),
                column: column.to_owned(),
                has: self.schema.names().map(str::to_owned).collect(),
            })
    }
}

/// The rows of a table, a batch at a time; after an error there are no more.
pub struct Batches {
    rows: Option<Box<dyn Rows + Send>>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.as_mut()?.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.rows = None;
        }
        batch
    }
}

/// What each format implements.
pub(super) trait Rows {
    /// The next rows; `None` at the end.
    fn next_batch(&mut self) -> Result<Option<Batch>, TableError>;
}

/// A column that is to be read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) name: String,
    /// Where it stands in the schema.
    pub(super) position: usize,
    pub(super) kind: Kind,
    /// Whether its kind was guessed from the first rows.
    pub(super) guessed: bool,
}

impl Wanted {
    /// A value does not fit; it would fit `wider`.
    pub(super) fn misfit(&self, path: &Path, place: Place, value: &str, wider: Kind) -> TableError {
        TableError::Value {
            path: path.to_owned(),
            place,
            column: self.name.clone(),
            value: value.to_owned(),
            kind: self.kind,
            wider: self.guessed.then_some(wider),
        }
    }
}

pub(super) fn open_error(path: &Path, source: std::io::Error) -> TableError {
    TableError::Open {
        path: path.to_owned(),
        source,
    }
}

/// The file's bytes, unpacked where they are gzip's.
fn input(path: &Path) -> Result<Box<dyn BufRead + Send>, TableError> {
    let cannot = |source| open_error(path, source);
    let mut file = BufReader::with_capacity(256 << 10, File::open(path).map_err(cannot)?);
    Ok(
        if file.fill_buf().map_err(cannot)?.starts_with(b"\x1f\x8b") {
            Box::new(BufReader::with_capacity(
                256 << 10,
                MultiGzDecoder::new(file),
            ))
        } else {
            Box::new(file)
        },
    )
}

fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn format(path: &Path, beginning: &[u8]) -> Format {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    let named = |ending: &str| path.extension().is_some_and(|it| it == ending);
    if beginning.starts_with(b"PAR1") || (beginning.is_empty() && named("parquet")) {
        Format::Parquet
    } else if text.trim_ascii_start().starts_with(b"{") {
        Format::JsonLines
    } else {
        Format::Csv
    }
}
