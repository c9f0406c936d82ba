//! Images, sounds and graphs as files beside a table.
//!
//! A path says run, tag and step, `RUN/TAG/STEP.png`, and is never given twice; nothing that a log names leads out of
//! the directory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::ExportError;
use crate::flow::Event;
use crate::record::crc32c;

/// A directory that takes files.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{export::Files, flow::Event, summary::Image};
/// let mut files = Files::new(dir.path().join("images"), "images")?;
/// let event = Event::new("eval", "worst", 3, 1.7e9, Image::grey(1, 1, &[0])?);
/// assert_eq!(files.write(&event, b"...", "png")?, "images/eval/worst/3.png");
/// assert_eq!(files.write(&event, b"...", "png")?, "images/eval/worst/3-2.png");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Files {
    dir: PathBuf,
    shown_as: String,
}

/// The most bytes of a name in a path, with room for what is added to it.
const MAX_NAME: usize = 200;

impl Files {
    /// The directory `dir`, which is made with the first file; `shown_as` is what its files' paths begin with.
    ///
    /// # Errors
    /// [`ExportError::File`] where it is there and not empty.
    pub fn new(dir: impl AsRef<Path>, shown_as: impl Into<String>) -> Result<Self, ExportError> {
        let dir = dir.as_ref().to_owned();
        if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
            let source = io::Error::new(io::ErrorKind::AlreadyExists, "it holds files already");
            return Err(ExportError::File { path: dir, source });
        }
        let shown_as = shown_as.into();
        Ok(Self { dir, shown_as })
    }

    /// Writes a file of an event; returns its path as it is shown.
    ///
    /// # Errors
    /// [`ExportError::File`].
    pub fn write(
        &mut self,
        event: &Event,
        bytes: &[u8],
        extension: &str,
    ) -> Result<String, ExportError> {
        let parts = [event.run.as_str(), event.tag.as_str()];
        let below: Vec<String> = parts
            .iter()
            .flat_map(|name| name.split('/'))
            .filter(|part| !matches!(*part, "" | "."))
            .map(file_name)
            .collect();
        let below = below.join("/");
        let failed = |path: &Path, source| ExportError::File {
            path: path.to_owned(),
            source,
        };
        let dir = self.dir.join(&below);
        fs::create_dir_all(&dir).map_err(|source| failed(&dir, source))?;
        let step = event.step;
        let mut name = format!("{step}.{extension}");
        let mut number = 1;
        loop {
            let path = dir.join(&name);
            match File::create_new(&path) {
                Ok(mut file) => {
                    file.write_all(bytes)
                        .map_err(|source| failed(&path, source))?;
                    return Ok(format!("{}/{below}/{name}", self.shown_as));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number += 1;
                    name = format!("{step}-{number}.{extension}");
                }
                Err(source) => return Err(failed(&path, source)),
            }
        }
    }
}

/// A part of a name as the name of a file: what file systems, shells or URLs take for more than a letter is
/// percent-encoded.
pub(super) fn file_name(part: &str) -> String {
    let mut name = String::new();
    for character in part.chars() {
        if character.is_alphanumeric() || "-_.,+@()".contains(character) {
            name.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                name += &format!("%{byte:02X}");
            }
        }
    }
    if name.chars().all(|it| it == '.') {
        name = name.replace('.', "%2E");
    }
    if name.len() > MAX_NAME {
        let mut end = MAX_NAME;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name += &format!("~{:08x}", crc32c(part.as_bytes()));
    }
    name
}

/// The name of a directory that holds the rows whose `column` has this `value`: `run=train%2Ffirst`, as Hive writes
/// it, and readers of partitioned tables read it.
///
/// ```
/// assert_eq!(modelpulse::export::partition_name("run", "a/b c"), "run=a%2Fb%20c");
/// ```
pub fn partition_name(column: &str, value: &str) -> String {
    format!("{column}={}", file_name(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_directory_and_apart() {
        assert_eq!(file_name("a b"), "a%20b");
        assert_eq!(file_name(".."), "%2E%2E");
        assert_eq!(file_name("漢\0é"), "漢%00é");
        assert_eq!(file_name("a=b"), "a%3Db");
        let (a, b) = (file_name(&"漢".repeat(300)), file_name(&"漢".repeat(301)));
        assert!(a != b && a.len() < 255, "{a}");

        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path().join("f"), "f").unwrap();
        let event = Event::new("../x", "/a//../b", -1, 0.0, 1.0);
        let path = files.write(&event, b"1", "bin").unwrap();
        assert_eq!(path, "f/%2E%2E/x/a/%2E%2E/b/-1.bin");
        assert_eq!(fs::read(dir.path().join(path)).unwrap(), b"1");
    }

    #[test]
    fn a_directory_that_holds_files_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Files::new(dir.path(), "").is_ok());
        fs::write(dir.path().join("x"), "").unwrap();
        assert!(Files::new(dir.path(), "").is_err());
    }
}
