//! What the tests share: curves, chance, children, foreign readers, small disks.

mod disk;
mod loaders;
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use modelpulse::Session;
use modelpulse::log::RunWriter;

pub use disk::Disk;
pub use loaders::{Points, View, shown, shown_by_data_server};
pub use program::{Program, number, role, say};

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A flush interval that does not end while a test runs.
pub const NEVER: Duration = Duration::from_secs(3600);

/// What is logged at `step` to curve number `curve`: exact at single precision, and hardly ever twice.
pub fn value(curve: u64, step: i64) -> f64 {
    f64::from(((step as u64 * 7_919 + curve * 104_729) % 1_000_003) as u32) / 16.0
}

/// Holds `points` to the curve `curve` at exactly these steps.
#[track_caller]
pub fn assert_curve(
    what: &str,
    points: &[(i64, f32)],
    curve: u64,
    steps: impl Iterator<Item = i64>,
) {
    let mut expected = steps.map(|step| (step, value(curve, step) as f32));
    let mut shown = points.iter().copied();
    for index in 0.. {
        match (shown.next(), expected.next()) {
            (None, None) => return,
            (shown, expected) => assert_eq!(shown, expected, "{what}: point {index}"),
        }
    }
}

/// Steps of [`log_all`]: more than a buffer holds.
const ALL: i64 = 5_000;
const TAGS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Logs five whole curves.
pub fn log_all(run: &RunWriter) {
    let series = TAGS.map(|tag| run.series(tag));
    for step in 0..ALL {
        let mut guard = run.step(step);
        for (series, curve) in series.iter().zip(0..) {
            guard.scalar(series, value(curve, step));
        }
    }
}

/// As [`log_all`], to the root run of a session.
pub fn log_all_to(session: &Session) {
    for step in 0..ALL {
        let mut instant = session.instant();
        for (tag, curve) in TAGS.into_iter().zip(0..) {
            instant.scalar(".", tag, step, value(curve, step));
        }
    }
}

/// Holds a run to the five curves, whole.
#[track_caller]
pub fn assert_all(view: &View, run: &str) {
    for (tag, curve) in TAGS.into_iter().zip(0..) {
        assert_curve(tag, view.scalar(run, tag), curve, 0..ALL);
    }
}

/// Chance from a seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Fails, rather than waiting for ever, where `work` hangs.
#[track_caller]
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = sender.send(work());
    });
    match done.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("still not done after {PATIENCE:?}"),
        Err(RecvTimeoutError::Disconnected) => {
            let panic = thread.join().err().unwrap_or_else(|| Box::new(""));
            std::panic::resume_unwind(panic)
        }
    }
}

/// Waits until `ready`.
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let since = Instant::now();
    while !ready() {
        assert!(since.elapsed() < PATIENCE, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The event files of `dir`, in readers' order.
pub fn event_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_events = |path: &PathBuf| path.to_string_lossy().contains("tfevents");
    let mut files: Vec<_> = paths.filter(is_events).collect();
    files.sort();
    files
}

/// How many bytes the event files of `dir` have.
pub fn size(dir: &Path) -> u64 {
    let size = |file: &PathBuf| fs::metadata(file).map_or(0, |file| file.len());
    event_files(dir).iter().map(size).sum()
}

/// The steps of the STARTs in the event files of `dir`.
pub fn starts(dir: &Path) -> Vec<i64> {
    use modelpulse::proto::{Event, event::What, session_log::SessionStatus};
    use modelpulse::record::{Item, RecordReader, Tail};
    let mut starts = Vec::new();
    for file in event_files(dir) {
        let mut reader = RecordReader::new(fs::File::open(file).unwrap());
        loop {
            match reader.next(Tail::Final).unwrap() {
                Item::Record(record) => {
                    let event: Event = prost::Message::decode(record.payload).unwrap();
                    if let Some(What::SessionLog(log)) = event.what
                        && log.status() == SessionStatus::Start
                    {
                        starts.push(event.step);
                    }
                }
                Item::Damage(_) => (),
                Item::End => break,
            }
        }
    }
    starts
}
