//! Nodes of a graph, with the setters that `tensorboard-proto` has.
//!
//! A node is what the log stores; nothing is checked before the graph is added.

use std::collections::HashMap;

use crate::proto as wire;

/// As `tensorboard_proto::node_def`.
pub mod node_def {
    pub use super::NodeDef;
}

/// As `tensorboard_proto::attr_value`.
pub mod attr_value {
    pub use super::AttrValue;
}

/// A node of a graph.
///
/// ```
/// use modelpulse::compat::proto::{attr_value::AttrValue, node_def::NodeDef};
/// let mut node = NodeDef::new();
/// node.set_name("relu".to_string());
/// node.set_op("Relu".to_string());
/// node.set_input(vec!["matmul".to_string()]);
/// let mut width = AttrValue::new();
/// width.set_i(16);
/// node.set_attr([("width".to_string(), width)].into());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NodeDef(pub(super) wire::NodeDef);

impl NodeDef {
    /// A node without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name; parts joined by `/` become boxes.
    pub fn set_name(&mut self, name: String) {
        self.0.name = name;
    }

    /// Sets what it does.
    pub fn set_op(&mut self, op: String) {
        self.0.op = op;
    }

    /// Sets the names of the nodes that it takes its inputs from.
    pub fn set_input(&mut self, inputs: impl Into<Vec<String>>) {
        self.0.input = inputs.into();
    }

    /// Sets where it runs.
    pub fn set_device(&mut self, device: String) {
        self.0.device = device;
    }

    /// Sets its attributes.
    pub fn set_attr(&mut self, attributes: HashMap<String, AttrValue>) {
        let attributes = attributes.into_iter();
        self.0.attr = attributes
            .map(|(name, AttrValue(value))| (name, value))
            .collect();
    }
}

/// An attribute of a node.
///
/// ```
/// let mut value = modelpulse::compat::proto::AttrValue::new();
/// value.set_s(b"same".to_vec());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AttrValue(wire::AttrValue);

impl AttrValue {
    /// An attribute without a value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets bytes, usually of a text.
    pub fn set_s(&mut self, value: Vec<u8>) {
        self.0.value = Some(wire::attr_value::Value::S(value.into()));
    }

    /// Sets a whole number.
    pub fn set_i(&mut self, value: i64) {
        self.0.value = Some(wire::attr_value::Value::I(value));
    }

    /// Sets a number.
    pub fn set_f(&mut self, value: f32) {
        self.0.value = Some(wire::attr_value::Value::F(value));
    }

    /// Sets a switch.
    pub fn set_b(&mut self, value: bool) {
        self.0.value = Some(wire::attr_value::Value::B(value));
    }
}
