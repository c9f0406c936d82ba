//! Tables in CSV ([RFC 4180][1], quotes doubled), also with tabs, semicolons or bars between cells.
//!
//! The first line names the columns. The widest batch in memory is `batch_rows` of the columns asked for.
//!
//! [1]: https://www.rfc-editor.org/rfc/rfc4180

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use ::csv::{ByteRecord, Reader, ReaderBuilder};

use super::builder::Builder;
use super::infer::{Guess, unique_names, wider};
use super::source::Wanted;
use super::{Batch, Place, Schema, TableError};

type Input = Box<dyn BufRead + Send>;

/// What stands between the cells: what the first line has most of outside quotes.
pub(super) fn delimiter(first_line: &[u8]) -> u8 {
    let count = |wanted: u8| {
        let mut quoted = false;
        let outside = first_line.iter().filter(|&&byte| {
            quoted ^= byte == b'"';
            !quoted && byte == wanted
        });
        outside.count()
    };
    // The comma where there is none, and where there are as many.
    [b'|', b';', b'\t', b',']
        .into_iter()
        .max_by_key(|&delimiter| count(delimiter))
        .unwrap_or(b',')
}

fn reader<R: Read>(input: R, delimiter: u8) -> Reader<R> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .buffer_capacity(256 << 10)
        .from_reader(input)
}

/// The columns, from the first line and at most `rows` below it.
pub(super) fn schema(
    path: &Path,
    input: Input,
    delimiter: u8,
    rows: usize,
) -> Result<Schema, TableError> {
    let mut reader = reader(input, delimiter);
    let malformed = |error| malformed(path, &error);
    let header = reader.headers().map_err(malformed)?;
    if header.is_empty() || header.iter().all(|name| name.trim_ascii().is_empty()) {
        return Err(TableError::Malformed {
            path: path.to_owned(),
            place: None,
            reason: "empty: there should be a first line that names the columns".to_owned(),
        });
    }
    if header.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(TableError::Malformed {
            path: path.to_owned(),
            place: Some(Place::Line(1)),
            reason: "numbers where the names of the columns should be: add a header line"
                .to_owned(),
        });
    }
    let mut guess = Guess::new(unique_names(header.iter()));
    let mut record = ByteRecord::new();
    for _ in 0..rows {
        if !reader.read_byte_record(&mut record).map_err(malformed)? {
            break;
        }
        for (column, cell) in record.iter().enumerate() {
            // What is not UTF-8 is an error where it is read.
            guess.see_text(column, &String::from_utf8_lossy(cell));
        }
    }
    Ok(guess.schema())
}

/// Reads batches.
pub(super) struct Rows {
    path: PathBuf,
    reader: Reader<Input>,
    wanted: Vec<Wanted>,
    builders: Vec<Builder>,
    record: ByteRecord,
    batch_rows: usize,
    row: u64,
}

impl Rows {
    pub(super) fn new(
        path: &Path,
        input: Input,
        delimiter: u8,
        wanted: Vec<Wanted>,
        batch_rows: usize,
    ) -> Self {
        let builders = wanted
            .iter()
            .map(|wanted| Builder::new(wanted.kind, batch_rows))
            .collect();
        Self {
            path: path.to_owned(),
            reader: reader(input, delimiter),
            wanted,
            builders,
            record: ByteRecord::new(),
            batch_rows,
            row: 0,
        }
    }

    fn take_record(&mut self) -> Result<(), TableError> {
        for (wanted, builder) in self.wanted.iter().zip(&mut self.builders) {
            let cell = self.record.get(wanted.position).unwrap_or_default();
            let text = std::str::from_utf8(cell);
            if text.is_ok_and(|text| builder.push_text(text).is_ok()) {
                continue;
            }
            let line = self.record.position().map_or(0, |at| at.line());
            let place = Place::Line(line);
            return Err(match text {
                Ok(text) => wanted.misfit(&self.path, place, text, wider(wanted.kind, text)),
                Err(_) => TableError::Malformed {
                    path: self.path.clone(),
                    place: Some(place),
                    reason: format!("column '{}' is not UTF-8", wanted.name),
                },
            });
        }
        Ok(())
    }
}

impl super::source::Rows for Rows {
    fn next_batch(&mut self) -> Result<Option<Batch>, TableError> {
        let first_row = self.row;
        let mut rows = 0;
        while rows < self.batch_rows {
            let read = self.reader.read_byte_record(&mut self.record);
            if !read.map_err(|error| malformed(&self.path, &error))? {
                break;
            }
            self.take_record()?;
            rows += 1;
        }
        self.row += rows as u64;
        let columns = self.builders.iter_mut();
        let columns = columns.map(|builder| builder.take(self.batch_rows));
        Ok((rows > 0).then(|| Batch::new(first_row, columns.collect())))
    }
}

fn malformed(path: &Path, error: &::csv::Error) -> TableError {
    let place = error.position().map(|at| Place::Line(at.line()));
    let reason = match error.kind() {
        ::csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells where the first line names {expected_len} columns"),
        ::csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        ::csv::ErrorKind::Io(error) => format!("cannot read on: {error}"),
        _ => error.to_string(),
    };
    TableError::Malformed {
        path: path.to_owned(),
        place,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_what_the_first_line_has_most_of() {
        assert_eq!(delimiter(b"a,b;c,d"), b',');
        assert_eq!(delimiter(b"a;\"x,y,z\";c"), b';');
        assert_eq!(delimiter(b"a\tb"), b'\t');
        assert_eq!(delimiter(b"a"), b',');
    }
}
