//! The rules that a command is given, and how it tells of alerts.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::json;
use crate::export::{Notifier, NotifierError, check_receiver};
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

fn parse_rule(rule: &str) -> Result<Rule, ParseConditionError> {
    rule.parse()
}

impl RuleArgs {
    /// These rules, and those of a file.
    pub(super) fn of(rule: Vec<Rule>, file: Option<PathBuf>) -> Self {
        Self { rule, file }
    }

    /// The conditions as they are written, and the file.
    pub(super) fn parts(&self) -> (Vec<String>, Option<&Path>) {
        let rules = self.rule.iter().map(ToString::to_string);
        (rules.collect(), self.file.as_deref())
    }

    /// The rules of the file, and behind them those of the command line; `None` where there are none.
    pub(super) fn rules(&self) -> anyhow::Result<Option<RuleSet>> {
        Ok(self.watch(&NotifyArgs::default())?.map(|(rules, _)| rules))
    }

    /// The rules, and who is told of their alerts: those that the file names, and `notify`.
    pub(super) fn watch(
        &self,
        notify: &NotifyArgs,
    ) -> anyhow::Result<Option<(RuleSet, NotifyArgs)>> {
        let (rules, mut told) = match &self.file {
            None if self.rule.is_empty() && notify.is_empty() => return Ok(None),
            None if self.rule.is_empty() => bail!(
                "nothing to tell of: alerts come from rules; give --rule CONDITION or --rules FILE"
            ),
            None => (RuleSet::new(Vec::new())?, NotifyArgs::default()),
            Some(path) => {
                let file = read(path)?;
                let notify = file.notify;
                (
                    file.rules,
                    NotifyArgs::of(notify.alertmanagers, notify.webhooks),
                )
            }
        };
        let rules = rules.with(self.rule.clone())?;
        if rules.is_empty() {
            bail!("no rule: the file has none, and there is no --rule");
        }
        told.alertmanager.extend_from_slice(&notify.alertmanager);
        told.webhook.extend_from_slice(&notify.webhook);
        Ok(Some((rules, told)))
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

/// Whether it is one that a gate closes for.
pub(super) fn fires(transition: &Transition) -> bool {
    transition.to == State::Firing
}
