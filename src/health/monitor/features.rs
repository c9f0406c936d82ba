//! The inputs of a model as they come: by name or by place, numbers or not.

/// A value of a feature.
///
/// ```
/// use modelpulse::health::Cell;
/// assert_eq!(Cell::from(0.5), Cell::Number(0.5));
/// assert_eq!(Cell::from("fr"), Cell::Text("fr".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// It is missing.
    #[default]
    Missing,
    /// A number.
    Number(f64),
    /// The name of a category.
    Text(String),
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Cell {
    /// The number that it is; NaN where it is missing, or none.
    #[cfg(feature = "drift")]
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
            Self::Missing => f64::NAN,
        }
    }

    /// The category that it is.
    #[cfg(feature = "drift")]
    pub(crate) fn category(&self) -> Option<String> {
        match self {
            Self::Number(value) if value.is_nan() => None,
            Self::Number(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Missing => None,
        }
    }
}

/// The features of a row.
///
/// ```
/// use modelpulse::health::FeatureRow;
/// let by_name = FeatureRow::Named(vec![("age".into(), 36.0.into()), ("country".into(), "fr".into())]);
/// assert_ne!(by_name, FeatureRow::Placed(vec![36.0.into(), "fr".into()]));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureRow {
    /// In the order of the reference; as many.
    Placed(Vec<Cell>),
    /// By their names; those that are not named are missing, and others are passed over.
    Named(Vec<(String, Cell)>),
}
