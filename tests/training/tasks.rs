//! Every task is learned, in every precision, in one batch or in several that add up.

use candle_core::{DType, Device, Tensor};
use modelpulse::train::Task;
use modelpulse::train::candle::{Clip, LabelledTensors, TrainError, Trainer};

use crate::support::{Model, data, matrix, spirals};

fn points(items: usize) -> (Vec<u32>, Tensor) {
    let (labels, points) = spirals(items);
    (labels, matrix(&points))
}

#[test]
fn a_binary_task_is_learned_and_judged_as_two_classes() {
    let trainer = Trainer::new(Task::Binary).epochs(60).batch_size(10);
    let report = Model::new(1).fit_spirals(trainer).unwrap();
    let eval = &report.epochs[59].eval;
    assert!(eval["accuracy"] > 0.9, "{eval:?}");
    assert!(eval["auc_roc"] > 0.9 && eval["f1"] > 0.9, "{eval:?}");
    assert_eq!(report.predictions.classes(), 2);
    let right = report.predictions.iter().filter(|(_, label, scores)| {
        assert!((scores[0] + scores[1] - 1.0).abs() < 1e-6);
        (scores[1] > 0.5) == (*label == 1)
    });
    assert_eq!(right.count() as f64 / 20.0, eval["accuracy"]);
}

#[test]
fn several_labels_an_item_are_learned() {
    let of = |items| {
        let (labels, inputs) = points(items);
        let places = inputs.to_vec2::<f32>().unwrap();
        let targets: Vec<[f32; 2]> = places
            .iter()
            .zip(labels)
            .map(|(place, class)| [class as f32, f32::from(u8::from(place[0] > 0.0))])
            .collect();
        LabelledTensors::with_targets(inputs, matrix(&targets)).unwrap()
    };
    let task = Task::Multilabel { labels: 2 };
    let trainer = Trainer::new(task).epochs(60).batch_size(10);
    let report = Model::new(2).fit(trainer, &of(70), &of(20)).unwrap();
    let eval = &report.epochs[59].eval;
    assert!(eval["accuracy"] > 0.85 && eval["auc_roc"] > 0.9, "{eval:?}");
    assert_eq!(report.predictions.rows().count(), 20);
}

#[test]
fn numbers_are_learned() {
    let of = |items| {
        let (_, inputs) = points(items);
        let places = inputs.to_vec2::<f32>().unwrap();
        let sums: Vec<f32> = places
            .iter()
            .map(|place| 3.0 * place[0] - place[1])
            .collect();
        let targets = Tensor::new(sums, &Device::Cpu).unwrap();
        LabelledTensors::with_targets(inputs, targets).unwrap()
    };
    let task = Task::Regression { outputs: 1 };
    let trainer = Trainer::new(task).epochs(60).batch_size(10);
    let report = Model::new(1).fit(trainer, &of(70), &of(20)).unwrap();
    let eval = &report.epochs[59].eval;
    assert!(eval["r2"] > 0.95, "{eval:?}");
    let squared = eval["rmse"] * eval["rmse"];
    assert!((squared / eval["loss"] - 1.0).abs() < 1e-5, "{eval:?}");
}

#[test]
fn data_of_another_task_is_refused_before_anything_is_trained() {
    let (_, inputs) = points(70);
    let numbers = Tensor::zeros((70, 3), DType::F32, &Device::Cpu).unwrap();
    let numbers = LabelledTensors::with_targets(inputs, numbers).unwrap();
    for (task, data, says) in [
        (Task::from(2), &numbers, "U32"),
        (Task::Binary, &numbers, "U32"),
        (Task::Regression { outputs: 2 }, &numbers, "[70, 2]"),
        (Task::Multilabel { labels: 2 }, &data(70), "[70, 2]"),
        (
            Task::from(1),
            &data(70),
            "item 1 of the train split has label 1",
        ),
        (Task::from(0), &data(70), "outputs must be at least 1"),
    ] {
        let error = Model::new(2)
            .fit(Trainer::new(task), data, data)
            .unwrap_err();
        assert!(error.to_string().contains(says), "{task:?}: {error}");
    }
    let error = Model::new(3).fit_spirals(Trainer::new(2)).unwrap_err();
    assert!(
        matches!(&error, TrainError::Output { outputs: 2, .. }),
        "{error}"
    );
}

#[test]
fn accumulated_batches_train_as_one_large_one_does() {
    let weights = |batch, accumulate| {
        let mut model = Model::new(2);
        let trainer = Trainer::new(2).epochs(3).batch_size(batch);
        // Held to what both have alike: the norm of the whole update.
        let trainer = trainer.accumulate(accumulate).clip(Clip::Norm(0.05));
        let report = model.fit_spirals(trainer).unwrap();
        let steps = report.steps;
        let bits = model.bits();
        let values: Vec<f64> = bits
            .values()
            .flatten()
            .map(|&bits| f64::from_bits(bits))
            .collect();
        (steps, values)
    };
    // 70 items: batches of 24, 24 and 22, and each of those in three.
    let (large, expected) = weights(24, 1);
    let (small, got) = weights(8, 3);
    assert_eq!((large, small), (9, 27));
    let furthest = expected
        .iter()
        .zip(&got)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    // AdamW's first steps amplify the rounding of a sum in another order.
    assert!(furthest < 1e-4, "{furthest}");
}

#[test]
fn half_precision_is_trained_and_read_right() {
    for (dtype, accuracy) in [(DType::F64, 0.9), (DType::F16, 0.8), (DType::BF16, 0.8)] {
        let of = |items| {
            let (labels, inputs) = points(items);
            LabelledTensors::new(inputs.to_dtype(dtype).unwrap(), labels).unwrap()
        };
        let mut model = Model::of(2, dtype);
        let trainer = Trainer::new(2).epochs(60).batch_size(10);
        let report = model.fit(trainer, &of(70), &of(20)).unwrap();
        let last = &report.epochs[59];
        assert!(last.eval["accuracy"] >= accuracy, "{dtype:?}: {last:?}");
        assert!(
            last.train["loss"].is_finite() && last.train["loss"] < 0.5,
            "{dtype:?}: {last:?}"
        );
        // What hooks see is what the model has.
        let logits = model.logits(&Tensor::zeros((1, 2), dtype, &Device::Cpu).unwrap());
        assert_eq!(logits.dtype(), dtype);
        for (name, bits) in model.bits() {
            let var = model.parameters.vars()[model
                .parameters
                .names()
                .iter()
                .position(|known| *known == name)
                .unwrap()]
            .flatten_all()
            .unwrap();
            let values = var.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            assert!(
                values.iter().map(|value| value.to_bits()).eq(bits),
                "{name}"
            );
        }
    }
}

#[test]
fn another_loss_takes_the_place_of_the_tasks() {
    let trainer = Trainer::new(Task::Regression { outputs: 2 })
        .epochs(1)
        .loss(|outputs, targets| (outputs - targets)?.abs()?.mean_all());
    let (_, inputs) = points(70);
    let data = LabelledTensors::with_targets(inputs.clone(), inputs).unwrap();
    let report = Model::new(2).fit(trainer, &data, &data).unwrap();
    let eval = &report.epochs[0].eval;
    assert!((eval["loss"] / eval["mae"] - 1.0).abs() < 1e-5, "{eval:?}");
}
