//! Reading reference cases and comparing with them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use modelpulse::metrics::{Answer, MetricError, Undefined};
use serde_json::{Map, Value};

/// One case of a reference file.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) input: Value,
    pub(crate) expected: Map<String, Value>,
}

impl Case {
    pub(crate) fn of(case: &Value) -> Self {
        Self {
            id: case["id"].as_str().unwrap().to_owned(),
            input: case["input"].clone(),
            expected: case["expected"].as_object().unwrap().clone(),
        }
    }
}

/// The cases of a file, at least one, whose inputs have these keys and perhaps those; no other.
pub(crate) fn cases(file: &str, keys: &[&str], perhaps: &[&str]) -> Vec<Case> {
    let folder = std::env::var_os("MODELPULSE_REFERENCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference"),
        PathBuf::from,
    );
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let cases: Vec<Case> = parsed["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(Case::of)
        .collect();
    assert!(!cases.is_empty(), "{} has no cases", path.display());
    for case in &cases {
        let input = case.input.as_object().unwrap();
        let missing = keys.iter().find(|&&key| !input.contains_key(key));
        let known = |key: &&String| keys.iter().chain(perhaps).any(|known| known == key);
        let unknown = input.keys().find(|key| !known(key));
        assert!(
            missing.is_none() && unknown.is_none(),
            "{}: {missing:?} {unknown:?}",
            case.id
        );
    }
    cases
}

/// A number; those that JSON has not are words.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(word) => match word.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            word => panic!("{word} is no number"),
        },
        other => panic!("{other} is no number"),
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Rows of numbers, one behind the other.
pub(crate) fn table(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

pub(crate) fn counts(value: &Value) -> Vec<usize> {
    let count = |value: &Value| value.as_u64().unwrap() as usize;
    value.as_array().unwrap().iter().map(count).collect()
}

/// What modelpulse answers.
pub(crate) enum Ours {
    One(Answer),
    Many(Vec<Ours>),
    /// The input was refused.
    Refused(MetricError),
}

impl From<Answer> for Ours {
    fn from(answer: Answer) -> Self {
        Self::One(answer)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Ours {
    fn from(many: Vec<T>) -> Self {
        Self::Many(many.into_iter().map(Into::into).collect())
    }
}

impl From<f64> for Ours {
    fn from(value: f64) -> Self {
        Self::One(Ok(value))
    }
}

/// Why modelpulse answers other than expected, if that is on purpose.
type Reason = fn(&Check, &Ours, &Value) -> Option<&'static str>;

/// Compares, counts, and collects what is wrong.
#[derive(Default)]
pub(crate) struct Check {
    compared: usize,
    /// Where modelpulse differs on purpose: the reason, and the cases and metrics.
    on_purpose: BTreeMap<&'static str, Vec<String>>,
    wrong: Vec<String>,
    place: String,
    pub(crate) tolerance: f64,
    /// A larger difference that is allowed, and why.
    pub(crate) noise: Option<(f64, &'static str)>,
    /// In the words of the test.
    pub(crate) reason: Option<Reason>,
    pub(crate) metric: String,
}

impl Check {
    pub(crate) fn new() -> Self {
        Self {
            tolerance: 1e-9,
            ..Self::default()
        }
    }

    pub(crate) fn at(&mut self, case: &str, metric: &str) {
        self.place = format!("{case} {metric}");
        metric.clone_into(&mut self.metric);
        self.noise = None;
    }

    /// A metric that the test does not know: never passed over.
    pub(crate) fn unknown(&mut self) {
        self.wrong.push(format!(
            "{}: not compared, the test does not know it",
            self.place
        ));
    }

    pub(crate) fn that(&mut self, ours: impl Into<Ours>, expected: &Value) {
        self.compare(&ours.into(), expected, &mut String::new());
    }

    fn compare(&mut self, ours: &Ours, expected: &Value, path: &mut String) {
        if let (Ours::Many(ours), Value::Array(expected)) = (ours, expected) {
            if ours.len() != expected.len() {
                let lengths = format!("{} values, expected {}", ours.len(), expected.len());
                self.fail(path, &lengths);
                return;
            }
            for (i, (ours, expected)) in ours.iter().zip(expected).enumerate() {
                let before = path.len();
                path.push_str(&format!("[{i}]"));
                self.compare(ours, expected, path);
                path.truncate(before);
            }
            return;
        }
        self.compared += 1;
        let undefined = expected.get("undefined");
        let nothing = expected.get("error").is_some()
            || undefined.is_some_and(|value| number(value).is_nan())
            || expected.as_str() == Some("NaN");
        let matches = match ours {
            Ours::One(Ok(value)) if !nothing => {
                let expected = match undefined {
                    Some(value) => number(value),
                    None if expected.is_array() || expected.is_object() => f64::NAN,
                    None => number(expected),
                };
                self.close(*value, expected)
            }
            Ours::One(Ok(_)) | Ours::Many(_) => false,
            Ours::One(Err(_)) | Ours::Refused(_) => nothing,
        };
        if matches {
            return;
        }
        if let Some(reason) = self.reason.and_then(|reason| reason(self, ours, expected)) {
            let place = format!("{}{path}", self.place);
            self.on_purpose.entry(reason).or_default().push(place);
            return;
        }
        let said = match ours {
            Ours::One(answer) => format!("{answer:?}"),
            Ours::Many(many) => format!("{} values", many.len()),
            Ours::Refused(error) => format!("refused: {error}"),
        };
        self.fail(path, &format!("{said}, expected {expected}"));
    }

    fn close(&mut self, ours: f64, expected: f64) -> bool {
        let off = (ours - expected).abs();
        if ours == expected || off <= self.tolerance * expected.abs().max(1e-300) {
            return true;
        }
        // What is 0 but for rounding: both are next to nothing beside 1.
        if ours.abs() < 1e-15 && expected.abs() < 1e-15 && self.noise.is_none() {
            return true;
        }
        if let Some((noise, reason)) = self.noise
            && off <= noise
        {
            let place = self.place.clone();
            self.on_purpose.entry(reason).or_default().push(place);
            return true;
        }
        false
    }

    fn fail(&mut self, path: &str, what: &str) {
        self.wrong.push(format!("{}{path}: {what}", self.place));
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

/// What scikit-learn's `zero_division` makes of a score that is 0/0.
pub(crate) fn zero_division(answer: Answer, value: &str) -> Answer {
    match (answer, value) {
        (Err(Undefined::NoSamples), _) => answer,
        (Err(_), "0") => Ok(0.0),
        (Err(_), "1") => Ok(1.0),
        _ => answer,
    }
}
