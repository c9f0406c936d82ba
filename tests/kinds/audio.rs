//! Sounds: mono, stereo, several clips under one tag.

use modelpulse::log::Writer;
use modelpulse::summary::{Audio, AudioClips};
use serde_json::{Value, json};

use crate::support::{Board, Decoded, decode, route};

pub const RUN: &str = "sounds";
pub const TONE: &str = "tone";
const STEREO: &str = "stereo";
const CLIPS: &str = "clips";
const RATE: u32 = 8_000;
const LENGTH: usize = 12_000;
/// Of the tone.
pub const SECONDS: f64 = 1.5;
const STEPS: usize = 2;

/// A second and a half; a higher tone at a later step. Beyond full scale at its peaks, which are clipped.
fn tone(step: usize) -> Vec<f32> {
    let frequency = [440.0, 660.0][step];
    let sample = |index: usize| {
        let turns = index as f32 * frequency / RATE as f32;
        1.1 * (turns.fract() * std::f32::consts::TAU).sin()
    };
    (0..LENGTH).map(sample).collect()
}

/// As 16 bits, the way TensorFlow scales.
fn pcm(samples: &[f32]) -> Vec<u8> {
    let sample = |sample: &f32| {
        (sample.clamp(-1.0, 1.0) * 32_768.0)
            .round()
            .clamp(-32_768.0, 32_767.0) as i16
    };
    samples
        .iter()
        .map(sample)
        .flat_map(i16::to_le_bytes)
        .collect()
}

fn frames() -> Vec<f32> {
    tone(0)
        .into_iter()
        .zip(tone(1))
        .flat_map(|(left, right)| [left, right])
        .collect()
}

pub fn log(writer: &Writer) {
    let run = writer.run(RUN);
    for step in 0..STEPS {
        run.log(TONE, step as i64, Audio::mono(RATE, &tone(step)).unwrap());
    }
    run.log(
        STEREO,
        0,
        Audio::interleaved(2 * RATE, 2, &frames()).unwrap(),
    );
    let clips = [0, 1].map(|step| Audio::mono(RATE, &tone(step)[..100 * (step + 1)]).unwrap());
    run.log(CLIPS, 0, AudioClips::new(clips.into()).unwrap());
}

pub fn is_answered(board: &Board) {
    let sounds = |tag: &str, sample: usize, steps: usize| {
        let query = [
            ("run", RUN),
            ("tag", tag),
            ("sample", &sample.to_string()[..]),
        ];
        let entries = board.list(&route("audio", "audio", &query), steps);
        assert_eq!(entries.len(), steps, "{tag}");
        let sound = |(step, entry): (usize, &Value)| {
            assert_eq!(
                (&entry["step"], &entry["contentType"]),
                (&json!(step), &json!("audio/wav")),
                "{tag}"
            );
            let query = entry["query"].as_str().unwrap();
            board.bytes(&format!("/data/plugin/audio/individualAudio?{query}"))
        };
        entries.iter().enumerate().map(sound).collect::<Vec<_>>()
    };
    let mut files = sounds(TONE, 0, STEPS);
    files.extend(sounds(STEREO, 0, 1));
    files.extend(sounds(CLIPS, 0, 1));
    files.extend(sounds(CLIPS, 1, 1));
    let expected = [
        (RATE, 1, tone(0)),
        (RATE, 1, tone(1)),
        (2 * RATE, 2, frames()),
        (RATE, 1, tone(0)[..100].to_vec()),
        (RATE, 1, tone(1)[..200].to_vec()),
    ];
    for (Decoded { facts, content }, (rate, channels, samples)) in
        decode(&files).into_iter().zip(expected)
    {
        let all = json!({
            "rate": rate, "channels": channels, "width": 2, "length": samples.len() / channels, "frames": 1,
        });
        assert_eq!(facts, all);
        assert!(content[0] == pcm(&samples), "other samples: {all}");
    }
    assert_eq!(
        board.get("/data/plugin/audio/tags")[RUN][CLIPS]["samples"],
        2
    );
}
