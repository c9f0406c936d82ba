//! A loop that is stopped, and goes on in the same run: the log tells where it was.
//!
//! `cargo run --example resume --no-default-features`, then `tensorboard --logdir runs`: run it again, and
//! the curve goes on where it ended.

use modelpulse::log::{Error, Writer, last_steps};

const LOGDIR: &str = "runs/resume";

/// A checkpoint is saved so often; what came behind the last one is trained again.
const CHECKPOINT_EVERY: i64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let last = match last_steps(LOGDIR) {
        Ok(steps) => steps.get("train").copied(),
        // The first time there is nothing to go on from.
        Err(Error::NoEvents { .. } | Error::Read { .. }) => None,
        Err(error) => return Err(error.into()),
    };

    let writer = Writer::create(LOGDIR)?;
    let train = writer.run("train");
    let first = match last {
        // The step of the last checkpoint; readers forget the points from there on.
        Some(last) => (last.as_i64() + 1) / CHECKPOINT_EVERY * CHECKPOINT_EVERY,
        None => 0,
    };
    if last.is_some() {
        train.resume_at(first);
    }
    let loss = train.series("loss");
    // Stopped somewhere between two checkpoints.
    for step in first..first + 100 {
        loss.scalar(step, 1.0 / (1.0 + step as f64 / 50.0));
    }
    writer.finish()?;

    let now = last_steps(LOGDIR)?["train"];
    match last {
        None => println!("steps 0 to {now} in {LOGDIR}"),
        Some(last) => println!("stopped at {last}, went on from {first} to {now} in {LOGDIR}"),
    }
    Ok(())
}
