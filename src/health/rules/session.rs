//! A session that is held against rules while it logs.
//!
//! What it says of alerts is what a replay of its log will say.

use super::{Alerts, RuleSet, Transition};
use crate::train::SessionBuilder;

/// Rules.
impl SessionBuilder {
    /// Holds what is logged against `rules`: a change of an alert is a line on standard error, and stands in the log
    /// below [`ALERTS`](super::ALERTS). In a directory that has a log, alerts go on where that stopped.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    /// use modelpulse::{Session, health::RuleSet};
    /// let rules = RuleSet::new(vec!["train/loss > 10".parse()?, "absent(loss, 5m)".parse()?])?;
    /// let session = Session::builder(dir).rules(rules).start()?;
    /// session.run("train").scalar("loss", 0, 12.5);
    /// # session.finish()?;
    /// // firing: train/loss > 10  run=train tag=loss step=0 wall_time=… value=12.5
    /// # let mut log = modelpulse::log::LogReader::open(dir)?;
    /// # let instant = log.instant()?.unwrap_or_default();
    /// # let tags: Vec<&str> = instant.iter().map(|event| event.tag.as_str()).collect();
    /// # let alert = "health/alerts/train/loss > 10";
    /// # let text = format!("{alert}/text");
    /// # assert_eq!(tags, ["loss", alert, "health/alerts/absent(loss, 5m)", alert, &text]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rules(self, rules: RuleSet) -> Self {
        self.rules_with(rules, |change| eprintln!("{change}"))
    }

    /// As [`rules`](Self::rules), but shows each change to `report`. It is called from the thread that writes the
    /// log; what takes long belongs on another.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// use std::sync::mpsc;
    /// use modelpulse::{Session, health::RuleSet};
    /// let (sender, changes) = mpsc::channel();
    /// let rules = RuleSet::new(vec!["loss > 10".parse()?])?;
    /// let session = Session::builder(dir.path())
    ///     .rules_with(rules, move |change| drop(sender.send(change.word())))
    ///     .start()?;
    /// (0..4).for_each(|step| session.run("train").scalar("loss", step, 5.0 * step as f64));
    /// session.run("train").scalar("loss", 4, 1.0);
    /// session.finish()?;
    /// assert_eq!(changes.iter().collect::<Vec<_>>(), ["firing", "resolved"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rules_with(
        self,
        rules: RuleSet,
        report: impl FnMut(&Transition) + Send + 'static,
    ) -> Self {
        self.sink_with(|dir| {
            let mut alerts = Alerts::new(rules, report);
            alerts.resume(dir)?;
            Ok(alerts)
        })
    }
}
