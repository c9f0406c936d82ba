//! A loop that reports to `tracing`, watched in TensorBoard.
//!
//! `cargo run --example bridge_tracing --features tracing`, then `tensorboard --logdir runs`.

use modelpulse::{Session, bridge::TracingLayer};
use tracing::{debug, info, info_span, warn};
use tracing_subscriber::{filter::LevelFilter, prelude::*};

/// What the loop's own code knows: `tracing`, and nothing of a log.
fn fit(steps: u64) -> f64 {
    let mut x = 5.0_f64;
    for step in 0..steps {
        let span = info_span!("batch").entered();
        let gradient = 2.0 * x + (step as f64).sin();
        if gradient.abs() > 8.0 {
            warn!(step, gradient, "a large gradient");
        }
        x -= 0.05 * gradient;
        info!(step, loss = x * x, x);
        debug!(step, gradient, "not logged: the filter keeps it out");
        drop(span);
    }
    x
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/bridge_tracing")?;
    let layer = TracingLayer::new((&session, "train")).prefix("fit");
    tracing_subscriber::registry()
        // Other layers, such as one that prints, stand beside it.
        .with(layer.with_filter(LevelFilter::INFO))
        .init();

    let x = fit(200);

    let report = session.finish()?;
    println!(
        "x = {x:.3}; {} values in runs/bridge_tracing",
        report.written
    );
    Ok(())
}
