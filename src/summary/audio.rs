//! Sounds: 16-bit PCM in WAV files, made of samples or ready.
//!
//! No clip is empty, and no sample is written that is not a number.

mod clips;

use std::io::Cursor;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use prost::bytes::Bytes;

pub use clips::AudioClips;

/// Bytes before the samples of a WAV file.
const HEADER: usize = 44;

/// A clip of sound in WAV form.
///
/// ```
/// use modelpulse::summary::Audio;
/// // A second of the concert pitch, at half of full scale.
/// let tone: Vec<f32> = (0..16_000)
///     .map(|i| 0.5 * (i as f32 * 440.0 * std::f32::consts::TAU / 16_000.0).sin())
///     .collect();
/// let audio = Audio::mono(16_000, &tone)?;
/// assert_eq!(audio.wav().len(), 44 + 2 * 16_000);
/// // The same in the left channel of two, frame by frame, and channel by channel.
/// let frames: Vec<f32> = tone.iter().flat_map(|&sample| [sample, 0.0]).collect();
/// let stereo = Audio::interleaved(16_000, 2, &frames)?;
/// assert_eq!(Audio::planar(16_000, 2, &[tone, vec![0.0; 16_000]].concat())?, stereo);
/// # Ok::<(), modelpulse::summary::AudioError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    wav: Bytes,
}

/// Why there is no sound.
///
/// ```
/// use modelpulse::summary::Audio;
/// let error = Audio::interleaved(8_000, 2, &[0.0, 0.5, f32::NAN, 0.0]).unwrap_err();
/// assert_eq!(error.to_string(), "the sample of channel 0 in frame 1 is NaN");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// No samples, or no clips.
    #[error("there is no sound: a clip needs at least one frame, a list at least one clip")]
    Empty,
    /// Neither mono nor stereo.
    #[error("{channels} channels: a clip has 1 (mono) or 2 (stereo)")]
    Channels {
        /// Samples a frame.
        channels: u16,
    },
    /// The samples do not make whole frames.
    #[error("{samples} samples make no whole frames of {channels} channels")]
    Shape {
        /// Samples given.
        samples: usize,
        /// Samples a frame.
        channels: u16,
    },
    /// No frames a second, or more than a WAV file can say.
    #[error("no sound has a sample rate of {sample_rate} Hz")]
    SampleRate {
        /// Frames a second.
        sample_rate: u32,
    },
    /// More samples than a WAV file can hold, which is 4 GiB.
    #[error("{samples} samples are more than a WAV file can hold")]
    TooLong {
        /// Samples given.
        samples: usize,
    },
    /// A sample is NaN, which is no sound.
    #[error("the sample of channel {channel} in frame {frame} is NaN")]
    NotANumber {
        /// The frame, counted from 0.
        frame: usize,
        /// The channel, counted from 0.
        channel: usize,
    },
    /// The bytes are not those of a WAV file.
    #[error("cannot read or write the sound as WAV")]
    Wav(#[from] hound::Error),
}

impl Audio {
    /// One channel of samples from −1 to 1; what lies beyond is clipped. `sample_rate` is in Hz.
    ///
    /// # Errors
    /// [`AudioError::Empty`], [`AudioError::SampleRate`], [`AudioError::TooLong`], and [`AudioError::NotANumber`] where
    /// a sample is NaN; an infinite one is clipped.
    pub fn mono(sample_rate: u32, samples: &[f32]) -> Result<Self, AudioError> {
        Self::interleaved(sample_rate, 1, samples)
    }

    /// One or two channels, frame by frame (frames × channels): left, right, left, right. The samples go from −1 to
    /// 1; what lies beyond is clipped. `sample_rate` is in Hz, frames a second.
    ///
    /// # Errors
    /// Those of [`mono`](Self::mono), [`AudioError::Channels`], and [`AudioError::Shape`] where the last frame is not
    /// whole.
    pub fn interleaved(
        sample_rate: u32,
        channels: u16,
        samples: &[f32],
    ) -> Result<Self, AudioError> {
        let channel_count = usize::from(channels);
        Self::write(sample_rate, channels, samples, |frame, channel| {
            frame * channel_count + channel
        })
    }

    /// One or two channels, one after the other (channels × frames), as tensors have it. The samples go from −1 to
    /// 1; what lies beyond is clipped. `sample_rate` is in Hz, frames a second.
    ///
    /// # Errors
    /// Those of [`interleaved`](Self::interleaved), with [`AudioError::Shape`] where the channels differ in length.
    pub fn planar(sample_rate: u32, channels: u16, samples: &[f32]) -> Result<Self, AudioError> {
        let frames = samples.len() / usize::from(channels.max(1));
        Self::write(sample_rate, channels, samples, |frame, channel| {
            channel * frames + frame
        })
    }

    /// Ready bytes of a WAV file, which are kept as they are, without a copy. Only the header is looked at; what the
    /// browser plays is up to it.
    ///
    /// # Errors
    /// [`AudioError::Wav`] unless the header is that of integer or floating-point PCM, [`AudioError::Empty`] if it
    /// says 0 samples.
    pub fn from_wav(bytes: impl Into<Bytes>) -> Result<Self, AudioError> {
        let wav = bytes.into();
        if WavReader::new(Cursor::new(&wav))?.len() == 0 {
            return Err(AudioError::Empty);
        }
        Ok(Self { wav })
    }

    /// `place` says where the sample of a frame and a channel lies; a place for every sample.
    fn write(
        sample_rate: u32,
        channels: u16,
        samples: &[f32],
        place: impl Fn(usize, usize) -> usize,
    ) -> Result<Self, AudioError> {
        let channel_count = usize::from(channels);
        if !matches!(channels, 1 | 2) {
            return Err(AudioError::Channels { channels });
        }
        if samples.is_empty() {
            return Err(AudioError::Empty);
        }
        if !samples.len().is_multiple_of(channel_count) {
            let samples = samples.len();
            return Err(AudioError::Shape { samples, channels });
        }
        // The header says bytes a second, and bytes in all, in 32 bits.
        let bytes_per_frame = 2 * u32::from(channels);
        if sample_rate == 0 || sample_rate.checked_mul(bytes_per_frame).is_none() {
            return Err(AudioError::SampleRate { sample_rate });
        }
        if samples.len() > (u32::MAX - 64) as usize / 2 {
            let samples = samples.len();
            return Err(AudioError::TooLong { samples });
        }

        let mut wav = Vec::with_capacity(HEADER + 2 * samples.len());
        let spec = WavSpec {
            channels,
            sample_rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::new(Cursor::new(&mut wav), spec)?;
        for frame in 0..samples.len() / channel_count {
            for channel in 0..channel_count {
                let sample = samples[place(frame, channel)];
                if sample.is_nan() {
                    return Err(AudioError::NotANumber { frame, channel });
                }
                // As TensorFlow scales: +1 becomes 32,767, because the cast clips.
                writer.write_sample((sample * 32768.0).round() as i16)?;
            }
        }
        writer.finalize()?;
        Ok(Self { wav: wav.into() })
    }

    /// The bytes of the WAV file.
    pub fn wav(&self) -> &Bytes {
        &self.wav
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels, sample rate, and samples.
    fn decoded(audio: &Audio) -> (u16, u32, Vec<i16>) {
        let mut reader = WavReader::new(Cursor::new(audio.wav())).unwrap();
        let WavSpec {
            channels,
            sample_rate,
            ..
        } = reader.spec();
        let samples = reader.samples().collect::<Result<_, _>>().unwrap();
        (channels, sample_rate, samples)
    }

    #[test]
    fn samples_are_scaled_rounded_and_clipped() {
        let samples = [
            0.0,
            0.5,
            -0.5,
            1.0,
            -1.0,
            1.5,
            f32::NEG_INFINITY,
            1e-5,
            2e-5,
        ];
        let audio = Audio::mono(8_000, &samples).unwrap();
        let expected = [0, 16384, -16384, 32767, -32768, 32767, -32768, 0, 1];
        assert_eq!(decoded(&audio), (1, 8_000, expected.to_vec()));
        assert_eq!(audio.wav().len(), HEADER + 2 * samples.len());
    }

    #[test]
    fn channels_alternate_whatever_the_layout() {
        let frames = Audio::interleaved(44_100, 2, &[0.25, -0.25, 0.5, -0.5]).unwrap();
        let expected = vec![8192, -8192, 16384, -16384];
        assert_eq!(decoded(&frames), (2, 44_100, expected));
        let channels = Audio::planar(44_100, 2, &[0.25, 0.5, -0.25, -0.5]).unwrap();
        assert_eq!(channels, frames);
    }

    #[test]
    fn nan_is_named_in_either_layout() {
        for (layout, index) in [
            (Audio::interleaved as fn(_, _, &_) -> _, 5),
            (Audio::planar, 5),
        ] {
            let mut samples = [0.0; 6];
            samples[index] = f32::NAN;
            let error: AudioError = Result::<Audio, _>::unwrap_err(layout(8_000, 2, &samples));
            assert_eq!(
                error.to_string(),
                "the sample of channel 1 in frame 2 is NaN"
            );
        }
    }

    #[test]
    fn what_is_no_sound_is_an_error() {
        assert!(matches!(Audio::mono(1, &[]), Err(AudioError::Empty)));
        for channels in [0, 3] {
            let error = Audio::planar(8_000, channels, &[0.0; 6]).unwrap_err();
            assert!(matches!(error, AudioError::Channels { .. }), "{error}");
        }
        let error = Audio::interleaved(8_000, 2, &[0.0; 3])
            .unwrap_err()
            .to_string();
        assert_eq!(error, "3 samples make no whole frames of 2 channels");
        for sample_rate in [0, u32::MAX] {
            let error = Audio::mono(sample_rate, &[0.0]).unwrap_err();
            assert!(matches!(error, AudioError::SampleRate { .. }), "{error}");
        }
    }

    #[test]
    fn ready_bytes_are_kept_if_they_are_wav() {
        let made = Audio::mono(8_000, &[0.0, 0.5]).unwrap();
        let ready = Audio::from_wav(made.wav().clone()).unwrap();
        assert_eq!(ready.wav().as_ptr(), made.wav().as_ptr());
        for end in 0..HEADER {
            assert!(Audio::from_wav(made.wav().slice(..end)).is_err(), "{end}");
        }
        let error = Audio::from_wav(&b"OggS\0\x02"[..]).unwrap_err();
        assert!(matches!(error, AudioError::Wav(_)), "{error}");
    }
}
