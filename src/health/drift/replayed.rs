//! An old log as it would be had detectors watched it.

use super::{Detected, Detectors};
use crate::flow::{Event, Sink, SinkError, Source};

/// The events of a source, and behind each instant what detectors say of it; what they said of it when it was logged
/// is left out.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, flow::Source, log::LogReader};
/// use modelpulse::health::drift::{Detectors, WithDetectors};
/// let session = Session::create(dir.path())?;
/// (0..100).for_each(|step| session.run("train").scalar("loss", step, f64::from(step / 50)));
/// session.finish()?;
/// let detectors = Detectors::new(vec!["kswin:loss".parse()?], |_| {});
/// let mut events = WithDetectors::new(LogReader::open(dir.path())?, detectors);
/// let mut said = Vec::new();
/// while let Some(instant) = events.next_instant()? {
///     said.extend(instant.into_iter().filter(|event| event.tag.as_str() != "loss"));
/// }
/// assert_eq!(said[0].path(), "train/health/drift/kswin/loss/drift_signal");
/// assert_eq!(said.iter().filter_map(|event| event.value.number()).fold(0.0, f64::max), 2.0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct WithDetectors<S, F> {
    source: S,
    detectors: Detectors<F>,
    said: Vec<Event>,
}

impl<S: Source, F: FnMut(&Detected) + Send> WithDetectors<S, F> {
    /// The events of `source`, watched.
    pub fn new(source: S, detectors: Detectors<F>) -> Self {
        Self {
            source,
            detectors,
            said: Vec::new(),
        }
    }

    /// The detectors as they are now.
    pub fn detectors(&self) -> &Detectors<F> {
        &self.detectors
    }
}

impl<S: Source, F: FnMut(&Detected) + Send> Source for WithDetectors<S, F> {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        if !self.said.is_empty() {
            return Ok(Some(std::mem::take(&mut self.said)));
        }
        let Some(mut instant) = self.source.next_instant()? else {
            return Ok(None);
        };
        instant.retain(|event| !self.detectors.wrote(event));
        self.detectors.accept(&instant)?;
        self.said = self.detectors.feedback();
        Ok(Some(instant))
    }
}
