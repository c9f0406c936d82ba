//! What a receiver is still to be told.
//!
//! Of each alert only the last is kept, and of alerts only so many.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use prost::bytes::Bytes;

use super::letter::Form;
use crate::export::courier;
use crate::health::{State, Transition};

/// More alerts than that are no news to anybody.
const MOST: usize = 10_000;
/// Told of at once, as Prometheus does.
const BATCH: usize = 64;

pub(super) type Labels = BTreeMap<String, String>;

/// An alert as a receiver knows it.
#[derive(Debug, Clone)]
pub(super) struct Alert {
    pub(super) labels: Labels,
    pub(super) annotations: Labels,
    /// In seconds since 1970.
    pub(super) starts: f64,
    /// While it fires, nothing.
    pub(super) ends: Option<f64>,
    version: u64,
    sent: Option<(u64, Instant)>,
}

#[derive(Debug)]
pub(super) struct Outbox {
    form: Form,
    labels: Vec<(String, String)>,
    resend: Option<Duration>,
    alerts: BTreeMap<Labels, Alert>,
    version: u64,
    /// What is on its way.
    batch: Vec<(Labels, u64)>,
}

impl Outbox {
    /// What fires is sent again after `resend`; otherwise once.
    pub(super) fn new(form: Form, labels: Vec<(String, String)>, resend: Option<Duration>) -> Self {
        Self {
            form,
            labels,
            resend,
            alerts: BTreeMap::new(),
            version: 0,
            batch: Vec::new(),
        }
    }

    /// Takes note of a change; false where there is no room for it.
    pub(super) fn add(&mut self, change: &Transition) -> bool {
        let fires = change.to == State::Firing;
        if !fires && change.from != State::Firing {
            return true;
        }
        // What it began as is what the receiver knows it by.
        let began = change.began.as_deref().unwrap_or(change);
        let labels = self.labels_of(began);
        if self.alerts.len() >= MOST && !self.alerts.contains_key(&labels) {
            return false;
        }
        self.version += 1;
        let annotations = [
            ("summary", change.message.clone()),
            ("value", change.value.to_string()),
            ("step", change.step.to_string()),
        ];
        let alert = Alert {
            labels: labels.clone(),
            annotations: annotations
                .map(|(name, text)| (name.to_owned(), text))
                .into(),
            starts: began.wall_time,
            ends: (!fires).then_some(change.wall_time),
            version: self.version,
            sent: None,
        };
        self.alerts.insert(labels, alert);
        true
    }

    fn labels_of(&self, change: &Transition) -> Labels {
        let own = change.labels.iter().chain(&self.labels);
        let own = own.map(|(name, value)| (label_name(name), value.clone()));
        let mut labels: Labels = own.collect();
        for (name, value) in [
            ("alertname", change.rule.to_string()),
            ("severity", change.severity.name().to_owned()),
            ("run", change.run.to_string()),
            ("tag", change.tag.to_string()),
        ] {
            labels.insert(name.to_owned(), value);
        }
        // For an Alertmanager, an empty label is none.
        labels.retain(|_, value| !value.is_empty());
        labels
    }

    fn due_of(&self, alert: &Alert, now: Instant) -> Option<Instant> {
        match alert.sent {
            Some((version, at)) if version == alert.version => Some(at + self.resend?),
            _ => Some(now),
        }
    }

    /// What is to be sent now.
    fn batch(&mut self, now: Instant) -> Vec<Alert> {
        let all = self.alerts.values();
        let due = all.filter(|alert| self.due_of(alert, now).is_some_and(|due| due <= now));
        let batch: Vec<Alert> = due.take(BATCH).cloned().collect();
        let known = batch
            .iter()
            .map(|alert| (alert.labels.clone(), alert.version));
        self.batch = known.collect();
        batch
    }
}

impl courier::Outbox for Outbox {
    const THINGS: &'static str = "alerts";
    const GATHER: Duration = Duration::from_millis(50);

    fn due(&self, now: Instant) -> Option<Instant> {
        let due = self
            .alerts
            .values()
            .filter_map(|alert| self.due_of(alert, now));
        due.min()
    }

    fn waiting(&self) -> u64 {
        let told = |alert: &Alert| {
            alert
                .sent
                .is_some_and(|(version, _)| version == alert.version)
        };
        self.alerts.values().filter(|alert| !told(alert)).count() as u64
    }

    fn letter(&mut self, now: Instant) -> Bytes {
        let batch = self.batch(now);
        // How long what is sent is to be believed.
        let holds_for = self.resend.map(|resend| 4 * resend);
        self.form.write(&batch, holds_for).into()
    }

    fn settle(&mut self, now: Instant) -> u64 {
        let batch = std::mem::take(&mut self.batch);
        let count = batch.len();
        for (labels, version) in batch {
            let Some(alert) = self.alerts.get_mut(&labels) else {
                continue;
            };
            alert.sent = Some((version, now));
            let changed = alert.version != version;
            if !changed && (alert.ends.is_some() || self.resend.is_none()) {
                self.alerts.remove(&labels);
            }
        }
        count as u64
    }
}

/// The nearest name that Prometheus takes for a label.
fn label_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}
