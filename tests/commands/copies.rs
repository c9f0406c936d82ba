//! Logs that are replayed into new ones, and merged.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use modelpulse::Tag;
use modelpulse::flow::Event;
use modelpulse::log::{Embedding, Projector, Writer};
use modelpulse::summary::{Text, Value};
use serde_json::json;

use crate::{cases, events, log, modelpulse, script};

fn replay(from: &Path, to: &Path, arguments: &[&str]) -> (String, String) {
    let paths = [
        "replay".as_ref(),
        from.as_os_str(),
        "--to".as_ref(),
        to.as_os_str(),
    ];
    let arguments = arguments.iter().map(AsRef::as_ref);
    modelpulse(paths.into_iter().chain(arguments), 0)
}

#[test]
fn a_copy_of_any_log_is_read_alike() {
    let dir = tempfile::tempdir().unwrap();
    let mut pairs = Vec::new();
    let (mut compared, mut without) = (0, Vec::new());
    for case in cases() {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(mut reader) = modelpulse::log::LogReader::open(&case) else {
            without.push(name);
            continue;
        };
        while reader.instant().unwrap().is_some() {}
        let damaged = !reader.problems().is_empty();
        let copy = dir.path().join(&name);
        let (out, _) = replay(&case, &copy, &["--json"]);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        let (old, new) = (events(&case), events(&copy));
        // A value of a kind that nobody reads is copied too.
        let written = report["values"].as_u64().unwrap();
        assert!(written >= new.len() as u64, "{name}: {report}");
        assert_eq!(report["problems"].as_u64().unwrap() > 0, damaged, "{name}");
        compared += old.len();
        assert!(old == new, "{name}");
        pairs.push(json!([name, case, copy, damaged]));
    }
    let found = script("alike.py", &[], &json!(pairs).to_string());
    let (mut values, mut skipped, mut problems) = (0, Vec::new(), Vec::new());
    for pair in found["pairs"].as_array().unwrap() {
        values += pair["values"].as_u64().unwrap();
        if let Some(why) = pair["skipped"].as_str() {
            skipped.push(format!("{} by {}: {why}", pair["name"], pair["loader"]));
        }
        // TensorBoard reads the copy of a compressed log, not the log; a run that holds no event is not copied.
        let more =
            ["compressed", "discovery", "discovery_b"].contains(&pair["name"].as_str().unwrap());
        if let Some(problem) = pair["problem"]
            .as_str()
            .filter(|problem| !(more && problem.starts_with("runs ")))
        {
            problems.push(format!("{} by {}: {problem}", pair["name"], pair["loader"]));
        }
    }
    println!(
        "{} logs, {compared} events equal; {values} values alike by TensorBoard; no log: {without:?}; the loader \
         itself fails on:\n{}",
        pairs.len(),
        skipped.join("\n")
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(values > 1000 && skipped.len() < pairs.len());
}

#[test]
fn a_copy_may_be_edited() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let mut given = Vec::new();
    for step in 0..20_i64 {
        let value = if step == 7 { f64::NAN } else { step as f64 };
        given.push(Event::new("a-1", "loss", step, 1000.0 + step as f64, value));
        given.push(Event::new("a-1", "old/lr", step, 1000.0 + step as f64, 0.5));
        given.push(Event::new("b", "loss", step, 1000.0 + step as f64, 1.0));
        let text = Value::from(Text::new(step.to_string()));
        given.push(Event::new("a-1", "note", step, 1000.0 + step as f64, text));
    }
    log(&old, &given);
    replay(
        &old,
        &new,
        &[
            "--run",
            "a-*",
            "--rename-run",
            "a-*=x/*",
            "--rename-tag",
            "old/*=*",
            "--steps",
            "5..15",
            "--every",
            "4",
            "--shift-time",
            "-1000",
            "--shift-step",
            "lr=0",
            "--shift-step",
            "old/lr=100",
            "--drop-tag",
            "nothing",
        ],
    );
    let expected = |event: &Event| {
        let mut event = event.clone();
        let step = event.step.as_i64();
        let keeps = step % 4 == 1 || (step == 7 && event.tag.as_str() == "loss");
        if event.run.as_str() != "a-1" || !(5..=15).contains(&step) || !keeps {
            return None;
        }
        event.run = "x/1".into();
        event.wall_time -= 1000.0;
        if event.tag.as_str() == "old/lr" {
            (event.tag, event.step) = (Tag::from("lr"), (step + 100).into());
        }
        Some(format!("{event:?}"))
    };
    let expected: Vec<String> = given.iter().filter_map(expected).collect();
    assert_eq!(events(&new), expected);
    assert_eq!(expected.len(), 10);
}

/// What the first value of a tag says of it must not be lost with that value.
#[test]
fn a_value_that_is_left_out_leaves_its_metadata() {
    let Some(case) = cases()
        .into_iter()
        .find(|case| case.join("metadata_first_only").is_dir())
    else {
        panic!("the corpus lacks mixed/metadata_first_only");
    };
    let case = case.join("metadata_first_only");
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let all = events(&case);
    replay(&case, &copy, &["--steps", "1.."]);
    let rest = events(&copy);
    assert!(!rest.is_empty() && rest.len() < all.len());
    assert!(rest.iter().all(|event| all.contains(event)), "{rest:#?}");
}

#[test]
fn runs_of_one_name_become_one_in_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let event = |run: &str, step: i64| Event::new(run, "loss", step, step as f64, step as f64);
    log(
        &path("a"),
        &[event("train", 0), event("train", 2), event("only", 9)],
    );
    log(&path("b"), &[event("train", 1), event("train", 3)]);
    let merge = |to: &str, more: &[&str]| {
        let paths = [path("a"), path("b")];
        let paths = paths.iter().map(|path| path.to_str().unwrap());
        let to = path(to);
        let to = ["--to", to.to_str().unwrap()];
        modelpulse(
            ["merge"]
                .into_iter()
                .chain(paths)
                .chain(to)
                .chain(more.iter().copied()),
            0,
        )
    };
    merge("one", &[]);
    let expected = [0, 1, 2, 3].map(|step| event("train", step)).into_iter();
    let expected: Vec<String> = expected
        .chain([event("only", 9)])
        .map(|event| format!("{event:?}"))
        .collect();
    assert_eq!(events(&path("one")), expected);
    assert_eq!(fs::read_dir(path("one/train")).unwrap().count(), 1);

    let (out, _) = merge("two", &["--beside", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["runs"], &report["values"]), (&json!(3), &json!(5)));
    assert!(path("two/a/only").is_dir() && path("two/b/train").is_dir());

    merge("three", &["--rename-run", "*=all"]);
    assert_eq!(events(&path("three")).len(), 5);
    assert_eq!(fs::read_dir(path("three")).unwrap().count(), 1);
}

/// Of sessions that were merged, the first START of each says that it begins, and voids nothing.
#[test]
fn merged_sessions_void_nothing_of_each_other() {
    let dir = tempfile::tempdir().unwrap();
    for (name, steps) in [("a", 0..5_i64), ("b", 5..9)] {
        let writer = modelpulse::log::Writer::create(dir.path().join(name)).unwrap();
        steps.for_each(|step| writer.run("train").scalar("loss", step, 1.0));
        writer.finish().unwrap();
    }
    let to = dir.path().join("one");
    let paths = [dir.path().join("a"), dir.path().join("b")];
    let arguments = ["merge".as_ref(), paths[0].as_os_str(), paths[1].as_os_str()];
    modelpulse(
        arguments
            .into_iter()
            .chain(["--to".as_ref(), to.as_os_str()]),
        0,
    );
    let last = modelpulse::log::last_steps(&to).unwrap();
    assert_eq!(last["train"].as_i64(), 8);
    let pair = json!([["merged", to, to, false]]).to_string();
    for loaded in script("alike.py", &[], &pair)["pairs"].as_array().unwrap() {
        assert_eq!(loaded["values"], 9, "{loaded}");
    }
}

/// The projector's files are no events, and belong to their run all the same.
#[test]
fn the_projector_goes_with_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let [old, new, clean] = ["old", "new", "clean"].map(|name| dir.path().join(name));
    let writer = Writer::create(&old).unwrap();
    let run = writer.run("train");
    run.scalar("loss", 0, 0.5);
    let points = Embedding::new("digits", 2, &[0.0, 1.0, 1.0, 0.0]).unwrap();
    run.embedding(&points).unwrap();
    writer.finish().unwrap();
    replay(&old, &new, &["--rename-run", "train=again"]);
    let arguments = ["repair".as_ref(), old.as_os_str()];
    let to = ["--to".as_ref(), clean.as_os_str()];
    modelpulse(arguments.into_iter().chain(to), 0);
    for run in [old.join("train"), new.join("again"), clean.join("train")] {
        let config = Projector::new(&run).config().unwrap();
        let tensors = fs::read(run.join(&config.embeddings[0].tensor_path)).unwrap();
        assert!(!tensors.is_empty(), "{}", run.display());
    }
    assert!(!new.join("train").exists());
}

/// What TensorBoard stops at, fails at, or shows as truth though its checksum is wrong, is gone; all else is there.
#[test]
fn a_repaired_log_is_read_whole_by_tensorboard() {
    let dir = tempfile::tempdir().unwrap();
    let (mut pairs, mut expected) = (Vec::new(), HashMap::new());
    let damaged = [
        "bitflip",
        "truncated",
        "tail",
        "hostile",
        "tags",
        "multifile",
    ];
    for case in cases() {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        if !damaged.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        let clean = dir.path().join(&name);
        let arguments = ["repair".as_ref(), case.as_os_str()];
        let to = ["--to".as_ref(), clean.as_os_str()];
        modelpulse(arguments.into_iter().chain(to), 0);
        for (loader, policy) in [("slow", "tensorboard"), ("fast", "data-server")] {
            expected.insert((name.clone(), loader), scalars(&clean, policy));
        }
        // Once beside the damaged log, once for all that is there.
        pairs.push(json!([format!("damaged {name}"), case, clean, true]));
        pairs.push(json!([name, clean, clean, false]));
    }
    let found = script("alike.py", &[], &json!(pairs).to_string());
    let mut whole = 0;
    for pair in found["pairs"].as_array().unwrap() {
        assert!(pair["problem"].is_null(), "{pair}");
        let [name, loader] = ["name", "loader"].map(|key| pair[key].as_str().unwrap());
        if let Some(count) = expected.get(&(name.to_owned(), loader)) {
            assert!(pair["skipped"].is_null(), "{pair}");
            assert_eq!(pair["values"], *count, "{pair}");
            whole += 1;
        }
    }
    assert_eq!(whole, expected.len());
    println!("{} repaired logs are read whole by both loaders", whole / 2);
}

/// How many points of scalars a log has under a policy.
fn scalars(logdir: &Path, policy: &str) -> u64 {
    let path = logdir.to_str().unwrap();
    let (out, _) = modelpulse(["inspect", path, "--json", "--restart", policy], 0);
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let runs = found["runs"].as_object().unwrap().values();
    runs.flat_map(|run| run["tags"].as_object().unwrap().values())
        .filter(|tag| tag["plugin"] == "scalars")
        .map(|tag| tag["count"].as_u64().unwrap())
        .sum()
}

#[test]
fn a_log_that_is_there_is_not_written_to() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path(), &[Event::new("a", "t", 0, 0.0, 1.0)]);
    let path = dir.path().to_str().unwrap();
    let (_, err) = modelpulse(["replay", path, "--to", path], 2);
    assert!(
        err.contains("has event files already") && err.lines().count() == 1,
        "{err}"
    );
    let (_, err) = modelpulse(["replay", path], 2);
    assert!(err.contains("--to DIR"), "{err}");
}

#[test]
fn events_are_printed_as_lines_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let (old, logdir) = (dir.path().join("old"), dir.path().join("new"));
    let text = Value::from(Text::new("é"));
    log(
        &old,
        &[
            Event::new("a", "loss", 3, 1.5, f32::NEG_INFINITY),
            Event::new("a", "note", 4, 2.5, text),
        ],
    );
    let path = old.to_str().unwrap();
    let (out, _) = modelpulse(["replay", path, "--print"], 0);
    let expected = "run=a tag=loss step=3 wall_time=1.500000 value=-inf\n\
                    run=a tag=note step=4 wall_time=2.500000 {\"text\":\"é\"}\n";
    assert_eq!(out, expected);

    // `modelpulse log` makes the same log of what is printed.
    let (out, _) = modelpulse(["replay", path, "--print", "--json", "--speed", "1000"], 0);
    let lines = dir.path().join("lines");
    fs::write(&lines, out).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(["log", "--quiet", "--name", "x", "--logdir"])
        .arg(&logdir)
        .stdin(fs::File::open(&lines).unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(events(&logdir.join("x")), events(&old));
}
