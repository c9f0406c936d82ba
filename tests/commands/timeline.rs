//! The timeline of alerts of an old log: as a table, for scripts, and as a picture.

use std::path::Path;

use modelpulse::flow::Event;
use modelpulse::log::LogReader;
use modelpulse::summary::Image;
use serde_json::Value;

use crate::{log, modelpulse};

/// A loss that is above 0.5 from step 2 to step 5.
fn logged(dir: &Path) {
    let losses = [0.1, 0.2, 0.7, 0.8, 0.9, 0.6, 0.3, 0.2];
    let event = |(step, loss): (usize, &f64)| Event::new("train", "loss", step, step as f64, *loss);
    let events: Vec<Event> = losses.iter().enumerate().map(event).collect();
    log(dir, &events);
}

const RULES: &str = r#"
[[rule]]
name = "High"
condition = "loss > 0.5"
by = "step"
for = 1
"#;

#[test]
fn each_change_has_its_place_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (logdir, rules) = (dir.path().join("log"), dir.path().join("rules.toml"));
    logged(&logdir);
    std::fs::write(&rules, RULES).unwrap();
    let arguments = [
        "replay",
        logdir.to_str().unwrap(),
        "--rules",
        rules.to_str().unwrap(),
    ];
    let (out, _) = modelpulse([&arguments[..], &["--json"]].concat(), 1);
    let objects: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let states: Vec<&str> = objects
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["pending", "firing", "resolved"]);
    // Each place holds the event with that step.
    let mut reader = LogReader::open(&logdir).unwrap();
    let mut places = Vec::new();
    while let Some(instant) = reader.instant().unwrap() {
        for (event, place) in instant.iter().zip(reader.places()) {
            let file = place
                .path()
                .strip_prefix(&logdir)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            places.push((event.step.as_i64(), file, place.offset()));
        }
    }
    for object in &objects {
        let place = (
            object["step"].as_i64().unwrap(),
            object["file"].as_str().unwrap().to_owned(),
            object["offset"].as_u64().unwrap(),
        );
        assert!(places.contains(&place), "{object}");
    }

    let (table, err) = modelpulse([&arguments[..], &["--table"]].concat(), 1);
    assert_eq!(table.lines().count(), 4, "{table}");
    for (line, object) in table.lines().skip(1).zip(&objects) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let expected = ["rule", "state", "run", "tag"].map(|name| object[name].as_str().unwrap());
        assert_eq!(cells[..4], expected);
        assert_eq!(cells[4], object["step"].to_string());
        assert_eq!(
            cells[7..],
            [
                &object["offset"].to_string(),
                object["file"].as_str().unwrap()
            ]
        );
    }
    assert!(err.contains("alerts fired: 1"), "{err}");
}

#[test]
fn the_picture_shows_series_threshold_and_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let (logdir, rules) = (dir.path().join("log"), dir.path().join("rules.toml"));
    logged(&logdir);
    std::fs::write(&rules, RULES).unwrap();
    let picture = |name: &str, code: i32| {
        let path = dir.path().join(name);
        let [logdir, rules, path] =
            [&logdir, &rules, &path].map(|it| it.to_str().unwrap().to_owned());
        modelpulse(
            ["replay", &logdir, "--rules", &rules, "--plot", &path],
            code,
        )
    };
    let (out, err) = picture("alerts.svg", 1);
    // The lines are as without a picture.
    assert!(
        out.starts_with("pending: High  run=train tag=loss step=2 "),
        "{out}"
    );
    assert!(err.contains("1 charts"), "{err}");
    let svg = std::fs::read_to_string(dir.path().join("alerts.svg")).unwrap();
    for part in [
        "High: loss &gt; 0.5",
        "threshold 0.5",
        "pending",
        "firing",
        "train/loss",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    // One area for each state, behind the line.
    assert!(svg.contains("fill=\"#FFA500\"") && svg.contains("fill=\"#D62728\""));
    picture("alerts.png", 1);
    let png = std::fs::read(dir.path().join("alerts.png")).unwrap();
    let image = Image::from_png(png).unwrap();
    assert_eq!((image.width(), image.height()), (900, 360));
    let (_, err) = picture("alerts.gif", 2);
    assert!(err.contains("name it .png or .svg"), "{err}");
}

#[test]
fn the_code_tells_what_is_firing_what_is_well_and_what_has_no_data() {
    let dir = tempfile::tempdir().unwrap();
    logged(dir.path());
    let path = dir.path().to_str().unwrap();
    for (rule, code) in [("loss > 0.5", 1), ("loss > 5", 0), ("accuracy < 5", 2)] {
        modelpulse(["replay", path, "--rule", rule, "--table"], code);
    }
    let (_, err) = modelpulse(["replay", path, "--print", "--plot", "a.svg"], 2);
    assert!(err.contains("give --rule"), "{err}");
}
