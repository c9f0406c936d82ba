//! What is no table is one line: the file, the line or row, the column, and what is wrong.

use std::path::Path;

use modelpulse::table::{Format, Kind, Options, Place, Table, TableError};

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The error of reading all of a table, and its message behind the file's name.
fn failure(path: &Path, options: Options) -> (TableError, String) {
    let error = match Table::open_with(path, options) {
        Err(error) => error,
        Ok(table) => {
            let columns: Vec<&str> = table.schema().names().collect();
            let batches = table.read(&columns).unwrap();
            batches.filter_map(Result::err).next().expect("an error")
        }
    };
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    let message = message.replace(&path.display().to_string(), "FILE");
    (error, message)
}

#[test]
fn text_tables_say_the_line_and_the_column() {
    let dir = tempfile::tempdir().unwrap();
    let few = || Options::default().infer_rows(2);
    for (name, content, message) in [
        (
            "empty.csv",
            "",
            "FILE: empty: there should be a first line that names the columns",
        ),
        (
            "numbers.csv",
            "1,0.5\n0,0.2\n",
            "FILE, line 1: numbers where the names of the columns should be: add a header line",
        ),
        (
            "ragged.csv",
            "a,b\n1,2\n3\n",
            "FILE, line 3: 1 cells where the first line names 2 columns",
        ),
        (
            "word.csv",
            "label,score\n1,0.5\n0,0.25\n\"1\",\"a\nb\"\n",
            "FILE, line 4, column 'score': 'a\\nb' is not a number",
        ),
        (
            "half.csv",
            "a\n1\n2\n2.5\n",
            "FILE, line 4, column 'a': '2.5' is not a whole number",
        ),
        (
            "half.jsonl",
            "{\"a\": 1}\n{}\n\n{\"a\": [2]}\n{\"a\": {}}\n",
            "FILE, line 5, column 'a': '{}' is not a whole number",
        ),
        (
            "list.jsonl",
            "{\"a\": 1}\n[1]\n",
            "FILE, line 2: not an object: {\"column\": value, …}",
        ),
        (
            "blank.jsonl",
            "{}\n\n",
            "FILE: empty: there should be one JSON object a line",
        ),
    ] {
        let path = write(dir.path(), name, content);
        assert_eq!(failure(&path, few()).1, message, "{name}");
    }
    let torn = write(dir.path(), "torn.jsonl", "{\"a\": 1}\n{\"a\": ");
    assert!(
        failure(&torn, few())
            .1
            .starts_with("FILE, line 2: not JSON: EOF")
    );
    let latin = write(dir.path(), "latin.csv", b"a,b\n1,x\n2,\xe9\n");
    assert_eq!(
        failure(&latin, few()).1,
        "FILE, line 3: column 'b' is not UTF-8"
    );
}

#[test]
fn a_guessed_kind_says_what_would_fit() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "a.csv", "a\n1\n2\n2.5\n");
    let (error, _) = failure(&path, Options::default().infer_rows(2));
    assert!(matches!(
        error,
        TableError::Value {
            place: Place::Line(4),
            wider: Some(Kind::Float),
            ..
        }
    ));
    let table = Table::open(&path)
        .unwrap()
        .with_kind("a", Kind::Int)
        .unwrap();
    let error = table.read(&["a"]).unwrap().find_map(Result::err).unwrap();
    assert!(matches!(error, TableError::Value { wider: None, .. }));
}

#[test]
fn missing_files_and_columns_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "a.csv", "a,b\n1,2\n");
    let table = Table::open(&path).unwrap();
    let error = table.read(&["c"]).unwrap_err().to_string();
    assert!(
        error.ends_with("a.csv has no column 'c'; it has 'a', 'b'"),
        "{error}"
    );
    let error = Table::open(dir.path().join("missing")).unwrap_err();
    assert!(matches!(error, TableError::Open { .. }));
    assert!(Table::open(dir.path()).is_err());
}

#[test]
fn a_parquet_file_that_is_cut_or_damaged_is_an_error_not_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let whole = include_bytes!("small.parquet");
    for length in 0..whole.len() {
        let path = write(dir.path(), "cut.parquet", &whole[..length]);
        let options = Options::default().format(Format::Parquet);
        let (_, message) = failure(&path, options);
        assert!(
            message.starts_with("FILE: not whole, or not Parquet"),
            "{length}: {message}"
        );
    }
    for at in 0..whole.len() {
        let mut damaged = whole.to_vec();
        damaged[at] ^= 0x55;
        let path = write(dir.path(), "damaged.parquet", &damaged);
        let options = Options::default().format(Format::Parquet);
        // Some damage changes only a value.
        if let Ok(table) = Table::open_with(&path, options) {
            let columns: Vec<&str> = table.schema().names().collect();
            let batches = table.read(&columns);
            batches.into_iter().flatten().take(1000).for_each(drop);
        }
    }
}
