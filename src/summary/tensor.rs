//! Tensors: numbers or strings of any shape, for any plugin.
//!
//! A tensor that is made here holds exactly the elements of its shape. One that was read may say
//! anything, so reading checks. The form is TensorFlow's `tensor.proto`; of its two ways to store
//! numbers, packed little-endian bytes are written and both are read.

mod element;
mod read;

use prost::bytes::Bytes;

pub use element::Element;
pub(crate) use read::{FILL_LIMIT, STRING_FILL_LIMIT, number, storage};

use super::{Value, WrongKind};
use crate::proto::{
    DataClass, DataType, SummaryMetadata, TensorProto, TensorShapeProto,
    summary_metadata::PluginData, tensor_shape_proto::Dim,
};

/// A tensor with the metadata that says which plugin reads it.
///
/// ```
/// use modelpulse::summary::{Tensor, Value};
/// let tensor = Tensor::new("my_plugin", &[2, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0])?
///     .content("{\"unit\": \"ms\"}")
///     .description("Latency by *shard* and quantile.");
/// let value = Value::from(tensor);
/// let back = value.tensor().unwrap();
/// assert_eq!((back.plugin(), back.shape()?), ("my_plugin", vec![2, 3]));
/// assert_eq!(back.as_f64s()?[5], 6.0);
/// # Ok::<(), modelpulse::summary::TensorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensor {
    /// The plugin, its settings, display name, description and data class.
    pub metadata: SummaryMetadata,
    /// The numbers or strings.
    pub tensor: TensorProto,
}

/// Why there is no tensor, or none of the kind asked for.
///
/// ```
/// use modelpulse::summary::Tensor;
/// let error = Tensor::new("my_plugin", &[2, 3], &[0_u8; 5]).unwrap_err();
/// assert_eq!(error.to_string(), "a tensor of shape [2, 3] has 6 elements, got 5");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The number of elements is not the product of the sizes.
    #[error("a tensor of shape {shape:?} has {expected} elements, got {got}")]
    Shape {
        /// The sizes, outermost first.
        shape: Vec<usize>,
        /// Their product.
        expected: usize,
        /// Elements given.
        got: usize,
    },
    /// The sizes have no product: one is negative or unknown, or it is too large for this machine.
    #[error("{shape:?} is no shape of a tensor")]
    Unsized {
        /// The sizes as they were given.
        shape: Vec<i64>,
    },
    /// The packed elements end within one.
    #[error("{bytes} bytes are no whole number of elements of {size} bytes")]
    Partial {
        /// Bytes there are.
        bytes: usize,
        /// Bytes that an element takes.
        size: usize,
    },
    /// The elements are of another type.
    #[error("a tensor of type {found} does not hold {expected}")]
    Type {
        /// What was asked for.
        expected: &'static str,
        /// The type, as TensorFlow names it.
        found: &'static str,
    },
}

impl Tensor {
    /// A tensor of `shape` for `plugin`, its elements in row-major order. An empty shape is that of a
    /// single element. The data class is [`DataClass::Tensor`].
    ///
    /// # Errors
    /// [`TensorError::Shape`] unless the shape has as many elements as there are.
    pub fn new<T: Element>(
        plugin: &str,
        shape: &[usize],
        elements: &[T],
    ) -> Result<Self, TensorError> {
        let expected = count(shape).ok_or_else(|| TensorError::Unsized {
            shape: shape.iter().map(|&size| size as i64).collect(),
        })?;
        if elements.len() != expected {
            return Err(TensorError::Shape {
                shape: shape.to_vec(),
                expected,
                got: elements.len(),
            });
        }
        Ok(Self {
            metadata: metadata(plugin, DataClass::Tensor, Bytes::new()),
            tensor: TensorProto {
                tensor_shape: self::shape(shape),
                ..T::pack(elements)
            },
        })
    }

    /// Sets what the plugin reads beside the elements, in a format of its own.
    pub fn content(mut self, content: impl Into<Bytes>) -> Self {
        self.metadata.plugin_data.get_or_insert_default().content = content.into();
        self
    }

    /// Sets how TensorBoard stores the values: a blob sequence is a list of strings.
    pub fn data_class(mut self, class: DataClass) -> Self {
        self.metadata.data_class = class.into();
        self
    }

    /// Sets the title shown instead of the tag.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.metadata.display_name = name.into();
        self
    }

    /// Describes the series, in Markdown.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.metadata.summary_description = markdown.into();
        self
    }

    /// The name of the plugin that reads this tensor; empty where the metadata names none.
    pub fn plugin(&self) -> &str {
        self.metadata
            .plugin_data
            .as_ref()
            .map_or("", |data| &data.plugin_name)
    }

    /// The sizes, outermost first; none for a single element.
    ///
    /// # Errors
    /// [`TensorError::Unsized`] where a size is negative or unknown.
    pub fn shape(&self) -> Result<Vec<usize>, TensorError> {
        let Some(shape) = &self.tensor.tensor_shape else {
            return Ok(Vec::new());
        };
        let sizes = shape.dim.iter().map(|dim| usize::try_from(dim.size));
        match sizes.collect::<Result<Vec<_>, _>>() {
            Ok(sizes) if !shape.unknown_rank && count(&sizes).is_some() => Ok(sizes),
            _ => Err(TensorError::Unsized {
                shape: shape.dim.iter().map(|dim| dim.size).collect(),
            }),
        }
    }
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(std::sync::Arc::new(tensor))
    }
}

impl TryFrom<&Value> for Tensor {
    type Error = WrongKind;

    fn try_from(value: &Value) -> Result<Self, WrongKind> {
        let tensor = value.tensor().cloned();
        tensor.ok_or_else(|| WrongKind::new("a tensor", value))
    }
}

/// The product of the sizes.
fn count(shape: &[usize]) -> Option<usize> {
    // A size of 0 makes any other size harmless.
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(1, |count: usize, &size| count.checked_mul(size))
}

/// The metadata of a value that `plugin` reads.
pub(super) fn metadata(
    plugin: &str,
    class: DataClass,
    content: impl Into<Bytes>,
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

pub(super) fn shape(sizes: &[usize]) -> Option<TensorShapeProto> {
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
pub(super) fn strings(sizes: &[usize], strings: Vec<Bytes>) -> TensorProto {
    TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: shape(sizes),
        string_val: strings,
        ..TensorProto::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_back() {
        let of = |tensor: Result<Tensor, TensorError>| tensor.unwrap().as_f64s().unwrap();
        assert_eq!(of(Tensor::new("p", &[2], &[0.5_f32, -1.0])), [0.5, -1.0]);
        assert_eq!(of(Tensor::new("p", &[2, 1], &[1e300, -0.0])), [1e300, 0.0]);
        assert_eq!(
            of(Tensor::new("p", &[], &[i32::MIN])),
            [f64::from(i32::MIN)]
        );
        assert_eq!(
            of(Tensor::new("p", &[1], &[1_i64 << 40])),
            [(1_i64 << 40) as f64]
        );
        assert_eq!(of(Tensor::new("p", &[2], &[0_u8, 255])), [0.0, 255.0]);
        assert_eq!(of(Tensor::new("p", &[2], &[true, false])), [1.0, 0.0]);
        assert_eq!(of(Tensor::new::<f32>("p", &[0, 3], &[])), [] as [f64; 0]);
        let strings = Tensor::new("p", &[1, 2], &["a", "β"]).unwrap();
        assert_eq!(strings.as_strings().unwrap(), ["a", "β"]);
        assert!(matches!(strings.as_f64s(), Err(TensorError::Type { .. })));
    }

    #[test]
    fn a_wrong_number_of_elements_names_the_shape() {
        let error = Tensor::new("p", &[2, 3], &[1_u8; 5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a tensor of shape [2, 3] has 6 elements, got 5"
        );
        let huge = [usize::MAX, 2];
        assert!(matches!(
            Tensor::new("p", &huge, &[1_u8]),
            Err(TensorError::Unsized { .. })
        ));
    }
}
