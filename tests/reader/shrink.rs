//! A file that another process cuts or replaces under the reader is an error, and never the end of it.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use modelpulse::log::{Follower, Log, LogReader, ProblemKind, Restart, Writer};
use tempfile::TempDir;

/// A log of two runs, one of them longer than what is read of it at a time; and its file.
fn log() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::create(dir.path()).unwrap();
    for step in 0..40_000_i64 {
        writer.run("long").scalar("loss", step, 0.5);
    }
    writer.run("other").scalar("loss", 0, 0.25);
    writer.finish().unwrap();
    let mut files = fs::read_dir(dir.path().join("long")).unwrap();
    let path = files.next().unwrap().unwrap().path();
    assert!(fs::metadata(&path).unwrap().len() > 512 << 10);
    (dir, path)
}

fn cut(path: &PathBuf, len: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(len).unwrap();
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_a_problem_of_its_own() {
    let (dir, path) = log();
    let mut reader = LogReader::open(dir.path()).unwrap();
    assert!(reader.instant().unwrap().is_some());
    cut(&path, 1000);
    let mut other = 0;
    while let Some(instant) = reader.instant().unwrap() {
        other += instant
            .iter()
            .filter(|event| event.run.as_str() == "other")
            .count();
    }
    assert_eq!(other, 1);
    let [problem] = reader.problems() else {
        panic!("{:?}", reader.problems());
    };
    assert_eq!(
        (&problem.kind, &problem.path),
        (&ProblemKind::Shrunk, &path)
    );
}

#[test]
fn a_followed_file_that_is_cut_is_read_anew() {
    let (dir, path) = log();
    let (mut log, mut follower) = (Log::follow(dir.path()), Follower::of(dir.path()));
    log.refresh().unwrap();
    let mut events = 0;
    loop {
        let more = follower.next_events().unwrap().len();
        events += more;
        if more == 0 {
            break;
        }
    }
    assert_eq!(events, 40_001);
    cut(&path, 1000);
    log.refresh().unwrap();
    let points = |log: &Log| {
        let run = log.run("long", Restart::KeepAll).unwrap();
        run.series("loss").unwrap().points().count()
    };
    let mut anew = Log::follow(dir.path());
    anew.refresh().unwrap();
    assert_eq!(points(&log), points(&anew));
    assert!(points(&log) > 5);
    assert_eq!(follower.next_events().unwrap().len(), points(&log));
}

#[test]
fn what_cannot_be_read_is_no_matter_of_other_runs() {
    let (dir, path) = log();
    fs::remove_file(&path).unwrap();
    // A name without a file behind it, and a directory where a file is awaited.
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &path).unwrap();
    let log = Log::open(dir.path()).unwrap();
    assert_eq!(
        log.run("other", Restart::TensorBoard).unwrap().tags(),
        ["loss"]
    );
    let kinds: Vec<&str> = log.problems().map(|problem| problem.kind.name()).collect();
    assert_eq!(kinds, ["unreadable"]);
}
