//! The server from outside: formats, Spring's shapes, who may do what, and what it does under attack.

use std::io::Read;
use std::sync::{Arc, mpsc};

use modelpulse::Session;
use modelpulse::flow::Source;
use modelpulse::health::{LabelledRows, Monitor, Observations, Registry, Rows, Watch};
use modelpulse::log::LogReader;
use modelpulse::serve::{Server, Serving};
use modelpulse::train::Task;
use serde_json::json;
use tempfile::TempDir;

use crate::lint::parse;
use crate::support::{PATIENCE, agent, get, get_with, post, post_with};

/// A watched model of one feature, which is the score.
pub struct Set {
    pub registry: Registry,
    pub watch: Watch,
    _dir: TempDir,
}

pub fn set(model: impl Fn(Rows<'_>) -> Vec<f32> + Send + Sync + 'static) -> Set {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let builder = Session::builder(dir.path()).sink(registry.sink());
    let data = LabelledRows::classes(vec![0.1, 0.9, 0.4, 0.6], 1, vec![0, 1, 1, 1]).unwrap();
    let watch = Monitor::new(model)
        .task(Task::Binary)
        .data(data)
        .registry(&registry)
        .start(&builder.start().unwrap())
        .unwrap();
    Set {
        registry,
        watch,
        _dir: dir,
    }
}

fn served() -> (Set, Serving) {
    let set = set(|rows| rows.values().to_vec());
    let server = Server::new(&set.registry).watch(&set.watch);
    let serving = server.listen("127.0.0.1:0").unwrap();
    (set, serving)
}

#[test]
fn a_page_comes_in_the_format_that_is_asked_for() {
    let (_set, serving) = served();
    assert_eq!(get(&format!("{}/evaluate", serving.url())).status, 200);
    let open = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    for path in ["/metrics", "/actuator/prometheus"] {
        let url = format!("{}{path}", serving.url());
        let text = get(&url);
        assert_eq!(text.kind, "text/plain; version=0.0.4; charset=utf-8");
        let text = parse(text.text(), false);
        let open = get_with(&url, &[("accept", open)]);
        assert!(
            open.kind
                .starts_with("application/openmetrics-text; version=1.0.0")
        );
        assert!(open.encoding.is_empty());
        let open = parse(open.text(), true);
        assert_eq!((&text.wrong, &open.wrong), (&vec![], &vec![]));
        let accuracy = &text.families["modelpulse_accuracy"];
        assert_eq!(accuracy, &open.families["modelpulse_accuracy"]);
        assert_eq!(accuracy.samples[0].2, 0.75);
        let zipped = get_with(&url, &[("accept-encoding", "gzip")]);
        assert_eq!(zipped.encoding, "gzip");
        let mut page = String::new();
        let mut plain = flate2::read::GzDecoder::new(&zipped.body[..]);
        plain.read_to_string(&mut page).unwrap();
        assert_eq!(parse(&page, false).wrong, [""; 0]);
    }
    let url = format!(
        "{}/actuator/prometheus?includedNames=predict_seconds,predictions_total",
        serving.url()
    );
    let some = parse(get(&url).text(), false);
    assert!(
        some.families
            .keys()
            .eq(["predict_seconds", "predictions_total"])
    );
}

#[test]
fn the_actuator_has_springs_shapes() {
    let (set, serving) = served();
    let actuator = |path: &str| get(&format!("{}/actuator{path}", serving.url()));
    let links = actuator("").json();
    let health = links["_links"]["health"]["href"].as_str().unwrap();
    assert_eq!(health, format!("{}/actuator/health", serving.url()));
    let health = get(health);
    assert_eq!(health.kind, "application/vnd.spring-boot.actuator.v3+json");
    assert_eq!(
        (health.status, &health.json()["status"]),
        (200, &json!("UP"))
    );
    assert_eq!(
        health.json()["components"]["ping"],
        json!({ "status": "UP" })
    );
    for group in ["/health/liveness", "/health/readiness"] {
        assert_eq!(actuator(group).json(), json!({ "status": "UP" }));
    }
    let names = actuator("/metrics").json();
    let names: Vec<&str> = names["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(names.is_sorted() && names.contains(&"predict"));
    for name in &names {
        let metric = actuator(&format!("/metrics/{name}")).json();
        assert_eq!(metric["name"], json!(name));
        for measured in metric["measurements"].as_array().unwrap() {
            assert!(measured["statistic"].is_string() && !measured["value"].is_null());
        }
        assert!(metric["availableTags"].is_array() && metric.get("baseUnit").is_some());
    }
    set.watch.malformed(3);
    let errors = actuator("/metrics/prediction.errors?tag=kind:malformed").json();
    let count = json!([{ "statistic": "COUNT", "value": 3.0 }]);
    assert_eq!(errors["measurements"], count);
    for (path, status) in [
        ("/metrics/nothing", 404),
        ("/metrics/prediction.errors?tag=kind:none", 404),
        ("/metrics/prediction.errors?tag=kind", 400),
        ("/health/nothing", 404),
        ("/info", 200),
    ] {
        assert_eq!(actuator(path).status, status, "{path}");
    }
}

#[test]
fn what_changes_state_needs_the_token() {
    let set = set(|rows| rows.values().to_vec());
    let server = || Server::new(&set.registry).watch(&set.watch);
    let serving = server().token("s3cret").listen("127.0.0.1:0").unwrap();
    let url = format!("{}/evaluate", serving.url());
    for (sent, status) in [
        ("", 401),
        ("Bearer", 401),
        ("Bearer s3cre", 401),
        ("Bearer s3cret2", 401),
        ("Basic s3cret", 401),
        ("bearer s3cret", 200),
        ("Bearer s3cret", 200),
    ] {
        let answer = get_with(&url, &[("authorization", sent)]);
        assert_eq!(answer.status, status, "{sent}");
    }
    assert_eq!(get(&format!("{}/metrics", serving.url())).status, 200);
    assert_eq!(set.watch.status().last.unwrap().step, 1);
    // Without a token, nobody from elsewhere may.
    let open = server().listen("0.0.0.0:0").unwrap();
    let port = open.address().port();
    let evaluate = get(&format!("http://127.0.0.1:{port}/evaluate"));
    assert_eq!(evaluate.status, 403);
    assert_eq!(get(&format!("http://127.0.0.1:{port}/metrics")).status, 200);
}

#[test]
fn observations_are_json_that_no_page_of_elsewhere_can_send() {
    let dir = tempfile::tempdir().unwrap();
    let live = Observations::new(Task::Binary);
    let session = Session::create(dir.path()).unwrap();
    let watch = Monitor::elsewhere(&live).start(&session).unwrap();
    let server = || Server::new(&Registry::new()).watch(&watch);
    let serving = server()
        .observations(&live, dir.path())
        .listen("127.0.0.1:0")
        .unwrap();
    let url = format!("{}/observations", serving.url());
    let body = r#"{"id": "a", "score": 0.9}"#;
    assert_eq!(
        post_with(&url, ("content-type", "text/plain"), body).status,
        415
    );
    assert_eq!(
        post(&url, body).json(),
        json!({ "accepted": 1, "repeated": 0 })
    );
    let refused = post(&url, r#"[{"id": "b"}]"#);
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().unwrap().contains("item 0"));
    let label = post(
        &format!("{}/labels", serving.url()),
        r#"{"id": "a", "label": 1}"#,
    );
    assert_eq!(label.json()["joined"], 1);
    let evaluated = get(&format!("{}/evaluate", serving.url())).json();
    assert_eq!(evaluated["live"]["metrics"]["accuracy"], 1.0, "{evaluated}");
    assert_eq!(evaluated["metrics"], json!({}));
    let predicted = post(&format!("{}/predict", serving.url()), "[[1]]").json();
    assert_eq!(predicted["error"], "the model is not here");
    let without = server().listen("127.0.0.1:0").unwrap();
    assert_eq!(post(&format!("{}/labels", without.url()), body).status, 404);
    drop((serving, without));
    let open = server()
        .observations(&live, dir.path())
        .listen("0.0.0.0:0")
        .unwrap();
    let port = open.address().port();
    let url = format!("http://127.0.0.1:{port}/observations");
    assert_eq!(post(&url, body).status, 403);
}

#[test]
fn a_bad_request_has_one_line_of_an_answer_and_is_counted() {
    let (set, serving) = served();
    let predict = format!("{}/predict", serving.url());
    let good = post(&predict, r#"{"rows": [[0.25], [0.75]]}"#).json();
    assert_eq!(
        good["predictions"][1],
        json!({ "class": 1, "scores": [0.75] })
    );
    for (body, said) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[[1, 2]]", "a row has 2 features, the model takes 1"),
        ("[[1], [1, 2]]", "row 1 has 2"),
        ("[[1e999]]", "out of range"),
        (r#"{"rows": "all"}"#, "expected a sequence"),
    ] {
        let answer = post(&predict, body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(said) && !error.contains('\n'), "{error}");
    }
    let page = get(&format!("{}/metrics", serving.url()));
    let page = page.text();
    assert!(
        page.contains("prediction_errors_total{kind=\"malformed\"} 6.0"),
        "{page}"
    );
    assert!(page.contains("predictions_total 2.0"), "{page}");
    assert_eq!(get(&predict).status, 405);
    assert_eq!(get(&format!("{}/nothing", serving.url())).status, 404);
    drop(set);
}

#[test]
fn a_model_that_panics_makes_the_service_unwell_and_it_serves_on() {
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let model = broken.clone();
    let set = set(move |rows| {
        assert!(
            !model.load(std::sync::atomic::Ordering::Relaxed),
            "out of memory"
        );
        rows.values().to_vec()
    });
    let server = Server::new(&set.registry).watch(&set.watch);
    let serving = server.listen("127.0.0.1:0").unwrap();
    let url = serving.url();
    let evaluated = get(&format!("{url}/evaluate"));
    assert_eq!(evaluated.status, 503);
    assert_eq!(evaluated.json()["error"], "panicked: out of memory");
    assert_eq!(post(&format!("{url}/predict"), "[[1]]").status, 500);
    let health = get(&format!("{url}/actuator/health"));
    assert_eq!(
        (health.status, &health.json()["status"]),
        (503, &json!("DOWN"))
    );
    let error = &health.json()["components"]["evaluation"]["details"]["error"];
    assert_eq!(error, "panicked: out of memory");
    assert_eq!(get(&format!("{url}/actuator/health/liveness")).status, 200);
    broken.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(get(&format!("{url}/evaluate")).status, 200);
    assert_eq!(get(&format!("{url}/actuator/health")).status, 200);
}

#[test]
fn an_evaluation_that_runs_is_answered_and_logged_before_the_end() {
    let (begun, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let (begun, goes_on) = (std::sync::Mutex::new(begun), std::sync::Mutex::new(goes_on));
    let set = set(move |rows| {
        begun.lock().unwrap().send(()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
        rows.values().to_vec()
    });
    let server = Server::new(&set.registry).watch(&set.watch);
    let serving = server.listen("127.0.0.1:0").unwrap();
    let url = serving.url();
    let (evaluate, metrics) = (format!("{url}/evaluate"), format!("{url}/metrics"));
    let asked = std::thread::spawn(move || get(&evaluate));
    begins.recv_timeout(PATIENCE).unwrap();
    // A scrape does not wait for it.
    assert_eq!(get(&metrics).status, 200);
    let (ending, ends) = mpsc::channel();
    let ended = std::thread::spawn(move || {
        ending.send(()).unwrap();
        serving.shutdown();
    });
    ends.recv().unwrap();
    go_on.send(()).unwrap();
    let answer = asked.join().unwrap();
    assert_eq!(answer.json()["metrics"]["accuracy"], 0.75);
    ended.join().unwrap();
    assert!(agent().get(&metrics).call().is_err());
    let dir = set.watch.session().dir().to_owned();
    let session = set.watch.session().clone();
    drop(set.watch);
    session.finish().unwrap();
    let mut log = LogReader::open(dir).unwrap();
    let mut found = false;
    while let Some(instant) = log.next_instant().unwrap() {
        found |= instant.iter().any(|event| event.path() == "eval/accuracy");
    }
    assert!(found);
}
