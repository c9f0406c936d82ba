//! What tells that a file has changed, or another has taken its place.

use std::path::Path;
use std::time::SystemTime;

/// Its size, when it was written, and which file it is; `None` where there is none.
pub(super) type Stamp = Option<(u64, SystemTime, [i64; 3])>;

pub(super) fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.len(), file.modified().ok()?, identity(&file)))
}

/// Its number, and when its metadata changed: a file that took another's place may be as long and as old.
#[cfg(unix)]
fn identity(file: &std::fs::Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [file.ino().cast_signed(), file.ctime(), file.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> [i64; 3] {
    [0; 3]
}
