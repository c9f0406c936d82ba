//! What the program prints for scripts.
//!
//! A number that JSON cannot hold is a string: "NaN", "Infinity", "-Infinity".

use serde_json::{Map, Value, json};

use crate::health::Finding;

pub(super) fn number(value: f64) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(value),
    }
}

/// A number for people: one that was logged at single precision in as few digits as that has.
pub(super) fn shown(value: f64) -> String {
    let single = value as f32;
    if f64::from(single) == value {
        single.to_string()
    } else {
        value.to_string()
    }
}

pub(super) fn numbers<'a>(named: impl IntoIterator<Item = (&'a String, &'a f64)>) -> Value {
    Value::Object(
        named
            .into_iter()
            .map(|(name, value)| (name.clone(), number(*value)))
            .collect::<Map<_, _>>(),
    )
}

/// A finding of a training.
pub(super) fn finding(finding: &Finding) -> Value {
    let evidence = finding.evidence.iter();
    json!({
        "kind": finding.kind.name(),
        "run": finding.place.run(),
        "step": finding.place.step().as_i64(),
        "sentence": finding.sentence,
        "evidence": evidence.map(|(what, value)| json!({ "what": what, "value": value })).collect::<Vec<_>>(),
        "advice": finding.advice,
    })
}
