//! The first classic: a model of irises, and two gauges that Prometheus scrapes, set every minute.
//!
//! `cargo run --example classic_prometheus --features serve`, then `curl localhost:8000/metrics`.

mod centroids;
mod flowers;

use std::{env, thread, time::Duration};

use modelpulse::metrics::{Accumulator, MulticlassBatch, MulticlassMetrics};
use modelpulse::{health::Registry, serve::Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, held_out) = flowers::flowers()?;
    let model = centroids::Centroids::fit(&train);

    let registry = Registry::new();
    let accuracy = registry.gauge("model.accuracy", "Accuracy of the ML model");
    let loss = registry.gauge("model.loss", "Loss of the ML model");
    let address = env::args().nth(1).unwrap_or("127.0.0.1:8000".into());
    let serving = Server::new(&registry).listen(address)?;
    eprintln!("serving on {}", serving.url());
    loop {
        let rows = held_out.lengths.chunks(4);
        let scores: Vec<f64> = rows
            .flat_map(|row| model.probabilities(row).map(f64::from))
            .collect();
        let mut metrics = MulticlassMetrics::new(3);
        metrics.update(MulticlassBatch::new(&held_out.species, &scores))?;
        accuracy.set(metrics.confusion().accuracy()?);
        loss.set(metrics.log_loss()?);
        thread::sleep(Duration::from_secs(60));
    }
}
