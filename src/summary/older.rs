//! The first generation of summaries, which many writers still make, in the form of the second.
//!
//! As TensorBoard's own readers turn them (`tensorboard/data_compat.py`).

use prost::{Message, bytes::Bytes};

use super::tensor::{metadata, strings};
use super::{Histogram, Tensor, Value};
use crate::proto::{AudioPluginData, DataClass, audio_plugin_data::Encoding, summary::value};

impl Value {
    /// The value of a field of `Summary.Value` that is older than tensors; `None` for tensors.
    pub(crate) fn of_older(value: value::Value) -> Option<Self> {
        Some(match value {
            value::Value::SimpleValue(value) => Self::Scalar(value),
            value::Value::Histo(histogram) => {
                let (min, max) = (histogram.min, histogram.max);
                Histogram::from_limits(min, max, &histogram.bucket_limit, &histogram.bucket).into()
            }
            value::Value::Image(image) => {
                let decimal = |size: i32| Bytes::from(size.to_string());
                let (width, height) = (decimal(image.width), decimal(image.height));
                let parts = vec![width, height, image.encoded_image_string];
                let metadata = metadata("images", DataClass::BlobSequence, Bytes::new());
                let tensor = strings(&[3], parts);
                Tensor { metadata, tensor }.into()
            }
            value::Value::Audio(audio) => {
                let mut content = AudioPluginData::default();
                content.set_encoding(Encoding::Wav);
                let content = content.encode_to_vec();
                let metadata = metadata("audio", DataClass::BlobSequence, content);
                let clips = vec![audio.encoded_audio_string];
                let tensor = strings(&[1], clips);
                Tensor { metadata, tensor }.into()
            }
            value::Value::Tensor(_) => return None,
        })
    }
}
