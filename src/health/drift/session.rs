//! A session that detectors watch while it logs.

use super::{Detected, Detectors, Watched};
use crate::train::SessionBuilder;

/// Detectors of concept drift.
impl SessionBuilder {
    /// Has detectors watch what is logged: a warning or a drift is a line on standard error, and stands in the log below
    /// [`DETECTORS`](super::DETECTORS), where rules can name it. In a directory that has a log, they go on where that
    /// stopped.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use modelpulse::{Session, health::RuleSet};
    /// let session = Session::builder(dir.path())
    ///     .detectors(vec!["adwin:eval/loss".parse()?])
    ///     .rules(RuleSet::new(vec!["adwin/loss/drift_signal >= 2".parse()?])?)
    ///     .start()?;
    /// session.run("eval").scalar("loss", 0, 0.5);
    /// # session.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn detectors(self, watched: Vec<Watched>) -> Self {
        self.detectors_with(watched, |detected| eprintln!("{detected}"))
    }

    /// As [`detectors`](Self::detectors), but shows each warning and drift to `report`. It is called from the thread
    /// that writes the log; what takes long belongs on another.
    pub fn detectors_with(
        self,
        watched: Vec<Watched>,
        report: impl FnMut(&Detected) + Send + 'static,
    ) -> Self {
        self.sink_with(|dir| {
            let mut detectors = Detectors::new(watched, report);
            detectors.resume(dir)?;
            Ok(detectors)
        })
    }
}
