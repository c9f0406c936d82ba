//! The foreign reader of the logs, and the data that the trainings learn.

use std::path::Path;
use std::process::Command;

use candle_core::Device;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::train::callbacks::Pixels;
use modelpulse::train::candle::LabelledTensors;
use serde_json::Value;

/// What TensorBoard reads from a log directory.
pub struct Log(pub Value);

/// Reads a log directory by `read_log.py`.
pub fn read(logdir: &Path) -> Log {
    let python =
        std::env::var_os("MODELPULSE_PYTHON").unwrap_or_else(|| "target/venv/bin/python".into());
    let output = Command::new(&python)
        .arg("tests/training/read_log.py")
        .arg(logdir)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|error| {
            panic!(
                "cannot run {}: {error}; tests/run installs it",
                python.display()
            )
        });
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Log(serde_json::from_slice(&output.stdout).unwrap())
}

impl Log {
    /// The series of a run.
    #[track_caller]
    pub fn series(&self, run: &str, tag: &str, plugin: &str) -> (Vec<u64>, Vec<Value>) {
        let tags = &self.0["runs"][run];
        let series = &tags[tag];
        let known = || tags.as_object().map(|tags| tags.keys().collect::<Vec<_>>());
        assert_eq!(
            series["plugin"],
            plugin,
            "{run}/{tag}; there are {:?}",
            known()
        );
        let steps = series["steps"].as_array().unwrap();
        let steps = steps.iter().map(|step| step.as_u64().unwrap()).collect();
        (steps, series["values"].as_array().unwrap().clone())
    }

    /// The scalars of a run.
    #[track_caller]
    pub fn scalars(&self, run: &str, tag: &str) -> (Vec<u64>, Vec<f64>) {
        let (steps, values) = self.series(run, tag, "scalars");
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        (steps, values.iter().map(number).collect())
    }

    /// The texts of a run.
    #[track_caller]
    pub fn texts(&self, run: &str, tag: &str) -> (Vec<u64>, Vec<String>) {
        let (steps, values) = self.series(run, tag, "text");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (steps, values.iter().map(text).collect())
    }

    /// The tags of a run that begin with `prefix`.
    pub fn tags(&self, run: &str, prefix: &str) -> Vec<&str> {
        let tags = self.0["runs"][run].as_object().into_iter().flatten();
        let tags = tags.map(|(tag, _)| tag.as_str());
        tags.filter(|tag| tag.starts_with(prefix)).collect()
    }
}

pub fn tensors(images: &Images) -> LabelledTensors {
    let size = images.height() * images.width();
    let (pixels, labels) = (images.pixels(), images.labels());
    LabelledTensors::from_bytes(pixels, size, images.max_value(), labels, &Device::Cpu).unwrap()
}

/// The embedded digits: 1437 to learn, 360 held out, of 8 × 8 pixels.
pub fn digits() -> (LabelledTensors, LabelledTensors, Pixels, Vec<String>) {
    let data = Dataset::digits();
    let eval = data.eval();
    let pixels = Pixels {
        pixels: eval.pixels().into(),
        width: eval.width(),
        height: eval.height(),
        max_value: eval.max_value(),
    };
    let (train, names) = (tensors(data.train()), data.class_names().to_vec());
    (train, tensors(eval), pixels, names)
}
