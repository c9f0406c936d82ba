//! While nothing is written a logging call waits as long as it may and no longer, and what it drops
//! is counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use modelpulse::flow::{Event, Sink, SinkError};
use modelpulse::log::{Error, Overflow, Writer, WriterBuilder};
use modelpulse::summary::Histogram;

use crate::support::{PATIENCE, View, assert_curve, shown, until, value};

/// Stands still at its first event until it may go on, and so does the thread that writes.
struct Gate {
    entered: Sender<()>,
    may_go: Receiver<()>,
    passed: bool,
}

impl Sink for Gate {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        if !self.passed {
            self.passed = true;
            self.entered.send(())?;
            let _ = self.may_go.recv();
        }
        Ok(())
    }
}

/// A writer whose thread stands still, and what lets it go when it is dropped.
fn standing_writer(
    dir: &Path,
    set: impl Fn(WriterBuilder) -> WriterBuilder,
) -> (Writer, Sender<()>) {
    let (entered, has_entered) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let builder = Writer::builder(dir).flush_interval(Duration::from_millis(1));
    let builder = builder.on_warning(|_| ()).sink(Box::new(Gate {
        entered,
        may_go,
        passed: false,
    }));
    let writer = set(builder).start().unwrap();
    // The second of two instants shows that the first is complete.
    writer.run(".").scalar("first", 0, 0.0);
    writer.run(".").scalar("first", 1, 0.0);
    has_entered.recv_timeout(PATIENCE).unwrap();
    (writer, go)
}

const CALLS: i64 = 30_000;
/// How long a busy machine may keep a thread from going on.
const SLACK: Duration = Duration::from_millis(250);

/// Makes many calls; returns how long all took, and the longest.
fn timed(mut call: impl FnMut(i64)) -> (Duration, Duration) {
    let (since, mut longest) = (Instant::now(), Duration::ZERO);
    for step in 0..CALLS {
        let since = Instant::now();
        call(step);
        longest = longest.max(since.elapsed());
    }
    (since.elapsed(), longest)
}

/// Ends the writer; what was written is there and what is not was counted.
#[track_caller]
fn ends_with_losses(dir: &Path, writer: Writer, logged: u64) -> View {
    let failed = writer.finish().unwrap_err();
    assert!(matches!(failed.first, Error::Overflow), "{failed}");
    let report = failed.report;
    assert_eq!(report.written + report.dropped, logged);
    assert!(report.dropped > 0 && report.written > 2, "{report:?}");
    let view = shown(dir).agreed();
    let histograms = view.histograms.values().map(|points| points.len() as u64);
    assert_eq!(
        view.scalar_count() + histograms.sum::<u64>(),
        report.written
    );
    view
}

#[test]
fn a_scalar_waits_at_most_its_time_and_those_behind_it_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, go) = standing_writer(dir.path(), |builder| builder);
    let x = writer.run(".").series("x");
    let (total, longest) = timed(|step| x.scalar(step, value(0, step)));
    let bound = Duration::from_millis(10);
    assert!((bound..bound + SLACK).contains(&longest), "{longest:?}");
    // Only one of the thousands that were dropped has waited.
    assert!(total < 2 * bound + 4 * SLACK, "{total:?}");
    assert!(writer.report().dropped > CALLS as u64 / 2);
    drop(go);
    let view = ends_with_losses(dir.path(), writer, CALLS as u64 + 2);
    let kept = view.scalar(".", "x");
    assert_curve("x", kept, 0, 0..kept.len() as i64);
}

#[test]
fn a_step_and_a_histogram_wait_no_longer_than_a_scalar() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, go) = standing_writer(dir.path(), |builder| builder.buffer_bytes(64 << 10));
    let run = writer.run(".");
    let (x, y) = (run.series("x"), run.series("y"));
    let histogram = Histogram::of(&[1.0, 2.0, 3.0]);
    let (total, longest) = timed(|step| {
        run.step(step).scalar(&x, 0.5).scalar(&y, 0.5);
        run.log("h", step, histogram.clone());
    });
    assert!(longest < Duration::from_millis(20) + SLACK, "{longest:?}");
    assert!(total < 8 * SLACK, "{total:?}");
    drop(go);
    ends_with_losses(dir.path(), writer, 3 * CALLS as u64 + 2);
}

#[test]
fn drop_never_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, go) = standing_writer(dir.path(), |builder| builder.overflow(Overflow::Drop));
    let x = writer.run(".").series("x");
    let (total, longest) = timed(|step| x.scalar(step, value(0, step)));
    assert!(
        longest < SLACK && total < 4 * SLACK,
        "{longest:?} of {total:?}"
    );
    drop(go);
    ends_with_losses(dir.path(), writer, CALLS as u64 + 2);
}

#[test]
fn after_a_stand_still_everything_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, go) = standing_writer(dir.path(), |builder| builder);
    let (x, y) = (writer.run(".").series("x"), writer.run(".").series("y"));
    timed(|step| x.scalar(step, value(0, step)));
    let dropped = writer.report().dropped;
    assert!(dropped > 0);
    drop(go);
    writer.flush();
    (0..5_000).for_each(|step| y.scalar(step, value(1, step)));
    assert_eq!(writer.finish().unwrap_err().report.dropped, dropped);
    let view = shown(dir.path()).agreed();
    assert_curve("y", view.scalar(".", "y"), 1, 0..5_000);
}

#[test]
fn wait_loses_nothing_however_long_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, go) = standing_writer(dir.path(), |builder| builder.overflow(Overflow::Wait));
    let logged = Arc::new(AtomicI64::new(0));
    let (x, so_far) = (writer.run(".").series("x"), logged.clone());
    let logger = std::thread::spawn(move || {
        for step in 0..CALLS {
            x.scalar(step, value(0, step));
            so_far.store(step + 1, Ordering::Relaxed);
        }
    });
    // It is full, and the logger waits, when the count stands still.
    let mut before = -1;
    until("the logger waits", || {
        std::thread::sleep(Duration::from_millis(100));
        let now = logged.load(Ordering::Relaxed);
        std::mem::replace(&mut before, now) == now && now > 0
    });
    assert!(before < CALLS, "it did not wait");
    drop(go);
    logger.join().unwrap();
    let report = writer.finish().unwrap();
    assert_eq!((report.written, report.dropped), (CALLS as u64 + 2, 0));
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..CALLS);
}
