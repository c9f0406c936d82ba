//! All that show a number show the same number: the log, the pages, the pushes, the servers behind them.
//!
//! A log has single precision, so what is logged is shown everywhere as the log has it; what is set in a registry alone
//! is shown with all its bits.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use modelpulse::Session;
use modelpulse::export::{Pusher, Target};
use modelpulse::flow::Source;
use modelpulse::health::Registry;
use modelpulse::log::LogReader;
use modelpulse::serve::{Server, Serving};
use serde_json::Value;

use crate::lint::parse;
use crate::otlp;
use crate::prometheus::{Prometheus, Series, bits};
use crate::receiver::{Receiver, TAKEN, by_series};
use crate::support::{PATIENCE, get, get_with, modelpulse};
use crate::victoria::VictoriaMetrics;

/// Bits by name; all NaN are one.
type Shown = BTreeMap<String, u64>;

/// What is logged.
const LOGGED: [f64; 17] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.1,
    0.1_f32 as f64,
    1.0 / 3.0,
    -1.5e-40,
    1e-45,
    1e-46,
    16_777_217.0,
    9_007_199_254_740_993.0,
    f32::MAX as f64,
    f32::MIN_POSITIVE as f64,
    1e39,
    123_456_789.125,
];

/// What is set in the registry alone.
const EXACT: [f64; 9] = [
    5e-324,
    -0.0,
    0.1 + 0.2,
    9_007_199_254_740_993.0,
    u64::MAX as f64,
    f64::MAX,
    f64::MIN_POSITIVE,
    f64::NAN,
    -1e-300,
];

fn shown(samples: impl IntoIterator<Item = (String, f64)>) -> Shown {
    let ours = |name: &str| name.starts_with("modelpulse_v") || name.starts_with("exact_");
    let samples = samples.into_iter().filter(|(name, _)| ours(name));
    samples.map(|(name, value)| (name, bits(value))).collect()
}

/// As TensorBoard's files have it: single precision.
fn in_log(dir: &Path) -> (Shown, BTreeMap<String, f32>) {
    let (mut meant, mut stored) = (Vec::new(), BTreeMap::new());
    let mut log = LogReader::open(dir).unwrap();
    while let Some(instant) = log.next_instant().unwrap() {
        for event in instant {
            let name = format!("modelpulse_{}", event.tag);
            meant.push((name.clone(), event.value.decimal().unwrap()));
            stored.insert(name, event.value.scalar().unwrap());
        }
    }
    (shown(meant), stored)
}

fn on_page(serving: &Serving, path: &str, accept: &str) -> Shown {
    let page = get_with(&format!("{}{path}", serving.url()), &[("accept", accept)]);
    let parsed = parse(
        page.text(),
        page.kind.starts_with("application/openmetrics"),
    );
    assert_eq!(parsed.wrong, [""; 0]);
    let samples = page.text().lines().filter(|line| !line.starts_with('#'));
    shown(samples.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        (name.to_owned(), value.parse().unwrap())
    }))
}

fn in_actuator(serving: &Serving) -> Shown {
    let url = format!("{}/actuator/metrics", serving.url());
    let names = get(&url).json();
    let names = names["names"].as_array().unwrap().iter();
    shown(names.map(|name| {
        let name = name.as_str().unwrap();
        let meter = get(&format!("{url}/{name}")).json();
        let value = match &meter["measurements"][0]["value"] {
            Value::String(text) => text.parse().unwrap(),
            number => number.as_f64().unwrap(),
        };
        (name.replace('.', "_"), value)
    }))
}

/// The last sample of each series, as a server or a request has them.
fn last(series: Series) -> Shown {
    shown(series.into_iter().map(|(labels, samples)| {
        let (_, bits) = samples.last().unwrap();
        (labels["__name__"].clone(), f64::from_bits(*bits))
    }))
}

fn in_otlp(requests: &Receiver) -> Shown {
    let metrics = otlp::read(&requests.next()).into_iter();
    let gauges = metrics.filter(|metric| metric["kind"] == "gauge");
    shown(gauges.map(|metric| {
        let value = metric["points"][0]["value"].as_u64().unwrap();
        let name = metric["name"].as_str().unwrap().replace('.', "_");
        (name, f64::from_bits(value))
    }))
}

/// What a Prometheus has that was given the old log.
fn backfilled(dir: &Path) -> (Shown, Shown) {
    let exported = modelpulse()
        .args(["export", "log", "--openmetrics", "-o", "log.om"])
        .current_dir(dir)
        .status();
    assert!(exported.unwrap().success());
    let page = fs::read_to_string(dir.join("log.om")).unwrap();
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let on_page = shown(samples.map(|line| {
        let mut words = line.split(' ');
        let name = words.next().unwrap().split('{').next().unwrap();
        (name.to_owned(), words.next().unwrap().parse().unwrap())
    }));
    let made = Command::new("promtool")
        .args([
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "log.om",
            "blocks",
        ])
        .current_dir(dir)
        .output();
    assert!(made.unwrap().status.success());
    let prometheus = Prometheus::over(&dir.join("blocks"));
    let selector = r#"{__name__=~"modelpulse_v.*"}[1h]"#;
    let samples = crate::support::until("the old log", || {
        Some(prometheus.samples(selector)).filter(|samples| !samples.is_empty())
    });
    (on_page, last(samples))
}

#[test]
fn every_number_is_the_same_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let session = Session::builder(dir.path().join("log")).sink(registry.sink());
    let session = session.start().unwrap();
    let mut instant = session.instant();
    for (at, value) in LOGGED.into_iter().enumerate() {
        instant.scalar("eval", &format!("v{at}"), 0, value);
    }
    drop(instant);
    session.finish().unwrap();
    for (at, value) in EXACT.into_iter().enumerate() {
        registry.gauge(&format!("exact.{at}"), "").set(value);
    }

    let (logged, stored) = in_log(&dir.path().join("log"));
    assert_eq!(logged.len(), LOGGED.len());
    for (at, value) in LOGGED.into_iter().enumerate() {
        let name = format!("modelpulse_v{at}");
        let (single, meant) = (value as f32, f64::from_bits(logged[&name]));
        assert_eq!(bits(stored[&name].into()), bits(single.into()), "{value}");
        // What is shown rounds to what is stored.
        assert_eq!(bits((meant as f32).into()), bits(single.into()), "{value}");
    }
    let exact = EXACT.into_iter().enumerate();
    let exact = exact.map(|(at, value)| (format!("exact_{at}"), value));
    let mut all = shown(exact);
    all.extend(logged.clone());

    let serving = Server::new(&registry).listen("127.0.0.1:0").unwrap();
    let (prometheus, victoria) = (Prometheus::receiving(), VictoriaMetrics::start());
    let [written, collected] = [(); 2].map(|()| Receiver::start(|_| TAKEN));
    let pusher = Pusher::builder(&registry)
        .to(Target::remote_write(&written.url))
        .to(Target::remote_write(prometheus.url()))
        .to(Target::remote_write(victoria.url()))
        .to(Target::otlp(&collected.url))
        .interval(Duration::from_secs(3600))
        .patience(PATIENCE)
        .start()
        .unwrap();
    for pushed in pusher.finish() {
        assert_eq!((pushed.dropped, pushed.requests), (0, 1), "{pushed:?}");
    }
    let written = by_series(&written.all());
    let open = "application/openmetrics-text";
    for (place, found) in [
        (
            "/metrics, 0.0.4",
            on_page(&serving, "/metrics", "text/plain"),
        ),
        ("/metrics, OpenMetrics", on_page(&serving, "/metrics", open)),
        (
            "/actuator/prometheus",
            on_page(&serving, "/actuator/prometheus", open),
        ),
        ("/actuator/metrics", in_actuator(&serving)),
        ("remote write", last(written.clone())),
        (
            "Prometheus",
            last(prometheus.samples(r#"{job="modelpulse"}[1h]"#)),
        ),
        ("OTLP", in_otlp(&collected)),
    ] {
        assert_eq!(found, all, "{place}");
    }
    // VictoriaMetrics keeps decimals of its own: no NaN, no -0, nothing as small as some of these, and 15 digits.
    let kept = all.iter().filter(|(_, bits)| {
        let value = f64::from_bits(**bits);
        value.is_infinite() || value.abs() > 1e-290
    });
    let found = last(victoria.samples(r#"{job="modelpulse"}[1h]"#, kept.clone().count()));
    for (name, value) in kept {
        let (value, found) = (f64::from_bits(*value), f64::from_bits(found[name]));
        let near = (value - found).abs() <= 1e-15 * value.abs();
        assert!(value == found || near, "{name}: {value:e} is {found:e}");
    }
    let (page, loaded) = backfilled(dir.path());
    assert_eq!(page, logged);
    assert_eq!(loaded, logged);
}
