//! Where an earlier session of a log stopped.
//!
//! A resumed run starts a new file with a START at its step, so that readers void what was logged
//! there or later.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use prost::Message;

use super::name::event_files;
use super::{Error, reader::discover};
use crate::proto::{self, event::What, session_log::SessionStatus};
use crate::record::{FOOTER_LEN, HEADER_LEN, Item, RecordReader, Tail};
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

/// Takes what an earlier session said under this tag back: the records that hold nothing else leave the event
/// files of the directory itself. For readers keep the first metadata of a tag, whatever comes later. Each such
/// file changes at once; its writer must have ended.
pub(crate) fn take_back(dir: &Path, tag: &str) -> Result<(), Error> {
    let fail = |path: &Path, source| Error::Read {
        path: path.to_owned(),
        source,
    };
    for name in event_files(dir).map_err(|error| fail(dir, error))? {
        let path = dir.join(name);
        let records = records_of(&path, tag).map_err(|error| fail(&path, error))?;
        if !records.is_empty() {
            cut(&path, &records).map_err(|source| Error::Write { path, source })?;
        }
    }
    Ok(())
}

/// Where the records begin and end that hold values of this tag alone.
fn records_of(path: &Path, tag: &str) -> io::Result<Vec<Range<u64>>> {
    let mut reader = RecordReader::new(File::open(path)?);
    let mut found = Vec::new();
    loop {
        let record = match reader.next(Tail::Final)? {
            Item::Record(record) => record,
            Item::Damage(_) => continue,
            Item::End => return Ok(found),
        };
        if let Ok(proto::Event {
            what: Some(What::Summary(summary)),
            ..
        }) = proto::Event::decode(record.payload)
            && !summary.value.is_empty()
            && summary.value.iter().all(|value| value.tag == tag)
        {
            let len = HEADER_LEN + record.payload.len() + FOOTER_LEN;
            found.push(record.offset..record.offset + len as u64);
        }
    }
}

/// Replaces a file by one without these ranges.
fn cut(path: &Path, ranges: &[Range<u64>]) -> io::Result<()> {
    // No name that readers know.
    let partial = path.with_file_name(format!(".modelpulse-{}", std::process::id()));
    let copy = || {
        let (mut from, mut to) = (File::open(path)?, File::create(&partial)?);
        let mut at = 0;
        for range in ranges {
            io::copy(&mut (&from).take(range.start - at), &mut to)?;
            at = from.seek(SeekFrom::Start(range.end))?;
        }
        io::copy(&mut from, &mut to)?;
        to.sync_all()?;
        fs::rename(&partial, path)
    };
    copy().inspect_err(|_| drop(fs::remove_file(&partial)))
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
