//! The program trains on Fashion-MNIST as Debian packages it.

use std::path::Path;

use serde_json::json;

use crate::support::train;

/// Where the package `dataset-fashion-mnist` puts it.
const DATA: &str = "/usr/share/datasets/fashion-mnist";

#[test]
fn one_epoch_on_fashion_mnist_is_enough_to_be_right_mostly() {
    assert!(
        Path::new(DATA).is_dir(),
        "no {DATA}: Debian's package dataset-fashion-mnist has it; tests/run installs it"
    );
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--data", DATA, "--epochs", "1", "--batch-size", "128"];
    let ran = train(dir.path(), &[&arguments[..], &["--json"]].concat()).ended(0);
    let report = ran.json();
    assert_eq!(ran.err, "");
    let data = &report["data"];
    assert_eq!(
        [&data["name"], &data["train_images"], &data["eval_images"]],
        [&json!("fashion-mnist"), &json!(60_000), &json!(10_000)]
    );
    assert_eq!(report["steps"], json!(60_000_u32.div_ceil(128)));
    let accuracy = report["epochs"][0]["eval"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.7, "{accuracy}");
}
