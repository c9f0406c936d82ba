//! The second classic: a registry of meters, and an endpoint that evaluates the model when it is asked.
//!
//! `cargo run --example classic_evaluate --features serve`, then `curl localhost:8000/evaluate`; also `/metrics`,
//! `/actuator/metrics/model.requests`, and `tensorboard --logdir runs`.

mod centroids;
mod flowers;

use std::{env, thread};

use modelpulse::health::{LabelledRows, Monitor, Registry};
use modelpulse::{Session, serve::Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (train, held_out) = flowers::flowers()?;
    let model = centroids::Centroids::fit(&train);
    let data = LabelledRows::classes(held_out.lengths, 4, held_out.species).ok_or("not whole")?;

    let registry = Registry::new();
    let requests = registry.counter("model.requests", "Calls of the model");
    let session = Session::builder("runs/iris")
        .sink(registry.sink())
        .start()?;
    let watch = Monitor::new(move |rows| {
        requests.increment();
        let scores = rows.iter().flat_map(|row| model.probabilities(row));
        scores.collect::<Vec<f32>>()
    })
    .task(3)
    .data(data)
    .registry(&registry)
    .start(&session)?;
    let address = env::args().nth(1).unwrap_or("127.0.0.1:8000".into());
    let server = Server::new(&registry).watch(&watch);
    let serving = server
        .class_names(["setosa", "versicolor", "virginica"])
        .listen(address)?;
    eprintln!("serving on {}", serving.url());
    loop {
        thread::park();
    }
}
