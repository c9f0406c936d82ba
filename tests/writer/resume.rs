//! A resumed log is one curve in both loaders, wherever and however the earlier session stopped.

use std::fs;
use std::path::Path;

use modelpulse::Session;
use modelpulse::log::{Writer, last_steps};

use crate::support::{NEVER, Random, assert_curve, event_files, shown, starts, value};

fn writer(dir: &Path) -> Writer {
    Writer::builder(dir)
        .flush_interval(NEVER)
        .sync(false)
        .start()
        .unwrap()
}

/// Logs `a` and `b` of a step as one event, and `c` as another.
fn log(writer: &Writer, run: &str, steps: std::ops::Range<i64>) {
    let run = writer.run(run);
    let [a, b, c] = ["a", "b", "c"].map(|tag| run.series(tag));
    for step in steps {
        let mut guard = run.step(step);
        guard.scalar(&a, value(0, step)).scalar(&b, value(1, step));
        drop(guard);
        c.scalar(step, value(2, step));
    }
}

/// A session of its own; resumed where `resume` says so.
fn session(dir: &Path, resume: bool, steps: std::ops::Range<i64>) {
    let writer = writer(dir);
    if resume {
        writer.run("train").resume_at(steps.start);
    }
    log(&writer, "train", steps);
    writer.finish().unwrap();
}

#[track_caller]
fn assert_whole(view: &crate::support::View, run: &str, end: i64) {
    for (tag, curve) in [("a", 0), ("b", 1), ("c", 2)] {
        let what = format!("{run} {tag}");
        assert_curve(&what, view.scalar(run, tag), curve, 0..end);
    }
}

#[test]
fn a_log_cut_at_any_byte_is_resumed_without_a_gap() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    session(&whole, false, 0..60);
    let file = event_files(&whole.join("train")).remove(0);
    let bytes = fs::read(&file).unwrap();
    let mut random = Random(12);
    // The first cuts fall into what stands before the first value.
    let cuts = [0, 1, 11, 12, 30, 40, 50, 60, 70, bytes.len() - 1];
    let others = (0..30).map(|_| random.below(bytes.len() as u64) as usize);
    let cuts: Vec<usize> = cuts.into_iter().chain(others).collect();
    for (number, &cut) in cuts.iter().enumerate() {
        let dir = root.path().join(format!("cut-{number}"));
        let train = dir.join("train");
        fs::create_dir_all(&train).unwrap();
        fs::write(train.join(file.file_name().unwrap()), &bytes[..cut]).unwrap();
        // The last step may have lost its second event, so it is logged again.
        let last = last_steps(&dir)
            .unwrap()
            .get("train")
            .map(|step| step.as_i64());
        // With nothing there, a program may say that it resumes, or not.
        let resume = last.is_some() || number % 2 == 0;
        session(&dir, resume, last.unwrap_or(0)..80);
    }
    let view = shown(root.path()).agreed();
    for number in 0..cuts.len() {
        assert_whole(&view, &format!("cut-{number}/train"), 80);
    }
}

#[test]
fn a_log_resumed_at_ever_earlier_steps_is_one_curve() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), false, 0..100);
    for (first, end) in [(60, 90), (40, 45), (44, 50), (10, 30), (0, 20)] {
        session(dir.path(), true, first..end);
    }
    assert_eq!(starts(&dir.path().join("train")), [0, 60, 40, 44, 10, 0]);
    assert_whole(&shown(dir.path()).agreed(), "train", 20);
}

#[test]
fn a_log_stopped_where_its_last_session_did_although_an_earlier_one_went_further() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), false, 0..100);
    session(dir.path(), true, 60..70);
    // What the first session logged from step 60 on is void.
    let last = last_steps(dir.path()).unwrap()["train"].as_i64();
    session(dir.path(), true, last + 1..120);
    assert_whole(&shown(dir.path()).agreed(), "train", 120);
    assert_eq!(last, 69);
}

#[test]
fn a_living_writer_takes_a_run_back_and_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    log(&writer, "train", 0..100);
    log(&writer, "eval", 0..100);
    writer.run("train").resume_at(50);
    log(&writer, "train", 50..80);
    log(&writer, "eval", 100..110);
    writer.run("train").resume_at(79);
    log(&writer, "train", 79..90);
    writer.finish().unwrap();
    assert_eq!(event_files(&dir.path().join("train")).len(), 3);
    assert_eq!(event_files(&dir.path().join("eval")).len(), 1);
    let view = shown(dir.path()).agreed();
    assert_whole(&view, "train", 90);
    assert_whole(&view, "eval", 110);
}

#[test]
fn a_session_resumes_as_a_writer_does() {
    let dir = tempfile::tempdir().unwrap();
    for (first, end) in [(0, 50), (30, 60), (60, 100)] {
        let session = Session::create(dir.path()).unwrap();
        if first > 0 {
            session.run("train").resume_at(first);
        }
        for step in first..end {
            let mut instant = session.instant();
            for (tag, curve) in [("a", 0), ("b", 1), ("c", 2)] {
                instant.scalar("train", tag, step, value(curve, step));
            }
        }
        session.finish().unwrap();
    }
    assert_whole(&shown(dir.path()).agreed(), "train", 100);
}

#[test]
fn a_log_that_goes_on_without_a_word_of_resuming_keeps_all_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), false, 0..50);
    session(dir.path(), false, 50..100);
    assert_eq!(starts(&dir.path().join("train")), [0]);
    assert_whole(&shown(dir.path()).agreed(), "train", 100);
}

#[test]
fn a_log_that_rotates_after_it_was_resumed_voids_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    session(dir.path(), false, 0..100);
    let builder = Writer::builder(dir.path()).flush_interval(NEVER);
    let writer = builder.rotate_at(500).start().unwrap();
    writer.run("train").resume_at(50);
    for step in 50..150 {
        log(&writer, "train", step..step + 1);
        writer.flush();
    }
    writer.finish().unwrap();
    assert!(event_files(&dir.path().join("train")).len() > 10);
    assert_eq!(starts(&dir.path().join("train")), [0, 50]);
    assert_whole(&shown(dir.path()).agreed(), "train", 150);
}
