//! Experiments: six sessions with other hyperparameters each, judged by the same metrics.
//!
//! `cargo run --example kinds_experiments --no-default-features`, then `tensorboard --logdir runs/kinds_experiments`: the
//! page HParams, with a table, parallel coordinates and scatter plots.

use modelpulse::WallTime;
use modelpulse::log::Writer;
use modelpulse::summary::{Domain, HParams, Measured, Metric, SessionStatus};

/// A training that is quick and overshoots, or slow and steady.
fn loss(rate: f64, steady: bool, step: i32) -> f64 {
    let overshoot = if steady { 0.02 } else { 0.1 };
    (-rate * f64::from(step)).exp() + overshoot * rate * 10.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let writer = Writer::create("runs/kinds_experiments")?;
    // What the experiment is about stands in the common directory.
    let metric = Metric::new("", "loss").display_name("final loss");
    let experiment = HParams::new()
        .description("How fast is too fast?")
        .domain("rate", Domain::discrete([0.01, 0.05, 0.2])?)
        .domain("optimizer", Domain::discrete(["sgd", "adam"])?)
        .judged_by(metric.measured_on(Measured::Validation));
    let (tag, value) = experiment.experiment(WallTime::now());
    writer.run(".").log(tag, 0, value);

    let trials = [0.01, 0.05, 0.2].map(|rate| [(rate, "sgd"), (rate, "adam")]);
    for (number, (rate, optimizer)) in trials.into_iter().flatten().enumerate() {
        let name = format!("trial_{number}");
        let run = writer.run(&name);
        let hparams = HParams::new().set("rate", rate).set("optimizer", optimizer);
        let (tag, value) = hparams.session_start(&name, WallTime::now());
        run.log(tag, 0, value);
        for step in 0..100 {
            run.scalar("loss", step, loss(rate, optimizer == "adam", step));
        }
        let (tag, value) = HParams::session_end(SessionStatus::Success, WallTime::now());
        run.log(tag, 0, value);
    }
    let report = writer.finish()?;
    println!("{} values in runs/kinds_experiments", report.written);
    Ok(())
}
