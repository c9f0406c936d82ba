//! Files that change at once or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces the file `path`: whoever is killed meanwhile leaves the old one or the new one, and when this
/// returns the new one is on the disk. It is written beside first, as `path.partial`.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    // The name is on the disk when its directory is. Where a directory cannot be opened, nothing can be done.
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    match File::open(dir.unwrap_or(Path::new("."))) {
        Ok(dir) => dir.sync_all(),
        Err(_) => Ok(()),
    }
}
