//! The records of one event file, and what of it could not be read.
//!
//! Nothing that is wrong with one file is an error of anything else: it ends that file's records, and is
//! told as a problem.

use std::io;
use std::path::{Path, PathBuf};

use super::file::{EventFile, Shrunk};
use super::problem::{Problem, ProblemKind};
use crate::record::{Item, Record, RecordReader, Tail};
use crate::types::Step;

/// What is read of a file at a time.
pub(in crate::log) const CHUNK: usize = 256 << 10;

/// What is read at a time where one record is wanted.
const CHUNK_OF_ONE: usize = 16 << 10;

#[derive(Debug)]
pub(in crate::log) struct Records {
    reader: RecordReader<EventFile>,
    /// Whole records, and those of them that lie behind a stretch which holds none.
    pub(super) whole: u64,
    pub(super) recovered: u64,
    pub(in crate::log) problems: Vec<Problem>,
    /// From which problem on the step behind is not known yet.
    unsettled: usize,
    broken: bool,
    failed: bool,
}

impl Records {
    /// Reads the file at `path` with at most `chunk` bytes at a time.
    pub(in crate::log) fn new(path: PathBuf, chunk: usize) -> Self {
        // A small file needs a small buffer.
        let len = std::fs::metadata(&path).map_or(0, |file| file.len());
        let chunk = usize::try_from(len.saturating_add(1)).map_or(chunk, |len| len.min(chunk));
        Self {
            reader: RecordReader::with_chunk(EventFile::new(path), chunk),
            whole: 0,
            recovered: 0,
            problems: Vec::new(),
            unsettled: 0,
            broken: false,
            failed: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.reader.source().path()
    }

    /// How many bytes were read of the file, or came out of it.
    pub(super) fn taken(&self) -> u64 {
        self.reader.taken()
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.reader.source().is_compressed()
    }

    /// Whether a file that grew must be read from its begin again: a decompressor cannot be taken up
    /// again, and the first bytes may not have told yet whether one is needed.
    pub(super) fn must_begin_anew(&self) -> bool {
        const FIRST_BYTES: u64 = 64 << 10;
        let undecided = self.whole == 0 && self.taken() < FIRST_BYTES;
        self.failed || undecided || self.reader.source().is_compressed()
    }

    /// Gives the file back to the system until the next record is asked for.
    pub(super) fn close(&mut self) {
        self.reader.source_mut().close();
    }

    /// The next whole record; `None` at the end of what is there. `last_step` is that of the values read
    /// last.
    #[inline]
    pub(in crate::log) fn next(
        &mut self,
        tail: Tail,
        last_step: Option<i64>,
    ) -> Option<Record<'_>> {
        if self.failed {
            return None;
        }
        loop {
            // The borrow checker cannot see that a record ends the loop.
            let (kind, offset, length) = match self.reader.next(tail) {
                Ok(Item::Record(record)) => {
                    let (offset, len) = (record.offset, record.payload.len());
                    self.whole += 1;
                    // A record without payload says nothing; a search would not have found it.
                    self.recovered += u64::from(self.broken && len > 0);
                    return self.reader.last(offset, len);
                }
                Ok(Item::Damage(damage)) => (damage.kind.into(), damage.offset, damage.length),
                Ok(Item::End) => return None,
                Err(error) => {
                    self.failed = true;
                    (self.kind_of(&error), self.reader.taken(), 0)
                }
            };
            self.problem(kind, offset, length, last_step);
            if self.failed {
                return None;
            }
        }
    }

    fn kind_of(&self, error: &io::Error) -> ProblemKind {
        let inner = error.get_ref();
        if inner.is_some_and(|inner| inner.is::<Shrunk>()) {
            return ProblemKind::Shrunk;
        }
        match error.kind() {
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
                if self.is_compressed() =>
            {
                ProblemKind::BadCompression
            }
            _ => ProblemKind::Unreadable(error.to_string()),
        }
    }

    /// Reads the file at `path` from a record at `offset` on.
    pub(super) fn at(path: PathBuf, offset: u64) -> io::Result<Self> {
        let mut records = Self::new(path, CHUNK_OF_ONE);
        records.reader.source_mut().skip_to(offset)?;
        let source = records.reader.source();
        if source.position() > 0 {
            let position = source.position();
            records.reader.begin_at(position);
        }
        Ok(records)
    }

    /// The problems so far; of the last ones it may not be known what is behind them.
    pub(super) fn all_problems(&mut self) -> Vec<Problem> {
        self.unsettled = 0;
        std::mem::take(&mut self.problems)
    }

    /// The problems to which nothing is to be added.
    pub(super) fn settled(&mut self) -> Vec<Problem> {
        self.problems
            .drain(..std::mem::take(&mut self.unsettled))
            .collect()
    }

    /// Notes a problem behind values of `last_step`.
    #[cold]
    pub(in crate::log) fn problem(
        &mut self,
        kind: ProblemKind,
        offset: u64,
        length: u64,
        last_step: Option<i64>,
    ) {
        self.broken |= kind.breaks_framing();
        self.problems.push(Problem {
            path: self.path().to_owned(),
            offset,
            length,
            kind,
            before: last_step.map(Step::from),
            after: None,
        });
    }

    /// Tells that values of `step` came behind the problems so far.
    #[inline]
    pub(in crate::log) fn settle(&mut self, step: i64) {
        if self.unsettled < self.problems.len() {
            for problem in &mut self.problems[self.unsettled..] {
                problem.after = Some(Step::from(step));
            }
            self.unsettled = self.problems.len();
        }
    }
}
