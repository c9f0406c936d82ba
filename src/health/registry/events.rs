//! The series of a session as gauges.
//!
//! A series `a/eval/x` is `modelpulse_x{run="a/eval"}`, and `live/drift/age/drift_score` is
//! `modelpulse_drift_score{run="live",feature="age"}`, which is what rules that were exported to Prometheus ask for.

use std::collections::HashMap;

#[cfg(feature = "export")]
use super::naming;
use super::{Gauge, Registry};
use crate::flow::{Event, Sink, SinkError};
use crate::health::{ALERTS, drift_metric, metric_of};
use crate::types::{RunName, Tag};

/// Shows the last value of each series of numbers as a gauge; see [`Registry::sink`].
///
/// The value is the decimal that was logged, rounded to single precision as the log has it. Two series that
/// would be one, `top-5` and `top.5`, are told apart by a label `tag` of the later one. What alerts log of themselves
/// is `modelpulse_alert{alert="RULE", run="RUN"}`.
///
/// ```
/// use modelpulse::{flow::{Event, Sink}, health::Registry};
/// let registry = Registry::new();
/// registry.sink().accept(&[Event::new("a/eval", "x", 3, 1.7e9, 0.7)])?;
/// assert_eq!(registry.meter("modelpulse_x").tag("run", "a/eval").gauge().value(), 0.7);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct EventGauges {
    registry: Registry,
    gauges: HashMap<RunName, HashMap<Tag, Gauge>>,
    names: SeriesNames,
}

/// The metrics of series, each its own.
#[derive(Debug, Default)]
pub(crate) struct SeriesNames {
    /// Which series has each metric and run.
    owners: HashMap<(String, String), (RunName, Tag)>,
}

/// The metric that shows a series.
#[derive(Debug)]
pub(crate) struct SeriesName {
    pub(crate) metric: String,
    tags: Vec<(String, String)>,
    pub(crate) description: &'static str,
}

impl SeriesNames {
    /// The metric of a series, the same each time.
    pub(crate) fn name(&mut self, run: &RunName, tag: &Tag) -> SeriesName {
        let tagged = |metric: String, tags: [(&str, &str); 2], description| {
            let tags = tags.iter().filter(|(_, value)| !value.is_empty());
            let tags = tags.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            SeriesName {
                metric,
                tags: tags.collect(),
                description,
            }
        };
        if let Some(alert) = tag.as_str().strip_prefix(ALERTS) {
            // Under the name of its series, it would be taken for that by the rule itself.
            let tags = [("alert", alert), ("run", run.as_str())];
            let text = "Whether an alert of this rule fires in the run";
            return tagged("modelpulse_alert".to_owned(), tags, text);
        }
        if let Some((metric, of, feature)) = drift_metric(run.as_str(), tag.as_str()) {
            let text = "Of the last chunk: see the series of this name";
            return tagged(metric, [("run", of), ("feature", feature)], text);
        }
        let named = metric_of(&run.path_of(tag.as_str()));
        let own = (run.clone(), tag.clone());
        let owner = self.owners.entry(named.clone()).or_insert(own.clone());
        let apart = if *owner == own { "" } else { tag.as_str() };
        let (metric, label) = named;
        let text = "The last value of the series of this name, by run";
        tagged(metric, [("run", &label), ("tag", apart)], text)
    }
}

impl SeriesName {
    /// The labels as they stand between braces.
    #[cfg(feature = "export")]
    pub(crate) fn labels(&self) -> String {
        naming::labels(&self.tags).map_or_else(String::new, |labels| naming::joined(&labels))
    }
}

impl EventGauges {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            gauges: HashMap::new(),
            names: SeriesNames::default(),
        }
    }

    fn gauge(&mut self, run: &RunName, tag: &Tag) -> Gauge {
        let name = self.names.name(run, tag);
        let meter = self.registry.meter(&name.metric);
        let tags = name.tags.into_iter();
        let meter = tags.fold(meter, |meter, (name, value)| meter.tag(name, value));
        meter.description(name.description).gauge()
    }
}

impl Sink for EventGauges {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        for event in instant {
            let Some(value) = event.value.decimal() else {
                continue;
            };
            let tags = self.gauges.get(&event.run);
            if let Some(gauge) = tags.and_then(|tags| tags.get(&event.tag)) {
                gauge.set(value);
                continue;
            }
            let gauge = self.gauge(&event.run, &event.tag);
            gauge.set(value);
            let tags = self.gauges.entry(event.run.clone()).or_default();
            tags.insert(event.tag.clone(), gauge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Text;

    #[test]
    fn series_that_would_be_one_metric_are_told_apart() {
        let registry = Registry::new();
        let mut sink = registry.sink();
        let event = |run: &str, tag: &str, value: f64| Event::new(run, tag, 0, 1.0, value);
        let first = [
            event("a", "eval/top-5", 0.1),
            event("a/eval", "top-5", 0.2),
            event("a/eval", "top.5", 0.3),
            event(".", "top_5", f64::NAN),
            event("a", "health/alerts/eval/top-5", 1.0),
            event("a/live/drift", "top/5/drift_score", 0.5),
            event("a/live/drift", "data_drift_detected", 1.0),
            Event::new("a", "card", 0, 1.0, Text::new("# no number")),
        ];
        sink.accept(&first).unwrap();
        sink.accept(&[event("a/eval", "top.5", 0.4)]).unwrap();
        let families = registry.families();
        let names = families.iter().map(|family| family.prometheus_name());
        let expected = ["alert", "data_drift_detected", "drift_score", "top_5"];
        assert!(names.eq(expected.map(|name| format!("modelpulse_{name}"))));
        let score = families.iter().nth(2).unwrap().meters().next().unwrap();
        assert_eq!(score.labels(), r#"feature="top/5",run="a/live""#);
        let family = families.iter().last().unwrap();
        assert_eq!(family.prometheus_name(), "modelpulse_top_5");
        let shown: Vec<String> = family
            .meters()
            .map(|meter| format!("{} {:?}", meter.labels(), meter.read()))
            .collect();
        assert_eq!(
            shown,
            [
                r#"run="." Number(NaN)"#,
                r#"run="a/eval" Number(0.1)"#,
                r#"run="a/eval",tag="top-5" Number(0.2)"#,
                r#"run="a/eval",tag="top.5" Number(0.4)"#,
            ]
        );
    }
}
