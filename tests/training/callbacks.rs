//! One training with all callbacks that only look, and what each left in the log.

use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Module};
use modelpulse::Session;
use modelpulse::health::{Checkup, NanGuard, OnNan, Resources};
use modelpulse::summary;
use modelpulse::train::Schedule;
use modelpulse::train::callbacks::{
    ConfusionMatrices, Curves, GradNorm, GraphOnce, HParams, Histograms, LearningRate, PrCurves,
    Progress, Projector, Scalars, Throughput, Timing, WorstExamples,
};
use modelpulse::train::candle::{Parameters, Sgd, SgdConfig, Trainer};

use crate::read::{Log, digits, read};

const EPOCHS: usize = 3;
/// 1437 images in batches of 32.
const BATCHES: usize = 45;
const STEPS: usize = EPOCHS * BATCHES;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn multiples(of: usize, below: usize) -> Vec<u64> {
    (0..below).step_by(of).map(|step| step as u64).collect()
}

/// Trains a perceptron on the digits; what TensorBoard reads, and what stood on the console.
fn train() -> (Log, String) {
    let dir = tempfile::tempdir().unwrap();
    let (train, eval, pixels, names) = digits();
    let parameters = Parameters::seeded(1);
    let builder = parameters.builder(DType::F32, &Device::Cpu);
    let hidden = candle_nn::linear(64, 32, builder.pp("hidden")).unwrap();
    let out = candle_nn::linear(32, 10, builder.pp("out")).unwrap();
    let mut optimizer = Sgd::of(&parameters, SgdConfig::default()).unwrap();

    let session = Session::create(dir.path()).unwrap();
    let hparams = summary::HParams::new()
        .set("hidden", 32)
        .metric("eval", "epoch_accuracy");
    let console = Shared::default();
    let report = Trainer::new(10)
        .epochs(EPOCHS)
        .session(&session)
        .hook(HParams::new(&session, hparams))
        .hook(GraphOnce::new(&session))
        .hook(Schedule::cosine(0.5, STEPS).warm_up(10, 0.1))
        .hook(LearningRate::new(&session))
        .hook(Scalars::new(&session).every(10))
        .hook(
            Histograms::new(&session)
                .every(2)
                .only(|name| name.starts_with("out")),
        )
        .hook(Histograms::new(&session).every_batches(50).gradients(false))
        .hook(GradNorm::new(&session).every(15))
        .hook(PrCurves::new(&session, names.clone()))
        .hook(Curves::new(&session, names.clone()))
        .hook(ConfusionMatrices::new(&session, names.clone()))
        .hook(WorstExamples::new(&session, pixels.clone(), names.clone()))
        .hook(
            Projector::new(&session)
                .sample(300)
                .labels(names)
                .pictures(pixels),
        )
        .hook(Throughput::new(&session).every(20))
        .hook(Timing::new(&session).every(20))
        .hook(Resources::new(&session))
        .hook(NanGuard::new(&session, OnNan::Stop))
        .hook(Checkup::new(&session))
        .hook(Progress::lines(console.clone()))
        .fit(
            &parameters,
            |inputs, pass| {
                let hidden = hidden.forward(inputs)?.relu()?;
                pass.record("hidden", &hidden);
                out.forward(&hidden)
            },
            &mut optimizer,
            &train,
            &eval,
        )
        .unwrap();
    assert!(
        report.hook_failures.is_empty(),
        "{:?}",
        report.hook_failures
    );
    assert!(report.epochs[EPOCHS - 1].eval["accuracy"] > 0.9);
    session.finish().unwrap();
    let console = String::from_utf8(console.0.lock().unwrap().clone()).unwrap();
    (read(dir.path()), console)
}

#[test]
fn each_callback_leaves_in_the_log_what_it_promises() {
    let (log, console) = train();
    scalars(&log);
    histograms(&log);
    gradients_and_rates(&log);
    predictions(&log);
    times_and_resources(&log);
    once(&log);
    // A training that is well has no findings.
    for run in ["train", "batch"] {
        assert_eq!(log.tags(run, "health/"), [""; 0]);
    }
    let lines: Vec<&str> = console.lines().collect();
    assert_eq!(lines.len(), EPOCHS, "{console}");
    assert!(
        lines[2].starts_with("epoch 3/3  train loss 0."),
        "{console}"
    );
    assert!(lines[2].contains("  eval loss 0.") && lines[2].ends_with(" samples/s"));
}

fn scalars(log: &Log) {
    let (steps, losses) = log.scalars("batch", "batch_loss");
    assert_eq!(steps, multiples(10, STEPS));
    assert!(
        (2.0..2.6).contains(&losses[0]) && losses[13] < 0.5,
        "{losses:?}"
    );
    for (run, metric) in [
        ("train", "loss"),
        ("eval", "loss"),
        ("eval", "accuracy"),
        ("eval", "auc_roc"),
    ] {
        let (steps, values) = log.scalars(run, &format!("epoch_{metric}"));
        assert_eq!(steps, [0, 1, 2]);
        let (first, last) = (values[0], values[2]);
        assert!(
            if metric == "loss" {
                last < first
            } else {
                last > first
            },
            "{run} {values:?}"
        );
    }
}

fn histograms(log: &Log) {
    for kind in ["weights", "gradients"] {
        assert_eq!(
            log.tags("train", &format!("{kind}/")),
            ["out.bias", "out.weight"].map(|name| format!("{kind}/{name}"))
        );
        let (steps, counts) = log.series("train", &format!("{kind}/out.weight"), "histograms");
        assert_eq!(
            (steps, counts),
            (vec![0, 2], vec![320.0.into(), 320.0.into()])
        );
    }
    let (steps, counts) = log.series("batch", "weights/hidden.weight", "histograms");
    assert_eq!(steps, multiples(50, STEPS));
    assert_eq!(counts[0], 2048.0);
    assert_eq!(log.tags("batch", "gradients/"), [""; 0]);
}

fn gradients_and_rates(log: &Log) {
    let (steps, global) = log.scalars("batch", "gradient_norm");
    assert_eq!(steps, multiples(15, STEPS));
    let names = ["hidden.bias", "hidden.weight", "out.bias", "out.weight"];
    let tags = names.map(|name| format!("gradient_norm/{name}"));
    assert_eq!(log.tags("batch", "gradient_norm/"), tags);
    let each = tags.map(|tag| log.scalars("batch", &tag).1);
    for (index, global) in global.iter().enumerate() {
        let squares: f64 = each.iter().map(|norms| norms[index].powi(2)).sum();
        assert!(
            (squares.sqrt() / global - 1.0).abs() < 1e-5,
            "{squares} {global}"
        );
    }

    let (steps, rates) = log.scalars("batch", "batch_learning_rate");
    assert_eq!(steps, multiples(1, STEPS));
    let schedule = Schedule::cosine(0.5, STEPS).warm_up(10, 0.1);
    for (step, rate) in rates.iter().enumerate() {
        assert_eq!(*rate as f32, schedule.rate(0, step) as f32);
    }
}

fn predictions(log: &Log) {
    let (steps, shapes) = log.series("eval", "pr_curve/7", "pr_curves");
    assert_eq!((steps, &shapes[0]), (vec![0, 1, 2], &vec![6, 201].into()));
    assert_eq!(log.tags("eval", "pr_curve/").len(), 10);
    for tag in ["confusion_matrix", "roc", "reliability", "worst_examples"] {
        let (steps, sizes) = log.series("eval", tag, "images");
        assert_eq!(steps, [0, 1, 2]);
        assert!(sizes[0][0].as_u64().unwrap() > 100, "{sizes:?}");
    }
    let embedding = &log.0["embeddings"]["eval"][0];
    assert_eq!(embedding["name"], "hidden");
    assert_eq!(embedding["shape"], serde_json::json!([300, 32]));
    let labels = embedding["labels"].as_array().unwrap();
    assert_eq!((labels.len(), &labels[0]), (301, &"label\tsaid".into()));
    let right = labels.iter().filter(|line| {
        let (label, said) = line.as_str().unwrap().split_once('\t').unwrap();
        label == said
    });
    assert!(right.count() > 250);
    // 300 pictures of 8 × 8 pixels, 18 in a row.
    assert_eq!(embedding["picture"], serde_json::json!([144, 144]));
}

fn times_and_resources(log: &Log) {
    for tag in ["samples_per_second", "steps_per_second", "eta_seconds"] {
        let (steps, values) = log.scalars("batch", &format!("time/{tag}"));
        assert_eq!(steps, [19, 39, 44, 64, 84, 89, 109, 129, 134]);
        let last = if tag == "eta_seconds" {
            0.0..1e-9
        } else {
            1.0..1e9
        };
        assert!(last.contains(&values[8]), "{tag} {values:?}");
    }
    let mut sum = 0.0;
    for phase in [
        "data",
        "forward",
        "backward",
        "optimizer",
        "hooks",
        "logging",
    ] {
        let (steps, values) = log.scalars("batch", &format!("time/step_ms/{phase}"));
        assert_eq!(steps, multiples(20, STEPS));
        sum += values[1];
    }
    assert!(sum > 0.01);
    let (_, tables) = log.texts("batch", "time/step");
    assert!(tables[0].contains("| backward |"), "{tables:?}");

    let (_, memory) = log.scalars("batch", "resource/memory_bytes");
    assert!(
        memory.iter().all(|bytes| (1e6..1e12).contains(bytes)),
        "{memory:?}"
    );
    let (_, cpu) = log.scalars("batch", "resource/cpu_percent");
    assert!(
        cpu.iter().all(|percent| (0.0..1e5).contains(percent)),
        "{cpu:?}"
    );
    for kind in ["read", "written"] {
        let (_, rates) = log.scalars("batch", &format!("resource/disk_{kind}_bytes_per_second"));
        assert!(rates.iter().all(|rate| *rate >= 0.0), "{rates:?}");
    }
}

fn once(log: &Log) {
    // Four parameters and two layers.
    assert_eq!(log.0["graphs"]["."], 6);
    for tag in ["experiment", "session_start_info", "session_end_info"] {
        let (steps, _) = log.series(".", &format!("_hparams_/{tag}"), "hparams");
        assert_eq!(steps.len(), 1);
    }
}
