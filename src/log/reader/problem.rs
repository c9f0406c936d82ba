//! Parts of a log that could not be read: what, where, and the steps around them.

use std::path::PathBuf;

use crate::record::DamageKind;
use crate::types::Step;

/// A part of a log that could not be read, or says something that cannot be.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{LogReader, ProblemKind, Writer};
/// let writer = Writer::create(dir.path())?;
/// (0..3_i64).for_each(|step| writer.run(".").scalar("loss", step, 0.5));
/// writer.finish()?;
/// let path = std::fs::read_dir(dir.path())?.next().unwrap()?.path();
/// let mut bytes = std::fs::read(&path)?;
/// bytes.truncate(bytes.len() - 1);
/// std::fs::write(&path, bytes)?;
///
/// let mut log = LogReader::open(dir.path())?;
/// while log.instant()?.is_some() {}
/// let problem = &log.problems()[0];
/// assert_eq!(problem.kind, ProblemKind::Truncated);
/// assert_eq!(problem.before.unwrap().as_i64(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes; of a compressed file, in those that come out of it.
    pub offset: u64,
    /// How many bytes were passed over; of a record that was kept, how many it has.
    pub length: u64,
    /// What is wrong there.
    pub kind: ProblemKind,
    /// The step of the last event before it in the file.
    pub before: Option<Step>,
    /// The step of the first event behind it in the file.
    pub after: Option<Step>,
}

/// What is wrong with a part of a log.
///
/// ```
/// use modelpulse::log::ProblemKind;
/// assert_eq!(ProblemKind::BadPayloadCrc.name(), "bad_payload_crc");
/// assert_eq!(ProblemKind::BadPayloadCrc.to_string(), "wrong payload checksum");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A record's length fails its checksum.
    BadLengthCrc,
    /// A record's payload fails its checksum; nothing of it is shown.
    BadPayloadCrc,
    /// The file ends inside a record, or a record claims more bytes than any has.
    Truncated,
    /// A whole record whose text is not UTF-8.
    BadUtf8,
    /// A whole record that is no event.
    Unparsable,
    /// A tensor has not as many elements as its shape says. The value is kept as it is.
    BadShape,
    /// The stream is compressed, and cannot be decompressed from here on.
    BadCompression,
    /// The file became shorter while it was read.
    Shrunk,
    /// The system cannot read the file, or the directory, and says why.
    Unreadable(String),
}

impl ProblemKind {
    /// A name for scripts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadLengthCrc => "bad_length_crc",
            Self::BadPayloadCrc => "bad_payload_crc",
            Self::Truncated => "truncated",
            Self::BadUtf8 => "bad_utf8",
            Self::Unparsable => "unparsable",
            Self::BadShape => "bad_shape",
            Self::BadCompression => "bad_compression",
            Self::Shrunk => "shrunk",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// Whether a stretch of the file holds no whole record, so that readers which do not search lose
    /// what is behind it.
    pub(crate) fn breaks_framing(&self) -> bool {
        matches!(
            self,
            Self::BadLengthCrc | Self::BadPayloadCrc | Self::Truncated
        )
    }
}

impl From<DamageKind> for ProblemKind {
    fn from(kind: DamageKind) -> Self {
        match kind {
            DamageKind::Length => Self::BadLengthCrc,
            DamageKind::Payload => Self::BadPayloadCrc,
            DamageKind::Truncated => Self::Truncated,
        }
    }
}

impl std::fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BadLengthCrc => "wrong length checksum",
            Self::BadPayloadCrc => "wrong payload checksum",
            Self::Truncated => "truncated record",
            Self::BadUtf8 => "text that is not UTF-8",
            Self::Unparsable => "not an event",
            Self::BadShape => "a tensor's shape and elements differ",
            Self::BadCompression => "the compressed stream is damaged",
            Self::Shrunk => "the file became shorter while it was read",
            Self::Unreadable(why) => why,
        })
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, kind, offset) = (self.path.display(), &self.kind, self.offset);
        if let ProblemKind::Unreadable(_) = kind {
            return write!(f, "cannot read {path}: {kind}");
        }
        write!(f, "{path} at byte {offset}: {kind}")?;
        match (kind, self.length) {
            (ProblemKind::BadShape, _) | (_, 0) => {}
            (_, length) => write!(f, "; {length} bytes passed over")?,
        }
        match (self.before, self.after) {
            (Some(before), Some(after)) => write!(f, ", between steps {before} and {after}"),
            (Some(before), None) => write!(f, ", behind step {before}"),
            (None, Some(after)) => write!(f, ", before step {after}"),
            (None, None) => Ok(()),
        }
    }
}
