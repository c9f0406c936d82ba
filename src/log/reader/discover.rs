//! Which runs a log directory has, and which files each, by TensorBoard's rules.
//!
//! A run is a directory with a file in it whose name contains `tfevents` (`io_wrapper.py`); of these, one
//! that ends in `.profile-empty` marks a run and is not read, as in TensorBoard's Python loader. (Its
//! data server reads it.) Links to directories are followed, but never in a circle.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::{Problem, ProblemKind};
use crate::log::{Error, name};
use crate::types::RunName;

/// What a log directory holds.
#[derive(Debug, Default)]
pub(in crate::log) struct Found {
    /// The event files of each run, in the order in which readers take them.
    pub(in crate::log) runs: BTreeMap<RunName, Vec<PathBuf>>,
    /// Directories that cannot be read.
    pub(super) problems: Vec<Problem>,
}

/// The runs of `dir`. If that is a file, it is a run of its own.
///
/// # Errors
/// [`Error::Read`] where `dir` itself cannot be read, [`Error::NoEvents`] where there is no run.
pub(in crate::log) fn discover(dir: &Path) -> Result<Found, Error> {
    let fail = |source| Error::Read {
        path: dir.to_owned(),
        source,
    };
    let mut found = Found::default();
    if !fs::metadata(dir).map_err(fail)?.is_dir() {
        found.runs.insert(RunName::root(), vec![dir.to_owned()]);
        return Ok(found);
    }
    let above = fs::canonicalize(dir).map_err(fail)?;
    visit(dir, RunName::root(), &mut vec![above], &mut found).map_err(fail)?;
    if found.runs.is_empty() {
        let path = dir.to_owned();
        return Err(Error::NoEvents { path });
    }
    Ok(found)
}

fn visit(dir: &Path, run: RunName, above: &mut Vec<PathBuf>, found: &mut Found) -> io::Result<()> {
    let names = name::event_files(dir)?;
    if !names.is_empty() {
        let read = names
            .into_iter()
            .filter(|name| !name.to_string_lossy().ends_with(".profile-empty"));
        found
            .runs
            .insert(run.clone(), read.map(|name| dir.join(name)).collect());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let is_link = kind.is_symlink();
        let is_dir = kind.is_dir() || (is_link && path.is_dir());
        if !is_dir {
            continue;
        }
        let real = if is_link {
            fs::canonicalize(&path)
        } else {
            Ok(above
                .last()
                .map_or_else(|| path.clone(), |parent| parent.join(entry.file_name())))
        };
        let below = RunName::from(run.path_of(&part(&entry.file_name())));
        let visited = real.and_then(|real| {
            if above.contains(&real) {
                return Ok(());
            }
            above.push(real);
            let visited = visit(&path, below, above, found);
            above.pop();
            visited
        });
        // A directory that may not be read, or was removed just now, is no matter of its neighbours.
        if let Err(error) = visited
            && error.kind() != io::ErrorKind::NotFound
        {
            found.problems.push(Problem {
                path,
                offset: 0,
                length: 0,
                kind: ProblemKind::Unreadable(error.to_string()),
                before: None,
                after: None,
            });
        }
    }
    Ok(())
}

/// A directory's name as part of a run's: text, in which no two names become one.
fn part(name: &OsStr) -> String {
    let mut part = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        part += chunk.valid();
        for byte in chunk.invalid() {
            part += &format!("\\x{byte:02x}");
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    fn names(found: &Found) -> Vec<&str> {
        found.runs.keys().map(RunName::as_str).collect()
    }

    #[test]
    fn a_run_is_a_directory_with_an_event_file() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            ".hidden/events.out.tfevents.1",
            "a/b/x.tfevents.y",
            "noevents/events.out.1",
            "prof/events.out.tfevents.1.host.profile-empty",
            "tfevents",
            "a.tfevents.dir/y",
        ] {
            touch(&dir.path().join(path));
        }
        let found = discover(dir.path()).unwrap();
        assert_eq!(names(&found), [".", ".hidden", "a/b", "prof"]);
        assert!(found.runs["prof"].is_empty());
        assert_eq!(found.runs["."].len(), 1);
        let file = dir.path().join("a/b/x.tfevents.y");
        assert_eq!(discover(&file).unwrap().runs["."], [file]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_a_circle() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        touch(&dir.path().join("a/tfevents"));
        symlink(dir.path(), dir.path().join("a/up")).unwrap();
        symlink(dir.path().join("a"), dir.path().join("b")).unwrap();
        symlink(dir.path().join("nowhere"), dir.path().join("c")).unwrap();
        let found = discover(dir.path()).unwrap();
        assert_eq!(names(&found), ["a", "b"]);
        assert!(found.problems.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        for name in [&b"r\xff"[..], b"r\xfe"] {
            touch(&dir.path().join(OsStr::from_bytes(name)).join("tfevents"));
        }
        let found = discover(dir.path()).unwrap();
        assert_eq!(names(&found), ["r\\xfe", "r\\xff"]);
    }
}
