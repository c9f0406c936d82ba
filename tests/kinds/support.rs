//! Questions to TensorBoard, and answers made comparable.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

#[path = "../tensorboard/mod.rs"]
mod board;

pub use board::{Loader, TensorBoard as Board};

/// The path of a route of a plugin.
pub fn route(plugin: &str, call: &str, query: &[(&str, &str)]) -> String {
    let mut path = format!("/data/plugin/{plugin}/{call}");
    for (index, (name, value)) in query.iter().enumerate() {
        let separator = if index == 0 { '?' } else { '&' };
        write!(path, "{separator}{name}={}", percent_encoded(value)).unwrap();
    }
    path
}

/// What `/PLUGIN/CALL?run=RUN&tag=TAG` answers, as soon as it has `length` entries.
#[track_caller]
pub fn series(
    board: &Board,
    plugin: &str,
    call: &str,
    run: &str,
    tag: &str,
    length: usize,
) -> Vec<Value> {
    let entries = board.list(&route(plugin, call, &[("run", run), ("tag", tag)]), length);
    assert_eq!(entries.len(), length, "{plugin} {run} {tag}: {entries:?}");
    entries
}

/// Single precision, which serde_json may miss by the last bit of a double; what is not finite comes as a string.
#[track_caller]
pub fn number(value: &Value) -> f32 {
    match value.as_str() {
        Some("NaN") => f32::NAN,
        Some("Infinity") => f32::INFINITY,
        Some("-Infinity") => f32::NEG_INFINITY,
        _ => value
            .as_f64()
            .unwrap_or_else(|| panic!("no number: {value}")) as f32,
    }
}

#[track_caller]
pub fn numbers(values: &Value) -> Vec<f32> {
    let values = values.as_array();
    let values = values.unwrap_or_else(|| panic!("no list of numbers"));
    values.iter().map(number).collect()
}

/// A picture or a sound, as Python's own libraries decode it.
#[derive(Debug)]
pub struct Decoded {
    /// All that is said of it but its content.
    pub facts: Value,
    /// The bytes of the pixels of each frame in the file's own mode, or of the samples.
    pub content: Vec<Vec<u8>>,
}

/// Decodes files; all of them at once, for Python takes its time to start.
pub fn decode(files: &[Vec<u8>]) -> Vec<Decoded> {
    let dir = tempfile::tempdir().unwrap();
    let paths = files.iter().enumerate().map(|(index, bytes)| {
        let path = dir.path().join(index.to_string());
        fs::write(&path, bytes).unwrap();
        path
    });
    let paths: Vec<_> = paths.collect();
    let answer = board::script("kinds/decode.py", &paths);
    let facts = answer.as_array().unwrap().iter().zip(&paths);
    let decoded = facts.map(|(facts, path)| {
        let frames = facts["frames"].as_u64().unwrap();
        let content = |frame| fs::read(path.with_extension(format!("{frame}"))).unwrap();
        Decoded {
            facts: facts.clone(),
            content: (0..frames).map(content).collect(),
        }
    });
    decoded.collect()
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}
