//! Tables in [JSON lines][1]: one object a line.
//!
//! Objects within are columns named `outer.inner`, and short lists are columns `list_0`, `list_1` …, so that
//! `"score": [0.1, 0.9]` reads as the scores of two classes. Python's bare NaN and Infinity are read.
//!
//! [1]: https://jsonlines.org/

use std::collections::HashMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::bare;
use super::builder::Builder;
use super::infer::{Guess, wider};
use super::lines::{Lines, MAX_LINE};
use super::source::Wanted;
use super::{Batch, Place, Schema, TableError};

type Input = Box<dyn BufRead + Send>;

/// Longer lists are text, not columns.
const LONGEST_LIST: usize = 1000;

/// Lines that are objects.
struct Objects {
    path: PathBuf,
    lines: Lines<Input>,
}

impl Objects {
    /// The next object with its line.
    fn next(&mut self) -> Result<Option<(u64, Value)>, TableError> {
        let malformed = |place, reason| TableError::Malformed {
            path: self.path.clone(),
            place,
            reason,
        };
        loop {
            let next = self.lines.next();
            let next = next.map_err(|error| malformed(None, format!("cannot read on: {error}")))?;
            let Some((number, line)) = next else {
                return Ok(None);
            };
            let place = Some(Place::Line(number));
            let Some(line) = line else {
                let reason = format!("longer than {} MiB", MAX_LINE >> 20);
                return Err(malformed(place, reason));
            };
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            let parsed = serde_json::from_slice(line).or_else(|error| {
                let text = std::str::from_utf8(line).ok().and_then(bare::quoted);
                text.map_or(Err(error), |text| serde_json::from_str(&text))
            });
            return match parsed {
                Ok(value @ Value::Object(_)) => Ok(Some((number, value))),
                Ok(_) => Err(malformed(
                    place,
                    "not an object: {\"column\": value, …}".into(),
                )),
                Err(error) => Err(malformed(place, format!("not JSON: {error}"))),
            };
        }
    }
}

/// Hands each leaf of an object with the name of its column to `take`.
fn leaves(name: &mut String, value: &Value, take: &mut impl FnMut(&str, &Value)) {
    let length = name.len();
    match value {
        Value::Object(members) if length == 0 || !members.is_empty() => {
            for (key, member) in members {
                if length > 0 {
                    name.push('.');
                }
                name.push_str(key);
                leaves(name, member, take);
                name.truncate(length);
            }
        }
        Value::Array(items) if !items.is_empty() && items.len() <= LONGEST_LIST => {
            for (number, item) in items.iter().enumerate() {
                name.push('_');
                name.push_str(&number.to_string());
                leaves(name, item, take);
                name.truncate(length);
            }
        }
        leaf => take(name, leaf),
    }
}

/// The columns, from at most `rows` lines, in the order in which they first occur.
pub(super) fn schema(path: &Path, input: Input, rows: usize) -> Result<Schema, TableError> {
    let mut objects = Objects {
        path: path.to_owned(),
        lines: Lines::new(input),
    };
    let mut guess = Guess::default();
    let mut columns: HashMap<String, usize> = HashMap::new();
    for _ in 0..rows {
        let Some((_, object)) = objects.next()? else {
            break;
        };
        leaves(&mut String::new(), &object, &mut |name, value| {
            let column = columns.get(name).copied().unwrap_or_else(|| {
                let column = guess.add(name.to_owned());
                columns.insert(name.to_owned(), column);
                column
            });
            guess.see_json(column, value);
        });
    }
    if columns.is_empty() {
        return Err(TableError::Malformed {
            path: path.to_owned(),
            place: None,
            reason: "empty: there should be one JSON object a line".to_owned(),
        });
    }
    Ok(guess.schema())
}

/// Reads batches.
pub(super) struct Rows {
    objects: Objects,
    wanted: Vec<Wanted>,
    /// The number in `wanted` of a column's name; a column may be wanted more than once.
    places: HashMap<String, Vec<usize>>,
    builders: Vec<Builder>,
    /// Which of `wanted` this row has.
    has: Vec<bool>,
    batch_rows: usize,
    row: u64,
}

impl Rows {
    pub(super) fn new(path: &Path, input: Input, wanted: Vec<Wanted>, batch_rows: usize) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, wanted) in wanted.iter().enumerate() {
            places.entry(wanted.name.clone()).or_default().push(at);
        }
        let builders = wanted
            .iter()
            .map(|wanted| Builder::new(wanted.kind, batch_rows))
            .collect();
        Self {
            objects: Objects {
                path: path.to_owned(),
                lines: Lines::new(input),
            },
            has: vec![false; wanted.len()],
            wanted,
            places,
            builders,
            batch_rows,
            row: 0,
        }
    }

    fn take_object(&mut self, line: u64, object: &Value) -> Result<(), TableError> {
        self.has.fill(false);
        let mut wrong = None;
        let (has, builders) = (&mut self.has, &mut self.builders);
        leaves(&mut String::new(), object, &mut |name, value| {
            for &at in self.places.get(name).map_or(&[][..], Vec::as_slice) {
                // The same key twice on one line, or "a.b" beside {"a": {"b": …}}: the first counts.
                if !std::mem::replace(&mut has[at], true) && builders[at].push_json(value).is_err()
                {
                    wrong = wrong.take().or_else(|| Some((at, value.clone())));
                }
            }
        });
        if let Some((at, value)) = wrong {
            let wanted = &self.wanted[at];
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let wider = wider(wanted.kind, &text);
            return Err(wanted.misfit(&self.objects.path, Place::Line(line), &text, wider));
        }
        for (builder, has) in self.builders.iter_mut().zip(&self.has) {
            if !has {
                builder.push_null();
            }
        }
        Ok(())
    }
}

impl super::source::Rows for Rows {
    fn next_batch(&mut self) -> Result<Option<Batch>, TableError> {
        let first_row = self.row;
        let mut rows = 0;
        while rows < self.batch_rows {
            let Some((line, object)) = self.objects.next()? else {
                break;
            };
            self.take_object(line, &object)?;
            rows += 1;
        }
        self.row += rows as u64;
        let columns = self.builders.iter_mut();
        let columns = columns.map(|builder| builder.take(self.batch_rows));
        Ok((rows > 0).then(|| Batch::new(first_row, columns.collect())))
    }
}
