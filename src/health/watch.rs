//! A sink that holds events against rules.
//!
//! It reports each breach in the order of events, and of rules within an event.

use super::{Breach, Rule};
use crate::flow::{Event, Sink, SinkError};

/// Holds every event against `rules` and hands each breach to `report`.
///
/// ```
/// use modelpulse::{flow::{Event, Sink}, health::Watch};
/// let mut lines = Vec::new();
/// let mut watch = Watch::new(vec!["loss > 1".parse()?], |breach| lines.push(breach.to_string()));
/// watch.accept(&[Event::new("train", "loss", 7, 1.5, 2.0)])?;
/// drop(watch);
/// assert_eq!(lines, ["broken: loss > 1  run=train tag=loss step=7 wall_time=1.500000 value=2"]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct Watch<F> {
    rules: Vec<Rule>,
    /// Whether each rule's series was seen.
    seen: Vec<bool>,
    report: F,
}

impl<F: FnMut(&Breach<'_>)> Watch<F> {
    /// A sink that holds events against `rules`.
    pub fn new(rules: Vec<Rule>, report: F) -> Self {
        Self {
            seen: vec![false; rules.len()],
            rules,
            report,
        }
    }

    /// The rules whose series did not occur.
    pub fn unseen(&self) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .zip(&self.seen)
            .filter_map(|(rule, seen)| (!seen).then_some(rule))
    }
}

impl<F: FnMut(&Breach<'_>) + Send> Sink for Watch<F> {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        for event in instant {
            for (rule, seen) in self.rules.iter().zip(&mut self.seen) {
                *seen = *seen || (rule.names(event) && event.value.scalar().is_some());
                if let Some(breach) = rule.breach(event) {
                    (self.report)(&breach);
                }
            }
        }
        Ok(())
    }
}
