//! To whom a courier carries, and what a receiver says.
//!
//! A redirect is not followed: it would turn what was sent into a request without a body.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::http::Uri;

use super::rest;

/// So much of what a receiver says is repeated, and so much of it read.
const SAID: (usize, u64) = (300, 64 << 10);

/// How a letter was received.
#[derive(Debug)]
pub(super) enum Answer {
    /// All of it but so many things, and why not those.
    Taken(u64, String),
    /// It will not be taken another time either.
    Refused(String),
    /// Nobody, or nobody who can take it now; and when to come again, where that was said.
    Failed(String, Option<Duration>),
}

/// A receiver.
#[derive(Clone)]
pub(in crate::export) struct Route {
    /// Such as `the Alertmanager`.
    pub(in crate::export) receiver: &'static str,
    pub(in crate::export) url: String,
    /// Host and port, without a password that stands before them.
    pub(in crate::export) shown: String,
    pub(in crate::export) headers: Vec<(Cow<'static, str>, String)>,
    /// Whether what was answered with this status may be taken another time.
    pub(in crate::export) retried: fn(u16) -> bool,
    /// How many things an answer that says well has refused, and why.
    pub(in crate::export) refused: fn(&[u8]) -> Option<(u64, String)>,
}

/// Who and where, without what may be secret.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.receiver, self.shown)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Route {
    /// Whoever takes JSON at `url`.
    pub(in crate::export) fn new(receiver: &'static str, url: String, address: &Uri) -> Self {
        let host = address.host().unwrap_or_default();
        let port = address.port_u16().map(|port| format!(":{port}"));
        Self {
            receiver,
            url,
            shown: format!("{host}{}", port.unwrap_or_default()),
            headers: vec![("content-type".into(), "application/json".to_owned())],
            retried: |status| status >= 500 || matches!(status, 408 | 429),
            refused: |_| None,
        }
    }

    pub(super) fn agent(timeout: Duration) -> Agent {
        Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("modelpulse/", env!("CARGO_PKG_VERSION")))
            .build()
            .into()
    }

    pub(super) fn send(&self, agent: &Agent, letter: &[u8]) -> Answer {
        let headers = self.headers.iter();
        let post = headers.fold(agent.post(&self.url), |post, (name, value)| {
            post.header(name.as_ref(), value)
        });
        let mut answer = match post.send(letter) {
            Ok(answer) => answer,
            Err(error) => return Answer::Failed(error.to_string(), None),
        };
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let status = answer.status().as_u16();
        let asked = header("retry-after").and_then(|it| rest::asked(&it, SystemTime::now()));
        let location = header("location");
        let body = answer.body_mut().with_config().limit(SAID.1).read_to_vec();
        // The status says what became of the letter, whatever becomes of the text.
        let body = body.unwrap_or_default();
        match status {
            200..300 => {
                let (count, why) = (self.refused)(&body).unwrap_or_default();
                Answer::Taken(count, why)
            }
            _ if (self.retried)(status) => Answer::Failed(said(status, &body), asked),
            300..400 => {
                let to = location.unwrap_or_default();
                Answer::Refused(format!("it answered {status}: its address is {to}"))
            }
            _ => Answer::Refused(said(status, &body)),
        }
    }

    pub(super) fn say(&self, line: fmt::Arguments<'_>) {
        eprintln!("modelpulse: {self}: {line}");
    }
}

/// The address, if one can send to it.
pub(in crate::export) fn address(url: &str) -> Option<Uri> {
    let address: Uri = url.parse().ok()?;
    let fits = matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some();
    fits.then_some(address)
}

/// The status, and the beginning of what was said with it, in one line.
fn said(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<&str> = text.split_whitespace().collect();
    let text: String = words.join(" ").chars().take(SAID.0).collect();
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    match text.as_str() {
        "" => format!("it answered {status}"),
        text => format!("it answered {status}: {text}"),
    }
}
