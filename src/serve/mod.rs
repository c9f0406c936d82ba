//! A registry and a watched model over HTTP: `/metrics`, `/evaluate`, `/predict`, and `/actuator` in Spring's shapes.
//!
//! Thin: whatever an answer shows, the library can do without it. What changes state needs the token, where there is one,
//! and a loopback address, where there is none.
//!
//! | route | answers |
//! |---|---|
//! | `GET /metrics` | the registry, as Prometheus' text 0.0.4 or OpenMetrics 1.0, gzipped if asked for |
//! | `GET`, `POST /evaluate` | evaluates the model now; its metrics |
//! | `POST /predict` | `{"rows": [[…], …]}`: what the model says of each |
//! | `POST /observations` | `{"id", "prediction" or "score", …}`: what a model said elsewhere |
//! | `POST /labels` | `{"id", "label"}`: what was right, joined by id |
//! | `GET /actuator/health`, `…/liveness`, `…/readiness`, `…/COMPONENT` | how the service and the model are; 503 if unwell |
//! | `GET /actuator/info` | which model, which data |
//! | `GET /actuator/metrics`, `…/NAME?tag=KEY:VALUE` | names of meters; one meter |
//! | `GET /actuator/prometheus?includedNames=A,B` | as `/metrics`, or these families alone |

mod actuator;
mod journal;
mod listener;
mod observe;
mod predict;
mod routes;
mod scrape;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

pub use scrape::Scrape;

use self::listener::{Busy, Limited};
use self::observe::Intake;
use crate::health::{AlertBoard, Observations, Registry, Watch};

/// So long requests that run are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server allows.
#[derive(Debug, Clone, Copy)]
struct Limits {
    body: usize,
    time: Duration,
    connections: usize,
}

/// A server that is not started yet.
///
/// ```
/// use modelpulse::{health::Registry, serve::Server};
/// let registry = Registry::new();
/// registry.gauge("model.accuracy", "Accuracy of the model").set(0.9375);
/// let serving = Server::new(&registry).listen("127.0.0.1:0")?;
/// println!("scrape {}/metrics", serving.url());
/// serving.shutdown();
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub struct Server {
    registry: Registry,
    watch: Option<Watch>,
    alerts: Option<AlertBoard>,
    health: Vec<(&'static str, Box<Checked>)>,
    info: Vec<(String, Box<Told>)>,
    class_names: Vec<String>,
    observations: Option<(Observations, PathBuf)>,
    redacted: Vec<String>,
    journal_growth: u64,
    token: Option<String>,
    limits: Limits,
}

type Told = dyn Fn() -> Value + Send + Sync;
type Checked = dyn Fn() -> (bool, Value) + Send + Sync;

impl std::fmt::Debug for Server {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("watch", &self.watch)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Shows `registry`.
    pub fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            watch: None,
            alerts: None,
            health: Vec::new(),
            info: Vec::new(),
            class_names: Vec::new(),
            observations: None,
            redacted: Vec::new(),
            journal_growth: 64 << 20,
            token: None,
            limits: Limits {
                body: 16 << 20,
                time: Duration::from_secs(30),
                connections: 512,
            },
        }
    }

    /// Evaluates and predicts with this model.
    pub fn watch(mut self, watch: &Watch) -> Self {
        self.watch = Some(watch.clone());
        self
    }

    /// Tells which alerts are on; a critical one makes the model unwell.
    pub fn alerts(mut self, board: &AlertBoard) -> Self {
        self.alerts = Some(board.clone());
        self
    }

    /// Tells in `/actuator/health` of this component too: whether it is well when it is asked, and the details.
    pub fn health_of(
        mut self,
        component: &'static str,
        check: impl Fn() -> (bool, Value) + Send + Sync + 'static,
    ) -> Self {
        self.health.push((component, Box::new(check)));
        self
    }

    /// Tells this in `/actuator/info`: model, data, seed.
    pub fn info(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.info_of(name, move || value.clone())
    }

    /// Tells in `/actuator/info` what is true when it is asked: a model that may be replaced.
    pub fn info_of(
        mut self,
        name: impl Into<String>,
        value: impl Fn() -> Value + Send + Sync + 'static,
    ) -> Self {
        self.info.push((name.into(), Box::new(value)));
        self
    }

    /// The names of the classes that `/predict` tells, from class 0 up.
    pub fn class_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.class_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Takes observations and labels, and keeps them in `observations.jsonl` in `dir` before it acknowledges them; what that
    /// file has is taken again when the server starts.
    pub fn observations(mut self, observations: &Observations, dir: impl Into<PathBuf>) -> Self {
        self.observations = Some((observations.clone(), dir.into()));
        self
    }

    /// How many bytes of observations and labels are kept beside those that are still needed. Default: 64 MiB.
    ///
    /// When the file has grown by so much, what it is needed for takes its place: the rows that wait for a label, those that
    /// the model is judged by, and the counts; without the features.
    pub fn journal_growth(mut self, bytes: u64) -> Self {
        self.journal_growth = bytes;
        self
    }

    /// Hides these features of observations, by name or by place, before anything is written.
    pub fn redact<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.redacted = columns.into_iter().map(Into::into).collect();
        self
    }

    /// What changes state needs the header `Authorization: Bearer TOKEN`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The most bytes of a request's body. Default: 16 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// The longest time that a request may take, an evaluation apart; that it may take to come and its answer to be taken;
    /// and that a connection may be silent. Default: 30 s.
    pub fn max_time(mut self, time: Duration) -> Self {
        self.limits.time = time;
        self
    }

    /// The most connections at once; more wait. Default: 512.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// Serves from threads of its own; port 0 is one that is free.
    ///
    /// # Errors
    /// Where the address cannot be listened on, the file of observations not be opened, or no thread be started.
    pub fn listen(self, address: impl ToSocketAddrs) -> io::Result<Serving> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("modelpulse-serve")
            .enable_all()
            .build()?;
        let listener = {
            let _within = runtime.enter();
            listener::bind(address)?
        };
        let address = listener.local_addr()?;
        let intake = self.observations.as_ref().map(|(live, dir)| {
            let Self {
                class_names,
                redacted,
                journal_growth,
                ..
            } = &self;
            Intake::open(
                dir,
                live,
                class_names,
                redacted,
                *journal_growth,
                self.watch.as_ref(),
            )
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", dir.display())))
        });
        let intake = intake.transpose()?;
        let (stop, stopped) = oneshot::channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let limits = self.limits;
        let app = routes::router(self, intake, address, stopping.clone());
        let serve = async move {
            let listener = Limited::new(listener, limits.connections, limits.time);
            let (end, ended) = oneshot::channel::<()>();
            let app = app.into_make_service_with_connect_info::<Busy>();
            let serve = axum::serve(listener, app).with_graceful_shutdown(async {
                let _ = ended.await;
            });
            let serve = tokio::spawn(serve.into_future());
            // Also where the handle is gone.
            let _ = stopped.await;
            let _ = end.send(());
            let _ = tokio::time::timeout(PATIENCE, serve).await;
            io::Result::Ok(())
        };
        let thread = std::thread::Builder::new().name("modelpulse-serve".to_owned());
        let thread = thread.spawn(move || {
            let served = runtime.block_on(serve);
            runtime.shutdown_timeout(PATIENCE);
            served
        })?;
        Ok(Serving {
            address,
            stopping,
            stop: Mutex::new(Some(stop)),
            thread: Some(thread),
        })
    }
}

/// A server that runs; it ends when this is dropped, and requests that run are answered before.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more requests, and returns when those that run are answered, after 10 seconds at most.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(
            self.stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
