//! What detectors say while a session logs, what its log says of it, and what they say of the log: all the same.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};

use modelpulse::Session;
use modelpulse::flow::{Event, Source};
use modelpulse::health::drift::{DETECTORS, Detected, Detectors, Watched, WithDetectors};
use modelpulse::health::{Alerts, RuleSet};
use modelpulse::log::{LogReader, Overflow};
use modelpulse::replay::replay;
use modelpulse::train::SessionBuilder;

fn watched() -> Vec<Watched> {
    let all = [
        "adwin:eval/loss",
        "page_hinkley,threshold=5:loss",
        "kswin:*noise",
        "ddm:error",
        "hddm_w:error",
        "stepd:error",
        "fhddm,window=40:error",
        // Of some values: NaN is none that it takes.
        "cusum:broken",
    ];
    all.iter().map(|text| text.parse().unwrap()).collect()
}

fn rules() -> RuleSet {
    let rules = [
        "adwin/loss/drift_signal >= 2",
        "health/drift/*/error/drift_signal > 0",
        "loss > 100",
    ];
    RuleSet::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()).unwrap()
}

/// A session that is watched, what detectors said, and what the rules did.
fn session(dir: &Path) -> (SessionBuilder, Receiver<Detected>, Receiver<String>) {
    let (sender, said) = mpsc::channel();
    let (teller, alerts) = mpsc::channel();
    let builder = Session::builder(dir)
        .log(|log| log.overflow(Overflow::Wait))
        .detectors_with(watched(), move |detected| {
            sender.send(detected.clone()).unwrap();
        })
        .rules_with(rules(), move |change| {
            teller.send(change.to_string()).unwrap();
        });
    (builder, said, alerts)
}

/// Logs steps of a model that changes at 1000 and at 2000, two runs at once.
fn log(session: &Session, steps: std::ops::Range<u32>) {
    for step in steps {
        let noise = f64::from(step.wrapping_mul(2_654_435_761) >> 8 & 0xffff) / 65536.0;
        let phase = step / 1000;
        let mut instant = session.instant();
        instant.scalar("eval", "loss", step, noise + f64::from(phase));
        instant.scalar("train", "loss", step, noise);
        instant.scalar("train", "noise", step, noise * f64::from(phase + 1));
        let wrong = noise < [0.1, 0.6, 0.2][phase as usize];
        instant.scalar("live", "error", step, f64::from(u8::from(wrong)));
        let broken = if step % 7 == 0 { f64::NAN } else { noise };
        instant.scalar("live", "broken", step, broken);
    }
}

/// The events that detectors wrote into a log.
fn logged(dir: &Path) -> Vec<Event> {
    let mut log = LogReader::open(dir).unwrap();
    let instants = std::iter::from_fn(|| log.instant().unwrap());
    let own = |event: &Event| event.tag.as_str().starts_with(DETECTORS);
    instants.flatten().filter(own).collect()
}

#[test]
fn an_old_log_gives_what_the_live_run_gave() {
    let dir = tempfile::tempdir().unwrap();
    let (builder, said, alerts) = session(dir.path());
    let session = builder.start().unwrap();
    log(&session, 0..3000);
    session.finish().unwrap();
    let live: Vec<Detected> = said.iter().collect();
    let alerts: Vec<String> = alerts.iter().collect();
    for name in [
        "adwin",
        "page_hinkley",
        "kswin",
        "ddm",
        "hddm_w",
        "stepd",
        "fhddm",
    ] {
        let own = |said: &&Detected| &*said.detector == name && said.is_drift();
        assert!(live.iter().any(|said| own(&said)), "{name}");
    }
    assert!(
        alerts
            .iter()
            .any(|line| line.starts_with("firing: adwin/loss/drift_signal >= 2"))
    );

    // The log has it already, and has it again where detectors watch the replay.
    let mut again = Vec::new();
    let detectors = Detectors::new(watched(), |said| again.push(said.clone()));
    let source = LogReader::open(dir.path()).unwrap();
    let mut source = WithDetectors::new(source, detectors);
    let mut lines = Vec::new();
    let mut held = Alerts::new(rules(), |change| lines.push(change.to_string()));
    let mut written = Vec::new();
    while let Some(instant) = source.next_instant().unwrap() {
        modelpulse::flow::Sink::accept(&mut held, &instant).unwrap();
        let own = |event: &&Event| event.tag.as_str().starts_with(DETECTORS);
        written.extend(instant.iter().filter(own).cloned());
    }
    assert_eq!(source.detectors().unseen().count(), 0);
    drop((source, held));
    assert_eq!(again, live);
    assert_eq!(lines, alerts);
    let bits = |event: &Event| (format!("{event:?}"), event.wall_time.to_bits());
    let (of_log, of_replay): (Vec<_>, Vec<_>) = (
        logged(dir.path()).iter().map(bits).collect(),
        written.iter().map(bits).collect(),
    );
    assert_eq!(of_log, of_replay);
    // A value that is none is said once.
    let broken = written
        .iter()
        .filter(|event| event.tag.as_str().ends_with("cusum/broken/text"));
    let broken: Vec<String> = broken.map(|event| format!("{:?}", event.value)).collect();
    assert!(
        broken[0].contains("cusum takes finite numbers, not NaN"),
        "{broken:?}"
    );
    let said: usize = broken
        .iter()
        .filter(|text| text.contains("left out"))
        .count();
    assert_eq!(said, 1);
    // Without detectors, rules see what the log has of them.
    let mut lines = Vec::new();
    let mut held = Alerts::new(rules(), |change| lines.push(change.to_string()));
    replay(dir.path(), &mut held).unwrap();
    drop(held);
    assert_eq!(lines, alerts);
}

#[test]
fn a_run_that_is_resumed_is_judged_as_one_that_never_stopped() {
    let told = |said: Receiver<Detected>| -> Vec<(String, i64, u64)> {
        let said = said.iter();
        said.map(|it| {
            (
                format!("{} {}", it.word(), it.detector),
                it.step.as_i64(),
                it.values,
            )
        })
        .collect()
    };
    let whole = tempfile::tempdir().unwrap();
    let (builder, said, _alerts) = session(whole.path());
    let session_of_all = builder.start().unwrap();
    log(&session_of_all, 0..3000);
    session_of_all.finish().unwrap();
    let expected = told(said);

    let dir = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    // Killed with a checkpoint of step 900, then ended; each goes on in the same directory.
    for (steps, from) in [(0..1020, 0), (900..2005, 900), (2005..3000, 2005)] {
        let (builder, said, _alerts) = session(dir.path());
        let part = builder.start().unwrap();
        for run in ["eval", "train", "live"] {
            part.run(run).resume_at(from);
        }
        log(&part, steps);
        part.finish().unwrap();
        found.extend(told(said));
    }
    assert_eq!(found, expected);
    assert!(expected.len() > 10);
}
