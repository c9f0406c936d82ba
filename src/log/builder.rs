//! The settings of a writer.
//!
//! What cannot work is refused by [`WriterBuilder::start`], before anything is logged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::account::Voice;
use super::file::Files;
use super::shared::Inner;
use super::{Error, Writer};
use crate::flow::{Sink, SinkError, Tee};

/// What a logging call does while the buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Waits at most this long for the disk, then drops the value. Until the disk moves again, later
    /// calls drop at once.
    WaitAtMost(Duration),
    /// Waits for the disk, however long: no value is lost while the process lives.
    Wait,
    /// Drops the value at once.
    Drop,
}

impl Default for Overflow {
    /// Waits at most 10 ms.
    fn default() -> Self {
        Self::WaitAtMost(Duration::from_millis(10))
    }
}

/// The settings of a [`Writer`].
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Overflow, Writer};
/// let writer = Writer::builder(dir.path()).overflow(Overflow::Wait).suffix(".v2").start()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct WriterBuilder {
    config: Config,
    files: Files,
    sinks: Vec<MakeSink>,
    voice: Voice,
}

/// Makes a sink for the log in a directory.
type MakeSink = Box<dyn FnOnce(&Path) -> Result<Box<dyn Sink>, SinkError> + Send>;

#[derive(Debug)]
pub(super) struct Config {
    pub(super) dir: PathBuf,
    pub(super) files: Arc<Files>,
    pub(super) flush_interval: Duration,
    pub(super) sync: bool,
    pub(super) overflow: Overflow,
    pub(super) buffer_bytes: usize,
    pub(super) max_series: usize,
    pub(super) discard: bool,
    pub(super) heartbeat: Option<Duration>,
}

impl WriterBuilder {
    pub(super) fn new(dir: &Path) -> Self {
        let config = Config {
            dir: dir.to_owned(),
            files: Arc::default(),
            flush_interval: Duration::from_secs(1),
            sync: true,
            overflow: Overflow::default(),
            buffer_bytes: 64 << 20,
            max_series: 100_000,
            discard: false,
            heartbeat: None,
        };
        Self {
            config,
            files: Files::default(),
            sinks: Vec::new(),
            voice: Voice::default(),
        }
    }

    /// How long a value may wait before it is handed to the operating system. Default: 1 s.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.config.flush_interval = interval;
        self
    }

    /// What a logging call does while the buffer is full. Default: waits at most 10 ms.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// How many bytes of images, histograms and the like may wait, for each logging thread.
    /// Default: 64 MiB, the histograms of a model of eight million parameters and their gradients. One larger
    /// value is taken when nothing else waits.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.config.buffer_bytes = bytes;
        self
    }

    /// The most series that the log takes; a number that slipped into a tag's name must not make a
    /// million of them. Default: 100,000.
    pub fn max_series(mut self, limit: usize) -> Self {
        self.config.max_series = limit;
        self
    }

    /// Logs to the directory `name` of the log directory, in place of that itself.
    pub(crate) fn below(mut self, name: &str) -> Self {
        self.config.dir.push(name);
        self
    }

    /// What every file's name ends in. Default: nothing.
    pub fn suffix(mut self, suffix: impl Into<String>) -> Self {
        self.files.suffix = suffix.into();
        self
    }

    /// Follows a file that has grown to `bytes` by a new one. Default: never.
    pub fn rotate_at(mut self, bytes: u64) -> Self {
        self.files.rotate_at = Some(bytes);
        self
    }

    /// Keeps of each run about the newest `bytes`: at each rotation the oldest files beyond them are
    /// removed. For a run without end. Default: keeps all.
    pub fn keep_bytes(mut self, bytes: u64) -> Self {
        self.files.keep_bytes = Some(bytes);
        self
    }

    /// Keeps of each run the files that were written to within `time`; looked at at each rotation.
    /// For a run without end. Default: keeps all.
    pub fn keep_for(mut self, time: Duration) -> Self {
        self.files.keep_for = Some(time);
        self
    }

    /// Says the first failure, and a second live writer of the same directory, to `listener`, at once;
    /// [`Writer::finish`] returns failures too. Default: a line on standard error.
    pub fn on_warning(mut self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.voice = Voice(Box::new(listener));
        self
    }

    /// Takes what is logged and forgets it: no directory is made, and sinks see nothing. For those of
    /// several processes that are not to log.
    pub fn discard(mut self) -> Self {
        self.config.discard = true;
        self
    }

    /// Whether [`Writer::finish`] waits until the disk has everything. Default: yes.
    pub fn sync(mut self, sync: bool) -> Self {
        self.config.sync = sync;
        self
    }

    /// Shows every event to `sink` too, from the thread that writes.
    pub fn sink(self, sink: Box<dyn Sink>) -> Self {
        self.sink_with(|_| Ok(sink))
    }

    /// Shows every event to the sink that `make` returns. It is called when the writer starts, with the log
    /// directory, in which nothing is written yet: a sink can look at what an earlier session logged.
    pub fn sink_with(
        mut self,
        make: impl FnOnce(&Path) -> Result<Box<dyn Sink>, SinkError> + Send + 'static,
    ) -> Self {
        self.sinks.push(Box::new(make));
        self
    }

    /// Logs a heartbeat when no instant came for so long.
    pub(crate) fn heartbeat(mut self, after: Option<Duration>) -> Self {
        self.config.heartbeat = after;
        self
    }

    /// Starts the writer. Files are made with the first value of each run.
    ///
    /// # Errors
    /// [`Error::Create`] where the directory cannot be made or written, [`Error::Worker`] where no
    /// thread can be started, [`Error::Sink`] where a sink cannot be made.
    pub fn start(self) -> Result<Writer, Error> {
        let Self {
            mut config,
            files,
            sinks,
            voice,
        } = self;
        config.files = Arc::new(files);
        let mut tee = Tee::default();
        if config.discard {
            config.heartbeat = None;
        } else {
            check_writable(&config.dir)?;
            for make in sinks {
                tee.push(make(&config.dir).map_err(Error::Sink)?);
            }
        }
        let inner = Inner::start(config, tee, voice)?;
        Ok(Writer { inner })
    }
}

impl std::fmt::Debug for WriterBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterBuilder")
            .field("config", &self.config)
            .field("files", &self.files)
            .field("sinks", &self.sinks.len())
            .finish_non_exhaustive()
    }
}

/// A directory can be made or exist and yet refuse files: better said now than at the first value.
fn check_writable(dir: &Path) -> Result<(), Error> {
    let probe = || {
        fs::create_dir_all(dir)?;
        let probe = dir.join(format!(".modelpulse-{}", std::process::id()));
        fs::File::create(&probe)?;
        fs::remove_file(probe)
    };
    probe().map_err(|source| Error::Create {
        path: dir.to_owned(),
        source,
    })
}
