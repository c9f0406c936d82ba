//! What is wrong with a table, and where.

use std::fmt;
use std::path::PathBuf;

use super::Kind;

/// Where in a table something stands.
///
/// ```
/// use modelpulse::table::Place;
/// assert_eq!(Place::Line(18).to_string(), "line 18");
/// assert_eq!(Place::Row(0).to_string(), "row 1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of a text file, counted from 1.
    Line(u64),
    /// A row, counted from 0 here and from 1 where it is printed.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {}", row.saturating_add(1)),
        }
    }
}

/// Why a table cannot be read.
///
/// ```
/// use modelpulse::table::{Table, TableError};
/// let error = Table::open("missing.csv").unwrap_err();
/// assert!(matches!(error, TableError::Open { .. }));
/// assert_eq!(error.to_string(), "cannot open missing.csv");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file cannot be read on, or is not of its format.
    #[error("{}{}: {reason}", path.display(), place.map_or(String::new(), |place| format!(", {place}")))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, as far as is known.
        place: Option<Place>,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A value does not fit the kind of its column.
    #[error("{}, {place}, column '{column}': {} is not {kind}", path.display(), quoted(value))]
    Value {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// The column.
        column: String,
        /// The value, or its beginning.
        value: String,
        /// What the column holds.
        kind: Kind,
        /// What it holds with this value; `None` where its kind was not guessed from its first values.
        wider: Option<Kind>,
    },
    /// There is no column of that name.
    #[error("{} has no column '{column}'; it has {}", path.display(), listed(has))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        column: String,
        /// The columns that there are.
        has: Vec<String>,
    },
    /// The file is of a format that this build cannot read.
    #[error("{} is Parquet, which this build cannot read: build with the feature parquet", path.display())]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
}

/// At most so many names are listed.
const MOST_NAMES: usize = 12;

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| quoted(name))
        .collect();
    match names.len() {
        0 => "no columns".to_owned(),
        more if more > MOST_NAMES => format!("{} and {} more", shown.join(", "), more - MOST_NAMES),
        _ => shown.join(", "),
    }
}

/// Text in quotes, on one line, and not too long.
pub(super) fn quoted(text: &str) -> String {
    const MOST_CHARACTERS: usize = 40;
    let mut shown: String = text
        .chars()
        .take(MOST_CHARACTERS)
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            let plain = escaped.is_none().then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        shown.push('…');
    }
    format!("'{shown}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stay_on_one_line() {
        assert_eq!(quoted("a\nb"), r"'a\nb'");
        assert_eq!(quoted(&"x".repeat(50)).chars().count(), 43);
        let many: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        assert!(listed(&many).ends_with("'11' and 8 more"));
    }
}
