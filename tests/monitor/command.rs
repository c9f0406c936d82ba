//! `modelpulse monitor` from outside.

use std::fs;

use serde_json::json;

use crate::lint::parse;
use crate::support::{get, modelpulse, monitor, post, series, train, until};

#[test]
fn a_trained_model_is_watched_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let arguments = ["--interval", "1h", "--rule", "eval/accuracy < 1.1"];
    let (running, url) = monitor(dir.path(), &arguments);
    let evaluated = get(&format!("{url}/evaluate")).json();
    let accuracy = evaluated["metrics"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.8 && evaluated["rows"] == 359, "{evaluated}");
    assert_eq!(evaluated["firing"], json!(["eval/accuracy < 1.1"]));
    // What the trainer found out at its end.
    let trained = series(&dir.path().join("runs/m"), "eval/epoch_accuracy");
    assert_eq!(trained.last().copied(), Some(accuracy as f32));
    // The same value in the log, on both pages, and in the answer.
    let text = format!("{}", accuracy as f32);
    let page = get(&format!("{url}/metrics"));
    let page = parse(page.text(), false);
    assert_eq!(page.wrong, [""; 0]);
    let shown = &page.families["modelpulse_accuracy"].samples[0];
    assert_eq!(shown.2.to_string(), text);
    let actuator = get(&format!("{url}/actuator/metrics/modelpulse_accuracy")).json();
    assert_eq!(actuator["measurements"][0]["value"].to_string(), text);
    for name in ["process_cpu_seconds_total", "process_open_fds"] {
        assert!(page.families.contains_key(name), "{name}");
    }
    let info = get(&format!("{url}/actuator/info")).json();
    assert_eq!(
        (&info["model"]["epochs"], &info["data"]["name"]),
        (&json!(2), &json!("digits"))
    );
    assert_eq!(info["model"]["sha256"].as_str().unwrap().len(), 64);
    let row = vec!["0.5"; 64].join(",");
    let said = post(
        &format!("{url}/predict"),
        format!("{{\"rows\": [[{row}]]}}"),
    )
    .json();
    let scores = said["predictions"][0]["scores"].as_array().unwrap();
    let sum: f64 = scores.iter().map(|score| score.as_f64().unwrap()).sum();
    assert!(scores.len() == 10 && (sum - 1.0).abs() < 1e-5, "{said}");

    running.signal("TERM");
    let (code, out) = running.end();
    assert_eq!(code, Some(0));
    let fired = out
        .lines()
        .filter(|line| line.starts_with("firing: eval/accuracy < 1.1"));
    assert_eq!(fired.count(), 1, "{out}");
    // Another one goes on with the alert, and tells nobody twice.
    let (running, again) = monitor(dir.path(), &arguments);
    let health = get(&format!("{again}/actuator/health/alerts")).json();
    assert_eq!(
        health["details"]["firing"][0]["rule"],
        "eval/accuracy < 1.1"
    );
    assert_eq!(get(&format!("{again}/evaluate")).json()["step"], 3);
    let page = get(&format!("{again}/metrics"));
    let page = parse(page.text(), false);
    assert_eq!(page.wrong, [""; 0]);
    running.signal("TERM");
    let (code, out) = running.end();
    assert_eq!((code, out.contains("firing: ")), (Some(0), false), "{out}");
    // Of each, one at the start and one on demand.
    let logged = series(&dir.path().join("runs/m/monitor"), "eval/accuracy");
    assert_eq!(logged, [accuracy as f32; 4]);
}

#[test]
fn a_checkpoint_or_data_that_break_are_said_and_the_model_answers_on() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let table = dir.path().join("rows.csv");
    let head: Vec<String> = (0..64).map(|at| format!("pixel_{at}")).collect();
    let row = vec!["0.5"; 64].join(",");
    let good = format!("label,{}\n3,{row}\n4,{row}\n", head.join(","));
    fs::write(&table, &good).unwrap();
    let (running, url) = monitor(dir.path(), &["--interval", "1h", "--data", "rows.csv"]);
    let evaluate = || get(&format!("{url}/evaluate"));
    assert_eq!(evaluate().json()["rows"], 2);
    // It grows.
    fs::write(&table, format!("{good}5,{row}\n")).unwrap();
    assert_eq!(evaluate().json()["rows"], 3);
    // Truncated within a row; another label; gone.
    for (content, said) in [
        (Some(&good[..good.len() - 10]), "row"),
        (
            Some(&*good.replace("\n3,", "\n77,")),
            "the label 77 is none of the classes 0 to 9",
        ),
        (None, "rows.csv"),
    ] {
        match content {
            Some(content) => fs::write(&table, content).unwrap(),
            None => fs::remove_file(&table).unwrap(),
        }
        let answer = evaluate();
        assert_eq!(answer.status, 503, "{said}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(said), "{error}");
        let health = get(&format!("{url}/actuator/health/evaluation"));
        assert_eq!(
            (health.status, &health.json()["details"]["error"]),
            (503, &json!(error))
        );
    }
    fs::write(&table, &good).unwrap();
    assert_eq!(evaluate().status, 200);
    // A checkpoint that is half there, or is none.
    let checkpoint = dir.path().join("runs/m/checkpoints/last.safetensors");
    let whole = fs::read(&checkpoint).unwrap();
    for broken in [&whole[..whole.len() / 2], b"nothing"] {
        fs::write(&checkpoint, broken).unwrap();
        let answer = evaluate();
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 503 && error.contains("last.safetensors"),
            "{error}"
        );
        let said = post(&format!("{url}/predict"), format!("[[{row}]]"));
        assert_eq!(said.status, 200);
    }
    fs::write(&checkpoint, &whole).unwrap();
    assert_eq!(evaluate().status, 200);
    running.signal("INT");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_checkpoint_that_replaces_another_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let (running, url) = monitor(dir.path(), &["--interval", "100ms"]);
    let hash = || get(&format!("{url}/actuator/info")).json()["model"]["sha256"].to_string();
    let before = hash();
    let trained = modelpulse()
        .args(["train", "--epochs", "1", "--quiet", "--name", "other"])
        .current_dir(dir.path())
        .status();
    assert!(trained.unwrap().success());
    let last = "checkpoints/last.safetensors";
    let runs = dir.path().join("runs");
    fs::rename(runs.join("other").join(last), runs.join("m").join(last)).unwrap();
    until("the other model", || (hash() != before).then_some(()));
    let info = get(&format!("{url}/actuator/info")).json();
    assert_eq!(info["model"]["epochs"], 1);
    drop(running);
}

#[test]
fn what_observations_acknowledged_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let arguments = ["--interval", "1h", "--redact", "0"];
    let (mut running, mut url) = monitor(dir.path(), &arguments);
    let mut told = 0;
    for round in 0..3 {
        for batch in 0..20 {
            let rows = (0..50).map(|row| {
                let id = (round * 20 + batch) * 50 + row;
                json!({ "id": id, "prediction": row % 10, "features": [4111, row] })
            });
            let body = rows.map(|row| row.to_string() + "\n").collect::<String>();
            let taken = post(&format!("{url}/observations"), body).json();
            assert_eq!(taken, json!({ "accepted": 50, "repeated": 0 }));
            told += 50;
        }
        running.signal("KILL");
        running.end();
        (running, url) = monitor(dir.path(), &arguments);
    }
    // Every label meets its observation; a tenth are wrong.
    let labels = (0..told)
        .map(|id| json!({ "id": id, "label": if id % 50 < 5 { 9 } else { id % 50 % 10 } }));
    let labels = serde_json::Value::Array(labels.collect());
    let joined = post(&format!("{url}/labels"), labels.to_string()).json();
    assert_eq!(
        joined,
        json!({ "joined": told, "replaced": 0, "unknown": 0 })
    );
    let again = post(
        &format!("{url}/labels"),
        r#"[{"id": 0, "label": 9}, {"id": "x", "label": 1}]"#,
    );
    assert_eq!(
        again.json(),
        json!({ "joined": 0, "replaced": 1, "unknown": 1 })
    );
    let live = get(&format!("{url}/evaluate")).json()["live"].clone();
    assert_eq!(
        (&live["rows"], &live["metrics"]["accuracy"]),
        (&json!(told), &json!(0.9))
    );
    let page = get(&format!("{url}/metrics"));
    assert!(
        page.text()
            .contains("modelpulse_accuracy{run=\"live\"} 0.9\n")
    );
    assert!(
        page.text()
            .contains("modelpulse_labelled{run=\"live/observations\"} 3000.0\n")
    );
    let kept = fs::read_to_string(dir.path().join("runs/m/monitor/observations.jsonl")).unwrap();
    assert!(!kept.contains("4111"));
    drop(running);
}

#[test]
fn what_cannot_be_watched_is_said_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let ran = modelpulse()
            .arg("monitor")
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(
            (ran.status.code(), err.lines().count()),
            (Some(2), 1),
            "{err}"
        );
        err
    };
    fs::create_dir(dir.path().join("empty")).unwrap();
    assert!(said(&["--model", "empty"]).contains("cannot monitor empty: there is no"));
    train(dir.path());
    assert!(said(&["--model", "runs/m", "--data", "no.csv"]).contains("no.csv"));
    assert!(said(&["--model", "runs/m", "--interval", "0s"]).contains("60s"));
    assert!(said(&["--model", "runs/m", "--listen", "8000"]).contains("8000"));
    fs::write(dir.path().join("token"), "\n").unwrap();
    assert!(said(&["--model", "runs/m", "--token-file", "token"]).contains("no token"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(
        said(&["--model", "runs/m", "--quiet", "--listen", &address]).contains("cannot listen on")
    );
    fs::remove_file(dir.path().join("runs/m/checkpoints/last.safetensors")).unwrap();
    assert!(said(&["--model", "runs/m"]).contains("has no checkpoint yet"));
}
