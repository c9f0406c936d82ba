//! A file of records written as they are given, by whoever knows every wall time already.
//!
//! It is made, never found: what is there is not touched. Between writes it is closed, so that a log of
//! any number of runs can be written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Error, name};
use crate::record::append_record;

/// Bytes that wait before they are written.
const WRITE_AT: usize = 128 << 10;

#[derive(Debug)]
pub(crate) struct RecordFile {
    path: PathBuf,
    buffer: Vec<u8>,
    made: bool,
}

impl RecordFile {
    /// A file that is made when the first bytes are written.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            buffer: Vec::new(),
            made: false,
        }
    }

    /// Appends a record.
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<(), Error> {
        append_record(&mut self.buffer, payload);
        if self.buffer.len() >= WRITE_AT {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands all to the operating system.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if self.made && self.buffer.is_empty() {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut file = self.open()?;
            file.write_all(&self.buffer)
        };
        write().map_err(|source| self.failed(source))?;
        self.made = true;
        self.buffer.clear();
        Ok(())
    }

    /// Hands all to the disk. A file without records is made too.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        let sync = || self.open()?.sync_data();
        sync().map_err(|source| self.failed(source))
    }

    fn open(&self) -> io::Result<File> {
        if self.made {
            return OpenOptions::new().append(true).open(&self.path);
        }
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        File::create_new(&self.path)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// Refuses a directory that has event files in or below it: what is written there would be mixed with them.
pub(crate) fn check_unused(dir: &Path) -> Result<(), Error> {
    let read = |source| Error::Read {
        path: dir.to_owned(),
        source,
    };
    if !dir.try_exists().map_err(read)? {
        return Ok(());
    }
    if !name::event_files(dir).map_err(read)?.is_empty() {
        return Err(Error::InUse {
            path: dir.to_owned(),
        });
    }
    for entry in fs::read_dir(dir).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.file_type().map_err(read)?.is_dir() {
            check_unused(&entry.path())?;
        }
    }
    Ok(())
}
