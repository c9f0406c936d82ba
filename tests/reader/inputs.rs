//! The inputs of the fuzzer, and what it found, tried again: `fuzz/README.md`.

use std::fs;
use std::path::Path;

use super::targets;

/// Tries all inputs of a target.
fn try_all(name: &str, target: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz_inputs")
        .join(name);
    let mut inputs = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        target(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0);
}

#[test]
fn framing() {
    try_all("framing", targets::framing);
}

#[test]
fn decoding() {
    try_all("decoding", targets::decoding);
}

#[test]
fn discovery() {
    try_all("discovery", targets::discovery);
}
