//! What is compared, and how.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::load;
use super::side::{Opened, Side};
use super::{Column, Compat, DriftReportError, Report, performance};
use crate::drift::profile::{self, Field, Profile, ProfileError, Role};
use crate::drift::verdict::{Judged, Policy};
use crate::drift::{Method, evidently, parallel};

/// How two sides are compared.
#[derive(Debug, Clone)]
#[must_use]
pub struct DriftCheck {
    pub(super) policy: Policy,
    pub(super) columns: Vec<String>,
    pub(super) labels: Vec<String>,
    pub(super) scores: Vec<String>,
    pub(super) prediction: Option<String>,
    pub(super) positive: Option<String>,
    pub(super) threshold: f64,
    pub(super) categorical: Vec<String>,
    pub(super) numeric: Vec<String>,
    pub(super) bounded: bool,
    /// Of a column, or of all others.
    pub(super) methods: BTreeMap<Option<String>, (Method, Option<f64>)>,
    pub(super) evidently: BTreeMap<Option<String>, evidently::Method>,
    pub(super) compat: Option<Compat>,
}

impl Default for DriftCheck {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A table is being read.
    Rows {
        /// How many rows were read.
        done: u64,
        /// Of how many, where that is known.
        of: Option<u64>,
    },
    /// Columns are being compared.
    Columns {
        /// How many were.
        done: usize,
        /// Of how many.
        of: usize,
    },
}

impl DriftCheck {
    /// All columns that both sides have, by the default policy.
    pub fn new() -> Self {
        Self {
            policy: Policy::default(),
            columns: Vec::new(),
            labels: Vec::new(),
            scores: Vec::new(),
            prediction: None,
            positive: None,
            threshold: 0.5,
            categorical: Vec::new(),
            numeric: Vec::new(),
            bounded: false,
            methods: BTreeMap::new(),
            evidently: BTreeMap::new(),
            compat: None,
        }
    }

    /// How verdicts are made.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Compares only these columns; may be called again for more.
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.columns.push(column.into());
        self
    }

    /// The column of the truth, instead of what names tell.
    pub fn label(mut self, column: impl Into<String>) -> Self {
        self.labels.push(column.into());
        self
    }

    /// The column of the score; one a class for more than two.
    pub fn score(mut self, column: impl Into<String>) -> Self {
        self.scores.push(column.into());
        self
    }

    /// The column of what the model decided on.
    pub fn prediction(mut self, column: impl Into<String>) -> Self {
        self.prediction = Some(column.into());
        self
    }

    /// The label that a model of two classes looks for.
    pub fn positive(mut self, label: impl Into<String>) -> Self {
        self.positive = Some(label.into());
        self
    }

    /// The score from which on a row is predicted positive.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Compares a column as categories, whatever it holds.
    pub fn categorical(mut self, column: impl Into<String>) -> Self {
        self.categorical.push(column.into());
        self
    }

    /// Compares a column as numbers.
    pub fn numeric(mut self, column: impl Into<String>) -> Self {
        self.numeric.push(column.into());
        self
    }

    /// Makes a profile of each table instead of keeping all values: memory stays small however many rows there are.
    pub fn bounded(mut self) -> Self {
        self.bounded = true;
        self
    }

    /// Compares a column, or all others with `None`, by this method; a distance is drift from `threshold` on.
    pub fn method(
        mut self,
        column: Option<String>,
        method: Method,
        threshold: Option<f64>,
    ) -> Self {
        self.methods.insert(column, (method, threshold));
        self
    }

    /// The same for verdicts in the manner of Evidently.
    pub fn evidently(mut self, column: Option<String>, method: evidently::Method) -> Self {
        self.evidently.insert(column, method);
        self
    }

    /// Says what another tool would say.
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = Some(compat);
        self
    }

    /// Compares two files, each a table or a profile.
    ///
    /// # Errors
    ///
    /// [`DriftReportError`].
    pub fn compare(
        &self,
        reference: impl AsRef<Path>,
        current: impl AsRef<Path>,
    ) -> Result<Report, DriftReportError> {
        self.compare_watched(reference.as_ref(), current.as_ref(), |_| ())
    }

    /// As [`compare`](Self::compare), but `progress` is told how far it is.
    ///
    /// # Errors
    ///
    /// [`DriftReportError`].
    pub fn compare_watched(
        &self,
        reference: &Path,
        current: &Path,
        mut progress: impl FnMut(Progress),
    ) -> Result<Report, DriftReportError> {
        let sides = [Side::open(reference, self)?, Side::open(current, self)?];
        let all = [sides[0].fields(), sides[1].fields()];
        self.check_names(&sides, &all)?;
        let wanted = |field: &&Field| {
            self.columns.is_empty() || self.columns.iter().any(|it| it == field.name())
        };
        let has = |fields: &[Field], name: &str| fields.iter().any(|field| field.name() == name);
        let both: Vec<Field> = all[0]
            .iter()
            .filter(wanted)
            .filter(|field| has(&all[1], field.name()))
            .cloned()
            .collect();
        let features = |field: &&Field| field.role() == Role::Feature;
        let gone = all[0].iter().filter(wanted).filter(features);
        let gone = gone.filter(|field| !has(&all[1], field.name()));
        let gone: Vec<String> = gone.map(|field| field.name().to_owned()).collect();
        let added = all[1].iter().filter(wanted);
        let added = added.filter(|field| !has(&all[0], field.name()));
        let added: Vec<String> = added.map(|field| field.name().to_owned()).collect();
        if both.is_empty() {
            return Err(DriftReportError::NothingInCommon {
                reference: reference.to_owned(),
                current: current.to_owned(),
            });
        }
        let left_out = match &sides[0] {
            Side::Table(opened) => opened.left_out.clone(),
            Side::Profile(..) => Vec::new(),
        };
        let mut report = match sides {
            [Side::Table(a), Side::Table(b)] if !self.bounded => {
                self.tables([a, b], &both, &mut progress)?
            }
            sides => self.profiles(sides, &both, &mut progress)?,
        };
        for side in 0..2 {
            if report.rows[side] == 0 {
                let path = report.files[side].clone();
                return Err(DriftReportError::NoRows { path });
            }
        }
        (report.gone, report.added, report.left_out) = (gone, added, left_out);
        Ok(report)
    }

    /// What was asked for by name must be there.
    fn check_names(
        &self,
        sides: &[Side; 2],
        all: &[Vec<Field>; 2],
    ) -> Result<(), DriftReportError> {
        let named = self.methods.keys().chain(self.evidently.keys()).flatten();
        let asked = self
            .columns
            .iter()
            .chain(&self.categorical)
            .chain(&self.numeric);
        for column in asked.chain(named) {
            if all
                .iter()
                .all(|fields| fields.iter().all(|it| it.name() != column))
            {
                return Err(missing(&sides[0], column, &all[0]));
            }
        }
        let roles = self
            .labels
            .iter()
            .chain(&self.scores)
            .chain(&self.prediction);
        for column in roles {
            if all[0].iter().all(|it| it.name() != column) {
                return Err(missing(&sides[0], column, &all[0]));
            }
        }
        let needs = match self.compat {
            Some(Compat::Evidently) => "--compat evidently",
            Some(Compat::NannyMl) => "--compat nannyml",
            None => return Ok(()),
        };
        let profile = sides.iter().find(|side| matches!(side, Side::Profile(..)));
        match profile {
            Some(side) => Err(DriftReportError::NeedsTable {
                what: needs,
                path: side.path().to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// The profile of one or more tables of the same columns.
    ///
    /// # Errors
    ///
    /// [`DriftReportError`].
    pub fn profile(
        &self,
        tables: &[PathBuf],
        mut progress: impl FnMut(Progress),
    ) -> Result<Profile, DriftReportError> {
        let mut merged: Option<Profile> = None;
        for path in tables {
            let profile = match Side::open(path, self)? {
                Side::Profile(_, profile) => profile,
                Side::Table(mut opened) => {
                    for column in &self.columns {
                        if opened.fields.iter().all(|field| field.name() != column) {
                            let fields = opened.fields.clone();
                            return Err(missing(&Side::Table(opened), column, &fields));
                        }
                    }
                    let wanted = opened.fields.iter().filter(|field| {
                        self.columns.is_empty() || self.columns.iter().any(|it| it == field.name())
                    });
                    let wanted: Vec<Field> = wanted.cloned().collect();
                    load::profile(&mut opened, &wanted, &mut progress)?
                }
            };
            match &mut merged {
                None => merged = Some(profile),
                Some(all) => all.merge(&profile).map_err(|source| ProfileError::File {
                    path: path.clone(),
                    source: Box::new(source),
                })?,
            }
        }
        Ok(match merged {
            Some(profile) => profile,
            None => Profile::new([])?,
        })
    }

    fn tables(
        &self,
        [mut a, mut b]: [Opened; 2],
        columns: &[Field],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, DriftReportError> {
        // Labels of the reference are needed where later data have none.
        let label = |field: &&Field| field.role() == Role::Label;
        let labels = a.fields.iter().filter(label);
        let more = labels.filter(|it| columns.iter().all(|column| column.name() != it.name()));
        let own: Vec<Field> = columns.iter().chain(more).cloned().collect();
        let (before, n) = load::held(&mut a, &own, progress)?;
        let (after, m) = load::held(&mut b, columns, progress)?;
        // As they were found while reading.
        let of = |opened: &Opened, columns: &[Field]| -> Vec<Field> {
            let found = |column: &Field| {
                let mut fields = opened.fields.iter();
                fields.find(|it| it.name() == column.name()).cloned()
            };
            columns.iter().filter_map(found).collect()
        };
        let fields = [of(&a, &own), of(&b, columns)];
        let compared = Self::each(columns.len(), progress, |at| {
            let (before, after) = (&before[at], &after[at]);
            let both = [fields[0][at].clone(), fields[1][at].clone()];
            self.compare_held(both, before, after)
        });
        let performance = match self.compat {
            None => performance::performance(self, [&fields[0], &fields[1]], [&before, &after]),
            Some(_) => None,
        };
        Ok(Report {
            performance,
            ..self.report([a.table.path(), b.table.path()], [n, m], compared)
        })
    }

    fn profiles(
        &self,
        sides: [Side; 2],
        columns: &[Field],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, DriftReportError> {
        let files = [sides[0].path().to_owned(), sides[1].path().to_owned()];
        let [before, after] = sides.map(|side| match side {
            Side::Profile(_, profile) => Ok(profile),
            Side::Table(mut opened) => load::profile(&mut opened, columns, &mut *progress),
        });
        let (before, after) = (before?, after?);
        let both: Vec<(&profile::Feature, &profile::Feature)> = columns
            .iter()
            .filter_map(|field| Some((before.feature(field.name())?, after.feature(field.name())?)))
            .collect();
        let compared = Self::each(both.len(), progress, |at| {
            self.compare_kept(both[at].0, both[at].1)
        });
        let rows = [before.rows(), after.rows()];
        Ok(Report {
            profiles: true,
            ..self.report([&files[0], &files[1]], rows, compared)
        })
    }

    fn report(&self, files: [&Path; 2], rows: [u64; 2], mut columns: Vec<Column>) -> Report {
        let judged: Vec<Judged> = columns.iter().map(|column| column.judged.clone()).collect();
        for (column, judged) in columns.iter_mut().zip(self.policy.together(judged)) {
            column.judged = judged;
        }
        Report {
            files: files.map(Path::to_owned),
            rows,
            policy: self.policy,
            compat: self.compat,
            profiles: false,
            columns,
            gone: Vec::new(),
            added: Vec::new(),
            left_out: Vec::new(),
            performance: None,
        }
    }

    /// Compares each column, on all cores.
    fn each(
        columns: usize,
        progress: &mut dyn FnMut(Progress),
        of: impl Fn(usize) -> Column + Sync,
    ) -> Vec<Column> {
        parallel::each(columns, of, &mut |done| {
            progress(Progress::Columns { done, of: columns });
            ControlFlow::Continue(())
        })
    }
}

fn missing(side: &Side, column: &str, fields: &[Field]) -> DriftReportError {
    let mut has: Vec<String> = fields
        .iter()
        .take(12)
        .map(|it| format!("'{}'", it.name()))
        .collect();
    if fields.len() > has.len() {
        has.push(format!("{} more", fields.len() - has.len()));
    }
    DriftReportError::NoColumn {
        path: side.path().to_owned(),
        column: column.to_owned(),
        has: has.join(", "),
    }
}
