//! Detectors of concept drift over the series of a log: a sink that says what it finds as events.
//!
//! Each series of each run has a detector of its own. What a detector says follows from the values in their order
//! alone, and a step that comes again, as behind a checkpoint, is not evidence twice.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::Watched;
use crate::drift::concept::{Detector, Signal};
use crate::flow::{Event, Sink, SinkError};
use crate::health::routes::{RouteId, Routes};
use crate::log::{Error, LogReader};
use crate::summary::{Text, Value};
use crate::types::{RunName, Step, Tag};

/// How the tags begin that detectors log under, in the run of the series: `health/drift/NAME/SERIES/drift_signal`, 0 while
/// it is stable, 1 while there is a warning, 2 at a drift; and beside it `…/text`, each warning and drift in words.
pub const DETECTORS: &str = "health/drift/";

/// What a detector says that it did not say before: a warning or a drift.
///
/// ```
/// use modelpulse::health::drift::Detected;
/// fn drifts(detected: &[Detected]) -> usize {
///     detected.iter().filter(|detected| detected.is_drift()).count()
/// }
/// # assert_eq!(drifts(&[]), 0);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Detected {
    /// The name of the detector.
    pub detector: Arc<str>,
    /// What it says.
    pub signal: Signal,
    /// The run of the series.
    pub run: RunName,
    /// The series.
    pub tag: Tag,
    /// Where the value stands that it says this of.
    pub step: Step,
    /// When that was logged, in seconds since 1970.
    pub wall_time: f64,
    /// The value.
    pub value: f64,
    /// How many values it has seen since it began, or since the drift before.
    pub values: u64,
}

impl Detected {
    /// Whether it is a drift, not just a warning.
    pub fn is_drift(&self) -> bool {
        self.signal == Signal::Drift
    }

    /// `drift` or `warning`.
    pub fn word(&self) -> &'static str {
        match self.signal {
            Signal::Drift => "drift",
            Signal::Warning => "warning",
            Signal::Stable => "stable",
        }
    }
}

/// A line: what, by which detector, and where.
impl fmt::Display for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}  run={} tag={} step={} wall_time={:.6} value={} values={}",
            self.word(),
            self.detector,
            self.run,
            self.tag,
            self.step,
            self.wall_time,
            self.value,
            self.values
        )
    }
}

/// Has detectors watch the series of a log, and shows each warning and drift to `report`.
///
/// In a session, what they say is logged below [`DETECTORS`], where rules can name it; in a replay of an old log,
/// [`WithDetectors`](super::WithDetectors) puts it among the events.
///
/// ```
/// use modelpulse::flow::{Event, Sink};
/// use modelpulse::health::drift::Detectors;
/// let mut lines = Vec::new();
/// let watched = vec!["page_hinkley,threshold=5:loss".parse()?];
/// let mut detectors = Detectors::new(watched, |detected| lines.push(detected.to_string()));
/// for step in 0..100_u32 {
///     let loss = if step < 60 { 0.5 } else { 2.0 };
///     detectors.accept(&[Event::new("train", "loss", step, f64::from(step), loss)])?;
/// }
/// drop(detectors);
/// assert_eq!(lines, ["drift: page_hinkley  run=train tag=loss step=63 wall_time=63.000000 value=2 values=64"]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct Detectors<F> {
    watched: Vec<Watched>,
    streams: Routes<Vec<Stream>>,
    /// What the last instant led to.
    page: Vec<Event>,
    /// Whether nobody is told: it was told before.
    silent: bool,
    report: F,
}

/// A series, and a detector that watches it.
struct Stream {
    /// Which of those that watch.
    watched: usize,
    detector: Box<dyn Detector + Send>,
    signal: Option<Signal>,
    /// The last step that was taken.
    last: Option<Step>,
    values: u64,
    /// Whether it was said that a value is none that the detector takes.
    refused: bool,
    signal_tag: String,
    text_tag: String,
}

impl<F> fmt::Debug for Detectors<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detectors")
            .field("watched", &self.watched)
            .finish_non_exhaustive()
    }
}

impl<F: FnMut(&Detected)> Detectors<F> {
    /// A sink that has these watch.
    pub fn new(watched: Vec<Watched>, report: F) -> Self {
        Self {
            watched,
            streams: Routes::new(),
            page: Vec::new(),
            silent: false,
            report,
        }
    }

    /// Goes silently through what an earlier session logged in `dir`, so that what comes behind it is judged as if
    /// there had been no end.
    ///
    /// # Errors
    /// [`Error::Read`] where the directory cannot be read. One without a log is no error.
    pub fn resume(&mut self, dir: impl AsRef<Path>) -> Result<(), Error> {
        let mut log = match LogReader::open(dir) {
            Err(Error::NoEvents { .. }) => return Ok(()),
            log => log?,
        };
        self.silent = true;
        while let Some(instant) = log.instant()? {
            self.watch(&instant);
        }
        self.silent = false;
        self.page.clear();
        Ok(())
    }

    /// Those whose series did not occur.
    pub fn unseen(&self) -> impl Iterator<Item = &Watched> {
        let seen = |index: usize| {
            let mut all = self.streams.iter().flatten();
            all.any(|stream| stream.watched == index)
        };
        let watched = self.watched.iter().enumerate();
        watched.filter_map(move |(index, watched)| (!seen(index)).then_some(watched))
    }

    /// Whether one of these wrote it.
    pub(super) fn wrote(&self, event: &Event) -> bool {
        let Some(rest) = event.tag.as_str().strip_prefix(DETECTORS) else {
            return false;
        };
        let mut names = self.watched.iter().map(|watched| &*watched.name);
        names.any(|name| {
            rest.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    fn watch(&mut self, instant: &[Event]) {
        self.page.clear();
        for event in instant {
            let Some(value) = event.value.decimal() else {
                continue;
            };
            let known = self.streams.find(&event.run, &event.tag);
            let id = known.unwrap_or_else(|| self.meet(event));
            let Some(streams) = self.streams.get_mut(id) else {
                continue;
            };
            for stream in streams {
                let Some(watched) = self.watched.get(stream.watched) else {
                    continue;
                };
                let told = stream.take(watched, event, value, &mut self.page);
                if let Some(detected) = told.filter(|_| !self.silent) {
                    (self.report)(&detected);
                }
            }
        }
    }

    /// Finds out who watches a series that occurs for the first time.
    fn meet(&mut self, event: &Event) -> RouteId {
        let Event { run, tag, .. } = event;
        if tag.as_str().starts_with("health/") {
            // Of what detectors and rules say, none is a value of the model.
            return self.streams.lay(run, tag, None);
        }
        let path = event.path();
        let watched = self.watched.iter().enumerate();
        let streams: Vec<Stream> = watched
            .filter(|(_, watched)| watched.series.matches(&path))
            .filter_map(|(index, watched)| {
                let tag = format!("{DETECTORS}{}/{tag}", watched.name);
                Some(Stream {
                    watched: index,
                    detector: watched.detector()?,
                    signal: None,
                    last: None,
                    values: 0,
                    refused: false,
                    signal_tag: format!("{tag}/drift_signal"),
                    text_tag: format!("{tag}/text"),
                })
            })
            .collect();
        self.streams
            .lay(run, tag, (!streams.is_empty()).then_some(streams))
    }
}

impl Stream {
    fn take(
        &mut self,
        watched: &Watched,
        event: &Event,
        value: f64,
        page: &mut Vec<Event>,
    ) -> Option<Detected> {
        if self.last.is_some_and(|last| event.step <= last) {
            return None;
        }
        self.last = Some(event.step);
        let mut log = |tag: &str, value: Value| {
            page.push(Event::new(
                event.run.clone(),
                tag,
                event.step,
                event.wall_time,
                value,
            ));
        };
        let signal = match self.detector.update(watched.kind.input(value)) {
            Ok(signal) => signal,
            Err(_) if self.refused => return None,
            Err(error) => {
                self.refused = true;
                let text = format!("a value is left out: {error}");
                log(&self.text_tag, Text::new(text).into());
                return None;
            }
        };
        if self.signal == Some(Signal::Drift) {
            self.values = 0;
        }
        self.values += 1;
        let before = self.signal.replace(signal);
        // A rule that asks for the last value hears of a warning that lasts.
        if before != Some(signal) || signal != Signal::Stable {
            let number = f64::from(signal as u8);
            log(&self.signal_tag, number.into());
        }
        if signal == Signal::Stable || (before == Some(signal) && signal == Signal::Warning) {
            return None;
        }
        let detected = Detected {
            detector: watched.name.clone(),
            signal,
            run: event.run.clone(),
            tag: event.tag.clone(),
            step: event.step,
            wall_time: event.wall_time,
            value,
            values: self.values,
        };
        log(&self.text_tag, Text::new(detected.to_string()).into());
        Some(detected)
    }
}

impl<F: FnMut(&Detected) + Send> Sink for Detectors<F> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        self.watch(instant);
        Ok(())
    }

    fn feedback(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.page)
    }
}
