//! What `/actuator` answers, in the shapes of Spring Boot 3
//! (<https://docs.spring.io/spring-boot/api/rest/actuator/index.html>), as plain functions.
//!
//! Where Spring sums over the tags of a gauge, the series stand beside the sum: two accuracies are not one of 1.7.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::observe::Intake;
use crate::export::json_number;
use crate::health::{AlertBoard, Families, Family, Kind, Meter, Reading, Watch};

/// The media type of Spring's answers.
pub(super) const MEDIA_TYPE: &str = "application/vnd.spring-boot.actuator.v3+json";

/// The names of all meters.
pub(super) fn names(families: &Families) -> Value {
    let names: BTreeSet<&str> = families.iter().map(Family::name).collect();
    json!({ "names": names })
}

/// One meter, of the series that have all of `tags`; `None` where there is none.
pub(super) fn metric(families: &Families, name: &str, tags: &[(&str, &str)]) -> Option<Value> {
    let family = families.iter().find(|family| family.name() == name)?;
    let has = |meter: &&Meter| {
        tags.iter().all(|(name, value)| {
            let mut own = meter.tags().iter();
            own.any(|(own_name, own)| own_name == name && own == value)
        })
    };
    let mut sums: BTreeMap<(usize, &str), f64> = BTreeMap::new();
    let mut available: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut series = Vec::new();
    for meter in family.meters().filter(has) {
        let measured = measurements(family.kind(), meter);
        for (place, (statistic, value)) in measured.iter().enumerate() {
            let sum = sums.entry((place, statistic)).or_insert(match *statistic {
                "MAX" => f64::NEG_INFINITY,
                // A sum of -0 alone is -0.
                _ => -0.0,
            });
            *sum = match *statistic {
                "MAX" => sum.max(*value),
                _ => *sum + value,
            };
        }
        for (name, value) in meter.tags() {
            if !tags.iter().any(|(asked, _)| asked == name) {
                available.entry(name).or_default().insert(value);
            }
        }
        let own: Map<String, Value> = meter
            .tags()
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let measured = measured
            .iter()
            .map(|(name, value)| measurement(name, *value));
        series.push(json!({ "tags": own, "measurements": measured.collect::<Vec<_>>() }));
    }
    if series.is_empty() {
        return None;
    }
    let text = |text: &str| match text {
        "" => Value::Null,
        text => json!(text),
    };
    let sums = sums
        .iter()
        .map(|((_, name), value)| measurement(name, *value));
    let available = available
        .iter()
        .map(|(tag, values)| json!({ "tag": tag, "values": values }));
    Some(json!({
        "name": name,
        "description": text(family.description()),
        "baseUnit": text(family.unit()),
        "measurements": sums.collect::<Vec<_>>(),
        "availableTags": available.collect::<Vec<_>>(),
        "series": series,
    }))
}

fn measurement(statistic: &str, value: f64) -> Value {
    json!({ "statistic": statistic, "value": json_number(value) })
}

/// Statistic and value of each number that a meter shows.
fn measurements(kind: Kind, meter: &Meter) -> Vec<(&'static str, f64)> {
    match meter.read() {
        Reading::Number(value) if kind == Kind::Counter => vec![("COUNT", value)],
        Reading::Number(value) => vec![("VALUE", value)],
        Reading::State { current, .. } => vec![("VALUE", current as f64)],
        Reading::Recorded(recorded) => {
            let total = if kind == Kind::Timer {
                "TOTAL_TIME"
            } else {
                "TOTAL"
            };
            vec![
                ("COUNT", recorded.count as f64),
                (total, recorded.sum),
                ("MAX", recorded.max),
            ]
        }
    }
}

/// How the service and its model are.
#[derive(Debug)]
pub(super) struct Health {
    components: BTreeMap<&'static str, (&'static str, Value)>,
}

impl Health {
    /// Of what is served; `stopping` says that the server is about to end.
    pub(super) fn of(
        watch: Option<&Watch>,
        alerts: Option<&AlertBoard>,
        intake: Option<&Intake>,
        stopping: bool,
    ) -> Self {
        let mut components = BTreeMap::from([("ping", ("UP", Value::Null))]);
        let ready = if stopping { "OUT_OF_SERVICE" } else { "UP" };
        components.insert("livenessState", ("UP", Value::Null));
        components.insert("readinessState", (ready, Value::Null));
        if let Some(watch) = watch {
            components.insert("evaluation", evaluation(watch));
            let report = watch.session().report();
            let mut details = json!({
                "directory": watch.session().dir(),
                "written": report.written,
                "dropped": report.dropped,
                "failures": report.failures,
                "healed": report.healed,
            });
            let status = match watch.session().problem() {
                Some(error) => {
                    details["error"] = json!(error);
                    "DOWN"
                }
                None => "UP",
            };
            components.insert("log", (status, details));
        }
        if let Some(alerts) = alerts {
            let firing = alerts.firing().into_iter().map(|alert| {
                json!({
                    "rule": *alert.rule,
                    "severity": alert.severity.name(),
                    "run": alert.run.as_str(),
                    "tag": alert.tag.as_str(),
                    "since": json_number(alert.wall_time),
                    "value": json_number(alert.value),
                    "message": alert.message,
                })
            });
            let status = if alerts.is_critical() { "DOWN" } else { "UP" };
            components.insert(
                "alerts",
                (status, json!({ "firing": firing.collect::<Vec<_>>() })),
            );
        }
        if let Some(intake) = intake {
            let (details, well) = intake.health();
            components.insert("observations", (if well { "UP" } else { "DOWN" }, details));
        }
        Self { components }
    }

    /// One component more: whether it is well, and its details.
    pub(super) fn add(&mut self, component: &'static str, (well, details): (bool, Value)) {
        let status = if well { "UP" } else { "DOWN" };
        self.components.insert(component, (status, details));
    }

    /// The worst status of these components, of all where none is named.
    fn status(&self, of: &[&str]) -> &'static str {
        let own = self.components.iter();
        let own = own.filter(|(name, _)| of.is_empty() || of.contains(name));
        let rank = |status: &&str| match *status {
            "DOWN" => 2,
            "OUT_OF_SERVICE" => 1,
            _ => 0,
        };
        own.map(|(_, (status, _))| *status)
            .max_by_key(rank)
            .unwrap_or("UP")
    }

    /// The answer to `path`: all of it, a group, or one component. And whether it is well.
    pub(super) fn answer(&self, path: &str) -> Option<(Value, bool)> {
        let (status, answer) = match path {
            "" => {
                let components: Map<String, Value> = self
                    .components
                    .iter()
                    .map(|(name, component)| ((*name).to_owned(), shown(component)))
                    .collect();
                let status = self.status(&[]);
                let groups = ["liveness", "readiness"];
                let answer =
                    json!({ "status": status, "components": components, "groups": groups });
                (status, answer)
            }
            "liveness" | "readiness" => {
                let status = self.status(&[&format!("{path}State")]);
                (status, json!({ "status": status }))
            }
            name => {
                let component = self.components.get(name)?;
                (component.0, shown(component))
            }
        };
        Some((answer, status == "UP"))
    }
}

fn shown((status, details): &(&str, Value)) -> Value {
    match details {
        Value::Null => json!({ "status": status }),
        details => json!({ "status": status, "details": details }),
    }
}

fn evaluation(watch: &Watch) -> (&'static str, Value) {
    let status = watch.status();
    let mut details = Map::new();
    if let Some(last) = &status.last {
        details.insert("step".to_owned(), json!(last.step));
        details.insert("time".to_owned(), json_number(last.wall_time));
        details.insert("rows".to_owned(), json!(last.rows));
    }
    match status.error {
        Some(error) => {
            details.insert("error".to_owned(), json!(error));
            ("DOWN", Value::Object(details))
        }
        None => ("UP", Value::Object(details)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Registry;

    #[test]
    fn series_stand_beside_springs_sum() {
        let registry = Registry::new();
        for (version, accuracy) in [("1", 0.8), ("2", 0.9)] {
            let meter = registry.meter("model.accuracy").tag("version", version);
            meter.description("Accuracy").gauge().set(accuracy);
        }
        registry.meter("loss").gauge().set(f64::NAN);
        let timer = registry.meter("predict").timer();
        timer.record(std::time::Duration::from_millis(250));
        timer.record(std::time::Duration::from_millis(500));
        let families = registry.families();
        assert_eq!(
            names(&families),
            json!({ "names": ["loss", "model.accuracy", "predict"] })
        );
        let all = metric(&families, "model.accuracy", &[]).unwrap();
        assert_eq!(all["measurements"][0]["value"], json!(0.8 + 0.9));
        assert_eq!(all["series"][1]["measurements"][0]["value"], json!(0.9));
        assert_eq!(
            all["availableTags"],
            json!([{ "tag": "version", "values": ["1", "2"] }])
        );
        let one = metric(&families, "model.accuracy", &[("version", "2")]).unwrap();
        assert_eq!(
            one["measurements"],
            json!([{ "statistic": "VALUE", "value": 0.9 }])
        );
        assert_eq!(one["availableTags"], json!([]));
        assert_eq!(
            metric(&families, "model.accuracy", &[("version", "3")]),
            None
        );
        assert_eq!(
            metric(&families, "loss", &[]).unwrap()["measurements"][0]["value"],
            "NaN"
        );
        let timer = metric(&families, "predict", &[]).unwrap();
        assert_eq!(timer["baseUnit"], "seconds");
        assert_eq!(
            timer["measurements"],
            json!([
                { "statistic": "COUNT", "value": 2.0 },
                { "statistic": "TOTAL_TIME", "value": 0.75 },
                { "statistic": "MAX", "value": 0.5 },
            ])
        );
    }

    #[test]
    fn a_server_that_ends_lives_and_is_not_ready() {
        let health = Health::of(None, Some(&AlertBoard::default()), None, true);
        assert_eq!(
            health.answer("liveness"),
            Some((json!({ "status": "UP" }), true))
        );
        let out = json!({ "status": "OUT_OF_SERVICE" });
        assert_eq!(health.answer("readiness"), Some((out, false)));
        let (all, well) = health.answer("").unwrap();
        assert!(!well && all["components"]["alerts"]["details"]["firing"] == json!([]));
        assert_eq!(health.answer("nothing"), None);
    }
}
