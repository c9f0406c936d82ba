//! Whatever a hook does, the training and the other hooks go on, unless they are asked not to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelpulse::flow::Source;
use modelpulse::log::LogReader;
use modelpulse::train::candle::{TrainError, Trainer};
use modelpulse::train::{
    BatchEnd, Control, Exception, FitEnd, FitStart, Hook, HookError, Loop, OnError,
};
use modelpulse::{Session, summary::Text};

use crate::support::{Lines, Model};

/// Fails or panics at each batch's end, and counts how often it was called.
struct Bad {
    panics: bool,
    calls: Arc<AtomicUsize>,
}

impl Hook for Bad {
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if at.step == 0 {
            return Ok(Control::Continue);
        }
        assert!(!self.panics, "no more room at step {}", at.step);
        Err(format!("no more room at step {}", at.step).into())
    }
}

/// A hook that nothing is wrong with.
struct Good(Lines);

impl Hook for Good {
    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        self.0.push(format!("batch {}", at.step));
        Ok(Control::Continue)
    }

    fn exception(&mut self, at: &Exception<'_>) -> Result<(), HookError> {
        self.0.push(at.message);
        Ok(())
    }

    fn fit_end(&mut self, _: &FitEnd<'_>) -> Result<(), HookError> {
        self.0.push("end");
        Ok(())
    }
}

struct Fitted {
    result: Result<modelpulse::train::candle::FitReport, TrainError>,
    calls: usize,
    seen: Vec<String>,
    said: Vec<String>,
}

/// Fits two epochs of two batches with a bad hook before a good one.
fn fit(panics: bool, on_error: OnError) -> Fitted {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::create(dir.path()).unwrap();
    let (calls, lines) = (Arc::new(AtomicUsize::new(0)), Lines::default());
    let bad = Bad {
        panics,
        calls: calls.clone(),
    };
    let trainer = Trainer::new(2)
        .epochs(2)
        .batch_size(40)
        .on_error(on_error)
        .session(&session)
        .hook(bad)
        .hook(Good(lines.clone()));
    let result = Model::new(2).fit_spirals(trainer);
    session.finish().unwrap();
    let mut log = LogReader::open(dir.path()).unwrap();
    let mut said = Vec::new();
    while let Some(instant) = log.next_instant().unwrap() {
        for event in instant {
            assert_eq!(event.path(), "hooks/Bad");
            let text = Text::try_from(&event.value).unwrap();
            said.push(format!("{text:?}"));
        }
    }
    Fitted {
        result,
        calls: calls.load(Ordering::Relaxed),
        seen: lines.take(),
        said,
    }
}

#[test]
fn a_bad_hook_is_disabled_and_the_log_and_the_report_say_so() {
    for panics in [false, true] {
        let Fitted {
            result,
            calls,
            seen,
            said,
        } = fit(panics, OnError::default());
        let report = result.unwrap();
        assert_eq!((report.epochs.len(), calls), (2, 2));
        assert_eq!(seen, ["batch 0", "batch 1", "batch 2", "batch 3", "end"]);
        let [failure] = &report.hook_failures[..] else {
            panic!("{:?}", report.hook_failures);
        };
        assert_eq!((failure.hook.as_str(), failure.point), ("Bad", "batch_end"));
        assert_eq!((failure.epoch, failure.step, failure.count), (0, 1, 1));
        assert!(failure.message.ends_with("no more room at step 1"));
        assert_eq!(failure.message.starts_with("panicked: "), panics);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].contains("no more room at step 1; it is not called again"),
            "{said:?}"
        );
    }
}

#[test]
fn a_bad_hook_that_is_only_warned_of_is_called_again() {
    for panics in [false, true] {
        let Fitted {
            result,
            calls,
            seen,
            said,
        } = fit(panics, OnError::Warn);
        let report = result.unwrap();
        assert_eq!((calls, seen.len(), said.len()), (4, 5, 1));
        assert_eq!(report.hook_failures.len(), 1);
        assert_eq!(report.hook_failures[0].count, 3);
    }
}

#[test]
fn a_bad_hook_ends_the_training_where_it_is_asked_to() {
    for panics in [false, true] {
        let Fitted {
            result,
            calls,
            seen,
            said,
        } = fit(panics, OnError::Abort);
        let Err(TrainError::Hook(failure)) = result else {
            panic!("{result:?}");
        };
        assert_eq!((failure.step, calls, said.len()), (1, 2, 1));
        // The other hook sees this batch's end, and then why there is no other.
        assert_eq!(seen[..2], ["batch 0", "batch 1"]);
        assert_eq!(seen[2], failure.to_string());
        assert_eq!(seen.len(), 3);
    }
}

/// Panics wherever a hook can, one point in each fit.
struct PanicsIn(&'static str);

impl Hook for PanicsIn {
    fn name(&self) -> &str {
        assert_ne!(self.0, "name");
        "PanicsIn"
    }

    fn needs(&self, _: usize) -> modelpulse::train::Needs {
        assert_ne!(self.0, "needs");
        modelpulse::train::Needs::NOTHING
    }

    fn fit_start(&mut self, _: &FitStart<'_>) -> Result<Control, HookError> {
        assert_ne!(self.0, "name", "fails so that it is named");
        match self.0 {
            "error" => Err(PanicsWhenDropped.into()),
            _ => Ok(Control::Continue),
        }
    }

    fn fit_end(&mut self, _: &FitEnd<'_>) -> Result<(), HookError> {
        assert_ne!(self.0, "fit_end");
        Ok(())
    }
}

impl Drop for PanicsIn {
    fn drop(&mut self) {
        assert_ne!(self.0, "drop");
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it broke")]
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("and falls apart");
    }
}

#[test]
fn no_panic_of_a_hook_leaves_the_loop() {
    let points = [
        ("needs", 1),
        ("name", 1),
        ("fit_end", 1),
        ("drop", 0),
        ("error", 1),
    ];
    for (point, failures) in points {
        let mut fit = Loop::new().hook(PanicsIn(point));
        fit.start(&mut (), 1, 1);
        while fit.epoch_start(&mut ()) {
            fit.batch_start(&mut (), 1);
            fit.after_loss(&mut (), None);
            fit.batch_end(&mut ());
            fit.epoch_end(&mut (), &Default::default(), &Default::default());
        }
        let report = fit.end(&mut ()).unwrap();
        assert_eq!(report.hook_failures.len(), failures, "{point}: {report:?}");
    }
}
