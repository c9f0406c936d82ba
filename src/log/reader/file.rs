//! An event file as a stream of bytes: plain, gzip or zlib.
//!
//! A file is read by plain calls and never mapped into memory, so one that another process cuts is an
//! error here and not the end of the process.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::record::{HEADER_LEN, masked_crc32c};

/// A file that can be put aside and taken up again where its reader stopped.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    open: Option<Stream>,
    /// Bytes read; of a compressed file, those that came out of it.
    position: u64,
    compressed: bool,
}

#[derive(Debug)]
enum Stream {
    Plain(File),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    Zlib(Box<ZlibDecoder<BufReader<File>>>),
}

/// What a read fails with where the file became shorter than what was read of it.
#[derive(Debug, thiserror::Error)]
#[error("the file was cut to {now} bytes while it was read, at {position}")]
pub(super) struct Shrunk {
    now: u64,
    position: u64,
}

impl EventFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: None,
            position: 0,
            compressed: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what is read is not what the file holds.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Goes to byte `position`, unless the file is compressed.
    pub(super) fn skip_to(&mut self, position: u64) -> io::Result<()> {
        if let Stream::Plain(file) = self.open()? {
            file.seek(SeekFrom::Start(position))?;
            self.position = position;
        }
        Ok(())
    }

    /// How many bytes lie before the next one that is read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Gives the file back to the system until the next read.
    pub(super) fn close(&mut self) {
        // A decompressor cannot be taken up again.
        if !self.compressed {
            self.open = None;
        }
    }

    fn open(&mut self) -> io::Result<&mut Stream> {
        let stream = match self.open.take() {
            Some(stream) => stream,
            None => {
                let mut file = open_regular(&self.path)?;
                if self.position > 0 {
                    file.seek(SeekFrom::Start(self.position))?;
                    Stream::Plain(file)
                } else {
                    stream(file)?
                }
            }
        };
        self.compressed = !matches!(stream, Stream::Plain(_));
        Ok(self.open.insert(stream))
    }
}

/// Opens a regular file. A pipe of that name would wait for its writer.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path)
}

/// What the first bytes say that the file is.
fn stream(mut file: File) -> io::Result<Stream> {
    let head = head_of(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(match head[..] {
        _ if begins_record(&head) => Stream::Plain(file),
        // RFC 1952: the magic number, and deflate.
        [0x1f, 0x8b, 8, ..] => Stream::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(file)))),
        // RFC 1950: deflate with a window of at most 32 KiB, a multiple of 31, no dictionary. That is too
        // little to go by, so a record must come out of it.
        [cmf, flags, ..]
            if cmf & 0x8f == 8
                && u16::from_be_bytes([cmf, flags]).is_multiple_of(31)
                && flags & 0x20 == 0
                && head_of(&mut ZlibDecoder::new(&file)).is_ok_and(|head| begins_record(&head)) =>
        {
            file.seek(SeekFrom::Start(0))?;
            Stream::Zlib(Box::new(ZlibDecoder::new(BufReader::new(file))))
        }
        _ => {
            file.seek(SeekFrom::Start(0))?;
            Stream::Plain(file)
        }
    })
}

fn begins_record(head: &[u8]) -> bool {
    head.split_at_checked(8)
        .is_some_and(|(length, crc)| crc == masked_crc32c(length).to_le_bytes())
}

/// The first bytes, as many as the head of a record has.
fn head_of(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.take(HEADER_LEN as u64).read_to_end(&mut head)?;
    Ok(head)
}

impl Read for EventFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let position = self.position;
        let read = match self.open()? {
            Stream::Plain(file) => {
                let read = file.read(buffer)?;
                if read == 0 {
                    let now = file.metadata()?.len();
                    if now < position {
                        return Err(io::Error::other(Shrunk { now, position }));
                    }
                }
                read
            }
            Stream::Gzip(stream) => stream.read(buffer)?,
            Stream::Zlib(stream) => stream.read(buffer)?,
        };
        self.position += read as u64;
        Ok(read)
    }
}
