//! Sound: a chord that decays, in stereo, its middle voice wandering from left to right.
//!
//! `cargo run --example kinds_sound --features media`, then `tensorboard --logdir runs`: the page Audio.

use modelpulse::Session;
use modelpulse::summary::{Audio, AudioClips};

const RATE: u32 = 16_000;

/// A tone of `pitch` Hz, two seconds long.
fn tone(pitch: f32) -> Vec<f32> {
    let sample = |i: u32| {
        let time = i as f32 / RATE as f32;
        (time * pitch * std::f32::consts::TAU).sin() * (-2.0 * time).exp() * 0.3
    };
    (0..2 * RATE).map(sample).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::create("runs/kinds_sound")?;
    let run = session.run("synth");
    let [low, middle, high] = [220.0, 277.18, 329.63].map(tone);

    // Frame by frame: left, right, left, right.
    let frame = |i: usize| {
        let right = i as f32 / middle.len() as f32;
        let both = low[i] + high[i];
        [both + middle[i] * (1.0 - right), both + middle[i] * right]
    };
    let chord: Vec<f32> = (0..low.len()).flat_map(frame).collect();
    run.log("chord", 0, Audio::interleaved(RATE, 2, &chord)?);

    // Several clips under one tag, side by side.
    let voices = [low, middle, high].map(|voice| Audio::mono(RATE, &voice));
    let voices = voices.into_iter().collect::<Result<Vec<_>, _>>()?;
    run.log("voices", 0, AudioClips::new(voices)?);

    let report = session.finish()?;
    println!("{} values in runs/kinds_sound", report.written);
    Ok(())
}
