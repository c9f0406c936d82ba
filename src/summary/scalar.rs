//! Scalars: one number.
//!
//! A description survives in TensorBoard only in the tensor form, so a scalar takes that form
//! exactly where it has one; the plain form is half as long.

use prost::bytes::Bytes;

use super::{Tensor, Value, metadata, shape};
use crate::proto::{DataClass, DataType, TensorProto};

/// A number, with the description that TensorBoard shows behind the chart's title.
///
/// ```
/// use modelpulse::summary::{Scalar, Value};
/// let value = Value::from(Scalar::new(0.25).description("cross-entropy, *nats*"));
/// assert_eq!(value.scalar(), Some(0.25));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    pub(super) value: f32,
    description: String,
}

impl Scalar {
    /// `value`, rounded to single precision.
    pub fn new(value: f64) -> Self {
        Self {
            value: value as f32,
            description: String::new(),
        }
    }

    /// Describes the series, in Markdown.
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    pub(super) fn read(value: &Tensor) -> Option<Self> {
        let metadata = &value.metadata;
        let class = metadata.data_class();
        let named = metadata
            .plugin_data
            .as_ref()
            .is_some_and(|data| data.plugin_name == "scalars");
        if !(named || class == DataClass::Scalar) {
            return None;
        }
        let value = value.number()? as f32;
        Some(Self {
            value,
            description: metadata.summary_description.clone(),
        })
    }
}

impl From<Scalar> for Value {
    fn from(Scalar { value, description }: Scalar) -> Self {
        if description.is_empty() {
            return Self::Scalar(value);
        }
        let mut metadata = metadata("scalars", DataClass::Scalar, Bytes::new());
        metadata.summary_description = description;
        let tensor = TensorProto {
            dtype: DataType::DtFloat.into(),
            tensor_shape: shape(&[]),
            float_val: vec![value],
            ..TensorProto::default()
        };
        Tensor { metadata, tensor }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_description_costs_a_tensor() {
        assert_eq!(Value::from(Scalar::new(1.5)), Value::Scalar(1.5));
        let Value::Tensor(described) = Value::from(Scalar::new(1.5).description("d")) else {
            panic!()
        };
        assert_eq!(
            Scalar::read(&described),
            Some(Scalar::new(1.5).description("d"))
        );
    }
}
