//! Processes of one training, told apart by `RANK` and `WORLD_SIZE`: one log, or one each.

use std::path::Path;

use modelpulse::Session;
use modelpulse::train::Ranks;

use crate::support::{Program, View, assert_curve, number, say, shown, value};

const STEPS: i64 = 200;

/// The children: each logs a curve of its own, to the directory that all of them name.
pub fn log_the_rank(dir: &Path, ranks: Ranks) {
    let session = Session::builder(dir).ranks(ranks).start().unwrap();
    let rank = number("RANK");
    for step in 0..STEPS {
        session.run("train").scalar("loss", step, value(rank, step));
    }
    let logs = session.logs();
    let report = session.finish().unwrap();
    say(&format!("logs {logs}, {} values", report.written));
}

/// What two processes that play `role` said, and what TensorBoard shows of their log.
fn two(role: &str) -> ([String; 2], View) {
    let dir = tempfile::tempdir().unwrap();
    let children = ["0", "1"].map(|rank| {
        let env = [("RANK", rank.to_owned()), ("WORLD_SIZE", "2".to_owned())];
        Program::start_after(":", role, dir.path(), &env)
    });
    let said = children.map(|mut child| {
        let said = child.until_said("logs");
        child.ended_well();
        said
    });
    (said, shown(dir.path()).agreed())
}

#[test]
fn only_the_first_of_two_processes_logs() {
    let (said, view) = two("rank");
    assert_eq!(said, ["true, 200 values", "false, 0 values"]);
    assert_eq!(view.scalars.len(), 1);
    assert_curve("rank 0", view.scalar("train", "loss"), 0, 0..STEPS);
}

#[test]
fn each_of_two_processes_logs_to_a_run_of_its_own() {
    let (said, view) = two("each_rank");
    assert_eq!(said, ["true, 200 values"; 2]);
    assert_eq!(view.scalars.len(), 2);
    for rank in 0..2 {
        let run = format!("rank-{rank}/train");
        assert_curve(&run, view.scalar(&run, "loss"), rank, 0..STEPS);
    }
}
