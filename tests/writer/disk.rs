//! A disk that is full, read-only, or has its directories removed: the loop goes on, losses are
//! counted, and the log goes on in a new file as soon as the disk takes it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use modelpulse::log::{Error, Failed, Overflow, Report, Series, Writer};

use crate::support::{
    Disk, NEVER, Program, View, assert_curve, event_files, in_time, number, say, shown, value,
};

/// Bytes of a scalar's record with these tests' tags, or a little more.
const SCALAR: usize = 51;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A writer that flushes when it is told to.
fn writer(dir: &Path) -> Writer {
    let builder = Writer::builder(dir).flush_interval(NEVER);
    let builder = builder.overflow(Overflow::Wait).on_warning(|_| ());
    builder.start().unwrap()
}

fn log(x: &Series, steps: std::ops::Range<i64>) {
    steps.for_each(|step| x.scalar(step, value(0, step)));
}

/// Logs until the disk has refused something; returns the next step.
fn log_until_refused(writer: &Writer, x: &Series) -> i64 {
    let mut step = 0;
    while writer.report().failures == 0 {
        assert!(step < 1_000_000, "the disk takes all");
        log(x, step..step + 100);
        step += 100;
        writer.flush();
    }
    step
}

#[track_caller]
fn failed_at(failed: &Failed) -> (&Path, ErrorKind) {
    match &failed.first {
        Error::Write { path, source } | Error::Create { path, source } => (path, source.kind()),
        other => panic!("{other}"),
    }
}

/// Steps strictly increase, values are those of the curve, and there are so many as were written.
#[track_caller]
fn assert_written(view: &View, run: &str, report: Report) {
    let points = view.scalar(run, "x");
    assert!(points.is_sorted_by(|a, b| a.0 < b.0), "steps go back");
    let steps: Vec<i64> = points.iter().map(|point| point.0).collect();
    assert_curve("x", points, 0, steps.into_iter());
    assert_eq!(points.len() as u64, report.written);
}

#[test]
fn a_log_goes_on_in_a_new_file_when_a_full_disk_has_space_again() {
    let disk = Disk::of("1m");
    let ballast = disk.fill_but(MIB, 256 * KIB);
    let dir = disk.path().join("log");
    let logdir = dir.clone();
    let (failed, logged) = in_time(move || {
        let writer = writer(&logdir);
        let x = writer.run("train").series("x");
        let next = log_until_refused(&writer, &x);
        // Less than is kept while the disk refuses it.
        log(&x, next..next + 4_000);
        writer.flush();
        assert_eq!(event_files(&logdir.join("train")).len(), 1);
        fs::remove_file(ballast).unwrap();
        log(&x, next + 4_000..next + 5_000);
        writer.flush();
        assert_eq!(event_files(&logdir.join("train")).len(), 2);
        log(&x, next + 5_000..next + 6_000);
        (writer.finish().unwrap_err(), next + 6_000)
    });
    let files = event_files(&dir.join("train"));
    assert_eq!(files.len(), 2);
    assert_eq!(failed_at(&failed), (&*files[0], ErrorKind::StorageFull));
    assert_eq!(
        (failed.report.written, failed.report.dropped),
        (logged as u64, 0)
    );
    let view = shown(&dir).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..logged);
}

#[test]
fn what_a_full_disk_costs_is_counted_to_the_value() {
    let disk = Disk::of("2m");
    let ballast = disk.fill_but(2 * MIB, 256 * KIB);
    let dir = disk.path().join("log");
    let logdir = dir.clone();
    let (failed, logged) = in_time(move || {
        let writer = writer(&logdir);
        let (run, x) = (writer.run("train"), writer.run("train").series("x"));
        let next = log_until_refused(&writer, &x);
        // More than is kept, also in events of several values.
        let others: Vec<_> = (0..9).map(|tag| run.series(format!("y{tag}"))).collect();
        let steps = (2 * MIB / SCALAR) as i64;
        for step in next..next + steps {
            let mut guard = run.step(step);
            others.iter().for_each(|y| _ = guard.scalar(y, 0.5));
            drop(guard);
            x.scalar(step, value(0, step));
        }
        writer.flush();
        assert!(writer.report().dropped > 0);
        fs::remove_file(ballast).unwrap();
        writer.flush();
        log(&x, next + steps..next + steps + 1_000);
        let logged = (next + steps + 1_000) + 9 * steps;
        (writer.finish().unwrap_err(), logged as u64)
    });
    let report = failed.report;
    assert_eq!(report.written + report.dropped, logged);
    assert!(report.failures > 0 && report.dropped > 0);
    let view = shown(&dir).agreed();
    assert_eq!(view.scalar_count(), report.written);
    let points = view.scalar("train", "x");
    assert!(points.is_sorted_by(|a, b| a.0 < b.0), "steps go back");
    let last = points.len() - 1_000;
    let steps = points[last..].iter().map(|point| point.0);
    assert!(steps.eq(points[last].0..points[last].0 + 1_000));
}

#[test]
fn a_disk_that_stays_full_does_not_hold_up_the_end() {
    let disk = Disk::of("1m");
    disk.fill_but(MIB, 128 * KIB);
    let dir = disk.path().join("log");
    let logdir = dir.clone();
    let (failed, logged, took) = in_time(move || {
        let writer = writer(&logdir);
        let x = writer.run("train").series("x");
        let next = log_until_refused(&writer, &x);
        let since = Instant::now();
        log(&x, next..next + 100_000);
        (
            writer.finish().unwrap_err(),
            next + 100_000,
            since.elapsed(),
        )
    });
    assert!(took < Duration::from_secs(10), "{took:?}");
    let report = failed.report;
    assert_eq!(report.written + report.dropped, logged as u64);
    let (path, kind) = failed_at(&failed);
    assert_eq!(
        (Some(path.to_owned()), kind),
        (
            event_files(&dir.join("train")).pop(),
            ErrorKind::StorageFull
        )
    );
    assert!(
        failed.to_string().contains(&path.display().to_string()),
        "{failed}"
    );
    assert_written(&shown(&dir).agreed(), "train", report);
}

#[test]
fn a_disk_that_was_full_from_the_start_is_used_when_it_has_space() {
    let disk = Disk::of("1m");
    let ballast = disk.fill_but(MIB, 0);
    let dir = disk.path().join("log");
    fs::create_dir(&dir).unwrap();
    let logdir = dir.clone();
    let failed = in_time(move || {
        let writer = writer(&logdir);
        let x = writer.run(".").series("x");
        log(&x, 0..1_000);
        for _ in 0..20 {
            writer.flush();
        }
        assert!(
            event_files(&logdir).is_empty(),
            "empty files are left behind"
        );
        fs::remove_file(ballast).unwrap();
        log(&x, 1_000..2_000);
        writer.finish().unwrap_err()
    });
    assert_eq!((failed.report.written, failed.report.dropped), (2_000, 0));
    assert_eq!(event_files(&dir).len(), 1);
    let view = shown(&dir).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..2_000);
}

#[test]
fn a_full_disk_is_tried_again_without_being_told() {
    let disk = Disk::of("1m");
    let ballast = disk.fill_but(MIB, 64 * KIB);
    let dir = disk.path().join("log");
    let logdir = dir.clone();
    let failed = in_time(move || {
        let builder = Writer::builder(&logdir).flush_interval(Duration::from_millis(10));
        let writer = builder.on_warning(|_| ()).start().unwrap();
        let x = writer.run(".").series("x");
        log(&x, 0..4_000);
        crate::support::until("refused", || writer.report().failures > 0);
        fs::remove_file(ballast).unwrap();
        crate::support::until("written", || writer.report().written == 4_000);
        writer.finish().unwrap_err()
    });
    assert_eq!(failed.report.dropped, 0);
    let view = shown(&dir).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..4_000);
}

#[test]
fn a_read_only_disk_is_used_again_when_it_is_writable() {
    let disk = Disk::of("1m");
    let dir = disk.path().join("log");
    // A disk with a file open for writing cannot become read-only.
    let builder = Writer::builder(&dir).flush_interval(NEVER).rotate_at(1);
    let writer = builder.on_warning(|_| ()).start().unwrap();
    let x = writer.run("train").series("x");
    log(&x, 0..1_000);
    writer.flush();
    disk.set_read_only(true);
    log(&x, 1_000..2_000);
    writer.flush();
    let report = writer.report();
    assert_eq!((report.written, report.dropped), (1_000, 0));
    assert!(report.failures > 0);
    disk.set_read_only(false);
    log(&x, 2_000..3_000);
    let failed = writer.finish().unwrap_err();
    let train = dir.join("train");
    assert_eq!(failed_at(&failed), (&*train, ErrorKind::ReadOnlyFilesystem));
    assert_eq!((failed.report.written, failed.report.dropped), (3_000, 0));
    let view = shown(&dir).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..3_000);
}

#[test]
fn a_writer_does_not_start_on_a_read_only_disk() {
    let disk = Disk::of("1m");
    disk.set_read_only(true);
    let refused = Writer::create(disk.path().join("log"));
    assert!(matches!(refused, Err(Error::Create { .. })), "{refused:?}");
}

#[test]
fn a_directory_removed_under_the_writer_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("log");
    let writer = writer(&dir);
    let x = writer.run("train").series("x");
    log(&x, 0..1_000);
    writer.flush();
    let first = event_files(&dir.join("train")).remove(0);
    fs::remove_dir_all(&dir).unwrap();
    log(&x, 1_000..2_000);
    writer.flush();
    log(&x, 2_000..3_000);
    let failed = writer.finish().unwrap_err();
    assert_eq!(failed_at(&failed), (&*first, ErrorKind::NotFound));
    assert_eq!((failed.report.failures, failed.report.dropped), (1, 0));
    let view = shown(&dir).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 1_000..3_000);
}

#[test]
fn a_file_removed_under_the_writer_costs_what_it_held() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    let x = writer.run(".").series("x");
    log(&x, 0..1_000);
    writer.flush();
    fs::remove_file(&event_files(dir.path())[0]).unwrap();
    log(&x, 1_000..2_000);
    let failed = writer.finish().unwrap_err();
    assert_eq!((failed.report.failures, failed.report.dropped), (1, 0));
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 1_000..2_000);
}

/// The child: logs more than its limit lets a file hold.
pub fn grow(dir: &Path) {
    let writer = writer(dir);
    let x = writer.run(".").series("x");
    say("started");
    log(&x, 0..number("MODELPULSE_TEST_STEPS") as i64);
    let failed = writer.finish().unwrap_err();
    assert_eq!(failed_at(&failed).1, ErrorKind::FileTooLarge);
    let report = failed.report;
    say(&format!("wrote {} {}", report.written, report.dropped));
}

#[test]
fn a_program_ended_by_its_file_size_limit_leaves_a_log_that_reads() {
    let dir = tempfile::tempdir().unwrap();
    let steps = [("MODELPULSE_TEST_STEPS", 10_000.to_string())];
    // In blocks of 512 bytes: 150 KiB.
    let child = Program::start_after("ulimit -f 300", "grow", dir.path(), &steps);
    let (signal, said) = child.ended_by();
    assert_eq!(signal, Some(25), "SIGXFSZ: {said:?}");
    let view = shown(dir.path()).agreed();
    let points = view.scalar(".", "x");
    assert_curve("x", points, 0, 0..points.len() as i64);
    assert!(points.len() > 140 * KIB / SCALAR, "{}", points.len());
}

#[test]
fn a_file_that_may_not_grow_is_followed_by_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let steps = [("MODELPULSE_TEST_STEPS", 5_000.to_string())];
    let prelude = "trap '' XFSZ && ulimit -f 300";
    let child = Program::start_after(prelude, "grow", dir.path(), &steps);
    let said = child.ended_well();
    assert_eq!(said.last().map(String::as_str), Some("wrote 5000 0"));
    assert_eq!(event_files(dir.path()).len(), 2);
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..5_000);
}
