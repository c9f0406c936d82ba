//! A part of the events, for a sink that is not for all of them.
//!
//! Whether a series is wanted is decided once; a sink that wants nothing of an instant does not hear of it.

use std::collections::HashMap;

use super::{Event, SeriesPattern, Sink, SinkError};
use crate::types::{RunName, Tag};

/// Shows a sink the events of some series, named by [patterns](SeriesPattern).
///
/// ```
/// use modelpulse::flow::{Event, Only, Sink, SinkError};
/// # #[derive(Default)]
/// # struct Count(usize);
/// # impl Sink for Count {
/// #     fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> { self.0 += instant.len(); Ok(()) }
/// # }
/// let mut sink = Only::new(["eval/*", "serve/errors/*"], Count::default()).except(["time/*"]);
/// sink.accept(&[
///     Event::new("eval", "accuracy", 0, 1.0, 0.9),
///     Event::new("eval", "time/evaluation_seconds", 0, 1.0, 0.1),
///     Event::new("train", "loss", 0, 1.0, 0.1),
/// ])?;
/// assert_eq!(sink.into_inner().0, 1);
/// # Ok::<(), SinkError>(())
/// ```
#[derive(Debug)]
pub struct Only<S> {
    wanted: Vec<SeriesPattern>,
    unwanted: Vec<SeriesPattern>,
    known: HashMap<RunName, HashMap<Tag, bool>>,
    /// Whether the sink took the last instant, and may have to say something of it.
    shown: bool,
    sink: S,
}

impl<S> Only<S> {
    /// Shows `sink` the series that one of the patterns names.
    pub fn new<P: Into<String>>(wanted: impl IntoIterator<Item = P>, sink: S) -> Self {
        Self {
            wanted: wanted.into_iter().map(SeriesPattern::new).collect(),
            unwanted: Vec::new(),
            known: HashMap::new(),
            shown: false,
            sink,
        }
    }

    /// But for those that one of these names.
    #[must_use]
    pub fn except<P: Into<String>>(mut self, unwanted: impl IntoIterator<Item = P>) -> Self {
        self.unwanted
            .extend(unwanted.into_iter().map(SeriesPattern::new));
        self
    }

    /// The sink.
    pub fn into_inner(self) -> S {
        self.sink
    }

    fn wants(&mut self, event: &Event) -> bool {
        let tags = self.known.get(&event.run);
        if let Some(wants) = tags.and_then(|tags| tags.get(&event.tag)) {
            return *wants;
        }
        let path = event.path();
        let names = |patterns: &[SeriesPattern]| patterns.iter().any(|it| it.matches(&path));
        let wants = names(&self.wanted) && !names(&self.unwanted);
        let tags = self.known.entry(event.run.clone()).or_default();
        tags.insert(event.tag.clone(), wants);
        wants
    }
}

impl<S: Sink> Sink for Only<S> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        let all: Vec<bool> = instant.iter().map(|event| self.wants(event)).collect();
        self.shown = all.contains(&true);
        if !self.shown {
            return Ok(());
        }
        if !all.contains(&false) {
            return self.sink.accept(instant);
        }
        let wanted = instant.iter().zip(all).filter(|(_, wants)| *wants);
        let wanted: Vec<Event> = wanted.map(|(event, _)| event.clone()).collect();
        self.sink.accept(&wanted)
    }

    fn feedback(&mut self) -> Vec<Event> {
        match self.shown {
            true => self.sink.feedback(),
            false => Vec::new(),
        }
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.sink.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what it sees, and says how much that was.
    #[derive(Default)]
    struct Seen(Vec<Vec<String>>);

    impl Sink for Seen {
        fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
            self.0.push(instant.iter().map(Event::path).collect());
            Ok(())
        }

        fn feedback(&mut self) -> Vec<Event> {
            vec![Event::new(".", "seen", 0, 0.0, self.0.len() as f64)]
        }
    }

    #[test]
    fn a_sink_sees_its_series_and_says_nothing_of_other_instants() {
        let mut sink = Only::new(["eval/*", "loss"], Seen::default()).except(["eval/time/*"]);
        let event = |run: &str, tag: &str| Event::new(run, tag, 0, 0.0, 1.0);
        let mut said = Vec::new();
        for instant in [
            vec![event("eval", "loss"), event("a/eval", "x")],
            vec![event("train", "accuracy")],
            vec![],
            vec![
                event("train", "accuracy"),
                event("train", "loss"),
                event("eval", "time/x"),
            ],
        ] {
            sink.accept(&instant).unwrap();
            said.push(sink.feedback().len());
        }
        assert_eq!(said, [1, 0, 0, 1]);
        let expected = [vec!["eval/loss", "a/eval/x"], vec!["train/loss"]];
        assert_eq!(sink.into_inner().0, expected);
    }
}
