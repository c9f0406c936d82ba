//! What `/predict` takes and answers.
//!
//! Every row is whole and of the same number of features, or the request is refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::export::json_number;
use crate::health::Predictions;
use crate::train::Task;

/// The features of the rows of a request, one row behind the other, and how many each has.
pub(super) fn rows(body: &[u8]) -> Result<(Vec<f32>, usize), String> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let rows: Vec<Vec<f32>> = match first {
        Some(b'[') => serde_json::from_slice(body).map_err(|error| error.to_string())?,
        _ => {
            let object: BTreeMap<String, Vec<Vec<f32>>> =
                serde_json::from_slice(body).map_err(|error| error.to_string())?;
            let mut values = object.into_iter().filter(|(key, _)| key == "rows");
            values.next().ok_or("there is no \"rows\"")?.1
        }
    };
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 {
        return Err("there are no rows, or rows without features".to_owned());
    }
    if let Some(at) = rows.iter().position(|row| row.len() != width) {
        let odd = rows[at].len();
        return Err(format!("row {at} has {odd} features, row 0 has {width}"));
    }
    Ok((rows.concat(), width))
}

/// The answer to rows.
pub(super) fn answer(task: Task, said: &Predictions, names: &[String]) -> Value {
    let numbers = |row: &[f32]| -> Value {
        let numbers = row.iter().map(|value| json_number(f64::from(*value)));
        Value::Array(numbers.collect())
    };
    let class = |class: Option<usize>, prediction: &mut Map<String, Value>| {
        prediction.insert("class".to_owned(), json!(class));
        if let Some(name) = class.and_then(|class| names.get(class)) {
            prediction.insert("name".to_owned(), json!(name));
        }
    };
    let rows = said.iter().enumerate().map(|(at, row)| {
        let mut prediction = Map::new();
        match (task, row) {
            (Task::Multiclass { .. }, [number]) => {
                let whole = (*number >= 0.0).then_some(*number as usize);
                class(whole, &mut prediction);
            }
            (Task::Multiclass { .. } | Task::Binary, row) => {
                class(said.class(at), &mut prediction);
                prediction.insert("scores".to_owned(), numbers(row));
            }
            (_, row) => {
                prediction.insert("values".to_owned(), numbers(row));
            }
        }
        Value::Object(prediction)
    });
    json!({ "predictions": rows.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_bare_or_named_and_whole() {
        let expected = Ok((vec![1.0, 2.5, 3.0, 4.0], 2));
        assert_eq!(rows(b" [[1, 2.5], [3, 4]]"), expected);
        assert_eq!(rows(b"{\"rows\": [[1, 2.5], [3, 4]]}"), expected);
        for (body, expected) in [
            ("", "EOF"),
            ("[]", "no rows"),
            ("[[]]", "no rows"),
            ("{\"row\": [[1]]}", "no \"rows\""),
            ("[[1], [1, 2]]", "row 1 has 2 features, row 0 has 1"),
            ("[[null]]", "null"),
            ("[[1, NaN]]", "column"),
            ("[[1]] x", "trailing"),
        ] {
            let error = rows(body.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn a_prediction_names_its_class() {
        let names = ["ham".to_owned(), "spam".to_owned()];
        let scores = Predictions::new(vec![0.25, 0.75, f32::NAN, 0.5], 2);
        let answer_of =
            |task, said: &Predictions| answer(task, said, &names)["predictions"].clone();
        assert_eq!(
            answer_of(Task::Multiclass { classes: 2 }, &scores),
            json!([
                { "class": 1, "name": "spam", "scores": [0.25, 0.75] },
                { "class": null, "scores": ["NaN", 0.5] },
            ])
        );
        let classes = Predictions::new(vec![1.0, -1.0], 1);
        assert_eq!(
            answer_of(Task::Multiclass { classes: 2 }, &classes),
            json!([{ "class": 1, "name": "spam" }, { "class": null }])
        );
        assert_eq!(
            answer_of(Task::Regression { outputs: 1 }, &classes),
            json!([{ "values": [1.0] }, { "values": [-1.0] }])
        );
    }
}
