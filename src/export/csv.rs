//! Comma-separated values, RFC 4180 with `\n` as the end of a line.
//!
//! Numbers are written in the fewest digits that give the same number again.

use std::io::Write;

use super::{Cell, Column, ExportError, Kind, Table, check};

pub(super) struct CsvTable<W: Write> {
    kinds: Vec<Kind>,
    writer: ::csv::Writer<W>,
    number: String,
}

impl<W: Write> CsvTable<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Result<Self, ExportError> {
        let mut writer = ::csv::WriterBuilder::new()
            .buffer_capacity(64 << 10)
            .from_writer(out);
        writer
            .write_record(columns.iter().map(|column| &column.name))
            .map_err(failed)?;
        Ok(Self {
            kinds: columns.iter().map(|column| column.kind).collect(),
            writer,
            number: String::new(),
        })
    }
}

impl<W: Write + Send> Table for CsvTable<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        use std::fmt::Write as _;
        check(&self.kinds, cells)?;
        for cell in cells {
            self.number.clear();
            let field = match cell {
                Cell::Empty => "",
                Cell::Text(text) => text,
                Cell::Integer(number) => {
                    let _ = write!(self.number, "{number}");
                    &self.number
                }
                Cell::Number(number) => {
                    let _ = write!(self.number, "{number:?}");
                    &self.number
                }
            };
            self.writer.write_field(field).map_err(failed)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(self.writer.flush()?)
    }
}

fn failed(error: ::csv::Error) -> ExportError {
    ExportError::Write(error.into())
}
