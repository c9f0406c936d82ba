//! The slices of the data on which a model errs most: one or two conditions, `country = jp` and `device = ios`.
//!
//! A slice counts from a least number of rows on. The order of updates does not change a count, nor a sum of errors
//! that are 0 or 1.

use super::significance::{Moments, p_value};
use crate::metrics::significance::discovery_levels;

/// A column to slice by: its name, and what it may hold.
///
/// ```
/// use modelpulse::health::errors::Dimension;
/// let device = Dimension::new("device", ["ios", "web"]);
/// assert_eq!(device.categories(), ["ios", "web"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    name: String,
    categories: Vec<String>,
}

impl Dimension {
    /// A column of that name; a row's code is the number of its category, counted from 0.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        categories: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.into(),
            categories: categories.into_iter().map(Into::into).collect(),
        }
    }

    /// The name of the column.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may hold.
    #[must_use]
    pub fn categories(&self) -> &[String] {
        &self.categories
    }
}

/// Why rows were refused; none of them was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlicesError {
    /// Not one list of codes a dimension.
    #[error("codes of {got} columns where there are {expected}")]
    Columns {
        /// The number of dimensions.
        expected: usize,
        /// The number of lists given.
        got: usize,
    },
    /// Not one code a row.
    #[error("column '{column}' has {got} codes for {expected} errors")]
    Rows {
        /// The column.
        column: String,
        /// The number of errors.
        expected: usize,
        /// The number of codes.
        got: usize,
    },
    /// An error is NaN or infinite.
    #[error("the error of row {row} of the batch is {error}")]
    NotFinite {
        /// The row, counted from 0.
        row: usize,
        /// NaN, inf or -inf.
        error: String,
    },
    /// The other accumulator has other columns or categories.
    #[error("cannot merge slices of different columns or categories")]
    Differ,
}

/// One column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition<'a> {
    /// The column.
    pub column: &'a str,
    /// What it holds.
    pub category: &'a str,
}

/// A slice and how the model errs on it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Slice<'a> {
    /// One condition or two.
    pub conditions: Vec<Condition<'a>>,
    /// Support: the number of rows.
    pub n: u64,
    /// The sum of their errors.
    pub error_sum: f64,
    /// The mean error: for errors of 0 and 1 the error rate, 0..=1.
    pub error_rate: f64,
    /// The mean error over that of all rows; infinite or NaN where that is 0.
    pub lift: f64,
    /// The probability that as many rows drawn at random err at least as much: [Fisher's exact test][1] where errors are 0 or
    /// 1, [Welch's test][2] otherwise, one-sided.
    ///
    /// [1]: https://en.wikipedia.org/wiki/Fisher%27s_exact_test
    /// [2]: https://en.wikipedia.org/wiki/Welch%27s_t-test
    pub p_value: f64,
    /// The p-value adjusted for the number of slices looked at, by [Benjamini and Hochberg][3].
    ///
    /// [3]: https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    pub q_value: f64,
}

/// Errors summed over every slice of one or two conditions.
///
/// Memory is 24 bytes a category, and a pair of categories of two columns.
///
/// ```
/// use modelpulse::health::errors::{Dimension, Slices};
///
/// let columns = [Dimension::new("country", ["de", "jp"]), Dimension::new("device", ["ios", "web"])];
/// let mut slices = Slices::new(columns);
/// let country = [0, 0, 1, 1, 1, 1].map(Some);
/// let device = [0, 1, 0, 0, 1, 1].map(Some);
/// slices.update(&[&country, &device], &[0.0, 0.0, 1.0, 1.0, 0.0, 1.0])?;
///
/// let worst = slices.ranked(2);
/// assert_eq!((worst[0].conditions[0].category, worst[0].conditions[1].category), ("jp", "ios"));
/// assert_eq!((worst[0].n, worst[0].error_rate), (2, 1.0));
/// assert_eq!(slices.error_rate(), Some(0.5));
/// # Ok::<(), modelpulse::health::errors::SlicesError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Slices {
    columns: Vec<Dimension>,
    all: Moments,
    /// Of each column, of each category.
    singles: Vec<Vec<Moments>>,
    /// Of each pair of columns, row-major over their categories.
    pairs: Vec<Pair>,
}

#[derive(Debug, Clone, PartialEq)]
struct Pair {
    first: usize,
    second: usize,
    cells: Vec<Moments>,
}

impl Slices {
    /// Slices by these columns and by each two of them.
    pub fn new(columns: impl IntoIterator<Item = Dimension>) -> Self {
        let columns: Vec<Dimension> = columns.into_iter().collect();
        let empty = |cells| vec![Moments::default(); cells];
        let width = |column: usize| columns[column].categories.len();
        let pairs = (0..columns.len()).flat_map(|first| {
            let seconds = first + 1..columns.len();
            seconds.map(move |second| (first, second))
        });
        let pairs = pairs.map(|(first, second)| Pair {
            first,
            second,
            cells: empty(width(first) * width(second)),
        });
        Self {
            all: Moments::default(),
            singles: (0..columns.len())
                .map(|column| empty(width(column)))
                .collect(),
            pairs: pairs.collect(),
            columns,
        }
    }

    /// Takes rows: of each column the codes of its categories, `None` (or a code that there is not) for a row that is
    /// in no slice of the column, and the errors: 0 or 1, or any size of error.
    ///
    /// # Errors
    /// [`SlicesError`]; no row is taken then.
    pub fn update(&mut self, codes: &[&[Option<u32>]], errors: &[f64]) -> Result<(), SlicesError> {
        let (expected, got) = (self.columns.len(), codes.len());
        if expected != got {
            return Err(SlicesError::Columns { expected, got });
        }
        for (column, codes) in self.columns.iter().zip(codes) {
            if codes.len() != errors.len() {
                return Err(SlicesError::Rows {
                    column: column.name.clone(),
                    expected: errors.len(),
                    got: codes.len(),
                });
            }
        }
        if let Some(row) = errors.iter().position(|error| !error.is_finite()) {
            let error = errors[row].to_string();
            return Err(SlicesError::NotFinite { row, error });
        }
        errors.iter().for_each(|&error| self.all.add(error));
        for (cells, codes) in self.singles.iter_mut().zip(codes) {
            for (code, &error) in codes.iter().zip(errors) {
                if let Some(cell) = code.and_then(|code| cells.get_mut(code as usize)) {
                    cell.add(error);
                }
            }
        }
        for pair in &mut self.pairs {
            let (first, second) = (codes[pair.first], codes[pair.second]);
            let width = self.columns[pair.second].categories.len();
            for ((&first, &second), &error) in first.iter().zip(second).zip(errors) {
                let (Some(first), Some(second)) = (first, second) else {
                    continue;
                };
                let (first, second) = (first as usize, second as usize);
                if second < width
                    && let Some(cell) = pair.cells.get_mut(first * width + second)
                {
                    cell.add(error);
                }
            }
        }
        Ok(())
    }

    /// Takes all rows of another accumulator of the same columns and categories.
    ///
    /// # Errors
    /// [`SlicesError::Differ`].
    pub fn merge(&mut self, other: &Self) -> Result<(), SlicesError> {
        if self.columns != other.columns {
            return Err(SlicesError::Differ);
        }
        self.all.merge(other.all);
        let ours = self
            .singles
            .iter_mut()
            .chain(self.pairs.iter_mut().map(|it| &mut it.cells));
        let theirs = other
            .singles
            .iter()
            .chain(other.pairs.iter().map(|it| &it.cells));
        for (ours, theirs) in ours.flatten().zip(theirs.flatten()) {
            ours.merge(*theirs);
        }
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.all.n
    }

    /// The mean error of all rows; `None` where there are none.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.all.n > 0).then(|| self.all.sum / self.all.n as f64)
    }

    /// All slices of at least `least` rows, the one with the highest mean error first; of equal ones that with more
    /// rows, then that with fewer conditions.
    #[must_use]
    pub fn ranked(&self, least: u64) -> Vec<Slice<'_>> {
        let condition = |column: usize, code: usize| {
            let column = &self.columns[column];
            Condition {
                column: &column.name,
                category: &column.categories[code],
            }
        };
        let mut found: Vec<(Vec<Condition<'_>>, &Moments)> = Vec::new();
        let enough = |cell: &Moments| cell.n >= least.max(1);
        for (column, cells) in self.singles.iter().enumerate() {
            let cells = cells.iter().enumerate().filter(|(_, cell)| enough(cell));
            found.extend(cells.map(|(code, cell)| (vec![condition(column, code)], cell)));
        }
        for pair in &self.pairs {
            let width = self.columns[pair.second].categories.len();
            let cells = pair
                .cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| enough(cell));
            found.extend(cells.map(|(at, cell)| {
                let first = condition(pair.first, at / width);
                (vec![first, condition(pair.second, at % width)], cell)
            }));
        }
        let counts = self.all.are_counts();
        let p_values: Vec<f64> = found
            .iter()
            .map(|(_, cell)| p_value(cell, &self.all, counts))
            .collect();
        let mut q_values = p_values.clone();
        discovery_levels(&mut q_values.iter_mut().collect::<Vec<_>>());
        let overall = self.error_rate().unwrap_or(f64::NAN);
        let slices = found.into_iter().zip(q_values).zip(&p_values);
        let mut slices: Vec<Slice<'_>> = slices
            .map(|(((conditions, cell), q_value), &p_value)| {
                let error_rate = cell.sum / cell.n as f64;
                Slice {
                    conditions,
                    n: cell.n,
                    error_sum: cell.sum,
                    error_rate,
                    lift: error_rate / overall,
                    p_value,
                    q_value,
                }
            })
            .collect();
        slices.sort_by(|a, b| {
            let by_rate = b.error_rate.total_cmp(&a.error_rate);
            by_rate
                .then(b.n.cmp(&a.n))
                .then(a.conditions.len().cmp(&b.conditions.len()))
        });
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Vec<Vec<Option<u32>>>, Vec<f64>) {
        let row = |at: u32| {
            (
                Some(at % 3).filter(|&it| it != 2),
                Some(at * at % 5),
                at.is_multiple_of(7),
            )
        };
        let rows: Vec<_> = (0..200).map(row).collect();
        let codes = vec![
            rows.iter().map(|row| row.0).collect(),
            rows.iter().map(|row| row.1).collect(),
        ];
        (
            codes,
            rows.iter().map(|row| f64::from(u8::from(row.2))).collect(),
        )
    }

    fn columns() -> [Dimension; 2] {
        // The second has fewer categories than codes: the rest is in no slice of it.
        [
            Dimension::new("a", ["0", "1"]),
            Dimension::new("b", ["0", "1", "2", "3"]),
        ]
    }

    #[test]
    fn shards_give_the_whole() {
        let (codes, errors) = sample();
        let mut whole = Slices::new(columns());
        whole.update(&[&codes[0], &codes[1]], &errors).unwrap();
        let mut merged = Slices::new(columns());
        for range in [120..200, 0..120] {
            let mut shard = Slices::new(columns());
            let codes = [&codes[0][range.clone()], &codes[1][range.clone()]];
            shard.update(&codes, &errors[range]).unwrap();
            merged.merge(&shard).unwrap();
        }
        assert_eq!(merged, whole);
        let ranked = whole.ranked(1);
        assert!(
            ranked
                .windows(2)
                .all(|pair| pair[0].error_rate >= pair[1].error_rate)
        );
        assert!(
            ranked
                .iter()
                .all(|slice| slice.n <= 200 && slice.q_value >= slice.p_value)
        );
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_and_change_nothing() {
        let mut slices = Slices::new(columns());
        let before = slices.clone();
        let codes: &[Option<u32>] = &[Some(0)];
        let wrong = [
            slices.update(&[codes], &[1.0]),
            slices.update(&[codes, &[]], &[1.0]),
            slices.update(&[codes, codes], &[f64::NAN]),
        ];
        assert!(matches!(
            wrong[0],
            Err(SlicesError::Columns {
                expected: 2,
                got: 1
            })
        ));
        assert!(matches!(wrong[1], Err(SlicesError::Rows { .. })));
        assert!(matches!(
            wrong[2],
            Err(SlicesError::NotFinite { row: 0, .. })
        ));
        assert_eq!(slices, before);
        assert_eq!(slices.error_rate(), None);
        assert!(slices.ranked(1).is_empty());
    }
}
