//! The third classic: loss and accuracy of each epoch, for TensorBoard.
//!
//! `cargo run --example classic_tensorboard --no-default-features`, then `tensorboard --logdir runs`.

mod flowers;

use modelpulse::Session;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, held_out) = flowers::flowers()?;
    let session = Session::create("runs/iris")?;
    let mut weights = [[0.0_f32; 5]; 3]; // softmax regression: of each species, four and a bias
    for number in 0..50 {
        let mut epoch = session.epoch(number);
        for (part, is_train) in [(&train, true), (&held_out, false)] {
            for (row, &species) in part.lengths.chunks(4).zip(&part.species) {
                let inputs = [row[0], row[1], row[2], row[3], 1.0];
                let odds = weights.map(|own| {
                    let products = own.iter().zip(inputs).map(|(weight, input)| weight * input);
                    products.sum::<f32>().exp()
                });
                let scores = odds.map(|it| it / odds.iter().sum::<f32>());
                let right = (0..3).all(|class| scores[class] <= scores[species]);
                let told = [
                    ("loss", -f64::from(scores[species].ln())),
                    ("accuracy", right.into()),
                ];
                if !is_train {
                    epoch.eval_batch(1, told);
                    continue;
                }
                epoch.train_batch(1, told);
                for (class, own) in weights.iter_mut().enumerate() {
                    let off = scores[class] - f32::from(u8::from(class == species));
                    own.iter_mut()
                        .zip(inputs)
                        .for_each(|(weight, input)| *weight -= 0.01 * off * input);
                }
            }
        }
    }
    session.finish()?;
    Ok(())
}
