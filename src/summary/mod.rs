//! What a log can hold under one tag at one step: one file a kind, Rust value to wire value and back.
//!
//! Pure: no clock, no file. Every value written carries its metadata, so that a reader which sees
//! only a part of a log still knows what it looks at; only a plain scalar needs none.

mod histogram;
mod hparams;
mod image;
mod scalar;
mod text;

use std::sync::Arc;

pub use histogram::{Histogram, Sample};
pub use hparams::{HParam, HParams, SessionStatus};
pub use image::{Image, ImageError};
pub use scalar::Scalar;
pub use text::Text;

use crate::proto::{
    DataClass, DataType, SummaryMetadata, TensorProto, TensorShapeProto,
    summary_metadata::PluginData, tensor_shape_proto::Dim,
};

/// A value in the form in which the log stores it.
///
/// ```
/// use modelpulse::summary::{Text, Value};
/// assert_eq!(Value::from(0.5).scalar(), Some(0.5));
/// let text = Value::from(Text::new("# all is well"));
/// assert_eq!(text.plugin(), "text");
/// assert_eq!(Text::try_from(&text).unwrap().markdown(), "# all is well");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A number, of single precision as TensorBoard shows it.
    Scalar(f32),
    /// Any other kind: a tensor, and the metadata that says which plugin reads it.
    Tensor(Arc<Tensor>),
}

/// A tensor with the metadata that says which plugin reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensor {
    /// The plugin, its settings, display name, description and data class.
    pub metadata: SummaryMetadata,
    /// The numbers or strings.
    pub tensor: TensorProto,
}

impl Value {
    /// The number of a scalar, whether it stands alone or in a tensor of rank 0.
    pub fn scalar(&self) -> Option<f32> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Tensor(tensor) => Scalar::read(tensor).map(|scalar| scalar.value),
        }
    }

    /// The name of the plugin that reads this value, such as `scalars` or `images`.
    pub fn plugin(&self) -> &str {
        match self {
            Self::Scalar(_) => "scalars",
            Self::Tensor(tensor) => tensor.plugin(),
        }
    }

    /// About how many bytes this value holds; what a bounded queue counts.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Scalar(_) => 4,
            Self::Tensor(tensor) => {
                let TensorProto {
                    tensor_content,
                    string_val,
                    ..
                } = &tensor.tensor;
                let strings: usize = string_val.iter().map(|string| string.len()).sum();
                let content = tensor
                    .metadata
                    .plugin_data
                    .as_ref()
                    .map_or(0, |data| data.content.len());
                128 + tensor_content.len() + strings + content
            }
        }
    }
}

/// Rounds to single precision, as the log stores it.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Scalar(value as f32)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::Scalar(value)
    }
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(Arc::new(tensor))
    }
}

impl Tensor {
    /// The name of the plugin that reads this tensor; empty where the metadata names none.
    pub fn plugin(&self) -> &str {
        self.metadata
            .plugin_data
            .as_ref()
            .map_or("", |data| &data.plugin_name)
    }
}

/// A value is not of the kind asked for, or does not have its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}: a value of plugin '{found}'")]
pub struct WrongKind {
    expected: &'static str,
    found: String,
}

impl WrongKind {
    fn new(expected: &'static str, found: &Value) -> Self {
        Self {
            expected,
            found: found.plugin().to_owned(),
        }
    }
}

/// The metadata of a value that `plugin` reads.
fn metadata(
    plugin: &str,
    class: DataClass,
    content: impl Into<prost::bytes::Bytes>,
) -> SummaryMetadata {
    SummaryMetadata {
        plugin_data: Some(PluginData {
            plugin_name: plugin.to_owned(),
            content: content.into(),
        }),
        data_class: class.into(),
        ..SummaryMetadata::default()
    }
}

fn shape(sizes: &[usize]) -> Option<TensorShapeProto> {
    let dim = |&size: &usize| Dim {
        size: size as i64,
        name: String::new(),
    };
    Some(TensorShapeProto {
        dim: sizes.iter().map(dim).collect(),
        unknown_rank: false,
    })
}

/// A tensor of strings, of rank 1, or of rank 0 where `sizes` is empty.
fn strings(sizes: &[usize], strings: Vec<prost::bytes::Bytes>) -> TensorProto {
    TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: shape(sizes),
        string_val: strings,
        ..TensorProto::default()
    }
}
