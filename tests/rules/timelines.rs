//! The timeline of alerts that a run recorded while it trained is, byte for byte, that which `modelpulse replay`
//! gives of its log.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use fastrand::Rng;
use modelpulse::Session;
use modelpulse::flow::{Event, Sink, SinkError};
use modelpulse::health::{ALERTS, RuleFile, RuleSet};
use modelpulse::log::{HEARTBEAT, LogReader};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Smooth,
    /// Its loss is NaN for a while.
    Nan,
    /// Nothing is logged for a while.
    Gap,
    /// It is resumed, behind a checkpoint before its end.
    Resumed,
    /// Others log at the same time.
    Threads,
}

const FATES: [Fate; 5] = [
    Fate::Smooth,
    Fate::Nan,
    Fate::Gap,
    Fate::Resumed,
    Fate::Threads,
];

/// A rule file, of which every rule names a series of every run.
fn rules(random: &mut Rng, fate: Fate) -> String {
    let mut text = "interval = '10ms'\nlookback = '40ms'\n".to_owned();
    let near = |random: &mut Rng| 0.2 + 1.6 * random.f64();
    let mut all = vec![
        ("step", "nonfinite(*loss)".to_owned()),
        (
            "step",
            format!(
                "gap(eval/epoch_loss, train/epoch_loss) > {}",
                near(random) - 1.0
            ),
        ),
        ("step", "slope(eval/epoch_loss, 3) > 0".to_owned()),
        ("step", format!("zscore(batch_loss, 10) > {}", near(random))),
        (
            "step",
            format!("change(batch_loss, 5) > {}", near(random) - 1.0),
        ),
        ("step", format!("batch_loss > {}", near(random))),
        ("time", format!("epoch_loss > {}", near(random))),
        (
            "time",
            format!("avg(batch/batch_loss, 20ms) > {}", near(random)),
        ),
        ("time", format!("max(*/epoch_*, 50ms) > {}", near(random))),
        (
            "time",
            format!("eval/epoch_accuracy < {}", near(random) / 2.0),
        ),
        ("time", "absent(batch_loss, 25ms)".to_owned()),
        ("time", "nan(epoch_loss)".to_owned()),
    ];
    if fate == Fate::Gap {
        all.push(("time", "time/heartbeat > 0.02".to_owned()));
    }
    random.shuffle(&mut all);
    let kept = random.usize(4..=all.len());
    for (index, (by, condition)) in all[..kept].iter().enumerate() {
        let length = |random: &mut Rng| match *by {
            "step" => random.i64(0..3).to_string(),
            _ => format!("'{}ms'", random.i64(0..15)),
        };
        let meaning = |random: &mut Rng| ["fire", "hold", "ignore"][random.usize(..3)];
        let _ = writeln!(
            text,
            "[[rule]]\nname = 'r{index}'\ncondition = '{condition}'\nby = '{by}'\nfor = {}\nkeep_firing_for = {}\n\
             nan = '{}'\nmissing = '{}'\nmessage = '{{rule}} of {{run}}: {{value}}'",
            length(random),
            length(random),
            meaning(random),
            meaning(random),
        );
        if condition.starts_with("batch_loss") {
            let _ = writeln!(text, "times = '2 of 3'\nclear = '< 0.3'");
        }
    }
    text
}

/// A change as it is compared.
fn line(rule: &str, state: &str, run: &str, tag: &str, step: i64, wall_time: f64) -> String {
    json!([rule, state, run, tag, step, wall_time]).to_string()
}

fn lines(objects: &[Value]) -> Vec<String> {
    let line = |it: &Value| {
        let text = |name: &str| it[name].as_str().unwrap().to_owned();
        let (step, time) = (
            it["step"].as_i64().unwrap(),
            it["wall_time"].as_f64().unwrap(),
        );
        line(
            &text("rule"),
            &text("state"),
            &text("run"),
            &text("tag"),
            step,
            time,
        )
    };
    objects.iter().map(line).collect()
}

fn modelpulse(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{arguments:?}: {said}"
    );
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn replayed(rules: &Path, dir: &Path) -> Vec<String> {
    let (rules, dir) = (rules.to_str().unwrap(), dir.to_str().unwrap());
    lines(&modelpulse(&["replay", dir, "--rules", rules, "--json"]))
}

/// How many changes the log itself tells of.
fn told(dir: &Path) -> usize {
    let mut log = LogReader::open(dir).unwrap();
    let all = std::iter::from_fn(|| log.instant().unwrap()).flatten();
    let is_text = |tag: &str| tag.starts_with(ALERTS) && tag.ends_with("/text");
    all.filter(|event| is_text(event.tag.as_str())).count()
}

/// Says that a heartbeat was logged.
struct Heartbeats(Sender<()>);

impl Sink for Heartbeats {
    fn accept(&mut self, instant: &[Event]) -> Result<(), SinkError> {
        if instant.iter().any(|event| event.tag.as_str() == HEARTBEAT) {
            // Nobody waits for most of them.
            let _ = self.0.send(());
        }
        Ok(())
    }
}

fn session(dir: &Path, rules: RuleSet, live: Sender<String>) -> (Session, Receiver<()>) {
    let (sender, heartbeats) = mpsc::channel();
    let session = Session::builder(dir)
        .heartbeat(Duration::from_millis(10))
        .sink(Heartbeats(sender))
        .rules_with(rules, move |it| {
            let step = it.step.as_i64();
            let (run, tag) = (it.run.as_str(), it.tag.as_str());
            live.send(line(&it.rule, it.word(), run, tag, step, it.wall_time))
                .unwrap();
        })
        .start()
        .unwrap();
    (session, heartbeats)
}

/// A loop that trains nothing, on two splits; what it said of alerts while it ran.
fn train(random: &mut Rng, fate: Fate, rules: &RuleSet, dir: &Path) -> Vec<String> {
    let (sender, live) = mpsc::channel();
    let (epochs, batches) = (random.i64(4..8), random.i64(5..20));
    let turn = random.i64(2..epochs);
    let (mut current, mut heartbeats) = session(dir, rules.clone(), sender.clone());
    let mut epoch = 0;
    let mut turned = false;
    while epoch < epochs {
        if epoch == turn && !turned {
            turned = true;
            match fate {
                Fate::Gap => {
                    for _ in 0..5 {
                        heartbeats.recv_timeout(PATIENCE).unwrap();
                    }
                }
                Fate::Resumed => {
                    current.finish().unwrap();
                    epoch -= random.i64(0..2);
                    (current, heartbeats) = session(dir, rules.clone(), sender.clone());
                    current.resume_at(epoch, epoch * batches);
                }
                _ => {}
            }
        }
        let is_nan = fate == Fate::Nan && epoch == turn;
        let mut loss = || match is_nan {
            true => f64::NAN,
            false => 2.0 * random.f64(),
        };
        std::thread::scope(|scope| {
            if fate == Fate::Threads {
                for name in ["a", "b"] {
                    let run = current.run(&format!("{name}/serve"));
                    scope.spawn(move || {
                        for step in 0..50_i64 {
                            run.scalar("batch_loss", 50 * epoch + step, (step % 7) as f64 / 4.0);
                        }
                    });
                }
            }
            let mut means = current.epoch(epoch);
            for _ in 0..batches {
                means.train_batch(32, [("loss", loss())]);
                // Time goes on, as it does where something is computed.
                std::thread::yield_now();
            }
            let accuracy = loss() / 2.0;
            means.eval_batch(100, [("loss", loss()), ("accuracy", accuracy)]);
        });
        epoch += 1;
    }
    current.finish().unwrap();
    drop(sender);
    live.iter().collect()
}

#[test]
fn a_replay_of_any_run_gives_the_timeline_that_it_recorded() {
    let mut random = Rng::with_seed(7);
    let mut seen = 0;
    for number in 0..16 {
        let fate = FATES[number % FATES.len()];
        let dir = tempfile::tempdir().unwrap();
        let (log, file) = (dir.path().join("log"), dir.path().join("rules.toml"));
        let text = rules(&mut random, fate);
        std::fs::write(&file, &text).unwrap();
        let rules = RuleFile::parse(&text).unwrap().rules;
        let live = train(&mut random, fate, &rules, &log);
        let replayed = replayed(&file, &log);
        assert_eq!(
            live.join("\n"),
            replayed.join("\n"),
            "{fate:?} with\n{text}"
        );
        assert_eq!(told(&log), live.len(), "{fate:?} with\n{text}");
        seen += live.len();
        if fate == Fate::Gap {
            // The silence was an event.
            let gone = |text: &str| live.iter().any(|line| line.contains(text));
            assert_eq!(text.contains("time/heartbeat"), gone(HEARTBEAT), "{text}");
        }
    }
    assert!(seen > 200, "{seen} changes");
}

#[test]
fn a_replay_of_what_the_program_trained_gives_the_timeline_that_it_recorded() {
    let mut random = Rng::with_seed(8);
    for fate in [Fate::Smooth, Fate::Nan, Fate::Resumed, Fate::Resumed] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rules.toml");
        // How fast the program trains decides which of the random ones fire; this one does.
        let certain = "[[rule]]\nname = 'certain'\ncondition = 'train/epoch_loss < 1e300'\n";
        let text = rules(&mut random, fate) + certain;
        std::fs::write(&file, &text).unwrap();
        let (logdir, path) = (dir.path().to_str().unwrap(), file.to_str().unwrap());
        let run = dir.path().join("a");
        let mut common = vec![
            "train",
            "--logdir",
            logdir,
            "--name",
            "a",
            "--hidden",
            "16",
            "--epochs",
            "2",
            "--json",
            "--checkpoint-every",
            "1",
            "--rules",
            path,
        ];
        if fate == Fate::Nan {
            common.extend(["--learning-rate", "1e30", "--on-nan", "warn"]);
        }
        let output = modelpulse(&common);
        let mut live = output[0]["alerts"].as_array().unwrap().clone();
        if fate == Fate::Resumed {
            // As if it had been killed in the middle.
            let card = run.join("run.json");
            let mut settings: Value =
                serde_json::from_str(&std::fs::read_to_string(&card).unwrap()).unwrap();
            settings["finished"] = json!(false);
            settings["settings"]["epochs"] = json!(4);
            std::fs::write(&card, settings.to_string()).unwrap();
            let output = modelpulse(&["train", "--resume", run.to_str().unwrap(), "--json"]);
            assert_eq!(output[0]["epochs"].as_array().unwrap().len(), 4);
            live.extend(output[0]["alerts"].as_array().unwrap().clone());
        }
        assert!(!live.is_empty(), "{text}");
        assert_eq!(
            lines(&live).join("\n"),
            replayed(&file, &run).join("\n"),
            "{fate:?} with\n{text}"
        );
        assert_eq!(told(&run), live.len(), "{fate:?} with\n{text}");
    }
}
