//! A running TensorBoard, for every test binary that looks at a log through one, and the Python that it runs in.
//!
//! `tests/run` installs both.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A Python that has TensorBoard and Pillow.
pub fn python() -> PathBuf {
    std::env::var_os("MODELPULSE_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python"),
        PathBuf::from,
    )
}

/// Runs a script of `tests/` and returns what it printed.
pub fn script<A: AsRef<std::ffi::OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name);
    let ran = Command::new(python()).arg(path).args(arguments).output();
    let ran = ran.unwrap_or_else(|error| no_python(&error));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{name}: {said}");
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn no_python(error: &std::io::Error) -> ! {
    let python = python();
    panic!("no Python at {}: {error}; use tests/run", python.display())
}

/// The way in which TensorBoard reads a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    /// Its data server, a program in Rust.
    Fast,
    /// Its own Python.
    Slow,
}

/// A running TensorBoard; it is killed when this is dropped.
#[derive(Debug)]
pub struct TensorBoard {
    child: Child,
    /// Where it listens, without a slash at the end.
    pub url: String,
    said: Arc<Mutex<String>>,
}

impl TensorBoard {
    /// Starts TensorBoard on a free port; returns when it knows of all `runs`.
    pub fn start(logdir: &Path, loader: Loader, runs: &[&str]) -> Self {
        let (load_fast, provider) = match loader {
            Loader::Fast => ("true", "GrpcDataProvider("),
            Loader::Slow => ("false", "MultiplexerDataProvider("),
        };
        let mut child = Command::new(python())
            .args(["-m", "tensorboard.main", "--host", "127.0.0.1"])
            .args(["--port", "0", "--load_fast", load_fast])
            .args(["--reload_interval", "1", "--samples_per_plugin"])
            .arg("scalars=100000,images=100000,histograms=100000,text=100")
            .arg("--logdir")
            .arg(logdir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| no_python(&error));
        let said = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
        let (sender, ready) = mpsc::channel();
        let heard = said.clone();
        // Goes on to the end, so that TensorBoard never waits for a full pipe.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(" at http://") {
                    let host = url.split('/').next().unwrap_or_default();
                    let _ = sender.send(format!("http://{host}"));
                }
                *heard.lock().unwrap() += &(line + "\n");
            }
        });
        let mut board = Self {
            child,
            url: String::new(),
            said,
        };
        board.url = match ready.recv_timeout(PATIENCE) {
            Ok(url) => url,
            Err(RecvTimeoutError::Timeout) => board.fail("it did not say where it listens"),
            Err(RecvTimeoutError::Disconnected) => board.fail("it ended"),
        };
        board.until("/data/runs", None, |known| {
            runs.iter().all(|run| {
                known
                    .as_array()
                    .is_some_and(|all| all.contains(&json!(run)))
            })
        });
        let environment = board.get("/data/environment");
        let used = environment["debug"]["data_provider"].as_str();
        assert!(
            used.is_some_and(|used| used.starts_with(provider)),
            "{loader:?} was asked for: {environment}"
        );
        board
    }

    /// What it has at `path`; it must have something.
    pub fn get(&self, path: &str) -> Value {
        match self.ask(path, None) {
            Ok(answer) => answer,
            Err(problem) => self.fail(&format!("{path}: {problem}")),
        }
    }

    /// What it has at `path`, or answers there to a question in JSON, as soon as `ready` accepts it: runs are
    /// known before they are read.
    pub fn until(
        &self,
        path: &str,
        question: Option<&Value>,
        ready: impl Fn(&Value) -> bool,
    ) -> Value {
        let since = Instant::now();
        loop {
            let answer = self.ask(path, question);
            match &answer {
                Ok(value) if ready(value) => return value.clone(),
                _ if since.elapsed() > PATIENCE => {
                    self.fail(&format!("{path}: still {answer:?}"));
                }
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The array at `path`, as soon as it has `length` items or more.
    pub fn list(&self, path: &str, length: usize) -> Vec<Value> {
        let long_enough = |value: &Value| value.as_array().is_some_and(|all| all.len() >= length);
        let value = self.until(path, None, long_enough);
        value.as_array().cloned().unwrap_or_default()
    }

    /// The bytes at `path`.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let mut answer = ureq::get(format!("{}{path}", self.url)).call().unwrap();
        answer.body_mut().read_to_vec().unwrap()
    }

    fn ask(&self, path: &str, question: Option<&Value>) -> Result<Value, String> {
        let url = format!("{}{path}", self.url);
        let answer = match question {
            None => ureq::get(url).call(),
            Some(question) => ureq::post(url)
                .content_type("application/json")
                .send(question.to_string()),
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let text = answer
            .body_mut()
            .read_to_string()
            .map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    #[track_caller]
    fn fail(&self, problem: &str) -> ! {
        panic!(
            "TensorBoard: {problem}\n--- what it said\n{}---",
            self.said.lock().unwrap()
        )
    }
}

impl Drop for TensorBoard {
    /// Its data server ends with it: that one watches a pipe from its parent.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
