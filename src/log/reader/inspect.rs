//! What a log holds, in memory that does not grow with it.
//!
//! One pass counts everything. Only where a policy leaves out points of a run is that run gone through
//! again, for only then is it known which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::discover::discover;
use super::problem::Problem;
use super::records::{CHUNK, Records};
use super::restart::{Keep, Purges, Restart};
use super::scan::{Point, Points, Scan};
use super::table::{LogRun, start_time};
use super::tally::Tally;
use super::threads::on_all_cores;
use super::wire::Number;
use crate::log::Error;
use crate::proto::DataClass;
use crate::record::Tail;
use crate::types::{RunName, Step, Tag};

/// What a log directory holds: its runs and series, its files, and what is wrong with them.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Inspection, Restart, Writer};
/// let writer = Writer::create(dir.path())?;
/// (0..3_i64).for_each(|step| writer.run("train").scalar("loss", step, 1.0 - 0.5 * step as f64));
/// writer.finish()?;
/// let found = Inspection::of(dir.path(), Restart::TensorBoard, |_| ())?;
/// let loss = &found.runs["train"].series["loss"];
/// assert_eq!((loss.count(), loss.min(), loss.max()), (3, Some(0.0), Some(1.0)));
/// assert!(found.problems().next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inspection {
    /// The runs.
    pub runs: BTreeMap<RunName, RunSummary>,
    /// The event files, by run, in the order in which readers take them.
    pub files: Vec<FileSummary>,
    /// Directories that cannot be read.
    pub unreadable: Vec<Problem>,
}

/// What a run holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RunSummary {
    /// The wall time of its first event; under [`Restart::DataServer`] the earliest one of all.
    pub start_time: Option<f64>,
    /// Its series.
    pub series: BTreeMap<Tag, SeriesSummary>,
}

/// What an event file holds.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileSummary {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Whole records.
    pub records: u64,
    /// Those of them that lie behind damage, where other readers no longer come.
    pub recovered: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// What a series holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SeriesSummary {
    /// The plugin that reads it; empty where none is named.
    pub plugin: String,
    /// How TensorBoard stores it.
    pub data_class: DataClass,
    tally: Tally,
}

impl SeriesSummary {
    /// How many points it has.
    pub fn count(&self) -> u64 {
        self.tally.count
    }

    /// The step and wall time of the first point.
    pub fn first(&self) -> Option<(Step, f64)> {
        self.tally.ends.map(|(first, _)| first)
    }

    /// The step and wall time of the last point.
    pub fn last(&self) -> Option<(Step, f64)> {
        self.tally.ends.map(|(_, last)| last)
    }

    /// The number of the last point, if it is one.
    pub fn last_number(&self) -> Option<f64> {
        self.tally.last_number
    }

    /// The smallest finite number.
    pub fn min(&self) -> Option<f64> {
        (self.tally.min <= self.tally.max).then_some(self.tally.min)
    }

    /// The greatest finite number.
    pub fn max(&self) -> Option<f64> {
        (self.tally.min <= self.tally.max).then_some(self.tally.max)
    }

    /// How many points are numbers.
    pub fn numbers(&self) -> u64 {
        self.tally.numbers
    }

    /// How many of the numbers are not finite.
    pub fn nonfinite(&self) -> u64 {
        self.tally.nonfinite
    }

    /// The course of the numbers: means of as many stretches of about equal length, at most a few hundred;
    /// NaN where none of a stretch is finite.
    pub fn course(&self) -> Vec<f64> {
        self.tally.course.means()
    }
}

impl Inspection {
    /// Goes through the log directory `dir`. `progress` is told how many bytes were read, of those that
    /// [`total_bytes`] says, now and then, by any thread.
    ///
    /// # Errors
    /// [`Error::Read`] where `dir` cannot be read, [`Error::NoEvents`] where there is no run. What else
    /// cannot be read is a problem.
    pub fn of(
        dir: impl AsRef<Path>,
        restart: Restart,
        progress: impl Fn(u64) + Sync,
    ) -> Result<Self, Error> {
        let found = discover(dir.as_ref())?;
        let mut runs: Vec<(RunName, Vec<FileScan<Tallies>>)> = found
            .runs
            .into_iter()
            .map(|(run, paths)| (run, paths.into_iter().map(FileScan::new).collect()))
            .collect();
        let files = runs.iter_mut().flat_map(|(_, files)| files);
        on_all_cores(files.collect(), |file| file.read(&progress));

        let mut inspection = Self {
            unreadable: found.problems,
            ..Self::default()
        };
        for (run, files) in runs {
            let scans: Vec<&Scan<Tallies>> = files.iter().map(|file| &file.scan).collect();
            let purges = Purges::new(restart, &scans);
            let again = (!purges.is_empty()).then(|| again(&files, &purges));
            let mut summary = RunSummary {
                start_time: start_time(scans.iter().copied(), restart),
                series: BTreeMap::new(),
            };
            for (index, scan) in scans.iter().enumerate() {
                let tallies = match &again {
                    Some(again) => &again[index],
                    None => &scan.points,
                };
                summary.add(scan, tallies);
            }
            inspection.runs.insert(run, summary);
            let summaries = files.into_iter().map(|file| FileSummary {
                bytes: file.bytes,
                path: file.records.path().to_owned(),
                records: file.records.whole,
                recovered: file.records.recovered,
                problems: file.records.problems,
            });
            inspection.files.extend(summaries);
        }
        Ok(inspection)
    }

    /// All that could not be read.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let files = self.files.iter().flat_map(|file| &file.problems);
        self.unreadable.iter().chain(files)
    }
}

/// How many bytes the event files of those runs of `dir` have that `takes` takes.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// std::fs::write(dir.path().join("tfevents"), [0; 5])?;
/// assert_eq!(modelpulse::log::total_bytes(dir.path(), |_| true)?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Inspection::of`].
pub fn total_bytes(dir: impl AsRef<Path>, takes: impl Fn(&RunName) -> bool) -> Result<u64, Error> {
    let runs = discover(dir.as_ref())?.runs.into_iter();
    let taken = runs.filter(|(run, _)| takes(run));
    Ok(taken
        .flat_map(|(_, files)| files)
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|file| file.len())
        .sum())
}

impl From<&LogRun<'_>> for RunSummary {
    /// The summary of a run that is in memory.
    fn from(run: &LogRun<'_>) -> Self {
        let mut series = BTreeMap::new();
        for tag in run.tags() {
            let Some(found) = run.series(tag) else {
                continue;
            };
            let mut tally = Tally::default();
            for point in found.points() {
                tally.add(point.step.as_i64(), point.wall_time, point.number);
            }
            let summary = SeriesSummary {
                plugin: found.plugin().to_owned(),
                data_class: found.data_class(),
                tally,
            };
            series.insert(found.tag(), summary);
        }
        Self {
            start_time: run.start_time(),
            series,
        }
    }
}

impl RunSummary {
    /// Adds what the run's next file holds.
    fn add<P>(&mut self, scan: &Scan<P>, tallies: &Tallies) {
        for (number, name) in scan.tags().names().iter().enumerate() {
            let said = scan.said(number);
            if scan.count(number) == 0 {
                continue;
            }
            let summary = self.series.entry(Tag::from(&**name)).or_insert_with(|| {
                let tally = Tally::default();
                SeriesSummary {
                    plugin: String::new(),
                    data_class: DataClass::Unknown,
                    tally,
                }
            });
            if let Some(said) = said.filter(|_| summary.plugin.is_empty()) {
                summary.plugin.clone_from(&said.plugin);
                summary.data_class = DataClass::try_from(said.class).unwrap_or_default();
            }
            if let Some(tally) = tallies.0.get(number) {
                summary.tally.append(tally);
            }
        }
    }
}

/// One file and what was counted of it.
struct FileScan<P> {
    records: Records,
    scan: Scan<P>,
    bytes: u64,
}

impl FileScan<Tallies> {
    fn new(path: PathBuf) -> Self {
        Self {
            bytes: std::fs::metadata(&path).map_or(0, |file| file.len()),
            records: Records::new(path, CHUNK),
            scan: Scan::default(),
        }
    }

    fn read(&mut self, progress: &(impl Fn(u64) + Sync)) {
        let (records, scan) = (&mut self.records, &mut self.scan);
        scan.read_all(records, Tail::Final, progress);
        records.close();
    }
}

/// Counts what the purges leave of each file.
fn again(files: &[FileScan<Tallies>], purges: &Purges) -> Vec<Tallies> {
    let mut scans: Vec<(usize, &FileScan<Tallies>, Tallies)> = Vec::new();
    for (file, scanned) in files.iter().enumerate() {
        scans.push((file, scanned, Tallies::default()));
    }
    on_all_cores(scans.iter_mut().collect(), |(file, scanned, tallies)| {
        let names = scanned.scan.tags().names();
        let mut scan = Scan::new(Kept {
            file: *file,
            keeps: names.iter().map(|name| purges.of(name)).collect(),
            counts: vec![0; names.len()],
            tallies: Tallies::default(),
        });
        let mut records = Records::new(scanned.records.path().to_owned(), CHUNK);
        scan.read_all(&mut records, Tail::Final, |_| ());
        *tallies = scan.points.tallies;
    });
    scans.into_iter().map(|(.., tallies)| tallies).collect()
}

/// Counts the points that are not left out.
struct Kept<'a> {
    file: usize,
    keeps: Vec<Keep<'a>>,
    /// Points of each series so far, left out or not.
    counts: Vec<u64>,
    tallies: Tallies,
}

impl Points for Kept<'_> {
    fn point(&mut self, series: usize, point: Point) {
        // What came only after the first pass is not counted.
        let (Some(keep), Some(count)) = (self.keeps.get(series), self.counts.get_mut(series))
        else {
            return;
        };
        let index = *count;
        *count += 1;
        let is_number = point.number.is_some();
        if keep.keeps(self.file, index, point.offset, point.step, is_number) {
            self.tallies.point(series, point);
        }
    }
}

/// What was counted of each series of a file.
#[derive(Debug, Default)]
struct Tallies(Vec<Tally>);

impl Points for Tallies {
    #[inline]
    fn point(&mut self, series: usize, point: Point) {
        if series >= self.0.len() {
            self.0.resize_with(series + 1, Tally::default);
        }
        let number = point.number.map(|number| match number {
            Number::Single(number) => number.into(),
            Number::Double(number) => number,
        });
        self.0[series].add(point.step, point.wall_time, number);
    }
}
