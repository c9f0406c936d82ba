//! The event files of one run: one after the other, each only appended to.
//!
//! A record that was not written whole is written again, in a new file: behind a torn record no
//! reader of TensorBoard's finds anything.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message;

use super::{Error, Report, encode, name};
use crate::proto::{self, event::What};
use crate::record::{Item, RecordReader, Tail};
use crate::types::{Step, WallTime};

/// Records handed over at once.
const WRITE_AT: usize = 256 << 10;
/// Records kept while the disk refuses them; what comes beyond is dropped and counted.
const BACKLOG: usize = 1 << 20;
/// How long a refused file rests before the next try.
const RETRY: Duration = Duration::from_secs(1);

/// What a writer counts: any thread adds.
#[derive(Debug, Default)]
pub(super) struct Account {
    written: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    first: Mutex<Option<Error>>,
}

impl Account {
    /// Counts a failure and the values that it cost.
    #[cold]
    pub(super) fn fail(&self, error: Error, dropped: u64) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }

    pub(super) fn report(&self) -> Report {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Report {
            written: read(&self.written),
            dropped: read(&self.dropped),
            bytes: read(&self.bytes),
            failures: read(&self.failures),
        }
    }

    pub(super) fn take_first(&self) -> Option<Error> {
        self.first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn wrote(&self, values: u64, bytes: usize) {
        self.written.fetch_add(values, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// How the next file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// As the run's first: with a START at step 0, unless the directory has files already; then, where
    /// the run resumes at a step, with a START there.
    Run { resume_at: Option<Step> },
    /// As one that only goes on: a START would void what came before.
    GoOn,
}

#[derive(Debug)]
pub(super) struct EventFile {
    dir: PathBuf,
    suffix: String,
    start: Start,
    open: Option<(File, PathBuf)>,
    /// Whole records that are not written yet, and how many values they hold.
    buffer: Vec<u8>,
    values: u64,
    refused: Option<Instant>,
}

impl EventFile {
    pub(super) fn new(dir: PathBuf, suffix: String, resume_at: Option<Step>) -> Self {
        let start = Start::Run { resume_at };
        Self {
            dir,
            suffix,
            start,
            open: None,
            buffer: Vec::new(),
            values: 0,
            refused: None,
        }
    }

    /// Lets `encode` append whole records that hold `values` values.
    #[inline]
    pub(super) fn append(
        &mut self,
        values: u64,
        account: &Account,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.refused.is_some() && self.buffer.len() >= BACKLOG {
            account.fail(Error::Overflow, values);
            return;
        }
        encode(&mut self.buffer);
        self.values += values;
        if self.buffer.len() >= WRITE_AT && self.refused.is_none() {
            self.flush(account);
        }
    }

    /// Hands all records to the operating system. What it refuses is kept, within a bound, and tried again.
    pub(super) fn flush(&mut self, account: &Account) {
        if self.buffer.is_empty() || self.refused.is_some_and(|since| since.elapsed() < RETRY) {
            return;
        }
        self.flush_now(account);
    }

    /// The last try: what the disk refuses now is lost, and counted.
    pub(super) fn finish(&mut self, sync: bool, account: &Account) {
        if !self.buffer.is_empty() {
            self.flush_now(account);
        }
        if !self.buffer.is_empty() {
            account.fail(Error::Overflow, self.values);
            self.buffer.clear();
        }
        if sync {
            self.sync(account);
        }
    }

    /// Waits until the disk has what was written.
    pub(super) fn sync(&mut self, account: &Account) {
        if let Some((file, path)) = &self.open
            && let Err(source) = file.sync_data()
        {
            account.fail(
                Error::Write {
                    path: path.clone(),
                    source,
                },
                0,
            );
        }
    }

    fn flush_now(&mut self, account: &Account) {
        let opened = match self.open.take() {
            Some(open) => Ok(open),
            None => self.create(),
        };
        let (mut file, path) = match opened {
            Ok(open) => open,
            Err(source) => {
                account.fail(
                    Error::Create {
                        path: self.dir.clone(),
                        source,
                    },
                    0,
                );
                self.refused = Some(Instant::now());
                return;
            }
        };
        match write_fully(&mut file, &self.buffer) {
            (_, Ok(())) => {
                account.wrote(self.values, self.buffer.len());
                self.values = 0;
                self.buffer.clear();
                self.buffer.shrink_to(2 * WRITE_AT);
                self.open = Some((file, path));
                self.refused = None;
            }
            (written, Err(source)) => {
                account.fail(Error::Write { path, source }, 0);
                let (whole, values) = whole_records(&self.buffer[..written]);
                account.wrote(values, written);
                self.values -= values.min(self.values);
                self.buffer.drain(..whole);
                self.refused = Some(Instant::now());
            }
        }
    }

    fn create(&mut self) -> io::Result<(File, PathBuf)> {
        fs::create_dir_all(&self.dir)?;
        let step = match self.start {
            Start::GoOn => None,
            Start::Run { resume_at } if !name::event_files(&self.dir)?.is_empty() => resume_at,
            Start::Run { .. } => Some(Step::ZERO),
        };
        let (mut file, path) = name::create_new(&self.dir, &self.suffix)?;
        let (mut head, now) = (Vec::new(), WallTime::now());
        encode::file_version(&mut head, now);
        if let Some(step) = step {
            encode::session_start(&mut head, now, step);
        }
        write_fully(&mut file, &head).1?;
        self.start = Start::GoOn;
        Ok((file, path))
    }
}

/// Writes all of `bytes`, or says how many were written before it failed.
fn write_fully(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// How many bytes of `written` are whole records, and how many values those hold.
fn whole_records(written: &[u8]) -> (usize, u64) {
    let (mut whole, mut values) = (0, 0);
    let mut reader = RecordReader::new(written);
    while let Ok(Item::Record(record)) = reader.next(Tail::Growing) {
        whole = record.offset as usize + record.payload.len() + 16;
        if let Ok(proto::Event {
            what: Some(What::Summary(summary)),
            ..
        }) = proto::Event::decode(record.payload)
        {
            values += summary.value.len() as u64;
        }
    }
    (whole, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_written_before_a_failure_are_not_written_again() {
        let mut bytes = Vec::new();
        encode::value(&mut bytes, 1.0, 1.into(), "a", &0.5.into());
        let first = bytes.len();
        encode::value(&mut bytes, 1.0, 2.into(), "a", &0.5.into());
        assert_eq!(whole_records(&bytes[..first + 7]), (first, 1));
        assert_eq!(whole_records(&bytes), (bytes.len(), 2));
        assert_eq!(whole_records(&bytes[..7]), (0, 0));
    }
}
