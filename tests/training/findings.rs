//! Each finding has a training that has it, and one that has not.

use std::path::Path;
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::ParamsAdamW;
use modelpulse::Session;
use modelpulse::health::{Checkup, Finding, FindingKind};
use modelpulse::train::Schedule;
use modelpulse::train::candle::{
    AdamW, LabelledTensors, Mlp, Parameters, ResumableOptimizer, Sgd, SgdConfig, Trainer,
};

use crate::read::{digits, read};

type Forward = dyn Fn(&Tensor) -> Result<Tensor>;

/// A training under all detectors; it ends with what they found, and TensorBoard shows the same.
struct Training {
    sizes: Vec<usize>,
    sigmoid: bool,
    epochs: usize,
    schedule: Schedule,
    momentum: f64,
    train: LabelledTensors,
    eval: LabelledTensors,
}

impl Training {
    /// A perceptron that learns the digits well.
    fn well() -> Self {
        let (train, eval, ..) = digits();
        Self {
            sizes: vec![64, 32, 10],
            sigmoid: false,
            epochs: 15,
            schedule: Schedule::constant(0.02),
            momentum: 0.9,
            train,
            eval,
        }
    }

    fn sgd(self) -> Vec<Finding> {
        let config = SgdConfig {
            momentum: self.momentum,
            ..SgdConfig::default()
        };
        self.run(|parameters| Sgd::of(parameters, config))
    }

    fn adamw(self) -> Vec<Finding> {
        self.run(|parameters| AdamW::of(parameters, ParamsAdamW::default()))
    }

    fn run<O: ResumableOptimizer>(
        self,
        optimizer: impl Fn(&Parameters) -> Result<O>,
    ) -> Vec<Finding> {
        let dir = tempfile::tempdir().unwrap();
        let parameters = Parameters::seeded(5);
        let builder = parameters.builder(DType::F32, &Device::Cpu);
        let forward: Box<Forward> = if self.sigmoid {
            let pairs = self.sizes.windows(2).enumerate();
            let layers: Result<Vec<_>> = pairs
                .map(|(index, pair)| {
                    candle_nn::linear(pair[0], pair[1], builder.pp(format!("layer{index:02}")))
                })
                .collect();
            let layers = layers.unwrap();
            Box::new(move |inputs| {
                let (last, hidden) = layers.split_last().unwrap();
                let outputs = hidden.iter().try_fold(inputs.clone(), |outputs, layer| {
                    candle_nn::ops::sigmoid(&layer.forward(&outputs)?)
                });
                last.forward(&outputs?)
            })
        } else {
            let model = Mlp::new(&self.sizes, builder).unwrap();
            Box::new(move |inputs| model.forward(inputs))
        };
        let session = Session::create(dir.path()).unwrap();
        let found = Arc::new(Mutex::new(Vec::new()));
        let finder = found.clone();
        let report = Trainer::new(10)
            .epochs(self.epochs)
            .hook(self.schedule)
            .hook(
                Checkup::new(&session)
                    .report(move |finding| finder.lock().unwrap().push(finding.clone())),
            )
            .fit(
                &parameters,
                |inputs, _| forward(inputs),
                &mut optimizer(&parameters).unwrap(),
                &self.train,
                &self.eval,
            )
            .unwrap();
        assert!(
            report.hook_failures.is_empty(),
            "{:?}",
            report.hook_failures
        );
        session.finish().unwrap();
        let found = found.lock().unwrap().clone();
        same_in_the_log(dir.path(), &found);
        found
    }
}

fn same_in_the_log(dir: &Path, found: &[Finding]) {
    let log = read(dir);
    for finding in found {
        let (steps, texts) = log.texts(finding.place.run(), &finding.kind.tag());
        let step = finding.place.step().as_i64() as u64;
        let at = steps.iter().position(|&found| found == step).unwrap();
        assert_eq!(texts[at], finding.text().markdown());
        assert!(!finding.evidence.is_empty() && !finding.advice.is_empty());
    }
    let logged: usize = ["train", "batch"]
        .iter()
        .flat_map(|run| {
            log.tags(run, "health/findings/")
                .into_iter()
                .map(move |tag| (run, tag))
        })
        .map(|(run, tag)| log.texts(run, tag).0.len())
        .sum();
    assert_eq!(logged, found.len());
}

fn kinds(found: &[Finding]) -> Vec<FindingKind> {
    let mut kinds: Vec<FindingKind> = found.iter().map(|finding| finding.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

#[test]
fn trainings_that_are_well_have_no_findings() {
    assert_eq!(Training::well().sgd(), []);
    let mut adamw = Training::well();
    adamw.schedule = Schedule::constant(0.003);
    adamw.sizes = vec![64, 64, 32, 10];
    assert_eq!(adamw.adamw(), []);
}

#[test]
fn a_rate_that_rises_too_far_diverges() {
    let mut training = Training::well();
    training.schedule = Schedule::exponential(0.02, 1.02);
    training.epochs = 8;
    let found = training.sgd();
    assert!(
        kinds(&found).contains(&FindingKind::Diverging),
        "{found:#?}"
    );
}

#[test]
fn a_rate_that_is_next_to_nothing_is_too_low() {
    let mut training = Training::well();
    training.schedule = Schedule::constant(1e-7);
    let found = training.sgd();
    assert_eq!(kinds(&found), [FindingKind::LearningRateLow], "{found:#?}");
    assert!(
        found[0].sentence.contains("has hardly moved"),
        "{}",
        found[0]
    );
}

#[test]
fn a_large_model_of_few_images_with_wrong_labels_overfits() {
    let mut training = Training::well();
    let (inputs, mut labels) = first(150);
    // Every third is wrong.
    labels
        .iter_mut()
        .step_by(3)
        .for_each(|label| *label = (*label + 1) % 10);
    training.train = LabelledTensors::new(inputs, labels).unwrap();
    training.sizes = vec![64, 256, 10];
    training.schedule = Schedule::constant(0.003);
    training.epochs = 150;
    let found = training.adamw();
    assert!(
        kinds(&found).contains(&FindingKind::Overfitting),
        "{found:#?}"
    );
}

/// The first images and their labels.
fn first(count: usize) -> (Tensor, Vec<u32>) {
    let data = modelpulse::datasets::Dataset::digits();
    let images = data.train();
    let size = images.height() * images.width();
    let pixels: Vec<f32> = images.pixels()[..count * size]
        .iter()
        .map(|&pixel| f32::from(pixel) / 16.0)
        .collect();
    let labels = images.labels()[..count]
        .iter()
        .map(|&label| label.into())
        .collect();
    (
        Tensor::from_vec(pixels, (count, size), &Device::Cpu).unwrap(),
        labels,
    )
}

#[test]
fn fourteen_layers_of_sigmoid_let_the_gradients_vanish() {
    let mut training = Training::well();
    training.sizes = [&[64][..], &[16; 14], &[10]].concat();
    training.sigmoid = true;
    training.epochs = 4;
    let found = training.sgd();
    let vanishing: Vec<_> = found
        .iter()
        .filter(|finding| finding.kind == FindingKind::VanishingGradients)
        .collect();
    assert!(
        !vanishing.is_empty() && vanishing[0].sentence.contains("layer00."),
        "{found:#?}"
    );
}

#[test]
fn one_step_that_is_far_too_large_kills_units() {
    let mut training = Training::well();
    // The first steps at 300 times the rate of the others.
    training.schedule = Schedule::step(3.0, 3, 1.0 / 300.0);
    training.epochs = 8;
    let found = training.sgd();
    assert!(
        kinds(&found).contains(&FindingKind::DeadUnits),
        "{found:#?}"
    );
}
