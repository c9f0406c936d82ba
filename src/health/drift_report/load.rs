//! The values of a table, in memory or into a profile.

use std::collections::HashMap;

use super::side::Opened;
use super::{DriftReportError, Progress};
use crate::drift;
use crate::drift::profile::{Field, Profile};
use crate::table::{Batch, Column, TableError, Values};

/// The values of a column.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// NaN where one is missing.
    Numbers(Vec<f64>),
    Names(Names),
}

/// Names by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u32>,
    /// [`MISSING`] where one is.
    codes: Vec<u32>,
}

const MISSING: u32 = u32::MAX;

impl Names {
    fn push(&mut self, name: &str) {
        let code = match self.numbers.get(name) {
            Some(&code) => code,
            None => {
                let code = self.names.len() as u32;
                self.numbers.insert(name.to_owned(), code);
                self.names.push(name.to_owned());
                code
            }
        };
        self.codes.push(code);
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> + Clone {
        let codes = self.codes.iter();
        codes.map(|&code| self.names.get(code as usize).map(String::as_str))
    }

    /// How often each name is there.
    pub(super) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.names.len()];
        for &code in self.codes.iter().filter(|&&code| code != MISSING) {
            counts[code as usize] += 1;
        }
        counts
    }

    pub(super) fn missing(&self) -> usize {
        self.codes.iter().filter(|&&code| code == MISSING).count()
    }
}

impl Held {
    fn new(field: &Field) -> Self {
        if field.kind().is_numbers() {
            Self::Numbers(Vec::new())
        } else {
            Self::Names(Names::default())
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Numbers(numbers) => numbers.clear(),
            Self::Names(names) => *names = Names::default(),
        }
    }

    fn take(&mut self, column: &Column) {
        let nulls = column.null_flags();
        let is_null = |row: usize| nulls.is_some_and(|nulls| nulls[row]);
        match self {
            Self::Numbers(numbers) => {
                let start = numbers.len();
                match column.values() {
                    Values::Float(values) => numbers.extend(values),
                    Values::Int(values) => numbers.extend(values.iter().map(|&it| it as f64)),
                    Values::Timestamp(values) => {
                        numbers.extend(values.iter().map(|&micros| micros as f64 / 1e6));
                    }
                    other => numbers.resize(start + other.len(), f64::NAN),
                }
                if let Some(nulls) = nulls {
                    let own = numbers[start..].iter_mut().zip(nulls);
                    own.filter(|(_, null)| **null)
                        .for_each(|(it, _)| *it = f64::NAN);
                }
            }
            Self::Names(names) => match column.values() {
                Values::Text(texts) => {
                    for (row, text) in texts.iter().enumerate() {
                        if is_null(row) {
                            names.codes.push(MISSING);
                        } else {
                            names.push(text);
                        }
                    }
                }
                Values::Bool(flags) => {
                    for (row, flag) in flags.iter().enumerate() {
                        match flag {
                            _ if is_null(row) => names.codes.push(MISSING),
                            true => names.push("true"),
                            false => names.push("false"),
                        }
                    }
                }
                other => names.codes.resize(names.codes.len() + other.len(), MISSING),
            },
        }
    }
}

/// All values of some columns, and how many rows there are.
pub(super) fn held(
    opened: &mut Opened,
    columns: &[Field],
    progress: &mut dyn FnMut(Progress),
) -> Result<(Vec<Held>, u64), DriftReportError> {
    let mut held: Vec<Held> = Vec::new();
    let mut rows = 0;
    read(opened, columns, progress, |batch, fields| {
        let Some(batch) = batch else {
            held = fields.iter().map(Held::new).collect();
            rows = 0;
            return Ok(());
        };
        for (held, column) in held.iter_mut().zip(batch.columns()) {
            held.take(column);
        }
        rows += batch.rows() as u64;
        Ok(())
    })?;
    Ok((held, rows))
}

/// The profile of some columns.
pub(super) fn profile(
    opened: &mut Opened,
    columns: &[Field],
    progress: &mut dyn FnMut(Progress),
) -> Result<Profile, DriftReportError> {
    let mut profile = Profile::new([])?;
    let mut held: Vec<Held> = Vec::new();
    read(opened, columns, progress, |batch, fields| {
        let Some(batch) = batch else {
            profile = Profile::new(fields.iter().cloned())?;
            held = fields.iter().map(Held::new).collect();
            return Ok(());
        };
        for (held, column) in held.iter_mut().zip(batch.columns()) {
            held.clear();
            held.take(column);
        }
        let names: Vec<Vec<Option<&str>>> = held
            .iter()
            .map(|held| match held {
                Held::Numbers(_) => Vec::new(),
                Held::Names(names) => names.iter().collect(),
            })
            .collect();
        let columns = held.iter().zip(&names).map(|(held, names)| match held {
            Held::Numbers(numbers) => drift::Column::Numbers(numbers),
            Held::Names(_) => drift::Column::Categories(names),
        });
        profile.update(&columns.collect::<Vec<_>>())?;
        Ok(())
    })?;
    Ok(profile)
}

/// Reads columns, batch by batch; `None` comes before the first, also again where a kind that was guessed is widened.
fn read(
    opened: &mut Opened,
    columns: &[Field],
    progress: &mut dyn FnMut(Progress),
    mut take: impl FnMut(Option<&Batch>, &[Field]) -> Result<(), DriftReportError>,
) -> Result<(), DriftReportError> {
    let names: Vec<&str> = columns.iter().map(Field::name).collect();
    loop {
        let fields: Vec<Field> = names
            .iter()
            .filter_map(|name| opened.fields.iter().find(|field| field.name() == *name))
            .cloned()
            .collect();
        take(None, &fields)?;
        let mut rows = 0;
        let mut wider = None;
        for batch in opened.table.read(&names)? {
            match batch {
                Ok(batch) => {
                    rows += batch.rows() as u64;
                    take(Some(&batch), &fields)?;
                    progress(Progress::Rows {
                        done: rows,
                        of: opened.table.rows(),
                    });
                }
                Err(TableError::Value {
                    column,
                    wider: Some(kind),
                    ..
                }) => wider = Some((column, kind)),
                Err(error) => return Err(error.into()),
            }
        }
        let Some((column, kind)) = wider else {
            return Ok(());
        };
        opened.widen(&column, kind)?;
    }
}
