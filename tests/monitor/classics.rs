//! The three classic set-ups, each looked at by its own foreign reader.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::built;
use crate::prometheus::Prometheus;
use crate::support::{Running, get};

/// Starts an example that serves; its URL.
fn serving(name: &str, dir: &Path) -> (Running, String) {
    let mut command = Command::new(built::example(name, "serve"));
    let running = Running::start(command.arg("127.0.0.1:0").current_dir(dir));
    let line = running.line("serving on ");
    let url = line.trim_start_matches("serving on ").to_owned();
    (running, url)
}

#[test]
fn gauges_of_irises_are_scraped_by_prometheus() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, url) = serving("classic_prometheus", dir.path());
    let prometheus = Prometheus::scraping(url.trim_start_matches("http://"), "/metrics", None);
    let accuracy = prometheus.value("model_accuracy > 0");
    assert!((0.9..=1.0).contains(&accuracy), "{accuracy}");
    let loss = prometheus.value("model_loss");
    assert!((0.0..1.0).contains(&loss), "{loss}");
    let page = get(&format!("{url}/metrics"));
    assert!(
        page.text()
            .contains("# HELP model_accuracy Accuracy of the ML model\n")
    );
}

#[test]
fn evaluate_answers_and_the_registry_counts_it_in_springs_shapes() {
    let dir = tempfile::tempdir().unwrap();
    let (_running, url) = serving("classic_evaluate", dir.path());
    let metric = |name: &str| get(&format!("{url}/actuator/metrics/{name}")).json();
    assert_eq!(metric("model.requests")["measurements"][0]["value"], 0.0);
    let evaluated = get(&format!("{url}/evaluate")).json();
    let accuracy = evaluated["metrics"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{evaluated}");
    let requests = metric("model.requests");
    let expected = json!([{ "statistic": "COUNT", "value": 1.0 }]);
    assert_eq!(requests["measurements"], expected);
    assert_eq!(
        (&requests["description"], &requests["baseUnit"]),
        (&json!("Calls of the model"), &Value::Null)
    );
    let gauge = metric("modelpulse_accuracy");
    let tags = json!([{ "tag": "run", "values": ["eval"] }]);
    assert_eq!(gauge["availableTags"], tags);
    // Single precision, as the log has it.
    let shown = gauge["measurements"][0]["value"].to_string();
    assert_eq!(shown, (accuracy as f32).to_string());
    let flower = r#"{"rows": [[5.1, 3.5, 1.4, 0.2]]}"#;
    let said = crate::support::post(&format!("{url}/predict"), flower).json();
    assert_eq!(said["predictions"][0]["name"], "setosa");
    let health = get(&format!("{url}/actuator/health"));
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("UP"))
    );
}

#[test]
fn tensorboard_reads_loss_and_accuracy_of_every_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let example = built::example("classic_tensorboard", "serve");
    let ran = Command::new(example).current_dir(dir.path()).status();
    assert!(ran.unwrap().success());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let default = || root.join("target/venv/bin/python");
    let python = std::env::var_os("MODELPULSE_PYTHON").map_or_else(default, Into::into);
    let read = Command::new(python)
        .arg(root.join("tests/read_series.py"))
        .arg(dir.path().join("runs"))
        .output()
        .expect("Python is there; use tests/run");
    let said = String::from_utf8_lossy(&read.stderr);
    let loaders: Value = serde_json::from_slice(&read.stdout).unwrap_or_else(|_| panic!("{said}"));
    for loader in ["fast", "slow"] {
        for (run, least) in [("train", 0.9), ("eval", 0.9)] {
            let series = |tag: &str| -> Vec<f64> {
                let points = loaders[loader][format!("iris/{run}")][tag]
                    .as_array()
                    .unwrap()
                    .clone();
                assert_eq!(points.len(), 50, "{loader} {run} {tag}");
                let bits = points
                    .iter()
                    .map(|point| u64::from_str_radix(point[1].as_str().unwrap(), 16).unwrap());
                bits.map(f64::from_bits).collect()
            };
            let (loss, accuracy) = (series("epoch_loss"), series("epoch_accuracy"));
            assert!(
                loss[49] < loss[0] && accuracy[49] >= least,
                "{loss:?} {accuracy:?}"
            );
        }
    }
}
