//! The first generation of summaries, which many writers still make, in the form of the second; and the
//! data classes that the first writers of the second left out.
//!
//! As TensorBoard's own readers turn them (`tensorboard/data_compat.py`, `dataclass_compat.py`).

use prost::{Message, bytes::Bytes};

use super::tensor::{metadata, shape, strings};
use super::{Histogram, Tensor, Value, hparams};
use crate::proto::{
    AudioPluginData, DataClass, DataType, ImagePluginData, SummaryMetadata, TensorProto,
    audio_plugin_data::Encoding, summary::value, tensor_shape_proto::Dim,
};

/// The data class of the values that a plugin of TensorBoard's reads; unknown for others.
pub(crate) fn class_of(plugin: &str) -> DataClass {
    match plugin {
        "scalars" => DataClass::Scalar,
        "histograms" | "text" | "hparams" | "pr_curves" | "mesh" | "custom_scalars" => {
            DataClass::Tensor
        }
        "images" | "audio" => DataClass::BlobSequence,
        plugin if GRAPH_PARTS.contains(&plugin) => DataClass::BlobSequence,
        _ => DataClass::Unknown,
    }
}

const GRAPH_PARTS: [&str; 3] = [
    "graph_run_metadata",
    "graph_run_metadata_graph",
    "graph_keras_model",
];

impl Value {
    /// The value of a field of `Summary.Value` that is older than tensors, and what its metadata says;
    /// `None` for tensors.
    pub(crate) fn of_older(value: value::Value, tag: &str, said: &SummaryMetadata) -> Option<Self> {
        let (mut metadata, tensor) = match value {
            // Nothing is said of it but what holds for any plain number.
            value::Value::SimpleValue(value)
                if said.summary_description.is_empty()
                    && (said.display_name.is_empty() || said.display_name == tag) =>
            {
                return Some(Self::Scalar(value));
            }
            value::Value::SimpleValue(value) => {
                let tensor = TensorProto {
                    dtype: DataType::DtFloat.into(),
                    tensor_shape: shape(&[]),
                    float_val: vec![value],
                    ..TensorProto::default()
                };
                let class = DataClass::Scalar;
                (metadata("scalars", class, Bytes::new()), tensor)
            }
            value::Value::Histo(histogram) => {
                let (min, max) = (histogram.min, histogram.max);
                let histogram =
                    Histogram::of_limits(min, max, &histogram.bucket_limit, &histogram.bucket);
                let buckets = histogram.buckets();
                let numbers = buckets.iter().flatten();
                let content: Vec<u8> = numbers
                    .flat_map(|&number| (number as f32).to_le_bytes())
                    .collect();
                let tensor = TensorProto {
                    dtype: DataType::DtFloat.into(),
                    tensor_shape: shape(&[buckets.len(), 3]),
                    tensor_content: content.into(),
                    ..TensorProto::default()
                };
                let class = DataClass::Tensor;
                (metadata("histograms", class, Bytes::new()), tensor)
            }
            value::Value::Image(image) => {
                let content = ImagePluginData {
                    converted_to_tensor: true,
                    ..ImagePluginData::default()
                };
                let decimal = |size: i32| Bytes::from(size.to_string());
                let (width, height) = (decimal(image.width), decimal(image.height));
                let parts = vec![width, height, image.encoded_image_string];
                let class = DataClass::BlobSequence;
                let metadata = metadata("images", class, content.encode_to_vec());
                (metadata, strings(&[3], parts))
            }
            value::Value::Audio(audio) => {
                let mut content = AudioPluginData {
                    converted_to_tensor: true,
                    ..AudioPluginData::default()
                };
                content.set_encoding(Encoding::Wav);
                let class = DataClass::BlobSequence;
                let metadata = metadata("audio", class, content.encode_to_vec());
                let clips = vec![audio.encoded_audio_string];
                (metadata, strings(&[1], clips))
            }
            value::Value::Tensor(_) => return None,
        };
        metadata.display_name = match &*said.display_name {
            "" => tag.to_owned(),
            name => name.to_owned(),
        };
        metadata.summary_description = said.summary_description.clone();
        Some(Tensor { metadata, tensor }.into())
    }

    /// A tensor whose series says `metadata`, in today's form: with its data class; clips of sound without
    /// their labels.
    pub(crate) fn of_tensor(mut metadata: SummaryMetadata, mut tensor: TensorProto) -> Self {
        if metadata.data_class() == DataClass::Unknown {
            let plugin = metadata.plugin_data.as_ref();
            let plugin = plugin.map_or("", |data| &data.plugin_name);
            let class = class_of(plugin);
            if plugin == "audio" {
                first_column(&mut tensor);
            } else if GRAPH_PARTS.contains(&plugin) {
                let shape = tensor.tensor_shape.get_or_insert_default();
                if shape.dim.is_empty() {
                    shape.dim.push(Dim {
                        size: 1,
                        ..Dim::default()
                    });
                }
            }
            metadata.set_data_class(class);
        }
        Tensor { metadata, tensor }.into()
    }

    /// A value that a log leaves out, because its metadata says all: hyperparameters, as torch and
    /// tensorboardX write them.
    pub(crate) fn of_metadata(metadata: SummaryMetadata) -> Option<Self> {
        let plugin = metadata.plugin_data.as_ref()?;
        (plugin.plugin_name == hparams::PLUGIN)
            .then(|| Self::of_tensor(metadata, hparams::no_numbers()))
    }
}

/// Keeps the first of each row of strings.
fn first_column(tensor: &mut TensorProto) {
    let Some(shape) = &mut tensor.tensor_shape else {
        return;
    };
    let mut stride = 1_usize;
    while shape.dim.len() > 1 {
        let size = shape
            .dim
            .pop()
            .and_then(|dim| usize::try_from(dim.size).ok());
        stride = stride.saturating_mul(size.unwrap_or(0));
    }
    if stride > 1 {
        let mut index = 0;
        tensor.string_val.retain(|_| {
            index += 1;
            (index - 1) % stride == 0
        });
    }
}
