//! The inputs of a model that is watched drift: seen at once where they do, and never where they do not.

use std::path::Path;
use std::process::Command;

use fastrand::Rng;
use modelpulse::datasets::Dataset;
use serde_json::{Value, json};

use crate::lint::parse;
use crate::support::{Running, get, modelpulse, post, train, until};
use crate::tensorboard::{Loader, TensorBoard};

const RULES: &str = r#"
[[rule]]
name = "InputsDrifted"
condition = "live/drift/data_drift_detected >= 1"

[[detector]]
kind = "adwin"
series = "live/labels/wrong"

[[rule]]
name = "ErrorsRise"
condition = "adwin/wrong/drift_signal >= 2"
"#;

fn monitor(dir: &Path) -> (Running, String) {
    let arguments =
        "monitor --model runs/m --listen 127.0.0.1:0 --interval 1h --rules rules.toml --quiet";
    let running = Running::start(modelpulse().args(arguments.split(' ')).current_dir(dir));
    let line = running.line("monitoring ");
    let url = line.split(' ').find(|word| word.starts_with("http://"));
    let url = url.unwrap().trim_end_matches(',').to_owned();
    (running, url)
}

/// Held-out digits, and what the model says of each.
struct Digits {
    rows: Vec<Vec<f64>>,
    scores: Vec<Value>,
    labels: Vec<u8>,
}

impl Digits {
    fn asked(url: &str) -> Self {
        let digits = Dataset::digits();
        let pixels = digits.eval().pixels().chunks_exact(64);
        let row = |row: &[u8]| row.iter().map(|&pixel| f64::from(pixel) / 16.0).collect();
        let rows: Vec<Vec<f64>> = pixels.map(row).collect();
        let said = post(
            &format!("{url}/predict"),
            json!({ "rows": rows }).to_string(),
        )
        .json();
        let said = said["predictions"].as_array().unwrap().iter();
        Self {
            scores: said.map(|said| said["scores"].clone()).collect(),
            labels: digits.eval().labels().to_vec(),
            rows,
        }
    }
}

/// Sends so many observations, numbered from `first`, each a held-out digit drawn with `random` and changed by `change`;
/// which ones they were.
fn observe(
    url: &str,
    digits: &Digits,
    ids: std::ops::Range<usize>,
    random: &mut Rng,
    mut change: impl FnMut(&mut Rng, f64) -> f64,
) -> Vec<usize> {
    let mut drawn = Vec::new();
    let ids: Vec<usize> = ids.collect();
    for batch in ids.chunks(500) {
        let rows = batch.iter().map(|id| {
            let at = random.usize(..digits.rows.len());
            drawn.push(at);
            let features: Vec<f64> = digits.rows[at]
                .iter()
                .map(|&pixel| change(random, pixel))
                .collect();
            json!({ "id": id, "score": digits.scores[at], "features": features }).to_string() + "\n"
        });
        let body: String = rows.collect();
        let taken = post(&format!("{url}/observations"), body).json();
        assert_eq!(taken["accepted"], batch.len());
    }
    drawn
}

/// A number, and now and then more: from a normal distribution of this deviation.
fn noise(random: &mut Rng, deviation: f64) -> f64 {
    deviation * ((0..12).map(|_| random.f64()).sum::<f64>() - 6.0)
}

/// The value of a sample of `/metrics`.
fn metric(url: &str, sample: &str) -> Option<f64> {
    let page = get(&format!("{url}/metrics"));
    let parsed = parse(page.text(), false);
    assert_eq!(parsed.wrong, [""; 0]);
    let mut lines = page.text().lines();
    let value = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

/// What is told of the last chunk of observations, once it is this one.
fn chunk(url: &str, number: i64) -> Value {
    until("the chunk", || {
        let health = get(&format!("{url}/actuator/health/drift")).json();
        let live = &health["details"]["live"];
        (live["chunk"] == number).then(|| live.clone())
    })
}

fn points(board: &TensorBoard, run: &str, tag: &str, length: usize) -> Vec<(i64, f64)> {
    let path = format!("/data/plugin/scalars/scalars?run={run}&tag={tag}");
    let points = board.list(&path, length);
    let point = |point: &Value| (point[1].as_i64().unwrap(), point[2].as_f64().unwrap());
    points.iter().map(point).collect()
}

#[test]
fn noise_is_seen_within_200_observations_and_10000_unshifted_ones_are_quiet() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    std::fs::write(dir.path().join("rules.toml"), RULES).unwrap();
    let (running, url) = monitor(dir.path());
    let digits = Digits::asked(&url);
    let random = &mut Rng::with_seed(1);

    let drawn = observe(&url, &digits, 0..10_000, random, |_, pixel| pixel);
    let quiet = chunk(&url, 49);
    assert_eq!(
        (&quiet["detected"], &quiet["rows"]),
        (&json!(false), &json!(200))
    );
    let detected = "modelpulse_data_drift_detected{run=\"live\"}";
    until("the gauge", || {
        metric(&url, detected).filter(|&it| it == 0.0)
    });

    // Labels come late: those of the first 1000 are right, as far as the model is; of 200 more, none is.
    let label =
        |id: usize, off: u8| json!({ "id": id, "label": (digits.labels[drawn[id]] + off) % 10 });
    let labels: Vec<Value> = (0..1000).map(|id| label(id, 0)).collect();
    let joined = post(&format!("{url}/labels"), Value::from(labels).to_string()).json();
    assert_eq!(joined["joined"], 1000);
    let labels: Vec<Value> = (1000..1200).map(|id| label(id, 1)).collect();
    post(&format!("{url}/labels"), Value::from(labels).to_string());

    observe(&url, &digits, 10_000..10_200, random, |random, pixel| {
        (pixel + noise(random, 0.25)).clamp(0.0, 1.0)
    });
    let drifted = chunk(&url, 50);
    assert_eq!(drifted["detected"], true);
    assert!(
        drifted["driftedFeatures"].as_u64().unwrap() > 20,
        "{drifted}"
    );
    assert!(
        drifted["features"][0]["score"].as_f64().unwrap() > 0.4,
        "{drifted}"
    );
    until("the gauge", || {
        metric(&url, detected).filter(|&it| it == 1.0)
    });
    // A corner that no digit of the training touches.
    let corner = metric(
        &url,
        "modelpulse_drift_score{feature=\"pixel_0\",run=\"live\"}",
    )
    .unwrap();
    assert!((0.4..0.6).contains(&corner), "{corner}");

    running.signal("TERM");
    let (code, out) = running.end();
    assert_eq!(code, Some(0));
    let fired: Vec<&str> = out.lines().collect();
    let begins = [
        "drift: adwin  run=live/labels tag=wrong",
        "firing: ErrorsRise",
        "firing: InputsDrifted",
    ];
    for begin in begins {
        let own = fired.iter().filter(|line| line.starts_with(begin));
        assert_eq!(own.count(), 1, "{begin}: {out}");
    }

    // The log says it again, by itself and when it is replayed.
    let logdir = dir.path().join("runs/m/monitor");
    let replayed = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .arg("replay")
        .arg(&logdir)
        .args(["--rules", "rules.toml"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(replayed.stdout).unwrap(), out);

    let board = TensorBoard::start(&logdir, Loader::Fast, &["live/drift", "live/realised"]);
    let verdicts = points(&board, "live/drift", "data_drift_detected", 51);
    let expected: Vec<(i64, f64)> = (0..51)
        .map(|at| (at, f64::from(u8::from(at == 50))))
        .collect();
    assert_eq!(verdicts, expected);
    let scores = points(&board, "live/drift", "pixel_0/drift_score", 51);
    assert_eq!((scores[0].1, scores[50].1 as f32), (0.0, corner as f32));
    // What was to be expected of a chunk and what came true are curves of one chart.
    let [estimated, lower, upper] = ["estimated", "estimated-lower", "estimated-upper"]
        .map(|run| points(&board, &format!("live/{run}"), "performance/accuracy", 51));
    let realised = points(&board, "live/realised", "performance/accuracy", 6);
    for at in 0..5 {
        assert_eq!((estimated[at].0, realised[at].0), (at as i64, at as i64));
        let range = lower[at].1..=upper[at].1;
        assert!(
            range.contains(&realised[at].1) && range.contains(&estimated[at].1),
            "{range:?} {realised:?}"
        );
    }
    assert!(realised[5].1 < 0.1, "{realised:?}");
    drop(board);

    // Another monitor counts on.
    let (running, url) = monitor(dir.path());
    observe(&url, &digits, 10_200..10_400, random, |_, pixel| pixel);
    assert_eq!(chunk(&url, 51)["detected"], false);
    running.signal("TERM");
    let (code, out) = running.end();
    assert_eq!(code, Some(0));
    assert!(out.contains("resolved: InputsDrifted"), "{out}");
}
