//! The programs of `examples/`, for every test binary that runs one.
//!
//! `cargo test` builds them beside the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The example of this name. Where only some test was built, it is built now, with these features.
pub fn example(name: &str, features: &str) -> PathBuf {
    // Beside the directory of the test's own program.
    let here = std::env::current_exe().unwrap();
    let profile = here.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(name);
    if !program.exists() {
        let release = ["--release"]
            .iter()
            .filter(|_| profile.ends_with("release"));
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--no-default-features"])
            .args(["--features", features])
            .args(["--example", name, "--target-dir"])
            .arg(profile.parent().unwrap())
            .args(release)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "cannot build {name}");
    }
    program
}
