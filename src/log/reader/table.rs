//! A log in memory: all scalars in columns, everything else by its place.
//!
//! Each file is kept apart and read on from where its reader stopped, and what restarts void is decided
//! when points are looked at. So a log that grew is the same as one read anew, and any policy can be
//! asked of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::column::{Cell, Column, Columns};
use super::discover::discover;
use super::problem::Problem;
use super::records::{CHUNK, Records};
use super::restart::{Keep, Purges, Restart};
use super::scan::{Said, Scan};
use super::threads::on_all_cores;
use super::values::LogValues;
use crate::log::Error;
use crate::proto::DataClass;
use crate::record::Tail;
use crate::types::{RunName, Step, Tag};

/// A log directory, read as far as it went.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::log::{Log, Restart, Writer};
/// let writer = Writer::create(dir.path())?;
/// let mut log = Log::follow(dir.path());
/// (0..3_i64).for_each(|step| writer.run("train").scalar("loss", step, 0.5));
/// writer.finish()?;
///
/// log.refresh()?;
/// let run = log.run("train", Restart::TensorBoard).unwrap();
/// let loss = run.series("loss").unwrap();
/// assert_eq!((loss.plugin(), loss.points().count()), ("scalars", 3));
/// let last = loss.points().last().unwrap();
/// assert_eq!((last.step.as_i64(), last.number), (2, Some(0.5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    tail: Tail,
    runs: BTreeMap<RunName, Vec<LogFile>>,
    problems: Vec<Problem>,
}

/// What was read of one event file.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # modelpulse::log::Writer::create(dir.path())?.run(".").scalar("loss", 0, 0.5);
/// let log = modelpulse::log::Log::open(dir.path())?;
/// let file = log.files().next().unwrap();
/// assert_eq!((file.recovered(), file.problems().len()), (0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LogFile {
    path: Arc<Path>,
    records: Records,
    scan: Scan<Columns>,
    /// How long the file was when it was last looked at.
    len: Option<u64>,
}

/// Where a value stands: its file, the begin of its record, and which value of its event it is.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let writer = modelpulse::log::Writer::create(dir.path())?;
/// # writer.run(".").scalar("loss", 0, 0.5);
/// # writer.finish()?;
/// use modelpulse::log::{Log, Restart};
/// let log = Log::open(dir.path())?;
/// let run = log.runs(Restart::KeepAll).next().unwrap();
/// let place = run.series("loss").unwrap().points().next().unwrap().place();
/// assert!(place.path().starts_with(dir.path()) && place.offset() > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: Arc<Path>,
    offset: u64,
    nth: u32,
}

impl Place {
    pub(super) fn new(path: Arc<Path>, offset: u64, nth: u32) -> Self {
        Self { path, offset, nth }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the record begins in it, in bytes; of a compressed file, in those that come out of it.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Which value of the record's event it is, from 0 on.
    pub fn nth(&self) -> u32 {
        self.nth
    }
}

impl Log {
    /// Reads the log directory `dir` to its end: a record that is not whole is a problem.
    ///
    /// # Errors
    /// [`Error::Read`] where `dir` cannot be read, [`Error::NoEvents`] where there is no run. What else
    /// cannot be read is a [problem](Self::problems).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(dir, |_| ())
    }

    /// As [`open`](Self::open); `progress` is told how many bytes were read, of those that
    /// [`total_bytes`](super::total_bytes) says, now and then, by any thread.
    ///
    /// # Errors
    /// The same.
    pub fn open_with(dir: impl AsRef<Path>, progress: impl Fn(u64) + Sync) -> Result<Self, Error> {
        let mut log = Self::follow(dir);
        log.tail = Tail::Final;
        log.read(&progress)?;
        log.each_file(|file| file.scan.points.shrink());
        Ok(log)
    }

    /// A log that may still grow, or that is not even there yet; nothing of it is read before the first
    /// [`refresh`](Self::refresh).
    pub fn follow(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
            tail: Tail::Growing,
            runs: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Reads what has come since. A record that is not whole is waited for. A directory without runs, or
    /// none at all, is an empty log.
    ///
    /// # Errors
    /// [`Error::Read`] where the directory is there and cannot be read.
    pub fn refresh(&mut self) -> Result<(), Error> {
        match self.read(&|_| ()) {
            Err(Error::NoEvents { .. }) => Ok(()),
            Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Ok(())
            }
            read => read,
        }
    }

    /// Reads what has come since, and waits for nothing any more: from now on this is as after
    /// [`open`](Self::open).
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub fn finish(&mut self) -> Result<(), Error> {
        self.tail = Tail::Final;
        self.refresh()
    }

    fn read(&mut self, progress: &(impl Fn(u64) + Sync)) -> Result<(), Error> {
        let mut found = discover(&self.dir)?;
        self.problems = std::mem::take(&mut found.problems);
        // A run that is gone is gone here, as for one who comes now.
        self.runs.retain(|run, _| found.runs.contains_key(run));
        for (run, paths) in found.runs {
            let known = self.runs.entry(run).or_default();
            known.retain(|file| paths.iter().any(|path| **path == *file.path));
            if known.len() < paths.len() {
                for path in paths {
                    if !known.iter().any(|file| *file.path == *path) {
                        known.push(LogFile::new(path));
                    }
                }
                known.sort_by(|a, b| a.path.cmp(&b.path));
            }
        }
        let tail = self.tail;
        self.each_file(|file| file.read(tail, progress));
        Ok(())
    }

    fn each_file(&mut self, work: impl Fn(&mut LogFile) + Sync) {
        on_all_cores(self.runs.values_mut().flatten().collect(), work);
    }

    /// The runs, in the order of their names, without what `restart` leaves out.
    pub fn runs(&self, restart: Restart) -> impl Iterator<Item = LogRun<'_>> {
        self.runs
            .iter()
            .map(move |(name, files)| LogRun::new(name, files, restart))
    }

    /// One run, without what `restart` leaves out.
    pub fn run(&self, name: &str, restart: Restart) -> Option<LogRun<'_>> {
        let (name, files) = self.runs.get_key_value(name)?;
        Some(LogRun::new(name, files, restart))
    }

    /// The files, by run, in the order in which readers take them.
    pub fn files(&self) -> impl Iterator<Item = &LogFile> {
        self.runs.values().flatten()
    }

    /// What could not be read, in all files and directories.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems
            .iter()
            .chain(self.files().flat_map(LogFile::problems))
    }
}

impl LogFile {
    fn new(path: PathBuf) -> Self {
        Self {
            path: path.as_path().into(),
            records: Records::new(path, CHUNK),
            scan: Scan::default(),
            len: None,
        }
    }

    /// Reads what has come since.
    fn read(&mut self, tail: Tail, progress: &impl Fn(u64)) {
        let len = std::fs::metadata(&self.path).ok().map(|file| file.len());
        if let Some(known) = self.len
            && len.is_some_and(|len| len < known || (len > known && self.records.must_begin_anew()))
        {
            // Written anew, or something that cannot be taken up again: one who comes now reads this.
            *self = Self::new(self.path.to_path_buf());
        } else if tail == Tail::Growing && self.len.is_some() && len == self.len {
            return;
        }
        self.len = len;
        self.scan.points.expect(len.unwrap_or(0));
        self.scan.read_all(&mut self.records, tail, progress);
        self.records.close();
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it was when it was last looked at, in bytes.
    pub fn bytes(&self) -> u64 {
        self.len.unwrap_or_else(|| self.records.taken())
    }

    /// How many whole records it has.
    pub fn records(&self) -> u64 {
        self.records.whole
    }

    /// How many of them lie behind damage, where other readers no longer come.
    pub fn recovered(&self) -> u64 {
        self.records.recovered
    }

    /// What of it could not be read.
    pub fn problems(&self) -> &[Problem] {
        &self.records.problems
    }
}

/// One run of a log, without what a policy leaves out.
#[derive(Debug)]
pub struct LogRun<'a> {
    name: &'a RunName,
    files: &'a [LogFile],
    restart: Restart,
    purges: Purges,
}

/// One series of a run.
#[derive(Debug)]
pub struct LogSeries<'a> {
    tag: &'a str,
    files: &'a [LogFile],
    keep: Keep<'a>,
}

/// The points of a series, in the order in which they were written.
#[derive(Debug)]
pub struct LogPoints<'a> {
    series: &'a LogSeries<'a>,
    file: usize,
    column: Option<&'a Column>,
    index: usize,
}

/// A point of a series.
#[derive(Debug, Clone, Copy)]
pub struct LogPoint<'a> {
    /// Its step.
    pub step: Step,
    /// Its wall time, as the log has it.
    pub wall_time: f64,
    /// Its number; `None` where it is none: [`LogSeries::values`] reads it.
    pub number: Option<f64>,
    file: &'a LogFile,
    offset: u64,
    nth: u32,
}

impl LogPoint<'_> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        Place::new(self.file.path.clone(), self.offset, self.nth)
    }
}

impl<'a> LogRun<'a> {
    fn new(name: &'a RunName, files: &'a [LogFile], restart: Restart) -> Self {
        let scans: Vec<&Scan<Columns>> = files.iter().map(|file| &file.scan).collect();
        Self {
            name,
            files,
            restart,
            purges: Purges::new(restart, &scans),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'a RunName {
        self.name
    }

    /// The wall time of its first event; under [`Restart::DataServer`] the earliest one of all, as the data
    /// server has it.
    pub fn start_time(&self) -> Option<f64> {
        let scans = self.files.iter().map(|file| &file.scan);
        start_time(scans, self.restart)
    }

    /// The tags, sorted.
    pub fn tags(&self) -> Vec<&'a str> {
        let mut tags: Vec<&str> = Vec::new();
        for file in self.files {
            let names = file.scan.tags().names().iter().enumerate();
            let used = names.filter(|(number, _)| file.scan.count(*number) > 0);
            tags.extend(used.map(|(_, name)| &**name));
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The series under `tag`.
    pub fn series(&self, tag: &str) -> Option<LogSeries<'_>> {
        let found = self.files.iter().find_map(|file| {
            let number = file.scan.tags().find(tag)?;
            let tag = file.scan.tags().names().get(number)?;
            (file.scan.count(number) > 0).then_some(&**tag)
        });
        let tag = found?;
        Some(LogSeries {
            tag,
            files: self.files,
            keep: self.purges.of(tag),
        })
    }
}

/// When a run began, as its policy's reader says it.
pub(super) fn start_time<'a, P: 'a>(
    mut scans: impl Iterator<Item = &'a Scan<P>>,
    restart: Restart,
) -> Option<f64> {
    match restart {
        Restart::DataServer => scans
            .filter_map(Scan::least_wall_time)
            .min_by(f64::total_cmp),
        _ => scans.find_map(Scan::first_wall_time),
    }
}

impl<'a> LogSeries<'a> {
    /// Its tag.
    pub fn tag(&self) -> Tag {
        Tag::from(self.tag)
    }

    fn said(&self) -> Option<&'a Said> {
        self.files.iter().find_map(|file| {
            let number = file.scan.tags().find(self.tag)?;
            file.scan.said(number)
        })
    }

    /// The plugin that reads it; empty where none is named.
    pub fn plugin(&self) -> &'a str {
        self.said().map_or("", |said| &said.plugin)
    }

    /// How TensorBoard stores it.
    pub fn data_class(&self) -> DataClass {
        let class = self.said().map_or(0, |said| said.class);
        DataClass::try_from(class).unwrap_or_default()
    }

    /// Its points.
    pub fn points(&self) -> LogPoints<'_> {
        LogPoints {
            series: self,
            file: 0,
            column: self.column(0),
            index: 0,
        }
    }

    /// Reads the values of its points.
    pub fn values(&self) -> LogValues {
        LogValues::new(self.tag, self.said())
    }

    fn column(&self, file: usize) -> Option<&'a Column> {
        let scan = &self.files.get(file)?.scan;
        scan.points.get(scan.tags().find(self.tag)?)
    }
}

impl<'a> Iterator for LogPoints<'a> {
    type Item = LogPoint<'a>;

    fn next(&mut self) -> Option<LogPoint<'a>> {
        loop {
            let file = self.series.files.get(self.file)?;
            let Some(row) = self.column.and_then(|column| column.row(self.index)) else {
                self.file += 1;
                self.index = 0;
                self.column = self.series.column(self.file);
                continue;
            };
            let index = self.index as u64;
            self.index += 1;
            let (number, nth) = match row.cell {
                Cell::Number(number) => (Some(number), 0),
                Cell::Nth(nth) => (None, nth),
            };
            let keep = self.series.keep;
            if keep.keeps(self.file, index, row.offset, row.step, number.is_some()) {
                return Some(LogPoint {
                    step: Step::from(row.step),
                    wall_time: row.wall_time,
                    number,
                    file,
                    offset: row.offset,
                    nth,
                });
            }
        }
    }
}
