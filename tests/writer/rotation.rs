//! A log of many files is one curve; a log without end stays small and keeps its newest values.

use std::path::Path;
use std::time::Duration;

use modelpulse::log::{Writer, WriterBuilder, last_steps};

use crate::support::{NEVER, assert_curve, event_files, shown, size, starts, value};

const STEPS: i64 = 3_000;
/// Steps written at once, and about how many bytes that makes.
const AT_ONCE: i64 = 10;
const CHUNK: u64 = 1_000;

fn builder(dir: &Path) -> WriterBuilder {
    Writer::builder(dir).flush_interval(NEVER).sync(false)
}

/// Logs the curve from `first` on, and calls `each` when a part of it is written.
fn log(writer: &Writer, first: i64, mut each: impl FnMut()) {
    let run = writer.run("train");
    let (x, y) = (run.series("x"), run.series("y"));
    for step in first..first + STEPS {
        run.step(step).scalar(&x, value(0, step));
        y.scalar(step, value(1, step));
        if (step + 1) % AT_ONCE == 0 {
            writer.flush();
            each();
        }
    }
}

#[test]
fn a_log_rotated_again_and_again_is_one_curve() {
    const ROTATE_AT: u64 = 2 << 10;
    let dir = tempfile::tempdir().unwrap();
    let train = dir.path().join("train");
    let writer = builder(dir.path()).rotate_at(ROTATE_AT).start().unwrap();
    log(&writer, 0, || ());
    writer.finish().unwrap();
    let sizes = |_| -> Vec<u64> {
        let files = event_files(&train);
        files
            .iter()
            .map(|file| std::fs::metadata(file).unwrap().len())
            .collect()
    };
    let mut sizes = sizes(());
    assert!(sizes.len() > 50, "{} files", sizes.len());
    sizes.pop();
    let bounds = ROTATE_AT..ROTATE_AT + CHUNK;
    assert!(sizes.iter().all(|size| bounds.contains(size)), "{sizes:?}");
    assert_eq!(starts(&train), [0]);
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..STEPS);
    assert_curve("y", view.scalar("train", "y"), 1, 0..STEPS);
}

#[test]
fn a_log_kept_below_a_size_holds_the_newest_values_and_goes_on() {
    const KEEP: u64 = 20 << 10;
    const ROTATE_AT: u64 = 4 << 10;
    let dir = tempfile::tempdir().unwrap();
    let train = dir.path().join("train");
    let make = || {
        builder(dir.path())
            .rotate_at(ROTATE_AT)
            .keep_bytes(KEEP)
            .start()
            .unwrap()
    };
    let writer = make();
    let mut largest = 0;
    log(&writer, 0, || largest = largest.max(size(&train)));
    assert_eq!(writer.finish().unwrap().written, 2 * STEPS as u64);
    let bounds = KEEP..KEEP + ROTATE_AT + CHUNK;
    assert!(bounds.contains(&largest), "{largest}");
    assert_the_newest(dir.path(), STEPS, KEEP - ROTATE_AT - CHUNK);

    // The file with the first START is gone; a resumed log is still one curve.
    let resume_at = STEPS - 15;
    assert_eq!(last_steps(dir.path()).unwrap()["train"].as_i64(), STEPS - 1);
    let writer = make();
    writer.run("train").resume_at(resume_at);
    log(&writer, resume_at, || largest = largest.max(size(&train)));
    writer.finish().unwrap();
    assert!(bounds.contains(&largest), "{largest}");
    assert_the_newest(dir.path(), resume_at + STEPS, KEEP - ROTATE_AT - CHUNK);
}

#[test]
fn a_log_kept_for_no_time_holds_its_newest_files() {
    let dir = tempfile::tempdir().unwrap();
    let train = dir.path().join("train");
    let builder = builder(dir.path()).rotate_at(4 << 10);
    let writer = builder.keep_for(Duration::ZERO).start().unwrap();
    log(&writer, 0, || {
        // The one that was rotated last, and the open one.
        assert!(event_files(&train).len() <= 2);
    });
    assert_eq!(writer.finish().unwrap().written, 2 * STEPS as u64);
    assert_the_newest(dir.path(), STEPS, 4 << 10);
}

#[test]
fn what_is_kept_for_an_hour_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let builder = builder(dir.path()).rotate_at(4 << 10);
    let writer = builder.keep_for(Duration::from_secs(3600)).start().unwrap();
    log(&writer, 0, || ());
    writer.finish().unwrap();
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..STEPS);
}

/// Both curves end before `end`, without a gap, and hold `bytes` or more.
#[track_caller]
fn assert_the_newest(dir: &Path, end: i64, bytes: u64) {
    let view = shown(dir).agreed();
    for (tag, curve) in [("x", 0), ("y", 1)] {
        let points = view.scalar("train", tag);
        let first = points.first().expect("a value").0;
        assert_curve(tag, points, curve, first..end);
        let kept = points.len() as u64 * CHUNK / AT_ONCE as u64;
        assert!(kept >= bytes, "{tag} from {first}: {kept} of {bytes}");
    }
}
