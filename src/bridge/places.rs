//! The places in a program that report: event statements, and names of spans.
//!
//! A name is made once for each, and their number is bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_core::{Level, Metadata};

use crate::types::Step;

/// More places than a program has; what comes from further ones is not logged.
const MAX: usize = 10_000;

/// What is known of places, by what tells them apart.
#[derive(Debug)]
pub(super) struct Places<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Places<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Places<K, V> {
    /// What is known of `key`, made where nothing is yet; `None` where there are too many already.
    pub(super) fn find(&self, key: K, make: impl FnOnce() -> V) -> Option<Arc<V>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = all.get(&key) {
            return Some(value.clone());
        }
        (all.len() < MAX).then(|| all.entry(key).or_insert_with(|| make().into()).clone())
    }
}

/// Counts from 0 on.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicI64);

impl Counter {
    pub(super) fn next(&self) -> Step {
        self.0.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// An event statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// What its events count as where they do not say it.
    pub(super) steps: Counter,
    /// The tag of each field, in their order.
    pub(super) tags: Vec<String>,
    /// The tag of its text, if its level has one.
    pub(super) text: Option<String>,
}

impl Statement {
    /// Tags begin with `prefix`, or with the statement's target.
    pub(super) fn new(metadata: &Metadata<'_>, prefix: Option<&str>) -> Self {
        let tag = |name: &str| match prefix.unwrap_or(metadata.target()) {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        let text = match *metadata.level() {
            Level::WARN => Some("warn"),
            Level::ERROR => Some("error"),
            _ => None,
        };
        let fields = metadata.fields().iter();
        Self {
            steps: Counter::default(),
            tags: fields.map(|field| tag(field.name())).collect(),
            text: text.map(tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded() {
        let places = Places::default();
        let found = (0..MAX + 5).filter_map(|key| places.find(key, || ()));
        assert_eq!(found.count(), MAX);
        assert!(places.find(0, || ()).is_some());
    }
}
