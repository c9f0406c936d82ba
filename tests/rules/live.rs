//! What a session says of alerts while it logs, what its log says of them, and what a replay says: all the same.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use modelpulse::Session;
use modelpulse::flow::Event;
use modelpulse::health::{ALERTS, Alerts, RuleSet, Span};
use modelpulse::log::LogReader;
use modelpulse::replay::replay;
use modelpulse::train::SessionBuilder;

/// Longer than anything here takes.
const NEVER: Duration = Duration::from_secs(60);

fn rules(conditions: &[&str]) -> RuleSet {
    let rules = conditions
        .iter()
        .map(|condition| condition.parse().unwrap());
    RuleSet::new(rules.collect()).unwrap()
}

/// A session, and the lines that it says of alerts.
fn session(dir: &Path, rules: &RuleSet) -> (SessionBuilder, Receiver<String>) {
    let (sender, lines) = mpsc::channel();
    let builder = Session::builder(dir).rules_with(rules.clone(), move |change| {
        // Whoever does not listen any more has heard enough.
        let _ = sender.send(change.to_string());
    });
    (builder, lines)
}

fn replayed(dir: &Path, rules: &RuleSet) -> Vec<String> {
    let mut lines = Vec::new();
    let mut alerts = Alerts::new(rules.clone(), |change| lines.push(change.to_string()));
    replay(dir, &mut alerts).unwrap();
    drop(alerts);
    lines
}

/// What alerts wrote into a log, in its order.
fn told(dir: &Path) -> Vec<Event> {
    let mut log = LogReader::open(dir).unwrap();
    let instants = std::iter::from_fn(|| log.instant().unwrap());
    let all: Vec<Event> = instants.flatten().collect();
    assert!(all.is_sorted_by(|a, b| a.wall_time <= b.wall_time));
    let own = |event: &Event| event.tag.as_str().starts_with(ALERTS);
    all.into_iter().filter(own).collect()
}

/// The steps at which a scalar was logged, and its values.
fn scalar(told: &[Event], run: &str, tag: &str) -> Vec<(i64, f64)> {
    let tag = format!("{ALERTS}{tag}");
    let own = told
        .iter()
        .filter(|event| event.run.as_str() == run && event.tag.as_str() == tag);
    own.map(|event| (event.step.as_i64(), event.value.number().unwrap()))
        .collect()
}

#[test]
fn a_log_tells_the_story_of_its_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let rules = rules(&["loss > 1", "batch_* > 5", "never < 0"]);
    let (builder, lines) = session(dir.path(), &rules);
    let session = builder.start().unwrap();
    for (step, loss) in [0.5, 2.0, f64::NAN, 0.3].into_iter().enumerate() {
        let mut instant = session.instant();
        instant.scalar("train", "loss", step, loss);
        instant.scalar("eval", "loss", step, 0.5);
        drop(instant);
        // Of two series of one rule, the second begins before the first ends.
        session.run("batch").scalar("batch_a", step, 4.0 * loss);
        session.run("batch").scalar("batch_b", step, 3.0 * loss);
    }
    session.finish().unwrap();

    let live: Vec<String> = lines.iter().collect();
    assert_eq!(live, replayed(dir.path(), &rules));
    let told = told(dir.path());
    assert_eq!(
        scalar(&told, "train", "loss > 1"),
        [(0, 0.0), (1, 1.0), (3, 0.0)]
    );
    assert_eq!(scalar(&told, "eval", "loss > 1"), [(0, 0.0)]);
    // 1 as long as one of them fires.
    assert_eq!(
        scalar(&told, "batch", "batch_* > 5"),
        [(0, 0.0), (1, 1.0), (1, 1.0), (3, 0.0)]
    );
    let texts = told
        .iter()
        .filter(|event| event.tag.as_str().ends_with("/text"));
    assert_eq!(texts.count(), live.len());
    assert!(live.len() == 6 && told.iter().all(|event| !event.path().contains("never")));
}

#[test]
fn a_hung_loop_is_missed_live_and_in_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    let rules = rules(&["absent(loss, 200ms)", "time/heartbeat > 0.15"]);
    let rules = rules.interval(Span::Time(50_000)).unwrap();
    let (builder, lines) = session(dir.path(), &rules);
    let builder = builder.heartbeat(Duration::from_millis(30));
    let session = builder
        .log(|log| log.flush_interval(NEVER))
        .start()
        .unwrap();
    session.run("train").scalar("loss", 7, 0.5);
    let mut live: Vec<String> = (0..2)
        .map(|_| lines.recv_timeout(NEVER).expect("an alert"))
        .collect();
    assert!(live.iter().any(|line| line.starts_with("firing: absent(loss, 200ms)  run=train tag=loss step=7 ")), "{live:?}");
    // It goes on.
    session.run("train").scalar("loss", 8, 0.5);
    session.finish().unwrap();
    live.extend(lines.iter());
    assert!(
        live.iter()
            .any(|line| line.starts_with("resolved: absent(loss")),
        "{live:?}"
    );
    assert_eq!(live, replayed(dir.path(), &rules));
}

#[test]
fn a_session_of_nothing_is_missed_too() {
    let dir = tempfile::tempdir().unwrap();
    let rules = rules(&["absent(loss, 100ms)"]);
    let rules = rules.interval(Span::Time(50_000)).unwrap();
    let (builder, lines) = session(dir.path(), &rules);
    let session = builder
        .heartbeat(Duration::from_millis(30))
        .start()
        .unwrap();
    let line = lines.recv_timeout(NEVER).expect("an alert");
    assert!(
        line.starts_with("firing: absent(loss, 100ms)  run=. tag=loss step=0 "),
        "{line}"
    );
    session.run("train").scalar("loss", 0, 0.5);
    session.finish().unwrap();
    let live: Vec<String> = std::iter::once(line).chain(lines).collect();
    assert_eq!(live, replayed(dir.path(), &rules));
    // What was begun under one name is ended under it.
    let told = told(dir.path());
    let values = scalar(&told, ".", "absent(loss, 100ms)");
    assert_eq!(values, [(0, 1.0), (0, 0.0)]);
}

#[test]
fn a_resumed_session_goes_on_as_if_it_had_not_stopped() {
    let dir = tempfile::tempdir().unwrap();
    // Both look back over what the first session logged.
    let conditions = ["loss > 1", "max(loss, 1h) > 3", "avg(loss, 1h) > 1.5"];
    let rules = rules(&conditions);
    let (mut live, mut step) = (Vec::new(), 0_i64);
    for losses in [&[0.5, 4.0, 2.0][..], &[2.0, 0.1, 0.1], &[0.1, 7.0]] {
        let (builder, lines) = session(dir.path(), &rules);
        let session = builder.start().unwrap();
        session.resume_at(step, 0);
        for &loss in losses {
            session.run("train").scalar("loss", step, loss);
            step += 1;
        }
        // The last was not yet behind a checkpoint.
        step -= 1;
        session.finish().unwrap();
        live.extend(lines);
    }
    assert_eq!(live, replayed(dir.path(), &rules));
    // Each began once, but for the first, which ended and began again.
    let begun = live.iter().filter(|line| line.starts_with("firing: "));
    assert_eq!(begun.count(), 5, "{live:#?}");
}
