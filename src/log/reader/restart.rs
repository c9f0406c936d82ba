//! What readers leave out where a run was taken up again: the points that a later session wrote anew.
//!
//! While a file is scanned, only the places are noted that may void earlier points; which of them do, the
//! policy decides when the whole run is known. So a file that grows never needs to be read again, and the
//! notes are few: of each series of places only those count whose step is smaller than all later ones'.

use std::collections::HashMap;

/// Which points of earlier sessions a reader leaves out.
///
/// Readers disagree about a run that was interrupted at one step and resumed at an earlier one. A value
/// whose file is damaged around it is kept under every policy.
///
/// ```
/// use modelpulse::log::Restart;
/// assert_eq!("data-server".parse(), Ok(Restart::DataServer));
/// assert_eq!(Restart::default().to_string(), "tensorboard");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Restart {
    /// As TensorBoard's Python loader: a session's START voids all earlier points of the run at its step or
    /// later, but the first START of a run voids nothing. A run without a file version of at least 2 has
    /// no STARTs: there, a summary whose step is smaller than that of the summary before voids, of the
    /// tags in it, the earlier points at its step or later.
    #[default]
    TensorBoard,
    /// As TensorBoard's data server: of each tag, a point voids the earlier ones at its step or later, so
    /// that steps increase strictly; and a value of another kind than its tag's first is left out.
    DataServer,
    /// Nothing is left out.
    KeepAll,
    /// As the writer meant it: every START, the first one too, voids all earlier points of the run at its
    /// step or later.
    Purge,
}

impl Restart {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::TensorBoard,
        Self::DataServer,
        Self::KeepAll,
        Self::Purge,
    ];

    /// Its name, as `--restart` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TensorBoard => "tensorboard",
            Self::DataServer => "data-server",
            Self::KeepAll => "keep-all",
            Self::Purge => "purge",
        }
    }
}

impl std::fmt::Display for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no restart policy: use tensorboard, data-server, keep-all or purge")]
pub struct ParseRestartError(String);

impl std::str::FromStr for Restart {
    type Err = ParseRestartError;

    fn from_str(name: &str) -> Result<Self, ParseRestartError> {
        let found = Self::ALL.into_iter().find(|policy| policy.name() == name);
        found.ok_or_else(|| ParseRestartError(name.to_owned()))
    }
}

/// What a file notes of restarts.
#[derive(Debug, Default)]
pub(super) struct FileNotes {
    era: Era,
    starts: Vec<Start>,
    /// The first summary's place, step and era.
    first: Option<(u64, i64, Era)>,
    /// The last summary's step.
    last: Option<i64>,
    /// The greatest step of a point.
    greatest: Option<i64>,
    /// The summary in hand has a smaller step than the one before.
    goes_back: bool,
}

/// What is known of the file's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Era {
    /// Not yet anything: what the files before said holds.
    #[default]
    Inherited,
    /// Less than 2: there are no STARTs.
    Old,
    New,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    offset: u64,
    step: i64,
    era: Era,
    /// The greatest step of a point before it in its file.
    greatest: Option<i64>,
}

/// What a file notes of restarts in one of its series.
#[derive(Debug, Default)]
pub(super) struct SeriesNotes {
    count: u64,
    first_step: i64,
    last_step: i64,
    last_offset: u64,
    in_first_summary: bool,
    first_is_number: bool,
    /// Not all are numbers, or not all none.
    mixed: bool,
    /// Points whose step does not exceed that of the point before.
    back: Vec<Mark>,
    /// Points in a summary whose step is smaller than that of the summary before, by era.
    inherited_descents: Vec<Mark>,
    old_descents: Vec<Mark>,
}

/// Earlier points of the series at `step` or later are void, if the policy says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    file: usize,
    /// How many points of the series its file has before.
    index: u64,
    step: i64,
}

impl FileNotes {
    pub(super) fn version(&mut self, version: &str) {
        // As `event_util.ParseFileVersion`.
        let number = version.rsplit("brain.Event:").next().unwrap_or(version);
        self.era = match number.trim().parse::<f64>() {
            Ok(number) if number >= 2.0 => Era::New,
            _ => Era::Old,
        };
    }

    pub(super) fn start(&mut self, offset: u64, step: i64) {
        let (era, greatest) = (self.era, self.greatest);
        self.starts.push(Start {
            offset,
            step,
            era,
            greatest,
        });
    }

    /// A summary comes, or what readers make one of; its points are noted behind it.
    #[inline]
    pub(super) fn summary(&mut self, offset: u64, step: i64) {
        self.goes_back = self.era != Era::New && self.last.is_some_and(|last| step < last);
        if self.first.is_none() {
            self.first = Some((offset, step, self.era));
        }
        self.last = Some(step);
    }

    /// The last summary's step.
    pub(super) fn last_step(&self) -> Option<i64> {
        self.last
    }
}

impl SeriesNotes {
    /// Notes a point of the summary in hand.
    #[inline]
    pub(super) fn point(&mut self, file: &mut FileNotes, offset: u64, step: i64, is_number: bool) {
        if self.count == 0 {
            self.first_step = step;
            self.first_is_number = is_number;
            self.in_first_summary = file.first.is_some_and(|(first, ..)| first == offset);
        } else {
            let mark = Mark {
                file: 0,
                index: self.count,
                step,
            };
            if step <= self.last_step {
                push(&mut self.back, mark);
            }
            if file.goes_back && offset != self.last_offset {
                let descents = match file.era {
                    Era::Inherited => &mut self.inherited_descents,
                    Era::Old | Era::New => &mut self.old_descents,
                };
                push(descents, mark);
            }
            self.mixed |= is_number != self.first_is_number;
        }
        file.greatest = Some(file.greatest.map_or(step, |greatest| greatest.max(step)));
        (self.last_step, self.last_offset) = (step, offset);
        self.count += 1;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

/// Adds a mark behind others; those that say no more than it does are left out.
fn push(marks: &mut Vec<Mark>, mark: Mark) {
    while marks.last().is_some_and(|last| last.step >= mark.step) {
        marks.pop();
    }
    marks.push(mark);
}

/// What a policy leaves out of a run.
#[derive(Debug, Default)]
pub(super) struct Purges {
    /// File, offset and step of STARTs, in their order; the steps increase.
    starts: Vec<(usize, u64, i64)>,
    series: HashMap<Box<str>, SeriesPurges>,
}

#[derive(Debug, Default)]
struct SeriesPurges {
    marks: Vec<Mark>,
    /// Only numbers are shown, or only what is none.
    only_numbers: Option<bool>,
}

/// What a policy leaves out of one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep<'a> {
    starts: &'a [(usize, u64, i64)],
    series: Option<&'a SeriesPurges>,
}

/// The notes of one file: its own, and those of its series with their tags.
pub(super) trait Noted {
    fn file(&self) -> &FileNotes;
    fn series(&self) -> impl Iterator<Item = (&str, &SeriesNotes)>;
}

impl Purges {
    /// What `policy` leaves out of a run of these files.
    pub(super) fn new<N: Noted>(policy: Restart, files: &[N]) -> Self {
        let mut purges = Self::default();
        match policy {
            Restart::KeepAll => {}
            Restart::Purge => purges.add_starts(files, |_, _| true),
            Restart::TensorBoard => {
                let mut first = true;
                purges.add_starts(files, |era, inherited| {
                    let counts = resolve(era, inherited) == Era::New;
                    counts && !std::mem::take(&mut first)
                });
                purges.add_descents(files);
            }
            Restart::DataServer => purges.add_tails(files),
        }
        purges
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.series.is_empty()
    }

    pub(super) fn of(&self, tag: &str) -> Keep<'_> {
        Keep {
            starts: &self.starts,
            series: self.series.get(tag),
        }
    }

    fn add_starts<N: Noted>(&mut self, files: &[N], mut counts: impl FnMut(Era, Era) -> bool) {
        let (mut inherited, mut greatest) = (Era::Inherited, None);
        for (file, notes) in files.iter().map(Noted::file).enumerate() {
            for start in &notes.starts {
                let counts = counts(start.era, inherited);
                let voids = start.greatest.max(greatest) >= Some(start.step);
                if counts && voids {
                    while self.starts.last().is_some_and(|last| last.2 >= start.step) {
                        self.starts.pop();
                    }
                    self.starts.push((file, start.offset, start.step));
                }
            }
            inherited = resolve(notes.era, inherited);
            greatest = greatest.max(notes.greatest);
        }
    }

    fn add_descents<N: Noted>(&mut self, files: &[N]) {
        let (mut inherited, mut last) = (Era::Inherited, None);
        for (file, noted) in files.iter().enumerate() {
            let notes = noted.file();
            let first_goes_back = notes.first.filter(|&(_, step, era)| {
                resolve(era, inherited) != Era::New && last.is_some_and(|last| step < last)
            });
            for (tag, series) in noted.series() {
                let first = first_goes_back.filter(|_| series.in_first_summary);
                let first = first.map(|(_, step, _)| Mark {
                    file,
                    index: 0,
                    step,
                });
                let old = match inherited {
                    Era::New => &[][..],
                    _ => &series.inherited_descents,
                };
                let marks = first.into_iter().chain(old.iter().copied());
                self.add(tag, file, marks.chain(series.old_descents.iter().copied()));
            }
            inherited = resolve(notes.era, inherited);
            last = notes.last.or(last);
        }
    }

    fn add_tails<N: Noted>(&mut self, files: &[N]) {
        struct Seen {
            last_step: i64,
            first_is_number: bool,
            mixed: bool,
        }
        let mut seen: HashMap<&str, Seen> = HashMap::new();
        for (file, noted) in files.iter().enumerate() {
            for (tag, series) in noted.series().filter(|(_, series)| series.count > 0) {
                let mut first = None;
                match seen.get_mut(tag) {
                    Some(seen) => {
                        first = (series.first_step <= seen.last_step).then_some(Mark {
                            file,
                            index: 0,
                            step: series.first_step,
                        });
                        seen.last_step = series.last_step;
                        seen.mixed |=
                            series.mixed || series.first_is_number != seen.first_is_number;
                    }
                    None => {
                        let new = Seen {
                            last_step: series.last_step,
                            first_is_number: series.first_is_number,
                            mixed: series.mixed,
                        };
                        seen.insert(tag, new);
                    }
                }
                self.add(
                    tag,
                    file,
                    first.into_iter().chain(series.back.iter().copied()),
                );
            }
        }
        for (tag, seen) in seen.into_iter().filter(|(_, seen)| seen.mixed) {
            let purges = self.series.entry(tag.into()).or_default();
            purges.only_numbers = Some(seen.first_is_number);
        }
    }

    fn add(&mut self, tag: &str, file: usize, marks: impl Iterator<Item = Mark>) {
        for mark in marks {
            let mark = Mark { file, ..mark };
            match self.series.get_mut(tag) {
                Some(series) => push(&mut series.marks, mark),
                None => {
                    let marks = vec![mark];
                    let only_numbers = None;
                    let purges = SeriesPurges {
                        marks,
                        only_numbers,
                    };
                    self.series.insert(tag.into(), purges);
                }
            }
        }
    }
}

fn resolve(era: Era, inherited: Era) -> Era {
    match era {
        Era::Inherited => inherited,
        era => era,
    }
}

impl Keep<'_> {
    /// Whether the point is shown that is number `index` of the series' points in its file.
    #[inline]
    pub(super) fn keeps(
        self,
        file: usize,
        index: u64,
        offset: u64,
        step: i64,
        is_number: bool,
    ) -> bool {
        // Steps increase from mark to mark, so that the next one has the smallest of all later ones.
        let next = self
            .starts
            .partition_point(|&(at, start, _)| (at, start) <= (file, offset));
        if self.starts.get(next).is_some_and(|start| start.2 <= step) {
            return false;
        }
        let Some(series) = self.series else {
            return true;
        };
        let marks = &series.marks;
        let next = marks.partition_point(|mark| (mark.file, mark.index) <= (file, index));
        marks.get(next).is_none_or(|mark| step < mark.step)
            && series.only_numbers.is_none_or(|only| only == is_number)
    }
}
