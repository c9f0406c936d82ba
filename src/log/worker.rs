//! The thread that writes a log: takes messages from the rings, writes them, shows them to the sinks.
//!
//! One thread a log, whatever the number of runs and of logging threads. Messages of one logging
//! thread keep their order; a flush mark has everything before it written before anything behind it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Error;
use super::encode;
use super::encode::ScalarForm;
use super::file::EventFile;
use super::ring::{Message, Ring};
use super::series::Entry;
use super::shared::Shared;
use super::stamp::{Stamp, Timeline};
use crate::flow::{Event, Sink, SinkError, Tee, panic_message};
use crate::summary::Value;
use crate::types::{RunName, Step, Tag};

/// The series of the run `.` in which a session says that it lives while nothing is logged: for how many seconds
/// nothing was.
pub const HEARTBEAT: &str = "time/heartbeat";

/// What a ring carries beside scalars.
pub(crate) enum Item {
    /// Values of one wall time; with `flush`, the sinks see them when they are written.
    Instant {
        wall_time: f64,
        entries: Vec<(u32, Step, Payload)>,
        flush: bool,
    },
    /// Have everything before written.
    Flush,
    /// The run goes on from this step.
    Resume { run: u32, step: Step },
}

/// A value, or the way to make it: a picture is drawn here and not in the loop.
pub(crate) enum Payload {
    Value(Value),
    /// With about how many bytes it holds until then.
    Render(usize, Box<dyn FnOnce() -> Result<Value, SinkError> + Send>),
}

impl Item {
    /// How many values it holds.
    pub(super) fn values(&self) -> u64 {
        match self {
            Self::Instant { entries, .. } => entries.len() as u64,
            Self::Flush | Self::Resume { .. } => 0,
        }
    }

    pub(super) fn size(&self) -> usize {
        let size = |payload: &Payload| match payload {
            Payload::Value(value) => value.size(),
            Payload::Render(size, _) => 64 + size,
        };
        match self {
            Self::Instant { entries, .. } => {
                64 + entries
                    .iter()
                    .map(|(_, _, payload)| 24 + size(payload))
                    .sum::<usize>()
            }
            Self::Flush | Self::Resume { .. } => 16,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Render(..) => f.write_str("to be drawn"),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant {
                wall_time, entries, ..
            } => write!(f, "{} values of {wall_time}", entries.len()),
            Self::Flush => f.write_str("flush"),
            Self::Resume { step, .. } => write!(f, "resume at {step}"),
        }
    }
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    series: Vec<Entry>,
    /// Of each series.
    forms: Vec<ScalarForm>,
    runs: Vec<(RunName, EventFile)>,
    /// Where the session's own run stands: the step of what it logged last.
    step: Step,
    /// When a message came last.
    heard: Instant,
    /// When that, or a heartbeat.
    beaten: Instant,
    timeline: Timeline,
    rings: Vec<Arc<Ring>>,
    sinks: Tee,
    /// The instant that the sinks get when it is complete.
    instant: Vec<Event>,
    scratch: Vec<(u32, f32)>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, sinks: Tee) -> Self {
        Self {
            shared,
            series: Vec::new(),
            forms: Vec::new(),
            runs: Vec::new(),
            step: Step::ZERO,
            heard: Instant::now(),
            beaten: Instant::now(),
            timeline: Timeline::new(),
            rings: Vec::new(),
            sinks,
            instant: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Runs until the writer ends.
    pub(super) fn run(mut self) {
        let shared = self.shared.clone();
        // Also when a sink panics in a way that cannot be caught: nobody may wait for ever.
        let _gone = Gone(&shared);
        let mut flushed_at = Instant::now();
        loop {
            let (asked, sync, stop) = shared.requests();
            // To the end, also of what is logged from here, while pictures are drawn.
            while self.drain() && stop {}
            let beat = self.heartbeat();
            let due = flushed_at.elapsed() >= shared.config.flush_interval;
            if due || stop || asked {
                self.flush(asked);
                flushed_at = Instant::now();
            }
            if sync {
                self.runs
                    .iter_mut()
                    .for_each(|(_, file)| file.sync(&shared.account));
            }
            if stop {
                self.finish();
                return;
            }
            if asked {
                shared.answer();
            }
            if shared.has_requests() {
                continue;
            }
            // A ring that fills faster than the interval wakes this thread.
            let rest = shared
                .config
                .flush_interval
                .saturating_sub(flushed_at.elapsed());
            std::thread::park_timeout(beat.map_or(rest, |beat| rest.min(beat)));
        }
    }

    /// Takes all messages that are there; says whether there were any.
    fn drain(&mut self) -> bool {
        let mut any = false;
        let mut rings = std::mem::take(&mut self.rings);
        rings.append(&mut self.shared.new_rings());
        let mut scratch = std::mem::take(&mut self.scratch);
        for ring in &rings {
            self.timeline.look();
            ring.drain(&mut scratch, |message| {
                any = true;
                self.take(message);
            });
            self.end_instant();
        }
        rings.retain(|ring| !ring.is_over());
        self.rings = rings;
        self.scratch = scratch;
        if any {
            self.heard = Instant::now();
            self.beaten = self.heard;
        }
        any
    }

    /// Logs that nothing was logged, if it is time for that; says when it will be.
    fn heartbeat(&mut self) -> Option<Duration> {
        let every = self.shared.config.heartbeat?;
        if self.beaten.elapsed() >= every {
            let shared = self.shared.clone();
            self.rings.append(&mut shared.new_rings());
            if let Some(now) = shared.quiet_time(|| self.rings.iter().all(|ring| ring.is_empty())) {
                let silence = self.heard.elapsed().as_secs_f64();
                let beat = Event::new(".", HEARTBEAT, self.step, now, silence);
                self.log(now, vec![beat]);
                self.end_instant();
            }
            self.beaten = Instant::now();
        }
        Some(every.saturating_sub(self.beaten.elapsed()))
    }

    /// Writes events that are made here, and shows them.
    fn log(&mut self, wall_time: f64, events: Vec<Event>) {
        let Shared {
            registry,
            config,
            account,
            ..
        } = &*self.shared;
        let mut entries = Vec::new();
        for event in events {
            let run = registry.run(event.run.as_str());
            let series =
                run.and_then(|run| registry.series(run, event.tag.as_str(), config.max_series));
            match series {
                Ok(id) => entries.push((id, event.step, Payload::Value(event.value))),
                Err(error) => account.fail(error, 1),
            }
        }
        self.take_instant(wall_time, entries);
    }

    #[inline]
    fn take(&mut self, message: Message<'_>) {
        match message {
            Message::Scalar {
                series,
                stamp,
                step,
                value,
            } => self.scalar(stamp, step.into(), series, value),
            Message::Step {
                stamp,
                step,
                values,
            } => {
                let wall_time = self.timeline.wall_time(stamp);
                self.scalars(wall_time, step.into(), values);
            }
            Message::Item(item) => self.take_item(item),
        }
    }

    #[inline]
    fn scalar(&mut self, stamp: Stamp, step: Step, series: u32, value: f32) {
        if series as usize >= self.series.len() {
            self.learn();
        }
        let wall_time = self.timeline.wall_time(stamp);
        self.end_instant_before(wall_time);
        let form = &mut self.forms[series as usize];
        let (_, file) = &mut self.runs[self.series[series as usize].run as usize];
        file.append(1, &self.shared.account, |out| {
            form.append(out, wall_time, step, value);
        });
        if !self.sinks.is_empty() {
            self.show(wall_time, step, series, Value::Scalar(value));
        }
    }

    /// Writes scalars of one run and step as one event.
    fn scalars(&mut self, wall_time: f64, step: Step, values: &[(u32, f32)]) {
        let Some(&(first, _)) = values.first() else {
            return;
        };
        if values.iter().map(|&(id, _)| id).max() >= Some(self.series.len() as u32) {
            self.learn();
        }
        self.end_instant_before(wall_time);
        let forms = &self.forms;
        let (name, file) = &mut self.runs[self.series[first as usize].run as usize];
        file.append(values.len() as u64, &self.shared.account, |out| {
            encode::scalars(out, wall_time, step, values, forms);
        });
        if name.is_root() {
            self.step = step;
        }
        if !self.sinks.is_empty() {
            for &(id, value) in values {
                self.show(wall_time, step, id, Value::Scalar(value));
            }
        }
    }

    fn take_item(&mut self, item: Item) {
        match item {
            Item::Instant {
                wall_time,
                entries,
                flush,
            } => {
                self.take_instant(wall_time, entries);
                if flush {
                    self.flush(false);
                }
            }
            Item::Flush => {
                self.end_instant();
                self.flush(false);
            }
            Item::Resume { run, step } => {
                self.end_instant();
                self.learn();
                let (name, file) = &mut self.runs[run as usize];
                if name.is_root() {
                    self.step = step;
                }
                file.resume_at(step, &self.shared.account);
            }
        }
    }

    fn take_instant(&mut self, wall_time: f64, entries: Vec<(u32, Step, Payload)>) {
        self.learn();
        self.end_instant_before(wall_time);
        // Consecutive scalars of one run and step share an event.
        let mut scalars: Vec<(u32, f32)> = Vec::new();
        let mut at = (0, Step::ZERO);
        for (id, step, payload) in entries {
            let run = self.series[id as usize].run;
            let value = match payload {
                Payload::Value(value) => Ok(value),
                Payload::Render(_, render) => catch_unwind(AssertUnwindSafe(render))
                    .unwrap_or_else(|panic| Err(panic_message(&*panic).into())),
            };
            let value = match value {
                Ok(value) => value,
                Err(source) => {
                    let path = self.shared.registry.path(id);
                    self.shared.account.fail(Error::Render { path, source }, 1);
                    continue;
                }
            };
            if !scalars.is_empty() && (at != (run, step) || !matches!(value, Value::Scalar(_))) {
                self.scalars(wall_time, at.1, &std::mem::take(&mut scalars));
            }
            match value {
                Value::Scalar(value) => {
                    at = (run, step);
                    scalars.push((id, value));
                }
                value => {
                    let tag = &self.series[id as usize].tag;
                    let (name, file) = &mut self.runs[run as usize];
                    if name.is_root() {
                        self.step = step;
                    }
                    file.append(1, &self.shared.account, |out| {
                        encode::value(out, wall_time, step, tag.as_str(), &value);
                    });
                    if !self.sinks.is_empty() {
                        self.show(wall_time, step, id, value);
                    }
                }
            }
        }
        if !scalars.is_empty() {
            self.scalars(wall_time, at.1, &scalars);
        }
    }

    /// Adds an event to the instant of its wall time.
    fn show(&mut self, wall_time: f64, step: Step, series: u32, value: Value) {
        let Entry { run, tag } = &self.series[series as usize];
        let (run, _) = &self.runs[*run as usize];
        self.instant.push(Event {
            run: run.clone(),
            tag: value.fixed_tag().map_or_else(|| tag.clone(), Tag::from),
            step,
            wall_time,
            value,
        });
    }

    /// The sinks see an instant, and may answer, before anything of a later one is written.
    #[inline]
    fn end_instant_before(&mut self, wall_time: f64) {
        if self
            .instant
            .first()
            .is_some_and(|event| event.wall_time != wall_time)
        {
            self.end_instant();
        }
    }

    fn end_instant(&mut self) {
        /// A detector answers a value, a rule the detector; more is an echo.
        const ANSWERS: usize = 4;
        let Some(wall_time) = self.show_instant() else {
            return;
        };
        for _ in 0..ANSWERS {
            let feedback = self.sinks.feedback();
            if feedback.is_empty() {
                return;
            }
            self.log(wall_time, feedback);
            self.show_instant();
        }
    }

    /// Shows the instant to the sinks; says of what wall time it was.
    fn show_instant(&mut self) -> Option<f64> {
        let wall_time = self.instant.first()?.wall_time;
        let mut instant = std::mem::take(&mut self.instant);
        instant.sort_by(|a, b| a.run.cmp(&b.run));
        self.with_sinks(|sinks| sinks.accept(&instant));
        instant.clear();
        self.instant = instant;
        Some(wall_time)
    }

    fn with_sinks(&mut self, call: impl FnOnce(&mut Tee) -> Result<(), SinkError>) {
        let result = call(&mut self.sinks);
        if let Err(error) = result {
            self.shared.account.fail(Error::Sink(error), 0);
        }
    }

    /// Takes over the runs and series that are new in the registry.
    #[cold]
    fn learn(&mut self) {
        let Self {
            shared,
            series,
            forms,
            runs,
            ..
        } = self;
        let tables = shared.registry.tables();
        for name in &tables.runs[runs.len()..] {
            let config = &shared.config;
            let file = EventFile::new(name.dir_in(&config.dir), config.files.clone(), None);
            runs.push((name.clone(), file));
        }
        let new = &tables.series[series.len()..];
        forms.extend(new.iter().map(|entry| ScalarForm::new(entry.tag.as_str())));
        series.extend_from_slice(new);
    }

    /// Hands everything to the operating system; with `now`, also to a disk that refused it a moment ago.
    fn flush(&mut self, now: bool) {
        self.runs
            .iter_mut()
            .for_each(|(_, file)| file.flush(&self.shared.account, now));
    }

    fn finish(&mut self) {
        let sync = self.shared.config.sync;
        self.runs
            .iter_mut()
            .for_each(|(_, file)| file.finish(sync, &self.shared.account));
        self.with_sinks(Sink::finish);
    }
}

/// Tells those who wait that the thread is gone, however it went.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.gone();
    }
}
