//! Labelled rows: a directory of images, or a table that grows.
//!
//! A file is read again when it has changed; while it cannot be read, that is said at each evaluation.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, bail, ensure};

use crate::datasets::{Dataset, Images};
use crate::health::{LabelledRows, MonitorError};
use crate::table::{Roles, Table, Values};

/// Where rows come from, and those that were read last.
pub(super) struct Labelled {
    path: Option<PathBuf>,
    /// Features of a row, and classes.
    shape: (usize, usize),
    read: Mutex<(Stamp, Arc<LabelledRows>)>,
}

/// Of each file: when it was changed, and its size.
type Stamp = Vec<(SystemTime, u64)>;

impl Labelled {
    /// Rows that stay as they are.
    pub(super) fn fixed(images: &Images) -> anyhow::Result<Self> {
        let rows = of_images(images)?;
        let shape = (rows.rows().width(), 0);
        let read = Mutex::new((Stamp::new(), Arc::new(rows)));
        let path = None;
        Ok(Self { path, shape, read })
    }

    /// The rows of a directory of IDX files, of its held-out split, or of a table.
    pub(super) fn open(path: &Path, features: usize, classes: usize) -> anyhow::Result<Self> {
        let shape = (features, classes);
        let stamp = stamp(path);
        let rows = rows_of(path, shape)?;
        let read = Mutex::new((stamp, Arc::new(rows)));
        let path = Some(path.to_owned());
        Ok(Self { path, shape, read })
    }

    /// The rows as they are now.
    pub(super) fn rows(&self) -> Result<Arc<LabelledRows>, MonitorError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.path {
            // Taken before it is read: what comes while it is read is read the next time.
            let now = stamp(path);
            if now.is_empty() || now != read.0 {
                let rows = rows_of(path, self.shape).map_err(|error| format!("{error:#}"))?;
                *read = (now, Arc::new(rows));
            }
        }
        Ok(read.1.clone())
    }
}

fn stamp(path: &Path) -> Stamp {
    let of = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    match std::fs::read_dir(path) {
        Ok(entries) => {
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            paths.iter().filter_map(|path| of(path)).collect()
        }
        Err(_) => of(path).into_iter().collect(),
    }
}

fn rows_of(path: &Path, (features, classes): (usize, usize)) -> anyhow::Result<LabelledRows> {
    if path.is_dir() {
        let rows = of_images(Dataset::from_dir(path)?.eval())?;
        let width = rows.rows().width();
        ensure!(
            width == features,
            "{}: the images have {width} pixels, the model takes {features}",
            path.display()
        );
        return Ok(rows);
    }
    of_table(path, features, classes)
}

/// Pixels scaled so that full ink is 1, as `train` does.
fn of_images(images: &Images) -> anyhow::Result<LabelledRows> {
    let scale = 1.0 / f64::from(images.max_value().max(1));
    let pixels = images.pixels().iter();
    let values = pixels.map(|&pixel| (f64::from(pixel) * scale) as f32);
    let labels = images.labels().iter().map(|&label| label.into());
    let width = images.height() * images.width();
    LabelledRows::classes(values.collect(), width, labels.collect())
        .context("images without pixels")
}

/// A column of labels, and one a feature in the model's order.
fn of_table(path: &Path, features: usize, classes: usize) -> anyhow::Result<LabelledRows> {
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
    let names = [&[label.as_str()], &columns[..]].concat();
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
    LabelledRows::classes(values, features, labels).context("rows that are not whole")
}
