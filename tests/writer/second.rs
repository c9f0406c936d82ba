//! Two live writers of one directory lose values, and are warned of; a dead one does no harm.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use modelpulse::log::Writer;

use crate::support::{NEVER, Program, assert_curve, say, shown, value};

/// A writer, and what it warns of.
fn heard_writer(dir: &Path) -> (Writer, Receiver<String>) {
    let (sender, heard) = mpsc::channel();
    let listener = move |line: &str| sender.send(line.to_owned()).unwrap();
    let builder = Writer::builder(dir)
        .flush_interval(NEVER)
        .on_warning(listener);
    (builder.start().unwrap(), heard)
}

/// Logs something, and returns what the writer warned of.
fn warnings((writer, heard): &(Writer, Receiver<String>), run: &str, step: i64) -> Vec<String> {
    writer.run(run).scalar("x", step, value(0, step));
    writer.flush();
    heard.try_iter().collect()
}

#[track_caller]
fn assert_warned(warnings: &[String], dir: &Path) {
    let [line] = warnings else {
        panic!("{warnings:?}")
    };
    assert!(line.contains("another writer is logging"), "{line}");
    assert!(line.contains(&dir.display().to_string()), "{line}");
}

/// The child: logs, and lives on.
pub fn hold(dir: &Path) {
    let writer = Writer::builder(dir).flush_interval(NEVER).start().unwrap();
    writer.run("train").scalar("x", 0, value(0, 0));
    writer.flush();
    say("logged");
    std::thread::sleep(NEVER);
}

#[test]
fn a_writer_of_another_process_is_warned_of_while_it_lives_and_not_when_it_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Program::start("hold", dir.path());
    child.until_said("logged");
    let second = heard_writer(dir.path());
    assert_warned(&warnings(&second, "train", 1), &dir.path().join("train"));
    // Said once, and only of the run that both log to.
    assert_eq!(warnings(&second, "train", 2), [""; 0]);
    assert_eq!(warnings(&second, "eval", 0), [""; 0]);
    second.0.finish().unwrap();
    child.kill();
    let third = heard_writer(dir.path());
    assert_eq!(warnings(&third, "train", 3), [""; 0]);
    third.0.finish().unwrap();
    let view = shown(dir.path()).agreed();
    assert_curve("x", view.scalar("train", "x"), 0, 0..4);
}

#[test]
fn a_second_writer_of_this_process_is_warned_of_until_the_first_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let first = heard_writer(dir.path());
    assert_eq!(warnings(&first, ".", 0), [""; 0]);
    let second = heard_writer(dir.path());
    assert_warned(&warnings(&second, ".", 1), dir.path());
    // A warning is no failure.
    second.0.finish().unwrap();
    first.0.finish().unwrap();
    let third = heard_writer(dir.path());
    assert_eq!(warnings(&third, ".", 2), [""; 0]);
    third.0.finish().unwrap();
}

#[test]
fn a_writer_does_not_warn_of_itself_when_it_rotates_or_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, heard) = mpsc::channel();
    let listener = move |line: &str| sender.send(line.to_owned()).unwrap();
    let builder = Writer::builder(dir.path())
        .flush_interval(NEVER)
        .rotate_at(1);
    let writer = (builder.on_warning(listener).start().unwrap(), heard);
    for step in 0..10 {
        assert_eq!(warnings(&writer, ".", step), [""; 0]);
    }
    writer.0.run(".").resume_at(5);
    assert_eq!(warnings(&writer, ".", 5), [""; 0]);
    writer.0.finish().unwrap();
}

#[test]
fn a_second_writer_is_warned_of_also_in_a_directory_that_was_removed_and_made_again() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("log");
    let first = heard_writer(&dir);
    assert_eq!(warnings(&first, ".", 0), [""; 0]);
    fs::remove_dir_all(&dir).unwrap();
    // The removed file is said; the directory is there again.
    assert_eq!(warnings(&first, ".", 1).len(), 1);
    let second = heard_writer(&dir);
    assert_warned(&warnings(&second, ".", 2), &dir);
}
