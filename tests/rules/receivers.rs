//! Alerts reach a real Alertmanager and a webhook; a receiver that is down, slow or failing costs the loop nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use modelpulse::Session;
use modelpulse::export::Notifier;
use modelpulse::health::{RuleSet, Transition};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Instants of a loop that must not be held up, and how long they may take: more than they ever do, and far less than the
/// receiver makes others wait.
const LOOP: (i64, Duration) = (20_000, Duration::from_secs(5));

/// A real Alertmanager, and where its files are.
struct Alertmanager {
    child: Child,
    url: String,
    dir: TempDir,
}

impl Alertmanager {
    fn start(port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
        std::fs::write(dir.path().join("config.yml"), config).unwrap();
        let said = File::create(dir.path().join("said")).unwrap();
        let child = Command::new("prometheus-alertmanager")
            .arg("--config.file=config.yml")
            .arg("--storage.path=data")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("Debian's prometheus-alertmanager; tests/run installs it");
        let url = format!("http://127.0.0.1:{port}");
        Self { child, url, dir }
    }

    /// The alerts that it shows, as soon as `ready` accepts them.
    #[track_caller]
    fn until(&self, ready: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let since = Instant::now();
        loop {
            let shown = ureq::get(format!("{}/api/v2/alerts", self.url)).call();
            let shown = shown.map(|mut answer| answer.body_mut().read_to_string().unwrap());
            match &shown {
                Ok(text) => {
                    let alerts: Vec<Value> = serde_json::from_str(text).unwrap();
                    if ready(&alerts) {
                        return alerts;
                    }
                }
                Err(_) if since.elapsed() < PATIENCE => {}
                Err(error) => panic!("{error}\n{}", self.said()),
            }
            assert!(since.elapsed() < PATIENCE, "{shown:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("said")).unwrap()
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that answers the nth request with the status that `answer` gives, however long that takes; and what was
/// sent with each, in the order of the answers.
fn webhook(
    mut answer: impl FnMut(usize) -> u16 + Send + 'static,
) -> (String, Receiver<(u16, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alerts", listener.local_addr().unwrap());
    let (sender, letters) = mpsc::channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let line = line.trim().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                } else if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = answer(count);
            let head =
                format!("HTTP/1.1 {status} so\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // Whoever does not wait any more does not hear it.
            let _ = stream.get_mut().write_all(head.as_bytes());
            let letter = serde_json::from_slice(&body).unwrap();
            if sender.send((status, letter)).is_err() {
                return;
            }
        }
    });
    (url, letters)
}

fn rules(conditions: &[&str]) -> RuleSet {
    let rules = conditions
        .iter()
        .map(|condition| condition.parse().unwrap());
    RuleSet::new(rules.collect()).unwrap()
}

/// A session that notifies, and the changes that it reports.
fn session(dir: &Path, rules: RuleSet, notifier: Notifier) -> (Session, Receiver<Transition>) {
    let (sender, changes) = mpsc::channel();
    let builder = Session::builder(dir).rules_notifying(rules, notifier, move |change| {
        // Not every test listens.
        let _ = sender.send(change.clone());
    });
    (builder.start().unwrap(), changes)
}

/// Seconds since 1970 of a time as the API has it.
fn seconds(time: &Value) -> f64 {
    let time = time.as_str().unwrap();
    chrono::DateTime::parse_from_rfc3339(time)
        .unwrap()
        .timestamp_micros() as f64
        / 1e6
}

fn near(time: &Value, wall_time: f64) {
    // An Alertmanager shows milliseconds.
    assert!(
        (seconds(time) - wall_time).abs() < 2e-3,
        "{time} {wall_time}"
    );
}

#[test]
fn an_alertmanager_and_a_webhook_receive_an_alert_and_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let manager = Alertmanager::start(free_port());
    manager.until(<[Value]>::is_empty);
    let (hook, letters) = webhook(|_| 200);
    let notifier = Notifier::builder()
        .alertmanager(manager.url.as_str())
        .webhook(hook)
        .label("logdir", "runs/ü")
        .resend_every(Duration::from_millis(200))
        .start()
        .unwrap();
    let (session, changes) = session(dir.path(), rules(&["loss > 1"]), notifier);
    for (step, loss) in [0.5, 2.0, 3.0].into_iter().enumerate() {
        session.run("train").scalar("loss", step, loss);
    }
    let fired = changes.recv_timeout(PATIENCE).unwrap();

    let shown = manager.until(|alerts| alerts.len() == 1);
    let labels = json!({
        "alertname": "loss > 1", "severity": "warning", "run": "train", "tag": "loss", "logdir": "runs/ü",
    });
    assert_eq!(shown[0]["labels"], labels);
    assert_eq!(shown[0]["annotations"]["value"], "2");
    assert_eq!(shown[0]["status"]["state"], "active");
    near(&shown[0]["startsAt"], fired.wall_time);

    // It is told again and again before it would end by itself, and stays the same alert.
    let mut last = shown[0].clone();
    for _ in 0..5 {
        let again = manager
            .until(|alerts| alerts.len() == 1 && alerts[0]["updatedAt"] != last["updatedAt"]);
        assert_eq!(again[0]["startsAt"], last["startsAt"]);
        assert_eq!(again[0]["fingerprint"], last["fingerprint"]);
        assert!(seconds(&again[0]["endsAt"]) > seconds(&last["endsAt"]));
        last = again[0].clone();
    }

    session.run("train").scalar("loss", 3, 0.5);
    manager.until(<[Value]>::is_empty);
    let resolved = changes.recv_timeout(PATIENCE).unwrap();
    session.finish().unwrap();

    // The webhook heard of both once, and knows the alert by what an Alertmanager calls it.
    let letters: Vec<Value> = letters.try_iter().map(|(_, letter)| letter).collect();
    assert_eq!(letters.len(), 2, "{letters:#?}");
    for (letter, status) in letters.iter().zip(["firing", "resolved"]) {
        assert_eq!(
            (&letter["version"], &letter["status"]),
            (&json!("4"), &json!(status))
        );
        assert_eq!(letter["commonLabels"], labels);
        let alert = &letter["alerts"][0];
        assert_eq!(alert["fingerprint"], last["fingerprint"]);
        near(&alert["startsAt"], fired.wall_time);
    }
    near(&letters[1]["alerts"][0]["endsAt"], resolved.wall_time);
}

/// Logs many instants, in which an alert fires and ends again and again; it fires at the end.
fn train(session: &Session) {
    let since = Instant::now();
    for step in 0..LOOP.0 {
        session
            .run("train")
            .scalar("loss", step, if step % 100 == 0 { 0.5 } else { 2.0 });
    }
    let time = since.elapsed();
    assert!(time < LOOP.1, "{time:?}");
    session.flush();
    assert_eq!(session.report().dropped, 0);
}

#[test]
fn an_alert_arrives_when_the_alertmanager_that_was_down_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let notifier = Notifier::builder()
        .alertmanager(format!("http://127.0.0.1:{port}"))
        .start()
        .unwrap();
    let (session, changes) = session(dir.path(), rules(&["loss > 1"]), notifier.clone());
    train(&session);
    let last = changes
        .try_iter()
        .filter(|change| change.word() == "firing");
    let last = last.last().unwrap();
    let since = Instant::now();
    while notifier.notified().failures == 0 {
        assert!(since.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let told = notifier.notified();
    assert_eq!((told.delivered, told.waiting), (0, 1));

    let manager = Alertmanager::start(port);
    let shown = manager.until(|alerts| !alerts.is_empty());
    assert_eq!(shown.len(), 1);
    near(&shown[0]["startsAt"], last.wall_time);
    session.run("train").scalar("loss", LOOP.0, 0.5);
    manager.until(<[Value]>::is_empty);
    session.finish().unwrap();
}

#[test]
fn a_receiver_that_does_not_answer_holds_nothing_up() {
    let dir = tempfile::tempdir().unwrap();
    let (release, held) = mpsc::channel::<()>();
    let (arrived, arrival) = mpsc::channel();
    let (hook, letters) = webhook(move |count| {
        if count == 0 {
            arrived.send(()).unwrap();
            held.recv().unwrap();
        }
        200
    });
    let builder = Notifier::builder().webhook(hook).timeout(PATIENCE);
    let notifier = builder.start().unwrap();
    let (session, _) = session(dir.path(), rules(&["loss > 1", "loss < 0"]), notifier);
    session.run("eval").scalar("loss", 0, 2.0);
    arrival.recv_timeout(PATIENCE).unwrap();
    train(&session);
    release.send(()).unwrap();
    session.finish().unwrap();
    let letters: Vec<(u16, Value)> = letters.try_iter().collect();
    let names = letters.iter().map(|(_, letter)| {
        let alerts = letter["alerts"].as_array().unwrap();
        let names = alerts.iter().map(|alert| {
            (
                alert["labels"]["run"].as_str().unwrap(),
                alert["status"].as_str().unwrap(),
            )
        });
        names.collect::<Vec<_>>()
    });
    // Of what happened meanwhile, how it stands now; nothing twice.
    assert_eq!(
        names.collect::<Vec<_>>(),
        [[("eval", "firing")], [("train", "firing")]]
    );
}

#[test]
fn a_receiver_that_fails_is_told_again() {
    let dir = tempfile::tempdir().unwrap();
    let statuses = [500, 503, 429, 200];
    let (hook, letters) = webhook(move |count| statuses.get(count).copied().unwrap_or(200));
    let notifier = Notifier::builder().webhook(hook).start().unwrap();
    let (session, _) = session(dir.path(), rules(&["loss > 1"]), notifier.clone());
    train(&session);
    let each = statuses.map(|_| letters.recv_timeout(PATIENCE).unwrap());
    assert_eq!(each.clone().map(|(status, _)| status), statuses);
    assert_eq!(each[3].1["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(each[3].1["status"], "firing");
    session.finish().unwrap();
    // It hears of the answer a moment after it was given.
    let since = Instant::now();
    while notifier.notified().waiting > 0 {
        assert!(since.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let told = notifier.notified();
    assert_eq!((told.failures, told.dropped), (3, 0));
}

#[test]
fn a_receiver_that_refuses_is_not_told_again() {
    let dir = tempfile::tempdir().unwrap();
    let (hook, letters) = webhook(|_| 400);
    let notifier = Notifier::builder().webhook(hook).start().unwrap();
    let (session, _) = session(dir.path(), rules(&["loss > 1"]), notifier.clone());
    session.run("train").scalar("loss", 0, 2.0);
    assert_eq!(letters.recv_timeout(PATIENCE).unwrap().0, 400);
    session.finish().unwrap();
    drop(notifier);
    assert!(letters.try_recv().is_err());
}

#[test]
fn a_resumed_session_tells_of_what_fires_since_before() {
    let dir = tempfile::tempdir().unwrap();
    let silent = Notifier::builder().start().unwrap();
    let (first, changes) = session(dir.path(), rules(&["loss > 1"]), silent);
    first.run("train").scalar("loss", 0, 2.0);
    first.finish().unwrap();
    let fired = changes.recv().unwrap();

    let (hook, letters) = webhook(|_| 200);
    let notifier = Notifier::builder().webhook(hook).start().unwrap();
    let (second, changes) = session(dir.path(), rules(&["loss > 1"]), notifier);
    let (_, letter) = letters.recv_timeout(PATIENCE).unwrap();
    near(&letter["alerts"][0]["startsAt"], fired.wall_time);
    // Nothing changed.
    assert!(changes.try_recv().is_err());
    second.run("train").scalar("loss", 1, 0.5);
    second.finish().unwrap();
    let (_, letter) = letters.recv_timeout(PATIENCE).unwrap();
    assert_eq!(letter["status"], "resolved");
    near(&letter["alerts"][0]["startsAt"], fired.wall_time);
}

#[test]
fn an_absence_that_began_before_its_run_was_known_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (hook, letters) = webhook(|_| 200);
    let notifier = Notifier::builder().webhook(hook).start().unwrap();
    let rules = rules(&["absent(loss, 100ms)"])
        .interval("50ms".parse().unwrap())
        .unwrap();
    let session = Session::builder(dir.path())
        .heartbeat(Duration::from_millis(20))
        .rules_notifying(rules, notifier, |_| ())
        .start()
        .unwrap();
    let (_, fired) = letters.recv_timeout(PATIENCE).unwrap();
    session.run("train").scalar("loss", 0, 0.5);
    let (_, resolved) = letters.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        fired["alerts"][0]["fingerprint"],
        resolved["alerts"][0]["fingerprint"]
    );
    assert_eq!(resolved["status"], "resolved");
}

fn modelpulse(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .current_dir(dir)
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn train_tells_an_alertmanager() {
    let dir = tempfile::tempdir().unwrap();
    let manager = Alertmanager::start(free_port());
    let common = [
        "train",
        "--epochs",
        "1",
        "--hidden",
        "4",
        "--name",
        "a",
        "--alertmanager",
    ];
    for (arguments, problem) in [
        (
            &["ftp://a", "--rule", "loss > 1"][..],
            "'ftp://a' is no address",
        ),
        (
            &[manager.url.as_str()][..],
            "give --rule CONDITION or --rules FILE",
        ),
    ] {
        let (code, said) = modelpulse(dir.path(), &[&common, arguments].concat());
        assert!(code == 2 && said.contains(problem), "{said}");
    }
    assert!(!dir.path().join("runs").exists());

    manager.until(<[Value]>::is_empty);
    // Also one that the rule file names.
    let (hook, letters) = webhook(|_| 200);
    let file = format!(
        "[notify]\nwebhook = '{hook}'\n[[rule]]\nname = 'Any'\ncondition = 'epoch_loss > 0'"
    );
    std::fs::write(dir.path().join("rules.toml"), file).unwrap();
    let arguments = [&manager.url, "--rules", "rules.toml"];
    let (code, said) = modelpulse(dir.path(), &[&common[..], &arguments].concat());
    assert_eq!((code, said.contains("modelpulse:")), (0, false), "{said}");
    let shown = manager.until(|alerts| alerts.len() == 2);
    let runs = shown.iter().map(|alert| {
        (
            alert["labels"]["run"].as_str().unwrap(),
            &alert["labels"]["logdir"],
        )
    });
    let run = json!(dir.path().canonicalize().unwrap().join("runs/a"));
    let expected = BTreeMap::from([("eval", &run), ("train", &run)]);
    assert_eq!(runs.collect::<BTreeMap<_, _>>(), expected);
    let told = letters
        .try_iter()
        .map(|(_, letter)| letter["alerts"].as_array().unwrap().len());
    assert_eq!(told.sum::<usize>(), 2);
}
