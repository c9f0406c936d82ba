//! The whole records of a run, one file behind the other, for whoever copies a log.
//!
//! A record is kept as it was written, beside what it says; damage is passed over and reported.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use prost::bytes::Bytes;

use super::reader::{CHUNK, Records, discover, not_an_event};
use super::{Error, Problem};
use crate::proto;
use crate::record::{FOOTER_LEN, HEADER_LEN, Tail};
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
    open: Option<(Arc<Path>, Records)>,
    next: Option<LogRecord>,
    /// That of the last values of the open file.
    last_step: Option<i64>,
    problems: Vec<Problem>,
}

impl RunRecords {
    /// The runs of the log directory `dir`, sorted by name.
    pub(crate) fn of(dir: &Path) -> Result<Vec<Self>, Error> {
        let runs = discover(dir)?.runs.into_iter();
        Ok(runs
            .map(|(run, files)| Self {
                run,
                files: files.into(),
                open: None,
                next: None,
                last_step: None,
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

    /// The directory of the files.
    pub(crate) fn dir(&self) -> Option<&Path> {
        self.files.front()?.parent()
    }

    /// The next record, which stays the next one.
    pub(crate) fn peek(&mut self) -> Result<Option<&LogRecord>, Error> {
        if self.next.is_none() {
            self.next = self.read();
        }
        Ok(self.next.as_ref())
    }

    /// Takes the next record.
    pub(crate) fn next(&mut self) -> Result<Option<LogRecord>, Error> {
        match self.next.take() {
            Some(record) => Ok(Some(record)),
            None => Ok(self.read()),
        }
    }

    /// What could not be read so far.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    fn read(&mut self) -> Option<LogRecord> {
        loop {
            let (path, records) = match &mut self.open {
                Some(open) => open,
                None => {
                    let path = self.files.pop_front()?;
                    let shared = path.as_path().into();
                    self.open.insert((shared, Records::new(path, CHUNK)))
                }
            };
            let Some(record) = records.next(Tail::Final, self.last_step) else {
                self.problems.append(&mut records.problems);
                self.open = None;
                self.last_step = None;
                continue;
            };
            let offset = record.offset;
            let payload = Bytes::copy_from_slice(record.payload);
            match proto::Event::decode(payload.clone()) {
                Ok(event) => {
                    if let Some(proto::event::What::Summary(_)) = event.what {
                        self.last_step = Some(event.step);
                        records.settle(event.step);
                    }
                    return Some(LogRecord {
                        file: path.clone(),
                        payload,
                        event,
                    });
                }
                Err(error) => {
                    let length = (HEADER_LEN + payload.len() + FOOTER_LEN) as u64;
                    records.problem(not_an_event(&error), offset, length, self.last_step);
                }
            }
        }
    }
}
