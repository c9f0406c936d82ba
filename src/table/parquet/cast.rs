//! A column as another kind than it is stored in, where every value has one meaning there.

use super::super::{Column, Kind, Strings, Values, cell};
use super::Wrong;

pub(super) fn column(column: Column, kind: Kind) -> Result<Column, Wrong> {
    if column.kind() == kind {
        return Ok(column);
    }
    let (values, nulls) = column.into_parts();
    let is_null = |row: usize| {
        nulls
            .as_ref()
            .is_some_and(|nulls| nulls.get(row) == Some(&true))
    };
    let values = match (values, kind) {
        (Values::Int(values), Kind::Float) => {
            let float = |(row, &value)| if is_null(row) { f64::NAN } else { value as f64 };
            Values::Float(values.iter().enumerate().map(float).collect())
        }
        (Values::Bool(values), Kind::Int) => {
            Values::Int(values.iter().map(|&value| value.into()).collect())
        }
        (Values::Bool(values), Kind::Float) => {
            let float = |(row, &value): (usize, &bool)| {
                if is_null(row) {
                    f64::NAN
                } else {
                    f64::from(u8::from(value))
                }
            };
            Values::Float(values.iter().enumerate().map(float).collect())
        }
        (Values::Float(values), Kind::Int) => {
            let whole = |(row, &value): (usize, &f64)| {
                let fits = value.fract() == 0.0 && value.abs() < 9.2e18;
                let fits = fits || is_null(row);
                fits.then_some(value as i64)
                    .ok_or_else(|| Wrong::Misfit(row, value.to_string()))
            };
            Values::Int(
                values
                    .iter()
                    .enumerate()
                    .map(whole)
                    .collect::<Result<_, _>>()?,
            )
        }
        (Values::Int(values), Kind::Timestamp) => Values::Timestamp(values),
        (Values::Timestamp(values), Kind::Int) => Values::Int(values),
        (values, Kind::Text) => Values::Text(texts(&values)),
        (Values::Text(values), kind) => return parsed(&values, kind, is_null),
        (values, _) => {
            let first = (0..values.len()).find(|&row| !is_null(row));
            let text = first.and_then(|row| texts(&values).get(row).map(str::to_owned));
            return match (first, text) {
                (Some(row), Some(text)) => Err(Wrong::Misfit(row, text)),
                // Nothing there that does not fit.
                _ => {
                    let mut nothing = super::super::builder::Builder::new(kind, values.len());
                    (0..values.len()).for_each(|_| nothing.push_null());
                    Ok(nothing.take(0))
                }
            };
        }
    };
    Ok(Column::new(values, nulls))
}

fn parsed(texts: &Strings, kind: Kind, is_null: impl Fn(usize) -> bool) -> Result<Column, Wrong> {
    let mut column = super::super::builder::Builder::new(kind, texts.len());
    for (row, text) in texts.iter().enumerate() {
        if is_null(row) {
            column.push_null();
        } else if column.push_text(text).is_err() {
            return Err(Wrong::Misfit(row, text.to_owned()));
        }
    }
    Ok(column.take(0))
}

fn texts(values: &Values) -> Strings {
    let mut texts = Strings::default();
    match values {
        Values::Bool(values) => values.iter().for_each(|it| texts.push(&it.to_string())),
        Values::Int(values) => values.iter().for_each(|it| texts.push(&it.to_string())),
        Values::Float(values) => values.iter().for_each(|it| texts.push(&it.to_string())),
        Values::Timestamp(values) => {
            values
                .iter()
                .for_each(|&it| texts.push(&cell::timestamp_text(it)));
        }
        Values::Text(values) => values.iter().for_each(|it| texts.push(it)),
    }
    texts
}
