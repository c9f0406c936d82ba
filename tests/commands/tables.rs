//! Tables, read back by pyarrow, DuckDB, pandas and Python's json.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use modelpulse::flow::{Event, Source};
use modelpulse::log::LogReader;
use modelpulse::summary::{Image, Text, Value};

use crate::{cases, log, modelpulse, script};

/// The readers of each format, by the ends of its files' names.
const READERS: [(&str, &[&str]); 3] = [
    ("parquet", &["pyarrow", "duckdb"]),
    ("csv", &["pandas"]),
    ("jsonl", &["json"]),
];

type Row = BTreeMap<String, Option<String>>;

/// The rows of a table as a foreign reader reads them.
fn read(reader: &str, path: &Path) -> Vec<Row> {
    read_all(reader, &[path.to_owned()]).remove(0)
}

/// The rows of several tables: importing a reader takes longer than reading.
fn read_all(reader: &str, paths: &[PathBuf]) -> Vec<Vec<Row>> {
    let mut arguments = vec![reader.as_ref()];
    arguments.extend(paths.iter().map(|path| path.as_os_str()));
    let found = script("tables.py", &arguments, "");
    let table = |table: &serde_json::Value| {
        let names = table["columns"].as_array().unwrap();
        let row = |cells: &serde_json::Value| {
            let cells = cells.as_array().unwrap().iter();
            let cell = |(name, cell): (&serde_json::Value, &serde_json::Value)| {
                let name = name.as_str().unwrap().to_owned();
                (name, cell.as_str().map(str::to_owned))
            };
            names.iter().zip(cells).map(cell).collect()
        };
        table["rows"].as_array().unwrap().iter().map(row).collect()
    };
    found.as_array().unwrap().iter().map(table).collect()
}

/// A number as the script prints it.
fn bits(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else {
        format!("{:016x}", number.to_bits())
    }
}

fn export(logdir: &Path, to: &Path, arguments: &[&str]) -> String {
    let paths = [
        "export".as_ref(),
        logdir.as_os_str(),
        "-o".as_ref(),
        to.as_os_str(),
    ];
    let arguments = arguments.iter().map(AsRef::as_ref);
    modelpulse(paths.into_iter().chain(arguments), 0).1
}

/// What a row says: the cells that every row has, and its number.
fn expected(event: &Event) -> [Option<String>; 6] {
    [
        Some(event.run.to_string()),
        Some(event.tag.to_string()),
        Some(event.step.to_string()),
        Some(bits(event.wall_time)),
        Some(event.value.plugin().to_owned()),
        event.value.number().map(bits),
    ]
}

fn found(row: &Row) -> [Option<String>; 6] {
    let names = ["run", "tag", "step", "wall_time", "plugin", "value"];
    names.map(|name| row.get(name).cloned().flatten())
}

/// Special values under special names.
fn special() -> Vec<Event> {
    let numbers = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.0,
        f32::MIN_POSITIVE / 2.0,
        f32::MAX,
        0.1,
    ];
    let mut events = Vec::new();
    for (index, tag) in [
        "é/漢 字",
        "a,b \"c\"",
        "NaN",
        "tab\tand\nline",
        "NA",
        "=1+1",
    ]
    .iter()
    .enumerate()
    {
        for (at, &number) in numbers.iter().enumerate() {
            let step = [0, 1, -1, i64::MAX, i64::MIN, 1 << 53 | 1, 7][at];
            let time = 1_795_475_480.379_647 + events.len() as f64 / 3.0;
            let run = ["train", "run é 漢 %20", "."][index % 3];
            events.push(Event::new(run, *tag, step, time, number));
        }
    }
    events
}

#[test]
fn tables_are_read_back_with_equal_values() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    log(&logdir, &special());
    for (format, readers) in READERS {
        let table = dir.path().join(format!("table.{format}"));
        export(&logdir, &table, &[]);
        for reader in readers {
            let rows = read(reader, &table);
            assert_eq!(rows.len(), special().len(), "{reader}");
            for (row, event) in rows.iter().zip(&special()) {
                assert_eq!(found(row), expected(event), "{reader}");
            }
        }
    }
}

#[test]
fn every_scalar_of_the_corpus_is_in_its_table() {
    let dir = tempfile::tempdir().unwrap();
    let (mut tables, mut expected_of) = (Vec::new(), Vec::new());
    for case in cases() {
        let Ok(mut reader) = LogReader::open(&case) else {
            continue;
        };
        let mut events = Vec::new();
        while let Some(instant) = reader.next_instant().unwrap() {
            events.extend(instant);
        }
        let numbers = |event: &&Event| event.value.number().is_some();
        let rows: Vec<_> = events.iter().filter(numbers).map(expected).collect();
        if !rows.is_empty() {
            let table = dir.path().join(format!("{}.parquet", tables.len()));
            export(&case, &table, &["--no-files", "--restart", "keep-all"]);
            tables.push(table);
            expected_of.push(rows);
        }
    }
    for reader in ["pyarrow", "duckdb"] {
        for (rows, expected) in read_all(reader, &tables).iter().zip(&expected_of) {
            let scalars = rows.iter().filter(|row| row["value"].is_some());
            assert_eq!(
                &scalars.map(found).collect::<Vec<_>>(),
                expected,
                "{reader}"
            );
        }
    }
    let scalars: usize = expected_of.iter().map(Vec::len).sum();
    println!("{scalars} scalars of {} logs compared", tables.len());
    assert!(scalars > 1000);
}

#[test]
fn a_table_in_partitions_is_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    let mut events = special();
    events.retain(|event| event.run.as_str() != ".");
    log(&logdir, &events);
    let table = dir.path().join("table");
    export(&logdir, &table, &["--by-run", "-f", "parquet"]);
    assert!(table.join("run=train/part-0.parquet").is_file());
    for reader in ["pyarrow", "duckdb"] {
        let mut rows: Vec<_> = read(reader, &table).iter().map(found).collect();
        let mut expected: Vec<_> = events.iter().map(expected).collect();
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected, "{reader}");
    }
}

#[test]
fn a_wide_table_has_a_column_a_tag() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    let event = |tag: &str, step: i64, value: f64| Event::new("r", tag, step, step as f64, value);
    log(
        &logdir,
        &[
            event("é/a", 0, 1.0),
            event("b", 0, f64::NAN),
            event("b", 1, f64::INFINITY),
        ],
    );
    for (format, readers) in READERS {
        let table = dir.path().join(format!("wide.{format}"));
        export(&logdir, &table, &["--wide"]);
        for reader in readers {
            let rows = read(reader, &table);
            let column =
                |name: &str| -> Vec<_> { rows.iter().map(|row| row[name].clone()).collect() };
            assert_eq!(column("é/a"), [Some(bits(1.0)), None], "{reader}");
            assert_eq!(
                column("b"),
                [Some(bits(f64::NAN)), Some(bits(f64::INFINITY))],
                "{reader}"
            );
            assert_eq!(
                column("step"),
                [Some("0".to_owned()), Some("1".to_owned())],
                "{reader}"
            );
        }
    }
}

#[test]
fn images_become_files_and_texts_cells() {
    let dir = tempfile::tempdir().unwrap();
    let logdir = dir.path().join("log");
    let image = Image::grey(2, 1, &[0, 255]).unwrap();
    log(
        &logdir,
        &[
            Event::new("eval", "worst", 3, 1.0, Value::from(image.clone())),
            Event::new("eval", "note", 4, 2.0, Value::from(Text::new("a\nb"))),
        ],
    );
    let table = dir.path().join("out/table.csv");
    let said = export(&logdir, &table, &[]);
    assert!(said.contains("2 rows"), "{said}");
    let rows = read("pandas", &table);
    let file = rows[0]["file"].clone().unwrap();
    assert_eq!(file, "table_files/eval/worst/3.png");
    let bytes = std::fs::read(dir.path().join("out").join(file)).unwrap();
    assert_eq!(bytes, image.png()[..]);
    assert_eq!(rows[1]["content"].as_deref(), Some("a\nb"));

    // The files are there now, and are not written over.
    let arguments = [
        "export".as_ref(),
        logdir.as_os_str(),
        "-o".as_ref(),
        table.as_os_str(),
    ];
    let (_, err) = modelpulse(arguments, 2);
    assert!(
        err.contains("table_files") && err.lines().count() == 1,
        "{err}"
    );
}
