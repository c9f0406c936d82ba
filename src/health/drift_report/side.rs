//! One side of a comparison: a table or a profile, and its columns.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{DriftCheck, DriftReportError};
use crate::drift::profile::{Field, Kind, Profile, Role};
use crate::table::{self, Roles, Table, TableError};

/// A file that was opened.
pub(super) enum Side {
    Table(Opened),
    Profile(PathBuf, Profile),
}

/// A table, with what its columns are.
#[derive(Clone)]
pub(super) struct Opened {
    pub(super) table: Table,
    pub(super) fields: Vec<Field>,
    /// Columns that are not compared, and why.
    pub(super) left_out: Vec<(String, &'static str)>,
}

impl Side {
    pub(super) fn open(path: &Path, asked: &DriftCheck) -> Result<Self, DriftReportError> {
        let mut beginning = [0; 8];
        // What cannot be opened is said by who opens the table.
        let is_profile = File::open(path)
            .and_then(|mut file| file.read_exact(&mut beginning))
            .is_ok_and(|()| Profile::begins(&beginning));
        if is_profile {
            return Ok(Self::Profile(path.to_owned(), Profile::load(path)?));
        }
        Opened::open(path, asked).map(Self::Table)
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Table(opened) => opened.table.path(),
            Self::Profile(path, _) => path,
        }
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        match self {
            Self::Table(opened) => opened.fields.clone(),
            Self::Profile(_, profile) => {
                let features = profile.features().iter();
                features.map(|feature| feature.field().clone()).collect()
            }
        }
    }
}

impl Opened {
    pub(super) fn open(path: &Path, asked: &DriftCheck) -> Result<Self, DriftReportError> {
        let mut table = Table::open(path)?;
        let text = asked.categorical.iter().map(|it| (it, table::Kind::Text));
        let number = asked.numeric.iter().map(|it| (it, table::Kind::Float));
        for (column, kind) in text.chain(number) {
            if has(&table, column) {
                table = table.with_kind(column, kind)?;
            }
        }
        let roles = roles(&table, asked);
        let mut fields = Vec::new();
        let mut left_out = Vec::new();
        for field in table.schema().fields() {
            let name = field.name();
            let named = asked.columns.iter().any(|column| column == name);
            let role = match roles.of(name) {
                Some(table::Role::Label) => Role::Label,
                Some(table::Role::Prediction) => Role::Prediction,
                Some(table::Role::Score) => Role::Score,
                Some(table::Role::Weight) if !named => {
                    left_out.push((name.to_owned(), "how much a row counts"));
                    continue;
                }
                Some(table::Role::Id) if !named => {
                    left_out.push((name.to_owned(), "names the row"));
                    continue;
                }
                _ if !named && field.kind() == table::Kind::Timestamp => {
                    left_out.push((name.to_owned(), "a time: it always moves"));
                    continue;
                }
                Some(table::Role::Timestamp) if !named => {
                    left_out.push((name.to_owned(), "a time: it always moves"));
                    continue;
                }
                _ => Role::Feature,
            };
            fields.push(Field::new(name, kind(field.kind())).with_role(role));
        }
        Ok(Self {
            table,
            fields,
            left_out,
        })
    }
}

fn has(table: &Table, column: &str) -> bool {
    table.schema().position(column).is_some()
}

/// Told by names, unless they were given.
fn roles(table: &Table, asked: &DriftCheck) -> Roles {
    let mut roles = Roles::detect(table.schema());
    let there = |columns: &[String]| -> Vec<String> {
        columns
            .iter()
            .filter(|it| has(table, it))
            .cloned()
            .collect()
    };
    if !asked.labels.is_empty() {
        roles.labels = there(&asked.labels);
    }
    if !asked.scores.is_empty() {
        roles.scores = there(&asked.scores);
    }
    if let Some(prediction) = &asked.prediction {
        roles.prediction = Some(prediction.clone());
    }
    roles
}

fn kind(kind: table::Kind) -> Kind {
    match kind {
        table::Kind::Bool => Kind::Flag,
        table::Kind::Int | table::Kind::Float => Kind::Number,
        table::Kind::Timestamp => Kind::Time,
        table::Kind::Text => Kind::Category,
    }
}

impl Opened {
    /// A column whose kind was guessed too narrow is of a wider one.
    pub(super) fn widen(&mut self, column: &str, wider: table::Kind) -> Result<(), TableError> {
        self.table = self.table.clone().with_kind(column, wider)?;
        for field in self
            .fields
            .iter_mut()
            .filter(|field| field.name() == column)
        {
            *field = Field::new(column, kind(wider)).with_role(field.role());
        }
        Ok(())
    }
}
