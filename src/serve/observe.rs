//! What `/observations` and `/labels` take: JSON objects, one, an array of them, or one a line.
//!
//! A request is taken as a whole or refused as a whole. What was taken stands in a file before it is acknowledged, so
//! that it is not lost with the process; columns that are to be hidden never get there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::health::{Labelling, Observations};
use crate::train::Task;

/// The file of what was taken, in the order in which it came.
const NAME: &str = "observations.jsonl";

/// Takes observations and labels.
#[derive(Debug)]
pub(super) struct Intake {
    live: Observations,
    class_names: Vec<String>,
    redacted: Vec<String>,
    path: PathBuf,
    file: Mutex<Journal>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    /// Whether the last line may have no end.
    torn: bool,
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
    Observation(String, Vec<f32>),
    Label(String, f64),
}

impl Intake {
    /// Takes what the file in `dir` has, and goes on behind it.
    pub(super) fn open(
        dir: &Path,
        live: &Observations,
        class_names: &[String],
        redacted: &[String],
    ) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let path = dir.join(NAME);
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .read(true)
            .open(&path)?;
        let mut intake = Self {
            live: live.clone(),
            class_names: class_names.to_vec(),
            redacted: redacted.to_vec(),
            file: Mutex::new(Journal { file, torn: false }),
            path,
        };
        let torn = intake.replay()?;
        intake
            .file
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .torn = torn;
        Ok(intake)
    }

    /// Takes again what was taken before; a line that was cut off was not acknowledged. Says whether the last one was.
    fn replay(&self) -> io::Result<bool> {
        let mut reader = BufReader::new(File::open(&self.path)?);
        let mut line = Vec::new();
        let mut torn = false;
        while reader.read_until(b'\n', &mut line)? > 0 {
            torn = !line.ends_with(b"\n");
            let value: Result<Value, _> = serde_json::from_slice(&line);
            if let Ok(value) = value
                && let Ok(entry) = self.entry(&value, value.get("label").is_some())
            {
                let _ = self.take(entry);
            }
            line.clear();
        }
        Ok(torn)
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
        let (mut entries, mut lines) = (Vec::new(), Vec::new());
        for (at, mut value) in values.into_iter().enumerate() {
            let malformed = |why: String| Refused::Malformed(format!("item {at}: {why}"));
            entries.push(self.entry(&value, labels).map_err(malformed)?);
            self.redact(&mut value);
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(&mut lines, &value);
            lines.push(b'\n');
        }
        let mut journal = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if journal.torn {
            lines.insert(0, b'\n');
        }
        // Until it is there as a whole, it may be there in part.
        journal.torn = true;
        journal.file.write_all(&lines).map_err(Refused::NotKept)?;
        journal.torn = false;
        // Still locked: what the file has in its order is taken in it.
        Ok(entries.into_iter().map(|entry| self.take(entry)).collect())
    }

    fn take(&self, entry: Entry) -> Taken {
        // What these refuse was refused before.
        match entry {
            Entry::Observation(id, outputs) => match self.live.observe(&id, outputs) {
                Ok(true) => Taken::New,
                _ => Taken::Repeated,
            },
            Entry::Label(id, label) => {
                Taken::Label(self.live.label(&id, label).unwrap_or(Labelling::Unknown))
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
        Ok(Entry::Observation(id, outputs))
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
    use super::*;

    fn intake(dir: &Path) -> (Observations, Intake) {
        let live = Observations::new(Task::Multiclass { classes: 2 });
        let names = ["ham".to_owned(), "spam".to_owned()];
        let intake = Intake::open(dir, &live, &names, &["1".to_owned(), "name".to_owned()]);
        (live, intake.unwrap())
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
        let (again, second) = intake(dir.path());
        assert_eq!(again.counts(), live.counts());
        second.labels(br#"{"id": "7", "label": 0}"#).unwrap();
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
        let text = std::fs::read_to_string(dir.path().join(NAME)).unwrap();
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
    }
}
