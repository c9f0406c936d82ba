//! Where a registry is pushed to, and how it is written there.
//!
//! What is secret is sent, and never shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ureq::http::{HeaderName, HeaderValue, Uri};

use super::PushError;
#[cfg(feature = "otlp")]
use super::otlp;
use super::remote_write;
use crate::export::courier::{Route, address};

/// Whoever takes pushes of a registry.
///
/// ```
/// use modelpulse::export::Target;
/// let prometheus = Target::remote_write("http://localhost:9090"); // /api/v1/write
/// let mimir = Target::remote_write("https://mimir.example.org/api/v1/push")
///     .header("X-Scope-OrgID", "models")
///     .bearer_token("secret");
/// assert!(!format!("{mimir:?}").contains("secret"));
/// ```
#[must_use]
#[derive(Clone)]
pub struct Target {
    pub(super) protocol: Protocol,
    url: String,
    headers: Vec<(String, String)>,
}

/// How a registry is written.
#[derive(Debug, Clone)]
pub(super) enum Protocol {
    RemoteWrite,
    /// With these attributes of the resource.
    #[cfg(feature = "otlp")]
    Otlp(Vec<(String, String)>),
}

impl fmt::Debug for Target {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Prometheus' remote write 1.0, which Prometheus (`--web.enable-remote-write-receiver`), VictoriaMetrics, Mimir
    /// and Thanos take. An address without a path gets that of Prometheus, `/api/v1/write`.
    pub fn remote_write(url: impl Into<String>) -> Self {
        Self::new(Protocol::RemoteWrite, url.into())
    }

    /// OTLP metrics over HTTP, as an OpenTelemetry collector takes them: `/v1/metrics` is put behind the address,
    /// unless it ends in that. Sums and histograms are cumulative.
    #[cfg(feature = "otlp")]
    pub fn otlp(url: impl Into<String>) -> Self {
        Self::new(Protocol::Otlp(Vec::new()), url.into())
    }

    fn new(protocol: Protocol, url: String) -> Self {
        Self {
            protocol,
            url,
            headers: Vec::new(),
        }
    }

    /// An attribute of the resource, such as `service.version`; nothing to a remote write.
    #[cfg(feature = "otlp")]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Protocol::Otlp(attributes) = &mut self.protocol {
            attributes.push((name.into(), value.into()));
        }
        self
    }

    /// Sends this header with each push.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization: Bearer TOKEN`.
    pub fn bearer_token(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Sends name and password (RFC 7617).
    pub fn basic_auth(self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let pair = format!("{}:{}", user.as_ref(), password.as_ref());
        self.header("authorization", format!("Basic {}", STANDARD.encode(pair)))
    }

    /// What a courier needs to know.
    pub(super) fn route(&self) -> Result<Route, PushError> {
        let wrong = || PushError::Address {
            url: self.url.clone(),
        };
        let address = address(&self.url).ok_or_else(wrong)?;
        // It would not be sent, and might be shown.
        if address
            .authority()
            .is_some_and(|it| it.as_str().contains('@'))
        {
            return Err(PushError::Secret);
        }
        for (name, value) in &self.headers {
            let fits = HeaderName::try_from(name).is_ok() && HeaderValue::try_from(value).is_ok();
            if !fits {
                return Err(PushError::Header { name: name.clone() });
            }
        }
        let mut route = Route::new("remote write", self.whole_url(&address), &address);
        let own: &[(&'static str, &str)] = match &self.protocol {
            Protocol::RemoteWrite => &remote_write::HEADERS,
            #[cfg(feature = "otlp")]
            Protocol::Otlp(_) => {
                route.receiver = "OTLP";
                route.retried = otlp::retried;
                route.refused = otlp::refused;
                &otlp::HEADERS
            }
        };
        let own = own
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).to_owned()));
        let more = self.headers.iter();
        let more = more.map(|(name, value)| (name.clone().into(), value.clone()));
        route.headers = own.chain(more).collect();
        Ok(route)
    }

    fn whole_url(&self, address: &Uri) -> String {
        let bare = self.url.trim_end_matches('/');
        match &self.protocol {
            Protocol::RemoteWrite
                if matches!(address.path(), "" | "/") && address.query().is_none() =>
            {
                format!("{bare}/api/v1/write")
            }
            Protocol::RemoteWrite => self.url.clone(),
            #[cfg(feature = "otlp")]
            Protocol::Otlp(_) if bare.ends_with(otlp::PATH) => self.url.clone(),
            #[cfg(feature = "otlp")]
            Protocol::Otlp(_) => format!("{bare}{}", otlp::PATH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        let written = |url: &str| Target::remote_write(url).route().unwrap().url;
        assert_eq!(written("http://h:9090"), "http://h:9090/api/v1/write");
        assert_eq!(written("http://h:9090/"), "http://h:9090/api/v1/write");
        assert_eq!(written("https://h/api/v1/push"), "https://h/api/v1/push");
        #[cfg(feature = "otlp")]
        for (url, expected) in [
            ("http://h:4318/", "http://h:4318/v1/metrics"),
            ("http://h/otlp", "http://h/otlp/v1/metrics"),
            ("http://h/otlp/v1/metrics", "http://h/otlp/v1/metrics"),
        ] {
            assert_eq!(Target::otlp(url).route().unwrap().url, expected);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_and_no_secret_told() {
        let refused = |target: Target| target.route().unwrap_err().to_string();
        let wrong = refused(Target::remote_write("localhost:9090"));
        assert!(wrong.contains("'localhost:9090' is no address"), "{wrong}");
        let wrong = refused(Target::remote_write("http://me:secret@h"));
        assert!(
            wrong.contains("password") && !wrong.contains("secret"),
            "{wrong}"
        );
        let wrong = refused(Target::remote_write("http://h").bearer_token("secret\n"));
        assert!(
            wrong.contains("authorization") && !wrong.contains("secret"),
            "{wrong}"
        );
    }
}
