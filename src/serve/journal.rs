//! The file of what `/observations` and `/labels` took, in the order in which it came.
//!
//! What was appended is there after a kill. The file does not grow for ever: when it has grown by so much, what is still
//! needed of it takes its place, whole or not at all.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::export::json_number;
use crate::health::{Counts, Kept, Observations, Row};

/// The name of the file.
pub(super) const NAME: &str = "observations.jsonl";
/// What is to take its place, until it is whole.
const NEXT: &str = "observations.jsonl.next";

#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    /// Locked, so that no other process appends to a file that this one replaces.
    file: File,
    /// Bytes of whole lines.
    len: u64,
    /// Bytes that the last compaction left.
    base: u64,
    /// So much may come behind those.
    growth: u64,
    /// Whether something stands behind the whole lines that could not be cut off.
    torn: bool,
}

/// A line of the file.
pub(super) enum Line {
    /// What a compaction kept, which is what the file begins with.
    Kept(Kept),
    /// The lines behind this one were taken at this time.
    Taken(f64),
    /// What was taken: an observation or a label.
    Entry(Value),
}

impl Journal {
    /// Opens the file in `dir`, or makes it, and shows all of its whole lines to `each`.
    pub(super) fn open(dir: &Path, growth: u64, mut each: impl FnMut(Line)) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true).read(true);
        let file = options.open(dir.join(NAME))?;
        lock(&file)?;
        // What was not whole when a process ended is of no use.
        match std::fs::remove_file(dir.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (len, base) = replay(BufReader::new(&file), &mut each)?;
        let mut journal = Self {
            dir: dir.to_owned(),
            file,
            len,
            base,
            growth,
            torn: false,
        };
        // Half a line was not acknowledged.
        journal.cut();
        Ok(journal)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(NAME)
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends whole lines that were taken at `time`: all of them or none.
    pub(super) fn append(&mut self, time: f64, lines: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(lines.len() + 40);
        if self.torn {
            bytes.push(b'\n');
        }
        // Writing to memory does not fail.
        let _ = writeln!(bytes, "{}", json!({ "taken": time }));
        bytes.extend_from_slice(lines);
        // Until it is there as a whole, it may be there in part.
        if let Err(error) = self.file.write_all(&bytes) {
            self.cut();
            return Err(error);
        }
        self.len += bytes.len() as u64;
        self.torn = false;
        Ok(())
    }

    /// Takes away what stands behind the whole lines.
    fn cut(&mut self) {
        let longer = |file: &File| file.metadata().map_or(true, |now| now.len() > self.len);
        self.torn = longer(&self.file) && self.file.set_len(self.len).is_err();
    }

    /// Whether the file has grown enough to be made smaller.
    pub(super) fn is_long(&self) -> bool {
        self.len.saturating_sub(self.base) > self.growth
    }

    /// Puts what is still needed in the place of the file. Where that fails, the file is what it was, and may grow as much
    /// again before the next try.
    pub(super) fn compact(&mut self, live: &Observations) -> io::Result<()> {
        let next = self.dir.join(NEXT);
        let replaced = write(&next, live).and_then(|(file, len)| {
            lock(&file)?;
            std::fs::rename(&next, self.path())?;
            Ok((file, len))
        });
        match replaced {
            Ok((file, len)) => {
                (self.file, self.len, self.base, self.torn) = (file, len, len, false);
                // Not every file system does this for a directory; either file is whole.
                let _ = File::open(&self.dir).and_then(|dir| dir.sync_all());
                Ok(())
            }
            Err(error) => {
                let _ = std::fs::remove_file(&next);
                self.base = self.len;
                Err(error)
            }
        }
    }
}

fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another process takes observations there: give each its own directory",
        )),
        // Where files cannot be locked, nothing is known.
        _ => Ok(()),
    }
}

/// Writes what is kept to a new file, and waits until the disk has it.
fn write(path: &Path, live: &Observations) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    let mut out = BufWriter::new(options.append(true).create_new(true).open(path)?);
    live.show_kept(|kept, rows| {
        writeln!(out, "{}", json!({ "compacted": counts(kept) }))?;
        for (id, row) in rows {
            let number = |value: &f32| json_number(f64::from(*value));
            let outputs: Vec<Value> = row.outputs.iter().map(number).collect();
            let label = row.label.as_ref().map(number);
            let row = json!([**id, row.number, row.time, label, outputs]);
            writeln!(out, "{}", json!({ "row": row }))?;
        }
        io::Result::Ok(())
    })?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    let len = file.metadata()?.len();
    Ok((file, len))
}

/// Where the whole lines end, and where those end that a compaction left.
fn replay(mut reader: impl BufRead, each: &mut impl FnMut(Line)) -> io::Result<(u64, u64)> {
    let (mut line, mut kept) = (Vec::new(), None::<Kept>);
    let (mut len, mut base) = (0, 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        if !line.ends_with(b"\n") {
            break;
        }
        len += line.len() as u64;
        // A line that is none was not acknowledged.
        let value: Option<Value> = serde_json::from_slice(&line).ok();
        line.clear();
        let Some(value) = value else { continue };
        if let Some(counts) = value.get("compacted").and_then(counts_of) {
            let rows = Vec::new();
            kept = Some(Kept { counts, rows });
            base = len;
        } else if let Some(row) = value.get("row").filter(|_| kept.is_some()) {
            if let (Some(kept), Some(row)) = (&mut kept, row_of(row)) {
                kept.rows.push(row);
            }
            base = len;
        } else {
            kept.take()
                .into_iter()
                .for_each(|kept| each(Line::Kept(kept)));
            match value.get("taken").and_then(Value::as_f64) {
                Some(time) if value.get("id").is_none() => each(Line::Taken(time)),
                _ => each(Line::Entry(value)),
            }
        }
    }
    kept.into_iter().for_each(|kept| each(Line::Kept(kept)));
    Ok((len, base))
}

type Count = (&'static str, fn(&mut Counts) -> &mut u64);

const COUNTS: [Count; 7] = [
    ("observed", |it| &mut it.observed),
    ("repeated", |it| &mut it.repeated),
    ("labelled", |it| &mut it.labelled),
    ("relabelled", |it| &mut it.relabelled),
    ("unknown", |it| &mut it.unknown),
    ("expired", |it| &mut it.expired),
    ("waiting", |it| &mut it.waiting),
];

pub(super) fn counts(counts: &Counts) -> Map<String, Value> {
    let mut counts = *counts;
    let named = COUNTS.map(|(name, count)| (name.to_owned(), json!(*count(&mut counts))));
    named.into_iter().collect()
}

fn counts_of(value: &Value) -> Option<Counts> {
    let mut counts = Counts::default();
    for (name, count) in COUNTS {
        *count(&mut counts) = value.get(name)?.as_u64()?;
    }
    Some(counts)
}

fn row_of(value: &Value) -> Option<(std::sync::Arc<str>, Row)> {
    let number = |value: &Value| match value {
        Value::String(name) => name.parse().ok(),
        value => value.as_f64().map(|value| value as f32),
    };
    let [id, place, time, label, outputs] = value.as_array()?.as_slice() else {
        return None;
    };
    let outputs: Option<Vec<f32>> = outputs.as_array()?.iter().map(number).collect();
    let row = Row {
        outputs: outputs?,
        label: match label {
            Value::Null => None,
            label => Some(number(label)?),
        },
        number: place.as_u64()?,
        time: time.as_f64()?,
    };
    Some((id.as_str()?.into(), row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(rows: u64) -> Observations {
        let outputs = [0.1, f32::NAN, f32::NEG_INFINITY, 1e-45];
        let row = |number| Row {
            outputs: outputs.to_vec(),
            label: [None, Some(1.0)][number as usize % 2],
            number,
            time: 1.7e9 + 0.125 * number as f64,
        };
        let counts = Counts {
            observed: rows,
            expired: 3,
            ..Counts::default()
        };
        let rows = (0..rows).map(|at| (format!("é\"{at}").into(), row(at)));
        let rows = rows.collect();
        let live = Observations::new(crate::train::Task::Multiclass { classes: 4 });
        live.take_back(Kept { counts, rows });
        live
    }

    fn opened(dir: &Path) -> (Journal, Vec<String>) {
        let mut lines = Vec::new();
        let journal = Journal::open(dir, 100, |line| {
            lines.push(match line {
                Line::Kept(kept) => format!("{kept:?}"),
                Line::Taken(time) => format!("at {time}"),
                Line::Entry(value) => value.to_string(),
            });
        });
        (journal.unwrap(), lines)
    }

    #[test]
    fn what_is_kept_takes_the_place_of_all_that_was() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        journal.append(1.5, b"{\"id\":1}\n{\"id\":2}\n").unwrap();
        assert!(!journal.is_long());
        journal.append(2.5, &b"{\"id\":3}\n".repeat(20)).unwrap();
        assert!(journal.is_long());
        journal.compact(&live(3)).unwrap();
        assert!(!journal.is_long());
        journal.append(3.5, b"{\"id\":4}\n").unwrap();
        let (len, base) = (journal.len, journal.base);
        drop(journal);
        let (journal, lines) = opened(dir.path());
        let expected = [
            format!("{:?}", live(3).kept()),
            "at 3.5".into(),
            "{\"id\":4}".into(),
        ];
        assert_eq!(lines, expected);
        assert_eq!((journal.len, journal.base), (len, base));
    }

    #[test]
    fn a_kill_in_the_middle_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        journal.append(1.5, b"{\"id\":1}\n").unwrap();
        drop(journal);
        // Any part of what was to take its place, and half a line behind the last.
        let (file, len) = write(&dir.path().join(NEXT), &live(3)).unwrap();
        file.set_len(len - 10).unwrap();
        let path = dir.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole, &b"{\"id\":2, \"pre"[..]].concat()).unwrap();
        let (mut journal, lines) = opened(dir.path());
        assert_eq!(lines, ["at 1.5", "{\"id\":1}"]);
        assert!(!dir.path().join(NEXT).exists());
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        journal.append(2.5, b"{\"id\":3}\n").unwrap();
        journal.compact(&live(1)).unwrap();
        drop(journal);
        assert_eq!(opened(dir.path()).1, [format!("{:?}", live(1).kept())]);
    }

    #[test]
    fn a_compaction_that_fails_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        journal.append(1.5, &b"{\"id\":1}\n".repeat(20)).unwrap();
        std::fs::create_dir(dir.path().join(NEXT)).unwrap();
        journal.compact(&live(1)).unwrap_err();
        assert!(!journal.is_long());
        journal.append(2.5, b"{\"id\":2}\n").unwrap();
        drop(journal);
        std::fs::remove_dir(dir.path().join(NEXT)).unwrap();
        let (_, lines) = opened(dir.path());
        assert_eq!((lines.len(), &lines[22][..]), (23, "{\"id\":2}"));
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = opened(dir.path());
        for _ in 0..2 {
            let error = Journal::open(dir.path(), 1, |_| {}).unwrap_err();
            assert!(error.to_string().contains("another process"), "{error}");
            journal.compact(&live(1)).unwrap();
        }
    }
}
