//! Sounds: WAV files, Base64 of them, or samples.

use serde_json::Value;

use super::bytes;
use super::keys::{Keys, Reason, count};
use super::line::{Content, one};
use super::nested::Nested;
use crate::summary::Audio;

/// Samples are an array of one channel, or one array a channel, from -1 to 1; "rate" is in Hz.
pub(super) fn audio(tag: String, value: Value, keys: &mut Keys) -> Result<Content, Reason> {
    if !value.is_array() {
        let (name, bytes) = bytes::read("audio", value)?;
        let audio = Audio::from_wav(bytes);
        return Ok(one(tag, audio.map_err(|error| format!("{name}: {error}"))?));
    }
    let Nested { shape, numbers, .. } = Nested::read("audio", &value)?;
    let channels = match shape[..] {
        [_] => 1,
        [channels, _] => u16::try_from(channels).unwrap_or(u16::MAX),
        _ => {
            return Err(format!(
                "'audio' is of shape {shape:?}, not channels × samples"
            ));
        }
    };
    let rate = count("rate", keys.need("rate", "audio")?)?;
    let samples: Vec<f32> = numbers.iter().map(|&sample| sample as f32).collect();
    let audio = Audio::planar(rate, channels, &samples);
    Ok(one(
        tag,
        audio.map_err(|error| format!("'audio': {error}"))?,
    ))
}
