//! Goes through the records of one file: its series, its points, and what it notes of restarts.
//!
//! What is done with the points is another's: they are handed on one by one.

use prost::Message;

use super::problem::ProblemKind;
use super::records::Records;
use super::restart::{FileNotes, Noted, SeriesNotes};
use super::tags::Tags;
use super::wire::{self, Field, Number, Simple, Unusual, What};
use crate::proto::{self, DataClass};
use crate::record::{FOOTER_LEN, HEADER_LEN, Tail};
use crate::summary::{Graph, class_of};

/// After how many bytes progress is told.
const PROGRESS: u64 = 1 << 20;

/// Takes the points of a file.
pub(super) trait Points {
    /// The next point of series number `series`; numbers begin at 0, and none is left out.
    fn point(&mut self, series: usize, point: Point);
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) step: i64,
    pub(super) wall_time: f64,
    /// Where its record begins.
    pub(super) offset: u64,
    /// Which value of its event it is.
    pub(super) nth: u32,
    /// `None` for what is no number.
    pub(super) number: Option<Number>,
}

/// What was read of one file.
#[derive(Debug, Default)]
pub(super) struct Scan<P> {
    tags: Tags,
    series: Vec<Series>,
    notes: FileNotes,
    pub(super) points: P,
    first_wall_time: Option<f64>,
    least_wall_time: Option<f64>,
    /// Where the last record begins that holds values.
    last_offset: Option<u64>,
    /// Whether a tensor of the record in hand has not as many elements as its shape says.
    shape_lies: bool,
}

#[derive(Debug, Default)]
struct Series {
    /// What the first value's metadata said.
    initial: Option<Said>,
    /// What the first metadata said, with the data class that it means.
    shown: Option<Said>,
    notes: SeriesNotes,
}

/// What metadata says of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) plugin: String,
    /// The data class as it is written, and as it is meant.
    pub(super) written: i32,
    pub(super) class: i32,
}

impl<P: Points> Scan<P> {
    /// Hands points on to `points`.
    pub(super) fn new(points: P) -> Self {
        Self {
            points,
            tags: Tags::default(),
            series: Vec::new(),
            notes: FileNotes::default(),
            first_wall_time: None,
            least_wall_time: None,
            last_offset: None,
            shape_lies: false,
        }
    }

    /// Takes all records that are there. `progress` is told now and then how many bytes more were read.
    pub(super) fn read_all(
        &mut self,
        records: &mut Records,
        tail: Tail,
        mut progress: impl FnMut(u64),
    ) {
        let mut told = records.taken();
        while let Some(record) = records.next(tail, self.last_step()) {
            let (offset, length) = (record.offset, record.payload.len());
            let before = self.last_step();
            if let Err(kind) = self.record(offset, record.payload) {
                let length = (HEADER_LEN + length + FOOTER_LEN) as u64;
                records.problem(kind, offset, length, before);
            }
            if self.is_last(offset)
                && let Some(step) = self.last_step()
            {
                records.settle(step);
            }
            if offset >= told + PROGRESS {
                progress(offset - told);
                told = offset;
            }
        }
        progress(records.taken().saturating_sub(told));
    }

    /// Takes a whole record's payload.
    #[inline]
    pub(super) fn record(&mut self, offset: u64, payload: &[u8]) -> Result<(), ProblemKind> {
        let read = match Simple::read(payload) {
            Some(event) => self.simple(offset, event),
            None => self.read(offset, payload),
        };
        match read {
            Ok(()) if self.shape_lies => self.lying(),
            Ok(()) => Ok(()),
            Err(Unusual) => self.unusual(offset, payload),
        }
    }

    /// Takes an event of one number.
    #[inline(always)]
    fn simple(&mut self, offset: u64, event: Simple<'_>) -> Result<(), Unusual> {
        let Simple {
            wall_time,
            step,
            number,
            ..
        } = event;
        let series = self.series_of(event.tag)?;
        self.begin(wall_time);
        self.notes.summary(offset, step);
        if self.series[series].shown.is_none() {
            self.say(series, Some(("scalars", DataClass::Scalar as i32)));
        }
        self.point(
            series,
            Point {
                step,
                wall_time,
                offset,
                nth: 0,
                number: Some(Number::Single(number)),
            },
        );
        Ok(())
    }

    #[cold]
    fn lying(&mut self) -> Result<(), ProblemKind> {
        self.shape_lies = false;
        Err(ProblemKind::BadShape)
    }

    /// What is written in an unusual way is written anew first.
    #[cold]
    fn unusual(&mut self, offset: u64, payload: &[u8]) -> Result<(), ProblemKind> {
        let event = proto::Event::decode(payload).map_err(|error| not_an_event(&error))?;
        match self.read(offset, &event.encode_to_vec()) {
            Ok(()) if self.shape_lies => self.lying(),
            Ok(()) => Ok(()),
            Err(Unusual) => Err(ProblemKind::Unparsable),
        }
    }

    /// Reads an event. Nothing is taken of one that is unusual.
    fn read(&mut self, offset: u64, payload: &[u8]) -> Result<(), Unusual> {
        let event = wire::Event::read(payload)?;
        match event.what {
            What::Summary(summary) => match summary.single()? {
                Some(value) => {
                    let series = self.series_of(value.tag)?;
                    self.begin(event.wall_time);
                    self.notes.summary(offset, event.step);
                    self.value(&event, offset, 0, series, &value)?;
                }
                None => {
                    summary.each(|value| value.tag().map(drop))?;
                    self.begin(event.wall_time);
                    self.notes.summary(offset, event.step);
                    let mut nth = 0;
                    summary.each(|value| {
                        let series = self.series_of(value.tag)?;
                        self.value(&event, offset, nth, series, &value)?;
                        nth += 1;
                        Ok(())
                    })?;
                }
            },
            What::Graph => self.field(&event, offset, Graph::TAG, "graphs")?,
            What::RunMetadata { tag } => {
                self.field(&event, offset, tag, "graph_tagged_run_metadata")?;
            }
            What::FileVersion(version) => {
                self.begin(event.wall_time);
                self.notes.version(version);
            }
            What::Session { status } => {
                self.begin(event.wall_time);
                if status == proto::session_log::SessionStatus::Start as i32 {
                    self.notes.start(offset, event.step);
                }
            }
            What::Nothing | What::Unseen => self.begin(event.wall_time),
        }
        Ok(())
    }

    #[inline]
    fn begin(&mut self, wall_time: f64) {
        if self.first_wall_time.is_none() {
            self.first_wall_time = Some(wall_time);
        }
        if self.least_wall_time.is_none_or(|least| wall_time < least) && wall_time.is_finite() {
            self.least_wall_time = Some(wall_time);
        }
    }

    #[inline]
    fn series_of(&mut self, tag: &[u8]) -> Result<usize, Unusual> {
        let number = self.tags.number(tag)?;
        if number == self.series.len() {
            self.series.push(Series::default());
        }
        Ok(number)
    }

    /// A field that readers make a value of.
    fn field(
        &mut self,
        event: &wire::Event<'_>,
        offset: u64,
        tag: &str,
        plugin: &str,
    ) -> Result<(), Unusual> {
        let series = self.series_of(tag.as_bytes())?;
        self.begin(event.wall_time);
        self.notes.summary(offset, event.step);
        self.say(series, Some((plugin, DataClass::BlobSequence as i32)));
        self.point(series, event.point(offset, 0, None));
        Ok(())
    }

    #[inline]
    fn value(
        &mut self,
        event: &wire::Event<'_>,
        offset: u64,
        nth: u32,
        mut series: usize,
        value: &wire::Value<'_>,
    ) -> Result<(), Unusual> {
        let number = match value.field {
            Field::Simple(number) => {
                if self.series[series].shown.is_none() {
                    self.say(series, Some(("scalars", DataClass::Scalar as i32)));
                }
                Some(Number::Single(number))
            }
            Field::Tensor(tensor) => {
                self.say(series, said(value));
                self.shape_lies |= !tensor.has_its_shape();
                tensor.number()
            }
            Field::Histogram => {
                self.say(series, Some(("histograms", DataClass::Tensor as i32)));
                None
            }
            Field::Image => {
                self.say(series, Some(("images", DataClass::BlobSequence as i32)));
                None
            }
            Field::Audio => {
                self.say(series, Some(("audio", DataClass::BlobSequence as i32)));
                None
            }
            Field::Nothing => {
                self.say(series, said(value));
                let shown = self.series[series].shown.as_ref();
                // Readers fill in what such metadata leaves out; all else without a value is none.
                if shown.is_none_or(|shown| shown.plugin != "hparams") {
                    return Ok(());
                }
                None
            }
        };
        if value.tag.is_empty() && !value.node_name.is_empty() {
            series = self.series_of(value.node_name.as_bytes())?;
        }
        self.point(series, event.point(offset, nth, number));
        Ok(())
    }

    #[inline(always)]
    fn point(&mut self, series: usize, point: Point) {
        self.last_offset = Some(point.offset);
        let notes = &mut self.series[series].notes;
        notes.point(
            &mut self.notes,
            point.offset,
            point.step,
            point.number.is_some(),
        );
        self.points.point(series, point);
    }

    /// What a value's metadata says, if it has any; of a series, the first counts.
    fn say(&mut self, series: usize, said: Option<(&str, i32)>) {
        let series = &mut self.series[series];
        if series.initial.is_some() && series.shown.is_some() {
            return;
        }
        let said = said.map(|(plugin, class)| Said {
            plugin: plugin.to_owned(),
            written: class,
            class,
        });
        let initial = series
            .initial
            .get_or_insert_with(|| said.clone().unwrap_or_default());
        let unknown = DataClass::Unknown as i32;
        if series.shown.is_none()
            && let Some(mut said) = said
        {
            let meant = class_of(&initial.plugin) as i32;
            if initial.class == unknown && meant != unknown {
                said.class = meant;
            }
            series.shown = Some(said);
        }
    }
}

impl wire::Event<'_> {
    #[inline]
    fn point(&self, offset: u64, nth: u32, number: Option<Number>) -> Point {
        Point {
            step: self.step,
            wall_time: self.wall_time,
            offset,
            nth,
            number,
        }
    }
}

fn said<'a>(value: &wire::Value<'a>) -> Option<(&'a str, i32)> {
    let metadata = value.metadata.as_ref()?;
    Some((metadata.plugin, metadata.data_class))
}

/// Why a whole record is no event.
pub(in crate::log) fn not_an_event(error: &prost::DecodeError) -> ProblemKind {
    if error.to_string().contains("UTF-8") {
        ProblemKind::BadUtf8
    } else {
        ProblemKind::Unparsable
    }
}

impl<P> Scan<P> {
    /// The wall time of the first event.
    pub(super) fn first_wall_time(&self) -> Option<f64> {
        self.first_wall_time
    }

    /// The least finite wall time of any event.
    pub(super) fn least_wall_time(&self) -> Option<f64> {
        self.least_wall_time
    }

    /// The step of the last event that holds values.
    pub(super) fn last_step(&self) -> Option<i64> {
        self.notes.last_step()
    }

    /// Whether the record at `offset` is the last one that holds values.
    #[inline]
    pub(super) fn is_last(&self, offset: u64) -> bool {
        self.last_offset == Some(offset)
    }

    pub(super) fn tags(&self) -> &Tags {
        &self.tags
    }

    /// How many points a series has.
    pub(super) fn count(&self, series: usize) -> u64 {
        self.series
            .get(series)
            .map_or(0, |series| series.notes.count())
    }

    /// What the first metadata of a series says.
    pub(super) fn said(&self, series: usize) -> Option<&Said> {
        self.series.get(series)?.shown.as_ref()
    }
}

impl<P> Noted for &Scan<P> {
    fn file(&self) -> &FileNotes {
        &self.notes
    }

    fn series(&self) -> impl Iterator<Item = (&str, &SeriesNotes)> {
        let notes = self.series.iter().map(|series| &series.notes);
        self.tags.names().iter().map(|tag| &**tag).zip(notes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::fs;
    use std::path::Path;

    use super::super::decode::Decoder;
    use super::*;
    use crate::record::{Item, RecordReader};
    use crate::types::RunName;

    #[derive(Default)]
    struct All(Vec<(usize, Point)>);

    impl Points for All {
        fn point(&mut self, series: usize, point: Point) {
            self.0.push((series, point));
        }
    }

    type Seen = Vec<(String, i64, u64, u32, Option<u64>)>;

    /// What is read where it lies.
    fn scanned(payload: &[u8]) -> (Result<(), ProblemKind>, Seen) {
        let mut scan = Scan::new(All::default());
        let result = scan.record(0, payload);
        let names = scan.tags.names();
        let points = scan.points.0.iter().map(|(series, point)| {
            let number = point.number.map(|number| match number {
                Number::Single(number) => f64::from(number),
                Number::Double(number) => number,
            });
            let wall_time = point.wall_time.to_bits();
            let number = number.map(f64::to_bits);
            let tag = names[*series].to_string();
            (tag, point.step, wall_time, point.nth, number)
        });
        (result, points.collect())
    }

    /// What the generated code reads.
    fn decoded(payload: &[u8], fast: bool) -> (Result<(), ProblemKind>, Seen) {
        let mut decoder = Decoder::new(RunName::root());
        let mut events = VecDeque::new();
        let result = match fast {
            true => decoder.record(payload, &mut events),
            false => decoder.any(payload, &mut events),
        };
        let points = events.into_iter().map(|(event, nth)| {
            let number = event.value.number().map(f64::to_bits);
            let wall_time = event.wall_time.to_bits();
            let tag = event.tag.as_str().to_owned();
            (tag, event.step.as_i64(), wall_time, nth, number)
        });
        (result, points.collect())
    }

    fn payloads(dir: &Path, found: &mut Vec<Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                payloads(&path, found);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let mut reader = RecordReader::new(&bytes[..]);
            let mut taken = 0;
            while let Item::Record(record) = reader.next(Tail::Final).unwrap() {
                // Of a long series, a few are as good as all.
                taken += 1;
                if record.payload.len() < 4096 && taken < 100 {
                    found.push(record.payload.to_vec());
                }
            }
        }
    }

    #[test]
    fn what_is_read_where_it_lies_is_what_the_generated_code_reads() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/given");
        let mut all = Vec::new();
        payloads(&corpus, &mut all);
        assert!(all.len() > 800, "{} records", all.len());
        let mut random = fastrand::Rng::with_seed(6);
        let (mut whole, mut broken) = (0, 0);
        let mut check = |payload: &[u8]| {
            let expected = decoded(payload, false);
            match expected.0 {
                Ok(()) => whole += 1,
                Err(_) => broken += 1,
            }
            assert_eq!(scanned(payload), expected, "{payload:?}");
            assert_eq!(decoded(payload, true), expected, "{payload:?}");
        };
        all.iter().for_each(|payload| check(payload));
        for _ in 0..60_000 {
            let mut payload = all[random.usize(..all.len())].clone();
            if payload.is_empty() {
                continue;
            }
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..payload.len());
                match random.u8(..5) {
                    0 => payload[at] ^= 1 << random.u8(..8),
                    // Wire types, lengths and keys are small numbers.
                    1 => payload[at] = random.u8(..32),
                    2 => payload.insert(at, random.u8(..)),
                    3 => drop(payload.remove(at)),
                    // Merged messages are concatenated ones.
                    _ => payload.extend_from_slice(&all[random.usize(..all.len())]),
                }
                if payload.is_empty() {
                    break;
                }
            }
            check(&payload);
        }
        assert!(
            whole > 5000 && broken > 5000,
            "{whole} whole, {broken} broken"
        );
    }
}
