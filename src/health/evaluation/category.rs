//! Columns of few different values: which there are, and which number each row has.
//!
//! A whole number is the same whether its column holds whole numbers or others.

use std::collections::HashMap;

use crate::table::{Column, Values};

/// More different values are not told apart.
const MOST: usize = 100_000;
/// Whole numbers from -NEAR up to NEAR are found without hashing.
const NEAR: i64 = 1024;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Category {
    Bool(bool),
    Int(i64),
    Text(String),
}

impl std::fmt::Display for Category {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// A number that is whole, as such.
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

/// The place of a small whole number.
fn near(value: i64) -> Option<usize> {
    (-NEAR..NEAR)
        .contains(&value)
        .then(|| (value + NEAR) as usize)
}

/// Which values a column has, and how often.
#[derive(Debug, Clone)]
pub(super) struct Distinct {
    near: Vec<u64>,
    far: HashMap<i64, u64>,
    bools: [u64; 2],
    texts: HashMap<String, u64>,
    /// Whether a number was not whole.
    pub(super) fractions: bool,
    /// Rows without a value.
    pub(super) missing: u64,
    /// Whether there were more values than are told apart.
    pub(super) too_many: bool,
}

impl Distinct {
    pub(super) fn new() -> Self {
        Self {
            near: vec![0; 2 * NEAR as usize],
            far: HashMap::new(),
            bools: [0; 2],
            texts: HashMap::new(),
            fractions: false,
            missing: 0,
            too_many: false,
        }
    }

    fn see_int(&mut self, value: i64) {
        if let Some(count) = near(value).and_then(|at| self.near.get_mut(at)) {
            *count += 1;
        } else if self.far.len() < MOST {
            *self.far.entry(value).or_default() += 1;
        } else {
            self.too_many = true;
        }
    }

    pub(super) fn see(&mut self, column: &Column) {
        let nulls = column.null_flags();
        let is_null = |row: usize| nulls.is_some_and(|nulls| nulls[row]);
        self.missing += column.nulls() as u64;
        let rows = (0..column.len()).filter(|&row| !is_null(row));
        match column.values() {
            Values::Bool(values) => rows.for_each(|row| self.bools[usize::from(values[row])] += 1),
            Values::Int(values) | Values::Timestamp(values) => {
                rows.for_each(|row| self.see_int(values[row]));
            }
            Values::Float(values) => {
                for row in rows {
                    match whole(values[row]) {
                        Some(value) => self.see_int(value),
                        None if values[row].is_nan() => self.missing += 1,
                        None => self.fractions = true,
                    }
                }
            }
            Values::Text(values) => {
                for (row, text) in values.iter().enumerate() {
                    if is_null(row) {
                    } else if let Some(count) = self.texts.get_mut(text) {
                        *count += 1;
                    } else if self.texts.len() < MOST {
                        self.texts.insert(text.to_owned(), 1);
                    } else {
                        self.too_many = true;
                    }
                }
            }
        }
    }

    /// The values in order, with how often each was seen.
    pub(super) fn sorted(&self) -> Vec<(Category, u64)> {
        let bools =
            [false, true].map(|value| (Category::Bool(value), self.bools[usize::from(value)]));
        let near = (-NEAR..NEAR)
            .map(Category::Int)
            .zip(self.near.iter().copied());
        let far = self
            .far
            .iter()
            .map(|(&value, &count)| (Category::Int(value), count));
        let texts = self
            .texts
            .iter()
            .map(|(text, &count)| (Category::Text(text.clone()), count));
        let all = bools.into_iter().chain(near).chain(far).chain(texts);
        let mut all: Vec<_> = all.filter(|&(_, count)| count > 0).collect();
        all.sort();
        all
    }
}

/// The numbers of some values.
#[derive(Debug, Clone)]
pub(super) struct Coder {
    /// `NONE` where there is no number.
    near: Vec<u32>,
    far: HashMap<i64, u32>,
    bools: [u32; 2],
    texts: HashMap<String, u32>,
}

/// The number of a value that has none.
const NONE: u32 = u32::MAX;

impl Coder {
    /// Numbers by position; a value may occur more than once and has the first then.
    pub(super) fn new<'a>(categories: impl IntoIterator<Item = (&'a Category, u32)>) -> Self {
        let mut coder = Self {
            near: vec![NONE; 2 * NEAR as usize],
            far: HashMap::new(),
            bools: [NONE; 2],
            texts: HashMap::new(),
        };
        for (category, code) in categories {
            match category {
                Category::Bool(value) => coder.bools[usize::from(*value)] = code,
                Category::Int(value) => match near(*value) {
                    Some(at) => coder.near[at] = code,
                    None => drop(coder.far.insert(*value, code)),
                },
                Category::Text(value) => drop(coder.texts.insert(value.clone(), code)),
            }
        }
        coder
    }

    fn int(&self, value: i64) -> u32 {
        match near(value) {
            Some(at) => self.near[at],
            None => self.far.get(&value).copied().unwrap_or(NONE),
        }
    }

    /// The numbers of a column's values; none for what has none and where there is no value.
    pub(super) fn codes(&self, column: &Column) -> Vec<Option<u32>> {
        let mut codes: Vec<u32> = match column.values() {
            Values::Bool(values) => values
                .iter()
                .map(|&it| self.bools[usize::from(it)])
                .collect(),
            Values::Int(values) | Values::Timestamp(values) => {
                values.iter().map(|&it| self.int(it)).collect()
            }
            Values::Float(values) => {
                let code = |&it: &f64| whole(it).map_or(NONE, |it| self.int(it));
                values.iter().map(code).collect()
            }
            Values::Text(values) => {
                let code = |it| self.texts.get(it).copied().unwrap_or(NONE);
                values.iter().map(code).collect()
            }
        };
        if let Some(nulls) = column.null_flags() {
            for (code, _) in codes.iter_mut().zip(nulls).filter(|(_, null)| **null) {
                *code = NONE;
            }
        }
        codes
            .into_iter()
            .map(|code| (code != NONE).then_some(code))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_and_numbered_whatever_their_kind() {
        let ints = Column::new(
            Values::Int(vec![5, -5000, 5, 0]),
            Some(vec![false, false, false, true]),
        );
        let mut distinct = Distinct::new();
        distinct.see(&ints);
        distinct.see(&Column::new(Values::Float(vec![5.0, 0.5, f64::NAN]), None));
        let sorted = distinct.sorted();
        assert_eq!(sorted, [(Category::Int(-5000), 1), (Category::Int(5), 3)]);
        assert!(distinct.fractions && distinct.missing == 2);
        let coder = Coder::new(sorted.iter().map(|(category, _)| category).zip(0..));
        assert_eq!(coder.codes(&ints), [Some(1), Some(0), Some(1), None]);
        let floats = Column::new(Values::Float(vec![5.0, 0.5, f64::NAN]), None);
        assert_eq!(coder.codes(&floats), [Some(1), None, None]);
    }
}
