//! A sink that fails, panics or calls back costs the log nothing; nor does a listener that does.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use modelpulse::flow::{Event, Sink, SinkError};
use modelpulse::log::{Error, Overflow, Writer, WriterBuilder};

use crate::support::{NEVER, assert_curve, in_time, shown, value};

const STEPS: i64 = 1_000;
/// Linux's number of an input or output error.
const EIO: i32 = 5;

fn builder(dir: &Path) -> WriterBuilder {
    let builder = Writer::builder(dir).flush_interval(NEVER);
    builder.overflow(Overflow::Wait).on_warning(|_| ())
}

fn log(writer: &Writer) {
    let x = writer.run(".").series("x");
    (0..STEPS).for_each(|step| x.scalar(step, value(0, step)));
}

#[track_caller]
fn assert_whole(dir: &Path) {
    let view = shown(dir).agreed();
    assert_curve("x", view.scalar(".", "x"), 0, 0..STEPS);
}

/// Fails as a broken disk does.
struct Broken;

impl Sink for Broken {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        Err(io::Error::from_raw_os_error(EIO).into())
    }
}

#[test]
fn a_sink_that_fails_each_time_costs_the_log_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let writer = builder(dir.path()).sink(Box::new(Broken)).start().unwrap();
    log(&writer);
    let failed = writer.finish().unwrap_err();
    let Error::Sink(first) = &failed.first else {
        panic!("{failed}")
    };
    let first = first
        .downcast_ref::<io::Error>()
        .and_then(io::Error::raw_os_error);
    assert_eq!(first, Some(EIO));
    let report = failed.report;
    assert_eq!((report.written, report.dropped), (STEPS as u64, 0));
    // One for each instant; scalars logged within the clock's resolution share one.
    assert!((2..=STEPS as u64).contains(&report.failures), "{report:?}");
    assert_whole(dir.path());
}

/// Panics at its first event, and where `also_dropped` again when it is dropped, as one does that
/// unwraps what its first panic poisoned.
struct Panicking {
    also_dropped: bool,
}

impl Sink for Panicking {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        panic!("the sink's own words");
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        assert!(!self.also_dropped, "panics again");
    }
}

#[derive(Clone, Default)]
struct Count(Arc<[AtomicUsize; 2]>);

impl Sink for Count {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.0[0].fetch_add(instant.len(), Ordering::Relaxed);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.0[1].fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[track_caller]
fn a_panic_is_counted(also_dropped: bool) {
    let dir = tempfile::tempdir().unwrap();
    let sink = Box::new(Panicking { also_dropped });
    let writer = builder(dir.path()).sink(sink).start().unwrap();
    log(&writer);
    let failed = in_time(|| writer.finish().unwrap_err());
    assert!(matches!(failed.first, Error::Sink(_)), "{failed}");
    assert!(
        failed.to_string().contains("the sink's own words"),
        "{failed}"
    );
    let report = failed.report;
    assert_eq!((report.written, report.dropped), (STEPS as u64, 0));
    assert_whole(dir.path());
}

#[test]
fn a_sink_that_panics_costs_the_log_nothing() {
    a_panic_is_counted(false);
}

#[test]
fn a_sink_that_panics_again_when_dropped_costs_the_log_nothing() {
    a_panic_is_counted(true);
}

#[test]
fn a_sink_beside_one_that_panics_sees_everything_and_the_end() {
    for panicking_first in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let count = Count::default();
        let also_dropped = false;
        let mut sinks: [Box<dyn Sink>; 2] = [
            Box::new(Panicking { also_dropped }),
            Box::new(count.clone()),
        ];
        if !panicking_first {
            sinks.reverse();
        }
        let add = |builder: WriterBuilder, sink| builder.sink(sink);
        let writer = sinks.into_iter().fold(builder(dir.path()), add);
        let writer = writer.start().unwrap();
        log(&writer);
        assert!(writer.finish().is_err());
        let seen = count
            .0
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        assert_eq!(
            seen,
            [STEPS as usize, 1],
            "panicking first: {panicking_first}"
        );
    }
}

/// Flushes the log that it is a sink of, as an alert may.
struct Flushing(Arc<OnceLock<Writer>>);

impl Sink for Flushing {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        if let Some(writer) = self.0.get() {
            writer.flush();
        }
        Ok(())
    }
}

#[test]
fn a_sink_may_ask_for_a_flush() {
    let dir = tempfile::tempdir().unwrap();
    let itself: Arc<OnceLock<Writer>> = Arc::default();
    let sink = Box::new(Flushing(itself.clone()));
    let writer = builder(dir.path()).sink(sink).start().unwrap();
    itself.set(writer.clone()).unwrap();
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || {
        log(&writer);
        sender.send(writer.finish())
    });
    let finished = done.recv_timeout(Duration::from_secs(10));
    let report = finished.expect("it waits for itself").unwrap();
    assert_eq!(report.written, STEPS as u64);
    assert_whole(dir.path());
}

#[test]
fn a_listener_that_panics_costs_the_log_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let builder = builder(dir.path()).sink(Box::new(Broken));
    let builder = builder.on_warning(|line| panic!("{line}"));
    let writer = builder.start().unwrap();
    log(&writer);
    let failed = in_time(|| writer.finish().unwrap_err());
    assert!(matches!(failed.first, Error::Sink(_)), "{failed}");
    assert_eq!(failed.report.written, STEPS as u64);
    assert_whole(dir.path());
}

#[test]
fn a_listener_may_log_what_it_hears() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let other = Writer::builder(other)
        .flush_interval(NEVER)
        .start()
        .unwrap();
    let heard = other.run(".").series("heard");
    let itself: Arc<OnceLock<Writer>> = Arc::default();
    let own = itself.clone();
    let listener = move |_: &str| {
        heard.scalar(0, 1.0);
        if let Some(own) = own.get() {
            own.run(".").scalar("heard", 0, 1.0);
        }
    };
    let writer = builder(&one).on_warning(listener).start().unwrap();
    itself.set(writer.clone()).unwrap();
    log(&writer);
    // Said by the logging thread: there is no room for what cannot be had.
    writer.run("../up").scalar("x", 0, 1.0);
    writer.run(".").log_at("x", STEPS, f64::NAN, 1.0);
    writer.flush();
    let report = writer.report();
    assert_eq!((report.written, report.dropped), (STEPS as u64 + 1, 2));
    other.finish().unwrap();
    let view = shown(dir.path()).agreed();
    for run in ["one", "other"] {
        assert_eq!(view.scalar(run, "heard"), &[(0, 1.0)]);
    }
}

#[test]
fn a_listener_may_log_that_the_buffer_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let other = Writer::builder(other)
        .flush_interval(NEVER)
        .start()
        .unwrap();
    let heard = other.run(".").series("heard");
    let listener = move |_: &str| heard.scalar(0, 1.0);
    let builder = builder(&one).buffer_bytes(0).overflow(Overflow::Drop);
    let writer = builder.on_warning(listener).start().unwrap();
    for step in 0..100 {
        writer.run(".").log("x", step, 1.0);
    }
    let dropped = writer.report().dropped;
    assert!(dropped > 0);
    assert!(writer.finish().is_err());
    other.finish().unwrap();
    let view = shown(dir.path()).agreed();
    assert_eq!(view.scalar("other", "heard"), &[(0, 1.0)]);
}
