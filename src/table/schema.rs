//! The columns of a table: their names and kinds.
//!
//! Names are unique and stand in the order of the file.

use std::fmt;

/// What a column holds, besides nulls.
///
/// ```
/// use modelpulse::table::Kind;
/// assert_eq!(Kind::Int.or(Kind::Float), Kind::Float);
/// assert_eq!(Kind::Int.or(Kind::Bool), Kind::Text);
/// assert_eq!(Kind::Timestamp.to_string(), "a time");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number that fits in 64 bits, signed.
    Int,
    /// A number in double precision; NaN and infinities are numbers here, not nulls.
    Float,
    /// Text, UTF-8.
    Text,
    /// An instant, in microseconds since 1970-01-01 00:00 UTC.
    Timestamp,
}

impl Kind {
    /// The narrowest kind that holds what either holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Text,
        }
    }

    /// Whether it is [`Int`](Self::Int) or [`Float`](Self::Float).
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }
}

/// As it reads behind "is not".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Text => "text",
            Self::Timestamp => "a time",
        })
    }
}

/// A column's name and kind.
///
/// ```
/// use modelpulse::table::{Field, Kind};
/// let field = Field::new("score", Kind::Float);
/// assert_eq!((field.name(), field.kind()), ("score", Kind::Float));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Field {
    /// A column of that name and kind.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// The columns of a table.
///
/// ```
/// use modelpulse::table::{Field, Kind, Schema};
/// let schema: Schema = [Field::new("id", Kind::Int), Field::new("name", Kind::Text)].into_iter().collect();
/// assert_eq!(schema.position("name"), Some(1));
/// assert_eq!(schema.kind("id"), Some(Kind::Int));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    pub(super) fields: Vec<Field>,
}

impl Schema {
    /// The columns, in the order of the file.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The names of the columns, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(Field::name)
    }

    /// Which column has that name, counted from 0.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The kind of the column of that name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.position(name)
            .and_then(|at| self.fields.get(at))
            .map(Field::kind)
    }
}

impl FromIterator<Field> for Schema {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self {
            fields: fields.into_iter().collect(),
        }
    }
}
