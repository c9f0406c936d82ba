//! What `/observations` and `/labels` take: JSON objects, one, an array of them, or one a line.
//!
//! A request is taken as a whole or refused as a whole. What was taken stands in a file before it is acknowledged, so
//! that it is not lost with the process; columns that are to be hidden never get there.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::journal::{Journal, Line, counts};
use crate::health::{Cell, FeatureRow, Labelling, Observations, Rows, Watch};
use crate::train::Task;
use crate::types::WallTime;

/// Takes observations and labels.
#[derive(Debug)]
pub(super) struct Intake {
    entries: Entries,
    /// Takes note of features that are out of range.
    watch: Option<Watch>,
    kept: Mutex<Taking>,
}

#[derive(Debug)]
struct Taking {
    journal: Journal,
    /// Why the last request or compaction failed, if it did.
    error: Option<String>,
}

/// Reads and takes what is observed, and what is right.
#[derive(Debug)]
struct Entries {
    live: Observations,
    class_names: Vec<String>,
    redacted: Vec<String>,
}

/// Why a request was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is malformed.
    Malformed(String),
    /// It could not be kept.
    NotKept(io::Error),
}

/// What is observed, or what is right.
enum Entry {
    Observation(String, Vec<f32>, Option<FeatureRow>),
    Label(String, f64),
}

impl Intake {
    /// Takes what the file in `dir` has, and goes on behind it. When it has grown by `growth` bytes, what is not needed any
    /// more is left out of it.
    pub(super) fn open(
        dir: &Path,
        live: &Observations,
        class_names: &[String],
        redacted: &[String],
        growth: u64,
        watch: Option<&Watch>,
    ) -> io::Result<Self> {
        let entries = Entries {
            live: live.clone(),
            class_names: class_names.to_vec(),
            redacted: redacted.to_vec(),
        };
        let mut time = now();
        let journal = Journal::open(dir, growth, |line| match line {
            Line::Kept(kept) => live.take_back(kept),
            Line::Taken(at) => time = at,
            Line::Entry(value) => {
                if let Ok(entry) = entries.entry(&value, value.get("label").is_some()) {
                    entries.take(entry, time);
                }
            }
        })?;
        let error = None;
        let kept = Mutex::new(Taking { journal, error });
        let watch = watch.cloned();
        Ok(Self {
            entries,
            watch,
            kept,
        })
    }

    fn taking(&self) -> MutexGuard<'_, Taking> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is: what it has, and what is wrong, if something is.
    pub(super) fn health(&self) -> (Value, bool) {
        let taking = self.taking();
        let mut details = counts(&self.entries.live.counts());
        details.insert("file".to_owned(), json!(taking.journal.path()));
        details.insert("bytes".to_owned(), json!(taking.journal.len()));
        if let Some(error) = &taking.error {
            details.insert("error".to_owned(), json!(error));
        }
        (Value::Object(details), taking.error.is_none())
    }

    /// Takes the observations of a request; how many were new, and how many were there.
    pub(super) fn observations(&self, body: &[u8]) -> Result<Value, Refused> {
        let taken = self.request(body, false)?;
        let new = taken.iter().filter(|it| **it == Taken::New).count();
        Ok(json!({ "accepted": new, "repeated": taken.len() - new }))
    }

    /// Takes the labels of a request; what became of them.
    pub(super) fn labels(&self, body: &[u8]) -> Result<Value, Refused> {
        let taken = self.request(body, true)?;
        let count = |what| taken.iter().filter(|it| **it == Taken::Label(what)).count();
        Ok(json!({
            "joined": count(Labelling::Joined),
            "replaced": count(Labelling::Replaced),
            "unknown": count(Labelling::Unknown),
        }))
    }

    fn request(&self, body: &[u8], labels: bool) -> Result<Vec<Taken>, Refused> {
        let values = values(body).map_err(Refused::Malformed)?;
        let (mut entries, mut lines, mut features) = (Vec::new(), Vec::new(), Vec::new());
        for (at, mut value) in values.into_iter().enumerate() {
            let malformed = |why: String| Refused::Malformed(format!("item {at}: {why}"));
            let mut entry = self.entries.entry(&value, labels).map_err(malformed)?;
            if self.watch.is_some() && !labels {
                features.extend(numbers(&value));
            }
            self.entries.redact(&mut value);
            if let Entry::Observation(_, _, features) = &mut entry {
                *features = features_of(&value);
            }
            entries.push(entry);
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(&mut lines, &value);
            lines.push(b'\n');
        }
        let mut taking = self.taking();
        let Taking { journal, error } = &mut *taking;
        let time = now();
        if let Err(why) = journal.append(time, &lines) {
            *error = Some(format!("{}: {why}", journal.path().display()));
            return Err(Refused::NotKept(why));
        }
        *error = None;
        // Still locked: what the file has in its order is taken in it.
        let entries = entries.into_iter();
        let taken = entries.map(|entry| self.entries.take(entry, time));
        let taken = taken.collect();
        if let Some(watch) = &self.watch {
            let rows = features.iter();
            rows.filter_map(|row| Rows::new(row, row.len()))
                .for_each(|row| watch.note(row));
        }
        if journal.is_long()
            && let Err(why) = journal.compact(&self.entries.live)
        {
            *error = Some(format!(
                "{} cannot be made smaller: {why}",
                journal.path().display()
            ));
        }
        Ok(taken)
    }
}

/// The features of an observation, where they are a list of numbers.
fn numbers(value: &Value) -> Option<Vec<f32>> {
    let features = value.get("features")?.as_array()?.iter();
    let number = |value: &Value| value.as_f64().map(|value| value as f32);
    features.map(number).collect()
}

fn now() -> f64 {
    WallTime::now().as_secs_f64()
}

impl Entries {
    fn take(&self, entry: Entry, time: f64) -> Taken {
        // What these refuse was refused before.
        match entry {
            Entry::Observation(id, outputs, features) => {
                let features = features.as_ref();
                match self.live.observe_at(&id, outputs, features, time) {
                    Ok(true) => Taken::New,
                    _ => Taken::Repeated,
                }
            }
            Entry::Label(id, label) => {
                let label = self.live.label_at(&id, label, time);
                Taken::Label(label.unwrap_or(Labelling::Unknown))
            }
        }
    }

    fn entry(&self, value: &Value, label: bool) -> Result<Entry, String> {
        let object = value.as_object().ok_or("it is no object")?;
        let id = match object.get("id") {
            Some(Value::String(id)) if !id.is_empty() => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Err("it has no \"id\", a text or a number".to_owned()),
        };
        if label {
            let label = object.get("label").ok_or("it has no \"label\"")?;
            let label = self
                .number(label)
                .ok_or("its \"label\" is no number and no class")?;
            self.live
                .check_label(label)
                .map_err(|error| error.to_string())?;
            return Ok(Entry::Label(id, label));
        }
        let outputs = self.outputs(object)?;
        self.live
            .check(&outputs)
            .map_err(|error| error.to_string())?;
        Ok(Entry::Observation(id, outputs, None))
    }

    /// The scores of an observation, or its prediction.
    fn outputs(&self, object: &Map<String, Value>) -> Result<Vec<f32>, String> {
        let wrong = |name: &str| format!("its \"{name}\" is no number");
        match (object.get("score"), object.get("prediction")) {
            (Some(Value::Array(scores)), _) => {
                let scores = scores.iter().map(|score| self.number(score));
                let scores: Option<Vec<f64>> = scores.collect();
                let scores = scores.ok_or_else(|| wrong("score"))?;
                Ok(scores.into_iter().map(|score| score as f32).collect())
            }
            (Some(score), _) if self.live.task() == Task::Binary => {
                let score = self.number(score).ok_or_else(|| wrong("score"))?;
                Ok(vec![score as f32])
            }
            (_, Some(prediction)) => {
                let number = self.number(prediction);
                let number = number.ok_or_else(|| wrong("prediction") + " and no class")?;
                Ok(vec![number as f32])
            }
            _ => Err("it has no \"prediction\" and no \"score\"".to_owned()),
        }
    }

    /// A number, a name of a class; NaN where there is none.
    fn number(&self, value: &Value) -> Option<f64> {
        match value {
            Value::Null => Some(f64::NAN),
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            Value::Number(number) => number.as_f64(),
            Value::String(name) => {
                let class = self.class_names.iter().position(|known| known == name);
                class.map(|class| class as f64).or_else(|| {
                    let known = ["NaN", "Infinity", "-Infinity"].contains(&name.as_str());
                    known.then(|| name.parse().ok())?
                })
            }
            _ => None,
        }
    }

    /// Hides features, by their names, or by their places where they have none.
    fn redact(&self, value: &mut Value) {
        match value.get_mut("features") {
            Some(Value::Object(features)) => {
                for name in &self.redacted {
                    if let Some(value) = features.get_mut(name) {
                        *value = Value::Null;
                    }
                }
            }
            Some(Value::Array(features)) => {
                for at in self
                    .redacted
                    .iter()
                    .filter_map(|name| name.parse::<usize>().ok())
                {
                    if let Some(value) = features.get_mut(at) {
                        *value = Value::Null;
                    }
                }
            }
            _ => {}
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    New,
    Repeated,
    Label(Labelling),
}

/// The features of an observation, as far as they are shown.
fn features_of(value: &Value) -> Option<FeatureRow> {
    let cell = |value: &Value| match value {
        Value::Number(number) => number.as_f64().map_or(Cell::Missing, Cell::Number),
        Value::Bool(flag) => Cell::Text(flag.to_string()),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => Cell::Missing,
    };
    match value.get("features")? {
        Value::Array(values) => Some(FeatureRow::Placed(values.iter().map(cell).collect())),
        Value::Object(values) => {
            let named = values
                .iter()
                .map(|(name, value)| (name.clone(), cell(value)));
            Some(FeatureRow::Named(named.collect()))
        }
        _ => None,
    }
}

/// The objects of a body: an array's, or one after the other.
fn values(body: &[u8]) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<Value>() {
        match value.map_err(|error| error.to_string())? {
            Value::Array(all) => values.extend(all),
            value => values.push(value),
        }
    }
    if values.is_empty() {
        return Err("there is nothing in it".to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::journal::NAME;
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;

    fn intake(dir: &Path) -> (Observations, Intake) {
        intake_of(dir, 1 << 20)
    }

    fn intake_of(dir: &Path, growth: u64) -> (Observations, Intake) {
        let live = Observations::with_capacity(Task::Multiclass { classes: 2 }, 200, 100);
        let names = ["ham".to_owned(), "spam".to_owned()];
        let redacted = ["1".to_owned(), "name".to_owned()];
        let intake = Intake::open(dir, &live, &names, &redacted, growth, None);
        (live, intake.unwrap())
    }

    /// The lines of the file, but for the times.
    fn lines(dir: &Path) -> String {
        let text = std::fs::read_to_string(dir.join(NAME)).unwrap();
        let lines = text.split_inclusive('\n');
        lines.filter(|line| !line.contains("\"taken\"")).collect()
    }

    fn said(refused: Result<Value, Refused>) -> String {
        match refused {
            Err(Refused::Malformed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_taken_is_there_after_a_kill() {
        let dir = tempfile::tempdir().unwrap();
        let (live, first) = intake(dir.path());
        let body = br#"[{"id": "a", "prediction": "spam"}, {"id": 7, "score": [0.9, 0.1]}]"#;
        let taken = first.observations(body).unwrap();
        assert_eq!(taken, json!({ "accepted": 2, "repeated": 0 }));
        let lines = b"{\"id\": \"a\", \"label\": 1}\n{\"id\": \"x\", \"label\": \"ham\"}\n";
        let taken = first.labels(lines).unwrap();
        assert_eq!(taken, json!({ "joined": 1, "replaced": 0, "unknown": 1 }));
        // Killed in the middle of a line.
        let path = dir.path().join(NAME);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"id\": \"b\", \"predic").unwrap();
        drop(first);
        let (again, second) = intake(dir.path());
        assert_eq!(again.counts(), live.counts());
        second.labels(br#"{"id": "7", "label": 0}"#).unwrap();
        drop(second);
        let (third, _) = intake(dir.path());
        assert_eq!(third.counts().labelled, 2);
        assert_eq!(third.evaluate().unwrap().1["accuracy"], 1.0);
    }

    #[test]
    fn hidden_columns_never_get_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (_, intake) = intake(dir.path());
        let body = br#"{"id": 1, "prediction": 0, "features": [1, 1234, 3]}
            {"id": 2, "prediction": 0, "features": {"name": "Ada", "age": 36}}"#;
        intake.observations(body).unwrap();
        let text = lines(dir.path());
        let expected = "{\"id\":1,\"prediction\":0,\"features\":[1,null,3]}\n\
             {\"id\":2,\"prediction\":0,\"features\":{\"name\":null,\"age\":36}}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_request_is_refused_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (live, intake) = intake(dir.path());
        for (body, expected) in [
            ("", "nothing"),
            ("[]", "nothing"),
            ("{", "EOF"),
            ("[1]", "item 0: it is no object"),
            (r#"{"prediction": 1}"#, "no \"id\""),
            (r#"{"id": "a"}"#, "no \"prediction\""),
            (
                r#"{"id": "a", "prediction": "eggs"}"#,
                "no number and no class",
            ),
            (
                r#"{"id": "a", "score": [0.5, "x"]}"#,
                "\"score\" is no number",
            ),
            (
                r#"{"id": "a", "score": [0.5, 0.2, 0.3]}"#,
                "3 numbers for 1 rows",
            ),
            (r#"[{"id": "a", "prediction": 1}, {"id": "b"}]"#, "item 1"),
        ] {
            let why = said(intake.observations(body.as_bytes()));
            assert!(why.contains(expected), "{body}: {why}");
        }
        let why = said(intake.labels(br#"{"id": "a", "label": 2}"#));
        assert!(why.contains("classes 0 to 1"), "{why}");
        assert_eq!(live.counts().observed, 0);
        assert_eq!(std::fs::read(dir.path().join(NAME)).unwrap(), b"");
        assert!(intake.health().1);
    }

    #[test]
    fn the_file_does_not_grow_for_ever_and_loses_nothing_that_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (mut live, mut intake) = intake_of(dir.path(), 2000);
        let label = |id: usize| json!({ "id": id, "label": id % 2 }).to_string();
        let mut random = fastrand::Rng::with_seed(3);
        for id in 0..3000 {
            let score = random.f32();
            let one = json!({ "id": id, "score": [score, 1.0 - score], "features": [1, 2, 3] });
            intake.observations(one.to_string().as_bytes()).unwrap();
            // All but each hundredth is labelled, long ones after others.
            if id >= 7 && id % 100 != 0 {
                intake.labels(label(id - 7).as_bytes()).unwrap();
            }
            if id % 500 == 0 {
                drop(intake);
                let before = (live.counts(), format!("{:?}", live.kept()));
                (live, intake) = intake_of(dir.path(), 2000);
                assert_eq!((live.counts(), format!("{:?}", live.kept())), before);
            }
        }
        // One row more or less for each that is judged or waits.
        let bytes = std::fs::metadata(dir.path().join(NAME)).unwrap().len();
        let rows = live.kept().rows.len() as u64;
        assert!(rows <= 300 && bytes < 3000 + 120 * rows, "{bytes} {rows}");
        let counts = live.counts();
        assert_eq!(
            (
                counts.observed,
                counts.labelled + counts.waiting + counts.expired
            ),
            (3000, 3000)
        );
    }
}
