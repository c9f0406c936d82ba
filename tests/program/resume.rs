//! A run that is killed at any moment and resumed ends as one that never was: the same weights and optimizer, bit
//! by bit, and the same series in both of TensorBoard's loaders.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Ran, modelpulse, run, script};

const KILLS: usize = 20;
const SETTINGS: [&str; 11] = [
    "train",
    "--logdir",
    "runs",
    "--name",
    "a",
    "--epochs",
    "8",
    "--hidden",
    "256",
    "--checkpoint-every",
    "1",
];

/// Random numbers below 1, from a fixed seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A place for one run, so that not even the command line differs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self) -> PathBuf {
        self.0.path().join("runs/a")
    }

    fn checkpoint(&self) -> PathBuf {
        self.run().join("checkpoints/last.safetensors")
    }

    fn partial(&self) -> PathBuf {
        self.run().join("checkpoints/last.safetensors.partial")
    }

    fn can_be_resumed(&self) -> bool {
        self.run().join("run.json").exists()
    }

    fn arguments(&self) -> Vec<&str> {
        match self.can_be_resumed() {
            true => vec!["train", "--resume", "runs/a"],
            false => SETTINGS.to_vec(),
        }
    }

    fn train(&self) -> Ran {
        run(modelpulse()
            .current_dir(self.0.path())
            .args(self.arguments()))
        .ended(0)
    }

    /// Trains, and kills it after `delay`, or behind that while it writes a checkpoint. How long it took where it
    /// ended before.
    fn killed(&self, delay: Duration, in_checkpoint: bool) -> Result<Kill, Duration> {
        let written = || fs::metadata(self.partial()).and_then(|it| it.modified());
        let mut child = modelpulse()
            .current_dir(self.0.path())
            .args(self.arguments())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        let mut old: Option<SystemTime> = None;
        loop {
            if child.try_wait().unwrap().is_some() {
                return Err(since.elapsed());
            }
            if since.elapsed() < delay {
                // One that an earlier kill left behind is not the one to wait for.
                old = written().ok();
                std::thread::yield_now();
            } else if !in_checkpoint || written().is_ok_and(|time| Some(time) != old) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let in_checkpoint = written().is_ok_and(|time| Some(time) != old);
        Ok(Kill { in_checkpoint })
    }
}

struct Kill {
    in_checkpoint: bool,
}

/// What a checkpoint holds, but for its checksum: the header, and the values.
fn checkpoint(path: &Path) -> (Value, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header["__metadata__"]["crc32"] = json!("");
    (header, bytes[8 + length..].to_vec())
}

/// What both loaders read, and `modelpulse train` printed last.
fn series(place: &Place) -> Value {
    script("read_series.py", [place.0.path().join("runs").as_os_str()])
}

/// Names the series that differ; their contents are long.
#[track_caller]
fn assert_same(what: &str, got: &Value, expected: &Value) {
    for loader in ["fast", "slow"] {
        let flat = |views: &Value| -> Vec<(String, Value)> {
            let runs = views[loader].as_object().unwrap();
            let tags = runs.iter().flat_map(|(run, tags)| {
                let tags = tags.as_object().unwrap().iter();
                tags.map(move |(tag, points)| (format!("{run}/{tag}"), points.clone()))
            });
            // The data server has them in no order.
            let mut all: Vec<(String, Value)> = tags.collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all
        };
        let (got, expected) = (flat(got), flat(expected));
        let names = |all: &[(String, Value)]| -> Vec<String> {
            all.iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(&got), names(&expected), "{what}, {loader}");
        for ((name, got), (_, expected)) in got.iter().zip(&expected) {
            assert!(
                got == expected,
                "{what}, {loader}: {name}: {got} instead of {expected}"
            );
        }
    }
}

#[test]
fn a_run_that_is_killed_and_resumed_ends_as_one_that_never_was() {
    let whole = Place::new();
    let since = Instant::now();
    let said = whole.train();
    let mut takes = since.elapsed();
    let (expected, weights) = (series(&whole), checkpoint(&whole.checkpoint()));
    let histograms = &expected["fast"]["a/train"]["weights/layer0.weight"];
    assert_eq!(histograms.as_array().unwrap().len(), 8);
    assert_eq!(
        expected["slow"]["a/batch"]["batch_loss"]
            .as_array()
            .unwrap()
            .len(),
        8 * 45
    );

    let mut random = Random(20_261_124);
    let (mut kills, mut inside, mut early, mut runs) = (0, 0, 0, 0);
    while kills < KILLS {
        let place = Place::new();
        runs += 1;
        assert!(runs < 4 * KILLS, "only {kills} of {runs} runs were killed");
        for attempt in 0..4 {
            let (in_checkpoint, part) = (random.next() < 0.5, random.next());
            match place.killed(takes.mul_f64(part), in_checkpoint) {
                Ok(kill) => {
                    kills += 1;
                    inside += usize::from(kill.in_checkpoint);
                }
                // The machine has more time for a run than it had for the first.
                Err(whole) if attempt == 0 => {
                    takes = takes.min(whole);
                    break;
                }
                Err(_) => break,
            }
            if !place.can_be_resumed() {
                // Nothing was trained; what is there is in the way of another start.
                early += 1;
                let refused = run(modelpulse()
                    .current_dir(place.0.path())
                    .args(["train", "--resume", "runs/a"]))
                .ended(2);
                assert!(refused.err.contains("before its first step"), "{refused:?}");
                let _ = fs::remove_dir_all(place.run());
            }
        }
        let last = match fs::read_to_string(place.run().join("run.json")) {
            Ok(text) if text.contains("\"finished\": true") => None,
            _ => Some(place.train()),
        };
        let what = format!("run {runs}, after {kills} kills");
        assert!(
            checkpoint(&place.checkpoint()) == weights,
            "{what}: other weights"
        );
        assert_same(&what, &series(&place), &expected);
        // The last line but two says how it ended.
        let result = |ran: &Ran| {
            let line = ran.out.lines().rev().nth(2).unwrap().to_owned();
            line.split_once(" s: ").unwrap().1.to_owned()
        };
        if let Some(last) = last {
            assert_eq!(result(&last), result(&said), "{what}");
        }
    }
    println!(
        "{kills} kills in {runs} runs, {inside} of them within a checkpoint, {early} before the first step"
    );
    assert!(inside >= 3, "{inside} kills within a checkpoint");
}

#[test]
fn a_run_that_was_told_to_end_has_succeeded_when_it_was_resumed_to_its_end() {
    let (place, whole) = (Place::new(), Place::new());
    // Once behind the run's file and before its first checkpoint, once behind that.
    for (file, ready) in [
        ("run.json", place.run().join("run.json")),
        ("checkpoint", place.checkpoint()),
    ] {
        let mut child = modelpulse()
            .current_dir(place.0.path())
            .args(place.arguments())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !ready.exists() {
            assert_eq!(child.try_wait().unwrap(), None, "before there was a {file}");
            std::thread::yield_now();
        }
        let id = child.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", "TERM", &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        assert_eq!(place.checkpoint().exists(), file == "checkpoint");
        let shown = series(&place);
        for loader in ["fast", "slow"] {
            let end = &shown[loader]["a"]["_hparams_/session_end_info"];
            assert_eq!(end, &json!([[0, "STATUS_FAILURE"]]), "{loader}");
        }
    }
    place.train();
    whole.train();
    let expected = series(&whole);
    let end = &expected["fast"]["a"]["_hparams_/session_end_info"];
    assert_eq!(end, &json!([[0, "STATUS_SUCCESS"]]));
    // The graph is there too, once.
    let graph = &expected["slow"]["a"]["__run_graph__"];
    assert_eq!(graph.as_array().unwrap().len(), 1);
    assert_same("told to end twice", &series(&place), &expected);
}

#[test]
fn the_best_and_the_newest_checkpoints_are_kept_on_demand() {
    let place = Place::new();
    let arguments = [
        &SETTINGS[..5],
        &["--epochs", "6", "--learning-rate", "0.05", "--json"],
        &[
            "--checkpoint-every",
            "1",
            "--keep-checkpoints",
            "2",
            "--best-checkpoint",
        ],
    ];
    let report = run(modelpulse()
        .current_dir(place.0.path())
        .args(arguments.concat()));
    let report = report.ended(0).json();
    let dir = place.run().join("checkpoints");
    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    names.sort();
    // 45 steps an epoch.
    let kept = ["best", "last", "step-00000225", "step-00000270"];
    assert_eq!(
        names,
        kept.map(|name| format!("{name}.safetensors"))
            .map(std::ffi::OsString::from)
    );
    let losses = report["epochs"].as_array().unwrap().iter();
    let losses: Vec<f64> = losses
        .map(|epoch| epoch["eval"]["loss"].as_f64().unwrap())
        .collect();
    let (epoch, loss) = losses
        .iter()
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(b.1))
        .unwrap();
    // As the library that the format comes from reads it.
    let best = script("read_checkpoint.py", [dir.join("best.safetensors")]);
    for (name, expected) in [
        ("epochs", (epoch + 1).to_string()),
        ("steps", (45 * (epoch + 1)).to_string()),
        ("eval.loss", loss.to_string()),
        ("seed", "42".to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ] {
        assert_eq!(best["metadata"][name], json!(expected), "{name}");
    }
    for (name, shape) in [
        ("layer0.weight", vec![64, 64]),
        ("layer1.bias", vec![10]),
        (
            "modelpulse.optimizer.first_moment/layer0.weight",
            vec![64, 64],
        ),
    ] {
        let expected = json!({ "type": "float32", "shape": shape, "finite": true });
        assert_eq!(best["tensors"][name], expected, "{name}");
    }
}

/// An unfinished run of two epochs, and its file.
fn unfinished(place: &Place) -> PathBuf {
    let arguments = [
        "train", "--logdir", "runs", "--name", "a", "--epochs", "2", "--quiet",
    ];
    run(modelpulse().current_dir(place.0.path()).args(arguments)).ended(0);
    let path = place.run().join("run.json");
    rewrite(&path, |file| file["finished"] = json!(false));
    path
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut file);
    fs::write(path, file.to_string()).unwrap();
}

#[track_caller]
fn refused(place: &Place, arguments: &[&str], saying: &[&str]) {
    let ran = run(modelpulse()
        .current_dir(place.0.path())
        .arg("train")
        .args(arguments))
    .ended(2);
    assert_eq!(
        (ran.out.as_str(), ran.err.lines().count()),
        ("", 1),
        "{ran:?}"
    );
    for words in saying {
        assert!(ran.err.contains(words), "{ran:?}");
    }
}

#[test]
fn what_cannot_be_resumed_is_refused() {
    let place = Place::new();
    let file = unfinished(&place);
    refused(&place, &["--resume", "runs/b"], &["runs/b", "no run"]);
    for flag in [
        ["--epochs", "5"],
        ["--seed", "1"],
        ["--name", "b"],
        ["--rule", "a < 1"],
    ] {
        refused(
            &place,
            &[&["--resume", "runs/a"], &flag[..]].concat(),
            &["--resume", flag[0]],
        );
    }
    let resume = ["--resume", "runs/a"];
    rewrite(&file, |file| file["data"]["crc32"] = json!("00000000"));
    refused(&place, &resume, &["00000000", "37ce5757"]);
    rewrite(&file, |file| file["settings"]["hidden"] = json!([0]));
    refused(&place, &resume, &["run.json", "'hidden'"]);
    fs::write(&file, "{").unwrap();
    refused(&place, &resume, &["run.json"]);

    let file = {
        fs::remove_dir_all(place.run()).unwrap();
        unfinished(&place)
    };
    let held = fs::File::open(&file).unwrap();
    held.lock().unwrap();
    refused(&place, &resume, &["another process"]);
    drop(held);
    let mut bytes = fs::read(place.checkpoint()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(place.checkpoint(), bytes).unwrap();
    refused(&place, &resume, &["last.safetensors", "damaged"]);
}

#[test]
fn a_run_at_its_end_is_told_and_not_trained_again() {
    let place = Place::new();
    unfinished(&place);
    let before = fs::read(place.checkpoint()).unwrap();
    let resume = |json| {
        let arguments = ["train", "--resume", "runs/a", json];
        run(modelpulse().current_dir(place.0.path()).args(arguments))
    };
    // Killed between its last checkpoint and its end.
    let report = resume("--json").ended(0).json();
    assert_eq!(report["epochs"].as_array().unwrap().len(), 2);
    assert_eq!(report["steps"], json!(90));
    let counts = report["confusion_matrix"].as_array().unwrap().iter();
    let total: u64 = counts
        .flat_map(|row| row.as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(total, 359);
    assert_eq!(fs::read(place.checkpoint()).unwrap(), before);
    let again = resume("--quiet").ended(2);
    assert!(again.err.contains("has finished"), "{again:?}");
}
