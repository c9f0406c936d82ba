//! The reader of a log directory: its runs, merged by wall time into instants.
//!
//! All points are kept. What is damaged is passed over and reported, never an end to the reading.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use prost::Message;

use super::{Error, name};
use crate::flow::{ByTime, Event, SinkError, Source};
use crate::proto::{self, SummaryMetadata, event::What, summary::value};
use crate::record::{Damage, Item, RecordReader, Tail};
use crate::summary::{Tensor, Value};
use crate::types::{RunName, Step, Tag};

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
/// assert!(log.next_instant()?.is_none() && log.problems().is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct LogReader {
    runs: Vec<RunReader>,
    /// The wall time of each run's next event, the earliest on top.
    heads: BinaryHeap<Reverse<(ByTime, usize)>>,
    problems: Vec<Problem>,
}

/// A part of a log that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// How many bytes were passed over.
    pub length: u64,
    /// What is wrong there.
    pub kind: &'static str,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            path,
            offset,
            length,
            kind,
        } = self;
        write!(
            f,
            "{} at byte {offset}: {kind}; {length} bytes passed over",
            path.display()
        )
    }
}

impl LogReader {
    /// Finds the runs of `dir`: the directories at and below it that hold event files.
    ///
    /// # Errors
    /// [`Error::Read`] where a directory cannot be read, [`Error::NoEvents`] where there is no run.
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
        let mut found = Self::runs(dir)?;
        found.retain(|run, _| takes(run));
        let mut reader = Self {
            runs: Vec::new(),
            heads: BinaryHeap::new(),
            problems: Vec::new(),
        };
        for (run, files) in found {
            reader.runs.push(RunReader {
                run,
                files,
                open: None,
                next: VecDeque::new(),
                metadata: HashMap::new(),
            });
            reader.requeue(reader.runs.len() - 1)?;
        }
        Ok(reader)
    }

    /// The names of the runs of `dir`, sorted.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn run_names(dir: impl AsRef<Path>) -> Result<Vec<RunName>, Error> {
        Ok(Self::runs(dir)?.into_keys().collect())
    }

    /// The runs of `dir` and their event files, in readers' order.
    pub(super) fn runs(
        dir: impl AsRef<Path>,
    ) -> Result<BTreeMap<RunName, VecDeque<PathBuf>>, Error> {
        let dir = dir.as_ref();
        let mut found = BTreeMap::new();
        discover(dir, RunName::root(), &mut found)?;
        if found.is_empty() {
            return Err(Error::NoEvents {
                path: dir.to_owned(),
            });
        }
        Ok(found)
    }

    /// What could not be read so far.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn requeue(&mut self, run: usize) -> Result<(), Error> {
        if let Some(wall_time) = self.runs[run].peek(&mut self.problems)? {
            self.heads.push(Reverse((ByTime(wall_time), run)));
        }
        Ok(())
    }
}

impl LogReader {
    /// The next instant: all events of one wall time, ordered by run; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Read`] where a file cannot be read.
    pub fn instant(&mut self) -> Result<Option<Vec<Event>>, Error> {
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
                .peek(&mut self.problems)?
                .is_some_and(|next| ByTime(next) == time)
            {
                instant.extend(reader.next.pop_front());
            }
            self.requeue(run)?;
        }
        Ok(Some(instant))
    }
}

impl Source for LogReader {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        Ok(self.instant()?)
    }
}

/// Collects the event files of `dir` and of the directories below it.
fn discover(
    dir: &Path,
    run: RunName,
    found: &mut BTreeMap<RunName, VecDeque<PathBuf>>,
) -> Result<(), Error> {
    let fail = |source| Error::Read {
        path: dir.to_owned(),
        source,
    };
    let files: VecDeque<PathBuf> = name::event_files(dir)
        .map_err(fail)?
        .into_iter()
        .map(|name| dir.join(name))
        .collect();
    if !files.is_empty() {
        found.insert(run.clone(), files);
    }
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_type().map_err(fail)?.is_dir() {
            let name = entry.file_name();
            let below = run.path_of(&name.to_string_lossy());
            discover(&entry.path(), RunName::from(below), found)?;
        }
    }
    Ok(())
}

/// One run: its files, one behind the other.
#[derive(Debug)]
struct RunReader {
    run: RunName,
    files: VecDeque<PathBuf>,
    open: Option<(PathBuf, RecordReader<File>)>,
    /// The events of the record read last.
    next: VecDeque<Event>,
    /// What a tag's first value said of it; later values may leave it out.
    metadata: HashMap<String, SummaryMetadata>,
}

impl RunReader {
    /// The wall time of the next event.
    fn peek(&mut self, problems: &mut Vec<Problem>) -> Result<Option<f64>, Error> {
        loop {
            if let Some(event) = self.next.front() {
                return Ok(Some(event.wall_time));
            }
            let (path, reader) = match &mut self.open {
                Some(open) => open,
                None => {
                    let Some(path) = self.files.pop_front() else {
                        return Ok(None);
                    };
                    let file = File::open(&path).map_err(|source| Error::Read {
                        path: path.clone(),
                        source,
                    })?;
                    self.open.insert((path, RecordReader::new(file)))
                }
            };
            let item = reader.next(Tail::Final).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            let problem = |offset, length, kind| Problem {
                path: path.clone(),
                offset,
                length,
                kind,
            };
            match item {
                Item::Record(record) => match proto::Event::decode(record.payload) {
                    Ok(event) => self
                        .next
                        .extend(events(&self.run, event, &mut self.metadata)),
                    Err(_) => problems.push(problem(
                        record.offset,
                        record.payload.len() as u64,
                        "not an event",
                    )),
                },
                Item::Damage(Damage {
                    kind,
                    offset,
                    length,
                }) => problems.push(problem(offset, length, kind.name())),
                Item::End => self.open = None,
            }
        }
    }
}

fn events(
    run: &RunName,
    event: proto::Event,
    known: &mut HashMap<String, SummaryMetadata>,
) -> Vec<Event> {
    let summary = match event.what {
        Some(What::Summary(summary)) => summary,
        Some(field) => {
            let value = Value::of_field(field).map(|(tag, value)| Event {
                run: run.clone(),
                tag: Tag::from(tag),
                step: Step::from(event.step),
                wall_time: event.wall_time,
                value,
            });
            return Vec::from_iter(value);
        }
        None => return Vec::new(),
    };
    let values = summary.value.into_iter().filter_map(|value| {
        let metadata = match (value.metadata, known.get(&value.tag)) {
            (_, Some(first)) => first.clone(),
            (Some(first), None) => known.entry(value.tag.clone()).or_insert(first).clone(),
            (None, None) => SummaryMetadata::default(),
        };
        let content = match value.value {
            Some(value::Value::Tensor(tensor)) => Tensor { metadata, tensor }.into(),
            Some(older) => Value::of_older(older)?,
            None => Value::of_metadata(metadata)?,
        };
        Some(Event {
            run: run.clone(),
            tag: Tag::from(value.tag),
            step: Step::from(event.step),
            wall_time: event.wall_time,
            value: content,
        })
    });
    values.collect()
}
