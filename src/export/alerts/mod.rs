//! Alerts on their way to people: to an Alertmanager, to webhooks.
//!
//! Nobody waits for a receiver that is slow or down: each has a thread of its own, which keeps what is to be told within a
//! bound, and tries again.

mod letter;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use ureq::http::Uri;

use letter::Form;
use outbox::Outbox;

use super::courier::{Courier, Route, address};
use crate::health::{Alerts, RuleSet, Transition};
use crate::train::SessionBuilder;

/// Tells receivers of alerts.
///
/// An alert is told of when it fires and when it is resolved; one that did both while the receiver was down is told of
/// once. Its labels say which it is: `alertname`, `severity`, `run`, `tag`, those of its rule, and those of the notifier.
/// Cheap to clone; when the last clone is dropped, what is left is sent within [`patience`](NotifierBuilder::patience).
///
/// ```no_run
/// use modelpulse::{Session, export::Notifier, health::RuleSet};
/// let notifier = Notifier::builder()
///     .alertmanager("http://localhost:9093")
///     .webhook("https://example.org/alerts")
///     .label("logdir", "runs/a")
///     .start()?;
/// let rules = RuleSet::new(vec!["nonfinite(loss)".parse()?])?;
/// let session = Session::builder("runs/a")
///     .rules_notifying(rules, notifier, |change| eprintln!("{change}"))
///     .start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Notifier {
    couriers: Arc<[Courier<Outbox>]>,
}

/// The settings of a [`Notifier`].
///
/// ```
/// use std::time::Duration;
/// use modelpulse::export::Notifier;
/// let wrong = Notifier::builder().webhook("ftp://example.org").start();
/// assert_eq!(
///     wrong.unwrap_err().to_string(),
///     "'ftp://example.org' is no address to send alerts to: write http:// or https:// and a host"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Debug, Clone)]
pub struct NotifierBuilder {
    receivers: Vec<(Form, String)>,
    labels: Vec<(String, String)>,
    resend: Duration,
    timeout: Duration,
    patience: Duration,
}

/// What became of the alerts that a [`Notifier`] was told of, over all its receivers.
///
/// ```
/// use modelpulse::export::{Notified, Notifier};
/// let notifier = Notifier::builder().start()?;
/// assert_eq!(notifier.notified(), Notified::default());
/// # Ok::<(), modelpulse::export::NotifierError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notified {
    /// Messages that a receiver took.
    pub delivered: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Alerts that a receiver refused, or that were too many.
    pub dropped: u64,
    /// Alerts that are not told of yet.
    pub waiting: u64,
}

/// Why a [`Notifier`] cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifierError {
    /// A receiver that cannot be.
    #[error("'{url}' is no address to send alerts to: write http:// or https:// and a host")]
    Address {
        /// What was given.
        url: String,
    },
    /// No thread can be started.
    #[error("cannot start the thread that sends alerts: {0}")]
    Thread(#[from] std::io::Error),
}

impl Notifier {
    /// A notifier without receivers yet.
    pub fn builder() -> NotifierBuilder {
        NotifierBuilder {
            receivers: Vec::new(),
            labels: Vec::new(),
            resend: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
        }
    }

    /// Takes note of a change of an alert; what is only pending is no matter for a receiver. Returns at once.
    pub fn tell(&self, change: &Transition) {
        for courier in self.couriers.iter() {
            courier.tell(|outbox| u64::from(!outbox.add(change)));
        }
    }

    /// What became of the alerts so far.
    pub fn notified(&self) -> Notified {
        let each = self.couriers.iter().map(|courier| courier.tally()());
        each.fold(Notified::default(), |all, one| Notified {
            delivered: all.delivered + one.letters,
            failures: all.failures + one.failures,
            dropped: all.dropped + one.dropped,
            waiting: all.waiting + one.waiting,
        })
    }

    /// What is wrong now, a line for each receiver whose last try failed.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.couriers.iter().filter_map(|courier| {
            let problem = courier.tally()().problem?;
            Some(format!("{}: {problem}", courier.route()))
        });
        problems.collect()
    }
}

impl NotifierBuilder {
    /// Sends to the Alertmanager at `url`, by its API v2. What fires is sent again every minute, and for the
    /// Alertmanager ends by itself four minutes after the last time: also where this process was killed.
    pub fn alertmanager(mut self, url: impl Into<String>) -> Self {
        self.receivers.push((Form::Alertmanager, url.into()));
        self
    }

    /// Sends to `url`, in the JSON of an Alertmanager's webhook (version 4).
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.receivers.push((Form::Webhook, url.into()));
        self
    }

    /// A label of every alert, such as where it comes from: a receiver takes alerts whose labels are all the same for one.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// How often an Alertmanager is told again of what fires. Default: every minute.
    pub fn resend_every(mut self, time: Duration) -> Self {
        self.resend = time;
        self
    }

    /// How long a receiver may take to answer. Default: 10 s.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// How long what is left may take at the end. Default: 5 s.
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Starts a thread for each receiver.
    ///
    /// # Errors
    /// [`NotifierError`].
    pub fn start(self) -> Result<Notifier, NotifierError> {
        let couriers = self.receivers.iter().map(|(form, url)| {
            let resend = (*form == Form::Alertmanager).then_some(self.resend);
            let outbox = Outbox::new(*form, self.labels.clone(), resend);
            let address = check_receiver(url)?;
            let url = format!("{}{}", url.trim_end_matches('/'), form.path());
            let route = Route::new(form.receiver(), url, &address);
            Ok(Courier::start(route, outbox, self.timeout, self.patience)?)
        });
        let couriers = couriers.collect::<Result<_, NotifierError>>()?;
        Ok(Notifier { couriers })
    }
}

/// The address, if one can send to it.
pub(crate) fn check_receiver(url: &str) -> Result<Uri, NotifierError> {
    address(url).ok_or_else(|| NotifierError::Address {
        url: url.to_owned(),
    })
}

/// Rules whose alerts are sent.
impl SessionBuilder {
    /// As [`rules_with`](Self::rules_with), and tells `notifier` too; in a directory that has a log, also of what fired
    /// when that stopped.
    pub fn rules_notifying(
        self,
        rules: RuleSet,
        notifier: Notifier,
        mut report: impl FnMut(&Transition) + Send + 'static,
    ) -> Self {
        self.sink_with(move |dir| {
            let teller = notifier.clone();
            let mut alerts = Alerts::new(rules, move |change: &Transition| {
                report(change);
                teller.tell(change);
            });
            alerts.resume(dir)?;
            alerts.firing().for_each(|change| notifier.tell(change));
            Ok(alerts)
        })
    }
}
