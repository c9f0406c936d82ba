//! What the fuzzer tries with any bytes, and an ordinary test with those that it found.
//!
//! Each returns where all is well, and panics where something is wrong.

use std::fs;
use std::path::Path;

use modelpulse::flow::Event;
use modelpulse::log::{Follower, Inspection, Log, LogReader, Restart, repair};
use modelpulse::record::{Item, RecordReader, Tail, append_record, masked_crc32c};

/// `bytes` as an event file: read in any portions, it is the same, and what is found is there.
pub fn framing(bytes: &[u8]) {
    let all = records(bytes, 1 << 18);
    for chunk in [64, 77, 4096] {
        assert_eq!(records(bytes, chunk), all, "{chunk} bytes at a time");
    }
    let mut end = 0;
    for (offset, len, damaged) in &all {
        assert_eq!(*offset, end, "a gap or an overlap");
        end = offset + len;
        if !damaged {
            let at = *offset as usize;
            let payload = &bytes[at + 12..(end - 4) as usize];
            assert_eq!(bytes[at..at + 8], (payload.len() as u64).to_le_bytes());
            let crc = masked_crc32c(payload).to_le_bytes();
            assert_eq!(bytes[end as usize - 4..end as usize], crc);
        }
    }
    assert_eq!(end, bytes.len() as u64);
}

/// Offset and length of each record and of each damaged stretch; whether it is damaged.
fn records(bytes: &[u8], chunk: usize) -> Vec<(u64, u64, bool)> {
    let mut reader = RecordReader::with_chunk(bytes, chunk);
    let mut found = Vec::new();
    loop {
        match reader.next(Tail::Final).expect("memory can be read") {
            Item::Record(record) => {
                found.push((record.offset, record.payload.len() as u64 + 16, false));
            }
            Item::Damage(damage) => found.push((damage.offset, damage.length, true)),
            Item::End => return found,
        }
    }
}

/// `bytes` as payloads of whole records, ended by 0xff 0xfe: all ways to read a log agree on them.
pub fn decoding(bytes: &[u8]) {
    let mut file = Vec::new();
    let mut rest = bytes;
    loop {
        let end = rest.windows(2).position(|two| two == [0xff, 0xfe]);
        let (payload, behind) = rest.split_at(end.unwrap_or(rest.len()));
        append_record(&mut file, payload);
        match behind.get(2..) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let old = dir.path().join("old");
    fs::create_dir(&old).expect("a directory");
    fs::write(old.join("tfevents"), &file).expect("a file");
    agree(&old);
    let new = dir.path().join("new");
    let repaired = repair(&old, &new, |_| ()).expect("a log is repaired");
    if repaired.iter().any(|file| file.records > 0) {
        assert!(
            agree(&new).problems().next().is_none(),
            "a repaired log has problems"
        );
    }
}

/// Reads a log in every way; they give the same number of values.
fn agree(dir: &Path) -> Log {
    let log = Log::open(dir).expect("a log");
    let mut events: Vec<Event> = Vec::new();
    let mut reader = LogReader::open(dir).expect("a log");
    while let Some(instant) = reader.instant().expect("problems are no errors") {
        events.extend(instant);
    }
    let mut followed = Vec::new();
    let mut follower = Follower::of(dir);
    loop {
        let more = follower.next_events().expect("problems are no errors");
        if more.is_empty() {
            break;
        }
        followed.extend(more);
    }
    assert_eq!(events.len(), followed.len());
    for restart in Restart::ALL {
        let found = Inspection::of(dir, restart, |_| ()).expect("a log");
        let mut count = 0;
        for run in log.runs(restart) {
            let summary = &found.runs[run.name()];
            assert_eq!(summary.series.len(), run.tags().len());
            for tag in run.tags() {
                let series = run.series(tag).expect("a tag has a series");
                let points = series.points().count() as u64;
                assert_eq!(points, summary.series[tag].count(), "{restart} {tag:?}");
                let mut values = series.values();
                for point in series
                    .points()
                    .filter(|point| point.number.is_none())
                    .take(8)
                {
                    values.read(&point).expect("a value that was seen");
                }
                count += points as usize;
            }
        }
        if restart == Restart::KeepAll {
            assert_eq!(count, events.len());
        }
        assert_eq!(found.problems().count(), log.problems().count());
    }
    assert_eq!(reader.problems().len(), log.problems().count());
    log
}

/// `bytes` as names of directories and files, and what is in them.
pub fn discovery(bytes: &[u8]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut here = dir.path().to_owned();
    for (number, part) in bytes.split(|&byte| byte == b'\n').take(64).enumerate() {
        let Some((&kind, rest)) = part.split_first() else {
            here = dir.path().to_owned();
            continue;
        };
        let name = name(rest);
        let path = here.join(&name);
        // What the system does not take is not made.
        let _ = match kind % 6 {
            0 => fs::create_dir(&path).map(|()| here = path),
            1 => fs::write(here.join(format!("tfevents{number}")), rest),
            2 => fs::write(path, rest),
            3 => link(dir.path(), &path),
            4 => link(&here, &path),
            _ => fs::write(here.join(format!("x.tfevents.{name}.profile-empty")), rest),
        };
    }
    if LogReader::run_names(dir.path()).is_ok() {
        agree(dir.path());
    }
}

/// A name that stays in its directory.
fn name(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let name: String = text
        .chars()
        .filter(|c| !matches!(c, '/' | '\0'))
        .take(40)
        .collect();
    match &*name {
        "" | "." | ".." => "x".to_owned(),
        _ => name,
    }
}

#[cfg(unix)]
fn link(to: &Path, from: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, from)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> std::io::Result<()> {
    Ok(())
}
