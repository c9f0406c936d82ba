//! Meters by name and tags, as Micrometer has them: counters, gauges, timers, distributions, infos, states.
//!
//! What a page of Prometheus could not tell apart is one meter, and what it could not show is refused when it is
//! registered: whatever a registry holds can be shown, in an order that never changes.

mod events;
mod family;
mod meters;
mod naming;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

pub use events::EventGauges;
#[cfg(feature = "export")]
pub(crate) use events::SeriesNames;
pub use family::{Families, Family, Kind, Meter, Reading};
pub use meters::{Counter, Distribution, Gauge, Recorded, States, Timer};
#[cfg(feature = "push")]
pub(crate) use naming::label as label_name;

use self::family::{Function, Source};
use self::meters::{Number, Record, StateCell};
use crate::types::WallTime;

/// The meters of a program; cheap to clone, all clones hold the same ones.
///
/// ```
/// use modelpulse::health::Registry;
/// let registry = Registry::new();
/// let accuracy = registry.gauge("model.accuracy", "Accuracy of the model");
/// let latency = registry.meter("predict").tag("model", "iris").timer();
/// accuracy.set(0.97);
/// latency.time(|| "setosa");
/// assert_eq!(registry.families().iter().count(), 2);
/// ```
///
/// A training feeds it by one line, each series as the gauge that rules exported to Prometheus ask for:
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{Session, health::Registry};
/// let registry = Registry::new();
/// let session = Session::builder(dir.path()).sink(registry.sink()).start()?;
/// session.run("eval").scalar("epoch_accuracy", 0, 0.7);
/// session.finish()?;
/// let family = registry.families().iter().next().unwrap().clone();
/// assert_eq!(family.prometheus_name(), "modelpulse_epoch_accuracy");
/// assert_eq!(family.meters().next().unwrap().labels(), r#"run="eval""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Registry {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    families: Families,
    /// The family that has each name of a page.
    taken: BTreeMap<String, String>,
    refused: Vec<String>,
}

/// So many refusals are kept.
const MOST_REFUSED: usize = 100;

impl Registry {
    /// A registry without meters.
    pub fn new() -> Self {
        Self::default()
    }

    /// A meter of this name, to be given tags and the like. Words are joined by dots or underscores.
    pub fn meter(&self, name: &str) -> MeterBuilder<'_> {
        MeterBuilder {
            registry: self,
            name: name.to_owned(),
            description: String::new(),
            unit: String::new(),
            tags: Vec::new(),
            bounds: Vec::new(),
        }
    }

    /// The gauge of this name without tags.
    pub fn gauge(&self, name: &str, description: &str) -> Gauge {
        self.meter(name).description(description).gauge()
    }

    /// The counter of this name without tags.
    pub fn counter(&self, name: &str, description: &str) -> Counter {
        self.meter(name).description(description).counter()
    }

    /// A sink that shows the last value of each series as a gauge.
    pub fn sink(&self) -> EventGauges {
        EventGauges::new(self)
    }

    /// All meters that are registered now.
    pub fn families(&self) -> Families {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.families.clone()
    }

    /// What could not be registered, and why; the first hundred. Such a meter can be updated, and nobody sees it.
    pub fn refused(&self) -> Vec<String> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.refused.clone()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A meter that is not registered yet.
///
/// ```
/// let registry = modelpulse::health::Registry::new();
/// let up = registry.meter("uptime").unit("seconds").description("Since the start").gauge_of(|| 3.5);
/// ```
#[derive(Debug)]
#[must_use]
pub struct MeterBuilder<'a> {
    registry: &'a Registry,
    name: String,
    description: String,
    unit: String,
    tags: Vec<(String, String)>,
    bounds: Vec<f64>,
}

impl MeterBuilder<'_> {
    /// With this tag. The meter is known by its name and all of its tags.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((name.into(), value.into()));
        self
    }

    /// What it means, in a sentence; the first one that a family is given stays.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Its unit, a base unit in the plural: `seconds`, `bytes`. Prometheus has it at the end of the name.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Counts the values of a timer or a distribution up to each of these; of a timer, seconds.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.bounds = bounds.into_iter().collect();
        self
    }

    /// The counter.
    pub fn counter(self) -> Counter {
        let number = Arc::<Number>::default();
        match self.register(Kind::Counter, Source::Number(number.clone())) {
            Some(Source::Number(number)) => Counter(number),
            _ => Counter(number),
        }
    }

    /// A counter whose value is asked for when it is shown; it must never go down. A meter that is there stays.
    pub fn counter_of(self, value: impl Fn() -> f64 + Send + Sync + 'static) {
        let _ = self.register(Kind::Counter, Source::Function(Function(Arc::new(value))));
    }

    /// The gauge.
    pub fn gauge(self) -> Gauge {
        let number = Arc::<Number>::default();
        match self.register(Kind::Gauge, Source::Number(number.clone())) {
            Some(Source::Number(number)) => Gauge(number),
            _ => Gauge(number),
        }
    }

    /// A gauge whose value is asked for when it is shown. A meter that is there stays.
    pub fn gauge_of(self, value: impl Fn() -> f64 + Send + Sync + 'static) {
        let _ = self.register(Kind::Gauge, Source::Function(Function(Arc::new(value))));
    }

    /// The timer.
    pub fn timer(mut self) -> Timer {
        self.unit = "seconds".to_owned();
        Timer(self.record(Kind::Timer))
    }

    /// The distribution.
    pub fn distribution(self) -> Distribution {
        Distribution(self.record(Kind::Distribution))
    }

    fn record(self, kind: Kind) -> Arc<Record> {
        let record = Arc::new(Record::new(&self.bounds));
        match self.register(kind, Source::Record(record.clone())) {
            Some(Source::Record(record)) => record,
            _ => record,
        }
    }

    /// A text that its tags tell: a version, a hash.
    pub fn info(self) {
        let _ = self.register(Kind::Info, Source::Info);
    }

    /// One of these states; the first, to begin with.
    pub fn states<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> States {
        let cell = Arc::new(StateCell {
            names: names.into_iter().map(Into::into).collect(),
            current: AtomicUsize::new(0),
        });
        match self.register(Kind::States, Source::States(cell.clone())) {
            Some(Source::States(cell)) => States(cell),
            _ => States(cell),
        }
    }

    /// The meter that has this name and these tags now; `None` where it cannot be.
    fn register(mut self, kind: Kind, source: Source) -> Option<Source> {
        let family = naming::family(&self.name, &self.unit, kind);
        if kind == Kind::States {
            // A page tells the state by a label that has the family's name.
            self.tags.retain(|(name, _)| naming::label(name) != family);
        }
        self.tags.sort();
        let mut inner = self.registry.write();
        match inner.meter(&self, family, kind, source) {
            Ok(source) => Some(source),
            Err(why) => {
                if inner.refused.len() < MOST_REFUSED {
                    let refusal = format!("meter '{}': {why}", self.name);
                    inner.refused.push(refusal);
                }
                None
            }
        }
    }
}

impl Inner {
    fn meter(
        &mut self,
        new: &MeterBuilder<'_>,
        name: String,
        kind: Kind,
        source: Source,
    ) -> Result<Source, String> {
        let labels = naming::labels(&new.tags).ok_or("two of its tags have one name")?;
        if kind == Kind::States && naming::label(&name) != name {
            return Err(format!("Prometheus has a label '{name}' of its own"));
        }
        let key = naming::joined(labels.iter().filter(|(_, value)| !value.is_empty()));
        let families = Arc::make_mut(&mut self.families.by_name);
        if let Some(family) = families.get(&name) {
            if family.kind != kind {
                return Err(format!(
                    "'{}' is there already, as {:?} and not {kind:?}",
                    family.name, family.kind
                ));
            }
            if let Some(meter) = family.meters.get(&key) {
                return Ok(meter.source.clone());
            }
        } else {
            let names = naming::taken(&name, kind);
            if let Some(other) = names.iter().find_map(|name| self.taken.get(name)) {
                return Err(format!("its samples would have names of '{other}'"));
            }
            for taken in names {
                self.taken.insert(taken, name.clone());
            }
        }
        let family = families.entry(name.clone()).or_insert_with(|| Family {
            name: new.name.as_str().into(),
            prometheus: name.into(),
            kind,
            unit: new.unit.as_str().into(),
            description: new.description.as_str().into(),
            meters: BTreeMap::new(),
        });
        if family.description.is_empty() && !new.description.is_empty() {
            family.description = new.description.as_str().into();
        }
        let meter = Meter {
            labels: naming::joined(&labels),
            tags: new.tags.clone(),
            created: WallTime::now().as_secs_f64(),
            source: source.clone(),
        };
        family.meters.insert(key, Arc::new(meter));
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(registry: &Registry) -> Vec<(String, String, Reading<'static>)> {
        let families = registry.families();
        let meters = families.iter().flat_map(|family| {
            family.meters().map(|meter| {
                let reading = match meter.read() {
                    Reading::Number(number) => Reading::Number(number),
                    other => panic!("{other:?}"),
                };
                let name = family.prometheus_name().to_owned();
                (name, meter.labels().to_owned(), reading)
            })
        });
        meters.collect()
    }

    #[test]
    fn what_a_page_cannot_tell_apart_is_one_meter() {
        let registry = Registry::new();
        registry.meter("a.b").tag("x.y", "1").gauge().set(1.0);
        registry
            .meter("a_b")
            .tag("x-y", "1")
            .tag("z", "")
            .gauge()
            .add(1.0);
        registry.meter("a-b").tag("x_y", "2").gauge();
        let row = |labels: &str, value| ("a_b".into(), labels.to_owned(), Reading::Number(value));
        assert_eq!(
            shown(&registry),
            [row(r#"x_y="1""#, 2.0), row(r#"x_y="2""#, 0.0)]
        );
    }

    #[test]
    fn what_a_page_cannot_show_is_refused_and_said() {
        let registry = Registry::new();
        let latency = registry.meter("latency").timer();
        let other = registry.meter("latency.seconds").gauge();
        let counted = registry.counter("latency.seconds.count", "");
        registry.meter("x").tag("a b", "1").tag("a_b", "2").info();
        other.set(1.0);
        counted.increment();
        latency.record(std::time::Duration::from_secs(2));
        let refused = registry.refused();
        assert_eq!(refused.len(), 3, "{refused:?}");
        assert!(refused[0].contains("as Timer and not Gauge"), "{refused:?}");
        assert!(
            refused[1].contains("names of 'latency_seconds'"),
            "{refused:?}"
        );
        assert!(refused[2].contains("two of its tags"), "{refused:?}");
        assert_eq!(registry.families().iter().count(), 1);
    }

    #[test]
    fn the_order_is_that_of_the_names_whatever_came_first() {
        let names = ["b", "a.z", "a", "c"];
        let order = |names: &[&str]| {
            let registry = Registry::new();
            for name in names {
                for value in ["2", "1", "\"", ""] {
                    registry.meter(name).tag("k", value).counter();
                }
            }
            shown(&registry)
        };
        let reversed: Vec<&str> = names.iter().rev().copied().collect();
        assert_eq!(order(&names), order(&reversed));
        assert_eq!(order(&names).len(), 16);
    }

    #[test]
    fn a_function_that_panics_has_no_value() {
        let registry = Registry::new();
        registry.meter("a").gauge_of(|| panic!("as the test wants"));
        registry.meter("b").counter_of(|| 2.0);
        let values = shown(&registry);
        assert!(matches!(values[0].2, Reading::Number(value) if value.is_nan()));
        assert_eq!(values[1].2, Reading::Number(2.0));
    }
}
