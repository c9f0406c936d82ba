//! Real tables: what is found out of their columns, and what is measured is what scikit-learn measures.

use std::path::Path;

use serde_json::{Value, json};

use super::{evaluate, measured, python};

/// Within 1e-9, relative.
#[track_caller]
fn close(what: &str, got: &Value, expected: f64) {
    let got = got.as_f64().unwrap_or_else(|| panic!("{what} is {got}"));
    assert!(
        (got - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
        "{what}: {got}, not {expected}"
    );
}

#[test]
fn real_tables_measure_as_scikit_learn_measures_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    python("predictions.py", dir);
    let expected = std::fs::read_to_string(dir.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let mut compared = 0;
    for (file, expected) in expected.as_object().unwrap() {
        let more: &[&str] = match file.as_str() {
            // Names that say nothing.
            "named.csv" => &["--label", "diagnosis", "--positive", "benign"],
            _ => &[],
        };
        let got = measured(dir, &[&["--predictions", file], more].concat());
        for (metric, expected) in expected.as_object().unwrap() {
            close(
                &format!("{file}: {metric}"),
                &got["metrics"][metric],
                expected.as_f64().unwrap(),
            );
            compared += 1;
        }
    }
    println!("{compared} values compared");
    found_out(dir);
    compared_versions(dir);
    intervals(dir);
    bounded(dir);
    reported(dir);
    logged(dir);
}

/// The task and the columns.
fn found_out(dir: &Path) {
    let digits = json!(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    for (file, task, classes) in [
        ("cancer.parquet", "binary", json!(["0", "1"])),
        ("digits.parquet", "multiclass", digits.clone()),
        ("lists.parquet", "multiclass", digits),
        (
            "wine.csv",
            "multiclass",
            json!(["barbera", "barolo", "grignolino"]),
        ),
        ("diabetes.csv", "regression", json!([])),
        (
            "labels.csv",
            "multilabel",
            json!(["cat", "dog", "car", "sky"]),
        ),
    ] {
        let got = measured(dir, &["--predictions", file]);
        assert_eq!(
            (&got["task"], &got["classes"]),
            (&json!(task), &classes),
            "{file}"
        );
    }
    // The scores of all classes by the name of their list.
    let arguments = ["--predictions", "lists.parquet", "--score", "predict_proba"];
    assert_eq!(
        measured(dir, &arguments)["columns"]["scores"][9],
        "predict_proba_9"
    );
    // The other way round, the other class is positive.
    let arguments = ["--predictions", "cancer.csv", "--positive", "0"];
    let got = measured(dir, &arguments);
    assert_eq!(got["classes"], json!(["1", "0"]));
    assert!(got["metrics"]["roc_auc"].as_f64().unwrap() < 0.1);
}

fn compared_versions(dir: &Path) {
    let arguments = [
        "--predictions",
        "cancer.csv",
        "--baseline",
        "old.csv",
        "--slices",
        "site,radius",
        "--label-errors",
    ];
    let got = measured(dir, &arguments);
    let (new, old) = (
        &got["metrics"]["roc_auc"],
        &got["baseline"]["metrics"]["roc_auc"],
    );
    let difference = new.as_f64().unwrap() - old.as_f64().unwrap();
    close(
        "difference",
        &got["baseline"]["differences"]["roc_auc"],
        difference,
    );
    let tests = got["baseline"]["tests"].as_array().unwrap();
    let names: Vec<&str> = tests
        .iter()
        .map(|test| test["test"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(
        tests
            .iter()
            .all(|test| test["p_value"].as_f64().unwrap() < 0.05),
        "{tests:?}"
    );
    close("DeLong's difference", &tests[1]["difference"], difference);

    let slices = &got["slices"];
    close(
        "the mean error",
        &slices["error"],
        1.0 - got["metrics"]["accuracy"].as_f64().unwrap(),
    );
    // 3 sites, 4 ranges of the radius, and 12 pairs of those; all are large enough.
    assert_eq!(slices["looked_at"], 19);
    assert!(got["label_errors"]["count"].as_u64().unwrap() > 0);

    let arguments = ["--predictions", "cancer.csv", "--baseline", "shuffled.csv"];
    let got = measured(dir, &arguments);
    assert_eq!(got["baseline"]["tests"], json!([]));
    assert!(
        got["baseline"]["untested"]
            .as_str()
            .unwrap()
            .contains("sort both alike")
    );
    close(
        "nothing changed",
        &got["baseline"]["differences"]["roc_auc"],
        0.0,
    );
}

/// Ends within a tenth of the width of where numpy's own draws put them; the same seed gives the same ones.
fn intervals(dir: &Path) {
    let expected = std::fs::read_to_string(dir.join("intervals.json")).unwrap();
    let expected: [Value; 2] = serde_json::from_str(&expected).unwrap();
    let near = |got: &Value, expected: &Value| {
        for (metric, expected) in expected.as_object().unwrap() {
            let ends = |of: &Value| [0, 1].map(|at| of[at].as_f64().unwrap());
            let (got, [low, high]) = (ends(&got[metric]), ends(expected));
            let off = (got[0] - low).abs().max((got[1] - high).abs());
            assert!(
                off < 0.1 * (high - low),
                "{metric}: {got:?}, not {expected}"
            );
        }
    };
    let one = ["--predictions", "cancer.csv", "--confidence", "0.9"];
    let drawn = [&one[..], &["--resamples", "2000"]].concat();
    let got = measured(dir, &drawn);
    let confidence = &got["confidence"];
    assert_eq!(
        (&confidence["level"], &confidence["resamples"]),
        (&json!(0.9), &json!(2000))
    );
    near(&confidence["intervals"], &expected[0]);
    assert_eq!(measured(dir, &drawn)["confidence"], *confidence);
    let other = measured(dir, &[&drawn[..], &["--seed", "7"]].concat());
    near(&other["confidence"]["intervals"], &expected[0]);
    assert_ne!(other["confidence"], *confidence);

    let compared = measured(dir, &[&drawn[..], &["--baseline", "old.csv"]].concat());
    assert_eq!(compared["confidence"], *confidence);
    near(&compared["baseline"]["difference_intervals"], &expected[1]);

    let (code, out, _) = evaluate(dir, &one);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("90 % interval\n") && out.contains("(intervals: 1000 resamples)"),
        "{out}"
    );
    for (arguments, told) in [
        (&["--confidence", "1"][..], "a number between 0 and 1"),
        (&["--confidence", "--resamples", "0"], "not in 1.."),
        (&["--confidence", "--bounded"], "bounded memory keeps none"),
        (&["--resamples", "10"], "--confidence"),
    ] {
        let arguments = [&["--predictions", "cancer.csv"], arguments].concat();
        let (code, _, err) = evaluate(dir, &arguments);
        assert!(
            code == Some(2) && err.contains(told),
            "{arguments:?}: {err}"
        );
    }
}

/// In bounded memory, sums are the same and the bounds hold.
fn bounded(dir: &Path) {
    let exact = measured(dir, &["--predictions", "cancer.parquet"]);
    let got = measured(dir, &["--predictions", "cancer.parquet", "--bounded"]);
    assert_eq!(got["metrics"]["log_loss"], exact["metrics"]["log_loss"]);
    for metric in ["roc_auc", "average_precision"] {
        let [low, high] = [0, 1].map(|at| got["bounds"][metric][at].as_f64().unwrap());
        let exact = exact["metrics"][metric].as_f64().unwrap();
        assert!(
            low <= exact && exact <= high && high - low < 0.01,
            "{metric}: {low} {exact} {high}"
        );
    }
}

/// The page needs nothing but itself, and tells what the tables tell.
fn reported(dir: &Path) {
    let arguments = [
        "--predictions",
        "cancer.csv",
        "--baseline",
        "old.csv",
        "--slices",
        "site",
        "--html",
        "report.html",
    ];
    let (code, out, err) = evaluate(dir, &arguments);
    assert_eq!(
        (code, err.as_str()),
        (Some(0), "report written to report.html\n")
    );
    assert!(
        out.starts_with("cancer.csv: binary, 569 rows\nlabel: label  score: score"),
        "{out}"
    );
    let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
    for outside in ["<script", "http:", "https:", "@import", "url(", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    for chart in [
        "ROC curve",
        "Precision and recall",
        "Confusion matrix",
        "Reliability",
        "Scores by class",
        "Worst slices",
    ] {
        assert!(page.contains(&format!("<h3>{chart}</h3>")), "{chart}");
    }
}

/// The log has the metrics, for us as for TensorBoard.
fn logged(dir: &Path) {
    use modelpulse::flow::Source;
    let arguments = [
        "--predictions",
        "cancer.csv",
        "--logdir",
        "runs",
        "--name",
        "first",
        "--step",
        "7",
    ];
    let (code, _, err) = evaluate(dir, &arguments);
    assert_eq!(
        (code, err.trim_end()),
        (
            Some(0),
            "logged to runs/first; see: tensorboard --logdir runs"
        )
    );
    let mut reader = modelpulse::log::LogReader::open(dir.join("runs")).unwrap();
    let events = std::iter::from_fn(|| reader.next_instant().unwrap()).flatten();
    let events: Vec<_> = events
        .map(|event| (event.tag.to_string(), event.step.as_i64()))
        .collect();
    for tag in ["roc_auc", "f1", "confusion_matrix", "roc", "reliability"] {
        assert!(
            events.contains(&(format!("evaluate/{tag}"), 7)),
            "{tag} of {events:?}"
        );
    }
}
