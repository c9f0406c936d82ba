//! The series of a log, interned: a run and a tag become a number once, and travel as that.
//!
//! Numbers are given out in order and never reused; at most
//! [`max_series`](super::WriterBuilder::max_series) of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Error;
use super::ring::MAX_SERIES;
use super::shared::Inner;
use crate::summary::Value;
use crate::types::{RunName, Step, Tag};

/// A series that values can be logged to without looking up its name.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// let writer = modelpulse::log::Writer::create(dir.path())?;
/// let loss = writer.run("train").series("loss");
/// for step in 0..1000_i64 {
///     loss.scalar(step, 1.0 / (step + 1) as f64);
/// }
/// assert_eq!(writer.finish()?.written, 1000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Series {
    pub(super) inner: Arc<Inner>,
    /// `None` where the series was refused; what is logged to it is counted as dropped.
    pub(super) id: Option<u32>,
    pub(super) run: Option<u32>,
}

impl Series {
    pub(crate) fn id(&self) -> Option<u32> {
        self.id
    }

    /// Logs a number, stored at single precision.
    #[inline]
    pub fn scalar(&self, step: impl Into<Step>, value: f64) {
        self.inner.scalar(self.id, step.into(), value as f32);
    }

    /// Logs a value of any kind.
    pub fn log(&self, step: impl Into<Step>, value: impl Into<Value>) {
        self.inner.value(self.id, step.into(), None, value.into());
    }
}

/// A run or series as the registry keeps it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) run: u32,
    pub(super) tag: Tag,
}

#[derive(Debug, Default)]
pub(super) struct Registry {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) runs: Vec<RunName>,
    pub(super) series: Vec<Entry>,
    run_ids: HashMap<RunName, u32>,
    series_ids: Vec<HashMap<Tag, u32>>,
}

impl Registry {
    /// The tables, locked.
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the run `name`.
    pub(super) fn run(&self, name: &str) -> Result<u32, Error> {
        let normal = name.trim_end_matches('/');
        let normal = if normal.is_empty() { "." } else { normal };
        let mut tables = self.tables();
        if let Some(&id) = tables.run_ids.get(normal) {
            return Ok(id);
        }
        let run = RunName::from(normal);
        if !run.is_path() {
            return Err(Error::RunName {
                name: name.to_owned(),
            });
        }
        let (id, name) = (tables.runs.len() as u32, run);
        tables.runs.push(name.clone());
        tables.series_ids.push(HashMap::new());
        tables.run_ids.insert(name, id);
        Ok(id)
    }

    /// The number of the series `tag` in `run`.
    pub(super) fn series(&self, run: u32, tag: &str, limit: usize) -> Result<u32, Error> {
        let mut tables = self.tables();
        if let Some(&id) = tables.series_ids[run as usize].get(tag) {
            return Ok(id);
        }
        let id = tables.series.len();
        let limit = limit.min(MAX_SERIES as usize);
        if id >= limit {
            let path = tables.runs[run as usize].path_of(tag);
            return Err(Error::TooManySeries { path, limit });
        }
        let tag = Tag::from(tag);
        tables.series.push(Entry {
            run,
            tag: tag.clone(),
        });
        tables.series_ids[run as usize].insert(tag, id as u32);
        Ok(id as u32)
    }

    /// The path of a series, for messages.
    pub(super) fn path(&self, series: u32) -> String {
        let tables = self.tables();
        let entry = tables.series.get(series as usize);
        entry.map_or_else(String::new, |entry| {
            tables.runs[entry.run as usize].path_of(entry.tag.as_str())
        })
    }
}
