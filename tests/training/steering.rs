//! Callbacks that steer: early stop, and checkpoints.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Module};
use modelpulse::Session;
use modelpulse::train::callbacks::{Checkpoint, EarlyStop, Scalars};
use modelpulse::train::candle::{AdamW, LabelledTensors, Mlp, Parameters, Trainer};
use modelpulse::train::{
    HookError, Loop, Means, Mode, Monitor, Outcome, Split, State, TensorVisitor, Tensors, Trainee,
};

use crate::read::{digits, read};

fn labels(count: u32, seed: u32) -> Vec<u32> {
    (0..count)
        .map(|item| item.wrapping_mul(2_654_435_761) % (97 + seed) % 2)
        .collect()
}

/// Noise, with labels that have nothing to do with it: whatever is learned of it helps nobody.
fn noise(items: usize, seed: u32) -> LabelledTensors {
    let values: Vec<f32> = (0..items * 20)
        .map(|index| {
            ((index as u32 + seed).wrapping_mul(2_246_822_519) >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    let inputs = candle_core::Tensor::from_vec(values, (items, 20), &Device::Cpu).unwrap();
    LabelledTensors::new(inputs, labels(items as u32, seed)).unwrap()
}

#[test]
fn early_stop_ends_the_log_and_brings_the_best_parameters_back() {
    let dir = tempfile::tempdir().unwrap();
    let (train, eval) = (noise(100, 1), noise(200, 7));
    let parameters = Parameters::seeded(1);
    let model = Mlp::new(&[20, 64, 2], parameters.builder(DType::F32, &Device::Cpu)).unwrap();
    let mut optimizer = AdamW::of(&parameters, Default::default()).unwrap();
    let session = Session::create(dir.path()).unwrap();
    let report = Trainer::new(2)
        .epochs(60)
        .hook(Scalars::new(&session))
        .hook(
            EarlyStop::default()
                .patience(4)
                .min_delta(1e-4)
                .restore_best(),
        )
        .fit(
            &parameters,
            |inputs, _| model.forward(inputs),
            &mut optimizer,
            &train,
            &eval,
        )
        .unwrap();
    session.finish().unwrap();

    let log = read(dir.path());
    let (steps, losses) = log.scalars("eval", "epoch_loss");
    let best = (0..losses.len())
        .min_by(|&a, &b| losses[a].total_cmp(&losses[b]))
        .unwrap();
    assert_eq!(steps.len(), report.epochs.len());
    assert_eq!(steps.len(), best + 1 + 4, "{losses:?}");
    let reason = report.stopped.unwrap();
    assert!(
        reason.contains(&format!(
            "its best was {} in epoch {best}",
            report.epochs[best].eval["loss"]
        )),
        "{reason}"
    );

    // The parameters are those of the best epoch again: they have its loss.
    let again = Trainer::new(2)
        .epochs(1)
        .fit(
            &parameters,
            |inputs, _| model.forward(inputs),
            &mut still(&parameters),
            &train,
            &eval,
        )
        .unwrap();
    let (back, then) = (
        again.epochs[0].eval["loss"],
        report.epochs[best].eval["loss"],
    );
    assert_eq!(back, then);
}

/// An optimizer that does not move.
fn still(parameters: &Parameters) -> AdamW {
    use candle_nn::{Optimizer, ParamsAdamW};
    AdamW::new(
        parameters.vars(),
        ParamsAdamW {
            lr: 0.0,
            ..ParamsAdamW::default()
        },
    )
    .unwrap()
}

#[test]
fn early_stop_says_where_there_is_no_such_metric() {
    let (train, eval, ..) = digits();
    let parameters = Parameters::seeded(1);
    let model = Mlp::new(&[64, 10], parameters.builder(DType::F32, &Device::Cpu)).unwrap();
    let monitor = Monitor::new(Split::Eval, "accuracies", Mode::Max);
    let report = Trainer::new(10)
        .epochs(1)
        .hook(EarlyStop::new(monitor))
        .fit(
            &parameters,
            |inputs, _| model.forward(inputs),
            &mut still(&parameters),
            &train,
            &eval,
        )
        .unwrap();
    let failure = report.hook_failures[0].to_string();
    assert!(
        failure.contains("no epoch has eval/epoch_accuracies; the held-out split has: accuracy, "),
        "{failure}"
    );
}

/// A number that falls, then rises.
struct Valley {
    x: f64,
}

impl Trainee for Valley {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        visit("x", &[], [self.x][..].into());
        Ok(())
    }

    fn save(&self, path: &Path, progress: &State) -> Result<u64, HookError> {
        let mut text = Vec::new();
        progress.visit(&mut |name, _, values| {
            text.push(format!("{name} {:?}", values.iter().next()))
        })?;
        text.push(format!("x {}", self.x));
        fs::write(path, text.join("\n"))?;
        Ok(1)
    }
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn walk(checkpoint: Checkpoint) {
    let mut valley = Valley { x: 3.0 };
    let mut fit = Loop::new().hook(checkpoint);
    fit.start(&mut valley, 6, 2);
    while fit.epoch_start(&mut valley) {
        for _ in 0..2 {
            fit.batch_start(&mut valley, 1);
            fit.after_loss(&mut valley, None);
            fit.after_backward(&mut valley);
            fit.before_step(&mut valley);
            valley.x -= 0.5;
            fit.after_step(&mut valley);
            fit.batch_end(&mut valley);
        }
        let mut means = Means::default();
        means.add(1, [("loss", valley.x.abs())]);
        fit.epoch_end(&mut valley, &Outcome::default(), &Outcome::from(&means));
    }
    let report = fit.end(&mut valley).unwrap();
    assert!(
        report.hook_failures.is_empty(),
        "{:?}",
        report.hook_failures
    );
}

#[test]
fn checkpoints_are_the_last_the_best_and_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("a/checkpoints");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("step-notes.txt"), "kept").unwrap();
    walk(Checkpoint::new(&dir).best(Monitor::default()).keep(2));
    let expected = [
        "best.safetensors",
        "last.safetensors",
        "step-00000010.safetensors",
        "step-00000012.safetensors",
        "step-notes.txt",
    ];
    assert_eq!(files(&dir), expected);
    let holds = |path, line: &str| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.lines().any(|found| found == line), "{text}");
    };
    holds(Checkpoint::best_in(&dir), "x 0");
    holds(
        Checkpoint::best_in(&dir),
        "hook.Checkpoint.0.best Some(0.0)",
    );
    holds(Checkpoint::last_in(&dir), "x -3");
    holds(Checkpoint::last_in(&dir), "steps Some(12.0)");

    let dir = tempfile::tempdir().unwrap();
    walk(Checkpoint::new(dir.path()).every_batches(5));
    assert_eq!(files(dir.path()), ["last.safetensors"]);
    holds(Checkpoint::last_in(dir.path()), "steps Some(10.0)");
}
