//! Numbers of the system as meters: one look serves all of a page.
//!
//! A number that is not there any more, of a disk that was taken away, is NaN.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::health::Registry;

/// A look is good for so long.
const FRESH: Duration = Duration::from_millis(250);

/// Whether a number only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Counts,
    Varies,
}

/// What a number is: its name, the unit, which way it goes, and a description.
pub(super) type Kind = (&'static str, &'static str, Way, &'static str);

/// A number as it is now, with its labels.
pub(super) struct Number {
    pub(super) kind: &'static Kind,
    pub(super) tags: Vec<(&'static str, String)>,
    pub(super) value: f64,
}

impl Number {
    pub(super) fn new(kind: &'static Kind, value: f64) -> Self {
        let tags = Vec::new();
        Self { kind, tags, value }
    }

    pub(super) fn tag(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.tags.push((name, value.into()));
        self
    }
}

type Key = (&'static str, Vec<(&'static str, String)>);

struct Looked<L> {
    look: L,
    at: Option<Instant>,
    values: HashMap<Key, f64>,
}

impl<L: FnMut() -> Vec<Number>> Looked<L> {
    fn value(&mut self, key: &Key) -> f64 {
        if self.at.is_none_or(|at| at.elapsed() > FRESH) {
            let numbers = (self.look)().into_iter();
            self.values = numbers
                .map(|number| ((number.kind.0, number.tags), number.value))
                .collect();
            self.at = Some(Instant::now());
        }
        self.values.get(key).copied().unwrap_or(f64::NAN)
    }
}

/// Shows in `registry` the numbers that `look` finds now, as they are when they are asked for.
pub(super) fn show(registry: &Registry, mut look: impl FnMut() -> Vec<Number> + Send + 'static) {
    let first = look();
    let looked = Arc::new(Mutex::new(Looked {
        look,
        at: None,
        values: HashMap::new(),
    }));
    for Number { kind, tags, .. } in first {
        let (name, unit, way, text) = *kind;
        let mut meter = registry.meter(name).unit(unit).description(text);
        for (tag, value) in &tags {
            meter = meter.tag(*tag, value.as_str());
        }
        let (looked, key) = (looked.clone(), (name, tags));
        let read = move || {
            let mut looked = looked.lock().unwrap_or_else(PoisonError::into_inner);
            looked.value(&key)
        };
        match way {
            Way::Counts => meter.counter_of(read),
            Way::Varies => meter.gauge_of(read),
        }
    }
}

#[cfg(test)]
pub(super) fn read(registry: &Registry) -> HashMap<String, Vec<(String, f64)>> {
    use crate::health::Reading;
    let mut all: HashMap<String, Vec<(String, f64)>> = HashMap::new();
    for family in registry.families().iter() {
        for meter in family.meters() {
            let Reading::Number(value) = meter.read() else {
                panic!("{}", family.name());
            };
            let shown = all.entry(family.prometheus_name().to_owned()).or_default();
            shown.push((meter.labels().to_owned(), value));
        }
    }
    all
}
