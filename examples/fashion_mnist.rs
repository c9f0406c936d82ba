//! A convolutional network that learns to tell clothes apart: the model and its training are thirty lines, all else is
//! the trainer's and its hooks'.
//!
//! `cargo run --release --example fashion_mnist -- DIR [EPOCHS [IMAGES]]`, then `tensorboard --logdir runs`. DIR holds
//! the four files of Fashion-MNIST; Debian's package dataset-fashion-mnist has them in
//! /usr/share/datasets/fashion-mnist. Of IMAGES, if that is given, it learns no more.

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{ParamsAdamW, conv2d, linear};
use modelpulse::Session;
use modelpulse::datasets::{Dataset, Images};
use modelpulse::health::{Checkup, NanGuard, OnNan};
use modelpulse::train::callbacks::{Checkpoint, ConfusionMatrices, Histograms, Progress, Scalars};
use modelpulse::train::candle::{AdamW, LabelledTensors, Parameters, Pass, Trainer};

fn tensors(images: &Images, count: usize) -> candle_core::Result<LabelledTensors> {
    let (size, count) = (images.height() * images.width(), count.min(images.len()));
    let (pixels, labels) = (&images.pixels()[..count * size], &images.labels()[..count]);
    LabelledTensors::from_bytes(pixels, size, images.max_value(), labels, &Device::Cpu)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("which directory?")?;
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let (epochs, images) = (number(3)?, number(usize::MAX)?);
    let data = Dataset::from_dir(dir)?;
    let (train, eval) = (
        tensors(data.train(), images)?,
        tensors(data.eval(), images)?,
    );

    let parameters = Parameters::seeded(7);
    let builder = parameters.builder(DType::F32, &Device::Cpu);
    let first = conv2d(1, 8, 5, Default::default(), builder.pp("conv1"))?;
    let second = conv2d(8, 16, 5, Default::default(), builder.pp("conv2"))?;
    let out = linear(16 * 4 * 4, 10, builder.pp("out"))?;
    let forward = |pixels: &Tensor, pass: &Pass| {
        let images = pixels.reshape(((), 1, 28, 28))?;
        let half = first.forward(&images)?.relu()?.max_pool2d(2)?;
        let quarter = second.forward(&half)?.relu()?.max_pool2d(2)?;
        let features = quarter.flatten_from(1)?;
        pass.record("features", &features);
        out.forward(&features)
    };
    let mut optimizer = AdamW::of(&parameters, ParamsAdamW::default())?;

    let session = Session::create("runs/fashion_mnist")?;
    let report = Trainer::new(10)
        .epochs(epochs)
        .session(&session)
        .hook(Scalars::new(&session))
        .hook(Histograms::new(&session))
        .hook(ConfusionMatrices::new(
            &session,
            data.class_names().to_vec(),
        ))
        .hook(NanGuard::new(&session, OnNan::Stop))
        .hook(Checkup::new(&session).report(|finding| println!("{finding}")))
        .hook(Checkpoint::new(session.dir().join("checkpoints")))
        .hook(Progress::bar())
        .fit(&parameters, forward, &mut optimizer, &train, &eval)?;
    session.finish()?;

    let last = report.epochs.last().ok_or("no epoch")?;
    println!("held-out accuracy {:.3}", last.eval["accuracy"]);
    Ok(())
}
