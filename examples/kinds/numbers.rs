//! Numbers: described scalars, several in one chart, a band around a curve, histograms, any tensor.
//!
//! `cargo run --example kinds_numbers --no-default-features`, then `tensorboard --logdir runs`: the pages Time
//! Series, Custom Scalars, Histograms and Distributions.

use modelpulse::Session;
use modelpulse::summary::{Band, Chart, Layout, Scalar, Tensor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_numbers")?;
    let run = session.run("train");
    // Which scalars share a chart is said once, of scalars that are logged as ever.
    let band = Band {
        value: "temperature".into(),
        lower: "temperature/min".into(),
        upper: "temperature/max".into(),
    };
    run.layout(Layout::new().section("sensor", [Chart::bands("temperature", [band])]));

    for step in 0..50_i64 {
        let time = step as f64 / 50.0;
        let loss = Scalar::new((-3.0 * time).exp()).description("cross-entropy, in *nats*");
        run.log("loss", step, loss);
        // One chart, and no run for each.
        let gap = 0.1 * time;
        run.scalars(
            "accuracy",
            step,
            [("train", time.sqrt()), ("eval", time.sqrt() - gap)],
        );

        let (warm, spread) = (20.0 + 5.0 * (6.0 * time).sin(), 1.0 + time);
        run.scalar("temperature", step, warm);
        run.scalar("temperature/min", step, warm - spread);
        run.scalar("temperature/max", step, warm + spread);

        // Values of a layer that grows wider; how many are NaN is logged next to it.
        let weight = |i: i32| (f64::from(i * 37 % 101) / 50.0 - 1.0).powi(3) * (1.0 + 2.0 * time);
        let weights: Vec<f64> = (0..1000).map(weight).collect();
        run.histogram("weights", step, &weights);
    }
    // For a plugin of one's own: rows of shards, columns of quantiles.
    let latency = Tensor::new("latencies", &[2, 3], &[1.0_f32, 2.0, 9.0, 1.5, 2.5, 30.0])?;
    run.log("latency", 49, latency.content(r#"{"unit": "ms"}"#));

    let report = session.finish()?;
    println!("{} values in runs/kinds_numbers", report.written);
    Ok(())
}
