//! The events of a log that grows, as they come.
//!
//! Each event comes once, whatever is written meanwhile: new runs, new files, several writers. Within a file
//! they keep their order; what comes in one look is ordered by wall time.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::decode::{Decoded, Decoder};
use super::discover::discover;
use super::problem::Problem;
use super::records::Records;
use crate::flow::{ByTime, Event};
use crate::log::Error;
use crate::record::{FOOTER_LEN, HEADER_LEN, Tail};
use crate::types::RunName;

/// Follows a log directory, which need not be there yet.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Follower, Writer};
/// let mut follower = Follower::of(dir.path());
/// let writer = Writer::create(dir.path())?;
/// let run = writer.run("train");
/// for step in 0..3_i64 {
///     run.scalar("loss", step, 0.5);
///     writer.flush();
///     let events = follower.next_events()?;
///     assert_eq!((events.len(), events[0].step.as_i64()), (1, step));
/// }
/// assert!(follower.next_events()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follower {
    dir: PathBuf,
    runs: BTreeMap<RunName, Decoder>,
    files: BTreeMap<PathBuf, File>,
    problems: Vec<Problem>,
}

#[derive(Debug)]
struct File {
    records: Records,
    len: Option<u64>,
    last_step: Option<i64>,
    /// Events given so far; and how many of those that come are not to be given again.
    given: u64,
    skip: u64,
}

/// A look at a long log is divided into parts of about so many events.
const PART: usize = 1 << 14;
/// Many files may be followed at once.
const CHUNK: usize = 64 << 10;

impl Follower {
    /// Follows `dir` from its begin.
    pub fn of(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
            runs: BTreeMap::new(),
            files: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// The next events that are there, some thousands at most; none where there are no more for now.
    ///
    /// # Errors
    /// [`Error::Read`] where the directory is there and cannot be read.
    pub fn next_events(&mut self) -> Result<Vec<Event>, Error> {
        let found = match discover(&self.dir) {
            Ok(found) => found,
            Err(Error::NoEvents { .. }) => return Ok(Vec::new()),
            Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let mut events = Vec::new();
        for (run, paths) in found.runs {
            let decoder = self
                .runs
                .entry(run.clone())
                .or_insert_with(|| Decoder::new(run));
            for path in paths {
                let file = self
                    .files
                    .entry(path)
                    .or_insert_with_key(|path| File::new(path.clone()));
                file.read(decoder, &mut events, &mut self.problems);
                if events.len() >= PART {
                    break;
                }
            }
        }
        events.sort_by_key(|event| ByTime(event.wall_time));
        Ok(events)
    }

    /// What could not be read since this was asked last.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }
}

impl File {
    fn new(path: PathBuf) -> Self {
        Self {
            records: Records::new(path, CHUNK),
            len: None,
            last_step: None,
            given: 0,
            skip: 0,
        }
    }

    fn read(
        &mut self,
        decoder: &mut Decoder,
        events: &mut Vec<Event>,
        problems: &mut Vec<Problem>,
    ) {
        let len = std::fs::metadata(self.records.path()).map(|file| file.len());
        let Ok(len) = len else {
            return;
        };
        if Some(len) == self.len {
            return;
        }
        if let Some(known) = self.len {
            let path = || self.records.path().to_owned();
            if len < known {
                // Written anew: these are other events.
                *self = Self::new(path());
            } else if self.records.must_begin_anew() {
                let skip = self.given;
                *self = Self::new(path());
                self.skip = skip;
            }
        }
        let mut decoded: VecDeque<Decoded> = VecDeque::new();
        loop {
            if events.len() >= PART {
                // The rest comes at the next look.
                self.len = None;
                break;
            }
            let Some(record) = self.records.next(Tail::Growing, self.last_step) else {
                self.len = Some(len);
                break;
            };
            let (offset, length) = (record.offset, record.payload.len());
            if let Err(kind) = decoder.record(record.payload, &mut decoded) {
                let length = (HEADER_LEN + length + FOOTER_LEN) as u64;
                self.records.problem(kind, offset, length, self.last_step);
            }
            if let Some((event, _)) = decoded.front() {
                let step = event.step.as_i64();
                self.last_step = Some(step);
                self.records.settle(step);
            }
            for (event, _) in decoded.drain(..) {
                self.given += 1;
                if self.skip > 0 {
                    self.skip -= 1;
                } else {
                    events.push(event);
                }
            }
        }
        self.records.close();
        problems.append(&mut self.records.all_problems());
    }
}
