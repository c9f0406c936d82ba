//! OTLP metrics as OpenTelemetry's own messages read them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use modelpulse::export::{Pusher, Target};
use modelpulse::health::Registry;
use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply, Request};
use crate::support::modelpulse;

/// The metrics of a request.
pub fn read(request: &Request) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("MODELPULSE_PYTHON");
    let python = python.map_or_else(|| root.join("target/venv/bin/python"), Into::into);
    let mut reading = Command::new(python)
        .arg(root.join("tests/monitor/read_otlp.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a Python with opentelemetry-proto; use tests/run");
    let mut stdin = reading.stdin.take().unwrap();
    stdin.write_all(&request.body).unwrap();
    drop(stdin);
    let read = reading.wait_with_output().unwrap();
    assert!(read.status.success());
    serde_json::from_slice(&read.stdout).unwrap()
}

fn find<'a>(metrics: &'a [Value], name: &str) -> &'a Value {
    let found = metrics.iter().find(|metric| metric["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {metrics:#?}"))
}

#[test]
fn every_kind_of_meter_is_read_as_what_it_is() {
    let receiver = Receiver::start(|_| Reply::Status(200, ""));
    let registry = Registry::new();
    let accuracy = registry
        .meter("model.accuracy")
        .tag("é☃", "a\"b")
        .tag("none", "");
    accuracy.description("Accuracy").gauge().set(-0.0);
    registry.meter("read").unit("bytes").counter().add(7.0);
    let latency = registry.meter("latency").buckets([0.1, 1.0]).timer();
    for ms in [50, 500, 700] {
        latency.record(Duration::from_millis(ms));
    }
    let sizes = registry.meter("size").distribution();
    for size in [3.0, f64::NAN, 4.5] {
        sizes.record(size);
    }
    registry.meter("model").tag("version", "7").info();
    registry.meter("state").states(["UP", "DOWN"]).set("DOWN");
    let pusher = Pusher::builder(&registry)
        .to(Target::otlp(&receiver.url).attribute("service.version", "1.2"))
        .label("job", "iris")
        .label("instance", "here")
        .label("team", "models")
        .series_end(true)
        .start()
        .unwrap();
    let pushed = pusher.finish();
    assert_eq!(
        (pushed[0].dropped, pushed[0].requests),
        (0, 2),
        "{pushed:?}"
    );

    let request = receiver.next();
    assert_eq!(request.path, "/v1/metrics");
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
    assert_eq!(request.headers["content-encoding"], "gzip");
    let metrics = read(&request);
    let resource = &metrics[0]["resource"];
    for (name, value) in [
        ("service.name", "iris"),
        ("service.instance.id", "here"),
        ("service.version", "1.2"),
        ("team", "models"),
        ("telemetry.sdk.language", "rust"),
    ] {
        assert_eq!(resource[name], value, "{resource}");
    }
    let points = |name: &str| find(&metrics, name)["points"].clone();
    let of = |name: &str| {
        let metric = find(&metrics, name);
        [
            &metric["kind"],
            &metric["unit"],
            &metric["temporality"],
            &metric["monotonic"],
        ]
        .map(Value::clone)
    };
    let cumulative = "AGGREGATION_TEMPORALITY_CUMULATIVE";
    assert_eq!(
        json!(of("model.accuracy")),
        json!(["gauge", "", null, null])
    );
    assert_eq!(find(&metrics, "model.accuracy")["description"], "Accuracy");
    let point = &points("model.accuracy")[0];
    assert_eq!(point["value"], (-0.0_f64).to_bits());
    assert_eq!(point["attributes"], json!({ "é☃": "a\"b" }));
    let (time, now) = (
        point["time"].as_u64().unwrap(),
        std::time::SystemTime::now(),
    );
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    assert_eq!(
        (time / 1_000_000_000_000, time % 1_000_000),
        (now / 1_000_000_000_000, 0)
    );

    assert_eq!(json!(of("read")), json!(["sum", "By", cumulative, true]));
    let point = &points("read")[0];
    assert_eq!(point["value"], 7.0_f64.to_bits());
    // Registered before it was pushed, though milliseconds may be the same.
    let start = point["start"].as_u64().unwrap();
    assert!(start > 0 && start <= time + 1_000_000, "{start} {time}");

    assert_eq!(
        json!(of("latency")),
        json!(["histogram", "s", cumulative, null])
    );
    let point = &points("latency")[0];
    assert_eq!(
        (&point["bounds"], &point["buckets"]),
        (&json!([0.1, 1.0]), &json!([1, 2, 0]))
    );
    assert_eq!(
        (&point["count"], &point["sum"]),
        (&json!(3), &json!(1.25_f64.to_bits()))
    );

    assert_eq!(json!(of("size")), json!(["summary", "", null, null]));
    let point = &points("size")[0];
    assert_eq!(
        (&point["count"], &point["sum"]),
        (&json!(2), &json!(7.5_f64.to_bits()))
    );
    assert_eq!(json!(of("size_nan")), json!(["sum", "", cumulative, true]));
    assert_eq!(points("size_nan")[0]["value"], 1.0_f64.to_bits());

    assert_eq!(
        json!(of("model_info")),
        json!(["sum", "", cumulative, false])
    );
    assert_eq!(
        points("model_info")[0]["attributes"],
        json!({ "version": "7" })
    );
    let states = points("state");
    let states: Vec<(&Value, &Value)> = states
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (&point["attributes"]["state"], &point["value"]))
        .collect();
    let (zero, one) = (json!(0.0_f64.to_bits()), json!(1.0_f64.to_bits()));
    assert_eq!(states, [(&json!("UP"), &zero), (&json!("DOWN"), &one)]);

    // The end of the series: every point is there, and none has a value.
    let ended = read(&receiver.next());
    assert_eq!(ended.len(), metrics.len());
    let mut points = ended
        .iter()
        .flat_map(|metric| metric["points"].as_array().unwrap());
    assert!(points.all(|point| point["no_value"] == true && point["value"].is_null()));
}

#[test]
fn what_a_collector_refuses_in_part_is_counted_and_500_is_not_asked_again() {
    // partial_success { rejected_data_points: 2, error_message: "no" }
    let partial = "\n\u{6}\u{8}\u{2}\u{12}\u{2}no";
    let receiver = Receiver::start(move |count| match count {
        0 => Reply::Because(200, partial),
        1 => Reply::Status(503, ""),
        2 => Reply::Status(200, ""),
        _ => Reply::Status(500, ""),
    });
    let registry = Registry::new();
    for name in ["a", "b", "c"] {
        registry.gauge(name, "");
    }
    let pusher = Pusher::builder(&registry)
        .to(Target::otlp(&receiver.url))
        .interval(Duration::from_secs(3600))
        .patience(crate::support::PATIENCE);
    let pusher = pusher.start().unwrap();
    pusher.push();
    pusher.push();
    let pushed = pusher.finish().remove(0);
    // A push is 3 gauges and 4 of the pusher itself.
    assert_eq!(
        (pushed.samples, pushed.dropped),
        (5 + 7, 2 + 7),
        "{pushed:?}"
    );
    assert_eq!((pushed.requests, pushed.failures), (2, 2));
    assert!(pushed.problem.unwrap().contains("500"));
    assert_eq!(receiver.all().len(), 4);
}

#[test]
fn a_training_is_pushed_as_otlp_by_the_command() {
    let receiver = Receiver::start(|_| Reply::Status(200, ""));
    let dir = tempfile::tempdir().unwrap();
    let trained = modelpulse()
        .args(["train", "--epochs", "1", "--quiet", "--otlp", &receiver.url])
        .current_dir(dir.path())
        .status();
    assert!(trained.unwrap().success());
    let metrics = read(&receiver.next());
    let accuracy = find(&metrics, "modelpulse_epoch_accuracy");
    assert_eq!(accuracy["resource"]["service.name"], "modelpulse");
    let runs = accuracy["points"].as_array().unwrap().iter();
    assert!(
        runs.map(|point| &point["attributes"]["run"])
            .eq(["eval", "train"])
    );
}
