//! The rules that a command is given, and how it tells of alerts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::json;
use crate::export::{Notifier, NotifierError, check_receiver};
use crate::health::drift::{Detected, ParseWatchedError, Watched};
use crate::health::{ParseConditionError, Rule, RuleFile, RuleSet, State, Transition};

/// The rules that events are held against.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct RuleArgs {
    /// A condition that must not hold, such as 'eval/epoch_accuracy < 0.9'. May be given several times;
    /// `modelpulse rules --help` says what can be written
    #[arg(long = "rule", value_name = "CONDITION", value_parser = parse_rule)]
    rule: Vec<Rule>,

    /// A file of rules, in TOML; `modelpulse rules init` makes one
    #[arg(long = "rules", value_name = "FILE")]
    file: Option<PathBuf>,

    /// Have a detector of concept drift watch a series, such as adwin:eval/epoch_loss, or page_hinkley,threshold=20:loss
    /// with a setting of its own. There are adwin, cusum, ddm, ecdd_wt, eddm, fhddm, hddm_a, hddm_w, kswin,
    /// moving_average, page_hinkley, rddm and stepd. May be given several times
    #[arg(long, value_name = "DETECTOR:SERIES", value_parser = parse_watched)]
    detect: Vec<Watched>,
}

/// What watches the events.
pub(super) struct Watching {
    /// The rules, and who is told of their alerts; `None` where there is no rule.
    pub(super) alerts: Option<(RuleSet, NotifyArgs)>,
    pub(super) detectors: Vec<Watched>,
}

/// Who is told of alerts.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct NotifyArgs {
    /// Send the alerts of the rules to this Alertmanager, such as http://localhost:9093. May be given several times
    #[arg(long, value_name = "URL", value_parser = receiver)]
    alertmanager: Vec<String>,

    /// Post the alerts of the rules to this address, in the JSON of an Alertmanager's webhook. May be given several
    /// times
    #[arg(long, value_name = "URL", value_parser = receiver)]
    webhook: Vec<String>,
}

fn receiver(url: &str) -> Result<String, NotifierError> {
    check_receiver(url).map(|_| url.to_owned())
}

impl NotifyArgs {
    /// As JSON: the addresses by kind.
    pub(super) fn parts(&self) -> (&[String], &[String]) {
        (&self.alertmanager, &self.webhook)
    }

    /// What [`parts`](Self::parts) gave.
    pub(super) fn of(alertmanager: Vec<String>, webhook: Vec<String>) -> Self {
        Self {
            alertmanager,
            webhook,
        }
    }

    fn is_empty(&self) -> bool {
        self.alertmanager.is_empty() && self.webhook.is_empty()
    }

    /// Tells them of the alerts of the run in `dir`.
    pub(super) fn notifier(&self, dir: &Path) -> anyhow::Result<Notifier> {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let host = hostname::get().unwrap_or_default();
        let mut builder = Notifier::builder()
            .label("instance", host.to_string_lossy())
            .label("logdir", dir.to_string_lossy());
        for url in &self.alertmanager {
            builder = builder.alertmanager(url);
        }
        for url in &self.webhook {
            builder = builder.webhook(url);
        }
        Ok(builder.start()?)
    }
}

fn parse_watched(text: &str) -> Result<Watched, ParseWatchedError> {
    text.parse()
}

fn parse_rule(rule: &str) -> Result<Rule, ParseConditionError> {
    rule.parse()
}

impl RuleArgs {
    /// These rules, and those of a file.
    pub(super) fn of(rule: Vec<Rule>, file: Option<PathBuf>, detect: Vec<Watched>) -> Self {
        Self { rule, file, detect }
    }

    /// The conditions, the file, and the detectors as they are written.
    pub(super) fn parts(&self) -> (Vec<String>, Option<&Path>, Vec<String>) {
        let rules = self.rule.iter().map(ToString::to_string);
        let detect = self.detect.iter().map(ToString::to_string);
        (rules.collect(), self.file.as_deref(), detect.collect())
    }

    /// The rules and the detectors of the file, behind them those of the command line, and who is told of alerts: those
    /// that the file names, and `notify`.
    pub(super) fn watch(&self, notify: &NotifyArgs) -> anyhow::Result<Watching> {
        let mut told = NotifyArgs::default();
        let mut detectors = Vec::new();
        let mut rules = RuleSet::new(Vec::new())?;
        if let Some(path) = &self.file {
            let file = read(path)?;
            told = NotifyArgs::of(file.notify.alertmanagers, file.notify.webhooks);
            (rules, detectors) = (file.rules, file.detectors);
        }
        detectors.extend_from_slice(&self.detect);
        Watched::check(&detectors)?;
        let rules = rules.with(self.rule.clone())?;
        if rules.is_empty() {
            if !notify.is_empty() {
                bail!(
                    "nothing to tell of: alerts come from rules; give --rule CONDITION or --rules FILE"
                );
            }
            if self.file.is_some() && detectors.is_empty() {
                bail!("no rule: the file has none, and there is no --rule");
            }
        }
        told.alertmanager.extend_from_slice(&notify.alertmanager);
        told.webhook.extend_from_slice(&notify.webhook);
        Ok(Watching {
            alerts: (!rules.is_empty()).then_some((rules, told)),
            detectors,
        })
    }
}

/// A rule file; what is wrong with it is said with its name.
pub(super) fn read(path: &PathBuf) -> anyhow::Result<RuleFile> {
    RuleFile::read(path).with_context(|| path.display().to_string())
}

/// An alert's change as a script reads it.
pub(super) fn object(transition: &Transition) -> serde_json::Value {
    let labels = transition.labels.iter().cloned();
    serde_json::json!({
        "rule": *transition.rule,
        "state": transition.word(),
        "severity": transition.severity.name(),
        "run": transition.run.as_str(),
        "tag": transition.tag.as_str(),
        "step": transition.step.as_i64(),
        "wall_time": json::number(transition.wall_time),
        "value": json::number(transition.value),
        "labels": labels.map(|(name, value)| (name, value.into())).collect::<serde_json::Map<_, _>>(),
        "message": transition.message,
    })
}

/// A warning or a drift as a script reads it.
pub(super) fn detected(detected: &Detected) -> serde_json::Value {
    serde_json::json!({
        "detector": *detected.detector,
        "signal": detected.word(),
        "run": detected.run.as_str(),
        "tag": detected.tag.as_str(),
        "step": detected.step.as_i64(),
        "wall_time": json::number(detected.wall_time),
        "value": json::number(detected.value),
        "values": detected.values,
    })
}

/// Whether it is one that a gate closes for.
pub(super) fn fires(transition: &Transition) -> bool {
    transition.to == State::Firing
}
