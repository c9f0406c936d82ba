//! Where a step's time goes.
//!
//! The clock is read only in the steps that are logged.

use std::time::Duration;

use crate::summary::Text;
use crate::train::{BatchEnd, Control, FitEnd, Hook, HookError, Needs, Phases, Session};

/// Logs, every 20th batch, how many milliseconds the phases of its step took, as `time/step_ms/…`, to the run
/// `batch`: getting the data, forward, backward, the optimizer, the hooks, and of those the logging. At the end,
/// their shares of the time stand as a table in the text `time/step`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let session = modelpulse::Session::create(dir.path())?;
/// let hook = modelpulse::train::callbacks::Timing::new(&session).every(100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug)]
pub struct Timing {
    session: Session,
    every: usize,
    sums: [Duration; PHASES.len()],
    steps: u32,
}

const PHASES: [&str; 6] = [
    "data",
    "forward",
    "backward",
    "optimizer",
    "hooks",
    "logging",
];

fn durations(phases: &Phases) -> [Duration; PHASES.len()] {
    let Phases {
        data,
        forward,
        backward,
        optimizer,
        hooks,
        logging,
        ..
    } = *phases;
    [data, forward, backward, optimizer, hooks, logging]
}

impl Timing {
    /// Logs to `session`, every 20th batch.
    pub fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            every: 20,
            sums: [Duration::ZERO; PHASES.len()],
            steps: 0,
        }
    }

    /// Logs every `batches`-th batch, at least every one.
    pub fn every(mut self, batches: usize) -> Self {
        self.every = batches.max(1);
        self
    }
}

impl Hook for Timing {
    fn needs(&self, step: usize) -> Needs {
        super::every(self.every, step, Needs::TIME)
    }

    fn batch_end(&mut self, at: &BatchEnd<'_>) -> Result<Control, HookError> {
        let Some(phases) = at.phases.filter(|_| at.step.is_multiple_of(self.every)) else {
            return Ok(Control::Continue);
        };
        let mut instant = self.session.instant();
        let phases = PHASES.into_iter().zip(durations(phases));
        for ((phase, time), sum) in phases.zip(&mut self.sums) {
            let milliseconds = time.as_secs_f64() * 1e3;
            instant.scalar(
                "batch",
                &format!("time/step_ms/{phase}"),
                at.step,
                milliseconds,
            );
            *sum += time;
        }
        self.steps += 1;
        Ok(Control::Continue)
    }

    fn fit_end(&mut self, at: &FitEnd<'_>) -> Result<(), HookError> {
        if self.steps > 0 {
            // Logging is a part of the hooks.
            let total: Duration = self.sums[..PHASES.len() - 1].iter().sum();
            let row = |(phase, sum): (&str, &Duration)| {
                let milliseconds = (*sum / self.steps).as_secs_f64() * 1e3;
                let share = 100.0 * sum.as_secs_f64() / total.as_secs_f64();
                [
                    phase.to_owned(),
                    format!("{milliseconds:.3}"),
                    format!("{share:.1} %"),
                ]
            };
            let rows: Vec<_> = PHASES.into_iter().zip(&self.sums).map(row).collect();
            let table = Text::table(&["phase", "ms a step", "share"], &rows);
            let last = at.steps.saturating_sub(1);
            self.session.run("batch").log("time/step", last, table);
        }
        Ok(())
    }
}
