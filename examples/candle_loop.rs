//! One's own candle loop, without our trainer, that logs through a [`Session`].
//!
//! `cargo run --release --example candle_loop`, then `tensorboard --logdir runs`.

use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::{
    AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss::cross_entropy, seq,
};
use modelpulse::{Session, datasets::Dataset, datasets::Images};

fn tensors(images: &Images) -> Result<(Tensor, Tensor)> {
    let shape = (images.len(), images.height() * images.width());
    let inputs = Tensor::from_slice(images.pixels(), shape, &Device::Cpu)?;
    let labels: Vec<u32> = images.labels().iter().map(|&label| label.into()).collect();
    let inputs = inputs
        .to_dtype(DType::F32)?
        .affine(1.0 / f64::from(images.max_value()), 0.0)?;
    Ok((inputs, Tensor::new(labels, &Device::Cpu)?))
}

fn accuracy(logits: &Tensor, targets: &Tensor) -> Result<f64> {
    logits
        .argmax(1)?
        .eq(targets)?
        .to_dtype(DType::F64)?
        .mean_all()?
        .to_scalar()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let data = Dataset::digits();
    let ((inputs, targets), (held_out, answers)) = (tensors(data.train())?, tensors(data.eval())?);
    let vars = VarMap::new();
    let builder = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
    let model = seq()
        .add(linear(64, 32, builder.pp("hidden"))?)
        .add(candle_nn::Activation::Relu)
        .add(linear(32, 10, builder.pp("out"))?);
    let mut optimizer = AdamW::new(
        vars.all_vars(),
        ParamsAdamW {
            lr: 3e-3,
            ..Default::default()
        },
    )?;

    let session = Session::create("runs/candle_loop")?;
    let batch_size = 32;
    for number in 0..10 {
        let mut epoch = session.epoch(number);
        for start in (0..data.train().len()).step_by(batch_size) {
            let items = batch_size.min(data.train().len() - start);
            let (inputs, targets) = (
                inputs.narrow(0, start, items)?,
                targets.narrow(0, start, items)?,
            );
            let logits = model.forward(&inputs)?;
            let loss = cross_entropy(&logits, &targets)?;
            optimizer.backward_step(&loss)?;
            let loss = loss.to_dtype(DType::F64)?.to_scalar()?;
            epoch.train_batch(
                items,
                [("loss", loss), ("accuracy", accuracy(&logits, &targets)?)],
            );
        }
        let logits = model.forward(&held_out)?;
        let loss = cross_entropy(&logits, &answers)?
            .to_dtype(DType::F64)?
            .to_scalar()?;
        epoch.eval_batch(
            data.eval().len(),
            [("loss", loss), ("accuracy", accuracy(&logits, &answers)?)],
        );
        epoch.log("learning_rate", optimizer.learning_rate());
        let report = epoch.end();
        println!(
            "epoch {number}: held-out accuracy {:.3}",
            report.eval["accuracy"]
        );

        let weights: Vec<f32> = vars.data().lock().map_err(|_| "poisoned")?["out.weight"]
            .flatten_all()?
            .to_vec1()?;
        session
            .run("train")
            .histogram("weights/out", number, &weights);
    }
    session.finish()?;
    println!("look at it: tensorboard --logdir runs");
    Ok(())
}
