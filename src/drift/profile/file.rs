//! The bytes of a profile: a header that says what they are, and what is kept.
//!
//! | bytes | |
//! |---|---|
//! | 0..8 | `\x89MPPROF\n`: no text, so that what changes the ends of lines is noticed |
//! | 8..12 | the version, 1 |
//! | 12..20 | the length of the rest |
//! | 20..24 | the CRC-32 of the rest, as gzip has it |
//! | 24.. | the rest: rows, notes and features, as [`code`](super::code) writes them |
//!
//! All numbers are little-endian.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use super::code::{Reader, Writer};
use super::{Profile, ProfileError};

const MAGIC: &[u8; 8] = b"\x89MPPROF\n";
const VERSION: u32 = 1;

impl Profile {
    /// Whether a file that begins with these bytes is a profile.
    ///
    /// ```
    /// use modelpulse::drift::profile::Profile;
    /// let profile = Profile::new([])?;
    /// assert!(Profile::begins(&profile.to_bytes()) && !Profile::begins(b"PAR1"));
    /// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn begins(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// The profile as bytes: the same for the same rows, whatever the batches.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut rest = Writer::default();
        rest.profile(self);
        let rest = rest.bytes();
        let mut bytes = Vec::with_capacity(rest.len() + 24);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((rest.len() as u64).to_le_bytes());
        bytes.extend(crc32fast::hash(&rest).to_le_bytes());
        bytes.extend(rest);
        bytes
    }

    /// The profile that bytes are.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Foreign`], [`ProfileError::Newer`], [`ProfileError::Torn`] or [`ProfileError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProfileError> {
        let Some(behind) = bytes.strip_prefix(MAGIC) else {
            return Err(ProfileError::Foreign);
        };
        let torn = |whole| ProfileError::Torn {
            whole,
            got: bytes.len() as u64,
        };
        let (version, behind) = behind.split_first_chunk().ok_or(torn(24))?;
        let version = u32::from_le_bytes(*version);
        if version > VERSION {
            let known = VERSION;
            return Err(ProfileError::Newer { version, known });
        }
        let (length, behind) = behind.split_first_chunk().ok_or(torn(24))?;
        let (crc, rest) = behind.split_first_chunk().ok_or(torn(24))?;
        let length = u64::from_le_bytes(*length);
        if (rest.len() as u64) < length {
            return Err(torn(length.saturating_add(24)));
        }
        let damaged = |why| ProfileError::Damaged { why };
        if rest.len() as u64 > length {
            return Err(damaged("it is longer than it says"));
        }
        if version == 0 || crc32fast::hash(rest) != u32::from_le_bytes(*crc) {
            return Err(damaged("its checksum is another"));
        }
        // The checksum holds, so only what no program of ours has written comes here.
        Reader::of(rest)
            .profile()
            .ok_or(damaged("what is in it is none of a profile"))
    }

    /// Saves it; the file is whole or is as it was.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Io`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ProfileError> {
        let path = path.as_ref();
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = Path::new(&beside);
        let written = (|| {
            let mut file = File::create(beside)?;
            file.write_all(&self.to_bytes())?;
            file.sync_all()?;
            std::fs::rename(beside, path)
        })();
        written.map_err(|source| {
            // It may not be there.
            let _ = std::fs::remove_file(beside);
            ProfileError::Io {
                path: path.to_owned(),
                source,
            }
        })
    }

    /// Loads a profile that was saved.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Io`]; [`ProfileError::File`] with what [`from_bytes`](Self::from_bytes) says.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ProfileError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| ProfileError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes).map_err(|source| ProfileError::File {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}
