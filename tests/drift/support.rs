//! Reading reference cases and comparing with them.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::PathBuf;

use modelpulse::drift::Undefined;
use serde_json::Value;

/// The cases of a file, at least one.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("MODELPULSE_REFERENCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference"),
        PathBuf::from,
    );
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut parsed: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(cases) = parsed["cases"].take() else {
        panic!("{file} has no cases");
    };
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

pub(crate) fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

/// The entries of an object.
pub(crate) fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = object.as_object().unwrap().iter();
    entries.map(|(key, value)| (key.as_str(), value))
}

/// A number; those that JSON has not are words, and what is missing is NaN.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(word) if word == "Infinity" => f64::INFINITY,
        Value::String(word) if word == "-Infinity" => f64::NEG_INFINITY,
        Value::String(word) if word == "NaN" => f64::NAN,
        Value::Null => f64::NAN,
        other => panic!("{other} is no number"),
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(crate) fn indices(value: &Value) -> Vec<usize> {
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    value.as_array().unwrap().iter().map(index).collect()
}

/// Compares, counts, and collects what is wrong.
#[derive(Default)]
pub(crate) struct Check {
    compared: usize,
    /// Where modelpulse differs on purpose: the reason, and the places.
    on_purpose: BTreeMap<&'static str, Vec<String>>,
    wrong: Vec<String>,
    /// Whether values of the case are missing, which modelpulse leaves out.
    pub(crate) missing: bool,
}

/// Why answers differ where values are missing.
const MISSING: &str =
    "NaN is a missing value, left out and counted; scipy answers NaN, or sorts it last";

impl Check {
    pub(crate) fn exact<T: PartialEq + Debug>(
        &mut self,
        place: impl Display,
        ours: T,
        expected: T,
    ) {
        self.compared += 1;
        if ours != expected {
            let wrong = format!("{place}: {ours:?}, expected {expected:?}");
            self.wrong.push(wrong);
        }
    }

    /// Within a relative difference; what is next to nothing beside 1 is nothing.
    pub(crate) fn close(&mut self, place: impl Display, ours: f64, expected: f64, relative: f64) {
        self.compared += 1;
        let same = ours == expected || (ours.is_nan() && expected.is_nan());
        let small = ours.abs() < 1e-15 && expected.abs() < 1e-15;
        if !same && !small && (ours - expected).abs() > relative * expected.abs() {
            self.wrong
                .push(format!("{place}: {ours}, expected {expected}"));
        }
    }

    /// An answer: none is right where the other program answers NaN or raises an error.
    pub(crate) fn answer(
        &mut self,
        place: &str,
        ours: Result<f64, Undefined>,
        expected: &Value,
        relative: f64,
    ) {
        if self.missing {
            self.differs(place, MISSING);
        } else if expected.get("error").is_some() || expected.as_str() == Some("NaN") {
            self.holds(place, ours.is_err(), || {
                format!("{ours:?}, expected {expected}")
            });
        } else if let Ok(ours) = ours {
            self.close(place, ours, number(expected), relative);
        } else {
            self.holds(place, false, || format!("{ours:?}, expected {expected}"));
        }
    }

    pub(crate) fn answers(&mut self, place: &str, ours: &[f64], expected: &Value) {
        let expected = expected.as_array().unwrap();
        self.exact(format!("{place} length"), ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(expected) {
            self.answer(place, Ok(*ours), expected, 1e-9);
        }
    }

    pub(crate) fn holds(&mut self, place: &str, holds: bool, what: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.wrong.push(format!("{place}: {}", what()));
        }
    }

    /// Differs on purpose.
    pub(crate) fn differs(&mut self, place: impl Display, reason: &'static str) {
        let places = self.on_purpose.entry(reason).or_default();
        places.push(place.to_string());
    }

    /// A name that the test does not know: never passed over.
    pub(crate) fn unknown(&mut self, place: impl Display) {
        self.wrong
            .push(format!("{place}: the test does not know it"));
    }

    /// Prints how many values were compared and where modelpulse differs on purpose, and fails if anything is wrong.
    pub(crate) fn finish(self, file: &str) {
        println!("{file}: compared {} values", self.compared);
        for (reason, places) in &self.on_purpose {
            println!("{file}: on purpose, {reason}: {} values", places.len());
            println!("    {}", places.join(", "));
        }
        let wrong = &self.wrong;
        assert!(
            wrong.is_empty(),
            "{file}: {} wrong:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert!(self.compared > 0, "{file}: nothing was compared");
    }
}
