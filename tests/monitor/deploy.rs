//! `examples/deploy/`: every file by the program that reads it, for real where that can be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::prometheus::Prometheus;
use crate::support::{Running, get, modelpulse, monitor, post, train, until};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy")
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// What a command said; it must succeed.
#[track_caller]
fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    let ran = command.output();
    let ran = ran.unwrap_or_else(|error| panic!("{program:?}: {error}; use tests/run"));
    assert!(ran.status.success(), "{program:?}: {ran:?}");
    ran
}

#[test]
fn the_rules_pass_their_scenarios_and_prometheus_takes_them_as_exported() {
    let rules = root().join("rules.toml");
    let tested = run(modelpulse().args(["rules", "test"]).arg(&rules));
    assert_eq!(String::from_utf8_lossy(&tested.stdout).lines().count(), 3);
    let exported = run(modelpulse().args(["rules", "export"]).arg(&rules));
    assert_eq!(String::from_utf8_lossy(&exported.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&exported.stdout),
        file("modelpulse-rules.yml")
    );
    // It reads the files of rules that the configuration names.
    let checked = run(Command::new("promtool")
        .args(["check", "config", "prometheus.yml"])
        .current_dir(root()));
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(said.matches("SUCCESS").count(), 4, "{said}");
}

/// The unit with this program, and the words of what it starts.
fn unit(program: &str) -> (String, Vec<String>) {
    let text = file("modelpulse.service").replace("/usr/local/bin/modelpulse", program);
    let joined = text.replace("\\\n", " ");
    let line = joined
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let words = line.unwrap().split_whitespace().map(str::to_owned);
    let words = words.collect();
    (text, words)
}

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("modelpulse.service");
    fs::write(&path, unit(env!("CARGO_BIN_EXE_modelpulse")).0).unwrap();
    let verified = run(Command::new("systemd-analyze").arg("verify").arg(&path));
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(!said.contains("modelpulse.service"), "{said}");
    // Of 100, which is a service that may do all.
    run(Command::new("systemd-analyze")
        .args(["security", "--no-pager", "--offline=true", "--threshold=15"])
        .arg(&path));
}

#[test]
fn what_the_unit_starts_serves_until_it_is_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    fs::write(dir.path().join("token"), "secret\n").unwrap();
    let place = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (_, words) = unit(env!("CARGO_BIN_EXE_modelpulse"));
    let words = words.iter().map(|word| {
        word.replace("/srv/models/current", &place("runs/m"))
            .replace(
                "/etc/modelpulse/rules.toml",
                root().join("rules.toml").to_str().unwrap(),
            )
            .replace("%S", &place("state"))
            .replace("%d", &place(""))
            .replace("127.0.0.1:8000", "127.0.0.1:0")
    });
    let words: Vec<String> = words.collect();
    let running = Running::start(Command::new(&words[0]).args(&words[1..]));
    let line = running.line("monitoring ");
    let url = line.split(' ').find(|word| word.starts_with("http://"));
    let url = url.unwrap().trim_end_matches(',').to_owned();
    assert_eq!(get(&format!("{url}/evaluate")).status, 401);
    let header = [("authorization", "Bearer secret")];
    let answer = crate::support::get_with(&format!("{url}/evaluate"), &header);
    assert_eq!(answer.status, 200, "{answer:?}");
    running.signal("TERM");
    assert_eq!(running.end().0, Some(0));
    let logged = fs::read_dir(dir.path().join("state/modelpulse/log/eval")).unwrap();
    let files = logged.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_file());
    assert_eq!(files.count(), 1);
}

/// What stands for the variables of the dashboard.
fn filled(expression: &str) -> String {
    expression
        .replace("$job", ".*")
        .replace("$instance", ".*")
        .replace("$__rate_interval", "1m")
}

/// Panels that may be empty: what they show need not be there.
const EMPTY: &[&str] = &[
    // Once a value is missing.
    "Missing values",
    // Of a machine that has some.
    "GPUs",
];

#[test]
fn every_panel_of_the_dashboard_has_data() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path());
    let arguments = [
        "--quiet",
        "--interval",
        "500ms",
        "--rule",
        "eval/accuracy < 1.1",
        "--detect",
        "adwin:eval/accuracy",
    ];
    let (running, url) = monitor(dir.path(), &arguments);
    let config = file("prometheus.yml")
        .replace("15s", "1s")
        .replace("localhost:8000", url.trim_start_matches("http://"));
    let rules = file("modelpulse-rules.yml").replace("'30s'", "'1s'");
    let prometheus = Prometheus::configured(&[
        ("prometheus.yml", &config),
        ("modelpulse-rules.yml", &rules),
        // One that fires.
        (
            "monitor-rules.yml",
            &file("monitor-rules.yml").replace("== 0\n        for: 2m", "== 1"),
        ),
    ]);

    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut asked = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            asked.push((text(&panel["title"]), filled(&text(&target["expr"]))));
        }
    }
    for variable in list(&dashboard["templating"]["list"]) {
        if variable["type"] == "query" {
            let query = text(&variable["query"]);
            let inner = query.strip_prefix("label_values(").unwrap();
            let (series, label) = inner.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
            let query = format!("count by ({label}) ({})", filled(series));
            asked.push((text(&variable["name"]), query));
        }
    }
    assert!(asked.len() > 30, "{}", asked.len());
    let row = format!("[{}]", ["0.5"; 64].join(","));
    // A chunk that is unlike what the model was trained with.
    let chunk = vec![row.as_str(); 200].join(",");
    let body = format!("{{\"rows\": [{chunk}]}}");
    assert_eq!(post(&format!("{url}/predict"), body).status, 200);
    let mut id = 0;
    for (title, query) in asked {
        let shown = || {
            // Each of its kind goes on while Prometheus looks.
            id += 1;
            let body = json!({ "id": id, "prediction": 3 }).to_string();
            assert_eq!(post(&format!("{url}/observations"), body).status, 200);
            let body = json!({ "id": id, "label": 3 }).to_string();
            assert_eq!(post(&format!("{url}/labels"), body).status, 200);
            let body = format!("{{\"rows\": [{row}]}}");
            assert_eq!(post(&format!("{url}/predict"), body).status, 200);
            assert_eq!(post(&format!("{url}/predict"), "[[1]]").status, 400);
            (!prometheus.query(&query).is_empty()).then_some(())
        };
        prometheus.takes(&query);
        if !EMPTY.contains(&&*title) {
            until(&format!("{title}: {query}"), shown);
        }
    }
    drop(running);
}

#[test]
fn grafanas_own_models_take_the_dashboard() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let default = || tests.join("target/venv/bin/python");
    let python = std::env::var_os("MODELPULSE_PYTHON").map_or_else(default, Into::into);
    let check = |dashboard: &Path| {
        let mut command = Command::new(&python);
        command
            .arg(tests.join("tests/check_dashboard.py"))
            .arg(dashboard);
        command.output().expect("Python is there; use tests/run")
    };
    let good = check(&root().join("grafana-dashboard.json"));
    assert!(good.status.success(), "{good:?}");
    // What a model does not know, or knows otherwise, is seen.
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.json");
    for (from, to) in [
        ("\"fillOpacity\"", "\"fillOpacities\""),
        ("\"lineWidth\": 1", "\"lineWidth\": \"one\""),
        ("\"drawStyle\": \"line\"", "\"drawStyle\": \"wire\""),
        ("\"refId\": \"A\"", "\"refID\": \"A\""),
    ] {
        let text = file("grafana-dashboard.json");
        assert!(text.contains(from), "{from}");
        fs::write(&broken, text.replacen(from, to, 1)).unwrap();
        let said = check(&broken);
        assert_eq!(said.status.code(), Some(1), "{to}: {said:?}");
    }
    // What it does not look at: panels lie side by side, each with a number of its own.
    let dashboard: Value = serde_json::from_str(&file("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut taken = std::collections::BTreeSet::new();
    let mut numbers = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(numbers.insert(panel["id"].as_u64().unwrap()));
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
}

#[test]
fn shells_complete_commands_and_options() {
    let dir = tempfile::tempdir().unwrap();
    let script = |shell: &str| {
        let made = run(modelpulse().args(["completions", shell]));
        let path = dir.path().join(format!("_modelpulse.{shell}"));
        fs::write(&path, made.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let said = |program: &str, arguments: &[&str]| {
        let said = run(Command::new(program).args(arguments));
        assert_eq!(String::from_utf8_lossy(&said.stderr), "", "{program}");
        String::from_utf8(said.stdout).unwrap()
    };
    // As bash calls it when the key is pressed.
    let bash = "source $1; shift; COMP_WORDS=(modelpulse \"$@\"); COMP_CWORD=$#; \
                _modelpulse modelpulse \"${!#}\" \"${COMP_WORDS[$#-1]}\"; \
                printf '%s\\n' \"${COMPREPLY[@]}\"";
    let path = script("bash");
    let in_bash = |words: &[&str]| {
        let arguments = [&["--norc", "-c", bash, "bash", &path], words].concat();
        said("bash", &arguments)
    };
    assert_eq!(in_bash(&["mon"]), "monitor\n");
    assert_eq!(in_bash(&["monitor", "--inter"]), "--interval\n");
    assert_eq!(in_bash(&["completions", "f"]), "fish\n");

    let path = script("fish");
    let source = |line: &str| format!("source {path}; complete --do-complete '{line}'");
    let fish = said(
        "fish",
        &["--no-config", "--command", &source("modelpulse mon")],
    );
    assert!(
        fish.starts_with("monitor\t") && fish.lines().count() == 1,
        "{fish}"
    );

    // Zsh completes only at a prompt: there, it takes the function.
    let path = script("zsh");
    let zsh = format!(
        "autoload -Uz compinit; compinit -D; source {path}; print ${{_comps[modelpulse]}}; whence -w _modelpulse"
    );
    let zsh = said("zsh", &["-f", "-c", &zsh]);
    assert_eq!(zsh, "_modelpulse\n_modelpulse: function\n");
}
