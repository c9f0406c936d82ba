//! The nodes of a graph and their attributes.
//!
//! What a node says of itself is checked when it becomes part of a graph.

use prost::bytes::Bytes;

use crate::proto::{
    AttrValue, NodeDef, TensorShapeProto,
    attr_value::{self, ListValue},
    tensor_shape_proto::Dim,
};

/// A node of a [`Graph`](super::Graph): an operation, or something that an operation takes.
///
/// ```
/// use modelpulse::summary::{Attr, Node};
/// let node = Node::new("encoder/0/attention", "SelfAttention")
///     .inputs(["encoder/0/norm", "^encoder/0/mask"])
///     .attr("heads", 8)
///     .attr("kernel", Attr::shape(&[3, 3]));
/// assert_eq!(node.name(), "encoder/0/attention");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Node(pub(super) NodeDef);

/// The value of a node's attribute: made from a number, a text or a truth value, or a shape.
///
/// ```
/// use modelpulse::summary::Attr;
/// assert_ne!(Attr::from(1), Attr::from(1.0));
/// assert_ne!(Attr::shape(&[]), Attr::from(""));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Attr(attr_value::Value);

impl Node {
    /// A node that does `op`, such as `MatMul`. Slashes in its name make boxes.
    pub fn new(name: impl Into<String>, op: impl Into<String>) -> Self {
        Self(NodeDef {
            name: name.into(),
            op: op.into(),
            ..NodeDef::default()
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Adds an input: a node's name, or `name:1` for another than its first output. After a `^` it
    /// only says that the node comes before.
    pub fn input(mut self, from: impl Into<String>) -> Self {
        self.0.input.push(from.into());
        self
    }

    /// Adds several inputs.
    pub fn inputs<T: Into<String>>(mut self, from: impl IntoIterator<Item = T>) -> Self {
        self.0.input.extend(from.into_iter().map(Into::into));
        self
    }

    /// Says where it runs, such as `/device:CPU:0`; the page selects by names of this form.
    pub fn device(mut self, device: impl Into<String>) -> Self {
        self.0.device = device.into();
        self
    }

    /// Sets an attribute.
    pub fn attr(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        let Attr(value) = value.into();
        let value = AttrValue { value: Some(value) };
        self.0.attr.insert(name.into(), value);
        self
    }

    /// Says the shape of its next output, which the page writes on the edges; -1 is any size.
    pub fn output_shape(mut self, sizes: &[i64]) -> Self {
        let shapes = self.0.attr.entry("_output_shapes".to_owned()).or_default();
        let list = shapes
            .value
            .get_or_insert_with(|| attr_value::Value::List(ListValue::default()));
        if let attr_value::Value::List(list) = list {
            list.shape.push(dims(sizes));
        }
        self
    }
}

impl Attr {
    /// A shape; -1 is any size.
    pub fn shape(sizes: &[i64]) -> Self {
        Self(attr_value::Value::Shape(dims(sizes)))
    }

    /// Several numbers, such as a convolution's strides.
    pub fn integers(numbers: &[i64]) -> Self {
        Self(attr_value::Value::List(ListValue {
            i: numbers.to_vec(),
            ..ListValue::default()
        }))
    }
}

macro_rules! attrs {
    ($($from:ty => |$value:ident| $variant:ident: $to:expr),* $(,)?) => {$(
        impl From<$from> for Attr {
            fn from($value: $from) -> Self {
                Self(attr_value::Value::$variant($to))
            }
        }
    )*};
}

attrs!(
    i32 => |value| I: value.into(),
    i64 => |value| I: value,
    f32 => |value| F: value,
    f64 => |value| F: value as f32,
    bool => |value| B: value,
    &str => |value| S: Bytes::copy_from_slice(value.as_bytes()),
    String => |value| S: value.into(),
);

fn dims(sizes: &[i64]) -> TensorShapeProto {
    let dim = |&size: &i64| Dim {
        size,
        name: String::new(),
    };
    TensorShapeProto {
        dim: sizes.iter().map(dim).collect(),
        unknown_rank: false,
    }
}
