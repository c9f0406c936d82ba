//! scikit-learn's real tables with the scores of fitted models, and what scikit-learn says of them at the same time.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::support::{Case, Check};
use super::{binary, multiclass, regression};

#[test]
fn real_tables_agree_with_scikit_learn() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("MODELPULSE_PYTHON")
        .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    let script = root.join("tests/metrics/tables.py");
    let output = Command::new(&python)
        .arg(script)
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "no Python with scikit-learn at {}: {error}; `tests/run` sets one up, \
             or MODELPULSE_PYTHON names another",
                python.display()
            )
        });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} failed; `tests/run` sets up a Python that can.\n{said}",
        python.display()
    );
    let tables: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("scikit-learn {}", tables["version"].as_str().unwrap());
    let each = |kind: &str, compare: fn(&mut Check, &Case)| {
        for case in tables[kind].as_array().unwrap() {
            let case = Case::of(case);
            let mut check = Check::new();
            compare(&mut check, &case);
            check.finish(&case.id);
        }
    };
    each("binary", binary::compare);
    each("multiclass", multiclass::compare);
    each("regression", regression::compare);
}
