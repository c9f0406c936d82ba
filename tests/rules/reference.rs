//! The states of alerts at every step are those of `promtool test rules`.

use std::path::PathBuf;

use modelpulse::flow::{Event, Sink};
use modelpulse::health::{Alerts, Rule, RuleSet, Span, State, When};
use serde_json::Value;

/// The folder of reference cases.
fn folder() -> PathBuf {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference").into();
    std::env::var_os("MODELPULSE_REFERENCE").map_or_else(default, PathBuf::from)
}

/// The rules of the reference, with the meaning that Prometheus gives to a NaN.
fn rule(name: &str) -> Rule {
    let (condition, hold_for, keep) = match name {
        "lt08_for0" => ("x < 0.8", 0, 0),
        "lt08_for60" => ("x < 0.8", 60, 0),
        "lt08_for120" => ("x < 0.8", 120, 0),
        "lt08_for60_keep120" => ("x < 0.8", 60, 120),
        "ne_nan" => ("nan(x)", 0, 0),
        "avg3_lt08" => ("avg(x, 90s) < 0.8", 0, 0),
        "drop_vs_2m" => ("change(x, 2m) < -0.1", 0, 0),
        _ => panic!("the reference has a rule that this test does not know: {name}"),
    };
    Rule::new(name, condition.parse().unwrap())
        .hold_for(Span::seconds(hold_for))
        .keep_firing_for(Span::seconds(keep))
        .nan(When::Ignore)
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some("NaN") => f64::NAN,
        _ => value.as_f64().unwrap(),
    }
}

/// The state at each step of one series under one rule.
fn states(rule: Rule, step_seconds: i64, values: &[Value]) -> Vec<&'static str> {
    let rules = RuleSet::new(vec![rule]).unwrap();
    let mut alerts = Alerts::new(rules, |_| ());
    let mut states = Vec::new();
    for (step, value) in values.iter().enumerate() {
        let wall_time = (step as i64 * step_seconds) as f64;
        // Silence is an event too.
        let mut instant = vec![Event::new(".", "heartbeat", step, wall_time, 0.0)];
        if !value.is_null() {
            instant.push(Event::new("run", "x", step, wall_time, number(value)));
        }
        alerts.accept(&instant).unwrap();
        let state = alerts
            .active()
            .next()
            .map_or(State::Inactive, |(.., state)| state);
        states.push(state.name());
    }
    states
}

#[test]
fn reference_alerts() {
    let text = std::fs::read_to_string(folder().join("alerts_promtool.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let (mut cases, mut compared) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let input = &case["input"];
        let step = input["step_seconds"].as_i64().unwrap();
        let values = input["values"].as_array().unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            let states = states(rule(name), step, values);
            assert_eq!(Value::from(states), *expected, "{} {name}", case["id"]);
            compared += values.len();
        }
        cases += 1;
    }
    println!("{cases} cases, {compared} states compared");
    assert!(cases > 0 && compared > 0);
}
