//! Logs into a new log, record by record.
//!
//! A record that an edit does not touch is written byte for byte, in a file of the same name: whatever a reader makes
//! of the one log, it makes of the other, also of sessions that start again, of kinds that nobody here knows, and of
//! the boundaries of files. Only damage is left behind.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use prost::bytes::Bytes;

use super::edit::Edit;
use super::pace::Pace;
use crate::flow::ByTime;
use crate::log::{Error, LogRecord, Problem, RecordFile, RunRecords, check_unused, copy_projector};
use crate::proto::{
    self, SessionLog, SummaryMetadata, event::What, session_log::SessionStatus, summary::value,
};
use crate::record::{FOOTER_LEN, HEADER_LEN};
use crate::summary::{Graph, Tensor};
use crate::types::{RunName, Step, Tag};

/// Pauses that are long enough for a reader to look at what was written so far.
const LOOK: Duration = Duration::from_millis(20);

/// Copies logs into a new one.
///
/// Runs that are given one name become one run, in the order of wall times. The projector's settings and files go
/// with their run; of runs that become one, the first one's settings.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let (old, new) = (dir.path().join("old"), dir.path().join("new"));
/// use modelpulse::{log::{LogReader, Writer}, replay::{Edit, LogCopy}};
/// let writer = Writer::create(&old)?;
/// (0..10_i64).for_each(|step| writer.run("train").scalar("loss", step, 0.5));
/// writer.finish()?;
/// let copied = LogCopy::of(&old)?.edit(Edit::default().every(5)).write(&new)?;
/// assert_eq!(copied.values, 2);
/// let mut log = LogReader::open(&new)?;
/// assert_eq!(log.instant()?.unwrap()[0].path(), "train/loss");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct LogCopy {
    logs: Vec<(PathBuf, Option<RunName>)>,
    inputs: Vec<Input>,
    edit: Edit,
    speed: Option<f64>,
    problems: Vec<Problem>,
    values: u64,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Values written.
    pub values: u64,
    /// Runs written.
    pub runs: u64,
    /// What of the logs could not be read, and is not in the new one.
    pub problems: Vec<Problem>,
}

impl LogCopy {
    /// A copy of the log directory `dir`.
    ///
    /// # Errors
    /// [`Error::Read`] where a directory cannot be read, [`Error::NoEvents`] where there is no run.
    pub fn of(dir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::default().and(dir, None)
    }

    /// Adds the log directory `dir`; with `below`, its runs go below a run of that name.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn and(mut self, dir: impl AsRef<Path>, below: Option<&str>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        self.logs.push((dir.to_owned(), below.map(RunName::from)));
        for records in RunRecords::of(dir)? {
            self.inputs.push(Input {
                below: below.map(RunName::from),
                records,
                started: false,
                metadata: HashMap::new(),
            });
        }
        Ok(self)
    }

    /// What is copied, and under which names, steps and times. A run's name is that in its log.
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edit = edit;
        self
    }

    /// Takes the time that the log took, `speed` times faster. Default: as fast as possible.
    pub fn speed(mut self, speed: f64) -> Self {
        self.speed = Some(speed);
        self
    }

    /// Writes the copy to the new log directory `to`.
    ///
    /// # Errors
    /// [`Error::InUse`] where `to` has event files, [`Error::RunName`] where the edit gives a name that is none,
    /// [`Error::Read`] and [`Error::Write`].
    pub fn write(self, to: impl AsRef<Path>) -> Result<Copied, Error> {
        self.write_with(to, |_| ())
    }

    /// As [`write`](Self::write); `progress` is told at every record how many bytes more were read, of those that
    /// [`total_bytes`](crate::log::total_bytes) says.
    ///
    /// # Errors
    /// The same.
    pub fn write_with(
        mut self,
        to: impl AsRef<Path>,
        mut progress: impl FnMut(u64),
    ) -> Result<Copied, Error> {
        let to = to.as_ref();
        check_unused(to)?;
        let mut groups: BTreeMap<RunName, Vec<Input>> = BTreeMap::new();
        for input in std::mem::take(&mut self.inputs) {
            let Some(mut run) = self.edit.run(input.records.run()) else {
                continue;
            };
            if let Some(below) = &input.below {
                run = if run.is_root() {
                    below.clone()
                } else {
                    below.path_of(run.as_str()).into()
                };
            }
            if !run.is_path() {
                let name = run.to_string();
                return Err(Error::RunName { name });
            }
            groups.entry(run).or_default().push(input);
        }
        for (run, inputs) in &groups {
            for from in inputs.iter().filter_map(|input| input.records.dir()) {
                copy_projector(from, &run.dir_in(to))?;
            }
        }
        // TensorBoard reads the settings in the log directory itself too.
        let is_run = |dir: &Path| {
            let mut inputs = groups.values().flatten();
            inputs.any(|input| input.records.dir() == Some(dir))
        };
        for (from, below) in self.logs.iter().filter(|(from, _)| !is_run(from)) {
            let to = below
                .as_ref()
                .map_or_else(|| to.to_owned(), |run| run.dir_in(to));
            copy_projector(from, &to)?;
        }
        let runs = groups.len() as u64;
        let groups = groups
            .into_iter()
            .map(|(run, inputs)| (Output::new(run.dir_in(to), &inputs), inputs));
        match self.speed {
            // One run after the other, so that few files are open at once.
            None => {
                for (output, inputs) in groups {
                    self.copy(vec![(output, inputs)], None, &mut progress)?;
                }
            }
            Some(speed) => {
                let groups = groups.collect();
                self.copy(groups, Some(Pace::new(speed)), &mut progress)?;
            }
        }
        Ok(Copied {
            values: self.values,
            runs,
            problems: self.problems,
        })
    }

    fn copy(
        &mut self,
        groups: Vec<(Output, Vec<Input>)>,
        mut pace: Option<Pace>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        let (mut outputs, mut inputs) = (Vec::new(), Vec::new());
        for (index, (output, its)) in groups.into_iter().enumerate() {
            outputs.push(output);
            inputs.extend(its.into_iter().map(|input| (index, input)));
        }
        let mut heads = BinaryHeap::new();
        let mut next = (0..inputs.len()).collect::<Vec<_>>();
        loop {
            // Those whose next record is not known.
            for index in next.drain(..) {
                if let Some(record) = inputs[index].1.records.peek()? {
                    heads.push(Reverse((ByTime(record.event.wall_time), index)));
                }
            }
            let Some(Reverse((ByTime(wall_time), index))) = heads.pop() else {
                break;
            };
            if let Some(pace) = &mut pace {
                let rest = pace.rest(wall_time);
                if rest >= LOOK {
                    outputs.iter_mut().try_for_each(Output::flush)?;
                }
                std::thread::sleep(rest);
            }
            let (output, input) = &mut inputs[index];
            let output = &mut outputs[*output];
            if let Some(record) = input.records.next()? {
                if !output.is_merged() || output.takes(&record.event, input) {
                    for (values, payload) in input.edited(&record, &mut self.edit) {
                        output.append(&record.file, &payload)?;
                        self.values += values;
                    }
                }
                progress((HEADER_LEN + record.payload.len() + FOOTER_LEN) as u64);
            }
            next.push(index);
        }
        for (_, input) in inputs {
            self.problems.extend(input.records.into_problems());
        }
        outputs.into_iter().try_for_each(Output::finish)
    }
}

/// A run that is read.
#[derive(Debug)]
struct Input {
    below: Option<RunName>,
    records: RunRecords,
    /// Whether a START was met.
    started: bool,
    /// What the values left out said of their tags: only a tag's first one needs to.
    metadata: HashMap<String, SummaryMetadata>,
}

impl Input {
    /// What is left of a record: payloads, with how many values each holds.
    fn edited(&mut self, record: &LogRecord, edit: &mut Edit) -> Vec<(u64, Bytes)> {
        let event = &record.event;
        let at = (Step::from(event.step), event.wall_time);
        let run = self.records.run();
        let unchanged = |values| vec![(values, record.payload.clone())];
        let moved = |(step, wall_time): (Step, f64), what: Option<What>| proto::Event {
            step: step.as_i64(),
            wall_time,
            what,
            source_metadata: event.source_metadata.clone(),
        };
        let tag = match &event.what {
            Some(What::Summary(summary)) => {
                return self.edited_summary(record, summary, edit);
            }
            Some(What::TaggedRunMetadata(run)) => Tag::from(run.tag.as_str()),
            Some(What::GraphDef(_) | What::MetaGraphDef(_)) => Tag::from(Graph::TAG),
            _ => {
                let to = edit.moved(at.0, at.1);
                if same(at, to) {
                    return unchanged(0);
                }
                let payload = moved(to, event.what.clone()).encode_to_vec();
                return vec![(0, payload.into())];
            }
        };
        let Some((name, step, wall_time)) = edit.place(run, &tag, at, false) else {
            return Vec::new();
        };
        if name == tag && same(at, (step, wall_time)) {
            return unchanged(1);
        }
        let mut what = event.what.clone();
        // A graph has no tag that could be changed.
        if let Some(What::TaggedRunMetadata(run)) = &mut what {
            run.tag = name.to_string();
        }
        let payload = moved((step, wall_time), what).encode_to_vec();
        vec![(1, payload.into())]
    }

    fn edited_summary(
        &mut self,
        record: &LogRecord,
        summary: &proto::Summary,
        edit: &mut Edit,
    ) -> Vec<(u64, Bytes)> {
        let event = &record.event;
        let at = (Step::from(event.step), event.wall_time);
        let mut changed = false;
        // Values of one event that go different ways need an event each.
        let mut events: Vec<((Step, f64), proto::Summary)> = Vec::new();
        for value in &summary.value {
            let tag = Tag::from(value.tag.as_str());
            let nonfinite = edit.thins() && is_nonfinite(value);
            let Some((name, step, wall_time)) = edit.place(self.records.run(), &tag, at, nonfinite)
            else {
                changed = true;
                if let Some(metadata) = &value.metadata {
                    let known = self.metadata.entry(value.tag.clone());
                    known.or_insert_with(|| metadata.clone());
                }
                continue;
            };
            let mut value = value.clone();
            let metadata = self.metadata.remove(&value.tag);
            if value.metadata.is_none() && metadata.is_some() {
                value.metadata = metadata;
                changed = true;
            }
            changed |= name != tag || !same(at, (step, wall_time));
            value.tag = name.to_string();
            match events.last_mut() {
                Some((place, summary)) if same(*place, (step, wall_time)) => {
                    summary.value.push(value);
                }
                _ => {
                    let summary = proto::Summary { value: vec![value] };
                    events.push(((step, wall_time), summary));
                }
            }
        }
        if !changed {
            return vec![(summary.value.len() as u64, record.payload.clone())];
        }
        let payload = |((step, wall_time), summary): ((Step, f64), proto::Summary)| {
            let values = summary.value.len() as u64;
            let event = proto::Event {
                step: step.as_i64(),
                wall_time,
                what: Some(What::Summary(summary)),
                source_metadata: event.source_metadata.clone(),
            };
            (values, event.encode_to_vec().into())
        };
        events.into_iter().map(payload).collect()
    }
}

fn same(a: (Step, f64), b: (Step, f64)) -> bool {
    (a.0, a.1.to_bits()) == (b.0, b.1.to_bits())
}

/// Whether a value is a single number that is NaN or infinite.
fn is_nonfinite(value: &proto::summary::Value) -> bool {
    match &value.value {
        Some(value::Value::SimpleValue(number)) => !number.is_finite(),
        Some(value::Value::Tensor(tensor)) if tensor.encoded_len() < 64 => {
            let tensor = Tensor {
                metadata: SummaryMetadata::default(),
                tensor: tensor.clone(),
            };
            let numbers = tensor.as_f64s();
            numbers.is_ok_and(|numbers| matches!(numbers[..], [one] if !one.is_finite()))
        }
        _ => false,
    }
}

/// A run that is written.
#[derive(Debug)]
struct Output {
    dir: PathBuf,
    /// The name of its only file, where several runs become one.
    merged: Option<OsString>,
    has_version: bool,
    open: Option<(Arc<Path>, RecordFile)>,
    /// The files that are still to be made.
    left: Vec<OsString>,
}

impl Output {
    fn new(dir: PathBuf, inputs: &[Input]) -> Self {
        let files = inputs.iter().flat_map(|input| input.records.files());
        let mut left: Vec<_> = files
            .filter_map(|path| path.file_name().map(OsString::from))
            .collect();
        left.sort();
        let merged = (inputs.len() > 1).then(|| left.first().cloned().unwrap_or_default());
        if merged.is_some() {
            left.truncate(1);
        }
        Self {
            dir,
            merged,
            has_version: false,
            open: None,
            left,
        }
    }

    fn is_merged(&self) -> bool {
        self.merged.is_some()
    }

    /// Whether a record belongs into the one file of several runs: a version does once, and a START unless it is the
    /// first of its run, which says that the run begins and not that it starts again.
    fn takes(&mut self, event: &proto::Event, input: &mut Input) -> bool {
        match &event.what {
            Some(What::FileVersion(_)) => !std::mem::replace(&mut self.has_version, true),
            Some(What::SessionLog(SessionLog { status, .. }))
                if *status == i32::from(SessionStatus::Start) =>
            {
                std::mem::replace(&mut input.started, true)
            }
            _ => true,
        }
    }

    fn append(&mut self, file: &Arc<Path>, payload: &[u8]) -> Result<(), Error> {
        let goes_on = |open: &(Arc<Path>, RecordFile)| self.merged.is_some() || open.0 == *file;
        if !self.open.as_ref().is_some_and(goes_on) {
            self.close()?;
            let own = file.file_name().unwrap_or_default();
            let name = self.merged.as_deref().unwrap_or(own);
            self.left.retain(|left| left != name);
            let made = RecordFile::new(self.dir.join(name));
            self.open = Some((file.clone(), made));
        }
        match &mut self.open {
            Some((_, file)) => file.append(payload),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        match &mut self.open {
            Some((_, file)) => file.flush(),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some((_, file)) => file.finish(),
            None => Ok(()),
        }
    }

    /// A file that had nothing to copy is made all the same: it is what makes an empty run one.
    fn finish(mut self) -> Result<(), Error> {
        self.close()?;
        for name in &self.left {
            RecordFile::new(self.dir.join(name)).finish()?;
        }
        Ok(())
    }
}
