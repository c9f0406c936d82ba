//! What Prometheus has after it scraped us.

use modelpulse::Session;
use modelpulse::export::Exposition;
use modelpulse::health::{Registry, RuleSet};
use modelpulse::serve::{Scrape, Server};

use crate::lint::parse;
use crate::prometheus::Prometheus;
use crate::support::{get_with, until};

#[test]
fn prometheus_has_every_series_of_the_page_with_its_value() {
    let registry = Registry::new();
    registry.process();
    let odd = "a\"b\\c\nd é☃";
    registry
        .meter("odd")
        .tag("text", odd)
        .gauge()
        .set(f64::NEG_INFINITY);
    registry
        .gauge("tiny", "help with \\ and\nnewline")
        .set(5e-324);
    registry.gauge("unknown", "").set(f64::NAN);
    registry.counter("served", "").add(41.5);
    let latency = registry.meter("latency").buckets([0.1, 1.0]).timer();
    latency.record(std::time::Duration::from_millis(500));
    registry.meter("model").tag("version", "7").info();
    registry
        .meter("model.state")
        .states(["UP", "DOWN"])
        .set("DOWN");
    let serving = Server::new(&registry).listen("127.0.0.1:0").unwrap();
    let target = serving.address().to_string();
    let prometheus = Prometheus::scraping(&target, "/metrics", None);
    assert_eq!(prometheus.value("up{job=\"modelpulse\"} == 1"), 1.0);
    for (query, expected) in [
        ("odd", f64::NEG_INFINITY),
        ("tiny", 5e-324),
        ("served_total", 41.5),
        ("latency_seconds_sum", 0.5),
        ("latency_seconds_bucket{le=\"0.1\"}", 0.0),
        ("latency_seconds_bucket{le=\"+Inf\"}", 1.0),
        ("model_info{version=\"7\"}", 1.0),
        ("model_state{model_state=\"DOWN\"}", 1.0),
        ("count(process_resident_memory_bytes > 1e5)", 1.0),
        ("count(process_open_fds)", 1.0),
    ] {
        assert_eq!(prometheus.value(query), expected, "{query}");
    }
    assert!(prometheus.value("unknown").is_nan());
    assert_eq!(prometheus.query("odd")[0].0["text"], odd);
    // It has them all: as many as our page has samples, of both formats.
    for (accept, open) in [
        ("text/plain", false),
        ("application/openmetrics-text", true),
    ] {
        let page = get_with(&format!("{}/metrics", serving.url()), &[("accept", accept)]);
        let parsed = parse(page.text(), open);
        assert_eq!(parsed.wrong, [""; 0]);
        let samples: usize = parsed.families.values().map(|it| it.samples.len()).sum();
        if open {
            let scraped = prometheus.value("scrape_samples_scraped");
            assert_eq!(scraped, samples as f64);
        }
    }
}

#[test]
fn a_training_is_scraped_while_it_runs_and_its_exported_rules_fire() {
    let dir = tempfile::tempdir().unwrap();
    let scrape = Scrape::listen("127.0.0.1:0").unwrap();
    let target = scrape.address().to_string();
    let session = Session::builder(dir.path()).sink(scrape).start().unwrap();
    let rules = RuleSet::new(vec!["eval/epoch_accuracy < 0.75".parse().unwrap()]).unwrap();
    let (yaml, left_out) = rules.to_prometheus();
    assert_eq!(left_out, []);
    let yaml = yaml.replace("interval: '30s'", "interval: '1s'");
    let prometheus = Prometheus::scraping(&target, "/metrics", Some(&yaml));
    let query = "modelpulse_epoch_accuracy{run=\"eval\"}";
    let firing = "ALERTS{alertstate=\"firing\",run=\"eval\"}";
    for (number, accuracy) in [(0, 0.7), (1, 0.9)] {
        let mut epoch = session.epoch(number);
        epoch.train_batch(32, [("loss", 0.5)]);
        epoch.eval_batch(100, [("accuracy", accuracy)]);
        drop(epoch);
        session.flush();
        until("the value of the epoch", || {
            let told = prometheus.query(query);
            told.iter()
                .any(|(_, value)| *value == accuracy)
                .then_some(())
        });
        until("the state of the alert", || {
            let fires = !prometheus.query(firing).is_empty();
            (fires == (accuracy < 0.75)).then_some(())
        });
    }
    session.finish().unwrap();
}

#[test]
fn both_formats_hold_the_same_numbers() {
    let registry = Registry::new();
    for index in 0..200 {
        let meter = registry.meter("x").tag("i", index.to_string());
        meter.gauge().set(f64::from(index) / 7.0);
    }
    let text = parse(&Exposition::Prometheus.page(&registry), false);
    let open = parse(&Exposition::OpenMetrics.page(&registry), true);
    assert_eq!(text.families, open.families);
    assert_eq!(text.families["x"].samples.len(), 200);
}
