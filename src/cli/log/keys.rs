//! The keys of a line, taken one by one, each as what it must be.
//!
//! A line may hold nothing that nobody takes; whatever is wrong is said with the key's name.

use serde_json::{Map, Value};

/// Why a line is not taken: one sentence for whoever wrote the loop.
pub(super) type Reason = String;

/// Bytes of a tag or run; a longer one is no name.
const MAX_NAME: usize = 1024;

/// The keys of an object that are still to be taken.
#[derive(Debug)]
pub(super) struct Keys(pub(super) Map<String, Value>);

impl Keys {
    /// The object under `key`.
    pub(super) fn of(key: &str, value: Value) -> Result<Self, Reason> {
        match value {
            Value::Object(keys) => Ok(Self(keys)),
            other => Err(format!("'{key}' is {}, not an object", is(&other))),
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// The value of a key that must be there, beside or in `whose`.
    pub(super) fn need(&mut self, key: &str, whose: &str) -> Result<Value, Reason> {
        self.take(key)
            .ok_or_else(|| format!("'{whose}' needs '{key}' too"))
    }

    /// What `read` makes of the value of `key`, or `default` where there is no such key.
    pub(super) fn or<T>(
        &mut self,
        key: &str,
        default: T,
        read: impl FnOnce(&str, Value) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        self.take(key).map_or(Ok(default), |value| read(key, value))
    }

    /// Holds a line to the keys that were taken beside `key`.
    pub(super) fn none_left(&self, key: &str) -> Result<(), Reason> {
        self.0.keys().next().map_or(Ok(()), |other| {
            Err(format!("'{other}' does not go with '{key}' on one line"))
        })
    }
}

/// What a JSON value is, for messages.
pub(super) fn is(value: &Value) -> &'static str {
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

/// A number, or one of the strings that stand for those that JSON does not have; else what it is.
pub(super) fn number(value: &Value) -> Result<f64, &'static str> {
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

pub(super) fn a_number(key: &str, value: Value) -> Result<f64, Reason> {
    number(&value).map_err(|is| format!("'{key}' is {is}, not a number"))
}

/// Numbers in an array.
pub(super) fn numbers(key: &str, value: &Value) -> Result<Vec<f64>, Reason> {
    let Value::Array(values) = value else {
        return Err(format!("'{key}' is {}, not an array of numbers", is(value)));
    };
    let number =
        |value| number(value).map_err(|is| format!("'{key}' holds {is}, not only numbers"));
    values.iter().map(number).collect()
}

/// A whole number from 0 on.
pub(super) fn count<T: TryFrom<u64>>(key: &str, value: Value) -> Result<T, Reason> {
    let count = value.as_u64().and_then(|count| T::try_from(count).ok());
    count.ok_or_else(|| format!("'{key}' is {value}, not a whole number in its range"))
}

pub(super) fn text(key: &str, value: Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("'{key}' is {}, not text", is(&other))),
    }
}

/// What each element of an array is read as.
pub(super) fn list<T>(
    key: &str,
    value: Value,
    mut read: impl FnMut(Value) -> Result<T, Reason>,
) -> Result<Vec<T>, Reason> {
    match value {
        Value::Array(values) => values.into_iter().map(&mut read).collect(),
        other => Err(format!("'{key}' is {}, not an array", is(&other))),
    }
}

/// Names, and what each of their values is read as, in their order.
pub(super) fn named<T>(
    key: &str,
    value: Value,
    mut read: impl FnMut(&str, Value) -> Result<T, Reason>,
) -> Result<Vec<(String, T)>, Reason> {
    let Keys(named) = Keys::of(key, value)?;
    let each = |(name, value): (String, Value)| {
        let value = read(&name, value)?;
        Ok((name, value))
    };
    named.into_iter().map(each).collect()
}

/// A text, a number or a switch as text: a cell of a table.
pub(super) fn cell(key: &str, value: Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => Err(format!("'{key}' holds {}, not text", is(&other))),
    }
}

/// Truth values: true and false, or 1 and 0.
pub(super) fn truths(key: &str, value: Value) -> Result<Vec<bool>, Reason> {
    list(key, value, |value| {
        match (value.as_bool(), value.as_f64()) {
            (Some(truth), _) => Ok(truth),
            (_, Some(0.0)) => Ok(false),
            (_, Some(1.0)) => Ok(true),
            _ => Err(format!("'{key}' holds {value}, not only 0 and 1")),
        }
    })
}

/// A tag or a run.
pub(super) fn name(key: &str, value: Value) -> Result<String, Reason> {
    match value {
        Value::String(name) => name_fits(key, name),
        other => Err(format!("'{key}' is {}, not a name", is(&other))),
    }
}

pub(super) fn name_fits(key: &str, name: String) -> Result<String, Reason> {
    match name.len() {
        0 => Err(format!("'{key}' has an empty name")),
        length if length > MAX_NAME => Err(format!(
            "'{key}' has a name of {length} bytes; {MAX_NAME} are allowed"
        )),
        _ => Ok(name),
    }
}
