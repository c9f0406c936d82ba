//! Predictions that cannot be measured are one line that says where and what to do; nothing is dropped without a word.

use std::path::Path;

use super::{evaluate, measured};

/// The one line that `modelpulse evaluate` says about a table of this content.
#[track_caller]
fn refused(dir: &Path, content: &str, arguments: &[&str]) -> String {
    std::fs::write(dir.join("p.csv"), content).unwrap();
    let (code, out, err) = evaluate(dir, &[&["--predictions", "p.csv"], arguments].concat());
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    let line = err.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    line.strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn the_row_and_the_column_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (content, arguments, message) in [
        (
            "label,score\n1,0.5\n0,nan\n",
            &[][..],
            "row 2, column 'score': NaN has no rank: mend the model's output, or leave such rows out with --skip-invalid",
        ),
        (
            "label,score\n1,0.5\n0,\n",
            &[],
            "row 2, column 'score': nothing has no rank: mend the model's output, or leave such rows out with --skip-invalid",
        ),
        (
            "label,score\n1,0.5\n0,high\n",
            &["--score", "score"],
            "p.csv, line 3, column 'score': 'high' is not a number",
        ),
        (
            "label,score\n1,high\n0,low\n",
            &[],
            "p.csv, line 2, column 'score': 'high' is not a number",
        ),
        (
            "label,score\n1,0.5\n0,n/k\n",
            &[],
            "p.csv, line 3, column 'score': 'n/k' is not a number",
        ),
        (
            "label,score\n1,0.5\n0,1.5\n",
            &["--bounded"],
            "row 2, column 'score': 1.5 is not in 0..=1, as bounded memory needs: give probabilities, or all memory",
        ),
        (
            "y_true,y_pred\n1.5,2\n2.5,inf\n",
            &[],
            "row 2, column 'y_pred': inf is not finite: mend the model's output, or leave such rows out with --skip-invalid",
        ),
        (
            "label,score,weight\n1,0.5,1\n0,0.5,-1\n",
            &[],
            "row 2, column 'weight': -1 is no weight, which is finite and at least 0: mend it, or leave such rows out with --skip-invalid",
        ),
        (
            "label_a,label_b,score_a,score_b\n1,0,0.5,0.5\n1,2,0.5,0.5\n",
            &[],
            "row 2, column 'label_b': 2 is neither 0 nor 1, true nor false",
        ),
    ] {
        assert_eq!(refused(dir, content, arguments), message, "{content}");
    }
}

#[test]
fn what_is_missing_names_its_option() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (content, arguments, message) in [
        (
            "a,b\n1,2\n",
            &[][..],
            "no column is named like the true label: name it with --label; there are 'a', 'b'",
        ),
        (
            "label,b\n1,x\n0,y\n",
            &[],
            "no column is named like a score or a prediction: name it with --score or --prediction; there are 'label', 'b'",
        ),
        (
            "label,score\n",
            &[],
            "the table names its columns but has no rows",
        ),
        (
            "label,score\n1,\n0,\n",
            &[],
            "no row has both a label and a prediction: 2 rows read",
        ),
        (
            "label,b\n1,2\n",
            &["--score", "c"],
            "p.csv has no column 'c'; it has 'label', 'b'",
        ),
        (
            "label,score\na,0.1\nb,0.2\nc,0.3\n",
            &[],
            "column 'label' has 3 classes, but there is one score column, 'score': give one a class with --score",
        ),
        (
            "label,score\na,0.1\nb,0.2\n",
            &["--positive", "c"],
            "the positive class 'c' is none of column 'label', which has 'a' and 'b'",
        ),
        (
            "label,score\na,0.1\nb,0.2\nc,0.2\n",
            &["--task", "binary"],
            "a binary label has two values, but column 'label' has 3",
        ),
        (
            "label,score\n,0.1\n",
            &["--task", "regression"],
            "no row has both a label and a prediction: 1 rows read",
        ),
        (
            "y_true,y_pred\n1.5,1\n",
            &["--label-errors"],
            "--label-errors is not for regression: it needs one label of several classes and their scores",
        ),
    ] {
        assert_eq!(refused(dir, content, arguments), message, "{content}");
    }
    assert!(refused(dir, "", &[]).starts_with("p.csv: empty"));
    let (code, _, err) = evaluate(dir, &["--predictions", "none.csv"]);
    assert_eq!(
        (code, err.as_str()),
        (
            Some(2),
            "error: cannot open none.csv: No such file or directory (os error 2)\n"
        )
    );
}

#[test]
fn what_is_left_out_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(
        dir.join("p.csv"),
        "label,score\n1,0.9\n,0.3\n0,nan\n0,0.1\n1,\n",
    )
    .unwrap();
    let got = measured(dir, &["--predictions", "p.csv", "--skip-invalid"]);
    let rows = serde_json::json!({"read": 5, "used": 2, "unlabelled": 1, "invalid": 2});
    assert_eq!(got["rows"], rows);
    assert_eq!(got["metrics"]["accuracy"], 1.0);
    let (_, out, _) = evaluate(dir, &["--predictions", "p.csv", "--skip-invalid"]);
    let first = out.lines().next().unwrap();
    assert_eq!(
        first,
        "p.csv: binary, 2 rows, 1 without a label left out, 2 invalid left out"
    );
}

#[test]
fn a_kind_that_was_guessed_too_narrow_is_widened() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut table = "y_true,y_pred,group\n".to_owned();
    for row in 0..12_000 {
        table += &format!("{row},{row},{row}\n");
    }
    // Behind the rows that kinds are guessed from.
    table += "0.5,0.25,a\n";
    std::fs::write(dir.join("p.csv"), table).unwrap();
    let got = measured(dir, &["--predictions", "p.csv", "--slices", "group"]);
    assert_eq!(got["task"], "regression");
    assert_eq!(got["metrics"]["max_error"], 0.25);
}

#[test]
fn undefined_metrics_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("p.csv"), "label,score\n1,0.9\n1,0.8\n").unwrap();
    let got = measured(dir, &["--predictions", "p.csv"]);
    assert_eq!(got["metrics"]["roc_auc"], serde_json::Value::Null);
    assert_eq!(got["undefined"]["roc_auc"], "every sample is of the class");
}
