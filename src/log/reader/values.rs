//! Whole values of points, read from their files when they are asked for.

use std::collections::VecDeque;
use std::io;

use super::decode::Decoder;
use super::records::Records;
use super::scan::Said;
use super::table::LogPoint;
use crate::log::Error;
use crate::proto::{SummaryMetadata, summary_metadata::PluginData};
use crate::record::Tail;
use crate::summary::Value;
use crate::types::RunName;

/// Reads the values of a series' points: pictures, tensors, text.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{log::{Log, Restart, Writer}, summary::Text};
/// let writer = Writer::create(dir.path())?;
/// writer.run(".").log("note", 0, Text::new("all is well"));
/// writer.finish()?;
/// let log = Log::open(dir.path())?;
/// let run = log.run(".", Restart::TensorBoard).unwrap();
/// let notes = run.series("note").unwrap();
/// let value = notes.values().read(&notes.points().next().unwrap())?;
/// assert_eq!(Text::try_from(&value)?.markdown(), "all is well");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogValues {
    /// What the series' first value says, for later ones leave it out.
    metadata: Option<SummaryMetadata>,
    tag: String,
    /// The file read last, and where in it. Points come in their order, mostly.
    open: Option<(Records, u64)>,
}

impl LogValues {
    pub(super) fn new(tag: &str, said: Option<&Said>) -> Self {
        let metadata = said.map(|said| SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: said.plugin.clone(),
                ..PluginData::default()
            }),
            data_class: said.written,
            ..SummaryMetadata::default()
        });
        Self {
            metadata,
            tag: tag.to_owned(),
            open: None,
        }
    }

    /// Reads the value of a point of the series. Of its metadata it has what its own record holds, and the
    /// plugin and data class of its series.
    ///
    /// # Errors
    /// [`Error::Read`] where it does not stand there any more, or the file cannot be read.
    pub fn read(&mut self, point: &LogPoint<'_>) -> Result<Value, Error> {
        let place = point.place();
        let fail = |source| Error::Read {
            path: place.path().to_owned(),
            source,
        };
        let follows = self.open.take_if(|(records, next)| {
            records.path() != place.path() || *next > place.offset() || !records.is_compressed()
        });
        drop(follows);
        let (records, next) = match &mut self.open {
            Some(open) => open,
            None => {
                let path = place.path().to_owned();
                let records = Records::at(path, place.offset()).map_err(fail)?;
                self.open.insert((records, 0))
            }
        };
        while let Some(record) = records.next(Tail::Final, None) {
            *next = record.offset + 1;
            if record.offset < place.offset() {
                continue;
            }
            if record.offset > place.offset() {
                break;
            }
            let mut decoder = Decoder::new(RunName::root());
            if let Some(metadata) = &self.metadata {
                decoder.knows(&self.tag, metadata);
            }
            let mut events = VecDeque::new();
            // A shape that lies is a problem of the log's, and still a value.
            let _ = decoder.record(record.payload, &mut events);
            match events.into_iter().find(|(_, nth)| *nth == place.nth()) {
                Some((event, _)) => return Ok(event.value),
                None => break,
            }
        }
        self.open = None;
        let gone = format!(
            "its record at byte {} is not there any more",
            place.offset()
        );
        Err(fail(io::Error::other(gone)))
    }
}
