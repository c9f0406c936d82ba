//! One's own candle loop, without our trainer: a [`Loop`] calls hooks along it.
//!
//! `cargo run --release --example candle_loop`, then `tensorboard --logdir runs`.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, linear, loss::cross_entropy, seq};
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::health::{NanGuard, OnNan};
use modelpulse::train::callbacks::{EarlyStop, GradNorm, GraphOnce, Histograms, Scalars};
use modelpulse::train::candle::{Gradients, Parameters};
use modelpulse::train::{
    HookError, Loop, Means, Outcome, Schedule, TensorVisitor, Tensors, Trainee,
};

/// What hooks see of the training.
struct Training {
    parameters: Parameters,
    gradients: Option<GradStore>,
    optimizer: AdamW,
}

impl Trainee for Training {
    fn parameters(&self, visit: &mut TensorVisitor<'_>) -> std::result::Result<(), HookError> {
        self.parameters.visit(visit)
    }

    fn gradients(&self, visit: &mut TensorVisitor<'_>) -> std::result::Result<(), HookError> {
        Gradients::new(&self.parameters, self.gradients.as_ref()).visit(visit)
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.optimizer.set_learning_rate(rate);
    }
}

fn tensors(images: &Images) -> Result<(Tensor, Tensor)> {
    let shape = (images.len(), images.height() * images.width());
    let inputs = Tensor::from_slice(images.pixels(), shape, &Device::Cpu)?;
    let labels: Vec<u32> = images.labels().iter().map(|&label| label.into()).collect();
    let inputs = inputs
        .to_dtype(DType::F32)?
        .affine(1.0 / f64::from(images.max_value()), 0.0)?;
    Ok((inputs, Tensor::new(labels, &Device::Cpu)?))
}

/// The loss to learn from, and what to log of a batch.
fn judge(logits: &Tensor, targets: &Tensor) -> Result<(Tensor, [(&'static str, f64); 2])> {
    let loss = cross_entropy(logits, targets)?;
    let right = logits.argmax(1)?.eq(targets)?.to_dtype(DType::F64)?;
    let values = [
        ("loss", loss.to_dtype(DType::F64)?.to_scalar()?),
        ("accuracy", right.mean_all()?.to_scalar()?),
    ];
    Ok((loss, values))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    const EPOCHS: usize = 10;
    const BATCH: usize = 32;
    let data = Dataset::digits();
    let ((inputs, targets), (held_out, answers)) = (tensors(data.train())?, tensors(data.eval())?);
    let batches = data.train().len().div_ceil(BATCH);
    let parameters = Parameters::seeded(7);
    let builder = parameters.builder(DType::F32, &Device::Cpu);
    let model = seq()
        .add(linear(64, 32, builder.pp("hidden"))?)
        .add(candle_nn::Activation::Relu)
        .add(linear(32, 10, builder.pp("out"))?);
    let mut training = Training {
        optimizer: AdamW::new(parameters.vars(), ParamsAdamW::default())?,
        gradients: None,
        parameters,
    };

    let session = Session::create("runs/candle_loop")?;
    let mut fit = Loop::new()
        .session(&session)
        .hook(Schedule::cosine(5e-3, EPOCHS * batches))
        .hook(GraphOnce::new(&session))
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session))
        .hook(GradNorm::new(&session).every(10))
        .hook(NanGuard::new(&session, OnNan::SkipStep))
        .hook(EarlyStop::default());
    fit.start(&mut training, EPOCHS, batches);
    while fit.epoch_start(&mut training) {
        let (mut train, mut eval) = (Means::default(), Means::default());
        for start in (0..data.train().len()).step_by(BATCH) {
            let items = BATCH.min(data.train().len() - start);
            fit.batch_start(&mut training, items);
            let logits = model.forward(&inputs.narrow(0, start, items)?)?;
            let (loss, values) = judge(&logits, &targets.narrow(0, start, items)?)?;
            train.add(items, values);
            if fit.after_loss(&mut training, Some(values[0].1)) {
                training.gradients = Some(loss.backward()?);
                if fit.after_backward(&mut training) && fit.before_step(&mut training) {
                    if let Some(gradients) = &training.gradients {
                        training.optimizer.step(gradients)?;
                    }
                    fit.after_step(&mut training);
                }
            }
            if !fit.batch_end(&mut training) {
                break;
            }
        }
        let (_, values) = judge(&model.forward(&held_out)?, &answers)?;
        eval.add(data.eval().len(), values);
        let [train, eval] = [&train, &eval].map(Outcome::from);
        fit.epoch_end(&mut training, &train, &eval);
        println!("held-out accuracy {:.3}", eval.metrics["accuracy"]);
    }
    let report = fit.end(&mut training)?;
    session.finish()?;
    println!(
        "{} steps; look at it: tensorboard --logdir runs",
        report.steps
    );
    Ok(())
}
