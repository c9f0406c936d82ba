//! Data drift of a stream of rows: gathered in chunks, each judged against a reference, and told of in the log.
//!
//! Memory is bounded by a chunk. What is said of one is said once, and in full: scores of features, the verdict over all.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::drift::Column;
use crate::drift::profile::{Field, Profile, Role};
use crate::drift::stream::{Seen, StreamPolicy};
use crate::health::{Cell, FeatureRow, Rows};
use crate::log::last_steps;
use crate::summary::Text;
use crate::train::Session;
use crate::types::WallTime;

/// Of up to so many features each has its own series; of more, only all together.
const OWN_SERIES: usize = 100;
/// So many features are named in words.
const NAMED: usize = 10;
/// A chunk by time is judged early when it has so many rows.
const MOST_ROWS: usize = 100_000;

/// How rows are gathered.
///
/// ```
/// use modelpulse::health::drift::Chunking;
/// assert_eq!(Chunking::default(), Chunking::Rows(200));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunking {
    /// So many at a time.
    Rows(usize),
    /// Those of so much time: a chunk ends with the first row that comes later, or with 100,000 rows.
    Time(Duration),
}

impl Default for Chunking {
    fn default() -> Self {
        Self::Rows(200)
    }
}

/// Watches the rows that a model is given, against a reference. Cheap to clone; all clones are one.
///
/// Of the rows of `RUN`, each chunk is logged to the run `RUN/drift`, where steps count chunks:
///
/// | series | |
/// |---|---|
/// | `data_drift_detected` | 1 if any feature has drifted, else 0 |
/// | `drifted_features` | how many have |
/// | `largest_drift_score` | the largest score |
/// | `chunk_rows` | how many rows there were |
/// | `FEATURE/drift_score` | its distance to the reference, of 0 to 1 |
/// | `FEATURE/drift_p_value` | the p-value of that, over all features |
/// | `FEATURE/drift_detected` | whether it has drifted |
/// | `FEATURE/missing_rate`, `FEATURE/out_of_range_rate` | once there is any such value |
/// | `data_drift` | in words, where any has drifted, and when none has any more |
///
/// Where there are more than 100 features, none has its own series. What is judged how: see [`StreamPolicy`]. On a page of
/// metrics, `live/drift/age/drift_score` is `modelpulse_drift_score{run="live",feature="age"}`.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use modelpulse::Session;
/// use modelpulse::drift::profile::{Field, Profile};
/// use modelpulse::health::drift::{Chunking, DataDrift};
/// let mut reference = Profile::new([Field::numbers("age")])?;
/// reference.update_rows(&(0..1000).map(|i| f64::from(i % 80)).collect::<Vec<_>>())?;
/// let session = Session::create(dir.path())?;
/// let drift = DataDrift::builder(&reference)
///     .chunking(Chunking::Rows(100))
///     .start(&session, "live");
/// (0..250).for_each(|i| drift.row(&[(i % 80) as f32 + 60.0]));
/// let judged = drift.last().ok_or("no chunk")?;
/// assert_eq!((judged.chunk, judged.rows, judged.detected, drift.waiting()), (1, 100, true, 50));
/// # session.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DataDrift {
    inner: Arc<Inner>,
}

/// The settings of a [`DataDrift`].
///
/// ```
/// use modelpulse::drift::profile::{Field, Profile};
/// use modelpulse::health::drift::DataDrift;
/// let reference = Profile::new([Field::numbers("age"), Field::numbers("income")])?;
/// let settings = DataDrift::builder(&reference).without(["age"]);
/// assert_eq!(settings.names().collect::<Vec<_>>(), ["income"]);
/// # Ok::<(), modelpulse::drift::profile::ProfileError>(())
/// ```
#[must_use]
#[derive(Debug, Clone)]
pub struct DataDriftBuilder {
    reference: Arc<Profile>,
    hidden: HashSet<String>,
    policy: StreamPolicy,
    chunking: Chunking,
}

#[derive(Debug)]
struct Inner {
    reference: Arc<Profile>,
    /// Of each feature of the reference, what it is; `None` where it is not looked at.
    fields: Vec<Option<Field>>,
    policy: StreamPolicy,
    chunking: Chunking,
    session: Session,
    run: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    columns: Vec<Buffer>,
    rows: usize,
    /// When the first of them came.
    began: f64,
    left_out: u64,
    next: i64,
    /// Series of rates that were not 0 once.
    rates: HashSet<String>,
    last: Option<JudgedChunk>,
}

/// The values of a feature in the chunk that is gathered.
#[derive(Debug)]
enum Buffer {
    Numbers(Vec<f64>),
    Categories(Vec<Option<String>>),
}

/// What was found of a chunk.
///
/// ```
/// use modelpulse::health::drift::JudgedChunk;
/// fn line(judged: &JudgedChunk) -> String {
///     format!("chunk {}: {} of {} features", judged.chunk, judged.drifted().count(), judged.features.len())
/// }
/// # let _ = line;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JudgedChunk {
    /// Its number, which is its step in the log.
    pub chunk: i64,
    /// When it was judged, in seconds since 1970.
    pub wall_time: f64,
    /// How many rows it had.
    pub rows: usize,
    /// Whether any feature has drifted.
    pub detected: bool,
    /// What was seen of each feature.
    pub features: Vec<Seen>,
}

impl JudgedChunk {
    /// The features that have drifted, the farthest first.
    pub fn drifted(&self) -> impl Iterator<Item = &Seen> {
        let mut drifted: Vec<&Seen> = self.features.iter().filter(|seen| seen.drifted).collect();
        drifted.sort_by(|a, b| score(b).total_cmp(&score(a)));
        drifted.into_iter()
    }
}

fn score(seen: &Seen) -> f64 {
    seen.score.unwrap_or(0.0)
}

/// A line.
impl fmt::Display for JudgedChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.drifted().count();
        if count == 0 {
            return write!(f, "no drift in {} rows", self.rows);
        }
        let (rows, all) = (self.rows, self.features.len());
        write!(f, "drift of {count} of {all} features in {rows} rows:")?;
        for seen in self.drifted().take(NAMED) {
            write!(f, " {} {:.3}", seen.name, score(seen))?;
            if seen.missing_drifted {
                write!(f, " (missing {:.3})", seen.missing_rate)?;
            }
        }
        if count > NAMED {
            f.write_str(" …")?;
        }
        Ok(())
    }
}

impl DataDriftBuilder {
    /// How rows are gathered. Default: 200 at a time.
    pub fn chunking(mut self, chunking: Chunking) -> Self {
        self.chunking = chunking;
        self
    }

    /// How chunks are judged.
    pub fn policy(mut self, policy: StreamPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Does not look at these features, named, or numbered by their places from 0.
    pub fn without<S: Into<String>>(mut self, features: impl IntoIterator<Item = S>) -> Self {
        self.hidden.extend(features.into_iter().map(Into::into));
        self
    }

    fn fields(&self) -> impl Iterator<Item = Option<&Field>> {
        let all = self.reference.features().iter();
        let features = all.filter(|feature| feature.field().role() == Role::Feature);
        features.enumerate().map(|(at, feature)| {
            let field = feature.field();
            let hidden = |name: &str| self.hidden.contains(name);
            (!hidden(field.name()) && !hidden(&at.to_string())).then_some(field)
        })
    }

    /// The features that are looked at.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().flatten().map(Field::name)
    }

    /// Logs to the run `RUN/drift` of a session, for the rows of `run`; chunks are counted on behind those that the log has.
    pub fn start(self, session: &Session, run: &str) -> DataDrift {
        let run = format!("{run}/drift");
        let steps = last_steps(session.dir()).unwrap_or_default();
        let next = steps.get(run.as_str()).map_or(0, |step| step.as_i64() + 1);
        let fields: Vec<Option<Field>> = self.fields().map(Option::<&Field>::cloned).collect();
        let state = State {
            columns: buffers(&fields),
            rows: 0,
            began: 0.0,
            left_out: 0,
            next,
            rates: HashSet::new(),
            last: None,
        };
        DataDrift {
            inner: Arc::new(Inner {
                reference: self.reference,
                fields,
                policy: self.policy,
                chunking: self.chunking,
                session: session.clone(),
                run,
                state: Mutex::new(state),
            }),
        }
    }
}

fn buffers(fields: &[Option<Field>]) -> Vec<Buffer> {
    let looked_at = fields.iter().flatten();
    let buffer = |field: &Field| match field.kind().is_numbers() {
        true => Buffer::Numbers(Vec::new()),
        false => Buffer::Categories(Vec::new()),
    };
    looked_at.map(buffer).collect()
}

impl DataDrift {
    /// Against the features of a profile.
    pub fn builder(reference: &Profile) -> DataDriftBuilder {
        DataDriftBuilder {
            reference: Arc::new(reference.clone()),
            hidden: HashSet::new(),
            policy: StreamPolicy::default(),
            chunking: Chunking::default(),
        }
    }

    /// The run whose rows it watches.
    pub fn run(&self) -> &str {
        let run = &self.inner.run;
        run.strip_suffix("/drift").unwrap_or(run)
    }

    /// What was found of the last chunk.
    pub fn last(&self) -> Option<JudgedChunk> {
        self.inner.lock().last.clone()
    }

    /// How many rows wait for their chunk to be whole.
    pub fn waiting(&self) -> usize {
        self.inner.lock().rows
    }

    /// How many rows were left out, because they had not as many features as the reference.
    pub fn left_out(&self) -> u64 {
        self.inner.lock().left_out
    }

    /// Takes a row of numbers, in the order of the reference.
    pub fn row(&self, row: &[f32]) {
        self.numbers(&mut std::iter::once(row));
    }

    /// Takes rows of numbers, in the order of the reference.
    pub fn rows(&self, rows: Rows<'_>) {
        self.numbers(&mut rows.iter());
    }

    fn numbers(&self, rows: &mut dyn Iterator<Item = &[f32]>) {
        let inner = &*self.inner;
        let mut state = inner.lock();
        for row in rows {
            if row.len() != inner.fields.len() {
                state.left_out += 1;
                continue;
            }
            inner.begin(&mut state);
            let fields = inner.fields.iter().zip(row);
            let values = fields.filter_map(|(field, value)| field.as_ref().map(|_| value));
            for (column, value) in state.columns.iter_mut().zip(values) {
                let value = f64::from(*value);
                match column {
                    Buffer::Numbers(column) => column.push(value),
                    Buffer::Categories(column) => column.push(Cell::Number(value).category()),
                }
            }
            inner.end(&mut state);
        }
    }

    /// Takes a row of any features.
    pub fn features(&self, features: &FeatureRow) {
        let inner = &*self.inner;
        let mut state = inner.lock();
        if let FeatureRow::Placed(cells) = features
            && cells.len() != inner.fields.len()
        {
            state.left_out += 1;
            return;
        }
        inner.begin(&mut state);
        let mut columns = std::mem::take(&mut state.columns);
        let looked_at = inner.fields.iter().enumerate();
        let looked_at = looked_at.filter_map(|(at, field)| Some((at, field.as_ref()?)));
        for ((at, field), column) in looked_at.zip(&mut columns) {
            let cell = match features {
                FeatureRow::Placed(cells) => cells.get(at),
                FeatureRow::Named(cells) => {
                    let mut own = cells.iter().filter(|(name, _)| name == field.name());
                    own.next().map(|(_, cell)| cell)
                }
            };
            let cell = cell.unwrap_or(&Cell::Missing);
            match column {
                Buffer::Numbers(column) => column.push(cell.number()),
                Buffer::Categories(column) => column.push(cell.category()),
            }
        }
        state.columns = columns;
        inner.end(&mut state);
    }

    /// Judges rows that are there at once as a chunk of their own, whatever waits.
    pub fn judge(&self, rows: Rows<'_>) {
        let inner = &*self.inner;
        let mut state = inner.lock();
        let mut columns = buffers(&inner.fields);
        let mut count = 0;
        for row in rows.iter().filter(|row| row.len() == inner.fields.len()) {
            count += 1;
            let fields = inner.fields.iter().zip(row);
            let values = fields.filter_map(|(field, value)| field.as_ref().map(|_| value));
            for (column, value) in columns.iter_mut().zip(values) {
                match column {
                    Buffer::Numbers(column) => column.push(f64::from(*value)),
                    Buffer::Categories(column) => {
                        column.push(Cell::Number(f64::from(*value)).category());
                    }
                }
            }
        }
        state.left_out += (rows.len() - count) as u64;
        if count > 0 {
            inner.judge(&mut state, columns, count);
        }
    }
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a row.
    fn begin(&self, state: &mut State) {
        if let Chunking::Time(length) = self.chunking {
            let now = WallTime::now().as_secs_f64();
            if state.rows > 0 && now - state.began >= length.as_secs_f64() {
                self.close(state);
            }
            if state.rows == 0 {
                state.began = now;
            }
        }
    }

    /// Behind a row.
    fn end(&self, state: &mut State) {
        state.rows += 1;
        let whole = match self.chunking {
            Chunking::Rows(rows) => state.rows >= rows.max(1),
            Chunking::Time(_) => state.rows >= MOST_ROWS,
        };
        if whole {
            self.close(state);
        }
    }

    fn close(&self, state: &mut State) {
        let columns = std::mem::replace(&mut state.columns, buffers(&self.fields));
        let rows = std::mem::take(&mut state.rows);
        self.judge(state, columns, rows);
    }

    fn judge(&self, state: &mut State, columns: Vec<Buffer>, rows: usize) {
        let looked_at = self.fields.iter().flatten().cloned();
        // The names are those of a profile.
        let Ok(mut chunk) = Profile::new(looked_at) else {
            return;
        };
        let names: Vec<Vec<Option<&str>>> = columns
            .iter()
            .map(|column| match column {
                Buffer::Categories(names) => names.iter().map(Option::as_deref).collect(),
                Buffer::Numbers(_) => Vec::new(),
            })
            .collect();
        let columns = columns.iter().zip(&names);
        let columns: Vec<Column<'_>> = columns
            .map(|(column, names)| match column {
                Buffer::Numbers(values) => Column::Numbers(values),
                Buffer::Categories(_) => Column::Categories(names),
            })
            .collect();
        if chunk.update(&columns).is_err() {
            return;
        }
        let features = self.policy.judge(&self.reference, &chunk);
        let before = state.last.as_ref().is_some_and(|last| last.detected);
        let judged = JudgedChunk {
            chunk: state.next,
            wall_time: WallTime::now().as_secs_f64(),
            rows,
            detected: features.iter().any(|seen| seen.drifted),
            features,
        };
        state.next += 1;
        self.log(&judged, before, &mut state.rates);
        state.last = Some(judged);
    }

    fn log(&self, judged: &JudgedChunk, before: bool, rates: &mut HashSet<String>) {
        let (run, step) = (self.run.as_str(), judged.chunk);
        let mut instant = self.session.instant();
        let largest = judged.features.iter().map(score).fold(0.0, f64::max);
        for (tag, value) in [
            ("data_drift_detected", f64::from(u8::from(judged.detected))),
            ("drifted_features", judged.drifted().count() as f64),
            ("largest_drift_score", largest),
            ("chunk_rows", judged.rows as f64),
        ] {
            instant.scalar(run, tag, step, value);
        }
        for seen in &judged.features {
            if judged.features.len() > OWN_SERIES {
                break;
            }
            let name = &seen.name;
            for (tag, value) in [("drift_score", seen.score), ("drift_p_value", seen.p_value)] {
                if let Some(value) = value {
                    instant.scalar(run, &format!("{name}/{tag}"), step, value);
                }
            }
            let drifted = f64::from(u8::from(seen.drifted));
            instant.scalar(run, &format!("{name}/drift_detected"), step, drifted);
            for (tag, rate) in [
                ("missing_rate", seen.missing_rate),
                ("out_of_range_rate", seen.out_of_range_rate),
            ] {
                let tag = format!("{name}/{tag}");
                if rate > 0.0 && !rates.contains(&tag) {
                    rates.insert(tag.clone());
                }
                if rates.contains(&tag) {
                    instant.scalar(run, &tag, step, rate);
                }
            }
        }
        if judged.detected || before {
            instant.log(run, "data_drift", step, Text::new(judged.to_string()));
        }
        drop(instant);
        self.session.flush_soon();
    }
}
