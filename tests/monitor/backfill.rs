//! An old log in Prometheus: every sample is there, as it would have been scraped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use modelpulse::flow::Source;
use modelpulse::health::metric_of;
use modelpulse::log::{LogReader, Writer};

use crate::lint::parse;
use crate::support::{modelpulse, train};

/// What Prometheus' storage has after it took the log: of each series the times in milliseconds, and the values.
fn loaded(dir: &Path) -> BTreeMap<String, Vec<(i64, f64)>> {
    let exported = modelpulse()
        .args([
            "export",
            "runs",
            "--openmetrics",
            "-o",
            "runs.om",
            "--restart",
            "keep-all",
        ])
        .current_dir(dir)
        .status();
    assert!(exported.unwrap().success());
    let promtool = |arguments: &[&str]| {
        let ran = Command::new("promtool")
            .arg("tsdb")
            .args(arguments)
            .current_dir(dir)
            .output();
        let ran = ran.expect("promtool is there; use tests/run");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}");
        String::from_utf8(ran.stdout).unwrap()
    };
    promtool(&["create-blocks-from", "openmetrics", "runs.om", "data"]);
    // A storage that a Prometheus has not opened yet has none, and is not dumped without.
    fs::create_dir(dir.join("data/wal")).unwrap();
    let mut series: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    // {__name__="modelpulse_x", run="eval"} 0.7 1500
    for line in promtool(&["dump", "data"]).lines() {
        let (labels, rest) = line.rsplit_once("} ").unwrap();
        let (value, time) = rest.split_once(' ').unwrap();
        let value = match value {
            "+Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            value => value.parse().unwrap(),
        };
        let samples = series.entry(format!("{labels}}}")).or_default();
        samples.push((time.parse().unwrap(), value));
    }
    series
        .values_mut()
        .for_each(|samples| samples.sort_by_key(|it| it.0));
    series
}

#[test]
fn every_sample_of_a_training_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let mut expected: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
    let mut log = LogReader::open(dir.path().join("runs")).unwrap();
    while let Some(instant) = log.next_instant().unwrap() {
        for event in instant {
            if let Some(value) = event.value.decimal() {
                let (metric, run) = metric_of(&event.path());
                let labels = format!("{{__name__=\"{metric}\", run=\"{run}\"}}");
                let time = (event.wall_time * 1e3).round() as i64;
                // The last of a millisecond.
                expected.entry(labels).or_default().insert(time, value);
            }
        }
    }
    let loaded = loaded(dir.path());
    let samples: usize = loaded.values().map(Vec::len).sum();
    assert!(samples > 50 && loaded.len() > 10, "{samples}");
    assert!(loaded.keys().eq(expected.keys()));
    for (series, samples) in loaded {
        let expected: Vec<(i64, f64)> = expected[&series].iter().map(|(t, v)| (*t, *v)).collect();
        assert_eq!(samples, expected, "{series}");
    }
}

#[test]
fn odd_names_times_and_values_are_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::create(dir.path().join("runs")).unwrap();
    let run = writer.run("é \"q\" \\b");
    for (step, value) in [0.1, f64::INFINITY, -0.0, 5e-30].into_iter().enumerate() {
        run.log_at("top.5", step, 1.6e9 + step as f64 / 4.0, value);
        // What is in one millisecond is one sample.
        run.log_at("top-5", step, 1.6e9 + step as f64 / 1e5, value);
    }
    writer.finish().unwrap();
    let series = loaded(dir.path());
    let samples: Vec<&[(i64, f64)]> = series.values().map(Vec::as_slice).collect();
    let start = 1_600_000_000_000;
    let quarters = [(0, 0.1), (250, f64::INFINITY), (500, -0.0), (750, 5e-30)];
    assert_eq!(series.len(), 2, "{series:?}");
    let long = samples.iter().find(|samples| samples.len() == 4).unwrap();
    assert!(
        long.iter()
            .eq(&quarters.map(|(offset, value)| (start + offset, value)))
    );
    assert!(samples.contains(&&[(start, 5e-30)][..]));
    // Times apart, the page is one that is scraped.
    let page = fs::read_to_string(dir.path().join("runs.om")).unwrap();
    let last: Vec<&str> = page
        .lines()
        .filter(|line| {
            line.starts_with('#')
                || line.ends_with("000.750")
                || line.contains("5e-30 1600000000.000")
        })
        .map(|line| line.rsplit_once(" 16").map_or(line, |(sample, _)| sample))
        .collect();
    assert_eq!(parse(&(last.join("\n") + "\n"), true).wrong, [""; 0]);
}
