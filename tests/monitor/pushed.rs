//! What a real Prometheus and a real VictoriaMetrics have after they were written to.

use std::collections::BTreeMap;
use std::fs;

use modelpulse::Session;
use modelpulse::export::{Pusher, Target};
use modelpulse::flow::Source;
use modelpulse::health::{Registry, metric_of};
use modelpulse::log::LogReader;

use crate::prometheus::{Prometheus, bits};
use crate::receiver::{Receiver, TAKEN, by_series, written};
use crate::support::{Running, get, modelpulse, train, until};
use crate::victoria::VictoriaMetrics;

/// An hour that nothing is pushed in by itself.
const NEVER: std::time::Duration = std::time::Duration::from_secs(3600);

fn nasty(registry: &Registry) {
    let odd = "a\"b\\c\nd é☃";
    registry.meter("odd").tag("text", odd).gauge().set(2.5);
    registry.meter("a.b-c").tag("x.y", "1").gauge().set(0.1);
    registry.meter("up.per").tag("A", "1").gauge().set(1e300);
    registry.meter("own").tag("job", "mine").gauge().set(1.0);
    registry.gauge("infinite", "").set(f64::NEG_INFINITY);
    let latency = registry.meter("latency").buckets([0.1, 1.0]).timer();
    latency.record(std::time::Duration::from_millis(500));
    registry.meter("model").tag("version", "7").info();
    registry
        .meter("model.state")
        .states(["UP", "DOWN"])
        .set("DOWN");
}

#[test]
fn servers_have_every_sample_with_its_time_and_bits() {
    let (prometheus, victoria) = (Prometheus::receiving(), VictoriaMetrics::start());
    let witness = Receiver::start(|_| TAKEN);
    let registry = Registry::new();
    nasty(&registry);
    let served = registry.counter("served", "");
    let pusher = Pusher::builder(&registry)
        .to(Target::remote_write(prometheus.url()))
        .to(Target::remote_write(victoria.url()))
        .to(Target::remote_write(&witness.url))
        .label("job", "pushed")
        .label("where", "here")
        .interval(NEVER)
        .patience(crate::support::PATIENCE)
        .start()
        .unwrap();
    for _ in 0..5 {
        served.increment();
        pusher.push();
    }
    for pushed in pusher.finish() {
        assert_eq!((pushed.dropped, pushed.waiting), (0, 0), "{pushed:?}");
        assert_eq!(pushed.requests, 6, "{pushed:?}");
    }
    let requests = witness.all();
    for (name, value) in [
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ] {
        assert_eq!(requests[0].headers[name], value);
    }
    assert!(requests[0].headers["user-agent"].starts_with("modelpulse/"));
    assert_eq!(requests[0].path, "/api/v1/write");
    let sent = by_series(&requests);
    let served = sent
        .iter()
        .find(|(labels, _)| labels["__name__"] == "served_total");
    let counts: Vec<u64> = served.unwrap().1.iter().map(|sample| sample.1).collect();
    assert_eq!(counts, [1.0, 2.0, 3.0, 4.0, 5.0, 5.0].map(bits));
    assert_eq!(prometheus.samples(r#"{where="here"}[1h]"#), sent);
    assert_eq!(victoria.samples(r#"{where="here"}[1h]"#, sent.len()), sent);
    let own = prometheus.query("own");
    assert_eq!((&own[0].0["job"], own[0].1), (&"mine".into(), 1.0));
}

#[test]
fn nan_is_a_value_and_the_end_of_a_service_ends_its_series() {
    let (prometheus, witness) = (Prometheus::receiving(), Receiver::start(|_| TAKEN));
    for (name, ends) in [("service", true), ("job", false)] {
        let registry = Registry::new();
        registry.gauge(name, "").set(f64::NAN);
        let pusher = Pusher::builder(&registry)
            .to(Target::remote_write(prometheus.url()))
            .to(Target::remote_write(&witness.url))
            .patience(crate::support::PATIENCE)
            .interval(NEVER)
            .series_end(ends)
            .start()
            .unwrap();
        pusher.push();
        until("the value", || {
            (prometheus.query(name).len() == 1).then_some(())
        });
        assert!(prometheus.query(name)[0].1.is_nan());
        pusher.finish();
        let requests = witness.all();
        let last = written(requests.last().unwrap());
        assert!(last.iter().all(|sample| sample.3 == ends));
        // A service that is gone is not shown; its samples are there.
        let shown = prometheus.query(name).len();
        assert_eq!(shown, usize::from(!ends), "{name}");
        let samples = prometheus.samples(&format!("{name}[1h]"));
        assert_eq!(samples.values().next().unwrap().len(), 2);
    }
}

/// The last value of each series of a log, by metric and run.
fn last_values(dir: &std::path::Path) -> BTreeMap<(String, String), f64> {
    let mut last = BTreeMap::new();
    let mut log = LogReader::open(dir).unwrap();
    while let Some(instant) = log.next_instant().unwrap() {
        for event in instant {
            if let Some(value) = event.value.decimal() {
                last.insert(metric_of(&event.path()), value);
            }
        }
    }
    last
}

fn pushed_values(prometheus: &Prometheus) -> BTreeMap<(String, String), f64> {
    let series = prometheus
        .query(r#"{__name__=~"modelpulse_.*"}"#)
        .into_iter();
    series
        .map(|(labels, value)| {
            let label = |name: &str| labels[name].as_str().unwrap().to_owned();
            assert_eq!(label("job"), "modelpulse");
            ((label("__name__"), label("run")), value)
        })
        .collect()
}

#[test]
fn a_short_training_is_seen_with_every_series_it_logged() {
    let prometheus = Prometheus::receiving();
    let dir = tempfile::tempdir().unwrap();
    let trained = modelpulse()
        .args(["train", "--epochs", "2", "--quiet", "--name", "m"])
        .args(["--remote-write", prometheus.url()])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(trained.stderr).unwrap();
    assert!(trained.status.success() && said.is_empty(), "{said}");
    let expected = last_values(&dir.path().join("runs/m"));
    assert!(expected.len() > 10, "{expected:?}");
    assert_eq!(pushed_values(&prometheus), expected);
}

#[test]
fn a_session_is_pushed_by_one_line() {
    let prometheus = Prometheus::receiving();
    let dir = tempfile::tempdir().unwrap();
    let push = Pusher::events(Target::remote_write(prometheus.url())).unwrap();
    let pusher = push.pusher().clone();
    let session = Session::builder(dir.path()).sink(push).start().unwrap();
    session.run("eval").scalar("accuracy", 0, 0.7);
    session.finish().unwrap();
    assert_eq!(pusher.pushed()[0].dropped, 0);
    let expected = [(("modelpulse_accuracy".to_owned(), "eval".to_owned()), 0.7)];
    assert_eq!(pushed_values(&prometheus), expected.into());
}

#[test]
fn a_monitor_is_pushed_and_says_so_and_its_end_ends_its_series() {
    let prometheus = Prometheus::receiving();
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let running = Running::start(
        modelpulse()
            .args(["monitor", "--model", "runs/m", "--listen", "127.0.0.1:0"])
            .args([
                "--remote-write",
                prometheus.url(),
                "--push-interval",
                "50ms",
            ])
            .current_dir(dir.path()),
    );
    let line = running.line("monitoring runs/m");
    let url = line.split(' ').find(|word| word.starts_with("http://"));
    let url = url.unwrap().trim_end_matches(',').to_owned();
    let accuracy = prometheus.value(r#"modelpulse_accuracy{run="eval"}"#);
    let page = get(&format!("{url}/metrics"));
    let shown = format!("modelpulse_accuracy{{run=\"eval\"}} {accuracy:?}\n");
    assert!(page.text().contains(&shown), "{}", page.text());
    assert!(page.text().contains("push_samples_total{outcome=\"sent\""));
    let health = get(&format!("{url}/actuator/health/push"));
    assert_eq!(health.json()["status"], "UP");
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    assert_eq!(prometheus.query("modelpulse_accuracy"), []);
    let log = last_values(&dir.path().join("runs/m/monitor"));
    assert_eq!(
        log[&("modelpulse_accuracy".into(), "eval".into())],
        accuracy
    );
}

#[test]
fn a_training_that_is_told_to_end_pushes_what_it_logged_last() {
    let witness = Receiver::start(|_| TAKEN);
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(
        modelpulse()
            .args(["train", "--epochs", "1000000", "--name", "m"])
            .args(["--remote-write", &witness.url, "--push-interval", "1h"])
            .current_dir(dir.path()),
    );
    until("an epoch", || {
        let eval = fs::read_dir(dir.path().join("runs/m/eval")).ok()?;
        let sizes = eval.map(|entry| entry.unwrap().metadata().unwrap().len());
        (sizes.sum::<u64>() > 0).then_some(())
    });
    running.signal("TERM");
    assert_eq!(running.end().0, None);
    let sent = by_series(&witness.all());
    let shown: BTreeMap<(String, String), f64> = sent
        .iter()
        .filter_map(|(labels, samples)| {
            let name = (labels["__name__"].clone(), labels.get("run")?.clone());
            let [(_, bits)] = samples[..] else {
                panic!("{samples:?}")
            };
            Some((name, f64::from_bits(bits)))
        })
        .collect();
    let logged = last_values(&dir.path().join("runs/m"));
    assert!(shown.contains_key(&("modelpulse_epoch_loss".into(), "eval".into())));
    for (series, value) in shown {
        // What was logged while the last was being pushed is in the log alone.
        assert!(logged.contains_key(&series), "{series:?} {value}");
    }
}
