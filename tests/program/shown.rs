//! Two sessions that the program trained, and a TensorBoard that shows them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Loader, TensorBoard, script, train};

/// Of each session.
pub const EPOCHS: usize = 4;
/// Two sessions in one log directory, what the program reported of each, and a TensorBoard above them.
pub struct Shown {
    pub sessions: [Trained; 2],
    pub board: TensorBoard,
    dir: TempDir,
}

pub struct Trained {
    pub name: &'static str,
    pub settings: [&'static str; 4],
    pub report: Value,
}

impl Trained {
    fn new(logdir: &Path, name: &'static str, settings: [&'static str; 4]) -> Self {
        let mut arguments = vec!["--epochs", "4", "--json", "--name", name];
        arguments.extend(settings);
        Self {
            name,
            settings,
            report: train(logdir, &arguments).ended(0).json(),
        }
    }
}

impl Shown {
    pub fn by(loader: Loader) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let logdir = dir.path().join("runs");
        let sessions = [
            ("first", ["--seed", "42", "--learning-rate", "0.003"]),
            ("second", ["--seed", "7", "--learning-rate", "0.01"]),
        ]
        .map(|(name, settings)| Trained::new(&logdir, name, settings));
        let runs = ["", "/train", "/eval", "/batch"];
        let runs = ["first", "second"].map(|name| runs.map(|run| format!("{name}{run}")));
        let runs: Vec<&str> = runs.as_flattened().iter().map(String::as_str).collect();
        Self {
            board: TensorBoard::start(&logdir, loader, &runs),
            sessions,
            dir,
        }
    }

    /// Steps and values of a series of scalars. They are single precision, to which they are rounded: serde_json
    /// may miss the last bit of what it reads.
    pub fn scalars(&self, run: &str, tag: &str, length: usize) -> Vec<(u64, f32)> {
        let path = format!("/data/plugin/scalars/scalars?run={run}&tag={tag}");
        let points = self.board.list(&path, length);
        let point = |point: &Value| {
            (
                point[1].as_u64().unwrap(),
                point[2].as_f64().unwrap() as f32,
            )
        };
        points.iter().map(point).collect()
    }

    /// The decoded images of a series of `EPOCHS`: width, height and RGB bytes.
    pub fn images(&self, run: &str, tag: &str) -> Vec<(u32, u32, Vec<u8>)> {
        let path = format!("/data/plugin/images/images?run={run}&tag={tag}&sample=0");
        let entries = self.board.list(&path, EPOCHS);
        let steps: Vec<_> = entries.iter().map(|entry| entry["step"].as_u64()).collect();
        assert_eq!(steps, [0, 1, 2, 3].map(Some), "{run} {tag}");
        let files: Vec<_> = (0..EPOCHS)
            .map(|epoch| self.dir.path().join(format!("{epoch}.png")))
            .collect();
        for (entry, file) in entries.iter().zip(&files) {
            let query = entry["query"].as_str().unwrap();
            let path = format!("/data/plugin/images/individualImage?{query}");
            fs::write(file, self.board.bytes(&path)).unwrap();
        }
        let sizes = script("decode_png.py", &files);
        let decoded = files.iter().zip(sizes.as_array().unwrap());
        let image = |(file, size): (&PathBuf, &Value)| {
            let side = |index: usize| u32::try_from(size[index].as_u64().unwrap()).unwrap();
            let rgb = fs::read(file.with_extension("png.rgb")).unwrap();
            (side(0), side(1), rgb)
        };
        decoded.map(image).collect()
    }
}
