//! The whole records of a run, one file behind the other, for whoever copies a log.
//!
//! A record is kept as it was written, beside what it says; damage is passed over and reported.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use super::{Error, LogReader, Problem};
use crate::proto;
use crate::record::{Item, RecordReader, Tail};
use crate::types::RunName;

/// A record and the file that it stands in.
#[derive(Debug)]
pub(crate) struct LogRecord {
    pub(crate) file: Arc<Path>,
    pub(crate) payload: Bytes,
    pub(crate) event: proto::Event,
}

/// The records of one run.
#[derive(Debug)]
pub(crate) struct RunRecords {
    run: RunName,
    files: VecDeque<PathBuf>,
    open: Option<(Arc<Path>, RecordReader<File>)>,
    next: Option<LogRecord>,
    problems: Vec<Problem>,
}

impl RunRecords {
    /// The runs of the log directory `dir`, sorted by name.
    pub(crate) fn of(dir: &Path) -> Result<Vec<Self>, Error> {
        let runs = LogReader::runs(dir)?.into_iter();
        Ok(runs
            .map(|(run, files)| Self {
                run,
                files,
                open: None,
                next: None,
                problems: Vec::new(),
            })
            .collect())
    }

    pub(crate) fn run(&self) -> &RunName {
        &self.run
    }

    /// The files that no record was read from yet.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The next record, which stays the next one.
    pub(crate) fn peek(&mut self) -> Result<Option<&LogRecord>, Error> {
        if self.next.is_none() {
            self.next = self.read()?;
        }
        Ok(self.next.as_ref())
    }

    /// Takes the next record.
    pub(crate) fn next(&mut self) -> Result<Option<LogRecord>, Error> {
        match self.next.take() {
            Some(record) => Ok(Some(record)),
            None => self.read(),
        }
    }

    /// What could not be read so far.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    fn read(&mut self) -> Result<Option<LogRecord>, Error> {
        loop {
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
                    self.open.insert((path.into(), RecordReader::new(file)))
                }
            };
            let item = reader.next(Tail::Final).map_err(|source| Error::Read {
                path: path.to_path_buf(),
                source,
            })?;
            let problem = match item {
                Item::Record(record) => {
                    let payload = Bytes::copy_from_slice(record.payload);
                    match proto::Event::decode(payload.clone()) {
                        Ok(event) => {
                            return Ok(Some(LogRecord {
                                file: path.clone(),
                                payload,
                                event,
                            }));
                        }
                        Err(_) => Problem {
                            path: path.to_path_buf(),
                            offset: record.offset,
                            length: payload.len() as u64,
                            kind: "not an event",
                        },
                    }
                }
                Item::Damage(damage) => Problem {
                    path: path.to_path_buf(),
                    offset: damage.offset,
                    length: damage.length,
                    kind: damage.kind.name(),
                },
                Item::End => {
                    self.open = None;
                    continue;
                }
            };
            self.problems.push(problem);
        }
    }
}
