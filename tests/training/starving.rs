//! Trainings that starve, and one that does not: what the hook finds while they run, and the doctor in their logs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use modelpulse::flow::{Event, Sink, SinkError, Source};
use modelpulse::health::{Doctor, FindingKind, Resources};
use modelpulse::log::LogReader;
use modelpulse::train::{Loop, Outcome, SessionBuilder};
use modelpulse::{Session, summary::Text};

fn busy(time: Duration) {
    let since = Instant::now();
    while since.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Trains for 200 steps; what was found while it ran, and what the doctor finds in the log.
fn train(
    settings: impl FnOnce(SessionBuilder) -> SessionBuilder,
    load: impl Fn(),
    compute: impl Fn(&Session, usize),
) -> (Vec<FindingKind>, Vec<FindingKind>) {
    let dir = tempfile::tempdir().unwrap();
    let session = settings(Session::builder(dir.path())).start().unwrap();
    let found = Arc::new(Mutex::new(Vec::new()));
    let heard = found.clone();
    let resources = Resources::new(&session)
        .every(Duration::from_millis(200))
        .patience(Duration::from_millis(600))
        .report(move |finding| heard.lock().unwrap().push(finding.kind));
    let mut fit = Loop::new().session(&session).hook(resources);
    let model = &mut ();
    fit.start(model, 1, 200);
    while fit.epoch_start(model) {
        for step in 0..200 {
            load();
            fit.batch_start(model, 1);
            compute(&session, step);
            if fit.after_loss(model, Some(0.5))
                && fit.after_backward(model)
                && fit.before_step(model)
            {
                fit.after_step(model);
            }
            fit.batch_end(model);
        }
        fit.epoch_end(model, &Outcome::default(), &Outcome::default());
    }
    let report = fit.end(model).unwrap();
    assert!(report.hook_failures.is_empty());
    // Where values were dropped, it says so.
    let _ = session.finish();
    let mut doctor = Doctor::default();
    let mut log = LogReader::open(dir.path()).unwrap();
    log.drain_into(&mut doctor).unwrap();
    let diagnoses = doctor.diagnose();
    let diagnosed = diagnoses.iter().flat_map(|it| &it.findings);
    let diagnosed = diagnosed.map(|finding| finding.kind).collect();
    (found.lock().unwrap().clone(), diagnosed)
}

#[test]
fn a_loop_that_waits_for_its_data_is_found_to() {
    let loads = || std::thread::park_timeout(Duration::from_millis(5));
    let (found, diagnosed) = train(|it| it, loads, |_, _| {});
    assert!(found.contains(&FindingKind::DataLoading), "{found:?}");
    assert!(
        diagnosed.contains(&FindingKind::DataLoading),
        "{diagnosed:?}"
    );
    assert!(!found.contains(&FindingKind::Logging), "{found:?}");
}

#[test]
fn a_loop_that_computes_waits_for_nothing() {
    let computes = |_: &Session, _| busy(Duration::from_millis(5));
    let (found, diagnosed) = train(|it| it, || {}, computes);
    for kinds in [found, diagnosed] {
        assert!(!kinds.contains(&FindingKind::DataLoading), "{kinds:?}");
        assert!(!kinds.contains(&FindingKind::Logging), "{kinds:?}");
    }
}

/// Takes longer than the loop has.
struct Slow;

impl Sink for Slow {
    fn accept(&mut self, _: &[Event]) -> Result<(), SinkError> {
        std::thread::park_timeout(Duration::from_millis(40));
        Ok(())
    }
}

#[test]
fn a_log_that_cannot_keep_up_is_found_to() {
    let long = "x".repeat(5000);
    let logs = move |session: &Session, step| {
        let text = Text::new(long.clone());
        session.run("train").log("text", step, text);
        busy(Duration::from_millis(4));
    };
    let slow = |session: SessionBuilder| session.sink(Slow).log(|log| log.buffer_bytes(10_000));
    let (found, _) = train(slow, || {}, logs);
    assert!(found.contains(&FindingKind::Logging), "{found:?}");
    assert!(!found.contains(&FindingKind::DataLoading), "{found:?}");
}
