//! A real Prometheus that scrapes; it is killed when it is dropped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, Running, get, until};
use crate::victoria::url_encoded;

/// Names and values of labels.
pub type Labels = BTreeMap<String, String>;

/// Milliseconds and bits of samples, by series.
pub type Series = BTreeMap<Labels, Vec<(i64, u64)>>;

/// The series of an answer to a query with a range.
pub fn matrix(answer: &Value) -> Series {
    let series = answer["data"]["result"].as_array().unwrap().iter();
    series
        .map(|series| {
            let labels = series["metric"].as_object().unwrap().iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().into()));
            let samples = series["values"].as_array().unwrap().iter().map(|sample| {
                let time = (sample[0].as_f64().unwrap() * 1e3).round() as i64;
                (time, bits(sample[1].as_str().unwrap().parse().unwrap()))
            });
            (labels.collect(), samples.collect())
        })
        .collect()
}

/// The bits of a number; all NaN are one.
pub fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN } else { value }.to_bits()
}

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

    /// Scrapes nobody, and takes what is written to it.
    pub fn receiving() -> Self {
        let files = [("prometheus.yml", "global: {}\n")];
        Self::start(
            &files,
            Path::new("data"),
            &["--web.enable-remote-write-receiver"],
        )
    }

    /// Scrapes nobody, and has this storage.
    pub fn over(storage: &Path) -> Self {
        Self::start(&[("prometheus.yml", "global: {}\n")], storage, &[])
    }

    /// With these files, of which `prometheus.yml` is the configuration.
    pub fn configured(files: &[(&str, &str)]) -> Self {
        Self::start(files, Path::new("data"), &[])
    }

    fn start(files: &[(&str, &str)], storage: &Path, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(dir.path().join(name), content).unwrap();
        }
        // Port 0 is not told anywhere but in the log.
        let running = Running::start(
            Command::new("prometheus")
                .arg("--config.file=prometheus.yml")
                .arg("--storage.tsdb.path")
                .arg(storage)
                .args(more)
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

    /// Where it listens, as a URL without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The answer to a query.
    fn ask(&self, query: &str) -> Answer {
        let query = url_encoded(query);
        get(&format!("{}/api/v1/query?query={query}", self.url))
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

    /// The raw samples of all series that a selector with a range gives.
    pub fn samples(&self, selector: &str) -> Series {
        let answer = self.ask(selector);
        // It may not be ready yet.
        match answer.status {
            200 => matrix(&answer.json()),
            _ => Series::new(),
        }
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
