//! Pages of the same meters as the Python client's, and verdicts of `promtool check metrics`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use modelpulse::export::Exposition;
use modelpulse::health::{MeterBuilder, Registry};
use serde_json::Value;

use crate::lint::{Family, parse};

fn cases() -> Vec<Value> {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference").into();
    let folder = std::env::var_os("MODELPULSE_REFERENCE").map_or_else(default, PathBuf::from);
    let text = std::fs::read_to_string(folder.join("exposition.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some("NaN") => f64::NAN,
        // serde_json may miss the last bit.
        _ => value.to_string().parse().unwrap(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array();
    list.into_iter().flatten().map(number).collect()
}

/// A registry with the meters of a case.
fn registry(ops: &Value) -> Registry {
    let registry = Registry::new();
    for op in ops.as_array().unwrap() {
        let text = |key: &str| op[key].as_str().unwrap_or_default();
        let meter = |labels: &Value| -> MeterBuilder<'_> {
            let meter = registry.meter(text("name")).description(text("help"));
            let labels = labels.as_object().into_iter().flatten();
            labels.fold(meter.unit(text("unit")), |meter, (name, value)| {
                meter.tag(name, value.as_str().unwrap())
            })
        };
        let series = op["series"].as_array().into_iter().flatten();
        let buckets = || numbers(&op["buckets"]);
        match text("type") {
            "gauge" => series.for_each(|it| meter(&it["labels"]).gauge().set(number(&it["value"]))),
            "counter" => {
                series.for_each(|it| meter(&it["labels"]).counter().add(number(&it["value"])))
            }
            "histogram" | "summary" => series.for_each(|it| {
                let meter = meter(&it["labels"]).buckets(buckets()).distribution();
                let values = numbers(&it["observations"]);
                values.into_iter().for_each(|value| meter.record(value));
            }),
            "info" => meter(&op["labels"]).info(),
            "stateset" => {
                let names = op["states"].as_array().unwrap().iter();
                let names = names.map(|name| name.as_str().unwrap());
                assert!(meter(&Value::Null).states(names).set(text("active")));
            }
            other => panic!("a type that this test does not know: {other}"),
        }
    }
    assert_eq!(registry.refused(), [""; 0]);
    registry
}

/// Families without what each client may tell or leave: when a meter was made, how many NaN were left out.
fn compared(page: &str, open: bool) -> BTreeMap<String, Family> {
    let page: Vec<&str> = page
        .lines()
        .filter(|line| !line.ends_with("<created>"))
        .collect();
    let parsed = parse(&(page.join("\n") + "\n"), open);
    assert_eq!(parsed.wrong, [""; 0]);
    let mut families = parsed.families;
    families.retain(|name, _| !name.ends_with("_created"));
    for family in families.values_mut() {
        let mine = |sample: &String| !sample.ends_with("_created");
        family.samples.retain(|(sample, ..)| mine(sample));
        family
            .samples
            .sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    }
    families
}

#[test]
fn reference_pages() {
    let (mut pages, mut samples) = (0, 0);
    for case in cases()
        .iter()
        .filter(|case| case["input"]["ops"].is_array())
    {
        let registry = registry(&case["input"]["ops"]);
        for (format, open, key) in [
            (Exposition::Prometheus, false, "text_0.0.4"),
            (Exposition::OpenMetrics, true, "openmetrics_1.0"),
        ] {
            let theirs = case["expected"][key].as_str().unwrap();
            // 0.0.4 of theirs has families of their own for when meters were made.
            let theirs: String = theirs
                .split_inclusive('\n')
                .filter(|line| open || !line.contains("_created"))
                .collect();
            let ours = compared(&format.page(&registry), open);
            let theirs = compared(&theirs, open);
            // NaN is not equal to itself, so the text is compared, which tells -0 from 0 too.
            assert_eq!(
                format!("{ours:#?}"),
                format!("{theirs:#?}"),
                "{} {key}",
                case["id"]
            );
            pages += 1;
            samples += ours.values().map(|it| it.samples.len()).sum::<usize>();
        }
    }
    println!("{pages} pages, {samples} samples compared");
    assert!(pages > 0 && samples > 0);
}

/// What `promtool check metrics` says of a page: its exit code, and its words.
fn promtool(page: &str) -> (i32, String) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is there; use tests/run");
    let mut input = child.stdin.take().unwrap();
    input.write_all(page.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(said).unwrap(),
    )
}

#[test]
fn reference_lint() {
    let (mut compared, mut stricter) = (0, Vec::new());
    for case in cases()
        .iter()
        .filter(|case| case["input"]["page"].is_string())
    {
        let page = case["input"]["page"].as_str().unwrap();
        let theirs = case["expected"]["exit"].as_i64().unwrap();
        let ours = parse(page, false).wrong;
        match theirs {
            0 if ours.is_empty() => {}
            0 => stricter.push(case["id"].as_str().unwrap().to_owned()),
            _ => assert!(!ours.is_empty(), "{}: promtool alone finds it", case["id"]),
        }
        compared += 1;
    }
    println!("{compared} pages; found by our lint alone: {stricter:?}");
    assert!(compared > 0 && !stricter.is_empty());
}

#[test]
fn promtool_finds_nothing_on_our_pages() {
    for case in cases()
        .iter()
        .filter(|case| case["input"]["ops"].is_array())
    {
        let page = Exposition::Prometheus.page(&registry(&case["input"]["ops"]));
        assert_eq!(promtool(&page), (0, String::new()), "{page}");
    }
}

/// Nasty names, labels and texts, from a seed.
#[test]
fn nasty_registries_make_clean_pages() {
    const PARTS: [&str; 16] = [
        "a", "b.c", "total", "_total", "_count", "_sum", "le", "\"", "\\", "\n", "{}", "__", "5",
        "é☃", "", "created",
    ];
    let mut random = fastrand::Rng::with_seed(9);
    for _ in 0..300 {
        let registry = Registry::new();
        for _ in 0..random.usize(1..20) {
            let mut text = || {
                let parts = (0..random.usize(0..4)).map(|_| PARTS[random.usize(..PARTS.len())]);
                parts.collect::<String>()
            };
            let mut meter = registry.meter(&text()).description(text());
            for _ in 0..2 {
                meter = meter.tag(text(), text());
            }
            let value = [f64::NAN, f64::INFINITY, -0.0, 0.1, 1e300][random.usize(..5)];
            match random.u32(..6) {
                0 => meter.unit("bytes").counter().add(value),
                1 => meter.unit("seconds").gauge().set(value),
                2 => meter.buckets([0.1, 1.0]).timer().time(|| ()),
                3 => meter.distribution().record(value),
                4 => meter.info(),
                _ => drop(meter.states(["UP", "DOWN"])),
            }
        }
        for format in [Exposition::Prometheus, Exposition::OpenMetrics] {
            let page = format.page(&registry);
            let mut wrong = parse(&page, format == Exposition::OpenMetrics).wrong;
            // A gauge may be called what it is called.
            wrong.retain(|problem| {
                !problem.ends_with("_total stands behind counters, and behind counters alone")
            });
            assert_eq!(wrong, [""; 0], "{page}");
        }
    }
}
