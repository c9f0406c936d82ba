//! Columns made value by value, from text or from JSON.
//!
//! A value that does not fit the column's kind is refused, and the column stays as it was.

use serde_json::Value;

use super::cell;
use super::{Column, Kind, Strings, Values};

/// A column that grows.
#[derive(Debug)]
pub(super) struct Builder {
    values: Values,
    nulls: Vec<bool>,
    any_null: bool,
}

/// The value does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit;

impl Builder {
    pub(super) fn new(kind: Kind, rows: usize) -> Self {
        let values = match kind {
            Kind::Bool => Values::Bool(Vec::with_capacity(rows)),
            Kind::Int => Values::Int(Vec::with_capacity(rows)),
            Kind::Float => Values::Float(Vec::with_capacity(rows)),
            Kind::Text => Values::Text(Strings::default()),
            Kind::Timestamp => Values::Timestamp(Vec::with_capacity(rows)),
        };
        Self {
            values,
            nulls: Vec::with_capacity(rows),
            any_null: false,
        }
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Bool(values) => values.push(false),
            Values::Int(values) | Values::Timestamp(values) => values.push(0),
            Values::Float(values) => values.push(f64::NAN),
            Values::Text(values) => values.push(""),
        }
        self.nulls.push(true);
        self.any_null = true;
    }

    /// Takes what a cell of a text file says.
    pub(super) fn push_text(&mut self, text: &str) -> Result<(), Misfit> {
        if cell::is_null(text, self.values.kind()) {
            self.push_null();
            return Ok(());
        }
        match &mut self.values {
            Values::Bool(values) => values.push(cell::boolean(text).ok_or(Misfit)?),
            Values::Int(values) => values.push(cell::integer(text).ok_or(Misfit)?),
            Values::Float(values) => values.push(cell::float(text).ok_or(Misfit)?),
            Values::Text(values) => values.push(text),
            Values::Timestamp(values) => values.push(cell::timestamp(text).ok_or(Misfit)?),
        }
        self.nulls.push(false);
        Ok(())
    }

    /// Takes a value of JSON; a list or an object is text.
    pub(super) fn push_json(&mut self, value: &Value) -> Result<(), Misfit> {
        match (&mut self.values, value) {
            (_, Value::Null) => {
                self.push_null();
                return Ok(());
            }
            (_, Value::String(text)) => return self.push_text(text),
            (Values::Bool(values), Value::Bool(value)) => values.push(*value),
            (Values::Int(values), Value::Number(number)) => {
                values.push(number.as_i64().ok_or(Misfit)?);
            }
            (Values::Float(values), Value::Number(number)) => {
                values.push(number.as_f64().ok_or(Misfit)?);
            }
            (Values::Text(values), value) => values.push(&value.to_string()),
            _ => return Err(Misfit),
        }
        self.nulls.push(false);
        Ok(())
    }

    /// The column so far; the builder begins anew.
    pub(super) fn take(&mut self, rows: usize) -> Column {
        let next = Self::new(self.values.kind(), rows);
        let Self {
            values,
            nulls,
            any_null,
        } = std::mem::replace(self, next);
        Column::new(values, any_null.then_some(nulls))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut ints = Builder::new(Kind::Int, 4);
        ints.push_text("12").unwrap();
        assert_eq!(ints.push_text("1.5"), Err(Misfit));
        assert_eq!(ints.push_json(&json!(2.5)), Err(Misfit));
        assert_eq!(ints.push_json(&json!([1])), Err(Misfit));
        ints.push_text("NA").unwrap();
        let column = ints.take(0);
        assert_eq!(column.values(), &Values::Int(vec![12, 0]));
        assert_eq!(column.null_flags(), Some(&[false, true][..]));
    }

    #[test]
    fn numbers_of_json_may_be_strings_and_anything_is_text() {
        let mut floats = Builder::new(Kind::Float, 4);
        floats.push_json(&json!("-Infinity")).unwrap();
        floats.push_json(&json!(3)).unwrap();
        let column = floats.take(0);
        assert_eq!(
            column.values(),
            &Values::Float(vec![f64::NEG_INFINITY, 3.0])
        );
        let mut texts = Builder::new(Kind::Text, 4);
        texts.push_json(&json!({"a": 1})).unwrap();
        texts.push_json(&json!("NA")).unwrap();
        let Values::Text(texts) = texts.take(0).values().clone() else {
            panic!("text is text");
        };
        assert!(texts.iter().eq([r#"{"a":1}"#, "NA"]));
    }
}
