//! What the columns of a profile are.

use std::fmt;

/// What a feature holds.
///
/// ```
/// use modelpulse::drift::profile::Kind;
/// assert!(Kind::Time.is_numbers() && !Kind::Flag.is_numbers());
/// assert_eq!(Kind::Flag.to_string(), "flags");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Numbers.
    Number,
    /// Texts, each of which is a category.
    Category,
    /// True or false: the categories `true` and `false`.
    Flag,
    /// Times, as numbers: seconds since 1970-01-01 00:00 UTC.
    Time,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Number, Self::Category, Self::Flag, Self::Time];

    /// Whether it is compared as numbers are.
    #[must_use]
    pub fn is_numbers(self) -> bool {
        matches!(self, Self::Number | Self::Time)
    }
}

/// As it reads behind "of".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "numbers",
            Self::Category => "categories",
            Self::Flag => "flags",
            Self::Time => "times",
        })
    }
}

/// What a column is for.
///
/// ```
/// use modelpulse::drift::profile::Role;
/// assert_eq!(Role::default(), Role::Feature);
/// assert_eq!(Role::Label.to_string(), "label");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// What the model sees.
    #[default]
    Feature,
    /// What is true.
    Label,
    /// What the model decided on.
    Prediction,
    /// How sure it is.
    Score,
}

impl Role {
    pub(super) const ALL: [Self; 4] = [Self::Feature, Self::Label, Self::Prediction, Self::Score];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feature => "feature",
            Self::Label => "label",
            Self::Prediction => "prediction",
            Self::Score => "score",
        })
    }
}

/// A column: its name, what it holds, and what it is for.
///
/// ```
/// use modelpulse::drift::profile::{Field, Kind, Role};
///
/// let field = Field::categories("digit").with_role(Role::Label);
/// assert_eq!((field.name(), field.kind(), field.role()), ("digit", Kind::Category, Role::Label));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) role: Role,
}

impl Field {
    /// A feature.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            role: Role::Feature,
        }
    }

    /// A feature of numbers.
    pub fn numbers(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Number)
    }

    /// A feature of categories.
    pub fn categories(name: impl Into<String>) -> Self {
        Self::new(name, Kind::Category)
    }

    /// The same for something else.
    #[must_use]
    pub fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is for.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }
}
