//! Many threads and many writers at once: nothing is lost, mixed up, or overwritten.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use modelpulse::log::{Overflow, Writer};

use crate::support::{
    NEVER, Program, assert_curve, event_files, in_time, say, shown, shown_by_data_server, starts,
    value,
};

const THREADS: u64 = 8;
const SCALARS: i64 = 100_000;
/// Tags of a step.
const TAGS: u64 = 10;

#[test]
fn eight_threads_log_a_hundred_thousand_scalars_each_into_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::builder(dir.path()).overflow(Overflow::Wait);
    let writer = writer.start().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let run = writer.run("train");
            let tag = move |tag| format!("x{thread}-{tag}");
            // Half of them by steps of ten values.
            scope.spawn(move || match thread % 2 {
                0 => {
                    let x = run.series(tag(0));
                    (0..SCALARS).for_each(|step| x.scalar(step, value(thread, step)));
                }
                _ => {
                    let series: Vec<_> = (0..TAGS).map(|index| run.series(tag(index))).collect();
                    for step in 0..SCALARS / TAGS as i64 {
                        let mut guard = run.step(step);
                        for (x, index) in series.iter().zip(0..) {
                            guard.scalar(x, value(thread + index, step));
                        }
                    }
                }
            });
        }
    });
    let report = writer.finish().unwrap();
    assert_eq!(report.written, THREADS * SCALARS as u64);
    let view = shown_by_data_server(dir.path());
    for thread in 0..THREADS {
        let (tags, steps) = match thread % 2 {
            0 => (1, SCALARS),
            _ => (TAGS, SCALARS / TAGS as i64),
        };
        for index in 0..tags {
            let tag = format!("x{thread}-{index}");
            let points = view.scalar("train", &tag);
            assert_curve(&tag, points, thread + index, 0..steps);
        }
    }
}

#[test]
fn whatever_is_logged_while_the_writer_ends_is_written_or_counted() {
    const LOGGERS: u64 = 4;
    in_time(|| {
        for round in 0..300 {
            let dir = tempfile::tempdir().unwrap();
            let builder = Writer::builder(dir.path()).overflow(Overflow::Wait);
            let writer = builder.sync(false).on_warning(|_| ()).start().unwrap();
            let logged = AtomicU64::new(0);
            let end = Barrier::new(LOGGERS as usize + 1);
            std::thread::scope(|scope| {
                for logger in 0..LOGGERS {
                    let x = writer.run(".").series(format!("x{logger}"));
                    let (logged, end) = (&logged, &end);
                    scope.spawn(move || {
                        end.wait();
                        let steps = 500 + 50 * round;
                        (0..steps).for_each(|step| x.scalar(step, 0.5));
                        logged.fetch_add(steps as u64, Ordering::Relaxed);
                    });
                }
                end.wait();
                // May fail, for what comes too late is a failure.
                let _ = writer.clone().finish();
            });
            let report = writer.report();
            let logged = logged.load(Ordering::Relaxed);
            assert_eq!(report.written + report.dropped, logged, "round {round}");
        }
    });
}

const WRITERS: u64 = 1_000;

/// The child, for it needs more file descriptors than a program has by default.
pub fn make_a_thousand_writers(dir: &Path) {
    let make = |number| {
        let builder = Writer::builder(dir).flush_interval(NEVER);
        let builder = builder.sync(false).on_warning(|_| ());
        let writer = builder.suffix(format!(".{number}")).start().unwrap();
        let x = writer.run(".").series(format!("x{number}"));
        x.scalar(0, value(number, 0));
        writer.flush();
        (writer, x)
    };
    let writers: Vec<_> = (0..WRITERS).map(make).collect();
    for ((_, x), number) in writers.iter().zip(0..) {
        x.scalar(1, value(number, 1));
    }
    for (writer, x) in writers {
        drop(x);
        assert_eq!(writer.finish().unwrap().written, 2);
    }
    say("wrote all");
}

#[test]
fn a_thousand_writers_of_one_directory_make_a_file_each() {
    let dir = tempfile::tempdir().unwrap();
    let prelude = "ulimit -n 4096";
    let said = Program::start_after(prelude, "thousand", dir.path(), &[]).ended_well();
    assert_eq!(said, ["wrote all"]);
    let files = event_files(dir.path());
    assert_eq!(files.len(), WRITERS as usize);
    for (file, number) in files.iter().zip(0..) {
        let name = file.to_string_lossy();
        assert!(
            name.ends_with(&format!(".{number}")),
            "file {number} is {name}"
        );
    }
    assert_eq!(starts(dir.path()), [0]);
    let view = shown(dir.path()).agreed();
    for number in 0..WRITERS {
        let tag = format!("x{number}");
        assert_curve(&tag, view.scalar(".", &tag), number, 0..2);
    }
}

/// As the processes of one distributed training do.
#[test]
fn writers_that_start_in_one_directory_at_the_same_moment_void_nothing() {
    const TOGETHER: u64 = 8;
    let root = tempfile::tempdir().unwrap();
    let dirs: Vec<_> = (0..20)
        .map(|round| root.path().join(format!("{round}")))
        .collect();
    for dir in &dirs {
        let together = Barrier::new(TOGETHER as usize);
        std::thread::scope(|scope| {
            for number in 0..TOGETHER {
                let builder = Writer::builder(dir).flush_interval(NEVER);
                let builder = builder.sync(false).on_warning(|_| ());
                let writer = builder.suffix(format!(".{number}")).start().unwrap();
                let x = writer.run(".").series(format!("x{number}"));
                let together = &together;
                scope.spawn(move || {
                    (0..100).for_each(|step| x.scalar(step, value(number, step)));
                    together.wait();
                    writer.finish().unwrap();
                });
            }
        });
    }
    let view = shown(root.path()).agreed();
    for round in 0..dirs.len() {
        for number in 0..TOGETHER {
            let tag = format!("x{number}");
            let points = view.scalar(&format!("{round}"), &tag);
            assert_curve(&tag, points, number, 0..100);
        }
    }
    // None has it where another made its file between the lock and the look of the one that is alone.
    for dir in &dirs {
        let starts = starts(dir);
        assert!(starts.is_empty() || starts == [0], "{starts:?}");
    }
}

/// Another writer's file, made later, must not sort before ours.
#[test]
fn names_do_not_run_ahead_of_the_clock_when_many_files_are_made_at_once() {
    const TOGETHER: usize = 64;
    let dir = tempfile::tempdir().unwrap();
    let together = Barrier::new(TOGETHER);
    std::thread::scope(|scope| {
        for number in 0..TOGETHER {
            let builder = Writer::builder(dir.path()).flush_interval(NEVER);
            let builder = builder.sync(false).on_warning(|_| ());
            let writer = builder.start().unwrap();
            let together = &together;
            scope.spawn(move || {
                writer.run(".").scalar(format!("x{number}"), 0, 0.5);
                together.wait();
                writer.finish().unwrap();
            });
        }
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let later = format!("events.out.tfevents.{:010}", now.as_secs() + 2);
    let files = event_files(dir.path());
    assert_eq!(files.len(), TOGETHER);
    let newest = files[TOGETHER - 1].file_name().unwrap();
    assert!(newest < later.as_str(), "{newest:?} at {}", now.as_secs());
}
