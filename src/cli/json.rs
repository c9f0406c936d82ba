//! What the program prints for scripts.
//!
//! A number that JSON cannot hold is a string: "NaN", "Infinity", "-Infinity".

use serde_json::{Map, Value, json};

pub(super) fn number(value: f64) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(value),
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
