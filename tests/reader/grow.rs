//! A log that grows byte by byte is, after each, what one reads who comes only now.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use modelpulse::flow::Event;
use modelpulse::log::{Follower, Log, LogReader, Restart};
use tempfile::TempDir;

/// All that can be asked of a log.
fn told(log: &Log) -> String {
    let mut told = String::new();
    for restart in Restart::ALL {
        for run in log.runs(restart) {
            told += &format!("{restart} {} {:?}\n", run.name(), run.start_time());
            for tag in run.tags() {
                let series = run.series(tag).unwrap();
                told += &format!(" {tag:?} {} {:?}\n", series.plugin(), series.data_class());
                for point in series.points() {
                    let (time, number) =
                        (point.wall_time.to_bits(), point.number.map(f64::to_bits));
                    told += &format!("  {} {time} {number:?} {:?}\n", point.step, point.place());
                }
            }
        }
    }
    for file in log.files() {
        let (bytes, records, recovered) = (file.bytes(), file.records(), file.recovered());
        told += &format!("{bytes} {records} {recovered} {:?}\n", file.problems());
    }
    told
}

fn events_of(dir: &Path) -> Vec<Event> {
    let Ok(mut log) = LogReader::open(dir) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    while let Some(instant) = log.instant().unwrap() {
        events.extend(instant);
    }
    events
}

/// Files that grow by turns, a few bytes each.
struct Growing {
    dir: TempDir,
    files: Vec<(PathBuf, Vec<u8>, usize)>,
}

impl Growing {
    /// Copies of the event files below `from`.
    fn of(from: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        let mut left = vec![from.to_owned()];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(
                    fs::read_dir(path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if path.to_string_lossy().contains("tfevents") {
                let to = dir.path().join(path.strip_prefix(from).unwrap());
                files.push((to, fs::read(path).unwrap(), 0));
            }
        }
        files.sort();
        Self { dir, files }
    }

    /// Appends `bytes` to the next file that is not whole; false at the end.
    fn grow(&mut self, turn: usize, bytes: usize) -> bool {
        let count = self.files.len();
        for index in (0..count).map(|index| (turn + index) % count) {
            let (path, all, len) = &mut self.files[index];
            if *len < all.len() {
                let end = (*len + bytes).min(all.len());
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let mut file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(path)
                    .unwrap();
                file.write_all(&all[*len..end]).unwrap();
                *len = end;
                return true;
            }
        }
        false
    }
}

/// Lets the logs of a case of the corpus grow, and compares after each `bytes` of them.
fn check(case: &str, bytes: usize) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/given");
    let mut growing = Growing::of(&corpus.join(case));
    let dir = growing.dir.path().to_owned();
    let (mut log, mut follower) = (Log::follow(&dir), Follower::of(&dir));
    let (mut turn, mut events) = (0, Vec::new());
    while growing.grow(turn / 3, bytes) {
        turn += 1;
        log.refresh().unwrap();
        let mut anew = Log::follow(&dir);
        anew.refresh().unwrap();
        assert_eq!(told(&log), told(&anew), "{case} after {turn} turns");
        // One who comes now and does not wait reads what an ended log has.
        anew.finish().unwrap();
        assert_eq!(
            told(&anew),
            told(&Log::open(&dir).unwrap()),
            "{case} after {turn} turns"
        );
        events.extend(follower.next_events().unwrap());
    }
    assert!(turn > 20, "{case}: {turn} turns");
    log.finish().unwrap();
    assert_eq!(
        told(&log),
        told(&Log::open(&dir).unwrap()),
        "{case} at its end"
    );

    // The follower gave each event once. What lies behind a torn tail, it waits for.
    let key = |event: &Event| {
        let time = event.wall_time.to_bits();
        (event.path(), time, event.step, format!("{:?}", event.value))
    };
    let [mut ours, mut all] =
        [events, events_of(&dir)].map(|events| events.iter().map(key).collect::<Vec<_>>());
    ours.sort();
    all.sort();
    assert_eq!(ours, all, "{case}");
}

#[test]
fn whole_logs_grow() {
    check("session_log", 1);
    check("multifile/sequential", 1);
    check("multifile/overlap", 1);
    check("steps", 3);
    check("tbx_purge", 5);
    check("torch_purge", 5);
    check("tf2_plugins", 61);
}

#[test]
fn damaged_logs_grow() {
    check("bitflip", 5);
    check("tail", 5);
    check("bitflip/length_with_valid_crc", 1);
    check("tail/zero_hole_in_middle", 1);
    check("multifile/first_truncated", 1);
    check("hostile_other", 3);
    check("wall_time", 3);
}

#[test]
fn compressed_logs_grow() {
    check("compressed", 3);
}
