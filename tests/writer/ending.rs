//! However a program ends, short of being killed, its log is whole.

use std::path::Path;
use std::sync::mpsc;

use modelpulse::Session;
use modelpulse::log::{LogReader, Overflow, Writer};

use crate::support::{NEVER, PATIENCE, Program, assert_all, log_all, log_all_to, shown, until};

fn writer(dir: &Path) -> Writer {
    let builder = Writer::builder(dir).flush_interval(NEVER);
    builder.overflow(Overflow::Wait).start().unwrap()
}

fn log(writer: &Writer) {
    log_all(&writer.run("."));
}

#[track_caller]
fn assert_whole(dir: &Path) {
    assert_all(&shown(dir).agreed(), ".");
}

/// The child: panics between two steps.
pub fn log_and_panic(dir: &Path) {
    let writer = writer(dir);
    log(&writer);
    panic!("as the test wants");
}

#[test]
fn a_panic_in_the_training_thread_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let training = std::thread::spawn(move || log_and_panic(&path));
    assert!(training.join().is_err());
    assert_whole(dir.path());
}

#[test]
fn a_program_that_ends_by_a_panic_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    Program::start("panic", dir.path()).ended_by_panic();
    assert_whole(dir.path());
}

#[test]
fn a_writer_dropped_without_finish_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    log(&writer);
    drop(writer);
    assert_whole(dir.path());
}

#[test]
fn the_last_of_several_clones_ends_the_log_in_whatever_thread_it_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let writer = writer(dir.path());
    let last = writer.run(".").series("last");
    let clones = [writer.clone(), writer.clone()];
    log(&writer);
    let (go, may_go) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let _ = may_go.recv();
        last.scalar(0, 1.0);
    });
    drop(writer);
    drop(clones);
    go.send(()).unwrap();
    thread.join().unwrap();
    let view = shown(dir.path()).agreed();
    assert_all(&view, ".");
    assert_eq!(view.scalar(".", "last"), &[(0, 1.0)]);
}

#[test]
fn the_last_handle_may_be_dropped_by_the_thread_that_writes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let (dropped, was_dropped) = mpsc::channel();
    let session =
        Session::builder(path).log(|log| log.flush_interval(NEVER).overflow(Overflow::Wait));
    let session = session.start().unwrap();
    log_all_to(&session);
    let (go, may_go) = mpsc::channel::<()>();
    let clone = session.clone();
    session.run(".").log_with("drawn", 0, move || {
        let _ = may_go.recv();
        drop(clone);
        dropped.send(())?;
        Ok(1.0.into())
    });
    session.flush_soon();
    drop(session);
    go.send(()).unwrap();
    was_dropped.recv_timeout(PATIENCE).unwrap();
    until("what was drawn is in the log", || {
        let mut events = Vec::new();
        if let Ok(mut reader) = LogReader::open(dir.path()) {
            while let Some(instant) = reader.instant().unwrap() {
                events.extend(instant);
            }
        }
        events.iter().any(|event| event.tag.as_str() == "drawn")
    });
    let view = shown(dir.path()).agreed();
    assert_all(&view, ".");
    assert_eq!(view.scalar(".", "drawn"), &[(0, 1.0)]);
}
