//! What lines become: the run that is logged, and the account of it.
//!
//! A line is checked before anything of it is logged. Ended once, by the end of the pipe or by a signal,
//! whichever comes first.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::line::{Content, Given, Line, Reason};
use crate::log::{self, Error, Failed, Report, RunWriter, Series, Writer};
use crate::summary::{HParam, HParams, Histogram, Image, SessionStatus, Text, Value};
use crate::types::{Step, WallTime};

/// More runs than a loop has; each keeps files open.
const MAX_RUNS: usize = 256;
/// The bytes that an image file may have.
const MAX_IMAGE: u64 = 64 << 20;
/// The run that a line belongs to which names none: the directory itself.
const ROOT: &str = ".";

/// How lines become events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// The first part of a tag is its run.
    pub(super) split_runs: bool,
    /// Each run goes on from the first step that is logged to it.
    pub(super) resume: bool,
}

#[derive(Debug)]
pub(super) struct Job {
    settings: Settings,
    writer: Writer,
    runs: HashMap<String, Run>,
    /// The last step of what each line's "run" named.
    last: HashMap<String, i64>,
    has_hparams: bool,
    pub(super) counts: Counts,
    ended: bool,
}

/// Lines that were not blank.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) logged: u64,
    pub(super) skipped: u64,
}

#[derive(Debug)]
struct Run {
    writer: RunWriter,
    series: HashMap<String, Series>,
    /// It is still to be said where the run goes on.
    resume: bool,
}

/// What may fail of a line, done.
enum Ready {
    Scalars(Vec<(String, f64)>),
    Values(Vec<(String, Value)>),
}

impl Job {
    pub(super) fn new(writer: Writer, settings: Settings) -> Self {
        Self {
            settings,
            writer,
            runs: HashMap::new(),
            last: HashMap::new(),
            has_hparams: false,
            counts: Counts::default(),
            ended: false,
        }
    }

    /// Logs what a line says, or says why not.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<(), Reason> {
        let taken = Line::parse(line).and_then(|line| self.log(line));
        match taken {
            Ok(()) => self.counts.logged += 1,
            Err(_) => self.counts.skipped += 1,
        }
        taken
    }

    fn log(&mut self, line: Line) -> Result<(), Reason> {
        let Line {
            run,
            step,
            wall_time,
            content,
        } = line;
        let ready = match content {
            Content::Scalars(scalars) => Ready::Scalars(scalars),
            Content::Value { tag, value } => value.ready(tag)?,
            Content::HParams { values, metrics } => {
                return self.hparams(values, &metrics, wall_time);
            }
        };
        let split = self.settings.split_runs && run.is_none();
        let run = run.as_deref().unwrap_or(ROOT);
        let step = step.map_or_else(|| self.next_step(run, split), Ok)?;
        match ready {
            Ready::Scalars(scalars) if split => {
                let mut parts: Vec<(&str, &str, f64)> = Vec::with_capacity(scalars.len());
                for (tag, value) in &scalars {
                    let (run, tag) = first_part(tag);
                    parts.push((run, tag, *value));
                }
                // Stable: tags of one run keep their order.
                parts.sort_by_key(|(run, ..)| *run);
                for (run, ..) in &parts {
                    self.run(run)?;
                }
                for part in parts.chunk_by(|(a, ..), (b, ..)| a == b) {
                    let tags = part.iter().map(|(_, tag, value)| (*tag, *value));
                    self.run(part[0].0)?.scalars(step, wall_time, tags);
                }
            }
            Ready::Scalars(scalars) => {
                let tags = scalars.iter().map(|(tag, value)| (&**tag, *value));
                self.run(run)?.scalars(step, wall_time, tags);
            }
            Ready::Values(values) => {
                for (tag, value) in values {
                    let (run, tag) = if split {
                        first_part(&tag)
                    } else {
                        (run, &*tag)
                    };
                    self.run(run)?.value(step, wall_time, tag, value);
                }
            }
        }
        match self.last.get_mut(run) {
            Some(last) => *last = step,
            None => drop(self.last.insert(run.to_owned(), step)),
        }
        Ok(())
    }

    /// The step behind the last one of `run`, or with `split` of all runs; in a log that goes on, behind
    /// what is there.
    fn next_step(&self, run: &str, split: bool) -> Result<i64, Reason> {
        let last = match self.last.get(run) {
            Some(last) => Some(*last),
            None if self.settings.resume => match log::last_steps(self.writer.dir()) {
                Ok(steps) if split => steps.values().max().map(|step| step.as_i64()),
                Ok(steps) => steps.get(run).map(|step| step.as_i64()),
                Err(Error::NoEvents { .. }) => None,
                Err(error) => return Err(format!("no step, and none to go on from: {error}")),
            },
            None => None,
        };
        last.map_or(Some(0), |last| last.checked_add(1))
            .ok_or_else(|| "no step, and none behind the last one".to_owned())
    }

    /// The run `name`, new or known.
    fn run(&mut self, name: &str) -> Result<&mut Run, Reason> {
        // Twice looked up, for a borrow that is returned cannot end before that.
        if !self.runs.contains_key(name) {
            let part_is_fine =
                |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
            let fine = name.split('/').all(part_is_fine) && !name.contains("tfevents");
            if name != ROOT && !fine {
                return Err(Error::RunName {
                    name: name.to_owned(),
                }
                .to_string());
            }
            if self.runs.len() >= MAX_RUNS {
                return Err(format!(
                    "'{name}' would be one more than {MAX_RUNS} runs: is a number part of its name?"
                ));
            }
            let run = Run {
                writer: self.writer.run(name),
                series: HashMap::new(),
                resume: self.settings.resume,
            };
            self.runs.insert(name.to_owned(), run);
        }
        self.runs.get_mut(name).ok_or_else(String::new)
    }

    fn hparams(
        &mut self,
        values: Vec<(String, HParam)>,
        metrics: &[String],
        wall_time: Option<f64>,
    ) -> Result<(), Reason> {
        if self.has_hparams {
            return Err("hyperparameters were given already".to_owned());
        }
        let mut hparams = HParams::new();
        for (name, value) in values {
            hparams = hparams.set(name, value);
        }
        for metric in metrics {
            let (run, tag) = match self.settings.split_runs {
                true => first_part(metric),
                false => (ROOT, &**metric),
            };
            hparams = hparams.metric(if run == ROOT { "" } else { run }, tag);
        }
        let name = self.writer.dir().file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let now = wall_time
            .and_then(WallTime::new)
            .unwrap_or_else(WallTime::now);
        let run = self.writer.run(ROOT);
        for (tag, value) in [hparams.experiment(now), hparams.session_start(&name, now)] {
            run.log_at(tag, Step::ZERO, now.as_secs_f64(), value);
        }
        self.has_hparams = true;
        Ok(())
    }

    /// Writes everything, unless that was done already: then `None`.
    pub(super) fn end(&mut self, status: SessionStatus) -> Option<Result<Report, Failed>> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        if self.has_hparams {
            let (tag, value) = HParams::session_end(status, WallTime::now());
            self.writer.run(ROOT).log(tag, Step::ZERO, value);
        }
        Some(self.writer.clone().finish())
    }

    /// Whether a signal ended it.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Run {
    /// Logs numbers of one step as one event; as one each where the line says when it was.
    fn scalars<'a>(
        &mut self,
        step: i64,
        wall_time: Option<f64>,
        scalars: impl Iterator<Item = (&'a str, f64)>,
    ) {
        if let Some(wall_time) = wall_time {
            for (tag, value) in scalars {
                self.value(step, Some(wall_time), tag, value.into());
            }
            return;
        }
        self.begin(step);
        let Self { writer, series, .. } = self;
        let mut guard = writer.step(step);
        for (tag, value) in scalars {
            match series.get(tag) {
                Some(series) => guard.scalar(series, value),
                None => {
                    let new = writer.series(tag);
                    guard.scalar(&new, value);
                    // A writer takes only so many; a refused one is not remembered either.
                    if new.id().is_some() {
                        series.insert(tag.to_owned(), new);
                    }
                    &mut guard
                }
            };
        }
    }

    fn value(&mut self, step: i64, wall_time: Option<f64>, tag: &str, value: Value) {
        self.begin(step);
        match wall_time {
            Some(wall_time) => self.writer.log_at(tag, step, wall_time, value),
            None => self.writer.log(tag, step, value),
        }
    }

    fn begin(&mut self, step: i64) {
        if std::mem::take(&mut self.resume) {
            self.writer.resume_at(step);
        }
    }
}

impl Given {
    fn ready(self, tag: String) -> Result<Ready, Reason> {
        let one = |tag, value| Ready::Values(vec![(tag, value)]);
        Ok(match self {
            Self::Number(number) => Ready::Scalars(vec![(tag, number)]),
            Self::Text(text) => one(tag, Text::new(text).into()),
            Self::Buckets(buckets) => one(tag, Histogram::from_buckets(buckets).into()),
            Self::Histogram(values) => {
                let histogram = Histogram::of(&values);
                let counts = histogram.nonfinite_counts();
                let counts =
                    counts.map(|(kind, count)| (format!("{tag}/{kind}"), (count as f64).into()));
                let mut values: Vec<(String, Value)> = counts.collect();
                values.push((tag, histogram.into()));
                Ready::Values(values)
            }
            Self::Image(path) => {
                let image = image(&path);
                one(
                    tag,
                    image
                        .map_err(|why| format!("image {}: {why}", path.display()))?
                        .into(),
                )
            }
        })
    }
}

fn image(path: &Path) -> Result<Image, Reason> {
    // Asked first: opening a pipe waits for whoever writes to it.
    let about = path.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("not a file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_IMAGE + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_IMAGE {
        return Err(format!("larger than {} MiB", MAX_IMAGE >> 20));
    }
    Image::from_encoded(bytes).map_err(|error| error.to_string())
}

/// Run and tag of `train/loss`; a tag of one part belongs to the directory itself.
fn first_part(tag: &str) -> (&str, &str) {
    match tag.split_once('/') {
        Some((run, tag)) if !run.is_empty() && !tag.is_empty() => (run, tag),
        _ => (ROOT, tag),
    }
}
