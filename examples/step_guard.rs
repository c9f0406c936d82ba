//! A loop that logs several numbers a step as one event: half the bytes, one call to the clock, no lock.
//!
//! `cargo run --example step_guard --no-default-features`, then `tensorboard --logdir runs`.

use modelpulse::log::Writer;

/// The angle of a damped pendulum, how fast it moves, and its energy, step by step.
fn pendulum() -> impl Iterator<Item = (f64, f64, f64)> {
    let (mut angle, mut speed, seconds) = (2.0_f64, 0.0_f64, 0.01);
    std::iter::from_fn(move || {
        speed -= (angle.sin() + 0.1 * speed) * seconds;
        angle += speed * seconds;
        Some((angle, speed, speed * speed / 2.0 - angle.cos()))
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let writer = Writer::create("runs/step_guard")?;
    let run = writer.run("pendulum");
    // Looked up once; a step then finds no name.
    let [angle, speed, energy] = ["angle", "speed", "energy"].map(|tag| run.series(tag));
    for (step, now) in pendulum().take(5000).enumerate() {
        run.step(step)
            .scalar(&angle, now.0)
            .scalar(&speed, now.1)
            .scalar(&energy, now.2);
        // Dropped here: the three are one event.
    }
    let report = writer.finish()?;

    println!(
        "{} values in {} bytes in runs/step_guard",
        report.written, report.bytes
    );
    Ok(())
}
