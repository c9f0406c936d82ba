//! Where an earlier session of a log stopped.
//!
//! A resumed run starts a new file with a START at its step, so that readers void what was logged
//! there or later.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use prost::Message;

use super::name::event_files;
use super::{Error, reader::discover};
use crate::proto::{self, event::What, session_log::SessionStatus};
use crate::record::{Item, RecordReader, Tail};
use crate::types::{RunName, Step};

/// The last step of each run of the log directory `dir`, read from its files; what a resumed session
/// voided does not count.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Writer, last_steps};
/// let writer = Writer::create(dir.path())?;
/// (0..7_i64).for_each(|step| writer.run("train").scalar("loss", step, 0.5));
/// writer.finish()?;
///
/// let last = last_steps(dir.path())?["train"];
/// let writer = Writer::create(dir.path())?;
/// let train = writer.run("train");
/// train.resume_at(last.as_i64() + 1);
/// train.scalar("loss", 7, 0.4);
/// writer.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Read`] where the directory or a file cannot be read, [`Error::NoEvents`] where there is none.
pub fn last_steps(dir: impl AsRef<Path>) -> Result<BTreeMap<RunName, Step>, Error> {
    let mut last = BTreeMap::new();
    for (run, files) in discover(dir.as_ref())?.runs {
        let mut steps: BTreeSet<i64> = BTreeSet::new();
        for path in files {
            let fail = |source| Error::Read {
                path: path.clone(),
                source,
            };
            let mut reader = RecordReader::new(File::open(&path).map_err(fail)?);
            loop {
                let record = match reader.next(Tail::Final).map_err(fail)? {
                    Item::Record(record) => record,
                    Item::Damage(_) => continue,
                    Item::End => break,
                };
                let Ok(event) = proto::Event::decode(record.payload) else {
                    continue;
                };
                match event.what {
                    Some(What::SessionLog(log)) if log.status() == SessionStatus::Start => {
                        steps.split_off(&event.step);
                    }
                    Some(What::Summary(_)) => {
                        steps.insert(event.step);
                    }
                    _ => (),
                }
            }
        }
        if let Some(step) = steps.last() {
            last.insert(run, Step::from(*step));
        }
    }
    Ok(last)
}

/// Whether an event file of the directory itself has a value of this tag. A file that cannot be read has none.
pub(crate) fn has_tag(dir: &Path, tag: &str) -> bool {
    let names = event_files(dir).unwrap_or_default();
    names.iter().any(|name| {
        let Ok(file) = File::open(dir.join(name)) else {
            return false;
        };
        let mut reader = RecordReader::new(file);
        loop {
            let record = match reader.next(Tail::Final) {
                Ok(Item::Record(record)) => record,
                Ok(Item::Damage(_)) => continue,
                Ok(Item::End) | Err(_) => return false,
            };
            if let Ok(proto::Event {
                what: Some(What::Summary(summary)),
                ..
            }) = proto::Event::decode(record.payload)
                && summary.value.iter().any(|value| value.tag == tag)
            {
                return true;
            }
        }
    })
}

/// Whether one of the event files begins with a START. A file that cannot be read has none.
pub(super) fn has_start(dir: &Path, names: &[OsString]) -> bool {
    /// A writer puts START behind the file's version and before any value.
    const LOOK_AT: usize = 16;
    names.iter().any(|name| {
        let Ok(file) = File::open(dir.join(name)) else {
            return false;
        };
        let mut reader = RecordReader::new(file);
        for _ in 0..LOOK_AT {
            let Ok(Item::Record(record)) = reader.next(Tail::Growing) else {
                return false;
            };
            if let Ok(proto::Event {
                what: Some(What::SessionLog(log)),
                ..
            }) = proto::Event::decode(record.payload)
                && log.status() == SessionStatus::Start
            {
                return true;
            }
        }
        false
    })
}
