//! Labelled rows: a directory of images or of tables, or one table, that grow.
//!
//! A file is read again when it has changed; while one cannot be read, that is said at each evaluation: a model is not
//! judged by a part of its data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail, ensure};

use super::stamp::{Stamp, stamp};
use crate::datasets::{Dataset, Images};
use crate::health::{LabelledRows, MonitorError};
use crate::table::{Roles, Table, Values};

/// Where rows come from, and those that were read last.
pub(super) struct Labelled {
    path: Option<PathBuf>,
    /// Features of a row, and classes.
    shape: (usize, usize),
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    /// Of each file: what it was when it was read, and its rows where it is a table.
    files: BTreeMap<PathBuf, (Stamp, Part)>,
    /// The names of the features, in the order of the table that was read first.
    features: Vec<String>,
    rows: Option<Arc<LabelledRows>>,
}

/// The rows of a table.
#[derive(Default)]
struct Part {
    values: Vec<f32>,
    labels: Vec<usize>,
}

impl Labelled {
    /// Rows that stay as they are.
    pub(super) fn fixed(images: &Images) -> anyhow::Result<Self> {
        let rows = of_images(images)?;
        let shape = (rows.rows().width(), 0);
        let rows = Some(Arc::new(rows));
        Ok(Self {
            path: None,
            shape,
            read: Mutex::new(Read {
                rows,
                ..Read::default()
            }),
        })
    }

    /// The rows of a directory of IDX files, of its held-out split; of a table; or of all tables of a directory.
    pub(super) fn open(path: &Path, features: usize, classes: usize) -> anyhow::Result<Self> {
        let labelled = Self {
            path: Some(path.to_owned()),
            shape: (features, classes),
            read: Mutex::default(),
        };
        let mut read = Read::default();
        read.refresh(path, labelled.shape)?;
        Ok(Self {
            read: Mutex::new(read),
            ..labelled
        })
    }

    /// The rows as they are now.
    pub(super) fn rows(&self) -> Result<Arc<LabelledRows>, MonitorError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path {
            let refreshed = read.refresh(path, self.shape);
            refreshed.map_err(|error| format!("{error:#}"))?;
        }
        Ok(read.rows.clone().ok_or("nothing was read")?)
    }
}

impl Read {
    /// Reads what has changed.
    fn refresh(&mut self, path: &Path, shape: (usize, usize)) -> anyhow::Result<()> {
        let is_dir = path.is_dir();
        let tables = match is_dir {
            true => tables_in(path)?,
            false => vec![path.to_owned()],
        };
        let images = is_dir && tables.is_empty();
        // Taken before they are read: what comes while they are read is read the next time.
        let files = match images {
            true => files_in(path)?,
            false => tables,
        };
        let stamps: Vec<Stamp> = files.iter().map(|path| stamp(path)).collect();
        let known = self.files.iter().map(|(path, (stamp, _))| (path, *stamp));
        let unchanged = self.rows.is_some()
            && stamps.iter().all(Option::is_some)
            && known.eq(files.iter().zip(stamps.iter().copied()));
        if unchanged {
            return Ok(());
        }
        // What was read stays read where another file cannot be.
        self.rows = None;
        for (path, now) in files.iter().zip(stamps) {
            let known = self.files.get(path);
            if now.is_some() && known.is_some_and(|(stamp, _)| *stamp == now) {
                continue;
            }
            // Made a moment ago, and its rows are to come.
            let is_new = is_dir && now.is_some_and(|(bytes, ..)| bytes == 0);
            let part = match images || is_new {
                true => Part::default(),
                false => of_table(path, shape, &mut self.features)?,
            };
            self.files.insert(path.clone(), (now, part));
        }
        self.files
            .retain(|path, _| files.binary_search(path).is_ok());
        let rows = match images {
            true => images_in(path, shape.0)?,
            false => {
                let parts = || self.files.values().map(|(_, part)| part);
                let values = parts().flat_map(|part| &part.values).copied().collect();
                let labels = parts().flat_map(|part| &part.labels).copied().collect();
                LabelledRows::classes(values, shape.0, labels).context("rows that are not whole")?
            }
        };
        self.rows = Some(Arc::new(rows));
        Ok(())
    }
}

/// The files of a directory, in the order of their names.
fn files_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| dir.display().to_string())?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Those that are tables, by their names.
fn tables_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = files_in(dir)?;
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let named = name.rsplit_once('.');
        // A name that begins with a dot is of a file that is being written.
        let ending = named.filter(|(name, _)| !name.is_empty() && !name.starts_with('.'));
        ending.is_some_and(|(_, ending)| TABLES.contains(&ending))
    });
    Ok(files)
}

/// Endings of tables.
const TABLES: [&str; 5] = ["csv", "tsv", "jsonl", "ndjson", "parquet"];

fn images_in(dir: &Path, features: usize) -> anyhow::Result<LabelledRows> {
    let data =
        Dataset::from_dir(dir).context("neither images nor tables (*.csv, *.jsonl, *.parquet)")?;
    let rows = of_images(data.eval())?;
    let width = rows.rows().width();
    ensure!(
        width == features,
        "{}: the images have {width} pixels, the model takes {features}",
        dir.display()
    );
    Ok(rows)
}

/// The least and the most of each feature.
pub(super) fn ranges(images: &Images) -> Vec<(f32, f32)> {
    let width = images.height() * images.width();
    let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); width];
    for (at, value) in scaled(images).enumerate() {
        let (least, most) = &mut ranges[at % width];
        (*least, *most) = (least.min(value), most.max(value));
    }
    ranges
}

/// Pixels scaled so that full ink is 1, as `train` does.
fn scaled(images: &Images) -> impl Iterator<Item = f32> {
    let scale = 1.0 / f64::from(images.max_value().max(1));
    let pixels = images.pixels().iter();
    pixels.map(move |&pixel| (f64::from(pixel) * scale) as f32)
}

pub(super) fn of_images(images: &Images) -> anyhow::Result<LabelledRows> {
    let values = scaled(images);
    let labels = images.labels().iter().map(|&label| label.into());
    let width = images.height() * images.width();
    LabelledRows::classes(values.collect(), width, labels.collect())
        .context("images without pixels")
}

/// A column of labels, and one a feature in the model's order.
fn of_table(
    path: &Path,
    (features, classes): (usize, usize),
    known: &mut Vec<String>,
) -> anyhow::Result<Part> {
    let table = Table::open(path)?;
    let roles = Roles::detect(table.schema());
    let [label] = &roles.labels[..] else {
        bail!(
            "{}: no column of labels: call one 'label', with the number of the class",
            path.display()
        );
    };
    let columns = roles.features(table.schema());
    ensure!(
        columns.len() == features,
        "{}: {} columns of features, the model takes {features}",
        path.display(),
        columns.len()
    );
    if known.is_empty() {
        *known = columns.iter().map(|&name| name.to_owned()).collect();
    } else if let Some(lacking) = known.iter().find(|name| !columns.contains(&name.as_str())) {
        bail!("{}: there is no column '{lacking}'", path.display());
    }
    let names: Vec<&str> = std::iter::once(label.as_str())
        .chain(known.iter().map(String::as_str))
        .collect();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for batch in table.read(&names)? {
        let batch = batch?;
        let place =
            |row: usize| format!("{}: row {}", path.display(), batch.first_row() + row as u64);
        let start = values.len();
        values.resize(start + batch.rows() * features, 0.0);
        for (at, column) in batch.columns().iter().enumerate() {
            let numbers: Vec<f64> = match column.values() {
                Values::Int(values) => values.iter().map(|&value| value as f64).collect(),
                Values::Float(values) => values.clone(),
                Values::Bool(values) => values.iter().map(|&value| f64::from(value)).collect(),
                _ => bail!(
                    "{}: the column '{}' has no numbers",
                    path.display(),
                    names[at]
                ),
            };
            for (row, number) in numbers.into_iter().enumerate() {
                ensure!(
                    !column.is_null(row),
                    "{}: no value in the column '{}'",
                    place(row),
                    names[at]
                );
                match at {
                    0 => {
                        let class = number as usize;
                        ensure!(
                            class as f64 == number && class < classes,
                            "{}: the label {number} is none of the classes 0 to {}",
                            place(row),
                            classes.saturating_sub(1)
                        );
                        labels.push(class);
                    }
                    at => values[start + row * features + at - 1] = number as f32,
                }
            }
        }
    }
    Ok(Part { values, labels })
}
