//! A service that reports to the `metrics` facade, watched in TensorBoard.
//!
//! `cargo run --example bridge_metrics --features metrics-rs`, then `tensorboard --logdir runs`.

use std::time::{Duration, Instant};

use metrics::{Unit, counter, describe_histogram, gauge, histogram};
use modelpulse::{Session, bridge::MetricsRecorder};

/// What the service's own code knows: the facade, and nothing of a log.
fn answer(request: u64) -> u64 {
    let since = Instant::now();
    gauge!("queue").set((request % 7) as f64);
    let sum = (0..1000 * (1 + request % 5)).fold(request, |sum, i| sum ^ i.wrapping_mul(sum | 1));
    let status = if request % 50 == 49 { "500" } else { "200" };
    counter!("requests", "status" => status).increment(1);
    histogram!("latency").record(since.elapsed().as_secs_f64() * 1e6);
    sum
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/bridge_metrics")?;
    let sampler = MetricsRecorder::builder((&session, "serve"))
        .interval(Duration::from_millis(50))
        .install()?;
    describe_histogram!("latency", Unit::Microseconds, "from request to answer");

    let start = Instant::now();
    let mut requests = 0;
    while start.elapsed() < Duration::from_secs(1) {
        std::hint::black_box(answer(requests));
        requests += 1;
    }

    sampler.finish(); // with the last sample
    let report = session.finish()?;
    println!(
        "{requests} requests; {} values in runs/bridge_metrics",
        report.written
    );
    Ok(())
}
