//! What may happen to a monitor that runs: its disk, its data, its model, its end.
//!
//! It serves on, says what is wrong on `/actuator/health`, and loses nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use modelpulse::flow::Source;
use modelpulse::log::LogReader;
use modelpulse::summary::Text;
use serde_json::{Value, json};

use crate::lint::parse;
use crate::support::{Running, get, modelpulse, monitor, monitor_by, post, series, train, until};

const HOUR: [&str; 2] = ["--interval", "1h"];

fn health(url: &str, component: &str) -> (u16, Value) {
    let url = format!("{url}/actuator/health/{component}");
    let answer = get(url.trim_end_matches('/'));
    (answer.status, answer.json()["details"].clone())
}

fn observations(ids: std::ops::Range<usize>) -> String {
    let one = |id: usize| json!({ "id": id, "prediction": id % 10 }).to_string() + "\n";
    ids.map(one).collect()
}

fn labels(ids: std::ops::Range<usize>) -> String {
    let one = |id: usize| json!({ "id": id, "label": id % 10 }).to_string() + "\n";
    ids.map(one).collect()
}

/// The program, with a shell's settings.
fn under(settings: &str) -> Command {
    let mut command = Command::new("sh");
    let program = modelpulse();
    command
        .arg("-c")
        .arg(format!("{settings}; exec \"$0\" \"$@\""))
        .arg(program.get_program());
    command
}

/// How large files may be that it writes: none, as on a full disk, or any.
fn set_disk(running: &Running, is_full: bool) {
    let limit = if is_full {
        "0:unlimited"
    } else {
        "unlimited:unlimited"
    };
    let set = Command::new("prlimit")
        .args(["--pid", &running.child.id().to_string()])
        .arg(format!("--fsize={limit}"))
        .status();
    assert!(set.unwrap().success());
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let (running, url) = monitor_by(under("trap '' XFSZ"), dir.path(), &HOUR);
    let evaluate = || get(&format!("{url}/evaluate"));
    let observe = |ids| post(&format!("{url}/observations"), observations(ids));
    assert_eq!(observe(0..50).status, 200);
    let before = evaluate().json()["step"].as_u64().unwrap();
    set_disk(&running, true);
    let refused = observe(50..100);
    assert_eq!(refused.status, 503);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("cannot be kept"), "{error}");
    for _ in 0..3 {
        assert_eq!(evaluate().status, 200);
    }
    assert_eq!(get(&format!("{url}/metrics")).status, 200);
    for (component, file) in [
        ("log", "runs/m/monitor"),
        ("observations", "observations.jsonl"),
    ] {
        let (status, details) = health(&url, component);
        let error = details["error"].as_str().unwrap_or_default();
        assert!(status == 503 && error.contains(file), "{details}");
    }
    set_disk(&running, false);
    let taken = observe(50..100).json();
    assert_eq!(taken, json!({ "accepted": 50, "repeated": 0 }));
    let after = evaluate().json()["step"].as_u64().unwrap();
    assert_eq!(after, before + 4);
    for component in ["log", "observations", ""] {
        assert_eq!(health(&url, component).0, 200, "{component}");
    }
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    let logged = series(&dir.path().join("runs/m/monitor"), "eval/accuracy");
    assert_eq!(logged.len() as u64, after + 1);
    let (_running, url) = monitor(dir.path(), &HOUR);
    let (_, details) = health(&url, "observations");
    assert_eq!(
        (&details["observed"], &details["repeated"]),
        (&json!(100), &json!(0))
    );
}

#[test]
fn a_kill_while_the_journal_is_made_smaller_loses_nothing_that_was_acknowledged() {
    const ROUNDS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    // A few bytes more, and it is made smaller: at each request.
    let arguments = [&HOUR[..], &["--journal-growth", "0.0001"]].concat();
    let (mut running, mut url) = monitor(dir.path(), &arguments);
    let journal = dir.path().join("runs/m/monitor/observations.jsonl");
    let mut told = 20_000;
    let taken = post(&format!("{url}/observations"), observations(0..told)).json();
    assert_eq!(taken["accepted"], json!(told));
    for round in 0..ROUNDS {
        let taken = post(
            &format!("{url}/observations"),
            observations(told..told + 50),
        )
        .json();
        assert_eq!(taken, json!({ "accepted": 50, "repeated": 0 }));
        told += 50;
        assert!(fs::metadata(&journal).unwrap().len() < 100 * told as u64);
        // One more, which is on its way when the process is killed.
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let body = json!({ "id": format!("on its way {round}"), "prediction": 1 }).to_string();
        let head = "POST /observations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
        write!(
            stream,
            "{head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        std::thread::park_timeout(Duration::from_millis(3 * round as u64));
        running.child.kill().unwrap();
        running.end();
        (running, url) = monitor(dir.path(), &arguments);
        let observed = health(&url, "observations").1["observed"].as_u64().unwrap() as usize;
        assert!((told..=told + round + 1).contains(&observed), "{observed}");
    }
    let joined = post(&format!("{url}/labels"), labels(0..told)).json();
    let expected = json!({ "joined": told, "replaced": 0, "unknown": 0 });
    assert_eq!(joined, expected);
    drop(running);
}

#[test]
fn labels_come_for_nobody_twice_and_never() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let arguments = [&HOUR[..], &["--label-wait", "1s"]].concat();
    let (_running, url) = monitor(dir.path(), &arguments);
    let told = |what: &str, body: String| post(&format!("{url}/{what}"), body).json();
    assert_eq!(told("observations", observations(0..10))["accepted"], 10);
    let twice = labels(0..1) + &labels(0..1) + &labels(99..100);
    let became = told("labels", twice);
    // On a busy machine, even the first may come too late.
    assert_eq!(became["unknown"].as_u64().unwrap() % 2, 1, "{became}");
    until("the end of the wait", || {
        (health(&url, "observations").1["waiting"] == 0).then_some(())
    });
    assert_eq!(told("labels", labels(1..10))["unknown"], 9);
    let (status, details) = health(&url, "observations");
    let sum = details["expired"].as_u64().unwrap() + details["labelled"].as_u64().unwrap();
    assert_eq!((status, sum), (200, 10), "{details}");
}

#[test]
fn an_end_in_the_middle_of_an_evaluation_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let table = dir.path().join("rows.csv");
    let head: Vec<String> = (0..64).map(|at| format!("pixel_{at}")).collect();
    let row = vec!["0.5"; 64].join(",");
    let text = format!("label,{}\n3,{row}\n4,{row}\n", head.join(","));
    fs::write(&table, &text).unwrap();
    let arguments = [&HOUR[..], &["--data", "rows.csv"]].concat();
    let (running, url) = monitor(dir.path(), &arguments);
    until("the first evaluation", || {
        let (_, details) = health(&url, "evaluation");
        (details["step"] == 0).then_some(())
    });
    // What is read from now on comes when it is let through.
    fs::remove_file(&table).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&table)
            .status()
            .unwrap()
            .success()
    );
    let evaluate = format!("{url}/evaluate");
    let asked = std::thread::spawn(move || get(&evaluate));
    // Opened when it is being read.
    let mut pipe = fs::OpenOptions::new().write(true).open(&table).unwrap();
    running.signal("TERM");
    until("the end of the listener", || {
        TcpStream::connect(url.strip_prefix("http://").unwrap()).err()
    });
    // What is opened behind the first look has the same.
    fs::write(dir.path().join("same.csv"), &text).unwrap();
    fs::rename(dir.path().join("same.csv"), &table).unwrap();
    pipe.write_all(text.as_bytes()).unwrap();
    drop(pipe);
    let answer = asked.join().unwrap().json();
    assert_eq!(
        (&answer["step"], &answer["rows"]),
        (&json!(1), &json!(2)),
        "{answer}"
    );
    assert_eq!(running.end().0, Some(0));
    let logged = series(&dir.path().join("runs/m/monitor"), "eval/accuracy");
    assert_eq!(logged.len(), 2);
}

#[test]
fn a_hundred_megabytes_are_refused_and_not_kept_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let (running, url) = monitor(dir.path(), &HOUR);
    assert_eq!(get(&format!("{url}/evaluate")).status, 200);
    let peak = || -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let before = peak();
    for (path, head) in [
        ("/predict", "content-length: 104857600\r\n\r\n"),
        (
            "/observations",
            "transfer-encoding: chunked\r\n\r\n6400000\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{head}");
        stream.write_all(head.as_bytes()).unwrap();
        let block = vec![b' '; 1 << 20];
        // It need not listen to the end.
        let sent = (0..100).take_while(|_| stream.write_all(&block).is_ok());
        let sent = sent.count();
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        assert!(
            sent < 100 || (read.is_ok() && &answer == b"HTTP/1.1 413"),
            "{sent} MiB, {}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(get(&format!("{url}/metrics")).status, 200);
    // In KiB: less than half of what was sent once.
    assert!(peak() < before + (50 << 10), "{before} {}", peak());
}

#[test]
fn more_connections_than_the_system_gives_files_are_all_answered() {
    const CLIENTS: usize = 600;
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let (_running, url) = monitor_by(under("ulimit -n 64"), dir.path(), &HOUR);
    let address = url.strip_prefix("http://").unwrap();
    // All of them are there before the first one asks.
    let streams = (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap());
    let streams: Vec<TcpStream> = streams.collect();
    let mut answered = 0;
    for mut stream in streams {
        let request =
            b"GET /actuator/health/liveness HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answered += usize::from(answer.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(answered, CLIENTS);
}

#[test]
fn pages_that_are_scraped_during_evaluations_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let (_running, url) = monitor(dir.path(), &["--interval", "20ms"]);
    let page = || parse(get(&format!("{url}/metrics")).text(), false);
    let evaluations = |page: &crate::lint::Parsed| page.families["evaluations_total"].samples[0].2;
    until("the first", || {
        page()
            .families
            .contains_key("modelpulse_accuracy")
            .then_some(())
    });
    let first = page();
    let accuracy = first.families["modelpulse_accuracy"].samples[0].2;
    let (first, done) = (evaluations(&first), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = first;
                while !done.load(Ordering::Relaxed) {
                    let page = page();
                    assert_eq!(page.wrong, [""; 0]);
                    assert_eq!(page.families["modelpulse_accuracy"].samples[0].2, accuracy);
                    assert!(evaluations(&page) >= last);
                    last = evaluations(&page);
                }
            });
        }
        until("twenty evaluations", || {
            (evaluations(&page()) >= first + 20.0).then_some(())
        });
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn tables_of_a_directory_come_grow_break_and_go() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    let names: Vec<String> = (0..64).map(|at| format!("pixel_{at}")).collect();
    // A digit that is not the same the other way round.
    let pixel = |at: usize| if at % 8 < 4 && at < 40 { 0.9 } else { 0.1 };
    let row: Vec<String> = (0..64).map(|at| pixel(at).to_string()).collect();
    let csv = format!("label,{}\n", names.join(","));
    let line = |label: usize| format!("{label},{}\n", row.join(","));
    fs::write(data.join("a.csv"), csv.clone() + &line(0)).unwrap();
    let arguments = [&HOUR[..], &["--data", "data"]].concat();
    let (running, url) = monitor(dir.path(), &arguments);
    let said = post(&format!("{url}/predict"), format!("[[{}]]", row.join(","))).json();
    let class = said["predictions"][0]["class"].as_u64().unwrap() as usize;
    let other = (class + 1) % 10;
    let evaluate = || get(&format!("{url}/evaluate"));
    let judged = || {
        let answer = evaluate().json();
        let accuracy = answer["metrics"]["accuracy"].as_f64().unwrap();
        (answer["rows"].as_u64().unwrap(), accuracy)
    };
    // One grows, others come: of another format, with its columns in another order, of a compressed one.
    fs::write(
        data.join("a.csv"),
        csv.clone() + &line(class) + &line(class),
    )
    .unwrap();
    assert_eq!(judged(), (2, 1.0));
    let object = |label: usize| {
        let pixels = names.iter().zip(&row).rev();
        let pixels = pixels.map(|(name, value)| format!("\"{name}\":{value},"));
        format!("{{{}\"label\":{label}}}\n", pixels.collect::<String>())
    };
    fs::write(data.join("b.jsonl"), object(class)).unwrap();
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped
        .write_all((csv.clone() + &line(class)).as_bytes())
        .unwrap();
    fs::write(data.join("c.csv.gz"), zipped.finish().unwrap()).unwrap();
    assert_eq!(judged(), (4, 1.0));
    // Not there yet: a file without a byte, one under another name, and what is no table.
    fs::write(data.join("new.csv"), "").unwrap();
    fs::write(data.join(".d.csv"), "label").unwrap();
    fs::write(data.join("notes.txt"), "no table").unwrap();
    assert_eq!(judged(), (4, 1.0));
    // Another takes the place of one, as long and as old.
    fs::write(data.join(".b.jsonl"), object(other)).unwrap();
    let same_age = Command::new("touch")
        .args(["-r", "b.jsonl", ".b.jsonl"])
        .current_dir(&data)
        .status();
    assert!(same_age.unwrap().success());
    fs::rename(data.join(".b.jsonl"), data.join("b.jsonl")).unwrap();
    assert_eq!(judged(), (4, 0.75));
    // One that breaks is named, and the others wait for it.
    for (broken, part) in [
        (csv.clone() + "1,2\n", "new.csv"),
        ("label,x\n1,2\n".to_owned(), "features"),
        ("{\"label\": 1".to_owned(), "new.csv"),
    ] {
        fs::write(data.join("new.csv"), broken).unwrap();
        let answer = evaluate();
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == 503 && error.contains(part), "{error}");
        assert_eq!(health(&url, "evaluation").1["error"], json!(error));
        assert_eq!(get(&format!("{url}/metrics")).status, 200);
    }
    fs::remove_file(data.join("new.csv")).unwrap();
    fs::remove_file(data.join("c.csv.gz")).unwrap();
    assert_eq!(judged(), (3, 2.0 / 3.0));
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_checkpoint_of_another_shape_is_said_and_the_model_answers_on() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let trained = modelpulse()
        .args([
            "train", "--epochs", "1", "--quiet", "--name", "wide", "--hidden", "8,4",
        ])
        .current_dir(dir.path())
        .status();
    assert!(trained.unwrap().success());
    let (_running, url) = monitor(dir.path(), &HOUR);
    let evaluate = || get(&format!("{url}/evaluate"));
    let rows = format!("[[{}]]", vec!["0.5"; 64].join(","));
    let predict = || post(&format!("{url}/predict"), &rows).json();
    let before = (predict(), evaluate().json()["metrics"].clone());
    let last = "checkpoints/last.safetensors";
    let (own, wide) = (
        dir.path().join("runs/m").join(last),
        dir.path().join("runs/wide").join(last),
    );
    let kept = fs::read(&own).unwrap();
    fs::copy(wide, &own).unwrap();
    for _ in 0..2 {
        let answer = evaluate();
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 503 && error.contains("last.safetensors"),
            "{error}"
        );
    }
    assert_eq!(health(&url, "evaluation").0, 503);
    assert_eq!(predict(), before.0);
    fs::write(&own, kept).unwrap();
    assert_eq!(evaluate().json()["metrics"], before.1);
    assert_eq!(health(&url, "").0, 200);
}

#[test]
fn what_is_wrong_with_rows_is_counted_sampled_and_alerted_on_and_hides_what_it_must() {
    const SECRET: &str = "41114111";
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let rule = [
        "--redact",
        "3",
        "--rule",
        "serve/error_rate/malformed > 0.3",
    ];
    let (running, url) = monitor(dir.path(), &[&HOUR[..], &rule].concat());
    let evaluate = || get(&format!("{url}/evaluate")).json();
    let predict = |body: &str| post(&format!("{url}/predict"), body).status;
    let row = |at: usize, value: &str| {
        let mut row = vec!["0.5"; 64];
        row[at] = value;
        format!("[{}]", row.join(","))
    };
    assert_eq!(evaluate()["firing"], json!([]));
    for body in [
        format!("[[\"{SECRET}\"]]"),
        format!("[[{SECRET}, 1]]"),
        SECRET.to_owned(),
    ] {
        assert_eq!(predict(&body), 400);
    }
    // Out of range in a hidden column and in another one, and as an observation.
    assert_eq!(
        predict(&format!("[{},{}]", row(3, SECRET), row(5, "99.5"))),
        200
    );
    let observed = json!({ "id": 1, "prediction": 2, "features": vec![77.5; 64] }).to_string();
    assert_eq!(post(&format!("{url}/observations"), &observed).status, 200);
    assert_eq!(evaluate()["firing"], json!([rule[3]]));
    let page = get(&format!("{url}/metrics"));
    let page = parse(page.text(), false);
    let errors = &page.families["prediction_errors_total"].samples;
    let count = |kind: &str| {
        let mut all = errors.iter();
        let one = all.find(|(_, labels, _)| labels.values().any(|value| value == kind));
        one.unwrap().2
    };
    assert_eq!(
        (count("malformed"), count("failed"), count("nan")),
        (3.0, 0.0, 0.0)
    );
    // The digits have pixels that no ink ever reached.
    assert_eq!(count("out_of_range"), 3.0);
    assert_eq!(evaluate()["firing"], json!([]));
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    let logdir = dir.path().join("runs/m/monitor");
    let mut log = LogReader::open(&logdir).unwrap();
    let mut samples = Vec::new();
    while let Some(instant) = log.next_instant().unwrap() {
        let texts = instant
            .iter()
            .filter(|event| event.path() == "serve/errors/samples");
        samples.extend(texts.map(|event| Text::try_from(&event.value).unwrap()));
    }
    assert_eq!(samples.len(), 1);
    let table = samples[0].markdown();
    assert_eq!(table.lines().count(), 2 + 6, "{table}");
    assert!(
        table.contains("| out_of_range |") && table.contains("hidden"),
        "{table}"
    );
    // In no file of it.
    let mut files = vec![logdir];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
