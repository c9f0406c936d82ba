use super::*;
use crate::flow::{Event, Sink, SinkError};
use crate::health::Reading;
use std::sync::atomic::{AtomicUsize, Ordering};

fn session() -> (tempfile::TempDir, Session) {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::create(dir.path()).unwrap();
    (dir, session)
}

fn two_rows() -> LabelledRows {
    LabelledRows::classes(vec![0.2, 0.8], 1, vec![0, 1]).unwrap()
}

fn counted(registry: &Registry, name: &str, kind: &str) -> f64 {
    let families = registry.families();
    let family = families.iter().find(|it| it.name() == name).unwrap();
    let mut meters = family.meters();
    let meter = meters
        .find(|meter| meter.tags().iter().all(|(_, value)| value == kind))
        .unwrap();
    match meter.read() {
        Reading::Number(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_evaluated_is_in_the_gauges_when_the_answer_comes() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let session = Session::builder(dir.path())
        .sink(registry.sink())
        .start()
        .unwrap();
    let watch = Monitor::new(|rows| rows.values().to_vec())
        .data(two_rows())
        .registry(&registry)
        .start(&session)
        .unwrap();
    for step in 0..3 {
        assert_eq!(watch.evaluate().unwrap().step, step);
        let gauge = registry.meter("modelpulse_accuracy").tag("run", "eval");
        assert_eq!(gauge.gauge().value(), 1.0);
    }
    drop(watch);
    session.finish().unwrap();
    // Another process goes on behind it.
    let session = Session::create(dir.path()).unwrap();
    let watch = Monitor::new(|rows| rows.values().to_vec()).data(two_rows());
    assert_eq!(watch.start(&session).unwrap().evaluate().unwrap().step, 3);
}

#[test]
fn a_model_that_fails_or_panics_is_watched_on() {
    let (_dir, session) = session();
    let registry = Registry::new();
    let calls = AtomicUsize::new(0);
    let watch = Monitor::new(move |rows| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("out of memory"),
        1 => Err("the service is down"),
        2 => Ok(vec![0.5; 7]),
        3 => Ok(vec![f32::NAN; rows.len()]),
        _ => Ok(rows.values().to_vec()),
    })
    .data(two_rows())
    .registry(&registry)
    .start(&session)
    .unwrap();
    for expected in ["out of memory", "service is down", "7 numbers for 2 rows"] {
        let error = watch.evaluate().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(watch.status().error, Some(error));
    }
    assert!(watch.evaluate().unwrap().metrics["accuracy"].is_nan());
    assert_eq!(watch.evaluate().unwrap().metrics["accuracy"], 1.0);
    assert_eq!(watch.status().error, None);
    assert_eq!(counted(&registry, "failed.evaluations", ""), 3.0);
}

#[test]
fn predictions_and_what_is_wrong_with_them_are_counted() {
    let (_dir, session) = session();
    let registry = Registry::new();
    let watch = Monitor::new(|rows| {
        let odd = |row: &[f32]| if row[0] < 0.0 { f32::NAN } else { row[0] };
        assert!(rows.values()[0] < 100.0, "too large");
        rows.iter().map(odd).collect::<Vec<f32>>()
    })
    .features(1)
    .registry(&registry)
    .start(&session)
    .unwrap();
    let predict = |values: &[f32], width| watch.predict(Rows::new(values, width).unwrap());
    assert_eq!(predict(&[0.1, -1.0, 0.9], 1).unwrap().class(1), None);
    assert!(predict(&[200.0], 1).is_err());
    assert!(predict(&[1.0, 2.0], 2).is_err());
    watch.malformed(2);
    assert_eq!(counted(&registry, "predictions", ""), 3.0);
    for (kind, count) in [("nan", 1.0), ("failed", 1.0), ("malformed", 3.0)] {
        assert_eq!(
            counted(&registry, "prediction.errors", kind),
            count,
            "{kind}"
        );
    }
    assert!(
        watch
            .evaluate()
            .unwrap_err()
            .to_string()
            .contains("no data")
    );
}

/// Says when there was an evaluation.
struct Evaluations(mpsc::Sender<()>);

impl Sink for Evaluations {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        if instant.iter().any(|event| event.path() == "eval/accuracy") {
            self.0.send(())?;
        }
        Ok(())
    }
}

#[test]
fn it_evaluates_at_its_interval_until_it_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (sender, evaluations) = mpsc::channel();
    let session = Session::builder(dir.path())
        .sink(Evaluations(sender))
        .start()
        .unwrap();
    let watch = Monitor::new(|rows| rows.values().to_vec())
        .data(two_rows())
        .interval(Duration::from_millis(20))
        .start(&session)
        .unwrap();
    for _ in 0..3 {
        evaluations.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    watch.stop();
    let step = watch.evaluate().unwrap().step;
    assert!(step >= 3);
    assert_eq!(watch.evaluate().unwrap().step, step + 1);
}
