//! TensorBoard's two loaders, behind one Python for all tests: importing TensorBoard takes seconds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Steps and values.
pub type Points = Vec<(i64, f32)>;

/// What one loader shows of a log directory.
#[derive(Debug, Default, PartialEq)]
pub struct View {
    /// By run and tag.
    pub scalars: BTreeMap<(String, String), Points>,
    /// By run and tag; a histogram's value is its count.
    pub histograms: BTreeMap<(String, String), Points>,
    /// How a run's session with hyperparameters ended.
    pub ends: BTreeMap<String, String>,
}

/// What both loaders show of a log directory.
#[derive(Debug)]
pub struct Shown {
    pub fast: View,
    pub slow: View,
}

impl Shown {
    pub fn both(&self) -> [(&'static str, &View); 2] {
        [("fast", &self.fast), ("slow", &self.slow)]
    }

    /// What both show; they must show the same.
    #[track_caller]
    pub fn agreed(self) -> View {
        let Self { fast, slow } = self;
        for (fast, slow) in [
            (&fast.scalars, &slow.scalars),
            (&fast.histograms, &slow.histograms),
        ] {
            let names = |view: &BTreeMap<_, Points>| -> Vec<_> { view.keys().cloned().collect() };
            assert_eq!(names(fast), names(slow), "series: fast, slow");
            for (name, points) in fast {
                let other = &slow[name];
                let differ = points.iter().zip(other).find(|(fast, slow)| fast != slow);
                let lens = (points.len(), other.len());
                assert_eq!((differ, lens.0), (None, lens.1), "{name:?}: fast, slow");
            }
        }
        assert_eq!(fast.ends, slow.ends);
        fast
    }
}

impl View {
    /// A scalar curve.
    #[track_caller]
    pub fn scalar(&self, run: &str, tag: &str) -> &Points {
        let points = self.scalars.get(&(run.to_owned(), tag.to_owned()));
        points.unwrap_or_else(|| {
            panic!(
                "no {tag} of run {run}, only {:?}",
                self.scalars.keys().collect::<Vec<_>>()
            )
        })
    }

    /// How many scalars there are.
    pub fn scalar_count(&self) -> u64 {
        self.scalars
            .values()
            .map(|points| points.len() as u64)
            .sum()
    }
}

/// What both loaders show of `dir` now.
#[track_caller]
pub fn shown(dir: &Path) -> Shown {
    let answer = ask("fast,slow", dir);
    Shown {
        fast: view(&answer["fast"]),
        slow: view(&answer["slow"]),
    }
}

/// What the data server shows of `dir` now: the Python loader takes a minute for a million values.
#[track_caller]
pub fn shown_by_data_server(dir: &Path) -> View {
    view(&ask("fast", dir)["fast"])
}

#[track_caller]
fn ask(loaders: &str, dir: &Path) -> Value {
    static PYTHON: Mutex<Option<Python>> = Mutex::new(None);
    let mut python = PYTHON.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = python.get_or_insert_with(Python::start);
    asked.ask(loaders, dir).unwrap_or_else(|| {
        *python = None;
        panic!("the loaders failed at {}", dir.display());
    })
}

/// It ends with its input, and so with this process.
struct Python {
    _child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("MODELPULSE_PYTHON")
            .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
        let mut child = Command::new(&python)
            .arg(root.join("tests/writer/read_log.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("no Python at {}: {error}; use tests/run", python.display())
            });
        Self {
            questions: child.stdin.take().expect("is piped"),
            answers: BufReader::new(child.stdout.take().expect("is piped")),
            _child: child,
        }
    }

    fn ask(&mut self, loaders: &str, dir: &Path) -> Option<Value> {
        writeln!(self.questions, "{loaders} {}", dir.display()).ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

fn view(json: &Value) -> View {
    let ends = json["ends"].as_object().expect("an object");
    let end = |(run, status): (&String, &Value)| {
        (run.clone(), status.as_str().unwrap_or_default().to_owned())
    };
    View {
        scalars: series(&json["scalars"]),
        histograms: series(&json["histograms"]),
        ends: ends.iter().map(end).collect(),
    }
}

fn series(json: &Value) -> BTreeMap<(String, String), Points> {
    let mut series = BTreeMap::new();
    for (run, tags) in json.as_object().expect("an object") {
        for (tag, columns) in tags.as_object().expect("an object") {
            let column = |index: usize| columns[index].as_array().expect("an array");
            let steps = column(0).iter().map(|step| step.as_i64().expect("a step"));
            let points = steps.zip(column(1).iter().map(number)).collect();
            series.insert((run.clone(), tag.clone()), points);
        }
    }
    series
}

fn number(value: &Value) -> f32 {
    value.as_f64().map_or_else(
        || {
            value
                .as_str()
                .unwrap_or_default()
                .parse()
                .expect("a number")
        },
        |value| value as f32,
    )
}
