//! A signal that ends a program lets it write its log first, and still ends it.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use modelpulse::Session;
use modelpulse::flow::{Event, Sink, SinkError};
use modelpulse::log::{Overflow, Writer, WriterBuilder};
use modelpulse::summary::HParams;

use crate::support::{NEVER, Program, View, assert_all, log_all, log_all_to, say, shown};

/// Names and numbers of the signals that end a program. One that these tests were themselves started to
/// ignore, as below `nohup`, is ignored by their children too, and rightly so.
fn signals() -> Vec<(&'static str, i32)> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
    let all = [("TERM", 15), ("INT", 2), ("HUP", 1)];
    let is_ignored = |number: i32| ignored & (1 << (number - 1)) != 0;
    all.into_iter()
        .filter(|&(_, number)| !is_ignored(number))
        .collect()
}

/// What is logged is written when a signal comes, and not before.
fn waiting(log: WriterBuilder) -> WriterBuilder {
    log.flush_interval(NEVER).overflow(Overflow::Wait)
}

/// The child.
pub fn log_and_wait(dir: &Path) {
    let writer = waiting(Writer::builder(dir)).start().unwrap();
    writer.flush_on_signal().unwrap();
    log_all(&writer.run("."));
    say("logged");
    std::thread::sleep(NEVER);
}

/// The child, with a session.
pub fn hold_session_and_wait(dir: &Path) {
    let session = Session::builder(dir).log(waiting).start().unwrap();
    session.hparams(&HParams::new().set("lr", 0.1));
    session.flush_on_signal().unwrap();
    log_all_to(&session);
    say("logged");
    std::thread::sleep(NEVER);
}

/// A disk that never answers.
struct Hanging;

impl Sink for Hanging {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        say("hangs");
        std::thread::sleep(NEVER);
        Ok(())
    }
}

/// The child, whose thread that writes stands still.
pub fn hang(dir: &Path) {
    let writer = Writer::builder(dir).flush_interval(Duration::from_millis(1));
    let writer = writer.sink(Box::new(Hanging)).start().unwrap();
    writer.flush_on_signal().unwrap();
    (0..2).for_each(|step| writer.run(".").scalar("x", step, 0.5));
    std::thread::sleep(NEVER);
}

/// What is shown of children that play `role`, each ended by another signal.
#[track_caller]
fn ended(role: &str) -> View {
    let root = tempfile::tempdir().unwrap();
    for (name, number) in signals() {
        let mut child = Program::start(role, &root.path().join(name));
        child.until_said("logged");
        child.signal(name);
        let (signal, said) = child.ended_by();
        assert_eq!(signal, Some(number), "{name}: {said:?}");
    }
    let view = shown(root.path()).agreed();
    for (name, _) in signals() {
        assert_all(&view, name);
    }
    view
}

#[test]
fn a_signal_has_everything_written_and_still_ends_the_program() {
    ended("signals");
}

#[test]
fn a_session_ended_by_a_signal_is_a_failure_in_tensorboard() {
    let view = ended("session");
    let ends: Vec<_> = view.ends.values().collect();
    assert_eq!(ends, vec!["STATUS_FAILURE"; signals().len()]);
}

/// As below `nohup`, or in the background of a shell script.
#[test]
fn a_signal_that_the_program_ignored_does_not_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Program::start_after("trap '' HUP", "signals", dir.path(), &[]);
    child.until_said("logged");
    child.signal("HUP");
    // There is nothing to wait for: it must not end.
    std::thread::sleep(Duration::from_millis(300));
    child.signal("TERM");
    let (signal, _) = child.ended_by();
    assert_eq!(signal, Some(15), "1 is SIGHUP");
}

#[test]
fn a_program_whose_disk_hangs_is_ended_by_a_second_signal_at_the_latest() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Program::start("hang", dir.path());
    child.until_said("hangs");
    let (sender, ended) = mpsc::channel();
    child.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    child.signal("TERM");
    std::thread::spawn(move || sender.send(child.ended_by()));
    let signal = ended.recv_timeout(Duration::from_secs(10));
    assert_eq!(signal.ok().map(|(signal, _)| signal), Some(Some(15)));
}
