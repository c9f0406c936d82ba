//! What every format must keep, held against each by its own reader.

use std::str::FromStr;

use super::{Cell, Column, ExportError, Format, Kind};

/// A cell that was read.
#[derive(Debug, Clone, PartialEq)]
enum Read {
    Empty,
    Text(String),
    Integer(i64),
    Number(f64),
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("tag", Kind::Text),
        Column::new("step, \"quoted\"", Kind::Integer),
        Column::new("値", Kind::Number),
    ]
}

fn write(format: Format, rows: &[[Cell<'_>; 3]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut table = format.table(&columns(), &mut bytes).unwrap();
    rows.iter().for_each(|row| table.row(row).unwrap());
    table.finish().unwrap();
    drop(table);
    bytes
}

fn read(format: Format, bytes: &[u8]) -> Vec<Vec<Read>> {
    match format {
        Format::Csv => read_csv(bytes),
        Format::JsonLines => read_json_lines(bytes),
        #[cfg(feature = "parquet")]
        Format::Parquet => read_parquet(bytes),
    }
}

fn of_text(kind: Kind, text: &str) -> Read {
    match kind {
        _ if text.is_empty() => Read::Empty,
        Kind::Text => Read::Text(text.to_owned()),
        Kind::Integer => Read::Integer(text.parse().unwrap()),
        Kind::Number => Read::Number(text.parse().unwrap()),
    }
}

fn read_csv(bytes: &[u8]) -> Vec<Vec<Read>> {
    let mut reader = ::csv::Reader::from_reader(bytes);
    let names: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let expected: Vec<String> = columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, expected);
    let row = |row: Result<::csv::StringRecord, _>| {
        let (row, columns) = (row.unwrap(), columns());
        let cells = columns.iter().zip(&row);
        cells
            .map(|(column, text)| of_text(column.kind, text))
            .collect()
    };
    reader.records().map(row).collect()
}

fn read_json_lines(bytes: &[u8]) -> Vec<Vec<Read>> {
    let text = std::str::from_utf8(bytes).unwrap();
    let row = |line| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let cell = |Column { name, kind }: Column| match (&object[name], kind) {
            (serde_json::Value::Null, _) => Read::Empty,
            (serde_json::Value::String(text), Kind::Number) => Read::Number(text.parse().unwrap()),
            (serde_json::Value::String(text), _) => Read::Text(text.clone()),
            // serde_json reads a number to its last bit only with a feature that all of a program would get, so the
            // numbers here are ones that it does read.
            (number, kind) => of_text(kind, &number.to_string()),
        };
        columns().into_iter().map(cell).collect()
    };
    text.lines().map(row).collect()
}

#[cfg(feature = "parquet")]
fn read_parquet(bytes: &[u8]) -> Vec<Vec<Read>> {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;

    let bytes = prost::bytes::Bytes::copy_from_slice(bytes);
    let reader = SerializedFileReader::new(bytes).unwrap();
    let cell = |field: &Field| match field {
        Field::Null => Read::Empty,
        Field::Str(text) => Read::Text(text.clone()),
        Field::Long(number) => Read::Integer(*number),
        Field::Double(number) => Read::Number(*number),
        other => panic!("{other:?}"),
    };
    let mut rows = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        rows.push(
            row.get_column_iter()
                .map(|(_, field)| cell(field))
                .collect(),
        );
    }
    rows
}

fn expected(rows: &[[Cell<'_>; 3]]) -> Vec<Vec<Read>> {
    let cell = |cell: &Cell<'_>| match *cell {
        Cell::Empty => Read::Empty,
        Cell::Text(text) => Read::Text(text.to_owned()),
        Cell::Integer(number) => Read::Integer(number),
        Cell::Number(number) => Read::Number(number),
    };
    rows.iter()
        .map(|row| row.iter().map(cell).collect())
        .collect()
}

/// NaN equals itself here, and -0 is not 0.
fn shown(rows: &[Vec<Read>]) -> String {
    format!("{rows:?}")
}

#[test]
fn every_format_keeps_every_value() {
    let text = Cell::Text;
    let rows = [
        [text("loss"), Cell::Integer(0), Cell::Number(0.1)],
        [
            text("a \"b\", c\r\nd\te\\"),
            Cell::Integer(i64::MIN),
            Cell::Number(f64::NAN),
        ],
        [
            text("é 漢 🎉 \u{1}"),
            Cell::Integer(i64::MAX),
            Cell::Number(f64::INFINITY),
        ],
        [
            text(" "),
            Cell::Integer(-1),
            Cell::Number(f64::NEG_INFINITY),
        ],
        [text("NaN"), Cell::Empty, Cell::Number(-0.0)],
        [text("null"), Cell::Integer(1 << 53 | 1), Cell::Empty],
        [text("="), Cell::Integer(7), Cell::Number(f64::from_bits(1))],
        [text("x"), Cell::Integer(8), Cell::Number(f64::MAX)],
        [
            text("x"),
            Cell::Integer(9),
            Cell::Number(f64::from(0.1_f32)),
        ],
        [
            Cell::Empty,
            Cell::Integer(10),
            Cell::Number(1_795_475_480.379_647),
        ],
    ];
    for &format in Format::ALL {
        let read = read(format, &write(format, &rows));
        assert_eq!(shown(&read), shown(&expected(&rows)), "{format:?}");
    }
}

#[test]
fn every_format_takes_no_rows_and_many() {
    let tags: Vec<String> = (0..5000).map(|tag| format!("tag/{tag}")).collect();
    let long = "long ".repeat(100);
    let rows: Vec<[Cell<'_>; 3]> = (0..300_000_i64)
        .map(|step| {
            let tag = match step % 1000 {
                0 => &long,
                _ => &tags[step as usize % tags.len()],
            };
            [
                Cell::Text(tag),
                Cell::Integer(step),
                Cell::Number(step as f64 / 8.0),
            ]
        })
        .collect();
    for &format in Format::ALL {
        assert!(read(format, &write(format, &[])).is_empty());
        let read = read(format, &write(format, &rows));
        assert!(read == expected(&rows), "{format:?}");
    }
}

#[test]
fn every_format_refuses_a_row_that_does_not_fit() {
    for &format in Format::ALL {
        let mut table = format.table(&columns(), std::io::sink()).unwrap();
        let short = table.row(&[Cell::Empty, Cell::Empty]);
        assert!(
            matches!(short, Err(ExportError::Row { cell: 2 })),
            "{short:?}"
        );
        let wrong = table.row(&[Cell::Text("t"), Cell::Number(1.0), Cell::Empty]);
        assert!(
            matches!(wrong, Err(ExportError::Row { cell: 1 })),
            "{wrong:?}"
        );
    }
}

#[test]
fn every_format_says_that_the_disk_is_full() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for &format in Format::ALL {
        let wrote = format.table(&columns(), Full).and_then(|mut table| {
            table.row(&[Cell::Text("t"), Cell::Integer(1), Cell::Number(1.0)])?;
            table.finish()
        });
        let error = wrote.unwrap_err().to_string();
        assert!(
            error.contains("storage") || error.contains("space"),
            "{format:?}: {error}"
        );
    }
}

#[test]
fn a_format_is_told_by_its_extension() {
    for &format in Format::ALL {
        assert_eq!(Format::from_str(format.extension()), Ok(format));
    }
    assert!(Format::from_str("xlsx").unwrap_err().contains("csv, jsonl"));
}
