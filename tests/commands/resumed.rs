//! What is left out of resumed runs is the same for all that read logs.

use std::collections::BTreeMap;

use modelpulse::flow::Source;
use modelpulse::log::{Inspection, PurgedReader, Restart};

use crate::cases;

#[test]
fn every_policy_leaves_out_the_same_of_events_as_of_an_inspection() {
    let (mut points, mut voided) = (0, 0);
    for case in cases() {
        let mut all = None;
        for restart in [
            Restart::KeepAll,
            Restart::TensorBoard,
            Restart::DataServer,
            Restart::Purge,
        ] {
            let inspection = Inspection::of(&case, restart, |_| ()).unwrap();
            let mut expected = BTreeMap::new();
            for (run, summary) in &inspection.runs {
                for (tag, series) in &summary.series {
                    if series.count() > 0 {
                        let last = series.last().map(|(step, _)| step.as_i64());
                        expected.insert((run.clone(), tag.clone()), (series.count(), last));
                    }
                }
            }
            let mut log = PurgedReader::open_runs(&case, restart, |_| true).unwrap();
            let mut found = BTreeMap::new();
            let mut count = 0;
            while let Some(instant) = log.next_instant().unwrap() {
                for event in instant {
                    count += 1;
                    let series = found.entry((event.run, event.tag)).or_insert((0, None));
                    *series = (series.0 + 1, Some(event.step.as_i64()));
                }
            }
            assert_eq!(found, expected, "{} {restart}", case.display());
            points += count;
            voided += *all.get_or_insert(count) - count;
        }
    }
    println!("{points} points, {voided} left out");
    assert!(voided > 10);
}
