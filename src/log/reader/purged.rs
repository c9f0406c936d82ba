//! The events of a log without the points that a restart policy leaves out, in memory that does not grow with it.
//!
//! What a later session voids is known at the end only, so each run is gone through before its first event.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::discover::discover;
use super::records::{CHUNK, Records};
use super::restart::{Purges, Restart};
use super::scan::{Point, Points, Scan};
use super::threads::on_all_cores;
use super::{LogReader, Problem};
use crate::flow::{Event, SinkError, Source};
use crate::log::Error;
use crate::record::Tail;
use crate::types::{RunName, Tag};

/// Reads a log directory as [`LogReader`] does, and leaves out what a [`Restart`] policy says.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::{flow::Source, log::{PurgedReader, Restart, Writer}};
/// for (resumed, steps) in [(false, 0..10_i64), (true, 5..8)] {
///     let writer = Writer::create(dir.path())?;
///     let train = writer.run("train");
///     if resumed {
///         train.resume_at(steps.start);
///     }
///     steps.for_each(|step| train.scalar("loss", step, 0.5));
///     writer.finish()?;
/// }
/// let count = |restart| -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
///     let mut log = PurgedReader::open_runs(dir.path(), restart, |_| true)?;
///     let mut count = 0;
///     while let Some(instant) = log.next_instant()? {
///         count += instant.len();
///     }
///     Ok(count)
/// };
/// assert_eq!(count(Restart::KeepAll)?, 13);
/// assert_eq!(count(Restart::Purge)?, 8);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct PurgedReader {
    log: LogReader,
    /// Of the runs of which something is left out.
    runs: HashMap<RunName, Run>,
}

#[derive(Debug)]
struct Run {
    purges: Purges,
    files: HashMap<PathBuf, usize>,
    /// The file that is being read, and how many points of each of its series came.
    file: usize,
    counts: HashMap<Tag, u64>,
}

impl PurgedReader {
    /// Reads the runs of `dir` that `takes` takes.
    ///
    /// # Errors
    /// As [`LogReader::open`].
    pub fn open_runs(
        dir: impl AsRef<Path>,
        restart: Restart,
        takes: impl Fn(&RunName) -> bool,
    ) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let mut runs = HashMap::new();
        if restart != Restart::KeepAll {
            let found = discover(dir)?.runs.into_iter();
            let mut scans: Vec<(RunName, Vec<Scanned>)> = found
                .filter(|(run, _)| takes(run))
                .map(|(run, paths)| {
                    let scan = |path| (path, Scan::new(Nothing));
                    (run, paths.into_iter().map(scan).collect())
                })
                .collect();
            let files = scans.iter_mut().flat_map(|(_, files)| files);
            on_all_cores(files.collect(), |(path, scan)| {
                scan.read_all(&mut Records::new(path.clone(), CHUNK), Tail::Final, |_| ());
            });
            for (run, files) in scans {
                let notes: Vec<&Scan<Nothing>> = files.iter().map(|(_, scan)| scan).collect();
                let purges = Purges::new(restart, &notes);
                if !purges.is_empty() {
                    let paths = files.into_iter().map(|(path, _)| path).zip(0..);
                    let run_of = Run {
                        purges,
                        files: paths.collect(),
                        file: 0,
                        counts: HashMap::new(),
                    };
                    runs.insert(run, run_of);
                }
            }
        }
        let log = LogReader::open_runs(dir, takes)?;
        Ok(Self { log, runs })
    }

    /// As [`LogReader::bytes_read`].
    pub fn bytes_read(&self) -> u64 {
        self.log.bytes_read()
    }

    /// What could not be read so far.
    pub fn problems(&self) -> &[Problem] {
        self.log.problems()
    }
}

impl Source for PurgedReader {
    fn next_instant(&mut self) -> Result<Option<Vec<Event>>, SinkError> {
        while let Some(mut instant) = self.log.instant()? {
            if self.runs.is_empty() {
                return Ok(Some(instant));
            }
            let runs = &mut self.runs;
            let mut places = self.log.places().iter();
            instant.retain(|event| {
                let place = places.next();
                let run = runs.get_mut(&event.run);
                place
                    .zip(run)
                    .is_none_or(|(place, run)| run.keeps(event, place.path(), place.offset()))
            });
            if !instant.is_empty() {
                return Ok(Some(instant));
            }
        }
        Ok(None)
    }
}

impl Run {
    fn keeps(&mut self, event: &Event, file: &Path, offset: u64) -> bool {
        // A file that came after the first look is behind all that is known.
        let file = self.files.get(file).copied().unwrap_or(usize::MAX);
        if file != self.file {
            self.file = file;
            self.counts.clear();
        }
        let count = self.counts.entry(event.tag.clone()).or_default();
        let index = *count;
        *count += 1;
        let is_number = event.value.number().is_some();
        let keep = self.purges.of(event.tag.as_str());
        keep.keeps(file, index, offset, event.step.as_i64(), is_number)
    }
}

/// A file, and what it notes of restarts.
type Scanned = (PathBuf, Scan<Nothing>);

/// Keeps no points, only what is noted of restarts.
#[derive(Debug)]
struct Nothing;

impl Points for Nothing {
    fn point(&mut self, _: usize, _: Point) {}
}
