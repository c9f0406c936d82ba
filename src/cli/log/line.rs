//! One line of the pipe: JSON text to what is to be logged.
//!
//! A line is taken whole or not at all; why not is one sentence for whoever wrote the loop.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::bare;
use crate::summary::HParam;

/// Why a line is not taken.
pub(super) type Reason = String;

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) run: Option<String>,
    pub(super) step: Option<i64>,
    pub(super) wall_time: Option<f64>,
    pub(super) content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content {
    /// Tags and numbers.
    Scalars(Vec<(String, f64)>),
    /// One value of any kind.
    Value { tag: String, value: Given },
    /// What the run was started with, and the tags that it is judged by.
    HParams {
        values: Vec<(String, HParam)>,
        metrics: Vec<String>,
    },
}

/// A value as a line gives it.
#[derive(Debug, PartialEq)]
pub(super) enum Given {
    Number(f64),
    Text(String),
    Histogram(Vec<f64>),
    Buckets(Vec<[f64; 3]>),
    Image(PathBuf),
}

/// The keys of the kinds of value that stand beside a "tag".
const KINDS: [&str; 5] = ["value", "text", "histogram", "buckets", "image"];

/// Bytes of a tag or run; a longer one is no name.
const MAX_NAME: usize = 1024;

impl Line {
    /// Reads a line that is not blank.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("not UTF-8 text from byte {} on", error.valid_up_to() + 1))?;
        let Value::Object(mut keys) = json(text)? else {
            return Err("not an object: write {\"step\": 1, \"train/loss\": 0.3}".to_owned());
        };
        let run = keys.shift_remove("run").map(|run| name("run", run));
        let step = keys.shift_remove("step").map(|step| whole(&step));
        let wall_time = keys.shift_remove("wall_time").map(|time| seconds(&time));
        let (run, step) = (run.transpose()?, step.transpose()?);
        let wall_time = wall_time.transpose()?;
        let content = if keys.contains_key("hparams") {
            if let Some(key) = [("run", run.is_some()), ("step", step.is_some())]
                .iter()
                .find_map(|(key, given)| given.then_some(key))
            {
                return Err(format!(
                    "'{key}' beside 'hparams', which belong to all of a run"
                ));
            }
            hparams(keys)?
        } else if keys.contains_key("tag") {
            tagged(keys)?
        } else {
            scalars(keys)?
        };
        Ok(Self {
            run,
            step,
            wall_time,
            content,
        })
    }
}

/// JSON, or JSON with Python's bare NaN and Infinity.
fn json(text: &str) -> Result<Value, Reason> {
    serde_json::from_str(text)
        .or_else(|error| match bare::quoted(text) {
            Some(text) => serde_json::from_str(&text),
            None => Err(error),
        })
        .map_err(|error| {
            let said = error.to_string();
            let what = said.split(" at line ").next().unwrap_or_default();
            format!("not JSON: {what} (column {})", error.column())
        })
}

fn scalars(keys: Map<String, Value>) -> Result<Content, Reason> {
    if keys.is_empty() {
        return Err("nothing to log: name a number, such as \"train/loss\": 0.3".to_owned());
    }
    let scalar = |(tag, value): (String, Value)| {
        let number = number(&value).map_err(|is| match is {
            "text" => format!(
                "'{tag}' is text, not a number: log text as {{\"tag\": \"{tag}\", \"text\": …}}"
            ),
            "null" => format!("'{tag}' is null, not a number: leave it out, or write NaN"),
            is => format!("'{tag}' is {is}, not a number"),
        })?;
        Ok((name_fits("tag", tag)?, number))
    };
    let scalars: Result<_, Reason> = keys.into_iter().map(scalar).collect();
    Ok(Content::Scalars(scalars?))
}

fn tagged(mut keys: Map<String, Value>) -> Result<Content, Reason> {
    let tag = keys.shift_remove("tag").unwrap_or_default();
    let tag = name("tag", tag)?;
    let Some(kind) = KINDS.into_iter().find(|kind| keys.contains_key(*kind)) else {
        return Err(format!("'{tag}' has none of {}", KINDS.join(", ")));
    };
    let value = keys.shift_remove(kind).unwrap_or_default();
    no_more(&keys, kind)?;
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(format!("'{kind}' is {}, not text", is(&other))),
    };
    let value = match kind {
        "value" => number(&value)
            .map(Given::Number)
            .map_err(|is| format!("'value' is {is}, not a number"))?,
        "text" => Given::Text(text(value)?),
        "histogram" => match value {
            Value::Object(mut keys) if keys.contains_key("buckets") => {
                let ready = keys.shift_remove("buckets").unwrap_or_default();
                no_more(&keys, "buckets")?;
                buckets(&ready)?
            }
            values => Given::Histogram(numbers("histogram", &values)?),
        },
        "buckets" => buckets(&value)?,
        _ => Given::Image(text(value)?.into()),
    };
    Ok(Content::Value { tag, value })
}

fn hparams(mut keys: Map<String, Value>) -> Result<Content, Reason> {
    let Some(Value::Object(given)) = keys.shift_remove("hparams") else {
        return Err("'hparams' is not an object of names and values".to_owned());
    };
    let metrics = match keys.shift_remove("metrics") {
        None => Vec::new(),
        Some(Value::Array(tags)) => tags
            .into_iter()
            .map(|tag| name("metrics", tag))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("'metrics' is not an array of tags".to_owned()),
    };
    no_more(&keys, "hparams")?;
    let hparam = |(name, value): (String, Value)| {
        let value = match value {
            Value::Bool(switch) => HParam::Bool(switch),
            Value::String(text) => HParam::Text(text),
            Value::Number(number) => HParam::Number(number.as_f64().unwrap_or(f64::NAN)),
            other => {
                let is = is(&other);
                return Err(format!(
                    "'{name}' is {is}: a hyperparameter is a number, text or true or false"
                ));
            }
        };
        Ok((name_fits("hparams", name)?, value))
    };
    let values: Result<_, Reason> = given.into_iter().map(hparam).collect();
    Ok(Content::HParams {
        values: values?,
        metrics,
    })
}

fn buckets(value: &Value) -> Result<Given, Reason> {
    const FORM: &str =
        "'buckets' is not [[left, right, count], …], ascending, with counts from 0 on";
    let bucket = |bucket: &Value| numbers("buckets", bucket).ok()?.try_into().ok();
    let buckets: Option<Vec<[f64; 3]>> = value
        .as_array()
        .and_then(|buckets| buckets.iter().map(bucket).collect());
    let buckets = buckets.ok_or(FORM)?;
    let fine = |[left, right, count]: &[f64; 3]| {
        left.is_finite()
            && right.is_finite()
            && left <= right
            && (0.0..f64::INFINITY).contains(count)
    };
    let ascending = buckets.is_sorted_by(|[_, right, _], [left, _, _]| right <= left);
    if ascending && buckets.iter().all(fine) {
        Ok(Given::Buckets(buckets))
    } else {
        Err(FORM.to_owned())
    }
}

fn numbers(key: &str, value: &Value) -> Result<Vec<f64>, Reason> {
    let Value::Array(values) = value else {
        return Err(format!("'{key}' is {}, not an array of numbers", is(value)));
    };
    let number =
        |value| number(value).map_err(|is| format!("'{key}' holds {is}, not only numbers"));
    values.iter().map(number).collect()
}

/// A number, or one of the strings that stand for those that JSON does not have; else what it is.
fn number(value: &Value) -> Result<f64, &'static str> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| is(value))
}

/// A step: a whole number, also written as 3.0.
fn whole(value: &Value) -> Result<i64, Reason> {
    /// From here on not every whole number is an f64.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |step: f64| (step.trunc() == step && step.abs() < EXACT).then_some(step as i64);
    let step = value.as_i64().or_else(|| {
        let float = value.as_number().is_some_and(serde_json::Number::is_f64);
        value.as_f64().filter(|_| float).and_then(exact)
    });
    step.ok_or_else(|| format!("'step' is {value}, not a whole number of 64 bits"))
}

fn seconds(value: &Value) -> Result<f64, Reason> {
    let finite = value.as_f64().filter(|seconds| seconds.is_finite());
    finite.ok_or_else(|| format!("'wall_time' is {value}, not a finite number of seconds"))
}

fn name(key: &str, value: Value) -> Result<String, Reason> {
    match value {
        Value::String(name) => name_fits(key, name),
        other => Err(format!("'{key}' is {}, not a name", is(&other))),
    }
}

fn name_fits(key: &str, name: String) -> Result<String, Reason> {
    match name.len() {
        0 => Err(format!("'{key}' has an empty name")),
        length if length > MAX_NAME => Err(format!(
            "'{key}' has a name of {length} bytes; {MAX_NAME} are allowed"
        )),
        _ => Ok(name),
    }
}

/// Holds a line to the keys that it may have beside `key`.
fn no_more(keys: &Map<String, Value>, key: &str) -> Result<(), Reason> {
    let mut others = keys.keys().map(|other| format!("'{other}'"));
    others.next().map_or(Ok(()), |other| {
        Err(format!("{other} does not go with '{key}' on one line"))
    })
}

fn is(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
