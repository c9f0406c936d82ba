//! The long form of a log: one row a value.
//!
//! Its columns are the same for every log.

use super::content::{Content, content};
use super::{Cell, Column, ExportError, Files, Kind, Table};
use crate::flow::{Event, Sink, SinkError};

/// Writes a row for each value: `run`, `tag`, `step`, `wall_time` (seconds since the Unix epoch), `plugin`, and of the
/// others what the kind has: `value` of a scalar, `content` of a text as it is and of histograms, hyperparameters and
/// tensors as JSON, `file` of an image, a sound or a graph, one row for each where there are several.
///
/// ```
/// use modelpulse::{export::{Format, LongTable}, flow::{Event, Sink}};
/// let mut bytes = Vec::new();
/// let mut long = LongTable::new(Format::Csv.table(&LongTable::columns(), &mut bytes)?, None);
/// long.accept(&[Event::new("train", "loss", 3, 1.5, 0.25)])?;
/// long.finish()?;
/// assert_eq!(long.rows(), 1);
/// drop(long);
/// let text = "run,tag,step,wall_time,plugin,value,content,file\ntrain,loss,3,1.5,scalars,0.25,,\n";
/// assert_eq!(bytes, text.as_bytes());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct LongTable<'w> {
    table: Box<dyn Table + 'w>,
    files: Option<Files>,
    rows: u64,
}

impl<'w> LongTable<'w> {
    /// The columns that the table needs.
    pub fn columns() -> Vec<Column> {
        [
            ("run", Kind::Text),
            ("tag", Kind::Text),
            ("step", Kind::Integer),
            ("wall_time", Kind::Number),
            ("plugin", Kind::Text),
            ("value", Kind::Number),
            ("content", Kind::Text),
            ("file", Kind::Text),
        ]
        .map(|(name, kind)| Column::new(name, kind))
        .into()
    }

    /// Rows go to `table`, files to `files`; without those the column `file` stays empty.
    pub fn new(table: Box<dyn Table + 'w>, files: Option<Files>) -> Self {
        Self {
            table,
            files,
            rows: 0,
        }
    }

    /// How many rows were written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The files, for the next table.
    pub fn into_files(self) -> Option<Files> {
        self.files
    }

    fn event(&mut self, event: &Event) -> Result<(), ExportError> {
        let mut row = |cells: [Cell<'_>; 3]| {
            let [value, content, file] = cells;
            self.rows += 1;
            self.table.row(&[
                Cell::Text(event.run.as_str()),
                Cell::Text(event.tag.as_str()),
                Cell::Integer(event.step.as_i64()),
                Cell::Number(event.wall_time),
                Cell::Text(event.value.plugin()),
                value,
                content,
                file,
            ])
        };
        match content(&event.value) {
            Content::Number(number) => row([Cell::Number(number), Cell::Empty, Cell::Empty]),
            Content::Text(text) => row([Cell::Empty, Cell::Text(&text), Cell::Empty]),
            Content::Json(_, json) => {
                row([Cell::Empty, Cell::Text(&json.to_string()), Cell::Empty])
            }
            Content::Files(list) => match &mut self.files {
                Some(files) if !list.is_empty() => {
                    list.iter().try_for_each(|(bytes, extension)| {
                        let path = files.write(event, bytes, extension)?;
                        row([Cell::Empty, Cell::Empty, Cell::Text(&path)])
                    })
                }
                _ => row([Cell::Empty; 3]),
            },
        }
    }
}

impl Sink for LongTable<'_> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        for event in instant {
            self.event(event)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.table.finish()?)
    }
}
