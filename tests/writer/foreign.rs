//! Logs that another writer made are resumed too.
//!
//! `data/torch` and `data/torch_purge` were written by torch's `SummaryWriter`: the first has no START
//! at all, the second has its only one in its second file.

use std::fs;
use std::path::Path;

use modelpulse::log::{Writer, last_steps};
use tempfile::TempDir;

use crate::support::{assert_curve, event_files, shown, starts, value};

/// A copy of a log below `data`.
fn copy_of(log: &str) -> TempDir {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/writer/data");
    let copy = tempfile::tempdir().unwrap();
    for file in event_files(&data.join(log)) {
        fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    copy
}

fn session(dir: &Path, tag: &str, steps: std::ops::Range<i64>) {
    let writer = Writer::create(dir).unwrap();
    let run = writer.run(".");
    run.resume_at(steps.start);
    steps.for_each(|step| run.scalar(tag, step, value(0, step)));
    writer.finish().unwrap();
}

/// Both loaders show every step to `end` once, from `first` on with our values.
#[track_caller]
fn assert_ours_from(dir: &Path, tag: &str, first: usize, end: i64) {
    for (loader, view) in shown(dir).both() {
        let points = view.scalar(".", tag);
        let steps = points.iter().map(|point| point.0);
        assert!(steps.eq(0..end), "{loader}: {points:?}");
        assert_curve(loader, &points[first..], 0, first as i64..end);
    }
}

#[test]
fn a_log_without_a_start_is_resumed_again_and_again() {
    let log = copy_of("torch");
    assert_eq!(starts(log.path()), [0; 0]);
    assert_eq!(last_steps(log.path()).unwrap()["."].as_i64(), 4);
    session(log.path(), "x", 3..9);
    // Twice, for a loader takes the first one of a run for no restart.
    assert_eq!(starts(log.path()), [3, 3]);
    assert_ours_from(log.path(), "x", 3, 9);
    session(log.path(), "x", 6..20);
    assert_eq!(starts(log.path()), [3, 3, 6]);
    assert_ours_from(log.path(), "x", 3, 20);
}

#[test]
fn a_log_whose_first_start_came_with_a_restart_is_resumed() {
    let log = copy_of("torch_purge");
    assert_eq!(starts(log.path()), [5]);
    session(log.path(), "loss", 5..20);
    assert_eq!(starts(log.path()), [5, 5]);
    assert_ours_from(log.path(), "loss", 5, 20);
}
