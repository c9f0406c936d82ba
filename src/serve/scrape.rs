//! A session that is scraped: a sink and its server in one.
//!
//! The server lives as long as the session's log is written.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use super::{Server, Serving};
use crate::flow::{Event, Sink, SinkError};
use crate::health::{EventGauges, Registry};

/// Shows the last value of every series of a session on `/metrics`, as `modelpulse_NAME{run="RUN"}`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, serve::Scrape};
/// let session = Session::builder(dir.path()).sink(Scrape::listen("127.0.0.1:0")?).start()?;
/// // … train: Prometheus sees it while it runs …
/// # session.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Scrape {
    serving: Serving,
    gauges: EventGauges,
}

impl Scrape {
    /// Listens there; port 0 is one that is free.
    ///
    /// # Errors
    /// Where the address cannot be listened on.
    pub fn listen(address: impl ToSocketAddrs) -> io::Result<Self> {
        let registry = Registry::new();
        Ok(Self {
            gauges: registry.sink(),
            serving: Server::new(&registry).listen(address)?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }
}

impl Sink for Scrape {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.gauges.accept(instant)
    }
}
