//! What a log can hold under one tag at one step: one file a kind, Rust value to wire value and back.
//!
//! Pure: no clock, no file. Every value written carries its metadata, so that a reader which sees
//! only a part of a log still knows what it looks at; only a plain scalar needs none.

#[cfg(feature = "media")]
mod animation;
#[cfg(feature = "media")]
mod audio;
#[cfg(feature = "candle")]
mod candle;
mod field;
mod graph;
mod histogram;
mod hparams;
mod image;
mod image_grid;
mod json;
mod layout;
mod mesh;
mod older;
mod pr_curve;
mod run_stats;
mod scalar;
mod tensor;
mod text;

use std::sync::Arc;

#[cfg(feature = "media")]
pub use animation::{Animation, AnimationError};
#[cfg(feature = "media")]
pub use audio::{Audio, AudioClips, AudioError};
#[cfg(feature = "candle")]
pub use candle::ImageTensorError;
pub use graph::{Attr, Graph, GraphError, Node};
pub use histogram::{Histogram, HistogramError, Sample};
pub use hparams::{Domain, DomainError, HParam, HParams, Measured, Metric, SessionStatus};
pub use image::{Compression, Image, ImageError, ImageFormat, Images, Level, PixelLayout};
pub use image_grid::ImageGrid;
pub use layout::{Band, Chart, Layout};
pub use mesh::{Mesh, MeshError};
pub use pr_curve::{PrCounts, PrCurve, PrCurveError, Score};
pub use run_stats::{NodeStats, RunStats};
pub use scalar::Scalar;
pub use tensor::{Element, Tensor, TensorError};
pub use text::Text;

pub(crate) use older::class_of;
pub(crate) use tensor::{FILL_LIMIT, STRING_FILL_LIMIT, number, storage};

use crate::proto::{DataType, TensorProto};
use tensor::{metadata, shape, strings};

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

impl Value {
    /// The number of a scalar at single precision, as TensorBoard shows it, whether it stands alone or in a
    /// tensor of rank 0.
    pub fn scalar(&self) -> Option<f32> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Tensor(tensor) => Scalar::read(tensor).map(|scalar| scalar.value),
        }
    }

    /// The number of a scalar as it was meant: the shortest decimal that its precision rounds to it, so that a
    /// logged 0.7 is not less than 0.7. A number of double precision is its own. It is what an exporter prints, and
    /// what rules compare.
    ///
    /// ```
    /// use modelpulse::summary::{Tensor, Value};
    /// assert_eq!(Value::from(0.7).decimal(), Some(0.7));
    /// let exact = Value::from(Tensor::new("scalars", &[], &[0.123456789012_f64])?);
    /// assert_eq!(exact.decimal(), Some(0.123456789012));
    /// # Ok::<(), modelpulse::summary::TensorError>(())
    /// ```
    pub fn decimal(&self) -> Option<f64> {
        let value = self.scalar()?;
        if let Self::Tensor(tensor) = self
            && tensor.tensor.dtype() != DataType::DtFloat
        {
            return tensor.number();
        }
        let wide = f64::from(value);
        // Most numbers of a log are whole, or their own decimal already.
        if wide.fract() == 0.0 || !wide.is_finite() {
            return Some(wide);
        }
        Some(value.to_string().parse().unwrap_or(wide))
    }

    /// The number of a scalar, or of a tensor of rank 0, of whatever type of number; `None` for all else.
    ///
    /// ```
    /// use modelpulse::summary::{Tensor, Value};
    /// let exact = Value::from(Tensor::new("scalars", &[], &[0.1_f64])?);
    /// assert_eq!(exact.number(), Some(0.1));
    /// assert_eq!(Value::from(0.1).number(), Some(f64::from(0.1_f32)));
    /// # Ok::<(), modelpulse::summary::TensorError>(())
    /// ```
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Scalar(value) => Some(f64::from(*value)),
            Self::Tensor(tensor) => tensor.number(),
        }
    }

    /// The tensor, of any kind but a plain number.
    pub fn tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Scalar(_) => None,
            Self::Tensor(tensor) => Some(tensor),
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
