//! Reference profiles: what is kept of data, so that later data can be compared with them without them.
//!
//! A profile is made in one pass, takes little memory however long that is, and can be [saved](Profile::save) and
//! [merged](Profile::merge): the profile of all shards is that of the whole. What is exact in it and what is off by how
//! much at most is known of each feature.

mod categories;
mod code;
mod error;
mod field;
mod file;
mod judge;
mod numbers;
mod sketch;

pub use categories::Categories;
pub use error::ProfileError;
pub use field::{Field, Kind, Role};
pub use numbers::Numbers;

use std::collections::{BTreeMap, HashSet};

use super::Column;

/// The profile of a table.
///
/// | of a feature | how | memory at most |
/// |---|---|---|
/// | values, missing, ±Inf, least, largest, mean, variance | exactly; the same to the last bit however data are sharded | 2 KiB |
/// | distribution of numbers, up to 4096 different | exactly | 96 KiB |
/// | more | shares of values up to any number are off by at most [`error`](super::data::Distribution::error): of one pass (2 + log₂(n / 4096)) / 8192, for 10⁶ values 0.12 %, for 10⁹ 0.25 % | 32 KiB × (2 + log₂(n / 4096)): 400 KiB, 700 KiB |
/// | categories, up to 8192 of them with names of 1 MiB together | exactly | 2 MiB |
/// | more | counts of the most frequent are too low by at most [`lost`](Categories::lost): about 1 in 4096 values | 2 MiB |
///
/// Nothing is drawn by chance: the same data give the same profile.
///
/// ```
/// use modelpulse::drift::Column;
/// use modelpulse::drift::profile::{Field, Profile};
///
/// let fields = [Field::numbers("age"), Field::categories("country")];
/// let mut profile = Profile::new(fields)?;
/// profile.update(&[
///     Column::Numbers(&[31.0, 44.0, f64::NAN]),
///     Column::Categories(&[Some("fr"), None, Some("fr")]),
/// ])?;
/// let mut shard = profile.fresh();
/// shard.update(&[Column::Numbers(&[27.0]), Column::Categories(&[Some("de")])])?;
/// profile.merge(&shard)?;
/// assert_eq!(profile.rows(), 4);
/// let age = profile.feature("age").unwrap().numbers().unwrap();
/// assert_eq!((age.count(), age.missing(), age.mean()), (3, 1, 34.0));
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("reference.profile");
/// profile.save(&path)?;
/// assert_eq!(Profile::load(&path)?.to_bytes(), profile.to_bytes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Profile {
    rows: u64,
    features: Vec<Feature>,
    notes: BTreeMap<String, String>,
}

/// The profile of one column.
#[derive(Debug, Clone)]
pub struct Feature {
    field: Field,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Numbers(Box<Numbers>),
    Categories(Box<Categories>),
}

impl Feature {
    fn new(field: Field) -> Self {
        let values = if field.kind.is_numbers() {
            Values::Numbers(Box::default())
        } else {
            Values::Categories(Box::default())
        };
        Self { field, values }
    }

    /// What it is.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.field.name
    }

    /// What is kept of it, if it is of numbers or times.
    #[must_use]
    pub fn numbers(&self) -> Option<&Numbers> {
        match &self.values {
            Values::Numbers(numbers) => Some(numbers),
            Values::Categories(_) => None,
        }
    }

    /// What is kept of it, if it is of categories or flags.
    #[must_use]
    pub fn categories(&self) -> Option<&Categories> {
        match &self.values {
            Values::Categories(categories) => Some(categories),
            Values::Numbers(_) => None,
        }
    }

    /// How many values are there.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.values {
            Values::Numbers(numbers) => numbers.count(),
            Values::Categories(categories) => categories.count(),
        }
    }

    /// How many are missing.
    #[must_use]
    pub fn missing(&self) -> u64 {
        match &self.values {
            Values::Numbers(numbers) => numbers.missing(),
            Values::Categories(categories) => categories.missing(),
        }
    }

    fn check(&self, column: &Column<'_>) -> Result<(), ProfileError> {
        if column.is_numbers() == self.field.kind.is_numbers() {
            return Ok(());
        }
        Err(ProfileError::Values {
            name: self.field.name.clone(),
            expected: self.field.kind,
        })
    }
}

impl Profile {
    /// A profile of no rows yet.
    ///
    /// # Errors
    ///
    /// [`ProfileError::SameName`] if two fields have one name.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Result<Self, ProfileError> {
        let features: Vec<Feature> = fields.into_iter().map(Feature::new).collect();
        let mut names = HashSet::new();
        if let Some(twice) = features.iter().find(|it| !names.insert(it.name())) {
            return Err(ProfileError::SameName {
                name: twice.name().to_owned(),
            });
        }
        Ok(Self {
            rows: 0,
            features,
            notes: BTreeMap::new(),
        })
    }

    /// A profile of the same fields that has taken nothing.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let fields = self.features.iter().map(|feature| feature.field.clone());
        Self {
            rows: 0,
            features: fields.map(Feature::new).collect(),
            notes: self.notes.clone(),
        }
    }

    /// Takes a batch of rows: a column for each field, in their order, all of one length.
    ///
    /// Times are numbers, flags the categories `true` and `false`.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Columns`], [`ProfileError::Lengths`] or [`ProfileError::Values`]; nothing was taken then.
    pub fn update(&mut self, columns: &[Column<'_>]) -> Result<(), ProfileError> {
        if columns.len() != self.features.len() {
            return Err(ProfileError::Columns {
                expected: self.features.len(),
                got: columns.len(),
            });
        }
        let rows = columns.first().map_or(0, Column::len);
        for (feature, column) in self.features.iter().zip(columns) {
            feature.check(column)?;
            if column.len() != rows {
                return Err(ProfileError::Lengths {
                    name: feature.field.name.clone(),
                    expected: rows,
                    got: column.len(),
                });
            }
        }
        self.rows += rows as u64;
        for (feature, column) in self.features.iter_mut().zip(columns) {
            match (&mut feature.values, column) {
                (Values::Numbers(numbers), Column::Numbers(values)) => numbers.take(values),
                (Values::Categories(categories), Column::Categories(names)) => {
                    categories.take(names.iter().copied());
                }
                // Refused above.
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes rows of numbers, one behind the other: of each a number for each field, in their order.
    ///
    /// ```
    /// use modelpulse::drift::profile::{Field, Profile};
    ///
    /// let mut profile = Profile::new(["x", "y"].map(Field::numbers))?;
    /// profile.update_rows(&[0.0_f32, 1.0, 2.0, 3.0])?;
    /// assert_eq!(profile.features()[1].numbers().unwrap().mean(), 2.0);
    /// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProfileError::Columns`] if the last row is not whole, [`ProfileError::Values`] if a field is not of numbers;
    /// nothing was taken then.
    pub fn update_rows<T: Copy + Into<f64>>(&mut self, values: &[T]) -> Result<(), ProfileError> {
        let width = self.features.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(ProfileError::Columns {
                expected: width,
                got: values.len() % width.max(1),
            });
        }
        for feature in &self.features {
            feature.check(&Column::Numbers(&[]))?;
        }
        self.rows += (values.len() / width) as u64;
        let mut column: Vec<f64> = Vec::with_capacity(values.len() / width);
        for (at, feature) in self.features.iter_mut().enumerate() {
            column.clear();
            let own = values.iter().skip(at).step_by(width);
            column.extend(own.map(|&value| -> f64 { value.into() }));
            if let Values::Numbers(numbers) = &mut feature.values {
                numbers.take(&column);
            }
        }
        Ok(())
    }

    /// Takes all that a profile of other rows of the same fields has taken.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Fields`] if it is of other fields; nothing was taken then.
    pub fn merge(&mut self, other: &Self) -> Result<(), ProfileError> {
        let differs = |what: String| Err(ProfileError::Fields { what });
        if self.features.len() != other.features.len() {
            let (ours, theirs) = (self.features.len(), other.features.len());
            return differs(format!("{ours} fields here, {theirs} there"));
        }
        for (ours, theirs) in self.features.iter().zip(&other.features) {
            if ours.name() != theirs.name() {
                return differs(format!(
                    "'{}' here is '{}' there",
                    ours.name(),
                    theirs.name()
                ));
            }
            let (here, there) = (ours.field.kind, theirs.field.kind);
            if here != there {
                return differs(format!(
                    "'{}' is of {here} here and of {there} there",
                    ours.name()
                ));
            }
        }
        self.rows = self.rows.saturating_add(other.rows);
        for (ours, theirs) in self.features.iter_mut().zip(&other.features) {
            match (&mut ours.values, &theirs.values) {
                (Values::Numbers(ours), Values::Numbers(theirs)) => ours.merge(theirs),
                (Values::Categories(ours), Values::Categories(theirs)) => ours.merge(theirs),
                // Refused above.
                _ => {}
            }
        }
        Ok(())
    }

    /// How many rows were taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The features, in the order of the fields.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The feature of a name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name() == name)
    }

    /// Notes that are saved with it: what the data are, who made it.
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }

    /// Adds a note.
    #[must_use]
    pub fn with_note(mut self, name: &str, note: &str) -> Self {
        self.notes.insert(name.to_owned(), note.to_owned());
        self
    }
}
