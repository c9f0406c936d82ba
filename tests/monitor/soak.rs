//! The monitor under load for minutes: nothing fails, nothing that was acknowledged is lost, memory stays what it is.
//!
//! Two minutes beside the other tests; `tests/soak.sh` runs it for ten, or for as long as `MODELPULSE_SOAK_SECONDS` says.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use modelpulse::flow::Source;
use modelpulse::log::LogReader;
use serde_json::{Value, json};
use ureq::Agent;

use crate::lint::parse;
use crate::support::{agent, get, get_with, monitor, train};

/// Rows of a request.
const BATCH: usize = 250;
/// More than the monitor keeps of rows whose label may come.
const FILL: usize = 440;
/// So many batches later, labels come.
const LATE: usize = 20;
/// Between the requests of a client, but for the first sixth of the time.
const PAUSE: Duration = Duration::from_millis(50);

fn seconds() -> u64 {
    let said = std::env::var("MODELPULSE_SOAK_SECONDS");
    said.map_or(120, |text| text.parse().expect("a number of seconds"))
}

fn send(agent: &Agent, url: &str, body: &str) -> Value {
    let request = agent.post(url).header("content-type", "application/json");
    let mut answer = request.send(body).unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

fn lines(rows: impl Iterator<Item = Value>) -> String {
    rows.map(|row| row.to_string() + "\n").collect()
}

/// A service that tells what it said, and later what was right; counts what was acknowledged.
struct Service<'a> {
    agent: Agent,
    url: &'a str,
    batches: usize,
    /// Of labels: that met their row, that came again, and that are of nobody.
    joined: usize,
    again: usize,
    unknown: usize,
}

impl Service<'_> {
    fn step(&mut self) {
        let batch = self.batches;
        let rows = (0..BATCH).map(|row| {
            let (id, class) = (batch * BATCH + row, row % 10);
            let features = [0.0625, 0.125, 0.25, 0.5];
            json!({ "id": format!("r-{id:09}"), "prediction": class, "features": features })
        });
        let taken = send(
            &self.agent,
            &format!("{}/observations", self.url),
            &lines(rows),
        );
        assert_eq!(taken, json!({ "accepted": BATCH, "repeated": 0 }));
        self.batches += 1;
        let Some(late) = batch.checked_sub(LATE) else {
            return;
        };
        // A hundredth never comes, some come twice, and some are of nobody. Times are good and bad by turns.
        let wrong = if late / 200 % 2 == 0 { 1 } else { 6 };
        let labels = || {
            let rows = (0..BATCH).filter(|row| row % 100 != 7);
            rows.map(|row| {
                let class = if row % 10 < wrong { 9 } else { row % 10 };
                json!({ "id": format!("r-{:09}", late * BATCH + row), "label": class })
            })
        };
        let count = labels().count();
        let url = format!("{}/labels", self.url);
        let taken = send(&self.agent, &url, &lines(labels()));
        assert_eq!(
            taken,
            json!({ "joined": count, "replaced": 0, "unknown": 0 })
        );
        self.joined += count;
        if late.is_multiple_of(7) {
            let nobody = json!({ "id": format!("nobody-{late}"), "label": 3 });
            let taken = send(&self.agent, &url, &lines(labels().chain([nobody])));
            assert_eq!(
                taken,
                json!({ "joined": 0, "replaced": count, "unknown": 1 })
            );
            self.again += count;
            self.unknown += 1;
        }
    }
}

/// Asks for predictions.
fn predict(agent: &Agent, url: &str) {
    let row = format!("[{}]", ["0.25"; 64].join(","));
    let body = format!("{{\"rows\": [{}]}}", vec![row; 64].join(","));
    let said = send(agent, &format!("{url}/predict"), &body);
    assert_eq!(said["predictions"].as_array().unwrap().len(), 64);
}

/// Looks at it as its readers do, each time by a connection of its own.
fn look(url: &str, turn: usize) {
    let open = "application/openmetrics-text;version=1.0.0";
    let (path, headers): (&str, &[(&str, &str)]) = match turn % 6 {
        0 => ("/metrics", &[("accept", "text/plain")]),
        1 => ("/metrics", &[("accept", open), ("accept-encoding", "gzip")]),
        2 => ("/actuator/health", &[]),
        3 => ("/actuator/metrics/modelpulse_accuracy", &[]),
        4 => ("/actuator/prometheus?includedNames=predictions", &[]),
        _ => ("/evaluate", &[]),
    };
    let answer = get_with(&format!("{url}{path}"), headers);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    if turn.is_multiple_of(6) {
        assert_eq!(parse(answer.text(), false).wrong, [""; 0]);
    }
}

/// Bytes of the process that are in memory, as the system says.
fn resident(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<f64>().unwrap() * 1024.0
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value of a sample of a page.
fn sample(url: &str, series: &str) -> f64 {
    let page = get(&format!("{url}/metrics"));
    let line = page
        .text()
        .lines()
        .find_map(|line| line.strip_prefix(series));
    line.expect(series).trim().parse().unwrap()
}

/// How many evaluations a log has, whose steps have no gap.
fn evaluations(dir: &Path) -> usize {
    let mut log = LogReader::open(dir).unwrap();
    let mut steps = Vec::new();
    while let Some(instant) = log.next_instant().unwrap() {
        let events = instant.iter().filter(|it| it.path() == "eval/accuracy");
        steps.extend(events.map(|event| event.step.as_i64()));
    }
    assert!(steps.iter().copied().eq(0..steps.len() as i64));
    steps.len()
}

#[test]
fn minutes_of_load_lose_nothing_and_take_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    // One of the rules fires and resolves all along.
    let arguments = [
        "--quiet",
        "--interval",
        "500ms",
        // What it keeps on the disk is made less every few seconds.
        "--journal-growth",
        "4",
        "--rule",
        "live/accuracy < 0.7",
        "--rule",
        "avg(eval/accuracy, 1m) < 0.2",
        "--rule",
        "zscore(eval/log_loss, 30s) > 1000",
    ];
    let (running, url) = monitor(dir.path(), &arguments);
    let id = running.child.id();
    let mut service = Service {
        agent: agent(),
        url: &url,
        batches: 0,
        joined: 0,
        again: 0,
        unknown: 0,
    };
    // What it keeps is full before memory is looked at.
    (0..FILL).for_each(|_| service.step());
    let (hurry, stop) = (AtomicBool::new(true), AtomicBool::new(false));
    let going = || {
        if !hurry.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
        }
        !stop.load(Ordering::Relaxed)
    };
    let memory = std::thread::scope(|scope| {
        scope.spawn(|| {
            while going() {
                service.step();
            }
        });
        scope.spawn(|| {
            let agent = agent();
            while going() {
                predict(&agent, &url);
            }
        });
        scope.spawn(|| {
            for turn in (0..).take_while(|_| going()) {
                look(&url, turn);
            }
        });
        // What requests need that come together is seen now, and not by chance at some time later.
        std::thread::sleep(Duration::from_secs(seconds()) / 6);
        hurry.store(false, Ordering::Relaxed);
        let (began, mut memory) = (Instant::now(), Vec::new());
        while began.elapsed() < Duration::from_secs(seconds()) * 5 / 6 {
            std::thread::sleep(Duration::from_millis(500));
            memory.push(resident(id));
        }
        stop.store(true, Ordering::Relaxed);
        memory
    });
    let parts: Vec<f64> = memory
        .chunks(memory.len().div_ceil(10))
        .map(median)
        .collect();
    let megabytes: Vec<String> = parts
        .iter()
        .map(|part| format!("{:.1}", part / 1e6))
        .collect();
    let rows = service.batches * BATCH;
    println!(
        "{rows} observations, {} labels; MB in memory, ten medians: {}",
        service.joined + service.again + service.unknown,
        megabytes.join(" ")
    );
    // Before that, it warms up.
    let (warm, end) = (parts[4], parts[parts.len() - 1]);
    assert!(end < 1.05 * warm, "{megabytes:?}");

    let log = get(&format!("{url}/actuator/health/log")).json();
    assert_eq!(
        (&log["status"], &log["details"]["dropped"]),
        (&json!("UP"), &json!(0))
    );
    let last = get(&format!("{url}/evaluate")).json();
    let evaluated = last["step"].as_i64().unwrap() + 1;
    running.signal("TERM");
    let (code, out) = running.end();
    assert_eq!(code, Some(0));
    assert!(out.contains("firing: live/accuracy < 0.7"), "{out}");

    assert!(evaluations(&dir.path().join("runs/m/monitor")) as i64 >= evaluated);
    // The next one has all that was acknowledged.
    let (running, url) = monitor(dir.path(), &["--quiet", "--interval", "1h"]);
    assert_eq!(get(&format!("{url}/evaluate")).status, 200);
    for (name, told) in [
        ("observed", rows),
        ("labelled", service.joined),
        ("relabelled", service.again),
        ("unknown", service.unknown),
        ("repeated", 0),
    ] {
        let series = format!("modelpulse_{name}{{run=\"live/observations\"}}");
        assert_eq!(sample(&url, &series), told as f64, "{name}");
    }
    drop(running);
}
