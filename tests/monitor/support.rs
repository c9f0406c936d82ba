//! Requests, and programs that are started and ended.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

use modelpulse::flow::Source;
use modelpulse::log::LogReader;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// An answer: its status, its headers that tests look at, and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub encoding: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    config.build().into()
}

fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut answer = answer.unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    Answer {
        status: answer.status().as_u16(),
        kind: header("content-type"),
        encoding: header("content-encoding"),
        body: answer.body_mut().read_to_vec().unwrap(),
    }
}

pub fn get(url: &str) -> Answer {
    get_with(url, &[])
}

pub fn get_with(url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = agent().get(url);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    answer(request.call())
}

pub fn post(url: &str, body: impl AsRef<[u8]>) -> Answer {
    let json = ("content-type", "application/json");
    post_with(url, json, body)
}

pub fn post_with(url: &str, (name, value): (&str, &str), body: impl AsRef<[u8]>) -> Answer {
    let request = agent().post(url).header(name, value);
    answer(request.send(body.as_ref()))
}

/// Asks again until `wanted` has what it wants.
#[track_caller]
pub fn until<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(got) = wanted() {
            return got;
        }
        assert!(since.elapsed() < PATIENCE, "{what} did not come");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A program that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    pub child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    /// Starts a program, whose standard error is read line by line.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}; use tests/run", command.get_program()));
        let said = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Goes on to the end, so that the program never waits for a full pipe.
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// The first line from here on that has `part` in it.
    #[track_caller]
    pub fn line(&self, part: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => said.push(line),
                Err(error) => panic!("no line with '{part}': {error}: {said:#?}"),
            }
        }
    }

    /// Sends a signal to it, and to it alone.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end: its exit code and what it printed.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut out = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        stdout.read_to_string(&mut out).unwrap();
        (self.child.wait().unwrap().code(), out)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program.
pub fn modelpulse() -> Command {
    Command::new(env!("CARGO_BIN_EXE_modelpulse"))
}

/// A small model that was trained in `dir`, as the run `runs/m`.
pub fn train(dir: &Path) {
    static TRAINED: LazyLock<TempDir> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let trained = modelpulse()
            .args(["train", "--epochs", "2", "--quiet", "--name", "m"])
            .current_dir(dir.path())
            .status();
        assert!(trained.unwrap().success());
        dir
    });
    let copied = Command::new("cp")
        .arg("-a")
        .arg(TRAINED.path().join("runs"))
        .arg(dir)
        .status();
    assert!(copied.unwrap().success());
}

/// Watches that model from a port that is free; where it listens.
pub fn monitor(dir: &Path, arguments: &[&str]) -> (Running, String) {
    monitor_by(modelpulse(), dir, arguments)
}

/// As [`monitor`], by a command that starts the program.
pub fn monitor_by(mut command: Command, dir: &Path, arguments: &[&str]) -> (Running, String) {
    let running = Running::start(
        command
            .args(["monitor", "--model", "runs/m", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(dir),
    );
    let line = running.line("monitoring ");
    let url = line.split(' ').find(|word| word.starts_with("http://"));
    let url = url.unwrap().trim_end_matches(',').to_owned();
    (running, url)
}

/// The values of a series of a log.
pub fn series(dir: &Path, path: &str) -> Vec<f32> {
    let mut log = LogReader::open(dir).unwrap();
    let mut values = Vec::new();
    while let Some(instant) = log.next_instant().unwrap() {
        let events = instant.iter().filter(|event| event.path() == path);
        values.extend(events.filter_map(|event| event.value.scalar()));
    }
    values
}
