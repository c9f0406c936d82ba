//! Tables that pandas, Arrow, DuckDB and Python write are read as they wrote them; what is no table says where.

use modelpulse::table::{Kind, Options, Table, Values};
use serde_json::{Value, json};

/// A column as JSON.
fn read(table: &Table, column: &str) -> Value {
    let mut all = Vec::new();
    let mut next_row = 0;
    for batch in table.read(&[column]).unwrap() {
        let batch = batch.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(batch.first_row(), next_row);
        next_row += batch.rows() as u64;
        let column = batch.column(0);
        let float = |&value: &f64| match value.is_finite() {
            true => json!(value),
            false => json!(value.to_string()),
        };
        let values: Vec<Value> = match column.values() {
            Values::Bool(values) => values.iter().map(|it| json!(it)).collect(),
            Values::Int(values) | Values::Timestamp(values) => {
                values.iter().map(|it| json!(it)).collect()
            }
            Values::Float(values) => values.iter().map(float).collect(),
            Values::Text(values) => values.iter().map(|it| json!(it)).collect(),
            other => panic!("{other:?}"),
        };
        let of = |(row, value)| {
            if column.is_null(row) {
                Value::Null
            } else {
                value
            }
        };
        all.extend(values.into_iter().enumerate().map(of));
    }
    if let Some(rows) = table.rows() {
        assert_eq!(rows, next_row);
    }
    Value::Array(all)
}

#[test]
fn what_other_tools_write_is_read_as_they_wrote_it() {
    let dir = tempfile::tempdir().unwrap();
    super::python("write_tables.py", dir.path());
    let expected = std::fs::read_to_string(dir.path().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let mut compared = 0;
    for (file, columns) in expected.as_object().unwrap() {
        // Batches that do not divide the rows.
        let options = Options::default().batch_rows(333);
        let table = Table::open_with(dir.path().join(file), options).unwrap();
        for (column, expected) in columns.as_object().unwrap() {
            let kind = table.schema().kind(column).map(|kind| format!("{kind:?}"));
            assert_eq!(
                kind.as_deref(),
                expected["kind"].as_str(),
                "{file}: {column}"
            );
            let got = read(&table, column);
            assert!(got == expected["values"], "{file}: {column} is {got}");
            compared += got.as_array().unwrap().len();
        }
        for list in ["list", "list_0", "ragged_0", "words_0", "pairs_0"] {
            let place = table.schema().position(list);
            assert_eq!(
                place, None,
                "{file}: '{list}' has no fixed number of numbers a row"
            );
        }
    }
    println!("{compared} values compared");
}

#[test]
fn columns_are_read_as_other_kinds_where_they_fit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    std::fs::write(&path, "zip,n,t\n12,1,2026-01-01\n34,,2026-01-02\n").unwrap();
    let table = Table::open(&path).unwrap();
    let table = table
        .with_kind("zip", Kind::Text)
        .unwrap()
        .with_kind("n", Kind::Float)
        .unwrap();
    assert_eq!(read(&table, "zip"), json!(["12", "34"]));
    assert_eq!(read(&table, "n"), json!([1.0, null]));
    let table = table.with_kind("t", Kind::Text).unwrap();
    assert_eq!(read(&table, "t"), json!(["2026-01-01", "2026-01-02"]));
}
