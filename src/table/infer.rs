//! The kinds of columns, guessed from their first values.
//!
//! A column of nulls alone is text, which anything fits.

use serde_json::Value;

use super::cell;
use super::{Field, Kind, Schema};

/// What the values of some columns have been.
#[derive(Debug, Default)]
pub(super) struct Guess {
    names: Vec<String>,
    kinds: Vec<Option<Kind>>,
}

impl Guess {
    /// Of columns with these names.
    pub(super) fn new(names: Vec<String>) -> Self {
        let kinds = vec![None; names.len()];
        Self { names, kinds }
    }

    /// Adds a column; its number.
    pub(super) fn add(&mut self, name: String) -> usize {
        self.names.push(name);
        self.kinds.push(None);
        self.names.len() - 1
    }

    pub(super) fn see_text(&mut self, column: usize, text: &str) {
        // Nothing is wider than text.
        if self.kinds.get(column) != Some(&Some(Kind::Text)) {
            self.see(column, cell::kind_of(text));
        }
    }

    pub(super) fn see_json(&mut self, column: usize, value: &Value) {
        let kind = match value {
            Value::Null => None,
            Value::Bool(_) => Some(Kind::Bool),
            Value::Number(number) if number.is_i64() => Some(Kind::Int),
            Value::Number(_) => Some(Kind::Float),
            // "12" is text to whoever wrote it; numbers that JSON lacks are the exception.
            Value::String(text) => match cell::kind_of(text) {
                Some(Kind::Float) if cell::float(text).is_some_and(|it| !it.is_finite()) => {
                    Some(Kind::Float)
                }
                Some(Kind::Timestamp) => Some(Kind::Timestamp),
                None if text.is_empty() => None,
                _ => Some(Kind::Text),
            },
            Value::Array(_) | Value::Object(_) => Some(Kind::Text),
        };
        self.see(column, kind);
    }

    fn see(&mut self, column: usize, kind: Option<Kind>) {
        if let (Some(kind), Some(before)) = (kind, self.kinds.get_mut(column)) {
            *before = Some(before.map_or(kind, |before| before.or(kind)));
        }
    }

    pub(super) fn schema(self) -> Schema {
        let kinds = self
            .kinds
            .into_iter()
            .map(|kind| kind.unwrap_or(Kind::Text));
        let fields = self.names.into_iter().zip(kinds);
        fields.map(|(name, kind)| Field::new(name, kind)).collect()
    }
}

/// The kind of a column in which `value` did not fit `kind`.
pub(super) fn wider(kind: Kind, value: &str) -> Kind {
    cell::kind_of(value).map_or(kind, |other| kind.or(other))
}

/// Names made unique, and names for columns without one: pandas writes its index so.
pub(super) fn unique_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (at, name) in names.enumerate() {
        let name = match name.trim_ascii() {
            "" => format!("column_{}", at + 1),
            name => name.to_owned(),
        };
        let mut candidate = name.clone();
        let mut number = 1;
        while !seen.insert(candidate.clone()) {
            number += 1;
            candidate = format!("{name}_{number}");
        }
        unique.push(candidate);
    }
    unique
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guessed(texts: &[&str]) -> Kind {
        let mut guess = Guess::new(vec!["a".to_owned()]);
        for text in texts {
            guess.see_text(0, text);
        }
        guess.schema().fields()[0].kind()
    }

    #[test]
    fn the_narrowest_kind_of_all_values_is_guessed() {
        assert_eq!(guessed(&["1", "", "2"]), Kind::Int);
        assert_eq!(guessed(&["1", "2.5", "nan"]), Kind::Float);
        assert_eq!(guessed(&["true", "1"]), Kind::Text);
        assert_eq!(guessed(&["2026-01-01", "NA"]), Kind::Timestamp);
        assert_eq!(guessed(&["", "NA"]), Kind::Text);
    }

    #[test]
    fn strings_of_json_are_text_but_for_times_and_numbers_that_json_lacks() {
        let kind = |value: Value| {
            let mut guess = Guess::new(vec!["a".to_owned()]);
            guess.see_json(0, &value);
            guess.schema().fields()[0].kind()
        };
        assert_eq!(kind(json!("12")), Kind::Text);
        assert_eq!(kind(json!("NaN")), Kind::Float);
        assert_eq!(kind(json!("2026-01-01")), Kind::Timestamp);
        assert_eq!(kind(json!(18_446_744_073_709_551_615_u64)), Kind::Float);
    }

    #[test]
    fn names_become_unique() {
        let names = unique_names(["", "a", "a", "a_2", "b "].into_iter());
        assert_eq!(names, ["column_1", "a", "a_2", "a_2_2", "b"]);
    }
}
