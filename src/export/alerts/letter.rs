//! Alerts as JSON: for an Alertmanager, and as an Alertmanager has it for webhooks.
//!
//! Sources: Alertmanager's `api/v2/openapi.yaml` (postableAlert), and its documentation of `webhook_config`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::outbox::{Alert, Labels};

/// What a receiver reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Alertmanager,
    Webhook,
}

impl Form {
    /// Who reads it.
    pub(super) fn receiver(self) -> &'static str {
        match self {
            Self::Alertmanager => "the Alertmanager",
            Self::Webhook => "the webhook",
        }
    }

    /// Where it is to be sent, below the receiver's address.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Alertmanager => "/api/v2/alerts",
            Self::Webhook => "",
        }
    }

    /// The alerts as one message; what fires is to be believed for so long.
    pub(super) fn write(self, alerts: &[Alert], holds_for: Option<Duration>) -> String {
        match self {
            Self::Alertmanager => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let until = now.unwrap_or_default() + holds_for.unwrap_or_default();
                let until = until.as_secs_f64();
                let alerts = alerts.iter().map(|alert| {
                    json!({
                        "labels": alert.labels,
                        "annotations": alert.annotations,
                        "startsAt": time(alert.starts),
                        "endsAt": time(alert.ends.unwrap_or(until)),
                    })
                });
                alerts.collect::<Value>().to_string()
            }
            Self::Webhook => webhook(alerts).to_string(),
        }
    }
}

fn webhook(alerts: &[Alert]) -> Value {
    let each = alerts.iter().map(|alert| {
        json!({
            "status": status(alert.ends.is_none()),
            "labels": alert.labels,
            "annotations": alert.annotations,
            "startsAt": time(alert.starts),
            "endsAt": alert.ends.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), time),
            "generatorURL": "",
            "fingerprint": format!("{:016x}", fingerprint(&alert.labels)),
        })
    });
    json!({
        "version": "4",
        "receiver": "modelpulse",
        "status": status(alerts.iter().any(|alert| alert.ends.is_none())),
        "alerts": each.collect::<Value>(),
        "groupKey": "{}:{}",
        "groupLabels": {},
        "commonLabels": common(alerts.iter().map(|alert| &alert.labels)),
        "commonAnnotations": common(alerts.iter().map(|alert| &alert.annotations)),
        "externalURL": "",
        "truncatedAlerts": 0,
    })
}

fn status(fires: bool) -> &'static str {
    if fires { "firing" } else { "resolved" }
}

/// What all have alike.
fn common<'a>(mut all: impl Iterator<Item = &'a Labels>) -> Labels {
    let mut common = all.next().cloned().unwrap_or_default();
    for labels in all {
        common.retain(|name, value| labels.get(name) == Some(value));
    }
    common
}

/// Seconds since 1970 as RFC 3339; what is no time is that of the epoch.
fn time(seconds: f64) -> String {
    let time = DateTime::from_timestamp_micros((seconds * 1e6).round() as i64);
    time.unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// As Prometheus has it (`model/signature.go`): FNV-1a over names and values, a byte 255 behind each.
fn fingerprint(labels: &Labels) -> u64 {
    let parts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = parts.flat_map(|part| part.bytes().chain([255]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
