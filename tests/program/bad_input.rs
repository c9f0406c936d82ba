//! Bad input gets one line that says what and where, and leaves nothing behind.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Ran, modelpulse, replay, run, train};

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";
const EVAL_IMAGES: &str = "t10k-images-idx3-ubyte";
const EVAL_LABELS: &str = "t10k-labels-idx1-ubyte";

/// An IDX file: the header and the data.
fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    file.extend(dimensions.iter().flat_map(|side| side.to_be_bytes()));
    file.extend(data);
    file
}

/// A directory with a data set of six images that nothing is wrong with, and beside it a place for logs.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.data()).unwrap();
        let pixels: Vec<u8> = (0..16).map(|pixel| pixel * 16).collect();
        place.put(IMAGES, &idx(&[4, 2, 2], &pixels));
        place.put(LABELS, &idx(&[4], &[0, 1, 0, 1]));
        place.put(EVAL_IMAGES, &idx(&[2, 2, 2], &pixels[..8]));
        place.put(EVAL_LABELS, &idx(&[2], &[0, 1]));
        place
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn logdir(&self) -> PathBuf {
        self.dir.path().join("runs")
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.data().join(name), bytes).unwrap();
    }

    fn train(&self) -> Ran {
        let data = self.data().into_os_string().into_string().unwrap();
        train(&self.logdir(), &["--epochs", "1", "--data", &data])
    }

    /// Training on the data is refused by a line that has all of `saying`, and leaves no run.
    #[track_caller]
    fn refuses(&self, saying: &[&str]) {
        refused(&self.train(), saying);
        self.has_no_run();
    }

    #[track_caller]
    fn has_no_run(&self) {
        let left: Vec<_> = fs::read_dir(self.logdir()).into_iter().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[track_caller]
fn refused(ran: &Ran, saying: &[&str]) {
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert_eq!(ran.out, "", "{ran:#?}");
    assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
    assert!(ran.err.starts_with("error: "), "{ran:#?}");
    assert!(!ran.err.contains("panicked"), "{ran:#?}");
    for words in saying {
        assert!(ran.err.contains(words), "does not say {words}: {ran:#?}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn data_that_nothing_is_wrong_with_is_taken() {
    let place = Place::new();
    let ran = place.train().ended(0);
    assert_eq!(ran.err, "");
    assert!(place.logdir().join("data-001/train").is_dir());
}

#[test]
fn data_directory_that_does_not_exist_is_refused() {
    let place = Place::new();
    fs::remove_dir_all(place.data()).unwrap();
    place.refuses(&[text(&place.data()), "no such directory"]);
}

#[test]
fn data_directory_that_lacks_a_file_is_refused() {
    for name in [IMAGES, LABELS, EVAL_IMAGES, EVAL_LABELS] {
        let place = Place::new();
        fs::remove_file(place.data().join(name)).unwrap();
        place.refuses(&[text(&place.data()), "missing", name]);
    }
}

#[test]
fn truncated_idx_files_are_refused() {
    for name in [IMAGES, LABELS, EVAL_IMAGES, EVAL_LABELS] {
        let place = Place::new();
        let path = place.data().join(name);
        let whole = fs::read(&path).unwrap();
        // In the data, in the header, in the first word, and nothing at all.
        for length in [whole.len() - 1, 7, 3, 0] {
            place.put(name, &whole[..length]);
            place.refuses(&[text(&path), "truncated", &format!("got {length};")]);
        }
    }
}

#[test]
fn idx_file_of_another_kind_is_refused() {
    let place = Place::new();
    let path = place.data().join(IMAGES);
    let labels = fs::read(place.data().join(LABELS)).unwrap();
    place.put(IMAGES, &labels);
    place.refuses(&[text(&path), "0x00000801", "expected 0x00000803"]);
    place.put(IMAGES, b"<!DOCTYPE html><title>404 Not Found</title>");
    place.refuses(&[text(&path), "0x3c21444f", "expected 0x00000803"]);
}

#[test]
fn fewer_labels_than_images_are_refused() {
    let place = Place::new();
    place.put(LABELS, &idx(&[3], &[0, 1, 0]));
    let (images, labels) = (place.data().join(IMAGES), place.data().join(LABELS));
    place.refuses(&[text(&images), "4 images", text(&labels), "3 labels"]);
}

#[test]
fn log_directory_that_cannot_be_made_is_refused() {
    let place = Place::new();
    let file = place.data().join(LABELS);
    let before = fs::read(&file).unwrap();
    for logdir in [&file, &file.join("runs"), Path::new("/proc")] {
        refused(&train(logdir, &["--epochs", "1"]), &[text(logdir)]);
    }
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (setting, value, problem) in [
        ("--epochs", "0", "at least 1"),
        ("--epochs", "many", "not a whole number"),
        ("--batch-size", "0", "at least 1"),
        ("--learning-rate", "abc", "not a number"),
        ("--learning-rate", "nan", "positive number"),
        ("--learning-rate", "inf", "positive number"),
        ("--learning-rate", "0", "positive number"),
        ("--hidden", "64,0", "at least 1"),
        ("--seed", "x", "invalid digit"),
    ] {
        let place = Place::new();
        let ran = train(&place.logdir(), &[setting, value]);
        refused(&ran, &[setting, problem]);
        place.has_no_run();
    }
}

#[test]
fn rules_that_do_not_parse_are_refused() {
    for (rule, problem) in [
        ("loss", "no comparison"),
        ("loss = 3", "no comparison"),
        ("loss < x", "'x' is not a number"),
        ("< 3", "names no series"),
        ("loss < nan", "NaN"),
    ] {
        let place = Place::new();
        let ran = train(&place.logdir(), &["--rule", "a < 1", "--rule", rule]);
        refused(&ran, &[rule, problem]);
        place.has_no_run();
        let ran = replay(place.dir.path(), &["--rule", rule]);
        refused(&ran, &[rule, problem]);
    }
}

#[test]
fn unknown_and_missing_arguments_are_refused() {
    let place = Place::new();
    refused(&train(&place.logdir(), &["--epoch", "3"]), &["--epoch"]);
    refused(&train(&place.logdir(), &["extra"]), &["'extra'"]);
    place.has_no_run();
    refused(&replay(place.dir.path(), &[]), &["--rule"]);
    refused(&run(modelpulse().args(["replay"])), &["<LOGDIR>"]);
    refused(&run(modelpulse().args(["trian"])), &["'trian'"]);
}

#[test]
fn run_name_that_is_taken_or_taken_for_a_file_is_refused() {
    let place = Place::new();
    train(&place.logdir(), &["--epochs", "1", "--name", "a", "-q"]).ended(0);
    let files = |dir: &str| {
        let entries = fs::read_dir(place.logdir().join(dir)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = (files("a"), files("a/train"));
    let dir = place.logdir().join("a");
    refused(
        &train(&place.logdir(), &["--epochs", "1", "--name", "a"]),
        &[text(&dir), "exists", "--name"],
    );
    assert_eq!((files("a"), files("a/train")), before);
    let ran = train(&place.logdir(), &["--name", "my.tfevents.1"]);
    refused(&ran, &["tfevents"]);
    assert_eq!(files(""), ["a"]);
}

#[test]
fn replay_of_what_is_no_log_is_refused() {
    let place = Place::new();
    let rule = ["--rule", "loss > 1"];
    let nowhere = place.dir.path().join("nowhere");
    refused(&replay(&nowhere, &rule), &[text(&nowhere), "No such file"]);
    let file = place.data().join(LABELS);
    // What is wrong with its bytes is said first.
    let ran = replay(&file, &rule).ended(2);
    let last = ran.err.lines().last().unwrap();
    assert!(
        last.starts_with("error: ") && last.contains(text(&file)),
        "{ran:#?}"
    );
    refused(
        &replay(&place.data(), &rule),
        &[text(&place.data()), "no event files"],
    );
    // A file of that name which holds no records.
    let empty = place.dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("events.out.tfevents.1.host"), b"").unwrap();
    refused(&replay(&empty, &rule), &[text(&empty), "no such values"]);
}
