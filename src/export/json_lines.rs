//! One JSON object a line (RFC 8259, UTF-8).
//!
//! What JSON has no number for is a string: "NaN", "Infinity", "-Infinity". An empty cell is left out.

use std::io::{BufWriter, Write};

use super::{Cell, Column, ExportError, Kind, Table, check};

pub(super) struct JsonLines<W: Write> {
    kinds: Vec<Kind>,
    /// Each with its quotes and the colon.
    keys: Vec<String>,
    out: BufWriter<W>,
}

impl<W: Write> JsonLines<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Self {
        let key = |column: &Column| format!("{}:", serde_json::Value::from(&*column.name));
        Self {
            kinds: columns.iter().map(|column| column.kind).collect(),
            keys: columns.iter().map(key).collect(),
            out: BufWriter::with_capacity(64 << 10, out),
        }
    }
}

impl<W: Write + Send> Table for JsonLines<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        check(&self.kinds, cells)?;
        let out = &mut self.out;
        let mut before = "{";
        for (key, cell) in self.keys.iter().zip(cells) {
            if *cell == Cell::Empty {
                continue;
            }
            write!(out, "{before}{key}")?;
            before = ",";
            match cell {
                Cell::Empty => (),
                Cell::Text(text) => {
                    serde_json::to_writer(&mut *out, text).map_err(std::io::Error::from)?
                }
                Cell::Integer(number) => write!(out, "{number}")?,
                Cell::Number(number) => match nonfinite(*number) {
                    Some(name) => write!(out, "\"{name}\"")?,
                    None => write!(out, "{number:?}")?,
                },
            }
        }
        out.write_all(if before == "{" { b"{}\n" } else { b"}\n" })?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

/// The name of a number that JSON does not have.
pub(super) fn nonfinite(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}
