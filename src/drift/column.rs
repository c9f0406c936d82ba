//! A column of a table, as drift sees it.

/// The values of a feature.
///
/// ```
/// use modelpulse::drift::Column;
///
/// let column = Column::Categories(&[Some("a"), None, Some("b")]);
/// assert_eq!((column.present(), column.missing()), (2, 1));
/// assert!(!column.is_numbers());
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Numbers; NaN is one that is missing.
    Numbers(&'a [f64]),
    /// Categories by name; none where one is missing.
    Categories(&'a [Option<&'a str>]),
}

impl<'a> Column<'a> {
    /// Whether it is of numbers.
    #[must_use]
    pub fn is_numbers(&self) -> bool {
        matches!(self, Self::Numbers(_))
    }

    /// How many values it has, missing ones among them.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Categories(names) => names.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are there.
    #[must_use]
    pub fn present(&self) -> usize {
        match self {
            Self::Numbers(values) => values.iter().filter(|value| !value.is_nan()).count(),
            Self::Categories(names) => names.iter().flatten().count(),
        }
    }

    /// How many are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.len() - self.present()
    }

    /// The categories; of numbers there are none.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let names = match *self {
            Self::Categories(names) => names,
            Self::Numbers(_) => &[],
        };
        names.iter().flatten().copied()
    }
}
