//! The bytes of a stored file, decompressed if they are gzipped.
//!
//! Compression is seen from the first bytes, and no more is decompressed than was asked for.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::DatasetError;

/// What a gzip file begins with (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The decompressed bytes of a file.
pub(super) struct Input<'a> {
    path: &'a Path,
    compressed: bool,
    bytes: Box<dyn Read + 'a>,
}

impl<'a> Input<'a> {
    /// Looks at the first bytes to see whether the rest is compressed.
    pub(super) fn new(mut stored: impl Read + 'a, path: &'a Path) -> Result<Self, DatasetError> {
        let mut start = Vec::new();
        (&mut stored)
            .take(GZIP_MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(|source| DatasetError::Io {
                path: path.to_path_buf(),
                source,
            })?;
        let compressed = start == GZIP_MAGIC;
        let whole = io::Cursor::new(start).chain(stored);
        Ok(Self {
            path,
            compressed,
            bytes: if compressed {
                Box::new(MultiGzDecoder::new(whole))
            } else {
                Box::new(whole)
            },
        })
    }

    /// Reads `len` bytes, or up to the end if that comes first. An error is told in terms of the whole file:
    /// `expected` bytes, of which `before` were read before these.
    pub(super) fn read(
        &mut self,
        len: u64,
        into: &mut Vec<u8>,
        expected: u64,
        before: u64,
    ) -> Result<(), DatasetError> {
        let Err(source) = (&mut self.bytes).take(len).read_to_end(into) else {
            return Ok(());
        };
        let path = self.path.to_path_buf();
        let got = before + into.len() as u64;
        Err(match source.kind() {
            io::ErrorKind::UnexpectedEof if got < expected => DatasetError::Truncated {
                path,
                expected,
                got,
            },
            // Past the data it is the checksum that is cut off.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
                if self.compressed =>
            {
                DatasetError::Gzip { path, source }
            }
            _ => DatasetError::Io { path, source },
        })
    }
}
