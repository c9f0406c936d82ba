//! A hand-written training loop, of no framework, that logs with three added lines.
//!
//! `cargo run --example any_loop --no-default-features`, then `tensorboard --logdir runs`.

use modelpulse::Session;

/// Points of y = 2x + 1, by a fixed pattern some way off it.
fn points(range: std::ops::Range<i32>) -> Vec<(f64, f64)> {
    let off = |i: i32| f64::from((i * 37) % 11 - 5) / 50.0;
    range
        .map(|i| {
            (
                f64::from(i) / 50.0,
                2.0 * f64::from(i) / 50.0 + 1.0 + off(i),
            )
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, held_out) = (points(0..80), points(80..100));
    let (mut slope, mut intercept) = (0.0, 0.0);
    let squared_error = |slope: f64, intercept: f64, points: &[(f64, f64)]| {
        points
            .iter()
            .map(|(x, y)| (slope * x + intercept - y).powi(2))
            .sum::<f64>()
            / points.len() as f64
    };

    let session = Session::create("runs/any_loop")?; // 1
    for number in 0..50 {
        let mut epoch = session.epoch(number); // 2
        for batch in train.chunks(16) {
            let loss = squared_error(slope, intercept, batch);
            let error = |(x, y): &(f64, f64)| slope * x + intercept - y;
            let rate = 0.1 / batch.len() as f64;
            let (d_slope, d_intercept) = batch.iter().fold((0.0, 0.0), |(s, i), point| {
                (s + error(point) * point.0, i + error(point))
            });
            slope -= rate * d_slope;
            intercept -= rate * d_intercept;
            epoch.train_batch(batch.len(), [("loss", loss)]); // 3
        }
        epoch.eval_batch(
            held_out.len(),
            [("loss", squared_error(slope, intercept, &held_out))],
        );
    }
    let report = session.finish()?;

    println!(
        "y = {slope:.2} x + {intercept:.2}; {} values in runs/any_loop",
        report.written
    );
    Ok(())
}
