//! Every log of the corpus is read as TensorBoard's own readers read it, and behind all damage.
//!
//! The folder is `tests/corpus`, or what `MODELPULSE_CORPUS` names: `expected_*.json` beside folders of
//! logs. Its keys are the logs; what they hold of each, the README of the folder or the code here says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What was compared.
#[derive(Debug, Default)]
struct Compared {
    cases: usize,
    files: usize,
    series: usize,
    values: usize,
    failures: Vec<String>,
}

#[test]
fn every_log_is_read_as_its_references_read_it() {
    let corpus = std::env::var_os("MODELPULSE_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus"),
        PathBuf::from,
    );
    let mut compared = Compared::default();
    let mut expectations: Vec<PathBuf> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("expected") && name.ends_with(".json")
        })
        .collect();
    expectations.sort();
    assert!(
        !expectations.is_empty(),
        "no expected_*.json in {}",
        corpus.display()
    );
    for path in expectations {
        let expected: Map<String, Value> =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for (case, expected) in expected.iter().filter(|(key, _)| !key.starts_with('_')) {
            compared.case(&corpus.join(case), case, expected);
        }
    }
    let Compared {
        cases,
        files,
        series,
        values,
        failures,
    } = &compared;
    println!("{cases} cases: {files} files, {series} series and {values} values compared");
    assert!(*cases > 0 && *values > 0);
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn inspect(logdir: &Path, restart: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(["inspect", "--json", "--points", "--restart", restart])
        .arg(logdir)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", logdir.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is wrong with the files of a run.
#[derive(Default)]
struct Damage {
    problems: usize,
    not_read: bool,
}

impl Compared {
    fn case(&mut self, logdir: &Path, case: &str, expected: &Value) {
        self.cases += 1;
        let [tensorboard, data_server, all] =
            ["tensorboard", "data-server", "keep-all"].map(|policy| inspect(logdir, policy));
        let damage = damage(logdir, &all);
        self.files(logdir, case, expected, &all);
        for (run, expected) in object(&expected["multiplexer"]["runs"]) {
            let ours = &tensorboard["runs"][run];
            let broken = damage.get(run.as_str()).map_or(0, |damage| damage.problems);
            let what = format!("{case} [{run}]");
            if ours.is_null() {
                self.fail(format!("{what}: the run is missing"));
                continue;
            }
            if broken == 0 && expected["start_time"] != ours["start_time"] {
                self.fail(format!("{what}: starts at {}", ours["start_time"]));
            }
            for (tag, expected) in object(&expected["tags"]) {
                self.multiplexer(
                    &format!("{what} {tag:?}"),
                    expected,
                    &ours["tags"][tag],
                    broken,
                );
            }
            for tag in object(&ours["tags"]).keys() {
                if broken == 0 && expected["tags"][tag].is_null() {
                    self.fail(format!("{what} {tag:?}: not there for TensorBoard"));
                }
            }
        }
        for (run, expected) in object(&expected["rustboard"]["runs"]) {
            let ours = &data_server["runs"][run];
            let damage = damage.get(run.as_str());
            // A marker without values, which the data server reads and TensorBoard does not.
            if damage.is_some_and(|damage| damage.not_read) {
                continue;
            }
            let broken = damage.map_or(0, |damage| damage.problems);
            for (tag, expected) in object(&expected["tags"]) {
                if !expected.is_object() {
                    continue;
                }
                let what = format!("{case} [{run}] {tag:?} for the data server");
                self.rustboard(&what, expected, &ours["tags"][tag], broken);
            }
        }
    }

    fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    fn kind(&mut self, what: &str, expected: &Value, ours: &Value) -> bool {
        self.series += 1;
        if ours.is_null() {
            self.fail(format!("{what}: missing"));
            return false;
        }
        for key in ["plugin", "data_class"] {
            if expected[key] != ours[key] {
                self.fail(format!(
                    "{what}: {key} is {}, not {}",
                    ours[key], expected[key]
                ));
            }
        }
        true
    }

    fn multiplexer(&mut self, what: &str, expected: &Value, ours: &Value, broken: usize) {
        if !self.kind(what, expected, ours) {
            return;
        }
        let (theirs, points) = (rows(expected), array(&ours["points"]));
        if broken > 0 {
            // TensorBoard stops at damage; what it has before is the begin of what is there.
            for (index, theirs) in theirs.iter().enumerate() {
                self.row(what, theirs, points.get(index).unwrap_or(&Value::Null));
            }
            return;
        }
        self.count(what, expected, ours);
        self.all(what, expected, &theirs, points);
    }

    fn rustboard(&mut self, what: &str, expected: &Value, ours: &Value, broken: usize) {
        if !self.kind(what, expected, ours) {
            return;
        }
        let (theirs, points) = (rows(expected), array(&ours["points"]));
        // The data server stops at a wall time that is not finite, and shows values whose checksum is wrong.
        let unreal = points.iter().any(|point| point[1].is_string());
        if unreal || broken > 0 {
            let mut missing = 0;
            for theirs in &theirs {
                let same = |point: &&Value| point[0] == theirs[0] && point[1] == theirs[1];
                match points.iter().find(same) {
                    Some(point) => self.row(what, theirs, point),
                    None => missing += 1,
                }
            }
            if missing > broken {
                self.fail(format!("{what}: {missing} points are missing"));
            }
            return;
        }
        self.count(what, expected, ours);
        self.all(what, expected, &theirs, points);
    }

    fn count(&mut self, what: &str, expected: &Value, ours: &Value) {
        if expected["count"] != ours["count"] {
            self.fail(format!(
                "{what}: {} points, not {}",
                ours["count"], expected["count"]
            ));
        }
        let points = array(&ours["points"]);
        let ends = [points.first(), points.last()].map(|end| end.unwrap_or(&Value::Null));
        for (key, point) in ["first", "last"].into_iter().zip(ends) {
            for (field, index) in [("step", 0), ("wall_time", 1)] {
                if ours[format!("{key}_{field}")] != point[index] {
                    self.fail(format!(
                        "{what}: {key} {field} is not that of the {key} point"
                    ));
                }
            }
        }
    }

    /// Compares all points; of a long series, the references show both ends.
    fn all(&mut self, what: &str, expected: &Value, theirs: &[Value], points: &[Value]) {
        let elided = points.len().saturating_sub(theirs.len());
        let half = theirs.len() / 2;
        if elided > 0 && expected["elided"] != true {
            self.fail(format!("{what}: {elided} points too many"));
        }
        if elided > 0 {
            // Of the other steps, the references show the checksum of all.
            let mut hash = Sha256::new();
            for point in points {
                hash.update(point[0].as_i64().unwrap().to_le_bytes());
            }
            let digits = hash
                .finalize()
                .iter()
                .take(8)
                .fold(String::new(), |digits, byte| {
                    digits + &format!("{byte:02x}")
                });
            if expected["steps_sha"] != digits {
                self.fail(format!("{what}: other steps"));
            }
        }
        for (index, theirs) in theirs.iter().enumerate() {
            let index = if elided > 0 && index >= half {
                index + elided
            } else {
                index
            };
            self.row(what, theirs, points.get(index).unwrap_or(&Value::Null));
        }
    }

    fn row(&mut self, what: &str, theirs: &Value, ours: &Value) {
        self.values += 1;
        if theirs[0] != ours[0] || theirs[1] != ours[1] || !same(&theirs[2], &ours[2]) {
            self.fail(format!("{what}: {ours}, not {theirs}"));
        }
    }

    /// All records that can be recovered are.
    fn files(&mut self, logdir: &Path, case: &str, expected: &Value, ours: &Value) {
        for (path, truth) in object(&expected["files"]) {
            self.files += 1;
            let what = format!("{case} file {path}");
            let ours_of = &ours["files"][path];
            let name = Path::new(path).file_name().unwrap().to_string_lossy();
            if ours_of.is_null() {
                if name.contains("tfevents") && !name.ends_with(".profile-empty") {
                    self.fail(format!("{what}: not read"));
                }
                continue;
            }
            if truth["bytes"] != ours_of["bytes"] {
                self.fail(format!("{what}: {} bytes", ours_of["bytes"]));
            }
            if is_compressed(&logdir.join(path)) {
                // The references cannot read these.
                if ours_of["records"] == 0 || !array(&ours_of["problems"]).is_empty() {
                    self.fail(format!("{what}: not decompressed"));
                }
                continue;
            }
            let number = |value: &Value| value.as_u64().unwrap_or(0);
            let recoverable = number(&truth["recoverable_later_records"]);
            let whole = number(&truth["valid_records_before_problem"]) + recoverable;
            if ours_of["records"] != whole || ours_of["recovered"] != recoverable {
                let (records, recovered) = (&ours_of["records"], &ours_of["recovered"]);
                self.fail(format!(
                    "{what}: {records} records, {recovered} recovered, not {whole} and {recoverable}"
                ));
            }
            let framing = ["bad_length_crc", "bad_payload_crc", "truncated"];
            let problem = array(&ours_of["problems"])
                .iter()
                .find(|problem| framing.iter().any(|kind| problem["kind"] == *kind));
            let null = Value::Null;
            let problem = problem.unwrap_or(&null);
            if problem["kind"] != truth["problem"] || problem["offset"] != truth["problem_offset"] {
                self.fail(format!("{what}: {problem}, not {}", truth["problem"]));
            }
            if let Some(first) = truth["first_recoverable_offset"].as_u64()
                && first != number(&problem["offset"]) + number(&problem["length"])
            {
                self.fail(format!("{what}: goes on elsewhere than at {first}"));
            }
            let run = run_of(path);
            let mut steps = Vec::new();
            for tag in object(&ours["runs"][run]["tags"]).values() {
                steps.extend(array(&tag["points"]).iter().map(|point| &point[0]));
            }
            let recoverable = array(&truth["recoverable_steps"]);
            for step in recoverable.iter().filter(|step| !steps.contains(step)) {
                self.fail(format!("{what}: no point of step {step}"));
            }
        }
    }
}

/// By run, what is wrong with its files.
fn damage<'a>(logdir: &Path, ours: &'a Value) -> BTreeMap<&'a str, Damage> {
    let mut damage: BTreeMap<&str, Damage> = BTreeMap::new();
    for (path, file) in object(&ours["files"]) {
        let problems = array(&file["problems"]);
        let problems = problems
            .iter()
            .filter(|problem| problem["kind"] != "bad_shape");
        // References cannot read what is compressed, so there all of it is behind damage.
        let compressed = usize::from(is_compressed(&logdir.join(path)));
        damage.entry(run_of(path)).or_default().problems += problems.count() + compressed;
    }
    for run in object(&ours["runs"]).keys() {
        let has_files = object(&ours["files"])
            .keys()
            .any(|path| run_of(path) == run);
        damage.entry(run).or_default().not_read = !has_files;
    }
    damage
}

fn is_compressed(path: &Path) -> bool {
    matches!(fs::read(path).unwrap()[..], [0x1f, 0x8b, ..] | [0x78, ..])
}

fn run_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(run, _)| run)
}

/// The points as ours are written: step, wall time, value.
fn rows(series: &Value) -> Vec<Value> {
    let columns = ["steps", "wall_times", "values"].map(|key| array(&series[key]));
    (0..columns[0].len())
        .map(|index| {
            columns
                .iter()
                .map(|column| column.get(index).cloned().unwrap_or_default())
                .collect()
        })
        .collect()
}

/// Whether a reference's value is ours.
fn same(theirs: &Value, ours: &Value) -> bool {
    if let Some(number) = theirs.as_f64() {
        return ours
            .as_f64()
            .is_some_and(|ours| ours.to_bits() == number.to_bits());
    }
    if theirs.is_string() {
        return theirs == ours;
    }
    // Of these, only numpy had no such type, or not the memory.
    if !theirs["error"].is_null() {
        return !ours["error"].is_null() || ours["dtype"] == "DT_BFLOAT16";
    }
    if !theirs["blobs"].is_null() {
        return theirs["blobs"] == ours["data"];
    }
    // The data server does not leave out empty outer buckets of older histograms.
    if theirs["dtype"] == "DT_DOUBLE" && ours["dtype"] == "DT_FLOAT" {
        return array(&ours["shape"]).get(1) == array(&theirs["shape"]).get(1);
    }
    ["dtype", "shape", "sha", "data"]
        .iter()
        .all(|key| theirs[key] == ours[key])
}

fn object(value: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
