//! A clean copy of a damaged log: all whole records, byte for byte, and nothing else.
//!
//! The log itself is only read. What is left out is what makes TensorBoard's readers stop or fail: damage,
//! records that are no events, tensors whose shapes lie.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use prost::Message;

use super::discover::discover;
use super::problem::{Problem, ProblemKind};
use super::records::{CHUNK, Records};
use super::scan::{Point, Points, Scan};
use crate::log::record_file::{RecordFile, check_unused};
use crate::log::{Error, copy_projector, name};
use crate::proto::{self, event::What};
use crate::record::{FOOTER_LEN, HEADER_LEN, Tail};

/// What a repair saved of one event file.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let (old, new) = (dir.path().join("old"), dir.path().join("new"));
/// use modelpulse::log::{Writer, repair};
/// let writer = Writer::create(&old)?;
/// (0..3_i64).for_each(|step| writer.run(".").scalar("loss", step, 0.5));
/// writer.finish()?;
/// let path = std::fs::read_dir(&old)?.next().unwrap()?.path();
/// let mut bytes = std::fs::read(&path)?;
/// let len = bytes.len();
/// bytes[len - 30] ^= 1;
/// std::fs::write(&path, bytes)?;
///
/// let saved = &repair(&old, &new, |_| ())?[0];
/// assert_eq!(saved.problems.len(), 1);
/// assert_eq!(std::fs::read(&saved.to)?, std::fs::read(&path)?[..std::fs::metadata(&saved.to)?.len() as usize]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Repaired {
    /// The event file.
    pub from: PathBuf,
    /// Its clean copy, which is not made where there is no whole record.
    pub to: PathBuf,
    /// Records copied.
    pub records: u64,
    /// Those of them that lie behind damage, where other readers no longer come.
    pub recovered: u64,
    /// Whole records that were left out.
    pub left_out: u64,
    /// What is wrong with the file.
    pub problems: Vec<Problem>,
}

/// Copies the whole records of the log directory `from` into the directory `to`, file by file. `progress`
/// is told how many bytes were read, now and then.
///
/// A compressed file becomes a plain one. The projector's settings and files are copied as they are. Of a file whose first record was lost, the copy begins with a
/// new one that says the version, so that its STARTs keep their meaning.
///
/// # Errors
/// [`Error::Read`] or [`Error::NoEvents`] where `from` cannot be read, [`Error::InUse`] where `to` holds
/// event files already, [`Error::Write`] where the copy cannot be written, or would lie in `from`.
pub fn repair(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    progress: impl Fn(u64),
) -> Result<Vec<Repaired>, Error> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let found = discover(from)?;
    check_unused(to)?;
    if name::is_within(to, from) {
        return Err(Error::Write {
            path: to.to_owned(),
            source: std::io::Error::other("it lies in the log that is repaired"),
        });
    }
    let (mut repaired, mut dirs) = (Vec::new(), BTreeSet::from([from.to_owned()]));
    for path in found.runs.into_values().flatten() {
        let below = match path.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => below.to_owned(),
            _ => path.file_name().map(PathBuf::from).unwrap_or_default(),
        };
        dirs.extend(path.parent().map(Path::to_owned));
        repaired.push(copy(path, to.join(below), &progress)?);
    }
    for dir in dirs {
        if let Ok(below) = dir.strip_prefix(from) {
            copy_projector(&dir, &to.join(below))?;
        }
    }
    Ok(repaired)
}

fn copy(from: PathBuf, to: PathBuf, progress: &impl Fn(u64)) -> Result<Repaired, Error> {
    let mut records = Records::new(from.clone(), CHUNK);
    let mut scan = Scan::new(Nobody);
    let mut file = RecordFile::new(to.clone());
    let (mut copied, mut left_out, mut told) = (0, 0, 0);
    while let Some(record) = records.next(Tail::Final, scan.last_step()) {
        let (offset, length) = (record.offset, record.payload.len());
        let before = scan.last_step();
        match scan.record(offset, record.payload) {
            Ok(()) => {
                if copied == 0 && offset > 0 {
                    version(record.payload).map_or(Ok(()), |version| file.append(&version))?;
                }
                file.append(record.payload)?;
                copied += 1;
            }
            Err(kind) => {
                left_out += 1;
                let length = (HEADER_LEN + length + FOOTER_LEN) as u64;
                records.problem(kind, offset, length, before);
            }
        }
        if let Some(step) = scan.last_step().filter(|_| scan.is_last(offset)) {
            records.settle(step);
        }
        if offset - told >= 1 << 20 {
            progress(offset - told);
            told = offset;
        }
    }
    if let Some(problem) = records.problems.last()
        && let ProblemKind::Unreadable(why) = &problem.kind
    {
        let source = std::io::Error::other(why.clone());
        return Err(Error::Read { path: from, source });
    }
    if copied > 0 {
        file.finish()?;
    }
    progress(records.taken().saturating_sub(told));
    Ok(Repaired {
        from,
        to,
        records: copied,
        recovered: records.recovered.min(copied),
        left_out,
        problems: records.problems,
    })
}

/// A record of the version for a file that lost it; `None` where `first`, its first record, says it.
fn version(first: &[u8]) -> Option<Vec<u8>> {
    let first = proto::Event::decode(first).ok()?;
    if let Some(What::FileVersion(_)) = first.what {
        return None;
    }
    let event = proto::Event {
        wall_time: first.wall_time,
        what: Some(What::FileVersion("brain.Event:2".to_owned())),
        ..proto::Event::default()
    };
    Some(event.encode_to_vec())
}

/// Takes no points.
struct Nobody;

impl Points for Nobody {
    fn point(&mut self, _: usize, _: Point) {}
}
