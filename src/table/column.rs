//! Columns of values, and batches of them.
//!
//! All columns of a batch have the same length, and where a column is null its value is a placeholder: 0, NaN, false or "".

use super::Kind;

/// Texts, one behind the other.
///
/// ```
/// use modelpulse::table::Strings;
/// let mut texts = Strings::default();
/// texts.push("cat");
/// texts.push("");
/// assert_eq!((texts.get(0), texts.len()), (Some("cat"), 2));
/// assert!(texts.iter().eq(["cat", ""]));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of that number, counted from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// All texts, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = &self.text[start..end];
            start = end;
            text
        })
    }
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// True or false.
    Bool(Vec<bool>),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Numbers.
    Float(Vec<f64>),
    /// Texts.
    Text(Strings),
    /// Microseconds since 1970-01-01 00:00 UTC.
    Timestamp(Vec<i64>),
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) | Self::Timestamp(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::Timestamp(_) => Kind::Timestamp,
        }
    }
}

/// Values of one kind, some of which may be missing.
///
/// ```
/// use modelpulse::table::{Column, Values};
/// let column = Column::new(Values::Int(vec![3, 0]), Some(vec![false, true]));
/// assert_eq!((column.len(), column.nulls()), (2, 1));
/// assert!(column.is_null(1));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    values: Values,
    /// Whether each value is null; `None` where none is.
    nulls: Option<Vec<bool>>,
}

impl Column {
    /// A column of these values; `nulls` says of each whether it is missing, `None` that none is.
    ///
    /// # Panics
    /// If there are more or fewer `nulls` than values.
    #[must_use]
    pub fn new(values: Values, nulls: Option<Vec<bool>>) -> Self {
        if let Some(nulls) = &nulls {
            assert_eq!(nulls.len(), values.len(), "one flag a value");
        }
        let nulls = nulls.filter(|nulls| nulls.contains(&true));
        Self { values, nulls }
    }

    /// The values; a placeholder where one is null.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.values.kind()
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of that row is missing.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.null_flags()
            .is_some_and(|nulls| nulls.get(row) == Some(&true))
    }

    /// Whether each value is missing; `None` where none is.
    #[must_use]
    pub fn null_flags(&self) -> Option<&[bool]> {
        self.nulls.as_deref()
    }

    /// How many values are missing.
    #[must_use]
    pub fn nulls(&self) -> usize {
        self.null_flags()
            .map_or(0, |nulls| nulls.iter().filter(|&&null| null).count())
    }

    #[cfg(feature = "parquet")]
    pub(super) fn into_parts(self) -> (Values, Option<Vec<bool>>) {
        (self.values, self.nulls)
    }
}

/// Some rows of a table, column by column.
///
/// ```
/// use modelpulse::table::{Batch, Column, Values};
/// let batch = Batch::new(1000, vec![Column::new(Values::Float(vec![0.5, 0.7]), None)]);
/// assert_eq!((batch.first_row(), batch.rows()), (1000, 2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    first_row: u64,
    columns: Vec<Column>,
}

impl Batch {
    /// Rows from `first_row` on, counted from 0 over the whole table.
    ///
    /// # Panics
    /// If the columns differ in length.
    #[must_use]
    pub fn new(first_row: u64, columns: Vec<Column>) -> Self {
        let mut lengths = columns.iter().map(Column::len);
        let first = lengths.next();
        assert!(lengths.all(|length| Some(length) == first));
        Self { first_row, columns }
    }

    /// The number in the table of this batch's first row, counted from 0.
    #[must_use]
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// The columns that were asked for, in that order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that number in the order in which they were asked for.
    ///
    /// # Panics
    /// If fewer were asked for.
    #[must_use]
    pub fn column(&self, at: usize) -> &Column {
        &self.columns[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_pushed() {
        let mut texts = Strings::default();
        for text in ["", "é", "", "wide text"] {
            texts.push(text);
        }
        assert!(texts.iter().eq(["", "é", "", "wide text"]));
        assert_eq!((texts.get(1), texts.get(4)), (Some("é"), None));
    }

    #[test]
    fn flags_without_a_null_are_none() {
        let column = Column::new(Values::Int(vec![1]), Some(vec![false]));
        assert_eq!((column.null_flags(), column.is_null(7)), (None, false));
    }
}
