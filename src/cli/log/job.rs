//! What lines become: the run that is logged, and the account of it.
//!
//! A line is checked before anything of it is logged. Ended once, by the end of the pipe or by a signal,
//! whichever comes first.

use std::collections::HashMap;

use super::keys::Reason;
use super::line::{Content, Line, ROOT, Started, first_part};
use crate::log::{self, Error, Failed, Report, RunWriter, Series, Writer};
use crate::summary::{Graph, HParams, Layout, Metric, SessionStatus, Value};
use crate::types::{Step, WallTime};

/// More runs than a loop has; each keeps files open.
const MAX_RUNS: usize = 256;

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
    /// The runs with hyperparameters, and whether it was said how they ended.
    sessions: Vec<(String, bool)>,
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

impl Job {
    pub(super) fn new(writer: Writer, settings: Settings) -> Self {
        Self {
            settings,
            writer,
            runs: HashMap::new(),
            last: HashMap::new(),
            sessions: Vec::new(),
            counts: Counts::default(),
            ended: false,
        }
    }

    /// Logs what a line says, or says why not.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<(), Reason> {
        let taken = Line::parse(line, self.settings.split_runs).and_then(|line| self.log(line));
        match taken {
            Ok(()) => self.counts.logged += 1,
            Err(_) => self.counts.skipped += 1,
        }
        taken
    }

    fn log(&mut self, line: Line) -> Result<(), Reason> {
        let Line {
            run,
            place,
            step,
            wall_time,
            content,
        } = line;
        // What a run has once takes no step of its own.
        let once = step.unwrap_or(0);
        let content = match content {
            Content::HParams(started) => return self.hparams(&place, started, wall_time),
            Content::End(status) => return self.session_end(&place, status, wall_time),
            Content::Layout(layout) => {
                let run = self.run(&place)?;
                let layout = run.writer.set_charts(layout);
                run.put(once, wall_time, Layout::TAG, layout.into());
                return Ok(());
            }
            Content::Graph(graph) => {
                self.run(&place)?.put(once, wall_time, Graph::TAG, graph);
                return Ok(());
            }
            Content::Embedding(embedding) => {
                let written = self.run(&place)?.writer.embedding(&embedding);
                return written.map_err(|error| error.to_string());
            }
            content => content,
        };
        let split = self.settings.split_runs && run.is_none();
        let run = run.as_deref().unwrap_or(ROOT);
        let step = step.map_or_else(|| self.next_step(run, split), Ok)?;
        match content {
            Content::Scalars(scalars) if split => {
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
            Content::Scalars(scalars) => {
                let tags = scalars.iter().map(|(tag, value)| (&**tag, *value));
                self.run(run)?.scalars(step, wall_time, tags);
            }
            Content::Chart { tag, scalars } => {
                let run = self.run(&place)?;
                let path = |(name, value): &(String, f64)| (format!("{tag}/{name}"), *value);
                let tags: Vec<(String, f64)> = scalars.iter().map(path).collect();
                let tags = tags.iter().map(|(tag, value)| (&**tag, *value));
                run.scalars(step, wall_time, tags);
                let names = scalars.iter().map(|(name, _)| name.as_str());
                if let Some(layout) = run.writer.add_chart(&tag, names) {
                    run.put(0, wall_time, Layout::TAG, layout.into());
                }
            }
            Content::Values(values) => {
                let run = self.run(&place)?;
                for (tag, value) in values {
                    run.value(step, wall_time, &tag, value);
                }
            }
            _ => {}
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

    /// Begins the session of a run. What the first one says of the experiment stands in the directory itself.
    fn hparams(
        &mut self,
        place: &str,
        Started { hparams, metrics }: Started,
        wall_time: Option<f64>,
    ) -> Result<(), Reason> {
        if self.sessions.iter().any(|(run, _)| run == place) {
            return Err("hyperparameters were given already".to_owned());
        }
        let hparams = metrics.into_iter().fold(hparams, |hparams, judge| {
            let (run, tag) = match self.settings.split_runs {
                true => first_part(&judge.tag),
                false => (ROOT, &*judge.tag),
            };
            let mut metric = Metric::new(if run == ROOT { "" } else { run }, tag)
                .display_name(judge.display_name)
                .description(judge.description);
            if let Some(data) = judge.measured {
                metric = metric.measured_on(data);
            }
            hparams.judged_by(metric)
        });
        let name = match place {
            ROOT => {
                let name = self.writer.dir().file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
            run => run.to_owned(),
        };
        let now = moment(wall_time);
        let time = Some(now.as_secs_f64());
        let (tag, start) = hparams.session_start(&name, now);
        self.run(place)?.put(0, time, tag, start);
        if self.sessions.is_empty() {
            let (tag, experiment) = hparams.experiment(now);
            self.run(ROOT)?.put(0, time, tag, experiment);
        }
        self.sessions.push((place.to_owned(), false));
        Ok(())
    }

    /// Ends the session of a run.
    fn session_end(
        &mut self,
        place: &str,
        status: SessionStatus,
        wall_time: Option<f64>,
    ) -> Result<(), Reason> {
        match self.sessions.iter_mut().find(|(run, _)| run == place) {
            None => return Err("no 'hparams' began the session that 'session_end' ends".to_owned()),
            Some((_, true)) => return Err("how the session ended was said already".to_owned()),
            Some((_, ended)) => *ended = true,
        }
        let (tag, value) = HParams::session_end(status, moment(wall_time));
        self.run(place)?.put(0, wall_time, tag, value);
        Ok(())
    }

    /// Writes everything, unless that was done already: then `None`. Sessions that did not say how they ended
    /// end with `status`.
    pub(super) fn end(&mut self, status: SessionStatus) -> Option<Result<Report, Failed>> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        for (run, ended) in &self.sessions {
            if !ended {
                let (tag, value) = HParams::session_end(status, WallTime::now());
                self.writer.run(run).log(tag, Step::ZERO, value);
            }
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
        self.put(step, wall_time, tag, value);
    }

    /// Logs a value wherever the run goes on: it makes nothing void.
    fn put(&self, step: i64, wall_time: Option<f64>, tag: &str, value: Value) {
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

fn moment(wall_time: Option<f64>) -> WallTime {
    let given = wall_time.and_then(WallTime::new);
    given.unwrap_or_else(WallTime::now)
}
