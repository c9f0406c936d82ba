//! Names of event files.
//!
//! In one directory names sort in the order in which files were made, for readers take them in that
//! order, and no two writers ever share one: a file is made, never truncated.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Makes a new event file in `dir`, whose name sorts behind all that are there.
pub(super) fn create_new(dir: &Path, suffix: &str) -> io::Result<(File, PathBuf)> {
    let mut time = tick();
    loop {
        let newest = event_files(dir)?.pop();
        let mut name = file_name(time, suffix);
        if let Some(newest) = newest
            && name <= newest
        {
            // The newest one was made by another thread a moment ago, or carries a later time (a clock
            // set back, another machine's clock), or is named in another way: go on from its time.
            time = time_of(&newest).map_or(time, |next| time.max(next));
            name = file_name(time, suffix);
            if name <= newest {
                return Err(io::Error::other(format!(
                    "'{}' sorts behind any name made now, so readers would take a new file for older",
                    newest.display()
                )));
            }
        }
        let path = dir.join(&name);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                time += Duration::from_nanos(1)
            }
            Err(error) => return Err(error),
        }
    }
}

/// The names of the event files in `dir`, in readers' order.
pub(super) fn event_files(dir: &Path) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().contains("tfevents") && !entry.file_type()?.is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether `dir`, which need not be there yet, is `above` or lies below it.
pub(super) fn is_within(dir: &Path, above: &Path) -> bool {
    let Ok(above) = fs::canonicalize(above) else {
        return false;
    };
    let Ok(dir) = std::path::absolute(dir) else {
        return false;
    };
    // The part that is there may be a link.
    let real = dir.ancestors().find_map(|part| {
        let real = fs::canonicalize(part).ok()?;
        Some(real.join(dir.strip_prefix(part).ok()?))
    });
    real.is_some_and(|real| real.starts_with(above))
}

/// The time now, later by at least a nanosecond at each call in this process.
fn tick() -> Duration {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos() as u64;
    let later = |last: u64| Some(now.max(last + 1));
    let last = LAST
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later)
        .unwrap_or(now);
    Duration::from_nanos(now.max(last + 1))
}

fn file_name(time: Duration, suffix: &str) -> OsString {
    let host = hostname::get().unwrap_or_else(|_| "localhost".into());
    let host: String = host
        .to_string_lossy()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let (seconds, nanos, pid) = (time.as_secs(), time.subsec_nanos(), std::process::id());
    format!("events.out.tfevents.{seconds:010}.{nanos:09}.{host}.{pid}{suffix}").into()
}

/// The first time behind that of a name: its seconds behind `tfevents.`, and nanoseconds where it is one
/// of ours.
fn time_of(name: &std::ffi::OsStr) -> Option<Duration> {
    let mut parts = name.to_str()?.split_once("tfevents.")?.1.split('.');
    let seconds = Duration::from_secs(parts.next()?.parse().ok()?);
    let nanos = parts.next().filter(|nanos| nanos.len() == 9);
    Some(match nanos.and_then(|nanos| nanos.parse().ok()) {
        Some(nanos) => seconds + Duration::from_nanos(nanos) + Duration::from_nanos(1),
        None => seconds + Duration::from_secs(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_files_in_one_second_sort_in_creation_order() {
        let dir = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..1000)
            .map(|_| create_new(dir.path(), "").unwrap().1)
            .collect();
        assert!(made.is_sorted());
        assert_eq!(event_files(dir.path()).unwrap().len(), 1000);
    }

    #[test]
    fn a_new_file_sorts_behind_one_from_the_future() {
        let dir = tempfile::tempdir().unwrap();
        for older in [
            "events.out.tfevents.4000000000.host.99.0",
            "my.tfevents.5000000000.v2",
        ] {
            File::create(dir.path().join(older)).unwrap();
            let newest = event_files(dir.path()).unwrap().pop().unwrap();
            match create_new(dir.path(), "") {
                Ok((_, path)) => assert!(path.file_name().unwrap() > newest),
                Err(error) => assert!(error.to_string().contains("my.tfevents"), "{error}"),
            }
        }
    }
}
