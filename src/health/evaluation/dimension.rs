//! Columns to slice by: their categories, or ranges of equally many rows where they are numbers.
//!
//! A category of fewer rows than a slice must have is in no slice, so leaving it out loses nothing.

use super::category::{Category, Coder, Distinct};
use crate::health::errors::Dimension;
use crate::table::{Column, Kind, Table, TableError, Values};

/// Numbers of more different values are cut into ranges.
const FEW: usize = 20;
/// The most frequent categories of a column that are told apart.
const MOST_CATEGORIES: usize = 200;
/// Into so many ranges.
const RANGES: usize = 4;
/// So many values tell where the ranges end.
const SAMPLE: usize = 100_000;

/// How the values of a column become codes.
#[derive(Debug, Clone)]
enum Codes {
    Categories(Coder),
    /// Where each range but the last ends, inclusive.
    Ranges(Vec<f64>),
}

/// A column to slice by.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    pub(super) dimension: Dimension,
    codes: Codes,
}

/// An even choice of a stream's values: every one at first, then every second, every fourth …
#[derive(Debug, Clone)]
pub(super) struct Thinned<T> {
    kept: Vec<T>,
    most: usize,
    every: u64,
    seen: u64,
}

impl<T> Thinned<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            most: most.max(2),
            every: 1,
            seen: 0,
        }
    }

    pub(super) fn push(&mut self, value: T) {
        if self.seen.is_multiple_of(self.every) {
            if self.kept.len() == self.most {
                let mut at = 0;
                self.kept.retain(|_| {
                    at += 1;
                    at % 2 == 1
                });
                self.every *= 2;
            }
            if self.seen.is_multiple_of(self.every) {
                self.kept.push(value);
            }
        }
        self.seen += 1;
    }

    pub(super) fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

/// Finds out how to cut columns; those whose kinds were guessed too narrow are widened in `table`.
pub(super) fn cuts(
    table: &mut Table,
    columns: &[String],
    least: u64,
) -> Result<Vec<Cut>, TableError> {
    loop {
        let mut seen: Vec<(Distinct, Thinned<f64>)> = columns
            .iter()
            .map(|_| (Distinct::new(), Thinned::new(SAMPLE)))
            .collect();
        let wider = table.read(columns)?.find_map(|batch| match batch {
            Ok(batch) => {
                for ((distinct, sample), column) in seen.iter_mut().zip(batch.columns()) {
                    distinct.see(column);
                    each_number(column, |value| sample.push(value));
                }
                None
            }
            Err(TableError::Value {
                column,
                wider: Some(kind),
                ..
            }) => Some(Ok((column, kind))),
            Err(error) => Some(Err(error)),
        });
        if let Some((column, kind)) = wider.transpose()? {
            *table = table.clone().with_kind(&column, kind)?;
            continue;
        }
        let cuts = columns
            .iter()
            .zip(seen)
            .map(|(column, (distinct, sample))| {
                let kind = table.schema().kind(column).unwrap_or(Kind::Text);
                cut(column, kind, &distinct, sample.into_kept(), least)
            });
        return Ok(cuts.collect());
    }
}

fn each_number(column: &Column, mut take: impl FnMut(f64)) {
    let is_value = |row: &usize| !column.is_null(*row);
    let rows = (0..column.len()).filter(is_value);
    match column.values() {
        Values::Int(values) | Values::Timestamp(values) => {
            rows.for_each(|row| take(values[row] as f64));
        }
        Values::Float(values) => {
            rows.filter(|&row| !values[row].is_nan())
                .for_each(|row| take(values[row]));
        }
        _ => {}
    }
}

fn cut(name: &str, kind: Kind, distinct: &Distinct, sample: Vec<f64>, least: u64) -> Cut {
    let mut categories: Vec<(Category, u64)> = distinct.sorted();
    let is_number = kind.is_number() || kind == Kind::Timestamp;
    if is_number && (categories.len() > FEW || distinct.fractions) {
        return ranges(name, kind, sample);
    }
    categories.retain(|(_, count)| *count >= least);
    if categories.len() > MOST_CATEGORIES {
        categories.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        categories.truncate(MOST_CATEGORIES);
        categories.sort();
    }
    let coder = Coder::new(categories.iter().map(|(category, _)| category).zip(0..));
    let names = categories.iter().map(|(category, _)| category.to_string());
    Cut {
        dimension: Dimension::new(name, names),
        codes: Codes::Categories(coder),
    }
}

fn ranges(name: &str, kind: Kind, mut sample: Vec<f64>) -> Cut {
    sample.sort_by(f64::total_cmp);
    let edge = |part: usize| sample.get(part * sample.len() / RANGES).copied();
    let mut edges: Vec<f64> = (1..RANGES).filter_map(edge).collect();
    edges.dedup();
    // Nothing is above the highest value.
    if edges.last() == sample.last() {
        edges.pop();
    }
    let shown = |value: f64| match kind {
        Kind::Timestamp => crate::table::time_text(value as i64),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    };
    let mut names = Vec::with_capacity(edges.len() + 1);
    let mut below: Option<f64> = None;
    for &edge in &edges {
        names.push(match below {
            None => format!("≤ {}", shown(edge)),
            Some(below) => format!("{} – {}", shown(below), shown(edge)),
        });
        below = Some(edge);
    }
    names.push(below.map_or_else(|| "any".to_owned(), |below| format!("> {}", shown(below))));
    Cut {
        dimension: Dimension::new(name, names),
        codes: Codes::Ranges(edges),
    }
}

impl Cut {
    /// The codes of a column's rows.
    pub(super) fn codes(&self, column: &Column) -> Vec<Option<u32>> {
        let edges = match &self.codes {
            Codes::Categories(coder) => return coder.codes(column),
            Codes::Ranges(edges) => edges,
        };
        let code = |value: f64| {
            (!value.is_nan()).then(|| edges.partition_point(|&edge| edge < value) as u32)
        };
        let codes = |row: usize| match column.values() {
            _ if column.is_null(row) => None,
            Values::Int(values) | Values::Timestamp(values) => code(values[row] as f64),
            Values::Float(values) => code(values[row]),
            _ => None,
        };
        (0..column.len()).map(codes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_into_ranges_of_equally_many() {
        let cut = ranges("age", Kind::Int, (0..100).map(f64::from).collect());
        assert_eq!(
            cut.dimension.categories(),
            ["≤ 25", "25 – 50", "50 – 75", "> 75"]
        );
        let column = Column::new(
            Values::Int(vec![25, 26, 99, 0]),
            Some(vec![false, false, false, true]),
        );
        assert_eq!(cut.codes(&column), [Some(0), Some(1), Some(3), None]);
        assert_eq!(
            ranges("same", Kind::Float, vec![2.0; 9])
                .dimension
                .categories(),
            ["any"]
        );
    }

    #[test]
    fn an_even_choice_is_kept() {
        let mut thinned = Thinned::new(4);
        (0..100).for_each(|value| thinned.push(value));
        let kept = thinned.into_kept();
        assert!(kept.len() > 1 && kept.len() <= 4);
        assert!(
            kept.windows(2)
                .all(|pair| pair[1] - pair[0] == kept[1] - kept[0])
        );
    }
}
