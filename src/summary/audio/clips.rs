//! Clips of sound under one tag, and the form in which the log stores one or more.
//!
//! Stored as a list of strings, one WAV file a clip, with `AudioPluginData` saying so. TensorFlow adds a label to each
//! clip and no data class (`plugins/audio/summary_v2.py`), and TensorBoard drops the labels; both forms are read.

use prost::Message;
use prost::bytes::Bytes;

use super::super::{Tensor, Value, WrongKind, metadata, strings};
use super::{Audio, AudioError};
use crate::proto::audio_plugin_data::Encoding;
use crate::proto::{AudioPluginData, DataClass, DataType};

/// Clips of sound that TensorBoard shows one beside the other under one tag.
///
/// ```
/// use modelpulse::summary::{Audio, AudioClips, Value};
/// let clips = AudioClips::new(vec![
///     Audio::mono(8_000, &[0.0, 0.5])?,
///     Audio::mono(8_000, &[0.0, -0.5, 0.25])?,
/// ])?;
/// let value = Value::from(clips.clone());
/// assert_eq!(value.plugin(), "audio");
/// assert_eq!(AudioClips::try_from(&value)?, clips);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioClips(Vec<Audio>);

impl AudioClips {
    /// Clips in the order in which they are shown; they may differ in length and sample rate.
    ///
    /// Log as many clips at every step of a tag: where one step has fewer, TensorBoard 2.21 answers an error instead of
    /// the sounds of the others.
    ///
    /// # Errors
    /// [`AudioError::Empty`] of no clips.
    pub fn new(clips: Vec<Audio>) -> Result<Self, AudioError> {
        if clips.is_empty() {
            return Err(AudioError::Empty);
        }
        Ok(Self(clips))
    }

    /// The clips.
    pub fn as_slice(&self) -> &[Audio] {
        &self.0
    }

    /// The clips, to take apart.
    pub fn into_vec(self) -> Vec<Audio> {
        self.0
    }
}

impl From<Audio> for Value {
    fn from(audio: Audio) -> Self {
        AudioClips(vec![audio]).into()
    }
}

impl From<AudioClips> for Value {
    fn from(AudioClips(clips): AudioClips) -> Self {
        let content = AudioPluginData {
            encoding: Encoding::Wav.into(),
            ..AudioPluginData::default()
        };
        let clips: Vec<Bytes> = clips.into_iter().map(|clip| clip.wav).collect();
        Tensor {
            metadata: metadata("audio", DataClass::BlobSequence, content.encode_to_vec()),
            tensor: strings(&[clips.len()], clips),
        }
        .into()
    }
}

impl TryFrom<&Value> for Audio {
    type Error = WrongKind;

    /// The first clip of the value.
    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let first = read(value).and_then(|mut clips| clips.next());
        first.ok_or_else(|| WrongKind::new("a clip of sound", value))
    }
}

impl TryFrom<&Value> for AudioClips {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let clips = read(value)
            .map(Iterator::collect)
            .filter(|clips: &Vec<_>| !clips.is_empty());
        clips
            .map(Self)
            .ok_or_else(|| WrongKind::new("a list of clips of sound", value))
    }
}

/// The clips of a value, without the labels that follow each in TensorFlow's form.
fn read(value: &Value) -> Option<impl Iterator<Item = Audio>> {
    let Value::Tensor(tensor) = value else {
        return None;
    };
    if tensor.plugin() != "audio" || tensor.tensor.dtype() != DataType::DtString {
        return None;
    }
    let dims = tensor
        .tensor
        .tensor_shape
        .as_ref()
        .map_or(&[][..], |shape| &shape.dim);
    let mut sizes = dims
        .iter()
        .skip(1)
        .map(|dim| usize::try_from(dim.size).ok());
    let stride = sizes.try_fold(1, |stride: usize, size| stride.checked_mul(size?))?;
    let clips = tensor.tensor.string_val.iter().step_by(stride.max(1));
    Some(clips.map(|wav| Audio { wav: wav.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_come_back_without_the_labels_of_tensorflow() {
        let clips = [0.1, 0.2].map(|level| Audio::mono(8_000, &[level]).unwrap());
        let labelled = clips
            .iter()
            .flat_map(|clip| [clip.wav().clone(), Bytes::new()]);
        let value = Value::from(Tensor {
            metadata: metadata("audio", DataClass::Unknown, Bytes::new()),
            tensor: strings(&[2, 2], labelled.collect()),
        });
        assert_eq!(AudioClips::try_from(&value).unwrap().as_slice(), clips);
        assert_eq!(Audio::try_from(&value).unwrap(), clips[0]);
        assert!(Audio::try_from(&Value::Scalar(1.0)).is_err());
    }

    #[test]
    fn a_list_of_no_clips_is_an_error() {
        assert!(matches!(
            AudioClips::new(Vec::new()),
            Err(AudioError::Empty)
        ));
    }
}
