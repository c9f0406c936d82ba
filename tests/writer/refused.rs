//! What would harm the log is refused, counted, and leaves the rest alone.

use std::path::Path;

use modelpulse::log::{Error, Writer};

use crate::support::{NEVER, assert_curve, in_time, shown, value};

fn writer(dir: &Path) -> Writer {
    let builder = Writer::builder(dir).flush_interval(NEVER).max_series(3);
    builder.on_warning(|_| ()).start().unwrap()
}

#[test]
fn a_wall_time_that_is_not_finite_is_refused_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    let run = writer.run("train");
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for step in 0..300 {
        match bad.get(step as usize % 100) {
            Some(&wall_time) => run.log_at("x", step, wall_time, value(0, step)),
            None => run.log_at("x", step, 1.7e9 + step as f64, value(0, step)),
        }
    }
    let failed = writer.finish().unwrap_err();
    let Error::WallTime { path } = &failed.first else {
        panic!("{failed}")
    };
    assert_eq!(path, "train/x");
    let report = failed.report;
    assert_eq!(
        (report.written, report.dropped, report.failures),
        (291, 9, 9)
    );
    let view = shown(dir.path()).agreed();
    let steps = (0..300).filter(|step| step % 100 >= 3);
    assert_curve("x", view.scalar("train", "x"), 0, steps);
}

#[test]
fn series_beyond_the_cap_are_refused_and_counted_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    let run = writer.run("train");
    // As if the step had slipped into the name; three fit.
    for step in 0..50 {
        run.scalar(format!("loss-{step}"), step, value(0, step));
    }
    let (first, refused) = (run.series("loss-0"), run.series("other"));
    for step in 50..60 {
        first.scalar(step, value(0, step));
        refused.scalar(step, 0.0);
        run.step(step).scalar(&refused, 0.0);
    }
    let failed = writer.finish().unwrap_err();
    let Error::TooManySeries { path, limit } = &failed.first else {
        panic!("{failed}")
    };
    assert_eq!((path.as_str(), *limit), ("train/loss-3", 3));
    assert_eq!(
        (failed.report.written, failed.report.dropped),
        (13, 47 + 20)
    );
    let view = shown(dir.path()).agreed();
    assert_eq!(view.scalars.len(), 3);
    let steps = [0].into_iter().chain(50..60);
    assert_curve("loss-0", view.scalar("train", "loss-0"), 0, steps);
}

#[test]
fn a_name_that_can_be_no_run_is_refused_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("log");
    let writer = writer(&dir);
    let names = [
        "..",
        "../up",
        "a/../b",
        "/absolute",
        "a//b",
        "tfevents",
        "a\0b",
    ];
    for name in names {
        writer.run(name).scalar("x", 0, 1.0);
        writer.run(name).resume_at(3);
    }
    writer.run("fine").scalar("x", 0, value(0, 0));
    let failed = writer.finish().unwrap_err();
    assert!(matches!(failed.first, Error::RunName { .. }), "{failed}");
    let dropped = names.len() as u64;
    assert_eq!((failed.report.written, failed.report.dropped), (1, dropped));
    let view = shown(root.path()).agreed();
    assert_eq!(view.scalars.len(), 1);
    assert_curve("x", view.scalar("log/fine", "x"), 0, 0..1);
}

#[test]
fn a_series_of_another_writer_in_a_step_does_not_harm_the_log() {
    let root = tempfile::tempdir().unwrap();
    let (dir, other_dir) = (root.path().join("log"), root.path().join("other"));
    let (writer, other) = (writer(&dir), writer(&other_dir));
    let run = writer.run("train");
    let own = run.series("own");
    let theirs = ["a", "b", "theirs"].map(|tag| other.run("train").series(tag));
    for step in 0..100 {
        let mut guard = run.step(step);
        guard.scalar(&own, value(0, step)).scalar(&theirs[2], 0.5);
    }
    // Where their values go is open; they are either logged or counted.
    let reports = in_time(|| {
        [writer, other].map(|writer| writer.finish().unwrap_or_else(|failed| failed.report))
    });
    let accounted: u64 = reports
        .iter()
        .map(|report| report.written + report.dropped)
        .sum();
    assert_eq!(accounted, 200);
    let view = shown(root.path()).agreed();
    assert_curve("own", view.scalar("log/train", "own"), 0, 0..100);
}

#[test]
fn what_is_logged_after_the_end_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    let run = writer.run("train");
    let x = run.series("x");
    x.scalar(0, value(0, 0));
    let late = writer.clone();
    writer.finish().unwrap();
    x.scalar(1, 0.0);
    run.step(2).scalar(&x, 0.0);
    run.log("x", 3, 0.0);
    // Returns, though nobody is there to answer.
    in_time(move || {
        late.flush();
        late.sync();
        let failed = late.finish().unwrap_err();
        assert!(matches!(failed.first, Error::Finished), "{failed}");
        assert_eq!((failed.report.written, failed.report.dropped), (1, 3));
    });
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..1);
}
