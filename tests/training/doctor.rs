//! The doctor is right on trainings that are ill on purpose, and on healthy ones.

use std::path::Path;
use std::process::Command;

use candle_core::{DType, Device, Tensor};
use candle_nn::ParamsAdamW;
use modelpulse::Session;
use modelpulse::datasets::Dataset;
use modelpulse::health::FindingKind;
use modelpulse::log::Overflow;
use modelpulse::train::Schedule;
use modelpulse::train::callbacks::{
    Activations, GradNorm, Histograms, LearningRate, PrCurves, Scalars,
};
use modelpulse::train::candle::{AdamW, LabelledTensors, Mlp, Parameters, Trainer};
use serde_json::Value;

use crate::read::digits;

/// A training, as a user might set it up. Nothing in it looks for illnesses.
struct Patient {
    sizes: Vec<usize>,
    epochs: usize,
    schedule: Schedule,
    shuffle: bool,
    /// What the first weights and biases of the hidden layers are changed by.
    weights: f64,
    biases: f64,
    /// Which items of the training split are learned, and with which labels.
    items: Vec<usize>,
    labels: Vec<u32>,
    /// An item with a value that is no number.
    broken: bool,
}

impl Patient {
    fn well() -> Self {
        let data = Dataset::digits();
        let labels: Vec<u32> = data.train().labels().iter().map(|&it| it.into()).collect();
        Self {
            sizes: vec![64, 32, 10],
            epochs: 15,
            schedule: Schedule::constant(1e-3),
            shuffle: true,
            weights: 1.0,
            biases: 0.0,
            items: (0..labels.len()).collect(),
            labels,
            broken: false,
        }
    }

    fn rate(mut self, rate: f64) -> Self {
        self.schedule = Schedule::constant(rate);
        self
    }

    fn data(&self) -> LabelledTensors {
        let data = Dataset::digits();
        let images = data.train();
        let size = images.height() * images.width();
        let pixels = |item: &usize| &images.pixels()[item * size..(item + 1) * size];
        let mut values: Vec<f32> = self
            .items
            .iter()
            .flat_map(pixels)
            .map(|&pixel| f32::from(pixel) / 16.0)
            .collect();
        if self.broken {
            values[700 * size] = f32::NAN;
        }
        let labels = self.items.iter().map(|&item| self.labels[item]).collect();
        let shape = (self.items.len(), size);
        let inputs = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        LabelledTensors::new(inputs, labels).unwrap()
    }

    fn train(self, dir: &Path) {
        let parameters = Parameters::seeded(5);
        let model = Mlp::new(&self.sizes, parameters.builder(DType::F32, &Device::Cpu)).unwrap();
        for (name, var) in parameters.names().iter().zip(parameters.vars()) {
            let changed = match name.ends_with(".bias") {
                true if !name.starts_with(&format!("layer{}", self.sizes.len() - 2)) => {
                    var.affine(1.0, self.biases)
                }
                true => continue,
                false => var.affine(self.weights, 0.0),
            };
            var.set(&changed.unwrap()).unwrap();
        }
        // What a busy machine drops, the doctor cannot see.
        let session = Session::builder(dir).log(|log| log.overflow(Overflow::Wait));
        let session = session.start().unwrap();
        let names = Dataset::digits().class_names().to_vec();
        let trainer = Trainer::new(10)
            .epochs(self.epochs)
            .shuffle(self.shuffle)
            .hook(self.schedule.clone())
            .hook(Scalars::new(&session))
            .hook(LearningRate::new(&session))
            .hook(GradNorm::new(&session))
            .hook(Histograms::new(&session))
            .hook(Activations::new(&session))
            .hook(PrCurves::new(&session, names));
        let (_, eval, ..) = digits();
        let mut optimizer = AdamW::of(&parameters, ParamsAdamW::default()).unwrap();
        let forward = |inputs: &Tensor, pass: &_| model.forward_in(inputs, pass);
        let report = trainer
            .fit(&parameters, forward, &mut optimizer, &self.data(), &eval)
            .unwrap();
        let failures = report.hook_failures;
        assert!(failures.is_empty(), "{failures:?}");
        session.finish().unwrap();
    }
}

/// The trainings, each with what it has.
fn patients() -> Vec<(&'static str, Option<FindingKind>, Patient)> {
    let well = Patient::well;
    let mut short_of_data = well();
    short_of_data.items.truncate(60);
    short_of_data.sizes = vec![64, 128, 10];
    short_of_data.epochs = 150;
    short_of_data.schedule = Schedule::constant(5e-3);

    let mut dead = well();
    // No item is worth 3.
    dead.biases = -3.0;

    let mut noisy = well();
    // A third of the labels are wrong.
    for (item, label) in noisy.labels.iter_mut().enumerate().step_by(3) {
        *label = (*label + 1 + item as u32 % 9) % 10;
    }

    let mut broken = well();
    broken.broken = true;

    let mut stuck = well();
    // The rate falls to next to nothing when little is learned.
    stuck.schedule = Schedule::step(1e-3, 3 * 45, 1e-4);
    stuck.epochs = 20;

    let mut deep = well();
    deep.sizes = vec![64, 64, 64, 64, 64, 64, 10];
    // Each layer makes numbers and gradients larger.
    deep.weights = 6.0;

    let mut sorted = well();
    sorted.shuffle = false;
    sorted.items.sort_by_key(|&item| sorted.labels[item]);

    let mut without_fours = well();
    let labels = without_fours.labels.clone();
    without_fours.items.retain(|&item| labels[item] != 4);

    let mut long = well();
    long.epochs = 100;

    vec![
        (
            "rate_too_high",
            Some(FindingKind::LearningRateHigh),
            well().rate(1.0),
        ),
        (
            "rate_too_low",
            Some(FindingKind::LearningRateLow),
            well().rate(1e-6),
        ),
        ("overfit", Some(FindingKind::Overfitting), short_of_data),
        ("dead_relus", Some(FindingKind::DeadUnits), dead),
        ("label_noise", Some(FindingKind::LabelNoise), noisy),
        ("nan", Some(FindingKind::NotFinite), broken),
        ("plateau", Some(FindingKind::Plateau), stuck),
        ("exploding", Some(FindingKind::ExplodingGradients), deep),
        ("not_shuffled", Some(FindingKind::Unshuffled), sorted),
        (
            "class_missing",
            Some(FindingKind::MissingClass),
            without_fours,
        ),
        ("healthy", None, well()),
        ("healthy_and_long", None, long),
    ]
}

/// What the doctor says of a log directory, and its exit code.
fn doctor(dir: &Path) -> (Value, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_modelpulse"))
        .args(["doctor", "--json"])
        .arg(dir)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap();
    (report, output.status.code().unwrap())
}

#[test]
fn each_of_twelve_trainings_is_known_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for (name, _, patient) in patients() {
        patient.train(&dir.path().join(name));
    }
    let (report, code) = doctor(dir.path());
    assert_eq!((code, &report["healthy"]), (1, &Value::Bool(false)));
    let trainings = report["trainings"].as_array().unwrap();
    assert_eq!(trainings.len(), 12);
    let mut wrong = Vec::new();
    for (name, kind, _) in patients() {
        let training = trainings.iter().find(|it| it["training"] == name).unwrap();
        let findings = training["findings"].as_array().unwrap();
        let kinds: Vec<&str> = findings
            .iter()
            .map(|it| it["kind"].as_str().unwrap())
            .collect();
        println!("{name}: {kinds:?}");
        // What it has stands first.
        if kinds.first().copied() != kind.map(FindingKind::name) {
            wrong.push(format!("{name}: {findings:#?}"));
        }
        for finding in findings {
            assert!(
                finding["evidence"]
                    .as_array()
                    .is_some_and(|it| !it.is_empty())
            );
            assert!(
                finding["advice"]
                    .as_array()
                    .is_some_and(|it| !it.is_empty())
            );
        }
        let (alone, code) = doctor(&dir.path().join(name));
        assert_eq!(code, i32::from(!findings.is_empty()), "{name}");
        assert_eq!(alone["trainings"][0]["findings"], training["findings"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
