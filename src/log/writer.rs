//! The writer of a log directory.
//!
//! A logging call never fails and never waits on the disk beyond the bound that
//! [`Overflow`](super::Overflow) sets: what cannot be kept is dropped, counted, and said by
//! [`Writer::finish`].

use std::path::Path;
use std::sync::Arc;

use super::sequencer::Sequencer;
use super::shared::Inner;
use super::{Error, Failed, Report, RunWriter, WriterBuilder};

/// Writes a log directory: cheap to clone, usable from any thread.
///
/// Each thread has a buffer of its own, so a scalar by a [`Series`](super::Series) takes no lock. A background
/// thread writes, at least once in a flush interval. When the last handle is dropped, also by a
/// panic, everything logged is written; [`finish`](Self::finish) also says whether it was.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::Writer;
/// let writer = Writer::create(dir.path())?;
/// let train = writer.run("train");
/// let (loss, accuracy) = (train.series("loss"), train.series("accuracy"));
/// for step in 0..100 {
///     // One event a step, with both values.
///     train.step(step).scalar(&loss, 0.5).scalar(&accuracy, 0.9);
/// }
/// let report = writer.finish()?;
/// assert_eq!(report.written, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Writer {
    pub(super) inner: Arc<Inner>,
}

impl Writer {
    /// A writer with the default settings.
    ///
    /// # Errors
    /// As [`WriterBuilder::start`].
    pub fn create(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(dir).start()
    }

    /// The settings of a writer of the log directory `dir`.
    pub fn builder(dir: impl AsRef<Path>) -> WriterBuilder {
        WriterBuilder::new(dir.as_ref())
    }

    /// The log directory.
    pub fn dir(&self) -> &Path {
        &self.inner.shared.config.dir
    }

    /// Whether what is logged is kept; see [`WriterBuilder::discard`].
    pub(crate) fn keeps(&self) -> bool {
        !self.inner.shared.config.discard
    }

    /// A run: a directory below the log directory, or `.` for the log directory itself.
    ///
    /// A name that is no relative path, or contains `tfevents`, is refused: what is logged there is
    /// counted as dropped.
    pub fn run(&self, name: impl AsRef<str>) -> RunWriter {
        let shared = &self.inner.shared;
        let id = shared.registry.run(name.as_ref());
        let id = id.map_err(|error| shared.account.fail(error, 0)).ok();
        RunWriter {
            inner: self.inner.clone(),
            id,
        }
    }

    /// Returns when all that this thread logged before is handed to the operating system, or was
    /// refused by it. From a sink, which the thread that writes calls, it returns at once.
    pub fn flush(&self) {
        self.inner.shared.flush(false);
    }

    /// As [`flush`](Self::flush), and the disk has it.
    pub fn sync(&self) {
        self.inner.shared.flush(true);
    }

    /// Counts a failure that no value was lost by.
    pub(crate) fn failed(&self, error: Error) {
        self.inner.shared.account.fail(error, 0);
    }

    /// What was written so far.
    pub fn report(&self) -> Report {
        self.inner.shared.account.report()
    }

    /// What is wrong with the log: the last failure, as long as there are values that are lost or not written yet.
    pub fn problem(&self) -> Option<String> {
        self.inner.shared.account.problem()
    }

    /// Writes all that was logged, waits until the disk has it, and ends the writer; what is logged
    /// later, through other handles, is counted as dropped.
    ///
    /// # Errors
    /// [`Failed`] with the first failure since the start, if there was one.
    pub fn finish(self) -> Result<Report, Failed> {
        self.inner.stop();
        let account = &self.inner.shared.account;
        let report = account.report();
        account
            .take_first()
            .map_or(Ok(report), |first| Err(Failed { first, report }))
    }

    /// A handle that does not keep the writer alive.
    #[cfg(feature = "signals")]
    pub(super) fn downgrade(&self) -> WeakWriter {
        WeakWriter(Arc::downgrade(&self.inner))
    }

    /// A source of instants with a ring of its own, so that their order is that of the calls.
    pub(crate) fn sequencer(&self) -> Sequencer {
        Sequencer::new(self.inner.clone())
    }
}

/// A handle that does not keep the writer alive.
#[cfg(feature = "signals")]
pub(super) struct WeakWriter(std::sync::Weak<Inner>);

#[cfg(feature = "signals")]
impl WeakWriter {
    pub(super) fn upgrade(&self) -> Option<Writer> {
        self.0.upgrade().map(|inner| Writer { inner })
    }
}
