//! The event files of one run: one after the other, each only appended to.
//!
//! A record that was not written whole is written again, in a new file: behind a torn record no
//! reader of TensorBoard's finds anything.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use prost::Message;

use super::account::Account;
use super::{Error, encode, name, resume};
use crate::proto::{self, event::What};
use crate::record::{Item, RecordReader, Tail, seal};
use crate::types::{Step, WallTime};

/// Records handed over at once.
const WRITE_AT: usize = 256 << 10;
/// Records kept while the disk refuses them; what comes beyond is dropped and counted.
const BACKLOG: usize = 1 << 20;
/// How long a refused file rests before the next try, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How the files of a run are named, and how many are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) suffix: String,
    /// A file that has this many bytes is followed by a new one.
    pub(super) rotate_at: Option<u64>,
    /// The oldest files beyond this many bytes are removed.
    pub(super) keep_bytes: Option<u64>,
    /// Files that were last written longer ago are removed.
    pub(super) keep_for: Option<Duration>,
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
struct Open {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Open {
    fn sync(&self, account: &Account) {
        if let Err(source) = self.file.sync_data() {
            let path = self.path.clone();
            account.fail(Error::Write { path, source }, 0);
        }
    }
}

#[derive(Debug)]
struct Refused {
    until: Instant,
    rest: Duration,
}

#[derive(Debug)]
pub(super) struct EventFile {
    dir: PathBuf,
    files: Arc<Files>,
    start: Start,
    open: Option<Open>,
    /// The locked directory: a lock on it ends with the process, however that ends.
    lock: Option<File>,
    /// Records that are not written yet, their checksums still missing, and how many values they hold.
    buffer: Vec<u8>,
    values: u64,
    refused: Option<Refused>,
    /// Failures since all was written last.
    failures: u64,
}

impl EventFile {
    pub(super) fn new(dir: PathBuf, files: Arc<Files>, resume_at: Option<Step>) -> Self {
        Self {
            dir,
            files,
            start: Start::Run { resume_at },
            open: None,
            lock: None,
            buffer: Vec::new(),
            values: 0,
            refused: None,
            failures: 0,
        }
    }

    /// The run goes on from `step`, in a new file.
    pub(super) fn resume_at(&mut self, step: Step, account: &Account) {
        self.flush(account, true);
        self.sync(account);
        self.open = None;
        let resume_at = Some(step);
        self.start = Start::Run { resume_at };
    }

    /// Lets `encode` append records that hold `values` values.
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
        if self.buffer.len() >= WRITE_AT {
            self.flush(account, false);
        }
    }

    /// Hands all records to the operating system. What it refuses is kept, within a bound, and tried
    /// again after a rest, or at once with `now`.
    pub(super) fn flush(&mut self, account: &Account, now: bool) {
        let resting = |refused: &Refused| Instant::now() < refused.until;
        if self.buffer.is_empty() || (!now && self.refused.as_ref().is_some_and(resting)) {
            return;
        }
        // Twice, for a file that was removed under us has taken the records with it.
        if !self.write(account) {
            self.write(account);
        }
    }

    /// The last try: what the disk refuses now is lost, and counted.
    pub(super) fn finish(&mut self, sync: bool, account: &Account) {
        self.flush(account, true);
        if !self.buffer.is_empty() {
            account.fail(Error::Overflow, self.values);
            self.buffer.clear();
        }
        if sync {
            self.sync(account);
        }
        self.lock = None;
    }

    /// Waits until the disk has what was written, and the file's name. Files that were followed by
    /// others were waited for then.
    pub(super) fn sync(&mut self, account: &Account) {
        if let Some(open) = &self.open {
            open.sync(account);
        }
        if let Some(dir) = &self.lock {
            // Not every file system does this for a directory; the files' own answers count.
            let _ = dir.sync_all();
        }
    }

    /// Writes the buffer; false where the file turned out to be gone, so that it must be written again.
    fn write(&mut self, account: &Account) -> bool {
        let opened = match self.open.take() {
            Some(open) => Ok(open),
            None => self.create(account),
        };
        let mut open = match opened {
            Ok(open) => open,
            Err(source) => {
                let path = self.dir.clone();
                self.fail(Error::Create { path, source }, account);
                self.rest();
                return true;
            }
        };
        seal(&mut self.buffer);
        let (written, result) = write_fully(&mut open.file, &self.buffer);
        if let Err(source) = result {
            // What was written before stays, if the disk still can.
            let _ = open.file.sync_data();
            let path = open.path;
            self.fail(Error::Write { path, source }, account);
            let (whole, values) = whole_records(&self.buffer[..written]);
            account.wrote(values, written);
            self.values -= values.min(self.values);
            self.buffer.drain(..whole);
            self.rest();
            return true;
        }
        if is_gone(&open.file) {
            self.lock = None;
            let path = open.path;
            let source = io::Error::from(io::ErrorKind::NotFound);
            self.fail(Error::Write { path, source }, account);
            return false;
        }
        account.heal(std::mem::take(&mut self.failures));
        account.wrote(self.values, written);
        open.bytes += written as u64;
        self.values = 0;
        self.buffer.clear();
        self.buffer.shrink_to(2 * WRITE_AT);
        self.refused = None;
        if self
            .files
            .rotate_at
            .is_some_and(|limit| open.bytes >= limit)
        {
            open.sync(account);
            self.remove_old(&open, account);
        } else {
            self.open = Some(open);
        }
        true
    }

    /// Counts a failure that keeps records from the disk, so far.
    fn fail(&mut self, error: Error, account: &Account) {
        self.failures += 1;
        account.fail(error, 0);
    }

    fn rest(&mut self) {
        let rest = self.refused.take().map(|refused| refused.rest * 2);
        let rest = rest.map_or(RETRY.0, |rest| rest.min(RETRY.1));
        let until = Instant::now() + rest;
        self.refused = Some(Refused { until, rest });
    }

    fn create(&mut self, account: &Account) -> io::Result<Open> {
        fs::create_dir_all(&self.dir)?;
        // Before looking what is there: of several that begin at once one is alone, and no other has a START.
        let alone = self.lock.is_some() || self.lock(account);
        let starts: &[Step] = match self.start {
            Start::Run { resume_at } => {
                let mut names = name::event_files(&self.dir)?;
                // An empty one was made by a writer that was killed before it wrote the head.
                names.retain(|name| {
                    fs::metadata(self.dir.join(name)).map_or(true, |file| file.len() > 0)
                });
                match resume_at {
                    _ if names.is_empty() && !alone => &[],
                    _ if names.is_empty() => &[Step::ZERO],
                    // TensorBoard's Python loader takes a run's first START for no restart.
                    Some(step) if !resume::has_start(&self.dir, &names) => &[step, step],
                    Some(step) => &[step],
                    None => &[],
                }
            }
            Start::GoOn => &[],
        };
        let (mut head, now) = (Vec::new(), WallTime::now());
        encode::file_version(&mut head, now);
        for step in starts {
            encode::session_start(&mut head, now, *step);
        }
        seal(&mut head);
        let (mut file, path) = name::create_new(&self.dir, &self.files.suffix)?;
        if let (_, Err(error)) = write_fully(&mut file, &head) {
            // Made a moment ago and good for nothing; on a full disk there would be one a try.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        self.start = Start::GoOn;
        let bytes = head.len() as u64;
        Ok(Open { file, path, bytes })
    }

    /// Two live writers of one directory lose values: TensorBoard's data server reads one of the files.
    /// Says so, and returns whether this writer is alone.
    fn lock(&mut self, account: &Account) -> bool {
        // Where a directory cannot be opened or locked, nothing is known, and nothing is said.
        let Ok(dir) = File::open(&self.dir) else {
            return true;
        };
        let alone = !matches!(dir.try_lock(), Err(fs::TryLockError::WouldBlock));
        if !alone {
            account.say(&format!(
                "another writer is logging to {}; TensorBoard may show the values of only one of them",
                self.dir.display()
            ));
        }
        self.lock = Some(dir);
        alone
    }

    /// Removes the oldest files that are too many or too old; never the newest.
    fn remove_old(&self, newest: &Open, account: &Account) {
        let remove = || -> io::Result<()> {
            let mut bytes = newest.bytes;
            for name in name::event_files(&self.dir)?.iter().rev() {
                let path = self.dir.join(name);
                if path == newest.path {
                    continue;
                }
                let file = fs::metadata(&path)?;
                bytes += file.len();
                let age = SystemTime::now().duration_since(file.modified()?);
                let too_many = self.files.keep_bytes.is_some_and(|limit| bytes > limit);
                let too_old = |limit| age.is_ok_and(|age| age > limit);
                if too_many || self.files.keep_for.is_some_and(too_old) {
                    fs::remove_file(path)?;
                }
            }
            Ok(())
        };
        let limited = self.files.keep_bytes.is_some() || self.files.keep_for.is_some();
        if limited && let Err(source) = remove() {
            let path = self.dir.clone();
            account.fail(Error::Read { path, source }, 0);
        }
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

/// Whether nobody will ever find what was written: the file has no name any more.
fn is_gone(file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        file.metadata().is_ok_and(|file| file.nlink() == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}

/// How many bytes of `written` are whole records, and how many values those hold.
fn whole_records(written: &[u8]) -> (usize, u64) {
    let (mut whole, mut values) = (0, 0);
    let mut reader = RecordReader::new(written);
    while let Ok(Item::Record(record)) = reader.next(Tail::Growing) {
        whole = record.offset as usize + record.payload.len() + 16;
        let event = proto::Event::decode(record.payload);
        values += match event.map(|event| event.what) {
            Ok(Some(What::Summary(summary))) => summary.value.len() as u64,
            Ok(Some(_)) => 1,
            _ => 0,
        };
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
        seal(&mut bytes);
        assert_eq!(whole_records(&bytes[..first + 7]), (first, 1));
        assert_eq!(whole_records(&bytes), (bytes.len(), 2));
        assert_eq!(whole_records(&bytes[..7]), (0, 0));
    }
}
