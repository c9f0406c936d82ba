//! What a registry shows: families of meters, in the order of their names.
//!
//! Values are read when asked for; the families themselves stay as they were when they were taken.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::meters::{Number, Record, Recorded, StateCell};

/// What a meter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Counts; goes up.
    Counter,
    /// A number.
    Gauge,
    /// Times, in seconds.
    Timer,
    /// Sizes of values.
    Distribution,
    /// A text, told by tags alone.
    Info,
    /// One of several states.
    States,
}

/// The meters of one name.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// registry.meter("served.bytes").unit("bytes").tag("model", "iris").counter().add(7.0);
/// let families = registry.families();
/// let family = families.iter().next().unwrap();
/// assert_eq!((family.name(), family.prometheus_name()), ("served.bytes", "served_bytes"));
/// assert_eq!(family.meters().next().unwrap().labels(), r#"model="iris""#);
/// ```
#[derive(Debug, Clone)]
pub struct Family {
    pub(super) name: Arc<str>,
    pub(super) prometheus: Arc<str>,
    pub(super) kind: Kind,
    pub(super) unit: Arc<str>,
    pub(super) description: Arc<str>,
    /// By their labels, without those that are empty: for Prometheus those are not there.
    pub(super) meters: BTreeMap<String, Arc<Meter>>,
}

impl Family {
    /// The name as it was given: Micrometer's convention, words joined by dots.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the family for Prometheus, as OpenMetrics has it: a counter's samples are this and `_total`.
    pub fn prometheus_name(&self) -> &str {
        &self.prometheus
    }

    /// What its meters are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The unit, in its plural: `seconds`, `bytes`; empty where there is none.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// What it means; may be empty.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The meters, in the order of their labels.
    pub fn meters(&self) -> impl Iterator<Item = &Meter> {
        self.meters.values().map(AsRef::as_ref)
    }
}

/// One meter: a name and its tags.
#[derive(Debug)]
pub struct Meter {
    pub(super) tags: Vec<(String, String)>,
    pub(super) labels: String,
    pub(super) created: f64,
    pub(super) source: Source,
}

impl Meter {
    /// Its tags as they were given, by name.
    pub fn tags(&self) -> &[(String, String)] {
        &self.tags
    }

    /// Its tags as a page of Prometheus has them between braces, escaped.
    pub fn labels(&self) -> &str {
        &self.labels
    }

    /// Its labels as Prometheus has them, by name, not escaped; an empty one is none.
    #[cfg(feature = "push")]
    pub(crate) fn pairs(&self) -> Vec<(String, &str)> {
        let mut pairs = super::naming::labels(&self.tags).unwrap_or_default();
        pairs.retain(|(_, value)| !value.is_empty());
        pairs
    }

    /// When it was registered, in seconds since 1970.
    pub fn created(&self) -> f64 {
        self.created
    }

    /// What it shows now.
    pub fn read(&self) -> Reading<'_> {
        match &self.source {
            Source::Number(number) => Reading::Number(number.get()),
            Source::Function(function) => Reading::Number(function.call()),
            Source::Record(record) => Reading::Recorded(record.read()),
            Source::Info => Reading::Number(1.0),
            Source::States(cell) => Reading::State {
                names: &cell.names,
                current: cell.current.load(Ordering::Relaxed),
            },
        }
    }
}

/// What a meter shows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reading<'a> {
    /// Of a counter or a gauge; 1 of an info.
    Number(f64),
    /// Of a timer or a distribution.
    Recorded(Recorded),
    /// One of these states.
    State {
        /// All of them.
        names: &'a [String],
        /// Which it is in.
        current: usize,
    },
}

/// Where a meter's value stands.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Number(Arc<Number>),
    Function(Function),
    Record(Arc<Record>),
    Info,
    States(Arc<StateCell>),
}

/// A function that is asked for the value.
#[derive(Clone)]
pub(super) struct Function(pub(super) Arc<dyn Fn() -> f64 + Send + Sync>);

impl Function {
    /// One that panics has no value, and the page goes on.
    fn call(&self) -> f64 {
        catch_unwind(AssertUnwindSafe(|| (self.0)())).unwrap_or(f64::NAN)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Function")
    }
}

/// The families of a registry, in the order of their names.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// registry.gauge("b", "");
/// registry.gauge("a", "");
/// let families = registry.families();
/// assert!(families.iter().map(|family| family.name()).eq(["a", "b"]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Families {
    pub(super) by_name: Arc<BTreeMap<String, Family>>,
}

impl Families {
    /// In the order of their names for Prometheus.
    pub fn iter(&self) -> impl Iterator<Item = &Family> {
        self.by_name.values()
    }
}
