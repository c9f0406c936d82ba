//! Which predictions were wrong, as their labels come: what detectors of concept drift watch.

use crate::health::{Heard, Observations, Predictions};
use crate::log::last_steps;
use crate::train::Session;

/// The series that [`Observations::log_wrong`] logs, by run and tag.
pub const WRONG: (&str, &str) = ("live/labels", "wrong");

impl Observations {
    /// From now on, logs of each observation that meets its label whether its prediction was wrong: 1, or 0; of a
    /// regression, the absolute error. The series is [`WRONG`], and its steps count labels, behind those that the log has.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, health::Observations, train::Task};
    /// let session = Session::builder(dir.path())
    ///     .detectors(vec!["ddm:wrong".parse()?])
    ///     .start()?;
    /// let live = Observations::new(Task::Binary);
    /// live.log_wrong(&session);
    /// live.observe("a", vec![0.9])?;
    /// live.label("a", 0.0)?; // logged: live/labels/wrong is 1
    /// # session.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    pub fn log_wrong(&self, session: &Session) {
        let (run, tag) = WRONG;
        let steps = last_steps(session.dir()).unwrap_or_default();
        let mut step = steps.get(run).map_or(0, |step| step.as_i64() + 1);
        let run = session.run(run);
        let of_classes = self.task().classes().is_some();
        self.listen(move |heard| {
            let Heard::Labelled { outputs, label, .. } = heard else {
                return;
            };
            let wrong = if of_classes {
                let said = Predictions::new(outputs.to_vec(), outputs.len());
                let right = said.class(0) == Some(*label as usize);
                f64::from(u8::from(!right))
            } else {
                let said = outputs.first().copied().unwrap_or(f32::NAN);
                f64::from((said - label).abs())
            };
            run.scalar(tag, step, wrong);
            step += 1;
        });
    }
}
