//! A registry that is pushed: to Prometheus' remote write, and as OTLP metrics (feature `otlp`).
//!
//! For what is gone before it could be scraped, and for what nobody can reach. Whoever updates a meter never waits for
//! a receiver: what the registry shows is taken at an interval, by a thread of its own, and carried by another.

mod events;
#[cfg(feature = "otlp")]
mod otlp;
mod queue;
mod remote_write;
mod target;
mod work;

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use events::EventPush;
pub use target::Target;

use self::queue::Queue;
use self::work::{Line, Work};
use super::courier::Courier;
use crate::health::Registry;

/// Pushes what a registry shows, at an interval and at the end.
///
/// While a receiver is down, slow, or answers that it has too much to do, pushes wait for it within a bound, and are
/// sent later with the times at which they were made. What it refuses is dropped, counted and said.
/// Cheap to clone; when the last clone is dropped, or by [`finish`](Self::finish), a last push is made, and what is left
/// is sent within [`patience`](PusherBuilder::patience): a job of a second is seen too.
///
/// ```no_run
/// use modelpulse::{export::{Pusher, Target}, health::Registry};
/// let registry = Registry::new();
/// let pusher = Pusher::builder(&registry)
///     .to(Target::remote_write("http://localhost:9090"))
///     .label("model", "iris")
///     .start()?;
/// registry.gauge("model.accuracy", "Accuracy of the model").set(0.97);
/// for pushed in pusher.finish() {
///     println!("{}: {} samples sent, {} dropped", pushed.target, pushed.samples, pushed.dropped);
/// }
/// # Ok::<(), modelpulse::export::PushError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pusher {
    handle: Arc<Handle>,
}

/// The settings of a [`Pusher`].
///
/// ```
/// use modelpulse::{export::{Pusher, Target}, health::Registry};
/// let builder = Pusher::builder(&Registry::new()).to(Target::remote_write("localhost"));
/// assert_eq!(
///     builder.start().unwrap_err().to_string(),
///     "'localhost' is no address to push to: write http:// or https:// and a host"
/// );
/// ```
#[must_use]
#[derive(Debug, Clone)]
pub struct PusherBuilder {
    registry: Registry,
    targets: Vec<Target>,
    labels: Vec<(String, String)>,
    interval: Duration,
    timeout: Duration,
    patience: Duration,
    queue: usize,
    ends: bool,
}

/// What became of the pushes to one target.
///
/// ```
/// use modelpulse::{export::Pusher, health::Registry};
/// let pusher = Pusher::builder(&Registry::new()).start()?;
/// assert_eq!(pusher.finish(), []); // no target
/// # Ok::<(), modelpulse::export::PushError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Protocol, host and port.
    pub target: String,
    /// Samples that it took.
    pub samples: u64,
    /// Requests that it took.
    pub requests: u64,
    /// Tries that failed.
    pub failures: u64,
    /// Samples that it refused, that there was no room for, or that were left when the time was over.
    pub dropped: u64,
    /// Samples that wait for it.
    pub waiting: u64,
    /// What is wrong now; nothing, if the last try went well.
    pub problem: Option<String>,
}

/// Why a [`Pusher`] cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// A target that cannot be.
    #[error("'{url}' is no address to push to: write http:// or https:// and a host")]
    Address {
        /// What was given.
        url: String,
    },
    /// An address that tells a password.
    #[error("an address to push to has a name or a password in it: give them apart")]
    Secret,
    /// A header that cannot be sent.
    #[error(
        "the header '{name}' cannot be sent: its name or its value has characters that none may have"
    )]
    Header {
        /// Its name.
        name: String,
    },
    /// No thread can be started.
    #[error("cannot start a thread that pushes: {0}")]
    Thread(#[from] std::io::Error),
}

impl Pusher {
    /// A pusher of this registry, without targets yet.
    pub fn builder(registry: &Registry) -> PusherBuilder {
        let host = hostname::get().unwrap_or_default();
        PusherBuilder {
            registry: registry.clone(),
            targets: Vec::new(),
            labels: Vec::new(),
            interval: Duration::from_secs(15),
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
            queue: 16 << 20,
            ends: false,
        }
        .label("job", "modelpulse")
        .label("instance", host.to_string_lossy())
    }

    /// A sink that pushes the last value of every series of a session, as `modelpulse_NAME{run="RUN"}`: every 15 seconds
    /// and at the session's end.
    ///
    /// ```no_run
    /// use modelpulse::{Session, export::{Pusher, Target}};
    /// let push = Pusher::events(Target::remote_write("http://localhost:9090"))?;
    /// let session = Session::builder("runs/demo").sink(push).start()?;
    /// // … train …
    /// session.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`PusherBuilder::start`].
    pub fn events(target: Target) -> Result<EventPush, PushError> {
        EventPush::new(target)
    }

    /// Pushes what the registry shows now; returns as soon as that is written down, and does not wait for a receiver.
    pub fn push(&self) {
        self.handle.work.push();
    }

    /// What became of the pushes so far, by target.
    pub fn pushed(&self) -> Vec<Pushed> {
        self.handle.work.pushed()
    }

    /// Finishes before SIGINT, SIGTERM or SIGHUP ends the process. Said behind
    /// [`Session::flush_on_signal`](crate::Session::flush_on_signal), it is done behind that, and pushes what was logged last.
    ///
    /// # Errors
    /// Where the process cannot listen to signals.
    #[cfg(feature = "signals")]
    pub fn finish_on_signal(&self) -> std::io::Result<()> {
        let handle = Arc::downgrade(&self.handle);
        crate::log::before_end(move || {
            if let Some(handle) = handle.upgrade() {
                handle.finish();
            }
        })
    }

    /// Makes the last push, and returns when everything is sent, or the time for that is over. All clones are at their
    /// end with this one.
    pub fn finish(&self) -> Vec<Pushed> {
        self.handle.finish();
        self.pushed()
    }
}

impl PusherBuilder {
    /// Pushes to this target too.
    pub fn to(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// A label of every series that has none of this name; one of no text is none. Default: `job`, which is
    /// `modelpulse`, and `instance`, which is the host's name. For OTLP they are attributes of the resource: `job` is
    /// `service.name`, `instance` is `service.instance.id`.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.labels.retain(|(known, _)| *known != name);
        self.labels.push((name, value.into()));
        self
    }

    /// How often to push. Default: 15 s.
    pub fn interval(mut self, time: Duration) -> Self {
        self.interval = time.max(Duration::from_millis(10));
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

    /// How many bytes of pushes wait for a target at most; past that the oldest are dropped. Default: 16 MiB, which is
    /// some hours of a thousand series.
    pub fn queue(mut self, bytes: usize) -> Self {
        self.queue = bytes;
        self
    }

    /// Whether the end of this pusher is that of its series, as of a service that is gone: Prometheus then shows them no
    /// more. The last values of a job are to be seen behind its end, so by default they stay, for Prometheus 5 minutes.
    pub fn series_end(mut self, ends: bool) -> Self {
        self.ends = ends;
        self
    }

    /// Starts to push. What becomes of it is seen in the registry: `push.samples` by target and outcome, `push.failures`,
    /// `push.waiting`.
    ///
    /// # Errors
    /// [`PushError`].
    pub fn start(self) -> Result<Pusher, PushError> {
        let routes = self.targets.iter().map(Target::route);
        let routes: Vec<_> = routes.collect::<Result<_, _>>()?;
        let mut lines = Vec::new();
        for (target, route) in self.targets.into_iter().zip(routes) {
            let queue = Queue::new(self.queue);
            lines.push(Line {
                protocol: target.protocol,
                courier: Courier::start(route, queue, self.timeout, self.patience)?,
            });
        }
        lines.iter().for_each(|line| line.meters(&self.registry));
        let work = Arc::new(Work::new(self.registry, self.labels, lines));
        let (stop, stopped) = mpsc::channel::<()>();
        let (own, interval) = (work.clone(), self.interval);
        let thread = std::thread::Builder::new().name("modelpulse-push".to_owned());
        thread.spawn(move || {
            let mut next = Instant::now() + interval;
            let rest = |next: Instant| next.saturating_duration_since(Instant::now());
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(rest(next)) {
                own.push();
                // What could not be done in time is not done twice.
                next = (next + interval).max(Instant::now());
            }
        })?;
        let ends = self.ends;
        let stop = Mutex::new(Some(stop));
        Ok(Pusher {
            handle: Arc::new(Handle { work, stop, ends }),
        })
    }
}

#[derive(Debug)]
struct Handle {
    work: Arc<Work>,
    stop: Mutex<Option<Sender<()>>>,
    ends: bool,
}

impl Handle {
    fn finish(&self) {
        // The thread ends by itself when it hears nothing more.
        drop(
            self.stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.work.finish(self.ends);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.finish();
    }
}
