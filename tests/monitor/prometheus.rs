//! A real Prometheus that scrapes; it is killed when it is dropped.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, Running, get, until};

pub struct Prometheus {
    _running: Running,
    url: String,
    _dir: TempDir,
}

impl Prometheus {
    /// Scrapes `target`, host and port, every second, and evaluates these rules every second.
    pub fn scraping(target: &str, path: &str, rules: Option<&str>) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [rules.yml]\n\
             scrape_configs:\n- job_name: modelpulse\n  metrics_path: {path}\n  static_configs:\n  - targets: ['{target}']\n"
        );
        Self::configured(&[
            ("prometheus.yml", &config),
            ("rules.yml", rules.unwrap_or("groups: []\n")),
        ])
    }

    /// With these files, of which `prometheus.yml` is the configuration.
    pub fn configured(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(dir.path().join(name), content).unwrap();
        }
        // Port 0 is not told anywhere but in the log.
        let running = Running::start(
            Command::new("prometheus")
                .arg("--config.file=prometheus.yml")
                .arg("--storage.tsdb.path=data")
                .arg("--web.listen-address=127.0.0.1:0")
                .args(["--log.level=info", "--log.format=json"])
                .current_dir(dir.path()),
        );
        // {"msg":"Listening on","address":"127.0.0.1:41187"}
        let line: Value = serde_json::from_str(&running.line("\"Listening on\"")).unwrap();
        let url = format!("http://{}", line["address"].as_str().unwrap());
        Self {
            _running: running,
            url,
            _dir: dir,
        }
    }

    /// The answer to a query.
    fn ask(&self, query: &str) -> Answer {
        let escaped: String = query
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        get(&format!("{}/api/v1/query?query={escaped}", self.url))
    }

    /// Whether it is a query, whatever it finds.
    #[track_caller]
    pub fn takes(&self, query: &str) {
        until(query, || {
            let answer = self.ask(query);
            assert_ne!(answer.status, 400, "{query}: {}", answer.text());
            (answer.status == 200).then_some(())
        });
    }

    /// The result of a query: labels and value of each series.
    pub fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let answer = self.ask(query);
        // It may not be ready yet.
        if answer.status != 200 {
            return Vec::new();
        }
        let json = answer.json();
        let series = json["data"]["result"].as_array().unwrap().iter();
        series
            .map(|series| {
                let value = series["value"][1].as_str().unwrap();
                (series["metric"].clone(), value.parse().unwrap())
            })
            .collect()
    }

    /// Waits until a query has one series, and returns its value.
    #[track_caller]
    pub fn value(&self, query: &str) -> f64 {
        until(query, || match &self.query(query)[..] {
            [(_, value)] => Some(*value),
            _ => None,
        })
    }
}
