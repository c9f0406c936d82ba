//! The thread that carries alerts to one receiver.
//!
//! Whoever tells it of an alert never waits for the network: the lock is not held while a message is on its way.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Uri;

use super::letter::Form;
use super::outbox::Outbox;
use super::{Notified, NotifierError};
use crate::health::Transition;

/// So long the first alert waits for others of its instant.
const GATHER: Duration = Duration::from_millis(50);
/// The rest behind a failure, at first and at most.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// At most, once there is no more time.
const LAST_REST: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Courier {
    shared: Arc<Shared>,
    patience: Duration,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    notified: Notified,
    /// Since when there is news.
    news: Option<Instant>,
    /// Until when there is time, once the end has come.
    ending: Option<Instant>,
    gone: bool,
}

/// How a message was received.
enum Answer {
    Taken,
    /// It will not be taken another time either.
    Refused(String),
    /// Nobody, or nobody who can take it now.
    Failed(String),
}

impl Courier {
    pub(super) fn start(
        form: Form,
        url: &str,
        outbox: Outbox,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Self, NotifierError> {
        let address = check_receiver(url)?;
        let state = State {
            outbox,
            notified: Notified::default(),
            news: None,
            ending: None,
            gone: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .user_agent(concat!("modelpulse/", env!("CARGO_PKG_VERSION")))
            .build();
        let route = Route {
            form,
            url: format!("{}{}", url.trim_end_matches('/'), form.path()),
            // Without a password that stands before the host.
            shown: address.host().unwrap_or_default().to_owned(),
            agent: agent.into(),
        };
        let own = shared.clone();
        std::thread::Builder::new()
            .name("modelpulse-alerts".to_owned())
            .spawn(move || own.run(&route))?;
        Ok(Self { shared, patience })
    }

    pub(super) fn tell(&self, change: &Transition) {
        let mut state = self.shared.state();
        if !state.outbox.add(change) {
            state.notified.dropped += 1;
        }
        state.news.get_or_insert_with(Instant::now);
        self.shared.changed.notify_all();
    }

    pub(super) fn notified(&self) -> Notified {
        let state = self.shared.state();
        Notified {
            waiting: state.outbox.waiting() as u64,
            ..state.notified
        }
    }
}

impl Drop for Courier {
    /// Waits until everything is sent, or for so long.
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.ending = Some(Instant::now() + self.patience);
        self.shared.changed.notify_all();
        // The thread says itself that it is gone; one that waits for an answer does not end in time.
        let wait = self.patience + GATHER;
        let gone = |state: &mut State| !state.gone;
        drop(self.shared.changed.wait_timeout_while(state, wait, gone));
    }
}

/// The address, if one can send to it.
pub(crate) fn check_receiver(url: &str) -> Result<Uri, NotifierError> {
    let address: Option<Uri> = url.parse().ok();
    let fits =
        |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    address.filter(fits).ok_or_else(|| NotifierError::Address {
        url: url.to_owned(),
    })
}

/// To whom, and how.
struct Route {
    form: Form,
    url: String,
    shown: String,
    agent: Agent,
}

impl Route {
    fn send(&self, letter: &str) -> Answer {
        let answer = self
            .agent
            .post(&self.url)
            .content_type("application/json")
            .send(letter);
        match answer {
            Ok(_) => Answer::Taken,
            Err(ureq::Error::StatusCode(status @ 400..500)) if !matches!(status, 408 | 429) => {
                Answer::Refused(format!("it answered {status}"))
            }
            Err(ureq::Error::StatusCode(status)) => Answer::Failed(format!("it answered {status}")),
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    fn say(&self, line: std::fmt::Arguments<'_>) {
        eprintln!("modelpulse: {} at {}: {line}", self.receiver(), self.shown);
    }

    fn receiver(&self) -> &'static str {
        match self.form {
            Form::Alertmanager => "the Alertmanager",
            Form::Webhook => "the webhook",
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, route: &Route) {
        let (mut rest, mut resting) = (REST.0, None);
        let mut said = false;
        let mut state = self.state();
        while let Some(letter) = {
            let (next, letter) = self.next(state, route.form, resting);
            state = next;
            letter
        } {
            drop(state);
            let answer = route.send(&letter);
            state = self.state();
            resting = None;
            match answer {
                Answer::Taken => {
                    state.notified.delivered += 1;
                    state.outbox.settle(Instant::now());
                    (rest, said) = (REST.0, false);
                }
                Answer::Refused(problem) => {
                    state.notified.failures += 1;
                    let count = state.outbox.settle(Instant::now());
                    state.notified.dropped += count as u64;
                    route.say(format_args!("{problem}; {count} alerts are dropped"));
                }
                Answer::Failed(problem) => {
                    state.notified.failures += 1;
                    if !std::mem::replace(&mut said, true) {
                        route.say(format_args!("{problem}; alerts wait until it takes them"));
                    }
                    resting = Some(Instant::now() + rest);
                    rest = (rest * 2).min(REST.1);
                }
            }
        }
        let waiting = state.outbox.waiting();
        if waiting > 0 {
            route.say(format_args!("{waiting} alerts could not be sent"));
        }
        state.gone = true;
        self.changed.notify_all();
    }

    /// Waits for what is to be sent; nothing at the end.
    fn next<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        form: Form,
        resting: Option<Instant>,
    ) -> (MutexGuard<'a, State>, Option<String>) {
        let began = Instant::now();
        loop {
            let now = Instant::now();
            let Some(mut at) = state.outbox.due(now) else {
                if state.ending.is_some() {
                    return (state, None);
                }
                // Nothing to send until there is news.
                state.news = None;
                let wait = self.changed.wait(state);
                state = wait.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let mut until = resting;
            if let Some(deadline) = state.ending {
                if now >= deadline || state.outbox.waiting() == 0 {
                    return (state, None);
                }
                until = until.map(|until| until.min(began + LAST_REST));
            } else if let Some(news) = state.news {
                until = until.max(Some(news + GATHER));
            }
            at = at.max(until.unwrap_or(now));
            if at <= now {
                state.news = None;
                let batch = state.outbox.batch(now);
                let letter = form.write(&batch, state.outbox.holds_for());
                return (state, Some(letter));
            }
            let at = state.ending.map_or(at, |deadline| at.min(deadline));
            let wait = self.changed.wait_timeout(state, at - now);
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
