//! The reader of a log directory: its runs, merged by wall time into instants.
//!
//! All points are kept. What is damaged is passed over and reported, never an end to the reading, and
//! never a matter of another file.

mod changes;
mod column;
mod decode;
mod discover;
mod file;
mod follow;
mod inspect;
mod problem;
mod purged;
mod records;
mod repair;
mod restart;
mod scan;
mod table;
mod tags;
mod tally;
mod threads;
mod values;
mod wire;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Error;
use crate::flow::{ByTime, Event, SinkError, Source};
use crate::record::{FOOTER_LEN, HEADER_LEN, Tail};
use crate::types::RunName;
use decode::{Decoded, Decoder};

pub use changes::Changes;
pub(super) use discover::discover;
pub use follow::Follower;
pub use inspect::{FileSummary, Inspection, RunSummary, SeriesSummary, total_bytes};
pub use problem::{Problem, ProblemKind};
pub use purged::PurgedReader;
pub(super) use records::{CHUNK, Records};
pub use repair::{Repaired, repair};
pub use restart::{ParseRestartError, Restart};
pub(super) use scan::not_an_event;
pub use table::{Log, LogFile, LogPoint, LogPoints, LogRun, LogSeries, Place};
pub use values::LogValues;

/// Reads the log directory `dir` and every run below it.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{flow::Source, log::{LogReader, Writer}};
/// let writer = Writer::create(dir.path())?;
/// writer.run("train").scalar("loss", 0, 0.7);
/// writer.finish()?;
/// let mut log = LogReader::open(dir.path())?;
/// let instant = log.next_instant()?.unwrap();
/// assert_eq!(instant[0].path(), "train/loss");
/// assert!(log.places()[0].offset() > 0);
/// assert!(log.next_instant()?.is_none() && log.problems().is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct LogReader {
    runs: Vec<RunReader>,
    /// The wall time of each run's next event, the earliest on top.
    heads: BinaryHeap<Reverse<(ByTime, usize)>>,
    problems: Vec<Problem>,
    places: Vec<Place>,
}

/// All files together are read with about as many bytes at a time.
const BUFFERS: usize = 32 << 20;

impl LogReader {
    /// Finds the runs of `dir`: the directories at and below it that hold event files.
    ///
    /// # Errors
    /// [`Error::Read`] where `dir` cannot be read, [`Error::NoEvents`] where there is no run.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_runs(dir, |_| true)
    }

    /// As [`open`](Self::open), but reads only the runs that `takes` takes; the files of others are not opened.
    ///
    /// # Errors
    /// The same.
    pub fn open_runs(
        dir: impl AsRef<Path>,
        takes: impl Fn(&RunName) -> bool,
    ) -> Result<Self, Error> {
        let mut found = discover(dir.as_ref())?;
        found.runs.retain(|run, _| takes(run));
        let mut reader = Self {
            runs: Vec::new(),
            heads: BinaryHeap::new(),
            problems: found.problems,
            places: Vec::new(),
        };
        let chunk = (BUFFERS / found.runs.len().max(1)).clamp(16 << 10, 256 << 10);
        // A process may have about a thousand files open.
        let close = found.runs.len() > 256;
        for (run, files) in found.runs {
            reader.runs.push(RunReader {
                decoder: Decoder::new(run),
                files: files.into(),
                open: None,
                next: VecDeque::new(),
                read: 0,
                chunk,
                close,
            });
            reader.requeue(reader.runs.len() - 1);
        }
        Ok(reader)
    }

    /// What could not be read so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Where the events of the last instant stand, in their order.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// About how many bytes of its files were read so far: those of all whole records. [`total_bytes`] says how many
    /// they have.
    pub fn bytes_read(&self) -> u64 {
        self.runs.iter().map(|run| run.read).sum()
    }

    /// The names of the runs of `dir`, sorted.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn run_names(dir: impl AsRef<Path>) -> Result<Vec<RunName>, Error> {
        Ok(discover(dir.as_ref())?.runs.into_keys().collect())
    }

    fn requeue(&mut self, run: usize) {
        if let Some(wall_time) = self.runs[run].peek(&mut self.problems) {
            self.heads.push(Reverse((ByTime(wall_time), run)));
        }
    }

    /// The next instant: all events of one wall time, ordered by run; `None` at the end.
    ///
    /// # Errors
    /// None today: what cannot be read is a [problem](Self::problems).
    pub fn instant(&mut self) -> Result<Option<Vec<Event>>, Error> {
        self.places.clear();
        let Some(&Reverse((time, _))) = self.heads.peek() else {
            return Ok(None);
        };
        let mut instant = Vec::new();
        while let Some(&Reverse((head, run))) = self.heads.peek() {
            if head != time {
                break;
            }
            self.heads.pop();
            let reader = &mut self.runs[run];
            while reader
                .peek(&mut self.problems)
                .is_some_and(|next| ByTime(next) == time)
            {
                if let Some((event, place)) = reader.next.pop_front() {
                    instant.push(event);
                    self.places.push(place);
                }
            }
            self.requeue(run);
        }
        Ok(Some(instant))
    }
}

impl Source for LogReader {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        Ok(self.instant()?)
    }
}

/// One run: its files, one behind the other.
#[derive(Debug)]
struct RunReader {
    decoder: Decoder,
    files: VecDeque<PathBuf>,
    open: Option<OpenFile>,
    /// The events of the record read last.
    next: VecDeque<(Event, Place)>,
    /// Bytes of the records read.
    read: u64,
    chunk: usize,
    close: bool,
}

#[derive(Debug)]
struct OpenFile {
    path: Arc<Path>,
    records: Records,
    last_step: Option<i64>,
    decoded: VecDeque<Decoded>,
}

impl RunReader {
    /// The wall time of the next event.
    fn peek(&mut self, problems: &mut Vec<Problem>) -> Option<f64> {
        loop {
            if let Some((event, _)) = self.next.front() {
                return Some(event.wall_time);
            }
            let file = match &mut self.open {
                Some(file) => file,
                None => {
                    let path = self.files.pop_front()?;
                    self.open.insert(OpenFile {
                        path: path.as_path().into(),
                        records: Records::new(path, self.chunk),
                        last_step: None,
                        decoded: VecDeque::new(),
                    })
                }
            };
            let records = &mut file.records;
            let Some(record) = records.next(Tail::Final, file.last_step) else {
                problems.append(&mut records.problems);
                self.open = None;
                continue;
            };
            let offset = record.offset;
            let length = (HEADER_LEN + record.payload.len() + FOOTER_LEN) as u64;
            self.read += length;
            let decoded = self.decoder.record(record.payload, &mut file.decoded);
            if let Err(kind) = decoded {
                records.problem(kind, offset, length, file.last_step);
            }
            if let Some((event, _)) = file.decoded.front() {
                let step = event.step.as_i64();
                file.last_step = Some(step);
                records.settle(step);
            }
            let place = |nth| Place::new(file.path.clone(), offset, nth);
            let next = file.decoded.drain(..);
            self.next
                .extend(next.map(|(event, nth)| (event, place(nth))));
            // What is certain by now is told now.
            problems.append(&mut records.settled());
            if self.close {
                records.close();
            }
        }
    }
}
