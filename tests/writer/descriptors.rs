//! Out of file descriptors: what is lost is counted, what is counted as written is there.

use std::path::Path;

use modelpulse::log::{Overflow, Writer};

use crate::support::{NEVER, Program, say, shown, value};

const RUNS: u64 = 100;
const STEPS: i64 = 20;

/// The child.
pub fn log_to_many_runs(dir: &Path) {
    let builder = Writer::builder(dir).flush_interval(NEVER);
    let builder = builder.overflow(Overflow::Wait).on_warning(|_| ());
    let writer = builder.start().unwrap();
    for run in 0..RUNS {
        let x = writer.run(format!("run-{run}")).series("x");
        (0..STEPS).for_each(|step| x.scalar(step, value(run, step)));
    }
    let failed = writer.finish().unwrap_err();
    let report = failed.report;
    say(&format!("wrote {} {}", report.written, report.dropped));
}

#[test]
fn runs_beyond_the_limit_of_open_files_are_counted_as_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let child = Program::start_after("ulimit -n 64", "descriptors", dir.path(), &[]);
    let said = child.ended_well();
    let numbers = said.last().and_then(|line| line.strip_prefix("wrote "));
    let (written, dropped) = numbers.and_then(|text| text.split_once(' ')).unwrap();
    let (written, dropped): (u64, u64) = (written.parse().unwrap(), dropped.parse().unwrap());
    assert_eq!(written + dropped, RUNS * STEPS as u64);
    assert!(written >= 20 * STEPS as u64, "{written}");
    let view = shown(dir.path()).agreed();
    assert_eq!(view.scalar_count(), written);
}
