//! Receivers of pushes that are down, slow or unwell: nobody waits for them, nothing is lost that there is room for, and
//! what is dropped is counted and said.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use modelpulse::Session;
use modelpulse::export::{Pushed, Pusher, PusherBuilder, Target};
use modelpulse::health::{Gauge, LabelledRows, Monitor, Registry};

use crate::prometheus::bits;
use crate::receiver::{Receiver, Reply, Request, TAKEN, by_series};
use crate::support::{PATIENCE, Running, get, modelpulse, train, until};

/// Longer than a test may take: who waits for that does not end.
const FOREVER: Duration = Duration::from_secs(24 * 3600);
const MOMENT: Duration = Duration::from_millis(50);

/// A registry with one gauge, and who pushes it only when told to.
fn pusher(url: &str) -> (Gauge, PusherBuilder) {
    let registry = Registry::new();
    let gauge = registry.gauge("x", "");
    let builder = Pusher::builder(&registry)
        .to(Target::remote_write(url))
        .interval(FOREVER)
        .timeout(FOREVER)
        .patience(PATIENCE);
    (gauge, builder)
}

/// Pushes 1, 2, … up to `count`.
fn push(pusher: &Pusher, gauge: &Gauge, count: i32) {
    for value in 1..=count {
        gauge.set(f64::from(value));
        pusher.push();
    }
}

/// The values of the gauge that arrived, in the order of their times.
fn values(requests: &[Request]) -> Vec<f64> {
    let series = by_series(requests);
    let x = series.iter().find(|(labels, _)| labels["__name__"] == "x");
    let samples = x.map(|(_, samples)| samples.clone()).unwrap_or_default();
    assert!(samples.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let each = samples.iter().map(|(_, bits)| f64::from_bits(*bits));
    each.collect()
}

/// 1, 2, … up to the last, and the last once more: the push at the end.
fn and_the_last(count: i32) -> Vec<f64> {
    (1..=count).chain([count]).map(f64::from).collect()
}

fn one(pushed: Vec<Pushed>) -> Pushed {
    assert_eq!(pushed.len(), 1);
    pushed.into_iter().next().unwrap()
}

#[test]
fn nothing_is_lost_when_a_receiver_that_was_down_is_there_again() {
    let address = Receiver::nowhere();
    let (gauge, builder) = pusher(&format!("http://{address}"));
    let pusher = builder.start().unwrap();
    push(&pusher, &gauge, 20);
    until("a failure", || {
        let pushed = one(pusher.pushed());
        (pushed.failures > 0 && pushed.problem.is_some()).then_some(())
    });
    let receiver = Receiver::at(TcpListener::bind(address).unwrap(), |_| TAKEN);
    let pushed = one(pusher.finish());
    assert_eq!((pushed.dropped, pushed.waiting), (0, 0), "{pushed:?}");
    assert_eq!((pushed.requests, pushed.problem), (21, None));
    assert_eq!(values(&receiver.all()), and_the_last(20));
}

#[test]
fn a_training_loop_does_not_wait_for_a_receiver_that_is_down_or_silent() {
    let silent = Receiver::start(|_| Reply::Never);
    for url in [
        format!("http://{}", Receiver::nowhere()),
        silent.url.clone(),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new();
        let pusher = Pusher::builder(&registry)
            .to(Target::remote_write(&url))
            .interval(Duration::from_millis(10))
            .timeout(FOREVER)
            .patience(MOMENT)
            .start()
            .unwrap();
        let builder = Session::builder(dir.path()).sink(registry.sink());
        let session = builder.start().unwrap();
        for step in 0..20_000_i64 {
            session.run("train").scalar("loss", step, 0.5);
            pusher.push();
        }
        let report = session.finish().unwrap();
        assert_eq!((report.written, report.dropped), (20_000, 0));
        let pushed = one(pusher.finish());
        assert!(pushed.dropped > 20_000, "{pushed:?}");
        assert_eq!((pushed.samples, pushed.waiting), (0, 0));
    }
}

#[test]
fn an_evaluation_does_not_wait_for_a_receiver_that_is_silent() {
    let silent = Receiver::start(|_| Reply::Never);
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let (_, builder) = pusher(&silent.url);
    let pushing = Pusher::builder(&registry)
        .to(Target::remote_write(&silent.url))
        .timeout(FOREVER)
        .patience(MOMENT)
        .start()
        .unwrap();
    drop(builder);
    let session = Session::builder(dir.path()).sink(registry.sink());
    let session = session.start().unwrap();
    let data = LabelledRows::classes(vec![0.1, 0.9, 0.4], 1, vec![0, 1, 1]).unwrap();
    let watch = Monitor::new(|rows| rows.values().to_vec())
        .data(data)
        .registry(&registry)
        .start(&session)
        .unwrap();
    pushing.push();
    silent.next();
    for step in 0..10 {
        assert_eq!(watch.evaluate().unwrap().step, step);
        pushing.push();
    }
    assert_eq!(registry.counter("evaluations", "").value(), 10.0);
}

#[test]
fn what_was_answered_with_500_is_sent_again_in_its_order() {
    let receiver = Receiver::start(|count| match count {
        0 | 1 | 3 => Reply::Status(500, ""),
        _ => TAKEN,
    });
    let (gauge, builder) = pusher(&receiver.url);
    let pusher = builder.start().unwrap();
    push(&pusher, &gauge, 10);
    let pushed = one(pusher.finish());
    assert_eq!((pushed.failures, pushed.dropped), (3, 0), "{pushed:?}");
    let mut requests = receiver.all();
    for again in [3, 1, 0] {
        assert_eq!(requests[again].body, requests[again + 1].body);
        requests.remove(again);
    }
    assert_eq!(values(&requests), and_the_last(10));
}

#[test]
fn what_is_refused_is_dropped_and_what_comes_behind_it_is_sent() {
    let receiver = Receiver::start(|count| match count {
        1 => Reply::Because(400, "out of order sample"),
        _ => TAKEN,
    });
    let (gauge, builder) = pusher(&receiver.url);
    let pusher = builder.start().unwrap();
    push(&pusher, &gauge, 3);
    let pushed = one(pusher.finish());
    let sent = receiver.all();
    let samples = |request: &Request| by_series(std::slice::from_ref(request)).len() as u64;
    assert_eq!(pushed.dropped, samples(&sent[1]));
    assert_eq!(
        (pushed.requests, pushed.failures, pushed.waiting),
        (3, 1, 0)
    );
    assert_eq!(values(&sent), and_the_last(3));
}

#[test]
fn a_receiver_that_asks_for_a_rest_gets_it() {
    let receiver = Receiver::start(|count| match count {
        0 => Reply::Status(429, "Retry-After: 1\r\n"),
        1 => Reply::Status(503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        _ => TAKEN,
    });
    let (gauge, builder) = pusher(&receiver.url);
    let pusher = builder.start().unwrap();
    push(&pusher, &gauge, 5);
    let pushed = one(pusher.finish());
    assert_eq!((pushed.failures, pushed.dropped), (2, 0), "{pushed:?}");
    assert_eq!(values(&receiver.all()[2..]), and_the_last(5));

    // Longer than there is time: it is not asked again, however much is pushed.
    let receiver = Receiver::start(|_| Reply::Status(429, "Retry-After: 3600\r\n"));
    let (gauge, builder) = self::pusher(&receiver.url);
    let pusher = builder.start().unwrap();
    push(&pusher, &gauge, 1);
    receiver.next();
    push(&pusher, &gauge, 5);
    let pushed = one(pusher.finish());
    assert_eq!((pushed.failures, pushed.requests), (1, 0), "{pushed:?}");
    assert!(pushed.dropped >= 7 && pushed.problem.unwrap().contains("429"));
    assert_eq!(receiver.all().len(), 0);
}

#[test]
fn the_newest_are_kept_where_there_is_no_room_for_all() {
    let address = Receiver::nowhere();
    let (gauge, builder) = pusher(&format!("http://{address}"));
    let pusher = builder.queue(2_000).start().unwrap();
    push(&pusher, &gauge, 500);
    let receiver = Receiver::at(TcpListener::bind(address).unwrap(), |_| TAKEN);
    let pushed = one(pusher.finish());
    let requests = receiver.all();
    let arrived: u64 = requests
        .iter()
        .map(|it| by_series(std::slice::from_ref(it)).len() as u64)
        .sum();
    let a_push = by_series(&requests[..1]).len() as u64;
    assert_eq!(pushed.samples, arrived);
    assert_eq!(pushed.samples + pushed.dropped, 501 * a_push);
    let values = values(&requests);
    assert!(values.len() > 2 && values.len() < 100, "{values:?}");
    // One may have been on its way when there was no room any more.
    let newest: Vec<f64> = values[1..].to_vec();
    let all = and_the_last(500);
    assert_eq!(newest, all[all.len() - newest.len()..]);
}

#[test]
fn a_training_whose_pushes_are_refused_says_so_once_and_ends_well() {
    let receiver = Receiver::start(|_| Reply::Because(400, "out of\norder sample"));
    let dir = tempfile::tempdir().unwrap();
    let trained = modelpulse()
        .args(["train", "--epochs", "20", "--quiet"])
        .args(["--remote-write", &receiver.url, "--push-interval", "10ms"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8(trained.stderr).unwrap();
    assert!(trained.status.success(), "{said}");
    assert!(receiver.all().len() > 1);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    let refused = "it answered 400: out of order sample; ";
    assert!(
        lines[0].contains(refused) && lines[0].ends_with("are dropped"),
        "{said}"
    );
    assert!(lines[1].starts_with("warning: remote write "), "{said}");
    assert!(
        lines[1].ends_with(" samples were dropped, 0 were sent"),
        "{said}"
    );
}

#[test]
fn a_monitor_serves_while_its_pushes_fail_and_tells_what_is_wrong() {
    let down = Arc::new(AtomicBool::new(true));
    let unwell = down.clone();
    let receiver = Receiver::start(move |_| match unwell.load(Ordering::Relaxed) {
        true => Reply::Because(500, "the disk is full"),
        false => TAKEN,
    });
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let running = Running::start(
        modelpulse()
            .args(["monitor", "--model", "runs/m", "--listen", "127.0.0.1:0"])
            .args(["--remote-write", &receiver.url, "--push-interval", "50ms"])
            .args(["--interval", "100ms"])
            .current_dir(dir.path()),
    );
    let url = served_at(&running);
    let push = || get(&format!("{url}/actuator/health/push"));
    let target = format!(
        "remote write {}",
        receiver.url.trim_start_matches("http://")
    );
    let unwell = until("what is wrong", || {
        Some(push()).filter(|it| it.status == 503)
    });
    let told = unwell.json();
    assert_eq!(told["status"], "DOWN");
    let problem = told["details"][&target]["problem"].as_str().unwrap();
    assert_eq!(problem, "it answered 500: the disk is full");
    let evaluated = get(&format!("{url}/evaluate")).json()["step"].as_i64();
    until("another evaluation", || {
        (get(&format!("{url}/evaluate")).json()["step"].as_i64() > evaluated).then_some(())
    });
    let waiting = push().json()["details"][&target]["waiting"]
        .as_u64()
        .unwrap();
    assert!(waiting > 0);
    down.store(false, Ordering::Relaxed);
    let well = until("all of it", || Some(push()).filter(|it| it.status == 200));
    assert_eq!(well.json()["details"][&target]["dropped"], 0);
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    let page = by_series(&receiver.all());
    let accuracy = page
        .iter()
        .find(|(labels, _)| labels["__name__"] == "modelpulse_accuracy");
    assert!(
        accuracy
            .unwrap()
            .1
            .iter()
            .all(|sample| sample.1 != bits(0.0))
    );
}

#[test]
fn a_monitor_serves_while_its_alerts_are_not_taken_and_tells_what_is_wrong() {
    let down = Arc::new(AtomicBool::new(true));
    let unwell = down.clone();
    let receiver = Receiver::start(move |_| match unwell.load(Ordering::Relaxed) {
        true => Reply::Because(500, "not now"),
        false => Reply::Status(200, ""),
    });
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let running = Running::start(
        modelpulse()
            .args(["monitor", "--model", "runs/m", "--listen", "127.0.0.1:0"])
            .args(["--rule", "eval/accuracy < 2", "--interval", "100ms"])
            .args(["--alertmanager", &receiver.url])
            .args(["--webhook", &format!("http://{}", Receiver::nowhere())])
            .current_dir(dir.path()),
    );
    let url = served_at(&running);
    let told = || get(&format!("{url}/actuator/health/notifications"));
    let problems = until("what is wrong", || {
        let told = told();
        let problems = told.json()["details"]["problems"].as_array()?.clone();
        (told.status == 503 && problems.len() == 2).then_some(problems)
    });
    let host = receiver.url.trim_start_matches("http://");
    let expected = format!("the Alertmanager at {host}: it answered 500: not now");
    assert_eq!(problems[0], expected);
    assert!(
        problems[1]
            .as_str()
            .unwrap()
            .starts_with("the webhook at 127.0.0.1:")
    );
    assert_eq!(get(&format!("{url}/evaluate")).status, 200);
    down.store(false, Ordering::Relaxed);
    until("the alert", || {
        let details = told().json()["details"].take();
        let one_left = details["problems"].as_array()?.len() == 1 && details["delivered"] == 1;
        one_left.then_some(())
    });
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    let alerts: serde_json::Value =
        serde_json::from_slice(&receiver.all().pop().unwrap().body).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "eval/accuracy < 2");
}

/// Where a monitor says that it listens.
fn served_at(running: &Running) -> String {
    let line = running.line("monitoring runs/m");
    let url = line.split(' ').find(|word| word.starts_with("http://"));
    url.unwrap().trim_end_matches(',').to_owned()
}

#[test]
fn what_is_sent_says_who_sends_it() {
    let receiver = Receiver::start(|_| TAKEN);
    let token = Target::remote_write(&receiver.url).bearer_token("secret");
    let user = Target::remote_write(&receiver.url).basic_auth("Aladdin", "open sesame");
    for (target, expected) in [
        (token, "Bearer secret"),
        // RFC 7617, section 2.
        (user, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ] {
        let registry = Registry::new();
        registry.gauge("x", "");
        Pusher::builder(&registry)
            .to(target)
            .start()
            .unwrap()
            .finish();
        assert_eq!(receiver.next().headers["authorization"], expected);
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("password"), "secret\n").unwrap();
    let trained = modelpulse()
        .args([
            "train",
            "--epochs",
            "1",
            "--quiet",
            "--remote-write",
            &receiver.url,
        ])
        .args(["--push-user", "me", "--push-password-file", "password"])
        .current_dir(dir.path())
        .status();
    assert!(trained.unwrap().success());
    assert_eq!(
        receiver.next().headers["authorization"],
        "Basic bWU6c2VjcmV0"
    );
}
