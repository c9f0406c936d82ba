//! Texts and tables.

use serde_json::Value;

use super::keys::{Keys, Reason, cell, is, list};
use super::line::{Content, one};
use crate::summary::Text;

pub(super) fn text(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    Ok(one(tag, Text::new(super::keys::text("text", value)?)))
}

/// Rows as arrays of cells, the first one the heading; or as objects, whose keys are the heading.
pub(super) fn table(tag: String, value: Value, _: &mut Keys) -> Result<Content, Reason> {
    let rows = list("table", value, Ok)?;
    let cells = |row| list("table", row, |value| cell("table", value));
    let (heading, rows) = match rows.first() {
        None => return Err("'table' has no rows".to_owned()),
        Some(Value::Object(first)) => {
            let heading: Vec<String> = first.keys().cloned().collect();
            let row = |row: Value| {
                let mut row = Keys::of("table", row)?;
                let cells = heading.iter().map(|name| {
                    let value = row.take(name).unwrap_or_default();
                    cell("table", value)
                });
                let cells = cells.collect::<Result<Vec<_>, Reason>>()?;
                match row.0.keys().next() {
                    Some(other) => Err(format!("'{other}' of 'table' is not in its first row")),
                    None => Ok(cells),
                }
            };
            let rows = rows.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
            (heading, rows)
        }
        Some(Value::Array(_)) => {
            let mut rows = rows.into_iter().map(cells).collect::<Result<Vec<_>, _>>()?;
            let heading = rows.remove(0);
            if let Some(row) = rows.iter().find(|row| row.len() != heading.len()) {
                let (got, expected) = (row.len(), heading.len());
                return Err(format!("'table' has a row of {got} cells below {expected}"));
            }
            (heading, rows)
        }
        Some(other) => {
            return Err(format!("'table' holds {}, not rows", is(other)));
        }
    };
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    Ok(one(tag, Text::table(&heading, &rows)))
}
