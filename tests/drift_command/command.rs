//! What the command says, to people and to scripts, of tables in every format and of profiles.

use std::path::Path;

use serde_json::{Value, json};

use super::{column, drift, modelpulse, python, tables};

#[track_caller]
fn close(what: &str, got: &Value, expected: &Value, relative: f64) {
    let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
    let off = (got - expected).abs();
    assert!(
        off <= relative * expected.abs() + 1e-300,
        "{what}: {got}, not {expected}"
    );
}

#[test]
fn tables_and_profiles_are_compared() {
    let dir = tables();
    let dir = dir.path();
    real_tables(dir);
    formats(dir);
    profiles(dir);
    chosen_tests(dir);
    other_tools(dir);
    classifiers(dir);
    trained(dir);
    shown(dir);
    logged(dir);
}

/// What was moved is found, and nothing else.
fn real_tables(dir: &Path) {
    for name in ["wine", "breast_cancer"] {
        let (code, report) = drift(dir, &format!("{name}_a.csv"), &format!("{name}_b.csv"), "");
        assert_eq!((code, &report["drifted"]), (0, &json!([])), "{name}");
        let (code, report) = drift(
            dir,
            &format!("{name}_a.csv"),
            &format!("{name}_moved.csv"),
            "",
        );
        let columns = report["columns"].as_array().unwrap();
        let moved = [&columns[0], &columns[5]];
        let names = moved.map(|column| column["column"].clone());
        assert_eq!((code, &report["drifted"]), (1, &json!(names)), "{name}");
        assert_eq!(moved[0]["reasons"], json!(["distribution"]), "{name}");
        assert_eq!(moved[1]["reasons"], json!(["missing values"]), "{name}");
    }
    // Of a few rows nothing is said.
    let (code, report) = drift(dir, "wine_a.csv", "wine_b.csv", " --min-values 1000");
    assert_eq!((code, &report["verdict"]), (2, &json!("not enough data")));
}

/// One table in four formats is one table.
fn formats(dir: &Path) {
    let columns = |report: &Value| {
        let mut columns = report["columns"].clone();
        for column in columns.as_array_mut().unwrap() {
            // Formats differ in whether 3 is a whole number, not in what it is.
            assert!(column["kinds"].is_array());
        }
        columns
    };
    let (code, first) = drift(dir, "mixed_a.csv", "mixed_b.csv", "");
    assert_eq!(code, 1);
    let names: Vec<&Value> = first["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["column"])
        .collect();
    assert_eq!(names, ["amount", "age", "country", "member", "income"]);
    let left_out: Vec<&Value> = first["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["column"])
        .collect();
    assert_eq!(left_out, ["id", "seen"]);
    assert_eq!(
        column(&first, "income")["missing"]["test"],
        "Fisher's exact"
    );
    for (a, b) in [
        ("arrow.parquet", "arrow.parquet"),
        ("duck.parquet", "jsonl"),
        ("jsonl", "csv"),
    ] {
        let (code, other) = drift(dir, &format!("mixed_a.{a}"), &format!("mixed_b.{b}"), "");
        assert_eq!(code, 1);
        assert_eq!(columns(&other), columns(&first), "{a} {b}");
    }
    let more = " --columns age,country,seen --categorical age";
    let (_, some) = drift(dir, "mixed_a.csv", "mixed_b.duck.parquet", more);
    let kinds = |name| column(&some, name)["kinds"].clone();
    assert_eq!(some["columns"].as_array().unwrap().len(), 3);
    assert_eq!(kinds("age"), json!(["categories", "categories"]));
    assert_eq!(kinds("seen"), json!(["times", "times"]));
}

/// A profile of shards is that of the table, and says what the table says.
fn profiles(dir: &Path) {
    for (line, columns) in [
        ("profile mixed_a.csv -o whole.profile", 5),
        (
            "profile mixed_a.0.csv mixed_a.1.csv mixed_a.2.csv -o shards.profile",
            5,
        ),
        ("profile mixed_a.0.csv -o grown.profile", 5),
        (
            "profile grown.profile mixed_a.1.csv mixed_a.2.csv -o grown.profile",
            5,
        ),
        (
            "profile mixed_b.jsonl -o current.profile --columns age,country",
            2,
        ),
    ] {
        let (code, out, err) = modelpulse(dir, line);
        assert_eq!((code, out.as_str()), (0, ""), "{line}: {err}");
        assert!(
            err.contains(&format!(" rows, {columns} columns written to ")),
            "{err}"
        );
    }
    let bytes = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert_eq!(bytes("whole.profile"), bytes("shards.profile"));
    assert_eq!(bytes("whole.profile"), bytes("grown.profile"));
    let (code, table) = drift(dir, "mixed_a.csv", "mixed_b.csv", "");
    let (same, profile) = drift(dir, "shards.profile", "mixed_b.csv", "");
    assert_eq!((code, &table["verdict"]), (same, &profile["verdict"]));
    assert_eq!(profile["profiles"], true);
    for (ours, theirs) in profile["columns"]
        .as_array()
        .unwrap()
        .iter()
        .zip(table["columns"].as_array().unwrap())
    {
        let same =
            |it: &Value| [&it["distribution"], &it["missing"], &it["verdict"]].map(Value::clone);
        assert_eq!(same(ours), same(theirs), "{}", ours["column"]);
        assert_eq!(ours["histogram"], theirs["histogram"]);
    }
    let (_, bounded) = drift(dir, "mixed_a.csv", "mixed_b.csv", " --bounded");
    assert_eq!(bounded["columns"], profile["columns"]);
    let (_, both) = drift(dir, "whole.profile", "current.profile", "");
    assert_eq!(both["columns"].as_array().unwrap().len(), 2);
    assert_eq!(both["gone"], json!(["amount", "member", "income"]));
    let (code, out, _) = modelpulse(dir, "profile whole.profile");
    assert!(code == 0 && out.starts_with("900 rows\n"), "{out}");
    let (_, out, _) = modelpulse(dir, "profile whole.profile --json");
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(column(&printed, "age")["count"], 900);
}

/// What was asked for is what scipy says.
fn chosen_tests(dir: &Path) {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("expected.json")).unwrap()).unwrap();
    let mut compared = 0;
    for (test, columns) in expected.as_object().unwrap() {
        if test == "nannyml" {
            continue;
        }
        for (name, expected) in columns.as_object().unwrap() {
            let (_, report) = drift(
                dir,
                "mixed_a.csv",
                "mixed_b.csv",
                &format!(" --test {name}={test}"),
            );
            let found = &column(&report, name)["distribution"];
            let statistic = if test == "psi" {
                expected
            } else {
                &expected[0]
            };
            close(
                &format!("{name} {test}"),
                &found["statistic"],
                statistic,
                1e-9,
            );
            if test == "psi" {
                assert_eq!(
                    (&found["threshold"], &found["p_value"]),
                    (&json!(0.2), &Value::Null)
                );
            } else {
                close(
                    &format!("{name} {test} p"),
                    &found["p_value"],
                    &expected[1],
                    1e-6,
                );
            }
            compared += 1;
        }
    }
    println!("{compared} columns compared with scipy");
    // A distance is drift from where it is said.
    let verdict = |from: &str| {
        let (_, report) = drift(
            dir,
            "mixed_a.csv",
            "mixed_b.csv",
            &format!(" --columns age --test psi:{from}"),
        );
        report["verdict"].clone()
    };
    assert_eq!(
        (verdict("0.0001"), verdict("9")),
        (json!("drift"), json!("no drift"))
    );
}

fn other_tools(dir: &Path) {
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("expected.json")).unwrap()).unwrap();
    let (_, report) = drift(dir, "mixed_a.csv", "mixed_b.csv", " --compat evidently");
    for name in ["amount", "age", "income"] {
        let compat = &column(&report, name)["compat"];
        assert_eq!(
            (&compat["method"], &compat["threshold"]),
            (&json!("ks"), &json!(0.05))
        );
        close(name, &compat["score"], &expected["ks"][name][1], 1e-6);
    }
    assert_eq!(column(&report, "member")["compat"]["method"], "z");
    assert_eq!(report["compat"], "Evidently");
    let (_, report) = drift(dir, "mixed_a.csv", "mixed_b.csv", " --compat nannyml");
    for name in ["amount", "age", "income"] {
        let compat = &column(&report, name)["compat"];
        close(name, &compat["score"], &expected["nannyml"][name], 1e-9);
        assert_eq!(
            (&compat["method"], &compat["chunks"]["chunks"]),
            (&json!("jensen_shannon"), &json!(10))
        );
    }
    let more = " --compat evidently --test psi";
    let (_, report) = drift(dir, "mixed_a.csv", "mixed_b.csv", more);
    assert_eq!(column(&report, "age")["compat"]["method"], "psi");
}

/// The estimate sees without labels what labels show later.
fn classifiers(dir: &Path) {
    let (code, report) = drift(dir, "scored_a.parquet", "unlabelled_b.parquet", "");
    let performance = &report["performance"];
    assert_eq!((code, &performance["realised"]), (1, &Value::Null));
    assert_eq!(performance["classes"], json!(["0", "1"]));
    let at = |of: &str, metric: &str| report["performance"][of][metric].as_f64().unwrap();
    let lower = at("estimated", "roc_auc") < at("reference", "roc_auc");
    assert!(lower && at("estimated", "accuracy") < at("reference", "accuracy"));
    assert_eq!(performance["chunks"].as_array().unwrap().len(), 10);
    assert_eq!(column(&report, "score")["role"], "score");
    let (_, labelled) = drift(dir, "scored_a.parquet", "scored_b.parquet", "");
    assert_eq!(
        labelled["performance"]["estimated"],
        performance["estimated"]
    );
    let realised = labelled["performance"]["realised"]["accuracy"]
        .as_f64()
        .unwrap();
    assert!(realised < at("reference", "accuracy"), "{realised}");
    assert_eq!(column(&labelled, "label")["role"], "label");
    let (_, none) = drift(dir, "wine_a.csv", "wine_b.csv", "");
    assert_eq!(none["performance"], Value::Null);
}

/// A run of `train` has a profile of what its model saw.
fn trained(dir: &Path) {
    let (code, _, err) = modelpulse(dir, "train --epochs 1 --logdir trained --quiet");
    assert_eq!((code, err.as_str()), (0, ""));
    let profile = "trained/digits-001/reference.profile";
    let (code, same) = drift(dir, profile, "digits.csv", "");
    assert_eq!((code, &same["drifted"]), (0, &json!([])));
    assert_eq!(
        (&same["reference"]["rows"], &same["profiles"]),
        (&json!(1438), &json!(true))
    );
    let (code, noisy) = drift(dir, profile, "noisy.parquet", "");
    let drifted = noisy["drifted"].as_array().unwrap().len();
    assert!(code == 1 && drifted > 50, "{drifted}");
}

fn shown(dir: &Path) {
    let (code, out, err) = modelpulse(dir, "drift --reference mixed_a.csv --current mixed_b.csv");
    assert_eq!((code, err.as_str()), (1, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "reference  mixed_a.csv, 900 rows");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("DRIFT: missing values")),
        "{out}"
    );
    assert!(lines.last().unwrap().starts_with("drift in "), "{out}");
    assert!(out.contains('█') && out.contains("900 rows"), "{out}");
    let (code, out, _) = modelpulse(dir, "drift --reference mixed_a.csv --current mixed_a.jsonl");
    assert_eq!(code, 0);
    assert_eq!(out.lines().last(), Some("no drift in 5 columns"));
    let (_, help, _) = modelpulse(dir, "drift --help");
    assert!(
        help.contains("Examples:") && help.contains("Exit code:"),
        "{help}"
    );
}

/// TensorBoard's own loader reads both sides.
fn logged(dir: &Path) {
    let line = "drift --reference mixed_a.csv --current mixed_b.csv --logdir runs --step 7 --quiet";
    let (code, _, err) = modelpulse(dir, line);
    assert_eq!((code, err.as_str()), (1, ""));
    let read = python("read_series.py", &[&dir.join("runs")]);
    let read: Value = serde_json::from_str(&read).unwrap();
    for loader in ["fast", "slow"] {
        let current = &read[loader]["drift-001/current"];
        for tag in [
            "drift/amount",
            "drift/amount/p_value",
            "drift/country",
            "drift/share",
        ] {
            assert_eq!(current[tag][0][0], 7, "{loader} {tag}: {read}");
        }
        assert!(read[loader]["drift-001/reference"]["drift/amount"].is_array());
    }
}
