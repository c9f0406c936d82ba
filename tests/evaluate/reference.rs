//! Error analysis beside brute force and cleanlab, over the cases of the folder that `MODELPULSE_REFERENCE` names
//! (default: the copy in `tests/reference`).

use std::path::PathBuf;

use modelpulse::health::errors::{Dimension, LabelFilter, LabelQuality, Labelled, Scores, Slices};
use serde_json::Value;

/// The cases of a file of reference values.
fn cases(file: &str) -> Vec<Value> {
    let own = || format!("{}/tests/reference", env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var("MODELPULSE_REFERENCE").unwrap_or_else(|_| own());
    let path = PathBuf::from(folder).join(file);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_f64().unwrap())
        .collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_u64().unwrap() as usize)
        .collect()
}

fn matrix(value: &Value) -> Vec<Vec<u64>> {
    let rows = value.as_array().unwrap().iter();
    rows.map(|row| indices(row).into_iter().map(|it| it as u64).collect())
        .collect()
}

/// Rows of a column to codes of its categories, in the order in which they first occur.
fn coded(name: &str, values: &[Value]) -> (Dimension, Vec<Option<u32>>) {
    let mut categories: Vec<String> = Vec::new();
    let codes = values.iter().map(|value| {
        if value.is_null() {
            return None;
        }
        let value = text(value);
        let known = categories.iter().position(|category| *category == value);
        let code = known.unwrap_or_else(|| {
            categories.push(value);
            categories.len() - 1
        });
        Some(code as u32)
    });
    let codes = codes.collect();
    (Dimension::new(name, categories), codes)
}

#[test]
fn reference_slices() {
    let mut compared = 0;
    for case in cases("errors_slices.json") {
        let id = text(&case["id"]);
        let (input, expected) = (&case["input"], &case["expected"]);
        let columns = input["columns"].as_object().unwrap();
        let columns: Vec<_> = columns
            .iter()
            .map(|(name, values)| coded(name, values.as_array().unwrap()))
            .collect();
        let mut slices = Slices::new(columns.iter().map(|(column, _)| column.clone()));
        let codes: Vec<&[Option<u32>]> = columns.iter().map(|(_, codes)| &codes[..]).collect();
        slices.update(&codes, &numbers(&input["error"])).unwrap();
        let overall = expected["overall"].as_f64().unwrap();
        close(&id, slices.error_rate().unwrap(), overall);
        compared += 1;

        let ranked = slices.ranked(input["min_n"].as_u64().unwrap());
        let expected = expected["ranked"].as_array().unwrap();
        assert!(
            ranked.len() >= expected.len(),
            "{id}: {} slices",
            ranked.len()
        );
        for (rank, expected) in expected.iter().enumerate() {
            let conditions = expected["where"].as_object().unwrap();
            let conditions: Vec<(String, String)> = conditions
                .iter()
                .map(|(column, value)| (column.clone(), text(value)))
                .collect();
            let found = ranked.iter().find(|slice| {
                slice.conditions.len() == conditions.len()
                    && slice.conditions.iter().all(|it| {
                        let given = (it.column.to_owned(), it.category.to_owned());
                        conditions.contains(&given)
                    })
            });
            let found = found.unwrap_or_else(|| panic!("{id}: no slice {conditions:?}"));
            assert_eq!(
                Some(found.n),
                expected["n"].as_u64(),
                "{id}: {conditions:?}"
            );
            let rate = expected["error_rate"].as_f64().unwrap();
            close(
                &id,
                found.error_sum,
                expected["error_sum"].as_f64().unwrap(),
            );
            close(&id, found.error_rate, rate);
            // Slices with equal rates may stand in any order.
            close(&id, ranked[rank].error_rate, rate);
            compared += 4;
        }
    }
    println!("slices: {compared} values compared");
}

#[test]
fn reference_mislabeled() {
    let mut compared = 0;
    for case in cases("errors_mislabeled_cleanlab.json") {
        let id = text(&case["id"]);
        let (input, expected) = (&case["input"], &case["expected"]);
        let labels = indices(&input["labels"]);
        let rows: Vec<Vec<f64>> = input["proba"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        let scores = Scores::Classes {
            probabilities: &rows.concat(),
            classes: rows[0].len(),
        };
        let labelled = Labelled::new(&labels, scores).unwrap();

        let joint = labelled.confident_joint();
        assert_eq!(
            joint.counted,
            matrix(&expected["confident_joint_uncalibrated"]),
            "{id}"
        );
        assert_eq!(
            joint.calibrated,
            matrix(&expected["confident_joint"]),
            "{id}"
        );
        compared += 2 * joint.counted.len() * joint.counted.len();
        for (name, by) in [
            ("quality_self_confidence", LabelQuality::SelfConfidence),
            ("quality_normalized_margin", LabelQuality::NormalizedMargin),
            (
                "quality_confidence_weighted_entropy",
                LabelQuality::ConfidenceWeightedEntropy,
            ),
        ] {
            let (got, expected) = (labelled.quality(by), numbers(&expected[name]));
            assert_eq!(got.len(), expected.len(), "{id}: {name}");
            for (got, expected) in got.into_iter().zip(expected) {
                close(&format!("{id}: {name}"), got, expected);
                compared += 1;
            }
        }
        for (name, by) in [
            ("issues_prune_by_noise_rate", LabelFilter::PruneByNoiseRate),
            ("issues_prune_by_class", LabelFilter::PruneByClass),
            ("issues_both", LabelFilter::Both),
            ("issues_confident_learning", LabelFilter::ConfidentLearning),
            ("issues_predicted_neq_given", LabelFilter::PredictedNeqGiven),
        ] {
            if let Some(expected) = expected.get(name) {
                let expected = indices(expected);
                assert_eq!(labelled.issues(by), expected, "{id}: {name}");
                compared += expected.len();
            }
        }
    }
    println!("mislabeled: {compared} values compared");
}

/// Within 1e-9, relative.
fn close(what: &str, got: f64, expected: f64) {
    let off = (got - expected).abs();
    assert!(
        off <= 1e-9 * expected.abs().max(1e-3),
        "{what}: {got} is not {expected}"
    );
}
