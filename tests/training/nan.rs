//! A NaN that is made on purpose is caught, named and logged.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};
use candle_nn::Optimizer;
use candle_nn::loss::binary_cross_entropy_with_logit;
use modelpulse::Session;
use modelpulse::health::{NanGuard, OnNan};
use modelpulse::train::candle::{Gradients, Parameters, Sgd, SgdConfig};
use modelpulse::train::{
    Batch, HookError, Loop, LoopReport, Means, Outcome, TensorVisitor, Tensors, Trainee,
};

use crate::read::{Log, read};

struct Model {
    parameters: Parameters,
    gradients: Option<GradStore>,
}

impl Trainee for Model {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        self.parameters.visit(visit)
    }

    fn gradients(&self, visit: &mut TensorVisitor<'_>) -> Result<(), HookError> {
        Gradients::new(&self.parameters, self.gradients.as_ref()).visit(visit)
    }
}

/// A logistic regression in a loop of its own. In the batch 5 of each epoch, the item 42 is 200 times as large as the
/// others: its logit is 200, and candle's loss takes the logarithm of 1 - sigmoid(200) = 0.
fn train(action: OnNan) -> (Log, LoopReport, f32, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::create(dir.path()).unwrap();
    let parameters = Parameters::seeded(3);
    let init = candle_nn::Init::Const(1.0);
    let builder = parameters.builder(candle_core::DType::F32, &Device::Cpu);
    let slope = builder.get_with_hints(1, "slope", init).unwrap();
    let mut optimizer = Sgd::of(&parameters, SgdConfig::default()).unwrap();
    let mut model = Model {
        parameters: parameters.clone(),
        gradients: None,
    };
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = said.clone();
    let guard = NanGuard::new(&session, action);
    let guard = guard.report(move |finding| heard.lock().unwrap().push(finding.to_string()));
    let mut fit = Loop::new().hook(guard);
    fit.start(&mut model, 3, 8);
    while fit.epoch_start(&mut model) {
        let mut means = Means::default();
        for batch in 0..8_u32 {
            let items: Vec<u32> = (batch * 8..batch * 8 + 8).collect();
            fit.batch_start(&mut model, Batch::of(&items));
            let size = |item: &u32| {
                if *item == 42 {
                    200.0
                } else {
                    1.0 + (item % 3) as f32 / 10.0
                }
            };
            let inputs: Vec<f32> = items.iter().map(size).collect();
            let targets = Tensor::ones(8, candle_core::DType::F32, &Device::Cpu).unwrap();
            let inputs = Tensor::new(inputs, &Device::Cpu).unwrap();
            let logits = inputs.broadcast_mul(&slope).unwrap();
            let loss = binary_cross_entropy_with_logit(&logits, &targets).unwrap();
            let value = f64::from(loss.to_scalar::<f32>().unwrap());
            means.add(8, [("loss", value)]);
            if fit.after_loss(&mut model, Some(value)) {
                model.gradients = Some(loss.backward().unwrap());
                if fit.after_backward(&mut model) && fit.before_step(&mut model) {
                    optimizer.step(model.gradients.as_ref().unwrap()).unwrap();
                    fit.after_step(&mut model);
                }
            }
            if !fit.batch_end(&mut model) {
                break;
            }
        }
        fit.epoch_end(&mut model, &Outcome::from(&means), &Outcome::default());
    }
    let report = fit.end(&mut model).unwrap();
    assert!(
        report.hook_failures.is_empty(),
        "{:?}",
        report.hook_failures
    );
    session.finish().unwrap();
    let slope = slope.to_vec1::<f32>().unwrap()[0];
    let said = said.lock().unwrap().clone();
    (read(dir.path()), report, slope, said)
}

const TAG: &str = "health/findings/not_finite";

#[test]
fn a_nan_stops_the_training_and_the_weights_stay_whole() {
    let (log, report, slope, said) = train(OnNan::Stop);
    assert!(slope.is_finite());
    assert_eq!((report.steps, report.epochs), (6, 1));
    let reason = report.stopped.unwrap();
    assert_eq!(
        reason,
        "the loss became NaN in batch 5 of epoch 0 (step 5), from finite parameters: the forward pass or the \
         loss made it, and it breaks the gradients of slope"
    );
    assert_eq!(said, [format!("not_finite at step 5: {reason}")]);
    let (steps, texts) = log.texts("batch", TAG);
    assert_eq!(steps, [5]);
    for part in [
        &reason[..],
        "40 41 42 43",
        "1 of 1 values",
        "takes logits is stable",
    ] {
        assert!(texts[0].contains(part), "{part}: {}", texts[0]);
    }
}

#[test]
fn a_nan_is_skipped_each_time_that_it_comes() {
    let (log, report, slope, _) = train(OnNan::SkipStep);
    assert!(slope.is_finite() && slope > 1.0);
    assert_eq!((report.steps, report.stopped), (24, None));
    assert_eq!(log.texts("batch", TAG).0, [5, 13, 21]);
    let skipped = log.scalars("batch", "health/skipped_batches");
    assert_eq!(skipped, (vec![5, 13, 21], vec![1.0, 2.0, 3.0]));
}

#[test]
fn a_nan_that_is_only_warned_of_breaks_the_weights() {
    let (log, report, slope, said) = train(OnNan::Warn);
    assert!(slope.is_nan());
    assert_eq!((report.steps, report.stopped), (24, None));
    assert_eq!(log.texts("batch", TAG).0, [5]);
    assert_eq!(said.len(), 1);
}
