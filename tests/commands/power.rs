//! How often tests and detectors alarm, by the program.

use serde_json::Value;

use crate::modelpulse;

fn power(more: &[&str], code: i32) -> (String, String) {
    modelpulse(["power"].iter().chain(more), code)
}

#[test]
fn power_is_a_table_for_people_and_an_object_for_programs() {
    let arguments = [
        "--only", "tests", "--size", "60/50", "--runs", "100", "--seed", "3",
    ];
    let (table, _) = power(&arguments, 0);
    let (object, _) = power(&[&arguments[..], &["--json"]].concat(), 0);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["seed"], 3);
    let tests = object["tests"].as_array().unwrap();
    assert!(tests.len() > 100);
    for test in tests {
        assert_eq!(
            (test["reference"].as_u64(), test["current"].as_u64()),
            (Some(60), Some(50))
        );
        let (runs, alarms) = (
            test["runs"].as_f64().unwrap(),
            test["alarms"].as_f64().unwrap(),
        );
        assert_eq!(test["rate"].as_f64(), (runs > 0.0).then(|| alarms / runs));
        // The table has the same number under the scenario and beside the name.
        let scenario = format!(
            "{}, {}\n",
            test["population"].as_str().unwrap(),
            test["change"].as_str().unwrap()
        );
        let (_, below) = table.split_once(&scenario).unwrap();
        let name = test["test"].as_str().unwrap();
        let line = below
            .lines()
            .find(|line| line.trim().starts_with(&format!("{name}  ")))
            .unwrap();
        let share = line
            .split_whitespace()
            .last()
            .unwrap()
            .split('±')
            .next()
            .unwrap();
        assert_eq!(
            share,
            format!("{:.1}", alarms / runs * 100.0),
            "{scenario}{name}"
        );
    }

    let (table, _) = power(&["--only", "detectors", "--runs", "50"], 0);
    let columns = table
        .lines()
        .find(|line| line.trim().starts_with("EDDM"))
        .unwrap();
    assert_eq!(columns.split_whitespace().count(), 7, "{columns}");
}

#[test]
fn power_refuses_what_it_cannot_measure() {
    let (_, error) = power(&["--size", "50"], 2);
    assert!(error.contains("such as 1000/100"), "{error}");
    let (_, error) = power(&["--level", "1.5"], 2);
    assert_eq!(error, "error: --level must be between 0 and 1, not 1.5\n");
}
