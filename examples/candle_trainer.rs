//! A candle model, trained by the trainer with ready-made callbacks.
//!
//! `cargo run --release --example candle_trainer`, then `tensorboard --logdir runs`.

use candle_core::{DType, Device, Module};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::train::callbacks::{ConfusionMatrices, Histograms, Scalars};
use modelpulse::train::candle::{LabelledTensors, Mlp, Parameters, Trainer};

fn tensors(images: &Images) -> candle_core::Result<LabelledTensors> {
    let size = images.height() * images.width();
    LabelledTensors::from_bytes(
        images.pixels(),
        size,
        images.max_value(),
        images.labels(),
        &Device::Cpu,
    )
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = Dataset::digits();
    let (train, eval) = (tensors(data.train())?, tensors(data.eval())?);

    let parameters = Parameters::seeded(7);
    let model = Mlp::new(&[64, 32, 10], parameters.builder(DType::F32, &Device::Cpu))?;
    let mut optimizer = AdamW::new(
        parameters.vars(),
        ParamsAdamW {
            lr: 3e-3,
            ..Default::default()
        },
    )?;

    let session = Session::create("runs/candle_trainer")?;
    let report = Trainer::new(10)
        .epochs(15)
        .seed(7)
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session).every(5))
        .hook(ConfusionMatrices::new(
            &session,
            data.class_names().to_vec(),
        ))
        .fit(
            &parameters,
            |inputs, _| model.forward(inputs),
            &mut optimizer,
            &train,
            &eval,
        )?;
    session.finish()?;

    println!(
        "held-out accuracy {:.3}",
        report.epochs[14].eval["accuracy"]
    );
    Ok(())
}
