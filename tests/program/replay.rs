//! A replay of a log says what the live run said.

use serde_json::{Value, json};

use crate::support::{replay, train};

/// Two that are broken often, one on batches, one that holds, and one that is broken once only.
const RULES: [&str; 5] = [
    "eval/epoch_accuracy < 0.93",
    "epoch_loss > 0.5",
    "batch/batch_loss > 1.5",
    "eval/epoch_loss > 1000",
    "train/epoch_accuracy<=0.7",
];

/// The rules as arguments of the program.
fn rules(rules: &[&'static str]) -> Vec<&'static str> {
    rules.iter().flat_map(|rule| ["--rule", rule]).collect()
}

/// The lines that tell of alerts.
fn alerts(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.starts_with("firing: ") || line.starts_with("resolved: "))
        .collect()
}

#[test]
fn a_replay_prints_the_lines_that_the_run_printed() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = [&rules(&RULES)[..], &["--epochs", "4", "--name", "a"]].concat();
    let live = train(dir.path(), &arguments).ended(0);
    let replayed = replay(&dir.path().join("a"), &rules(&RULES)).ended(1);

    let lines: Vec<&str> = replayed.out.lines().collect();
    assert_eq!(alerts(&live.out), lines, "{live:#?}");
    for (rule, count) in [
        ("eval/epoch_accuracy < 0.93 ", 1..=2),
        ("epoch_loss > 0.5 ", 2..=4),
        ("batch/batch_loss > 1.5 ", 1..=90),
        ("train/epoch_accuracy <= 0.7 ", 1..=1),
        ("eval/epoch_loss > 1000 ", 0..=0),
    ] {
        let start = format!("firing: {rule}");
        let found = lines.iter().filter(|line| line.starts_with(&start)).count();
        assert!(count.contains(&found), "{rule}: {found}\n{}", replayed.out);
    }
    let fired = lines
        .iter()
        .filter(|line| line.starts_with("firing: "))
        .count();
    let said = format!("alerts fired: {fired}");
    assert!(replayed.err.contains(&said), "{}", replayed.err);
}

#[test]
fn a_quiet_run_prints_alerts_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = [&rules(&RULES)[..], &["--epochs", "3", "--quiet"]].concat();
    let live = train(dir.path(), &arguments).ended(0);
    assert!(!live.out.is_empty());
    assert_eq!(alerts(&live.out), live.out.lines().collect::<Vec<_>>());
    assert_eq!(live.err, "");
}

#[test]
fn a_replay_of_many_runs_says_what_each_of_them_said() {
    let dir = tempfile::tempdir().unwrap();
    let rule = rules(&["eval/epoch_accuracy < 0.93"]);
    let mut said = Vec::new();
    for (name, seed) in [("a", "1"), ("b", "2")] {
        let own = ["--epochs", "3", "--name", name, "--seed", seed];
        let live = train(dir.path(), &[&rule[..], &own].concat()).ended(0);
        let lines = alerts(&live.out).into_iter();
        // A run is named from the log directory.
        said.extend(lines.map(|line| line.replace(" run=", &format!(" run={name}/"))));
    }
    let replayed = replay(dir.path(), &rule).ended(1);
    assert_eq!(replayed.out.lines().collect::<Vec<_>>(), said);
}

#[test]
fn alerts_in_json_agree() {
    let dir = tempfile::tempdir().unwrap();
    let own = ["--epochs", "3", "--name", "a", "--json"];
    let live = train(dir.path(), &[&rules(&RULES)[..], &own].concat()).ended(0);
    let report = live.json();
    let again = [&rules(&RULES)[..], &["--json"]].concat();
    let replayed = replay(&dir.path().join("a"), &again).ended(1);
    let objects: Vec<Value> = replayed
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    // Where it stands in the log only the replay knows.
    let mut plain = objects.clone();
    for object in &mut plain {
        let object = object.as_object_mut().unwrap();
        for place in ["file", "offset"] {
            assert!(object.remove(place).is_some_and(|it| !it.is_null()));
        }
    }
    assert_eq!(report["alerts"], json!(plain));
    assert!(!objects.is_empty());

    // The same that the text says.
    let text = replay(&dir.path().join("a"), &rules(&RULES)).ended(1);
    assert_eq!(text.out.lines().count(), objects.len());
    let pairs = replayed.out.lines().zip(&objects);
    for (line, (object, alert)) in text.out.lines().zip(pairs) {
        let of = |name: &str| alert[name].as_str().unwrap();
        // Read to the last bit, which serde_json does not do.
        let (_, wall_time) = object.split_once("\"wall_time\":").unwrap();
        let wall_time: f64 = wall_time.split(',').next().unwrap().parse().unwrap();
        let value = alert["value"].as_f64().unwrap();
        let expected = format!(
            "{}: {}  run={} tag={} step={} wall_time={wall_time:.6} value={value}",
            of("state"),
            of("rule"),
            of("run"),
            of("tag"),
            alert["step"],
        );
        assert_eq!(line, expected);
    }
}

#[test]
fn alerts_of_nan_agree() {
    let dir = tempfile::tempdir().unwrap();
    let rule = rules(&["epoch_loss > 1e9", "batch_loss > 1e9"]);
    let own = ["--learning-rate", "1e6", "--name", "a"];
    let live = train(dir.path(), &[&rule[..], &own].concat()).ended(1);
    let replayed = replay(&dir.path().join("a"), &rule).ended(1);
    assert_eq!(
        alerts(&live.out),
        replayed.out.lines().collect::<Vec<_>>(),
        "{live:#?}"
    );
    assert!(
        replayed.out.contains("tag=epoch_loss") && replayed.out.contains("value=NaN"),
        "{replayed:#?}"
    );
}

#[test]
fn exit_code_of_a_replay_says_whether_a_rule_was_broken() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), &["--epochs", "1", "--quiet"]).ended(0);
    let well = replay(dir.path(), &["--rule", "eval/epoch_loss > 1000"]).ended(0);
    assert_eq!(well.out, "");
    let unwell = replay(dir.path(), &["--rule", "eval/epoch_loss < 1000"]).ended(1);
    assert_eq!(unwell.out.lines().count(), 1);
}

#[test]
fn a_rule_on_no_series_of_the_log_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), &["--epochs", "1", "--quiet"]).ended(0);
    for json in [&[][..], &["--json"]] {
        let broken = rules(&["eval/epoch_loss < 1000", "eval/no_such_series > 1"]);
        let ran = replay(dir.path(), &[&broken[..], json].concat()).ended(2);
        // The other rule was held against the log all the same.
        assert_eq!(ran.out.lines().count(), 1, "{ran:#?}");
        let errors: Vec<&str> = ran
            .err
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{ran:#?}");
        assert!(errors[0].contains("'eval/no_such_series > 1'"), "{ran:#?}");
        assert!(!errors[0].contains("epoch_loss"), "{ran:#?}");
    }
}
